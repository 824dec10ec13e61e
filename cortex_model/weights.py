"""The weights of a hierarchy as matrices in the paper's orientation, and what they are at the start."""

import hashlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cortex_model.errors import ParameterError
from cortex_model.memory import must_fit
from cortex_model.philox import standard_normal


def to_matrix(values: np.ndarray, n_pre: int, n_post: int) -> np.ndarray:
    """Synaptic values in Brian2's order (presynaptic-major) as a matrix of shape (n_post, n_pre)."""
    return np.ascontiguousarray(np.reshape(values, (n_pre, n_post)).T)


def to_synapses(matrix: np.ndarray) -> np.ndarray:
    """A matrix of shape (n_post, n_pre) in the order in which Brian2 keeps synapses."""
    return np.ascontiguousarray(np.asarray(matrix).T).ravel()


@dataclass(frozen=True)
class Weights:
    """Everything that learns.

    Attributes
    ----------
    forward : dict of int to ndarray, shape (n_l, n_{l-1})
        W_l, l = 1 ... L.
    biases : dict of int to ndarray, shape (n_l,)
        b_l; zeros where the hierarchy has no biases.
    feedback : dict of int to ndarray, shape (n_{l-1}, n_l)
        V_l, for each l that has a reciprocal projection.
    """

    forward: dict[int, np.ndarray]
    biases: dict[int, np.ndarray]
    feedback: dict[int, np.ndarray] = field(default_factory=dict)

    def named(self) -> dict[str, np.ndarray]:
        """``W_1, b_1, ... W_L, b_L``, then the ``V_l``: name -> array."""
        arrays = {}
        for level in sorted(self.forward):
            arrays |= {f"W_{level}": self.forward[level], f"b_{level}": self.biases[level]}
        return arrays | {f"V_{level}": self.feedback[level] for level in sorted(self.feedback)}

    @classmethod
    def from_named(cls, arrays: dict[str, np.ndarray]) -> "Weights":
        """The inverse of `named`."""
        parts = {"W": {}, "b": {}, "V": {}}
        for name, array in arrays.items():
            letter, level = name.split("_")
            parts[letter][int(level)] = np.asarray(array)
        return cls(parts["W"], parts["b"], parts["V"])

    @property
    def sha256(self) -> str:
        """SHA-256 over W_1, b_1 ... W_L, b_L, then V (paper's orientation, C order, little-endian)."""
        digest = hashlib.sha256()
        for array in self.named().values():
            digest.update(np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes())
        return digest.hexdigest()

    def astype(self, dtype: Any) -> "Weights":
        """The same weights in another precision; what it cannot hold is infinite (`check` says so)."""
        with np.errstate(over="ignore"):
            return self.from_named({name: np.array(array, dtype) for name, array in self.named().items()})

    def check(self, parameters: Any) -> None:
        """Refuse weights that are not those of a hierarchy.

        Raises
        ------
        ParameterError
            For a matrix that is missing, one that does not belong, a wrong shape, and numbers that are not finite in
            the hierarchy's precision.
        """
        p, sizes = parameters, parameters.layer_sizes
        shapes = {f"W_{l}": (sizes[l], sizes[l - 1]) for l in range(1, p.n_layers + 1)}
        shapes |= {f"b_{l}": (sizes[l],) for l in range(1, p.n_layers + 1)}
        shapes |= {f"V_{l}": p.feedback_shape(l) for l in p.feedback_layers}
        parts = {"W": self.forward, "b": self.biases, "V": self.feedback}
        given = {f"{letter}_{l}": np.asarray(array) for letter, part in parts.items() for l, array in part.items()}
        if differing := sorted(given.keys() ^ shapes.keys()):
            got = "one more" if differing[0] in given else "none"
            raise ParameterError(
                f"Weights.{differing[0]}: must be there if and only if layer_sizes, feedback_to_input and the learning "
                f"rule ask for it, so {', '.join(shapes)} (got {got}); make them with initial_weights."
            )
        limit = np.finfo(p.dtype).max
        for name, array in given.items():
            _check_shape(name, array, shapes[name])
            if array.size and not (array.min() >= -limit and array.max() <= limit):
                wrong = array[~(np.abs(array) <= limit)][0]
                raise ParameterError(
                    f"Weights.{name}: must hold numbers that are finite in {p.dtype} (got {wrong:g}); check its "
                    "source, its scale and dtype."
                )

    def first_not_finite(self) -> str | None:
        """Name of the first array that holds something that is not a finite number, or None."""
        return next((name for name, array in self.named().items() if not np.isfinite(array).all()), None)


def _check_shape(name, matrix, shape):
    if matrix.shape != shape:
        raise ParameterError(
            f"Weights.{name}: must have shape {shape} (got {matrix.shape}); give it as (postsynaptic, presynaptic)."
        )


def _gaussian(numbers, n_lower):
    return numbers / np.sqrt(n_lower)


def _he(numbers, n_lower):
    return numbers * np.sqrt(2.0 / n_lower)


def _orthogonal(numbers, n_lower):
    tall = numbers if numbers.shape[0] >= numbers.shape[1] else numbers.T
    q, r = np.linalg.qr(tall)
    q = q * np.sign(np.diag(r))
    return q if q.shape == numbers.shape else q.T


#: Initial forward weights from standard normal numbers, shape (n_upper, n_lower).
INITIAL_WEIGHTS = {"gaussian": _gaussian, "he": _he, "orthogonal": _orthogonal}

#: V at the start, by the learning rule's ``feedback_start``: (W, random V) -> V.
FEEDBACK_STARTS = {
    "random": lambda forward, random: random,
    "transpose": lambda forward, random: forward.T.copy(),
    "pseudoinverse": lambda forward, random: np.linalg.pinv(forward),
}


def initial_weights(parameters: Any, seed: int, feedback_start: str, given: dict[str, Any] | None = None) -> Weights:
    """Weights before the first presentation: a function of parameters and seed alone.

    Parameters
    ----------
    parameters : SleepWakeParameters
        Sizes, ``initial_weights``, ``initial_feedback_scale``.
    seed : int
    feedback_start : {"random", "transpose", "pseudoinverse"}
        Random feedback has the deviation of W^T times ``initial_feedback_scale``.
    given : dict, optional
        ``{"W_1": matrix, "V_2": matrix, "b_1": vector ...}``: used instead of drawn ones.

    Returns
    -------
    weights : Weights

    Raises
    ------
    ParameterError
        For a given matrix with an unknown name, a wrong shape, or numbers that are not finite.
    """
    p, sizes = parameters, parameters.layer_sizes
    n_synapses = sum(lower * upper for lower, upper in zip(sizes, sizes[1:], strict=False))
    must_fit(8.0 * n_synapses, "Parameters.layer_sizes", "make the populations smaller")
    drawn = {}
    for level in range(1, p.n_layers + 1):
        shape = (sizes[level], sizes[level - 1])
        numbers = standard_normal(seed, "forward_weights", level, shape)
        drawn[f"W_{level}"] = INITIAL_WEIGHTS[p.initial_weights](numbers, sizes[level - 1])
        drawn[f"b_{level}"] = np.zeros(sizes[level])
        if level in p.feedback_layers:
            numbers = standard_normal(seed, "feedback_weights", level, p.feedback_shape(level))
            drawn[f"V_{level}"] = numbers * p.initial_feedback_scale * drawn[f"W_{level}"].std()
    for name, matrix in (given or {}).items():
        matrix = np.asarray(matrix, float)
        if name not in drawn:
            raise ParameterError(f"Weights.{name}: must be one of {', '.join(drawn)} (got {name!r}); rename it.")
        _check_shape(name, matrix, drawn[name].shape)
        if not np.isfinite(matrix).all():
            raise ParameterError(f"Weights.{name}: must hold finite numbers (got NaN or infinity); check its source.")
        drawn[name] = matrix
    for level in p.feedback_layers:
        if f"V_{level}" not in (given or {}):
            drawn[f"V_{level}"] = FEEDBACK_STARTS[feedback_start](drawn[f"W_{level}"], drawn[f"V_{level}"])
    weights = Weights.from_named(drawn).astype(p.dtype)
    weights.check(p)
    return weights


def perturbed(feedback: np.ndarray, noise: np.ndarray, deviation: float, n_levels: int) -> np.ndarray:
    """Feedback weights that are not quite what was learned.

        V + deviation noise,    then rounded to n_levels levels, evenly spaced from -max|V| to max|V|

    Parameters
    ----------
    feedback : ndarray
        V.
    noise : ndarray, of the same shape
        Standard normal numbers.
    deviation : float
    n_levels : int
        0: nothing is rounded.

    Returns
    -------
    ndarray, of the same shape
    """
    V = feedback + deviation * noise
    largest = np.abs(V).max()
    if n_levels == 0 or largest == 0:
        return V
    step = 2 * largest / (n_levels - 1)
    return np.round((V + largest) / step) * step - largest


def refreshed(
    weights: Weights, gains: dict[int, float], refreshes: str, parameters: Any = None, seed: int = 0, at: int = 0
) -> tuple[Weights, dict[int, float]]:
    """Weights and gains after the host's intervention at an update of the schedule.

    Parameters
    ----------
    weights : Weights
    gains : dict
        l -> number by which feedback through V_l is multiplied in wake.
    refreshes : {"pseudoinverse", "norm_matched", "perturbed"}
        ``pseudoinverse`` puts V_l = W_l^+; ``norm_matched`` puts the gain |W_l|_F / |V_l|_F; ``perturbed`` disturbs
        V_l (`perturbed`).
    parameters : SleepWakeParameters, optional
        For ``perturbed``: how much.
    seed, at : int
        For ``perturbed``: of the run, and the presentation before which it happens; they decide the noise.

    Returns
    -------
    weights, gains
    """
    forward, feedback = weights.forward, weights.feedback
    if refreshes == "pseudoinverse":
        exact = {level: np.linalg.pinv(forward[level].astype(float)).astype(v.dtype) for level, v in feedback.items()}
        return Weights(forward, weights.biases, exact), gains
    if refreshes == "perturbed":
        scale, n_levels = parameters.feedback_noise, parameters.feedback_levels
        noise = {l: standard_normal(seed, "feedback_noise", l, v.shape, at) for l, v in feedback.items()}
        disturbed = {
            l: perturbed(v.astype(float), noise[l], scale * float(forward[l].std()), n_levels)
            for l, v in feedback.items()
        }
        return Weights(forward, weights.biases, {l: v.astype(feedback[l].dtype) for l, v in disturbed.items()}), gains
    norm = np.linalg.norm
    return weights, {level: float(norm(forward[level]) / norm(v)) for level, v in feedback.items()}

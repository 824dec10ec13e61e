"""The weights of a hierarchy as matrices in the paper's orientation, and what they are at the start."""

import hashlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cortex_model.errors import ParameterError
from cortex_model.language.places import Places
from cortex_model.state.kept import kept_in
from cortex_model.state.philox import index_of, standard_normal
from cortex_model.system.memory import must_fit, product


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
    others : dict of str to dict of int to ndarray, shape (n_post, n_pre)
        Weights of projections that only some learning rules have, by name.
    """

    forward: dict[int, np.ndarray]
    biases: dict[int, np.ndarray]
    feedback: dict[int, np.ndarray] = field(default_factory=dict)
    others: dict[str, dict[int, np.ndarray]] = field(default_factory=dict)

    def named(self) -> dict[str, np.ndarray]:
        """``W_1, b_1, ... W_L, b_L``, then the ``V_l``, then others: name -> array."""
        arrays = {}
        for level in sorted(self.forward):
            arrays |= {f"W_{level}": self.forward[level], f"b_{level}": self.biases[level]}
        for projection, levels in {"V": self.feedback, **self.others}.items():
            arrays |= {f"{projection}_{level}": levels[level] for level in sorted(levels)}
        return arrays

    @classmethod
    def from_named(cls, arrays: dict[str, np.ndarray]) -> "Weights":
        """The inverse of `named`."""
        parts: dict[str, dict[int, np.ndarray]] = {"W": {}, "b": {}, "V": {}}
        for name, array in arrays.items():
            projection, level = name.rsplit("_", 1)
            parts.setdefault(projection, {})[int(level)] = np.asarray(array)
        return cls(*(parts.pop(name) for name in "WbV"), parts)

    def replaced(self, arrays: dict[str, np.ndarray]) -> "Weights":
        """These weights with some arrays replaced, name by name."""
        return self.from_named(self.named() | arrays)

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
        p, shapes = parameters, shapes_of(parameters)
        given = {name: np.asarray(array) for name, array in self.named().items()}
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


def shapes_of(parameters: Any) -> dict[str, tuple[int, ...]]:
    """Name -> shape of everything that learns in a hierarchy."""
    p, sizes = parameters, parameters.layer_sizes
    places = Places(p.rule, p.n_layers)
    shapes = {}
    for l in range(1, p.n_layers + 1):
        shapes |= {f"W_{l}": (sizes[l], sizes[l - 1]), f"b_{l}": (sizes[l],)}
    for name, l in places.synapses:
        pre, post = places.ends(name, l)
        shapes[f"{name}_{l}"] = (sizes[post],) if pre is None else (sizes[post], sizes[pre])
    return shapes


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

#: Weights of other projections before the first presentation, by what the rule says of their ``start``: the matrix that
#: it names, and a random one -> matrix.
STARTS = {
    "random": lambda other, random: random,
    "zero": lambda other, random: np.zeros_like(random),
    "transpose": lambda other, random: other.T.copy(),
    "pseudoinverse": lambda other, random: np.linalg.pinv(other),
    "identity": lambda other, random: np.eye(*random.shape),
}


def initial_weights(parameters: Any, seed: int, given: dict[str, Any] | None = None) -> Weights:
    """Weights before the first presentation: a function of parameters and seed alone.

    Parameters
    ----------
    parameters : SleepWakeParameters
        Sizes, learning rule, ``initial_weights``, ``initial_feedback_scale``.
    seed : int
    given : dict, optional
        ``{"W_1": matrix, "V_2": matrix, "b_1": vector ...}``: used instead of drawn ones.

    Returns
    -------
    weights : Weights
        Those of ``start_from``, where that is given. Else W as ``initial_weights`` says; other projections as the rule
        says: random V has the deviation of W^T times ``initial_feedback_scale``, others that of 1/sqrt(n_pre).

    Raises
    ------
    ParameterError
        For a given matrix with an unknown name, a wrong shape, or numbers that are not finite.
    """
    p, shapes = parameters, shapes_of(parameters)
    given = _taken_over(p, shapes) | (given or {})
    n = sum(product(*shape) for shape in shapes.values())  # drawn as doubles, then as they are, at the start and later
    must_fit(n * (8 + 2 * np.dtype(p.dtype).itemsize), "Parameters.layer_sizes", "make the populations smaller")
    given = _checked_given(given, shapes)
    weights: dict[str, np.ndarray] = {}
    for name in sorted(shapes, key=lambda name: (not name.startswith("W_"), not name.startswith("b_"))):
        projection, level = name.rsplit("_", 1)
        weights[name] = given[name] if name in given else _drawn(p, seed, projection, int(level), shapes[name], weights)
    made = Weights.from_named(weights).astype(p.dtype)
    made.check(p)
    return made


def redrawn(parameters: Any) -> list[str]:
    """Names of arrays that ``start_from`` has in another shape, because the top population is another one."""
    shapes, its = shapes_of(parameters), kept_in(getattr(parameters, "start_from", "")).arrays
    return [name for name, array in its.items() if name in shapes and array.shape != shapes[name]]


def _taken_over(p, shapes):
    """What a hierarchy goes on from; a top population of another size has its projections drawn."""
    start_from = getattr(p, "start_from", "")
    arrays, drawn = kept_in(start_from).arrays, redrawn(p)
    at_top = {f"{name}_{p.n_layers}" for name in "WbV"}
    if wrong := [name for name in drawn if name not in at_top] or (
        sorted(shapes.keys() - arrays.keys()) if arrays else []
    ):
        got = arrays[wrong[0]].shape if wrong[0] in arrays else "none"
        raise ParameterError(
            f"Parameters.start_from: {wrong[0]} must have shape {shapes[wrong[0]]} (got {got} in {start_from}); give "
            "layer_sizes, feedback_to_input and a learning rule that fit; only the top may have another size."
        )
    return {name: array for name, array in arrays.items() if name in shapes and name not in drawn}


def _checked_given(given, shapes):
    """Given matrices as arrays of doubles."""
    found = {}
    for name, matrix in given.items():
        if name not in shapes:
            raise ParameterError(f"Weights.{name}: must be one of {', '.join(shapes)} (got {name!r}); rename it.")
        found[name] = np.asarray(matrix, float)
        _check_shape(name, found[name], shapes[name])
        if not np.isfinite(found[name]).all():
            raise ParameterError(f"Weights.{name}: must hold finite numbers (got NaN or infinity); check its source.")
    return found


def _drawn(p, seed, projection, level, shape, weights):
    """A matrix as the rule has it at the start; ``weights`` are those drawn before it."""
    if projection == "W":
        return INITIAL_WEIGHTS[p.initial_weights](standard_normal(seed, "forward_weights", level, shape), shape[1])
    how, _, other = p.rule.projections[projection].start.partition(" of ") if projection in p.rule.projections else (
        "zero", "", "")  # fmt: skip
    if projection == "V":
        numbers = standard_normal(seed, "feedback_weights", level, shape)
        numbers = numbers * p.initial_feedback_scale * weights[f"W_{level}"].std()
    else:
        numbers = standard_normal(seed, "other_weights", index_of(projection, level), shape) / np.sqrt(shape[-1])
    return STARTS[how](weights.get(f"{other}_{level}"), numbers)

"""How the output error reaches every population, and how every forward synapse learns from it.

Dictionaries are keyed by the population l; see `rate_network`. The error travels down the feedback
projections: with V_l = W_l^+ it is the paper's rule, with V_l = W_l^T backpropagation.
"""

from collections.abc import Mapping

import numpy as np

from cortex_model.errors import ParameterError
from cortex_model.theory.rate_network import NONLINEARITIES, choice, hierarchy_response, output_error

Weights = Mapping[int, np.ndarray]


def slope_factor(
    basal_drive: np.ndarray, nonlinearity: str = "tanh", slope_rule: str = "derivative", slope_cutoff: float = 0.1
) -> np.ndarray:
    """Return D_l, the factor by which a population weighs the error that arrives from above.

        derivative:  D = sigma'(a)
        reciprocal:  D = 1 / sigma'(a) where sigma'(a) > slope_cutoff, else 0
        none:        D = 1

    where a is the basal drive. The paper has D^+, the reciprocal; here the derivative is the default, because
    with saturating rates the reciprocal trains badly. For linear and threshold-linear rates they are the same.

    Parameters
    ----------
    basal_drive : ndarray, any shape
    nonlinearity : str
        A name in `NONLINEARITIES`.
    slope_rule : {"derivative", "reciprocal", "none"}
    slope_cutoff : float

    Returns
    -------
    ndarray, the shape of `basal_drive`

    Raises
    ------
    ParameterError
        If the nonlinearity or the slope rule has no such name.
    """
    slope = choice(NONLINEARITIES, nonlinearity, "slope_factor.nonlinearity").slope(basal_drive)
    is_steep = slope > slope_cutoff
    factors = {
        "derivative": slope,
        "reciprocal": np.where(is_steep, 1 / np.where(is_steep, slope, 1.0), 0.0),
        "none": np.ones_like(slope),
    }
    return choice(factors, slope_rule, "slope_factor.slope_rule")


def activation_reciprocal(
    feedback: Weights,
    basal_drives: Weights,
    error: np.ndarray,
    nonlinearity: str = "tanh",
    slope_rule: str = "derivative",
    slope_cutoff: float = 0.1,
    feedback_gains: Mapping[int, float] | None = None,
    feedback_from_top: bool = False,
) -> dict[int, np.ndarray]:
    """Carry the output error down the feedback projections to every population.

        delta_L = e,    delta_l = D_l * (c_{l+1} V_{l+1} delta_{l+1}) for l = L-1 ... 1

    where e is the output error, V the feedback weights, D the `slope_factor`, c the feedback gains.

    The paper has B_l = W_{l+1}^+ D^+ B_{l+1} and uses B_l e; here D_l B_l e, because D_l belongs there by
    the chain rule, and learned V in place of W^+. The gain c is ours.

    Parameters
    ----------
    feedback : dict of ndarray
        V_l, shape (n_{l-1}, n_l), for l = 2 ... L at least; V_1 is not used.
    basal_drives : dict of ndarray
        a_l, shape (n_l,) or (n_l, n_stimuli), for l = 1 ... L.
    error : ndarray, shape (n_L,) or (n_L, n_stimuli)
        e.
    nonlinearity, slope_rule, slope_cutoff
        See `slope_factor`.
    feedback_gains : dict of float, optional
        c_l; 1 where not given.
    feedback_from_top : bool
        Direct feedback (Nokland 2016, NeurIPS 29): V_l, of shape (n_{l-1}, n_L), carries the output error itself,
        delta_l = D_l * (c_{l+1} V_{l+1} e).

    Returns
    -------
    dict of ndarray
        delta_l for l = L ... 1.

    Raises
    ------
    ParameterError
        If the nonlinearity or the slope rule has no such name, or a V_l is missing.
    """
    gains = feedback_gains or {}
    top = max(basal_drives)
    missing = sorted(set(range(2, top + 1)) - set(feedback))
    if missing:
        raise ParameterError(
            f"activation_reciprocal.feedback: must hold V_l for l = 2 ... {top} (got none for {missing}); add them."
        )
    deltas = {top: error}
    for l in range(top - 1, 0, -1):
        drive = gains.get(l + 1, 1.0) * (feedback[l + 1] @ deltas[top if feedback_from_top else l + 1])
        deltas[l] = slope_factor(basal_drives[l], nonlinearity, slope_rule, slope_cutoff) * drive
    return deltas


def parameter_reciprocal(presynaptic_rate: np.ndarray, bias: bool = True) -> float:
    """Return 1 / (|h|^2 + 1) with a bias, 1 / |h|^2 without, and 0 where that divisor is zero.

    where h, shape (n_{l-1},), is the presynaptic rate; a bias counts as one more rate, of 1. It is the factor
    of h^+ = h^T / |h|^2 in the paper's parameter reciprocal (a_{l-1}^+ (x) B_l). The paper writes a_{l-1};
    here it is h_{l-1}, because a_l = W_l h_{l-1}.
    """
    divisor = float(presynaptic_rate @ presynaptic_rate) + bool(bias)
    return 1 / divisor if divisor > 0 else 0.0


def weight_update(
    delta: np.ndarray,
    presynaptic_rate: np.ndarray,
    learning_rate: float,
    presynaptic_normalisation: bool = False,
    bias: bool = True,
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the changes of a forward projection: postsynaptic delta times presynaptic rate.

        dW_l = - lambda delta_l h_{l-1}^T,    db_l = - lambda delta_l

    where delta is the error that the population carries, h the presynaptic rate, lambda the learning rate,
    times the `parameter_reciprocal` with `presynaptic_normalisation`: then a_l changes by - lambda delta_l.

    Parameters
    ----------
    delta : ndarray, shape (n_l,)
    presynaptic_rate : ndarray, shape (n_{l-1},)
    learning_rate : float
    presynaptic_normalisation : bool
    bias : bool
        Whether the population has a bias.

    Returns
    -------
    dW : ndarray, shape (n_l, n_{l-1})
    db : ndarray, shape (n_l,), or None without a bias
    """
    scale = parameter_reciprocal(presynaptic_rate, bias) if presynaptic_normalisation else 1.0
    change = -learning_rate * scale * delta
    return np.outer(change, presynaptic_rate), change if bias else None


def wake_presentation(
    forward: Weights,
    biases: Weights | None,
    feedback: Weights,
    stimulus: np.ndarray,
    target: np.ndarray,
    *,
    learning_rate: float,
    nonlinearity: str = "tanh",
    top: str = "softmax",
    slope_rule: str = "derivative",
    slope_cutoff: float = 0.1,
    presynaptic_normalisation: bool = False,
    feedback_gains: Mapping[int, float] | None = None,
    feedback_follows_forward: bool = False,
    weight_decay: float = 0.0,
    feedback_from_top: bool = False,
) -> tuple[dict[int, np.ndarray], dict[int, np.ndarray] | None, dict[int, np.ndarray]]:
    """Present one stimulus in wake, learn from its output error, and return the new weights.

    `hierarchy_response`, `output_error`, `activation_reciprocal`, `weight_update`, in this order; all deltas
    are computed with the old weights.

    Parameters
    ----------
    forward, feedback : dict of ndarray
        W_l, shape (n_l, n_{l-1}), and V_l, shape (n_{l-1}, n_l).
    biases : dict of ndarray or None
        b_l, shape (n_l,).
    stimulus, target : ndarray, shape (n_0,) and (n_L,)
    learning_rate : float
        The paper's lambda.
    nonlinearity, top : str
        See `hierarchy_response`.
    slope_rule, slope_cutoff, feedback_gains, feedback_from_top
        See `activation_reciprocal`.
    presynaptic_normalisation : bool
        See `weight_update`.
    feedback_follows_forward : bool
        Adds dW_l^T to every V_l: V = W^T stays the exact transpose (backpropagation).
    weight_decay : float
        c, the part that V_l and its W_l lose before: with ``feedback_follows_forward``, V - W^T shrinks by 1 - c in
        each presentation, whatever is learned (Kolen & Pollack 1994, IEEE ICNN 3, 1375).

    Returns
    -------
    forward, biases, feedback : dict of ndarray
        New dictionaries (biases None if they were); the arrays passed in are not changed.

    Raises
    ------
    ParameterError
        If one of the names is not known.
    """
    basal_drives, rates = hierarchy_response(forward, biases, stimulus, nonlinearity, top)
    error = output_error(rates[max(forward)], target)
    deltas = activation_reciprocal(
        feedback, basal_drives, error, nonlinearity, slope_rule, slope_cutoff, feedback_gains, feedback_from_top
    )
    return learned(
        forward, biases, feedback, rates, deltas,
        learning_rate=learning_rate, presynaptic_normalisation=presynaptic_normalisation,
        feedback_follows_forward=feedback_follows_forward, weight_decay=weight_decay,
    )  # fmt: skip


def learned(
    forward: Weights,
    biases: Weights | None,
    feedback: Weights,
    rates: Weights,
    deltas: Weights,
    *,
    learning_rate: float,
    presynaptic_normalisation: bool = False,
    feedback_follows_forward: bool = False,
    weight_decay: float = 0.0,
) -> tuple[dict[int, np.ndarray], dict[int, np.ndarray] | None, dict[int, np.ndarray]]:
    """Return the weights after `weight_update` everywhere, by the rates and deltas of one moment.

    Parameters
    ----------
    rates, deltas : dict of ndarray
        h_l for l = 0 ... L and delta_l for l = 1 ... L, shape (n_l,).
    forward, biases, feedback, learning_rate, presynaptic_normalisation, feedback_follows_forward, weight_decay
        See `wake_presentation`.

    Returns
    -------
    forward, biases, feedback : dict of ndarray
        New dictionaries (biases None if they were); the arrays passed in are not changed.
    """
    new_forward, new_feedback = dict(forward), dict(feedback)
    new_biases = None if biases is None else dict(biases)
    for l, delta in deltas.items():
        dW, db = weight_update(delta, rates[l - 1], learning_rate, presynaptic_normalisation, bias=biases is not None)
        new_forward[l] = (1 - weight_decay * (l in feedback)) * forward[l] + dW
        if biases is not None:
            new_biases[l] = biases[l] + db
        if feedback_follows_forward and l in feedback:
            new_feedback[l] = (1 - weight_decay) * feedback[l] + dW.T
    return new_forward, new_biases, new_feedback

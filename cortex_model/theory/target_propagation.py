r"""Difference target propagation: targets that come down learned inverses, and how the inverses learn.

    t_{L-1} = h_{L-1} - alpha c_L V_L e,    t_{l-1} = h_{l-1} + g_l(t_l) - g_l(h_l),    g_l(h) = sigma(V_l h + c_l)
    delta_l = D_l (h_l - t_l) / alpha
    x = h_{l-1} + s n,  u = sigma(W_l x + b_l),  r = g_l(u):    dV_l = eta (x - r) g_l' u^T,  dc_l = eta (x - r) g_l'

where h_l are rates, e the output error, W_l, b_l forward weights and biases, V_l, c_l those of the inverses, alpha the
target step, s the deviation of the noise n, eta the rate of the inverses, D_l and g_l' slope factors. Dictionaries are
keyed by the population l (`rate_network`).

Source: D.-H. Lee, S. Zhang, A. Fischer and Y. Bengio, ECML 2015.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from cortex_model.theory.credit_assignment import learned, parameter_reciprocal, slope_factor
from cortex_model.theory.leaky import Timing
from cortex_model.theory.rate_network import NONLINEARITIES, TOP_RATES, choice, hierarchy_response

Weights = Mapping[int, np.ndarray]


class Propagated(NamedTuple):
    """What a presentation comes to.

    Attributes
    ----------
    rates, drives : dict of ndarray
        h_l for l = 0 ... L, a_l for l = 1 ... L.
    error : ndarray
        e.
    targets : dict of ndarray
        t_l for l = 1 ... L-1.
    noisy, up, returning : dict of ndarray
        x of population l-1, u of population l and V_l u + c_l, by l = 2 ... L-1.
    """

    rates: dict[int, np.ndarray]
    drives: dict[int, np.ndarray]
    error: np.ndarray
    targets: dict[int, np.ndarray]
    noisy: dict[int, np.ndarray]
    up: dict[int, np.ndarray]
    returning: dict[int, np.ndarray]


def propagate_targets(
    forward: Weights,
    biases: Weights | None,
    feedback: Weights,
    inverse_biases: Weights | None,
    stimulus: np.ndarray,
    target: np.ndarray,
    noise: Weights,
    *,
    target_step: float,
    inverse_noise: float = 0.0,
    difference: bool = True,
    nonlinearity: str = "tanh",
    top: str = "softmax",
    feedback_gain: float = 1.0,
) -> Propagated:
    """Return rates, targets and what inverses make of noisy rates, where all settles at once.

    Parameters
    ----------
    forward, biases, feedback, stimulus, target, nonlinearity, top
        See `wake_presentation`.
    inverse_biases : dict of ndarray or None
        c_l, shape (n_{l-1},), l = 2 ... L-1.
    noise : dict of ndarray
        n of population l, l = 1 ... L-2.
    target_step, inverse_noise : float
        alpha and s.
    difference : bool
        False: t_{l-1} = g_l(t_l).
    feedback_gain : float
        c_L, by which V_L e is multiplied.

    Returns
    -------
    Propagated

    Raises
    ------
    ParameterError
        If a nonlinearity has no such name.
    """
    L, sigma = len(forward), choice(NONLINEARITIES, nonlinearity, "propagate_targets.nonlinearity").rate
    drives, rates = hierarchy_response(forward, biases, stimulus, nonlinearity, top)
    error = rates[L] - target
    targets = {L - 1: rates[L - 1] - target_step * feedback_gain * (feedback[L] @ error)} if L > 1 else {}

    def inverse(l, rate):
        return feedback[l] @ rate + _or_zero(inverse_biases, l)

    for l in range(L - 1, 1, -1):
        corrected = rates[l - 1] - sigma(inverse(l, rates[l])) if difference else 0.0
        targets[l - 1] = sigma(inverse(l, targets[l])) + corrected
    noisy = {l: rates[l - 1] + inverse_noise * noise[l - 1] for l in range(2, L)}
    up = {l: sigma(forward[l] @ x + _or_zero(biases, l)) for l, x in noisy.items()}
    returning = {l: inverse(l, u) for l, u in up.items()}
    return Propagated(rates, drives, error, targets, noisy, up, returning)


def propagate_targets_in_time(
    forward: Weights,
    biases: Weights | None,
    feedback: Weights,
    inverse_biases: Weights | None,
    stimulus: np.ndarray,
    target: np.ndarray,
    noise: Weights,
    timing: Timing,
    *,
    target_step: float,
    inverse_noise: float = 0.0,
    difference: bool = True,
    nonlinearity: str = "tanh",
    top: str = "softmax",
    feedback_gain: float = 1.0,
) -> Propagated:
    """Return the same at the end of a presentation in which rates relax, and whatever is carried takes a step.

    Targets come down from the onset on.

    Parameters
    ----------
    forward, biases, feedback, inverse_biases, stimulus, target, noise, target_step, inverse_noise, difference, \
nonlinearity, top, feedback_gain
        See `propagate_targets`.
    timing : Timing

    Returns
    -------
    Propagated

    Raises
    ------
    ParameterError
        If a nonlinearity has no such name.
    """
    L, sigma = len(forward), choice(NONLINEARITIES, nonlinearity, "propagate_targets_in_time.nonlinearity").rate
    n = {0: len(stimulus)} | {l: len(weights) for l, weights in forward.items()}
    sent: dict[tuple[str, int], list[np.ndarray]] = {}

    def arrived(what, population, k, delay):
        """What a population had at the end of the step that now arrives; rest before the first."""
        at = k - 1 - delay
        if what == "rate" and population == 0:
            return stimulus if at >= -1 else 0 * stimulus
        return sent[what, population][at] if at >= 0 else np.zeros(n[population])

    rates, targets = {0: stimulus} | {l: np.zeros(n[l]) for l in forward}, {l: np.zeros(n[l]) for l in range(1, L)}
    error, ups, returning = np.zeros(n[L]), {}, {}
    for k in range(timing.n_steps):
        d = {l: timing.forward_delays.get(l, 0) for l in forward}
        e = {l: timing.feedback_delays.get(l, 0) for l in feedback}
        drives = {l: forward[l] @ arrived("rate", l - 1, k, d[l]) + _or_zero(biases, l) for l in forward}
        shaped = {l: sigma(drives[l]) for l in range(1, L)} | {L: choice(TOP_RATES, top, "top")(drives[L])}
        rates = rates | {l: rates[l] + timing.relaxation * (shaped[l] - rates[l]) for l in forward}
        if k + 1 >= max(timing.onset, 1):
            error = rates[L] - target
            brought = {L: feedback[L] @ arrived("error", L, k, e[L])} if L > 1 else {}
            new = {L - 1: rates[L - 1] - target_step * feedback_gain * brought[L]} if L > 1 else {}
            for l in range(L - 1, 1, -1):
                back = feedback[l] @ arrived("rate", l, k, e[l]) + _or_zero(inverse_biases, l)
                down = feedback[l] @ arrived("target", l, k, e[l]) + _or_zero(inverse_biases, l)
                new[l - 1] = sigma(down) + (rates[l - 1] - sigma(back) if difference else 0.0)
            targets = new
        noisy = {l: rates[l - 1] + inverse_noise * noise[l - 1] for l in range(2, L)}
        ups = {l: sigma(forward[l] @ arrived("noisy", l - 1, k, d[l]) + _or_zero(biases, l)) for l in noisy}
        returning = {l: feedback[l] @ arrived("up", l, k, e[l]) + _or_zero(inverse_biases, l) for l in noisy}
        now = {("rate", l): x for l, x in rates.items()} | {("target", l): x for l, x in targets.items()}
        now |= {("error", L): error} | {("up", l): x for l, x in ups.items()}
        now |= {("noisy", l - 1): x for l, x in noisy.items()}
        for key, x in now.items():
            sent.setdefault(key, []).append(x)
    return Propagated(rates, drives, error, targets, noisy, ups, returning)


def learned_from_targets(
    forward: Weights,
    biases: Weights | None,
    feedback: Weights,
    inverse_biases: Weights | None,
    its: Propagated,
    *,
    learning_rate: float,
    inverse_learning_rate: float,
    target_step: float,
    nonlinearity: str = "tanh",
    slope_rule: str = "derivative",
    slope_cutoff: float = 0.1,
    presynaptic_normalisation: bool = False,
) -> tuple[dict[int, np.ndarray], dict[int, np.ndarray] | None, dict[int, np.ndarray], dict[int, np.ndarray] | None]:
    """Return all weights after a presentation; see the top of this module.

    Parameters
    ----------
    forward, biases, feedback, inverse_biases
        See `propagate_targets`.
    its : Propagated
    learning_rate, inverse_learning_rate, target_step : float
        lambda, eta and alpha.
    nonlinearity, slope_rule, slope_cutoff, presynaptic_normalisation
        See `wake_presentation`.

    Returns
    -------
    forward, biases, feedback, inverse_biases : dict of ndarray
        New dictionaries; the arrays passed in are not changed.

    Raises
    ------
    ParameterError
        If one of the names is not known.
    """
    slopes = (nonlinearity, slope_rule, slope_cutoff)
    deltas = {
        l: slope_factor(its.drives[l], *slopes) * (its.rates[l] - t) / target_step for l, t in its.targets.items()
    }
    new_forward, new_biases, new_feedback = learned(
        forward, biases, feedback, its.rates, {len(forward): its.error} | deltas,
        learning_rate=learning_rate, presynaptic_normalisation=presynaptic_normalisation,
    )  # fmt: skip
    new_inverse_biases = None if inverse_biases is None else dict(inverse_biases)
    sigma = choice(NONLINEARITIES, nonlinearity, "learned_from_targets.nonlinearity").rate
    for l, x in its.noisy.items():
        scale = parameter_reciprocal(its.up[l], bias=False) if presynaptic_normalisation else 1.0
        wrong = slope_factor(its.returning[l], *slopes) * (x - sigma(its.returning[l]))
        new_feedback[l] = feedback[l] + inverse_learning_rate * scale * np.outer(wrong, its.up[l])
        if inverse_biases is not None:
            new_inverse_biases[l] = inverse_biases[l] + inverse_learning_rate * wrong
    return new_forward, new_biases, new_feedback, new_inverse_biases


def _or_zero(biases, l):
    return 0.0 if biases is None else biases.get(l, 0.0)

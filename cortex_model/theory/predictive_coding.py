r"""Predictive coding: values that settle, the free energy that they descend, and what is learned from what is left.

    eps_l = a_l - W_l h_{l-1} - b_l,  h_l = sigma(a_l),    eps_L = beta (h_L* - h_L),  h_L = top(W_L h_{L-1} + b_L)
    a_l += gamma (-eps_l + D_l V_{l+1} eps_{l+1}),    F = sum_{l<L} |eps_l|^2 / 2 + beta loss(h_L, h_L*)

where a_l is the value of population l, eps_l its prediction error, W_l, b_l and V_l forward weights, biases and
feedback, D_l the slope factor, h_L* the target, beta the precision of the top and gamma the step. Dictionaries are
keyed by the population l (`rate_network`).

Source: J. C. R. Whittington and R. Bogacz, Neural Computation 29, 2017 (equations 2.16 to 2.19; here with the top
clamped through its own loss).
"""

from collections.abc import Mapping

import numpy as np

from cortex_model.theory.credit_assignment import learned, slope_factor
from cortex_model.theory.leaky import Timing
from cortex_model.theory.rate_network import NONLINEARITIES, TOP_RATES, choice, hierarchy_response, output_loss

Weights = Mapping[int, np.ndarray]


def free_energy(
    forward: Weights,
    biases: Weights | None,
    values: Weights,
    stimulus: np.ndarray,
    target: np.ndarray,
    *,
    top_precision: float,
    nonlinearity: str = "tanh",
    top: str = "softmax",
) -> float:
    """Return F = sum of |eps_l|^2 / 2 over hidden populations + beta loss(h_L, h_L*), see the top of this module.

    Parameters
    ----------
    forward, biases : dict of ndarray
        W_l, shape (n_l, n_{l-1}); b_l, shape (n_l,), or None.
    values : dict of ndarray
        a_l, l = 1 ... L-1, shape (n_l,).
    stimulus, target : ndarray, shape (n_0,) and (n_L,)
    top_precision : float
        beta.
    nonlinearity, top : str
        See `hierarchy_response`.

    Returns
    -------
    float
        In nats where the top is a softmax.

    Raises
    ------
    ParameterError
        If one of the names is not known.
    """
    sigma, rate, energy = choice(NONLINEARITIES, nonlinearity, "free_energy.nonlinearity").rate, stimulus, 0.0
    for l in range(1, len(forward)):
        error = values[l] - _drive(forward, biases, l, rate)
        energy += 0.5 * float(error @ error)
        rate = sigma(values[l])
    answer = choice(TOP_RATES, top, "free_energy.top")(_drive(forward, biases, len(forward), rate))
    return energy + top_precision * float(output_loss(answer, target, top))


def infer(
    forward: Weights,
    biases: Weights | None,
    feedback: Weights,
    stimulus: np.ndarray,
    target: np.ndarray,
    *,
    inference_steps: int,
    inference_rate: float,
    top_precision: float,
    nonlinearity: str = "tanh",
    top: str = "softmax",
    slope_rule: str = "derivative",
    slope_cutoff: float = 0.1,
    feedback_gains: Mapping[int, float] | None = None,
) -> list[tuple[dict[int, np.ndarray], dict[int, np.ndarray], dict[int, np.ndarray]]]:
    """Return values, errors and rates before inference and after each of its steps.

    Parameters
    ----------
    forward, biases, feedback, stimulus, target, nonlinearity, top, slope_rule, slope_cutoff, \
feedback_gains
        See `wake_presentation`.
    inference_steps : int
        K.
    inference_rate, top_precision : float
        gamma and beta.

    Returns
    -------
    list of (values, errors, rates)
        K + 1 entries: a_l for l = 1 ... L-1, eps_l for l = 1 ... L, h_l for l = 0 ... L.

    Raises
    ------
    ParameterError
        If one of the names is not known.
    """
    L, sigma = len(forward), choice(NONLINEARITIES, nonlinearity, "infer.nonlinearity").rate
    drives, rates = hierarchy_response(forward, biases, stimulus, nonlinearity, top)
    values, steps = {l: drives[l] for l in range(1, L)}, []
    for step in range(inference_steps + 1):
        if step:
            errors = steps[-1][1]
            for l in values:
                slope = slope_factor(values[l], nonlinearity, slope_rule, slope_cutoff)
                change = slope * _brought(feedback, feedback_gains, l, errors[l + 1]) - errors[l]
                values = values | {l: values[l] + inference_rate * change}
            rates = {0: rates[0]} | {l: sigma(values[l]) for l in values}
            rates[L] = choice(TOP_RATES, top, "infer.top")(_drive(forward, biases, L, rates[L - 1]))
        errors = {l: values[l] - _drive(forward, biases, l, rates[l - 1]) for l in values}
        errors[L] = top_precision * (target - rates[L])
        steps.append((values, errors, rates))
    return steps


def learned_from_errors(
    forward: Weights,
    biases: Weights | None,
    feedback: Weights,
    step: tuple[dict[int, np.ndarray], dict[int, np.ndarray], dict[int, np.ndarray]],
    *,
    top_precision: float,
    **plasticity,
) -> tuple[dict[int, np.ndarray], dict[int, np.ndarray] | None, dict[int, np.ndarray]]:
    """Return the weights after they have learned from the errors that a step of inference leaves.

        dW_l = (lambda/beta) eps_l h_{l-1}^T,    db_l = (lambda/beta) eps_l

    Parameters
    ----------
    forward, biases, feedback : dict of ndarray
        See `wake_presentation`.
    step : (values, errors, rates)
        The last of `infer` or `infer_in_time`.
    top_precision : float
        beta.
    **plasticity
        ``learning_rate``, ``presynaptic_normalisation``, ``feedback_follows_forward`` and ``weight_decay`` of
        `wake_presentation`.

    Returns
    -------
    forward, biases, feedback : dict of ndarray
        New dictionaries; the arrays passed in are not changed.
    """
    _, errors, rates = step
    deltas = {l: -error / top_precision for l, error in errors.items()}
    return learned(forward, biases, feedback, rates, deltas, **plasticity)


def infer_in_time(
    forward: Weights,
    biases: Weights | None,
    feedback: Weights,
    stimulus: np.ndarray,
    target: np.ndarray,
    timing: Timing,
    *,
    top_precision: float,
    nonlinearity: str = "tanh",
    top: str = "softmax",
    slope_rule: str = "derivative",
    slope_cutoff: float = 0.1,
    feedback_gains: Mapping[int, float] | None = None,
) -> list[tuple[dict[int, np.ndarray], dict[int, np.ndarray], dict[int, np.ndarray]]]:
    """Return values, errors and rates at the end of each time step: inference that begins at rest and takes time.

        tau da_l/dt = -eps_l + D_l V_{l+1} eps_{l+1},    eps_L = beta (h_L* - h_L) from the onset on, 0 before

    Parameters
    ----------
    forward, biases, feedback, stimulus, target, top_precision, nonlinearity, top, slope_rule, \
slope_cutoff, feedback_gains
        See `infer`.
    timing : Timing

    Returns
    -------
    list of (values, errors, rates)
        As of `infer`, one entry a step.

    Raises
    ------
    ParameterError
        If one of the names is not known.
    """
    L, c, sigma = len(forward), timing.relaxation, choice(NONLINEARITIES, nonlinearity, "infer_in_time").rate
    n = {l: len(weights) for l, weights in forward.items()}
    rest = {l: np.zeros(size) for l, size in n.items()}
    values, steps = {l: rest[l] for l in range(1, L)}, []

    def sent(part, l, k):
        """What a population sent at the end of step k; nothing before the first."""
        return steps[k][part][l] if k >= 0 else rest[l]

    for k in range(timing.n_steps):
        drives = {}
        for l in n:
            at = k - 1 - timing.forward_delays.get(l, 0)
            rate = (stimulus if at >= -1 else 0 * stimulus) if l == 1 else sent(2, l - 1, at)
            drives[l] = _drive(forward, biases, l, rate)
        before, values, rates = values, {}, {0: stimulus}
        for l in before:
            sent_down = sent(1, l + 1, k - 1 - timing.feedback_delays.get(l + 1, 0))
            brought = _brought(feedback, feedback_gains, l, sent_down)
            slope = slope_factor(before[l], nonlinearity, slope_rule, slope_cutoff)
            values[l] = before[l] + c * (drives[l] + slope * brought - before[l])
            rates[l] = sigma(values[l])
        answer = choice(TOP_RATES, top, "infer_in_time.top")(drives[L])
        rates[L] = sent(2, L, k - 1) + c * (answer - sent(2, L, k - 1))
        errors = {l: values[l] - drives[l] for l in values}
        errors[L] = top_precision * (target - rates[L]) if k + 1 >= max(timing.onset, 1) else rest[L]
        steps.append((values, errors, rates))
    return steps


def _brought(feedback, gains, l, error):
    """What V_{l+1} brings to population l."""
    return (gains or {}).get(l + 1, 1.0) * (feedback[l + 1] @ error)


def _drive(forward, biases, l, rate):
    return forward[l] @ rate + (0.0 if biases is None else biases[l])

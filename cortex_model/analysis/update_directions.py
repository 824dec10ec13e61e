"""Where a learning rule moves the forward weights, beside where other methods would move them."""

import numpy as np

from cortex_model import theory
from cortex_model.weights import Weights


def update_angles(weights: Weights, stimuli: np.ndarray, targets: np.ndarray, parameters) -> dict[str, np.ndarray]:
    """Angles between each layer's update and those of other methods, on the same presentations.

    All updates are means over the presentations of delta_l h_{l-1}^T (`theory.weight_update`, with its presynaptic
    normalisation); methods differ in delta_l alone: the rule's (`theory.activation_reciprocal`), backpropagation's,
    and `theory.gauss_newton_deltas`.

    Parameters
    ----------
    weights : Weights
    stimuli, targets : ndarray, shape (n_stimuli, n_0) and (n_stimuli, n_L)
    parameters : SleepWakeParameters
        Of the network; its ``damping`` is that of damped Gauss-Newton.

    Returns
    -------
    angles : dict
        ``update_angle_to_*_degrees`` -> one angle a hidden population, from the lowest; nan where an update is zero.
        The top population is left out: it has the output error itself. Feedback gains turn no update.
    """
    p, forward = parameters, {l: matrix.astype(float) for l, matrix in weights.forward.items()}
    drives, rates = theory.hierarchy_response(forward, weights.biases, stimuli.T.astype(float), p.nonlinearity, p.top)
    error = theory.output_error(rates[max(forward)], targets.T)
    feedback = {l: matrix.astype(float) for l, matrix in weights.feedback.items()}
    transposes = {l: matrix.T for l, matrix in forward.items()}
    options = {"slope_rule": p.slope_rule, "slope_cutoff": p.slope_cutoff, "feedback_from_top": p.feedback_from_top}
    own = theory.activation_reciprocal(feedback, drives, error, p.nonlinearity, **options)
    others = {
        "backpropagation": theory.activation_reciprocal(transposes, drives, error, p.nonlinearity),
        "gauss_newton": theory.gauss_newton_deltas(forward, drives, error, p.nonlinearity),
        "damped_gauss_newton": theory.gauss_newton_deltas(forward, drives, error, p.nonlinearity, p.damping),
    }
    updates, hidden = _updates(own, rates, p), range(1, max(forward))
    theirs = {name: _updates(deltas, rates, p) for name, deltas in others.items()}
    return {
        f"update_angle_to_{name}_degrees": np.array([theory.alignment_angle(updates[l], its[l]) for l in hidden])
        for name, its in theirs.items()
    }


def update_difference_from_settled(
    weights: Weights, stimuli: np.ndarray, targets: np.ndarray, parameters
) -> np.ndarray:
    """How far each layer's update is from what it would be, had everything settled, relative to that one.

    Parameters
    ----------
    weights, stimuli, targets
        See `update_angles`.
    parameters : SleepWakeParameters
        Of a network in the leaky mode.

    Returns
    -------
    differences : ndarray, shape (L,)
        |dW_l - dW_l settled|_F / |dW_l settled|_F, of means over the presentations; nan where the latter is zero.
    """
    p = parameters
    timing = theory.Timing(p.n_steps, p.relaxation, p.onset_step + 1, p.forward_delays, p.feedback_delays)
    forward, feedback = ({l: m.astype(float) for l, m in of.items()} for of in (weights.forward, weights.feedback))
    shown = stimuli.T.astype(float)
    options = {"slope_rule": p.slope_rule, "slope_cutoff": p.slope_cutoff, "feedback_from_top": p.feedback_from_top}
    drives, rates = theory.hierarchy_response(forward, weights.biases, shown, p.nonlinearity, p.top)
    error = theory.output_error(rates[max(forward)], targets.T)
    settled = _updates(theory.activation_reciprocal(feedback, drives, error, p.nonlinearity, **options), rates, p)
    rates, deltas = theory.leaky_deltas(
        forward, weights.biases, feedback, shown, targets.T, timing, p.nonlinearity, p.top, **options
    )
    in_time = _updates(deltas, rates, p)
    return np.array([theory.relative_error(in_time[l], settled[l]) for l in sorted(settled)])


def _updates(deltas, rates, p):
    """The mean over presentations of delta_l h_{l-1}^T, for each l."""
    updates = {}
    for l, delta in deltas.items():
        presynaptic = rates[l - 1].T
        if p.presynaptic_normalisation:
            scales = [theory.parameter_reciprocal(rate, p.biases) for rate in presynaptic]
            presynaptic = presynaptic * np.array(scales)[:, np.newaxis]
        updates[l] = delta @ presynaptic / len(presynaptic)
    return updates

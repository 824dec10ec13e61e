"""Where a learning rule moves the forward weights, beside where other methods would move them."""

import numpy as np

from cortex_model import theory
from cortex_model.errors import ParameterError
from cortex_model.parameters.chosen import chosen_rule
from cortex_model.reference.hierarchy import interpreter_of
from cortex_model.schedule.declared import without_host
from cortex_model.weights import Weights


def rule_updates(
    weights: Weights, stimuli: np.ndarray, targets: np.ndarray, parameters, settled: bool = False
) -> dict[int, np.ndarray]:
    """What the learning rule itself makes of each W_l in wake: the interpreter of its declaration says so.

    Factors on learning rates (``relative_learning_rates``, what is frozen) are left out.

    Parameters
    ----------
    weights : Weights
    stimuli, targets : ndarray, shape (n_stimuli, n_0) and (n_stimuli, n_L)
        Presented as one batch; the update is the mean over them.
    parameters : SleepWakeParameters
        Rule and numbers.
    settled : bool
        Of a network in which things take time: what the update would be, had everything settled at once.

    Returns
    -------
    updates : dict of ndarray, shape (n_l, n_{l-1})
    """
    p = parameters
    rule = p.rule
    if settled or p.has_relative_rates:
        options = p.rule_options | {"relative_rates": False}
        rule = chosen_rule(p.learning_rule, "settled" if settled else p.dynamics, False, **options)
    interpreter = interpreter_of(p, weights, rule=without_host(rule))
    interpreter.present("wake", stimuli, targets)
    return {l: interpreter.weights["W", l] - matrix for l, matrix in weights.forward.items()}


def update_angles(weights: Weights, stimuli: np.ndarray, targets: np.ndarray, parameters) -> dict[str, np.ndarray]:
    """Angles between each layer's update and those of other methods, on the same presentations.

    All updates are means over the presentations. The rule's own is `rule_updates`; those of others are
    -delta_l h_{l-1}^T (`theory.weight_update`, with its presynaptic normalisation), with the delta_l of
    backpropagation, or of `theory.gauss_newton_deltas`.

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
        The top population is left out: it has the output error itself. What the host does (feedback gains) is left
        out, too.

    Raises
    ------
    ParameterError
        In spikes.
    """
    if parameters.dynamics == "spiking":
        raise ParameterError(
            "update_angles.parameters: must be of rates, which the other methods differentiate (got dynamics=spiking); "
            "take dynamics=settled."
        )
    p, forward = parameters, {l: matrix.astype(float) for l, matrix in weights.forward.items()}
    drives, rates = theory.hierarchy_response(forward, weights.biases, stimuli.T.astype(float), p.nonlinearity, p.top)
    error = theory.output_error(rates[max(forward)], targets.T)
    transposes = {l: matrix.T for l, matrix in forward.items()}
    others = {
        "backpropagation": theory.activation_reciprocal(transposes, drives, error, p.nonlinearity),
        "gauss_newton": theory.gauss_newton_deltas(forward, drives, error, p.nonlinearity),
        "damped_gauss_newton": theory.gauss_newton_deltas(forward, drives, error, p.nonlinearity, p.damping),
    }
    own, hidden = rule_updates(weights, stimuli, targets, p), range(1, max(forward))
    theirs = {name: _updates(deltas, rates, p) for name, deltas in others.items()}
    return {
        f"update_angle_to_{name}_degrees": np.array([theory.alignment_angle(own[l], its[l]) for l in hidden])
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
    in_time = rule_updates(weights, stimuli, targets, parameters)
    settled = rule_updates(weights, stimuli, targets, parameters, settled=True)
    return np.array([theory.relative_error(in_time[l], settled[l]) for l in sorted(settled)])


def _updates(deltas, rates, p):
    """The mean over presentations of -delta_l h_{l-1}^T, for each l."""
    updates = {}
    for l, delta in deltas.items():
        presynaptic = rates[l - 1].T
        if p.presynaptic_normalisation:
            scales = [theory.parameter_reciprocal(rate, p.biases) for rate in presynaptic]
            presynaptic = presynaptic * np.array(scales)[:, np.newaxis]
        updates[l] = -delta @ presynaptic / len(presynaptic)
    return updates

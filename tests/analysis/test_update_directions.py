"""Angles between the updates of learning rules."""

import numpy as np
import pytest

from cortex_model import theory
from cortex_model.analysis.update_directions import update_angles, update_difference_from_settled
from cortex_model.parameters import SleepWakeParameters
from cortex_model.weights import Weights, initial_weights

TO_BACKPROPAGATION, TO_GAUSS_NEWTON, TO_DAMPED = (
    f"update_angle_to_{name}_degrees" for name in ("backpropagation", "gauss_newton", "damped_gauss_newton")
)


def angles(start="random", stimuli=20, **options):
    p = SleepWakeParameters(layer_sizes=(9, 7, 5, 3), dtype="float64", **options)
    rng = np.random.default_rng(0)
    shown = rng.normal(size=(stimuli, 9)), np.eye(3)[rng.integers(3, size=stimuli)]
    return update_angles(initial_weights(p, 0, start), *shown, p)


@pytest.mark.parametrize("normalised", [False, True])
def test_transposed_feedback_goes_with_backpropagation(normalised):
    its = angles("transpose", presynaptic_normalisation=normalised)
    np.testing.assert_allclose(its[TO_BACKPROPAGATION], 0, atol=1e-5)
    assert its[TO_GAUSS_NEWTON].min() > 5


def test_pseudoinverse_feedback_goes_with_gauss_newton_where_linear_layers_narrow():
    """(W_3 W_2)^+ = W_2^+ W_3^+ where the rows of W_2 are orthonormal."""
    its = angles("pseudoinverse", nonlinearity="linear", initial_weights="orthogonal")
    np.testing.assert_allclose(its[TO_GAUSS_NEWTON], 0, atol=1e-5)


def test_updates_are_those_of_presentations_one_by_one():
    p = SleepWakeParameters(layer_sizes=(6, 5, 4, 3), dtype="float64", learning_rate=1.0)
    rng, weights = np.random.default_rng(1), initial_weights(p, 3, "random")
    stimuli, targets = rng.normal(size=(8, 6)), np.eye(3)[rng.integers(3, size=8)]
    changes = {name: {1: 0.0, 2: 0.0} for name in ("own", "backpropagation")}
    for stimulus, target in zip(stimuli, targets, strict=True):
        old = weights.forward
        new, _, _ = theory.wake_presentation(old, weights.biases, weights.feedback, stimulus, target, learning_rate=1.0)
        gradients, _ = theory.backpropagation_gradient(old, weights.biases, stimulus, target)
        for l in (1, 2):
            changes["own"][l] += new[l] - old[l]
            changes["backpropagation"][l] -= gradients[l]
    expected = [theory.alignment_angle(changes["own"][l], changes["backpropagation"][l]) for l in (1, 2)]
    np.testing.assert_allclose(update_angles(weights, stimuli, targets, p)[TO_BACKPROPAGATION], expected, atol=1e-9)


def test_random_feedback_goes_nowhere_known_at_first():
    its = angles("random")
    assert set(its) == {TO_BACKPROPAGATION, TO_GAUSS_NEWTON, TO_DAMPED}
    assert all(values.shape == (2,) and values.min() > 20 for values in its.values())


def test_direct_feedback_has_angles_too():
    assert angles("random", learning_rule="direct_feedback")[TO_BACKPROPAGATION].shape == (2,)


def test_damped_gauss_newton_lies_nearer_to_backpropagation():
    its = angles("transpose", damping=100.0)
    assert np.all(its[TO_DAMPED] < its[TO_GAUSS_NEWTON]) and its[TO_DAMPED].max() < 1


def test_an_update_that_is_zero_has_no_angle():
    p = SleepWakeParameters(layer_sizes=(4, 3, 2), dtype="float64", biases=False)
    weights = initial_weights(p, 0, "random")
    silent = Weights(weights.forward, weights.biases, {l: 0 * V for l, V in weights.feedback.items()})
    its = update_angles(silent, np.ones((3, 4)), np.eye(2)[[0, 1, 0]], p)
    assert np.isnan(its[TO_BACKPROPAGATION]).all()


# ---------------------------------------------------------------------- in time
def difference(n_time_constants, normalised=False, delay=0.0):
    p = SleepWakeParameters(
        layer_sizes=(9, 7, 5, 3), dtype="float64", presynaptic_normalisation=normalised, dynamics="leaky",
        time_step_ms=5.0, presentation_ms=20.0 * n_time_constants, feedback_onset_ms=10.0 * n_time_constants,
        forward_delay_ms=(delay,), feedback_delay_ms=(delay,),
    )  # fmt: skip
    rng = np.random.default_rng(0)
    shown = rng.normal(size=(20, 9)), np.eye(3)[rng.integers(3, size=20)]
    return update_difference_from_settled(initial_weights(p, 0, "random"), *shown, p)


@pytest.mark.parametrize("normalised", [False, True])
def test_updates_of_longer_presentations_are_nearer_to_settled_ones(normalised):
    its = np.array([difference(n, normalised) for n in (1, 2, 4, 8, 20)])
    assert its.shape == (5, 3) and (np.diff(its, axis=0) < 0).all()
    assert its[0].min() > 0.1 and its[-1].max() < 1e-5


def test_delays_take_from_the_time_there_is():
    assert (difference(4, delay=5.0) > difference(4)).all()


def test_the_difference_from_settled_is_that_of_presentations_one_by_one():
    p = SleepWakeParameters(
        layer_sizes=(6, 5, 4, 3), dtype="float64", dynamics="leaky", time_step_ms=5.0, presentation_ms=30.0,
        feedback_onset_ms=10.0, forward_delay_ms=(5.0, 0.0, 0.0),
    )  # fmt: skip
    rng, weights = np.random.default_rng(1), initial_weights(p, 3, "random")
    stimuli, targets = rng.normal(size=(8, 6)), np.eye(3)[rng.integers(3, size=8)]
    timing = theory.Timing(6, p.relaxation, 2, {1: 1})
    given, named = (weights.forward, weights.biases, weights.feedback), {"learning_rate": 1.0}
    changes = {name: dict.fromkeys(weights.forward, 0.0) for name in ("leaky", "settled")}
    for stimulus, target in zip(stimuli, targets, strict=True):
        leaky, _, _ = theory.leaky_wake_presentation(*given, stimulus, target, timing, **named)
        settled, _, _ = theory.wake_presentation(*given, stimulus, target, **named)
        for name, after in (("leaky", leaky), ("settled", settled)):
            for l, start in weights.forward.items():
                changes[name][l] = changes[name][l] + after[l] - start
    norm = np.linalg.norm
    expected = [norm(changes["leaky"][l] - settled) / norm(settled) for l, settled in changes["settled"].items()]
    np.testing.assert_allclose(update_difference_from_settled(weights, stimuli, targets, p), expected, rtol=1e-10)

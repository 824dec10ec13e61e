"""Updates of learning rules as their declarations say, and their angles to others."""

from dataclasses import replace

import numpy as np
import pytest

from cortex_model import theory
from cortex_model.analysis.update_directions import rule_updates, update_angles, update_difference_from_settled
from cortex_model.language import Learn
from cortex_model.language.nonlinearities import SLOPE_RULES
from cortex_model.parameters import SleepWakeParameters
from cortex_model.rules import shipped
from cortex_model.schedule.declared import program_kind
from cortex_model.weights import Weights, initial_weights

TO_BACKPROPAGATION, TO_GAUSS_NEWTON, TO_DAMPED = (
    f"update_angle_to_{name}_degrees" for name in ("backpropagation", "gauss_newton", "damped_gauss_newton")
)
SIZES = (9, 7, 5, 3)
#: What feedback weights are at the start.
STARTS = {"random": None, "transpose": np.transpose, "pseudoinverse": np.linalg.pinv}


def weights_of(p, start="random", seed=0):
    """Weights before the first presentation, V made of W."""
    weights, make = initial_weights(p, seed), STARTS[start]
    feedback = {l: make(weights.forward[l]) for l in weights.feedback} if make else weights.feedback
    return Weights(weights.forward, weights.biases, feedback)


def presented(n_stimuli=20, sizes=SIZES, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n_stimuli, sizes[0])), np.eye(sizes[-1])[rng.integers(sizes[-1], size=n_stimuli)]


def angles(start="random", **options):
    p = SleepWakeParameters(layer_sizes=SIZES, dtype="float64", **options)
    return update_angles(weights_of(p, start), *presented(), p)


# ---------------------------------------------------------------------- what the rule itself does
#: What travels in wake in rules that bring the output error down as the default one does.
ERROR_DRIVEN = program_kind(shipped()["reciprocal"])[1]


def by_theory(weights, stimuli, targets, p):
    """-lambda mean(delta_l h_{l-1}^T), with the delta that V carries."""
    drives, rates = theory.hierarchy_response(weights.forward, weights.biases, stimuli.T, p.nonlinearity, p.top)
    error = theory.output_error(rates[max(rates)], targets.T)
    options = {"slope_rule": p.slope_rule, "slope_cutoff": p.slope_cutoff, "feedback_from_top": p.feedback_from_top}
    deltas = theory.activation_reciprocal(weights.feedback, drives, error, p.nonlinearity, **options)
    return {l: -p.learning_rate * delta @ rates[l - 1].T / len(stimuli) for l, delta in deltas.items()}


@pytest.mark.parametrize("rule", [n for n, its in shipped().items() if program_kind(its)[1] == ERROR_DRIVEN])
def test_updates_of_a_rule_are_those_of_theory_and_its_decay(rule):
    p = SleepWakeParameters(layer_sizes=SIZES, dtype="float64", learning_rule=rule, damping=0.5, weight_decay=0.03)
    weights, (stimuli, targets) = weights_of(p), presented()
    own, expected = rule_updates(weights, stimuli, targets, p), by_theory(weights, stimuli, targets, p)
    assert list(own) == [1, 2, 3]
    for l, update in own.items():
        if rule == "kolen_pollack" and l > 1:  # W_1 has no V_1 to be the transpose of
            expected[l] = expected[l] - p.weight_decay * weights.forward[l]
        assert np.abs(expected[l]).max() > 1e-5
        np.testing.assert_allclose(update, expected[l], rtol=0, atol=1e-15)


@pytest.mark.parametrize("slope_rule", SLOPE_RULES)
@pytest.mark.parametrize("nonlinearity", ["linear", "sigmoid", "softplus"])
def test_updates_have_the_options_of_the_parameters(nonlinearity, slope_rule):
    p = SleepWakeParameters(layer_sizes=SIZES, dtype="float64", nonlinearity=nonlinearity, slope_rule=slope_rule,
                            top="sigmoid", biases=False, slope_cutoff=0.2)  # fmt: skip
    weights, (stimuli, targets) = weights_of(p), presented()
    expected = by_theory(weights, stimuli, targets, p)
    for l, update in rule_updates(weights, stimuli, targets, p).items():
        np.testing.assert_allclose(update, expected[l], rtol=0, atol=1e-15)


@pytest.mark.parametrize("is_leaky", [False, True], ids=["settled", "in time"])
def test_neither_weights_nor_the_host_change_what_is_measured(is_leaky):
    """Nor do weights of any precision: what is measured is measured in double."""
    time = {"dynamics": "leaky", "presentation_ms": 8.0, "feedback_onset_ms": 2.0} if is_leaky else {}
    p = SleepWakeParameters(layer_sizes=SIZES, learning_rule="exact_pseudoinverse", **time)
    weights, shown = weights_of(p, "transpose"), presented()
    before = weights.sha256
    own = rule_updates(weights, *shown, p)
    assert weights.sha256 == before
    as_random = rule_updates(weights, *shown, p.with_overrides({"learning_rule": "random_feedback"}))
    for l in own:
        np.testing.assert_array_equal(own[l], as_random[l], "V is what it was given as, not W^+")
        assert own[l].dtype == np.float64


def test_decay_turns_an_update():
    mild, strong = (angles("transpose", learning_rule="kolen_pollack", weight_decay=decay) for decay in (0.0, 0.1))
    np.testing.assert_allclose(mild[TO_BACKPROPAGATION], 0, atol=1e-5)
    np.testing.assert_allclose(strong[TO_BACKPROPAGATION][0], 0, atol=1e-5)
    assert strong[TO_BACKPROPAGATION][1] > 10, "W_2 decays, W_1 does not"


def made_up(change):
    """Parameters whose rule is one of the test's own."""
    rule = shipped()["reciprocal"].replacing(weight_update=change)
    return SleepWakeParameters(layer_sizes=SIZES, dtype="float64", learning_rule=rule)


def test_a_rule_that_the_package_does_not_know_has_its_own_angle():
    its, shown = SleepWakeParameters(layer_sizes=SIZES, dtype="float64"), presented()
    weights = weights_of(its, "transpose")
    usual = update_angles(weights, *shown, its)
    hebbian = Learn("W", "learning_rate", "rate_post*rate_pre", name="weight_update")
    p = made_up(hebbian)
    _, rates = theory.hierarchy_response(weights.forward, weights.biases, shown[0].T)
    own = rule_updates(weights, *shown, p)
    for l, update in own.items():
        expected = p.learning_rate * rates[l] @ rates[l - 1].T / len(shown[0])
        np.testing.assert_allclose(update, expected, rtol=0, atol=1e-15)
    angle = update_angles(weights, *shown, p)[TO_BACKPROPAGATION]
    gradients = by_theory(weights, *shown, p)
    expected = [theory.alignment_angle(own[l], gradients[l]) for l in (1, 2)]
    np.testing.assert_allclose(angle, expected, rtol=0, atol=1e-9)
    assert (np.abs(angle - usual[TO_BACKPROPAGATION]) > 20).all()


def test_a_rule_that_climbs_goes_against_backpropagation():
    weights = weights_of(SleepWakeParameters(layer_sizes=SIZES, dtype="float64"), "transpose")
    update = next(m for m in shipped()["reciprocal"].phases["wake"] if getattr(m, "name", "") == "weight_update")
    p = made_up(replace(update, step="learning_rate"))
    np.testing.assert_allclose(update_angles(weights, *presented(), p)[TO_BACKPROPAGATION], 180, atol=1e-5)


# ---------------------------------------------------------------------- beside other methods
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
    rng, weights = np.random.default_rng(1), initial_weights(p, 3)
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
    weights = initial_weights(p, 0)
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
    return update_difference_from_settled(initial_weights(p, 0), *presented(), p)


@pytest.mark.parametrize("normalised", [False, True])
def test_updates_of_longer_presentations_are_nearer_to_settled_ones(normalised):
    its = np.array([difference(n, normalised) for n in (1, 2, 4, 8, 20)])
    assert its.shape == (5, 3) and (np.diff(its, axis=0) < 0).all()
    assert its[0].min() > 0.1 and its[-1].max() < 1e-5


def test_the_angle_of_a_network_in_time_is_that_of_what_it_does():
    """Errors that have not arrived move nothing: with one step of feedback V_3 has brought none to population 1."""
    time = {"dynamics": "leaky", "time_step_ms": 5.0, "presentation_ms": 40.0}
    late, early = (
        angles("transpose", **time, feedback_onset_ms=onset, feedback_delay_ms=(5.0,)) for onset in (40.0 - 5.0, 5.0)
    )
    assert np.isnan(late[TO_BACKPROPAGATION][0]) and (early[TO_BACKPROPAGATION] < 20).all()
    assert (early[TO_BACKPROPAGATION] > 1e-3).all(), "rates have not settled"


def test_delays_take_from_the_time_there_is():
    assert (difference(4, delay=5.0) > difference(4)).all()


def test_the_difference_from_settled_is_that_of_presentations_one_by_one():
    p = SleepWakeParameters(
        layer_sizes=(6, 5, 4, 3), dtype="float64", dynamics="leaky", time_step_ms=5.0, presentation_ms=30.0,
        feedback_onset_ms=10.0, forward_delay_ms=(5.0, 0.0, 0.0),
    )  # fmt: skip
    rng, weights = np.random.default_rng(1), initial_weights(p, 3)
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

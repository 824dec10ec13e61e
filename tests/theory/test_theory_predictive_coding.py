"""Predictive coding: inference and learning descend the free energy; for a small top error it is backpropagation."""

import numpy as np
import pytest

from cortex_model import theory
from cortex_model.analysis.update_directions import rule_updates
from cortex_model.datasets import load
from cortex_model.parameters import SleepWakeParameters
from cortex_model.reference.hierarchy import interpreter_of, learned_weights
from cortex_model.weights import initial_weights

SIZES = (12, 9, 8, 5)
RNG = np.random.default_rng(0)
FORWARD = {l: RNG.normal(size=(SIZES[l], SIZES[l - 1])) / np.sqrt(SIZES[l - 1]) for l in (1, 2, 3)}
BIASES = {l: 0.3 * RNG.normal(size=SIZES[l]) for l in (1, 2, 3)}
FEEDBACK = {l: FORWARD[l].T for l in (2, 3)}
SHOWN = RNG.normal(size=12), np.eye(5)[2]
INFERENCE = {"inference_steps": 20, "inference_rate": 0.2, "top_precision": 0.5}
TOPS = pytest.mark.parametrize("top", ["softmax", "linear", "sigmoid"])


def energies(feedback=FEEDBACK, **changes):
    chosen = INFERENCE | changes
    steps = theory.infer(FORWARD, BIASES, feedback, *SHOWN, **chosen)
    own = {"top_precision": chosen["top_precision"], "top": chosen.get("top", "softmax")}
    return np.array([theory.free_energy(FORWARD, BIASES, values, *SHOWN, **own) for values, _, _ in steps])


@TOPS
@pytest.mark.parametrize("rate", [0.1, 0.2])
def test_free_energy_falls_in_every_step_of_inference(top, rate):
    falls = np.diff(energies(inference_rate=rate, top=top))
    assert len(falls) == 20 and (falls < 0).all()


def test_it_does_not_fall_through_any_feedback():
    """Broken on purpose: with feedback that is not the transpose it is no gradient."""
    wrong = {l: -V for l, V in FEEDBACK.items()}
    assert np.diff(energies(wrong)).max() > 0


def central_difference(function, array, step=1e-6):
    """The gradient of a function of an array that it reads in place."""
    gradient = np.zeros_like(array)
    for at in np.ndindex(array.shape):
        value = array[at]
        array[at] = value + step
        above = function()
        array[at] = value - step
        gradient[at] = (above - function()) / (2 * step)
        array[at] = value
    return gradient


@TOPS
def test_a_step_of_inference_is_the_negative_gradient(top):
    first, second = theory.infer(FORWARD, BIASES, FEEDBACK, *SHOWN, **INFERENCE | {"inference_steps": 6, "top": top})[
        4:6
    ]
    values = {l: a.copy() for l, a in first[0].items()}
    for l, a in values.items():
        gradient = central_difference(
            lambda: theory.free_energy(FORWARD, BIASES, values, *SHOWN, top_precision=0.5, top=top), a
        )
        np.testing.assert_allclose(second[0][l] - first[0][l], -0.2 * gradient, rtol=0, atol=1e-9)


@TOPS
def test_the_update_is_the_negative_gradient_of_the_free_energy(top):
    """At the values that were inferred, of every weight and bias: lambda/beta times it."""
    W, b = ({l: m.copy() for l, m in its.items()} for its in (FORWARD, BIASES))
    chosen = INFERENCE | {"top": top}
    step = theory.infer(W, b, FEEDBACK, *SHOWN, **chosen)[-1]
    new_W, new_b, _ = theory.learned_from_errors(W, b, FEEDBACK, step, learning_rate=0.5, top_precision=0.5)
    values = step[0]
    for before, after in ((W, new_W), (b, new_b)):
        for l, array in before.items():
            gradient = central_difference(
                lambda: theory.free_energy(W, b, values, *SHOWN, top_precision=0.5, top=top), array
            )
            np.testing.assert_allclose(after[l] - array, -0.5 / 0.5 * gradient, rtol=0, atol=1e-6)
            assert np.abs(gradient).max() > 1e-3


# ---------------------------------------------------------------------- the declaration itself
def of(**changes):
    given = {"layer_sizes": (30, 25, 20, 8), "dtype": "float64", "learning_rule": "predictive_coding"}
    return SleepWakeParameters(**given | changes)


def angles(**changes):
    """Between each layer's update and that of backpropagation, in degrees, over 40 of the digits."""
    size, digits = {"layer_sizes": (64, 256, 256, 10)}, load("digits")
    p = of(**size | changes)
    weights, shown = (
        initial_weights(p, 0),
        (digits.stimuli("standardised", "float64")[0][:40], digits.targets()[0][:40]),
    )
    other = rule_updates(weights, *shown, of(**size, learning_rule="backpropagation"))
    own = rule_updates(weights, *shown, p)
    return [theory.alignment_angle(own[l], other[l]) for l in own]


def test_for_a_small_top_precision_it_is_backpropagation():
    assert max(angles(top_precision=0.1, inference_steps=200, inference_rate=0.1)) < 1.5
    assert max(angles(top_precision=1.0, inference_steps=40, inference_rate=0.2)) > 5, "further from it"
    assert max(angles(top_precision=0.1, inference_steps=3)) > 5, "not before errors have come down"


def learned(n, **changes):
    """Weights at the start and after n batches of wake, each followed by one of sleep where the rule has that."""
    p = of(layer_sizes=(12, 10, 8, 5), batch_size=20, inference_steps=5, **changes)
    start, stimuli = initial_weights(p, 2), np.random.default_rng(3).normal(size=(20, 12))
    interpreter = interpreter_of(p, start)
    for at in range(0, 20 * n, 20):
        interpreter.present("wake", stimuli, np.eye(5)[np.arange(20) % 5], at=at)
        if "sleep" in p.rule.phases:
            interpreter.present("sleep", at=at)
    return start, learned_weights(interpreter, start)


def to_transpose(weights):
    return max(theory.alignment_angle(V, weights.forward[l].T) for l, V in weights.feedback.items())


def test_feedback_learns_as_it_is_chosen():
    """It stays the transpose; comes to it from a random start; or becomes the pseudoinverse, which is not the same."""
    start, after = learned(30, learning_rate=0.2)
    assert to_transpose(start) < 1e-5 and to_transpose(after) < 1e-5
    assert max(np.abs(after.forward[l] - W).max() for l, W in start.forward.items()) > 1e-2
    start, after = learned(200, learning_rate=0.1, feedback_learning="hebbian", weight_decay=0.03)
    assert to_transpose(start) > 60 and to_transpose(after) < 10
    start, after = learned(300, learning_rate=0.0, feedback_learning="sleep", sleep_learning_rate=0.1)
    for l, V in after.feedback.items():
        assert theory.alignment_angle(V, np.linalg.pinv(after.forward[l])) < 10 < to_transpose(after)
        assert theory.alignment_angle(start.feedback[l], np.linalg.pinv(start.forward[l])) > 60


@pytest.mark.parametrize("feedback_learning", ["transpose", "sleep"])
def test_in_time_it_comes_to_what_many_steps_of_inference_come_to(feedback_learning):
    """A step in time goes a part of the way that is its relaxation: two roads to the same rest."""
    one = {"feedback_learning": feedback_learning, "top_precision": 0.2}
    settled = of(**one, inference_steps=400, inference_rate=0.2)
    leaky = of(**one, dynamics="leaky", presentation_ms=400.0, feedback_onset_ms=100.0, time_constant_ms=5.0)
    weights, shown = initial_weights(settled, 0), (RNG.normal(size=(4, 30)), np.eye(8)[:4])
    one, other = (rule_updates(weights, *shown, p) for p in (settled, leaky))
    for l, update in one.items():
        np.testing.assert_allclose(other[l], update, rtol=0, atol=1e-9)
        assert np.abs(update).max() > 1e-5
    early = rule_updates(weights, *shown, leaky.with_overrides({"presentation_ms": 104.0}))
    assert np.abs(early[1] - one[1]).max() > 1e-4, "errors take time to come down"

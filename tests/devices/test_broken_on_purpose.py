"""Each claim is seen to fail where the model is broken on purpose, and to hold where it is not."""

import dataclasses

import numpy as np
import pytest
from brian2 import NeuronGroup

from cortex_model import theory
from cortex_model.devices.simulation import Simulation
from cortex_model.equations import EQUATIONS, NONLINEARITIES
from cortex_model.parameters import SleepWakeParameters
from cortex_model.phases import schedule as phases
from cortex_model.schedule import Stimuli
from cortex_model.weights import Weights, initial_weights


# ---------------------------------------------------------------------- the checks
def check_the_nonlinearity_acts_in_each_layer(nonlinearity="tanh"):
    """Each hidden rate is sigma of its basal drive, differs from it, and is what the next population receives."""
    p = SleepWakeParameters(layer_sizes=(7, 6, 5, 4), nonlinearity=nonlinearity, dtype="float64")
    simulation = Simulation(p, "runtime")
    stimulus = np.random.default_rng(0).normal(size=(1, 7)), np.eye(4)[:1]
    weights = initial_weights(p, 0, "random")
    evaluation = phases.wake_sleep_schedule(p, lambda epoch: np.zeros(1, int), 1, 0, 1, 0)
    simulation.run(evaluation, Stimuli(evaluation=stimulus), weights, {})
    populations = simulation.hierarchy.populations
    for level in range(1, p.n_layers):
        drive, rate = (np.array(getattr(populations[level], name)[:]) for name in ("basal_drive", "rate"))
        expected = theory.NONLINEARITIES[nonlinearity].rate(drive)
        np.testing.assert_allclose(rate, expected, rtol=1e-12, err_msg=f"rate of population {level}")
        assert np.abs(rate - drive).max() > 1e-3, f"the nonlinearity must act in population {level}"
        received = np.array(populations[level + 1].basal_input[:])
        np.testing.assert_allclose(
            received,
            weights.forward[level + 1] @ expected,
            rtol=1e-12,
            err_msg=f"the nonlinearity must act on what population {level} sends",
        )


def check_sleep_alone_brings_feedback_to_the_pseudoinverse():
    """From a random start, W held, sleep ends within 4 degrees of W^+ (2.3; with a mean of 1 it stays beyond 7)."""
    p = SleepWakeParameters(layer_sizes=(8, 5), feedback_to_input=True, dtype="float64")
    weights, simulation = initial_weights(p, 1, "random"), Simulation(p, "runtime")
    exact = np.linalg.pinv(weights.forward[1])
    assert theory.alignment_angle(weights.feedback[1], exact) > 45, "the start must be far away"
    for stage, rate in enumerate((0.1, 0.02, 0.004)):  # annealed: the noise floor falls with the rate
        numbers = {"sleep_learning_rate": rate, "noise_gain": 1.0, "noise_seed": stage}
        weights = simulation.run(phases.sleep_schedule(p, 800, 800), Stimuli(), weights, numbers).weights
    angle = theory.alignment_angle(weights.feedback[1], exact)
    assert angle < 4, f"sleep alone must bring V to W^+, got {angle:.1f} degrees between them"


# ---------------------------------------------------------------------- the breaks
def noise_with_a_mean(patch):
    mean = EQUATIONS["noise"].replace("rate = ", "rate = 1 + ")
    patch.setitem(EQUATIONS, "noise", mean)


def forward_and_feedback_swapped(patch):
    run = Simulation.run

    def swapped(weights):
        forward = {level: feedback.T for level, feedback in weights.feedback.items()}
        feedback = {level: weights.forward[level].T for level in weights.feedback}
        return Weights(weights.forward | forward, weights.biases, feedback)

    def broken(self, schedule, stimuli, weights, numbers, **options):
        stop = run(self, schedule, stimuli, swapped(weights), numbers, **options)
        stop.weights = swapped(stop.weights)
        return stop

    patch.setattr(Simulation, "run", broken)


def a_gate_left_open(gate, kind):
    def leave_open(patch):
        opened = phases.open_gates

        def with_one_more(parameters):
            gates = opened(parameters)
            gates[kind] = gates[kind] | {gate}
            return gates

        patch.setattr(phases, "open_gates", with_one_more)

    return leave_open


def a_rule_that_takes_a_step_more(gate):
    def take(patch):
        rule = phases.LEARNING_RULES["reciprocal"]
        patch.setitem(
            phases.LEARNING_RULES, "reciprocal", dataclasses.replace(rule, wake_gates=rule.wake_gates | {gate})
        )

    return take


def a_layer_without_nonlinearity(level, code):
    def leave_linear(patch):
        run_regularly = NeuronGroup.run_regularly

        def broken(self, equation, *args, name, **options):
            equation = code if name == f"population_{level}_layer_response" else equation
            return run_regularly(self, equation, *args, name=name, **options)

        patch.setattr(NeuronGroup, "run_regularly", broken)

    return leave_linear


def an_equation(name, old, new):
    def change(patch):
        assert old in EQUATIONS[name]
        patch.setitem(EQUATIONS, name, EQUATIONS[name].replace(old, new))

    return change


LINEAR = "rate = basal_drive\nsent = rate"
NOT_SENT = f"rate = {NONLINEARITIES['tanh'][0]}\nsent = basal_drive"  # formed, but never fed on
BREAKS = {
    "noise with a mean": noise_with_a_mean,
    "V and W swapped": forward_and_feedback_swapped,
    "weight_update open in sleep": a_gate_left_open("weight_update_gate", phases.ASCENDING),
    "feedback_update open in wake": a_gate_left_open("feedback_update_gate", phases.WAKE),
    "feedback that learns as the forward weights do": a_rule_that_takes_a_step_more("transposed_update_gate"),
    "response open in sleep": a_gate_left_open("response_gate", phases.ASCENDING),
    "error travels in evaluation, and is learned": a_gate_left_open("weight_update_gate", phases.EVALUATION),
    "no nonlinearity in layer 1": a_layer_without_nonlinearity(1, LINEAR),
    "no nonlinearity in layer 2": a_layer_without_nonlinearity(2, LINEAR),
    "a nonlinearity that is not sent": a_layer_without_nonlinearity(1, NOT_SENT),
    "postsynaptic and presynaptic swapped": an_equation("weight_update", "delta_post*rate_pre", "delta_pre*rate_post"),
    "ascent in place of descent": an_equation("weight_update", "-", "+"),
    "bias that never learns": an_equation("bias_update", "-", "0*"),
    "no damping": an_equation("feedback_update", "damping*weight", "0"),
    "no gain of the feedback": an_equation("activation_reciprocal", "apical_gain*", ""),
}


@pytest.mark.parametrize("name", BREAKS)
def test_simulator_equals_theory_fails_where_the_model_is_broken(
    scenario, check_simulator_equals_theory, monkeypatch, name
):
    def check():
        few = scenario(
            n_wake=5, damping=0.5, feedback_gain="norm_matched", gain_update_presentations=2, evaluate_every=2
        )
        check_simulator_equals_theory(few)

    check()
    BREAKS[name](monkeypatch)
    with pytest.raises(AssertionError, match="simulator equals theory"):
        check()


@pytest.mark.parametrize(
    "name", ["no nonlinearity in layer 1", "no nonlinearity in layer 2", "a nonlinearity that is not sent"]
)
def test_the_nonlinearity_acts_in_each_layer_fails_where_it_does_not(monkeypatch, name):
    check_the_nonlinearity_acts_in_each_layer()
    BREAKS[name](monkeypatch)
    with pytest.raises(AssertionError, match="must act|rate of population"):
        check_the_nonlinearity_acts_in_each_layer()


@pytest.mark.parametrize("nonlinearity", sorted(set(NONLINEARITIES) - {"linear"}))
def test_every_nonlinearity_acts_in_each_layer(nonlinearity):
    check_the_nonlinearity_acts_in_each_layer(nonlinearity)


def test_a_linear_network_does_not_pass_for_a_nonlinear_one():
    with pytest.raises(AssertionError, match="the nonlinearity must act in population 1"):
        check_the_nonlinearity_acts_in_each_layer("linear")


def test_sleep_alone_no_longer_finds_the_pseudoinverse_from_noise_with_a_mean(monkeypatch):
    check_sleep_alone_brings_feedback_to_the_pseudoinverse()
    noise_with_a_mean(monkeypatch)
    with pytest.raises(AssertionError, match=r"sleep alone must bring V to W\^\+"):
        check_sleep_alone_brings_feedback_to_the_pseudoinverse()

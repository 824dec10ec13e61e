"""Costs, counted by hand for small networks."""

import numpy as np
import pytest

from cortex_model.analysis.cost import cost
from cortex_model.parameters import SleepWakeParameters
from cortex_model.rules import shipped
from cortex_model.schedule import sleep_schedule, wake_sleep_schedule

W1, W2, W3 = 20, 12, 6  # synapses of 5-4-3-2


def costs(n_wake=10, n_evaluated=3, **options):
    p = SleepWakeParameters(layer_sizes=(5, 4, 3, 2), **options)
    return cost(wake_sleep_schedule(p, lambda epoch: np.arange(10), 10, n_wake, n_evaluated, 0), p)


def test_wake_of_random_feedback():
    """Up through all, down through V_3 and V_2, and every forward synapse changes."""
    its = costs(learning_rule="random_feedback")
    up, down = W1 + W2 + W3, W2 + W3
    assert its["presentations"] == {"wake": 10, "sleep": 0, "evaluation": 6}  # before, after
    assert its["synaptic_events"] == {"wake": 10 * (2 * up + down), "sleep": 0, "evaluation": 6 * up}
    assert its["operations"]["wake"] == 10 * (2 * up + 2 * down + 3 * up)
    assert its["half_cycles"] == {"wake": 0, "sleep": 0, "evaluation": 0}


def test_sleep_of_reciprocal_feedback():
    """Up and down through W_2, V_2, W_3, V_3, and each V changes: one half cycle."""
    its = costs(sleep_per_wake=0.5)
    assert its["presentations"]["sleep"] == its["half_cycles"]["sleep"] == 5
    assert its["synaptic_events"]["sleep"] == 5 * 3 * (W2 + W3)
    assert its["operations"]["sleep"] == 5 * (2 + 2 + 5) * (W2 + W3)


def test_sleep_of_forward_weights_is_a_half_cycle_more():
    its = costs(sleep_per_wake=0.5, forward_sleep_learning_rate=0.1)
    assert its["half_cycles"]["sleep"] == 10
    assert its["synaptic_events"]["sleep"] == 5 * 6 * (W2 + W3)


@pytest.mark.parametrize(
    ("rule", "sums", "changes"),
    [("weight_mirror", 1, 1), ("ben_israel", 3, 1), ("hinton_mcclelland", 2, 1), ("reciprocal", 2, 1)],
)
def test_sleep_of_other_rules(rule, sums, changes):
    """How often each pair of projections carries something: a weight mirror does not reconstruct."""
    its = costs(sleep_per_wake=0.5, learning_rule=rule, damping=0.5)
    assert its["half_cycles"]["sleep"] == 5 * changes
    assert its["synaptic_events"]["sleep"] == 5 * (sums + changes) * (W2 + W3)
    assert its["operations"]["sleep"] == 5 * (2 * sums + 5 * changes) * (W2 + W3)


def test_forward_weights_of_hinton_and_mcclelland_learn_from_what_comes_up_again():
    its = costs(sleep_per_wake=0.5, learning_rule="hinton_mcclelland", forward_sleep_learning_rate=0.1)
    assert its["half_cycles"]["sleep"] == 10
    assert its["synaptic_events"]["sleep"] == 5 * (3 + 2) * (W2 + W3)


def test_what_no_phase_of_the_schedule_does_costs_nothing():
    p = SleepWakeParameters(layer_sizes=(5, 4, 3, 2))
    its = cost(sleep_schedule(p, 4, 2), p)
    assert its["synaptic_events"] == {"wake": 0, "sleep": 4 * 3 * (W2 + W3), "evaluation": 0}
    assert its["presentations"] == {"wake": 0, "sleep": 4, "evaluation": 0}


@pytest.mark.parametrize("rule", [name for name, rule in shipped().items() if not rule.populations])
def test_answers_cost_the_same_whatever_the_rule(rule):
    assert costs(learning_rule=rule, damping=0.5)["operations"]["evaluation"] == 6 * 2 * (W1 + W2 + W3)


def test_feedback_to_the_input_sleeps_with_the_first_forward_weights():
    without, with_it = costs(sleep_per_wake=1.0), costs(sleep_per_wake=1.0, feedback_to_input=True)
    assert with_it["synaptic_events"]["sleep"] - without["synaptic_events"]["sleep"] == 10 * 3 * W1
    assert with_it["synaptic_events"]["wake"] == without["synaptic_events"]["wake"]


@pytest.mark.parametrize(
    ("rule", "more"), [("backpropagation", W2 + W3), ("kolen_pollack", 3 * (W2 + W3)), ("random_feedback", 0)]
)
def test_rules_that_change_feedback_in_wake_cost_that_much_more(rule, more):
    wake = costs(learning_rule=rule)["synaptic_events"]["wake"]
    assert wake - costs(learning_rule="random_feedback")["synaptic_events"]["wake"] == 10 * more


def test_direct_feedback_sends_the_output_error_to_each_hidden_population():
    wake = costs(learning_rule="direct_feedback")["synaptic_events"]["wake"]
    assert wake == 10 * (2 * (W1 + W2 + W3) + 2 * (4 + 3))


def test_a_batch_costs_what_its_stimuli_cost():
    assert costs(batch_size=5, sleep_per_wake=1.0) == costs(sleep_per_wake=1.0)


def test_in_time_sums_that_change_are_paid_in_every_step():
    """10 steps, the error from step 5 on: W_1 once, W_2 and W_3 ten times, V five times: it carries errors alone."""
    leaky = {"dynamics": "leaky", "time_step_ms": 2.0, "presentation_ms": 20.0, "feedback_onset_ms": 12.0}
    its = costs(learning_rule="random_feedback", **leaky)
    up, down = W1 + 10 * (W2 + W3), 5 * (W2 + W3)
    assert its["presentations"] == {"wake": 10, "sleep": 0, "evaluation": 6}
    assert its["synaptic_events"] == {"wake": 10 * (up + down + W1 + W2 + W3), "sleep": 0, "evaluation": 6 * up}
    asleep = costs(sleep_per_wake=0.5, **leaky)
    assert asleep["half_cycles"]["sleep"] == 5
    assert asleep["synaptic_events"]["sleep"] == 5 * (1 + 10 + 1) * (W2 + W3)


def test_spikes_arrive_at_every_synapse_of_their_neuron():
    """Changes of weights are left out; without spikes there is no cost, though there is a schedule."""
    spikes = {"spikes_in_wake": np.array([10, 5, 2, 1]), "feedback_spikes_in_wake": np.array([0, 9, 4, 3]),
              "spikes_in_sleep": np.array([7, 2, 1, 0]), "feedback_spikes_in_sleep": np.array([0, 0, 6, 5]),
              "spikes_in_evaluation": np.array([3, 2, 1, 1])}  # fmt: skip
    p = SleepWakeParameters(layer_sizes=(5, 4, 3, 2), dynamics="spiking")
    schedule = wake_sleep_schedule(p, lambda epoch: np.arange(10), 10, 10, 3, 0)
    its = cost(schedule, p, spikes | {f"{name}_in_{phase}": np.zeros(4) for phase in ("perception", "recall")
                                      for name in ("spikes", "feedback_spikes")})  # fmt: skip
    wake = 10 * 4 + 5 * 3 + 2 * 2 + 4 * 4 + 3 * 3  # W_1, W_2, W_3; V_2, V_3
    assert its["synaptic_events"] == {"wake": wake, "sleep": 2 * 3 + 1 * 2 + 6 * 4 + 5 * 3, "evaluation": 3 * 4 + 6 + 2}
    assert its["operations"]["wake"] == 2 * wake and its["presentations"]["wake"] == 10
    assert cost(schedule, p)["synaptic_events"]["wake"] == 0

"""Costs of one presentation, counted from declarations: by hand for small networks."""

import numpy as np
import pytest

from cortex_model.language import PlacedRule, in_time
from cortex_model.language.cost import cost
from cortex_model.language.options import configured
from cortex_model.rules import shipped
from cortex_model.schedule.declared import program_kind

#: Rules that learn to answer stimuli with targets.
TAUGHT = [name for name, rule in shipped().items() if rule.task == "targets"]
SIZES = (5, 4, 3, 2)
W1, W2, W3 = 20, 12, 6
UP = W1 + W2 + W3
#: A sum multiplies and adds; an update of weights multiplies, scales and adds, one in sleep also decays; a decay scales
#: and adds.
SUM, UPDATE, UPDATE_IN_SLEEP, DECAY = 2, 3, 5, 2
#: Of wake, V_3 and V_2 bring the error down; what else changes in wake, and what it costs.
MORE_IN_WAKE = {"backpropagation": [UPDATE], "kolen_pollack": [UPDATE, DECAY, DECAY]}
#: Sums of sleep through each pair of adjacent populations that sleep at once, and changes at the end.
SLEEP = {
    ("reciprocal", 0.0): (2, 1), ("reciprocal", 0.1): (4, 2), ("weight_mirror", 0.0): (1, 1),
    ("ben_israel", 0.0): (3, 1), ("hinton_mcclelland", 0.0): (2, 1), ("hinton_mcclelland", 0.1): (3, 2),
    ("target_propagation", 0.0): (2, 1),
}  # fmt: skip
#: Rules in which an output error comes down as in the default one.
ERROR_DRIVEN = [
    name for name, rule in shipped().items() if program_kind(rule)[1] == program_kind(shipped()["reciprocal"])[1]
]


def costs(rule, rate=0.0, **options):
    declared_rule = configured(shipped()[rule], **options)
    placed = PlacedRule(declared_rule, SIZES)
    has_rate = "forward_sleep_learning_rate" in declared_rule.numbers
    counts = placed.counts(declared_rule.values({"forward_sleep_learning_rate": rate} if has_rate else {}))
    return {phase: cost(placed, phase, counts) for phase in declared_rule.phases}


@pytest.mark.parametrize("to_input", [False, True])
@pytest.mark.parametrize("rule", ERROR_DRIVEN)
def test_wake_and_evaluation_by_hand(rule, to_input):
    its, down = costs(rule, feedback_to_input=to_input), W2 + W3
    if rule == "direct_feedback":
        down = 4 * 2 + 3 * 2
    more = MORE_IN_WAKE.get(rule, [])
    followed = down + W1 * to_input  # V_1 changes, but carries no error: the input has none
    assert its["evaluation"] == (UP, SUM * UP)
    assert its["wake"].synaptic_events == 2 * UP + down + followed * len(more)
    assert its["wake"].operations == (SUM + UPDATE) * UP + SUM * down + followed * sum(more)


@pytest.mark.parametrize("to_input", [False, True])
@pytest.mark.parametrize(("rule", "rate"), SLEEP)
def test_sleep_by_hand(rule, rate, to_input):
    (n_sums, n_changes), pairs = SLEEP[rule, rate], W2 + W3 + W1 * to_input
    pairs = W3 if rule == "target_propagation" else pairs  # its other feedback learns in wake
    its = costs(rule, rate, feedback_to_input=to_input)["sleep"]
    assert its == ((n_sums + n_changes) * pairs, (SUM * n_sums + UPDATE_IN_SLEEP * n_changes) * pairs)


def test_every_rule_that_sleeps_is_counted():
    assert {rule for rule, _ in SLEEP} == {name for name in TAUGHT if "sleep" in shipped()[name].phases}


def test_perception_and_recall_by_hand():
    its = costs("reciprocal", feedback_to_input=True)
    assert its["perception"] == (2 * UP, SUM * 2 * UP), "up, and down to the input"
    assert its["recall"] == (UP, SUM * UP)


def test_normalised_steps_cost_no_more_synapses():
    """A pool gives one number for all of them."""
    plain, normalised = (
        PlacedRule(configured(shipped()["backpropagation"], presynaptic_normalisation=is_so), SIZES)
        for is_so in (False, True)
    )
    counts = plain.counts(plain.rule.values())
    assert cost(plain, "wake", counts) == cost(normalised, "wake", counts)


def test_rounds_of_inference_cost_what_they_carry():
    """Up, and K times down and up again; then every W and V changes."""
    placed = PlacedRule(configured(shipped()["predictive_coding"]), SIZES)
    for n in (1, 5):
        its = cost(placed, "wake", placed.counts(placed.rule.values({"inference_steps": n})))
        assert its == (2 * UP + (2 * n + 1) * (W2 + W3), (SUM + UPDATE) * UP + (2 * n * SUM + UPDATE) * (W2 + W3))


def test_targets_cost_what_they_carry():
    """Up; the error through V_3; rate, target and what returns through V_2, noise through W_2; all weights but V_3."""
    its = costs("target_propagation")["wake"]
    assert its == (2 * UP + W3 + 5 * W2, (SUM + UPDATE) * UP + SUM * W3 + (4 * SUM + UPDATE) * W2)


def test_what_is_held_is_summed_once_where_things_take_time():
    settled = configured(shipped()["random_feedback"])
    placed = PlacedRule(in_time(settled), SIZES)
    up = [cost(placed, "evaluation", placed.counts(placed.rule.values(), n)).synaptic_events for n in (1, 2, 5)]
    assert up[0] == cost(PlacedRule(settled, SIZES), "evaluation", placed.counts(placed.rule.values())).synaptic_events
    assert np.diff(up).tolist() == [W2 + W3, 3 * (W2 + W3)]

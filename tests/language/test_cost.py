"""Costs counted from declarations: those that are counted from schedules, and by hand."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from cortex_model.analysis import cost as of_schedules
from cortex_model.language import PlacedRule, in_time
from cortex_model.language.cost import cost
from cortex_model.language.options import configured
from cortex_model.parameters import SleepWakeParameters
from cortex_model.schedule import wake_sleep_schedule
from cortex_model.rules import shipped

spec = importlib.util.spec_from_file_location("declared", Path(__file__).with_name("declared.py"))
declared = importlib.util.module_from_spec(spec)
spec.loader.exec_module(declared)

SIZES = (5, 4, 3, 2)
W2, W3 = 12, 6


@pytest.mark.parametrize("forward_rate", [0.0, 0.1])
@pytest.mark.parametrize("to_input", [False, True])
@pytest.mark.parametrize("rule", shipped())
def test_costs_are_those_that_are_counted_from_a_schedule(rule, to_input, forward_rate):
    of_sleep = {"sleep_rule": rule, "feedback_gain": "none"} if rule in ("ben_israel", "hinton_mcclelland") else {}
    forward_rate = 0.0 if rule == "ben_israel" else forward_rate
    p = SleepWakeParameters(
        layer_sizes=SIZES, learning_rule="reciprocal" if of_sleep else rule, feedback_to_input=to_input, damping=0.5,
        forward_sleep_learning_rate=forward_rate, **of_sleep,
    )  # fmt: skip
    schedule = wake_sleep_schedule(p, lambda epoch: np.arange(10), 10, 10, 3, 0)
    expected = of_schedules.cost(schedule, p)
    declared_rule = configured(shipped()[rule], feedback_to_input=to_input)
    placed = PlacedRule(declared_rule, SIZES)
    has_forward_rate = "forward_sleep_learning_rate" in declared_rule.numbers
    values = {"forward_sleep_learning_rate": forward_rate} if has_forward_rate else {}
    counts = placed.counts(declared_rule.values(values))
    for phase in ("wake", "evaluation", *(["sleep"] if "sleep" in declared_rule.phases else [])):
        n, its = expected["presentations"][phase], cost(placed, phase, counts)
        assert n > 0
        if (
            rule == "weight_mirror" and phase == "sleep"
        ):  # the schedule also sums what comes back, and multiplies it by 0
            assert its.synaptic_events * n == expected["synaptic_events"][phase] * 2 / 3
            continue
        assert its.synaptic_events * n == expected["synaptic_events"][phase], phase
        assert its.operations * n == expected["operations"][phase], phase


def test_normalised_steps_cost_no_more_synapses():
    """A pool gives one number for all of them."""
    plain, normalised = (
        PlacedRule(configured(shipped()["backpropagation"], presynaptic_normalisation=is_so), SIZES)
        for is_so in (False, True)
    )
    counts = plain.counts(plain.rule.values())
    assert cost(plain, "wake", counts) == cost(normalised, "wake", counts)


def test_rounds_of_inference_cost_what_they_carry():
    rule = configured(declared.PREDICTIVE_CODING)
    placed = PlacedRule(rule, SIZES)
    each = [cost(placed, "wake", placed.counts(rule.values({"inference_steps": n}))).synaptic_events for n in (0, 1, 4)]
    assert each[1] - each[0] == 2 * (W2 + W3)
    assert each[2] - each[0] == 4 * (each[1] - each[0])


def test_what_is_held_is_summed_once_where_things_take_time():
    settled = configured(shipped()["random_feedback"])
    placed = PlacedRule(in_time(settled), SIZES)
    up = [cost(placed, "evaluation", placed.counts(placed.rule.values(), n)).synaptic_events for n in (1, 2, 5)]
    assert up[0] == cost(PlacedRule(settled, SIZES), "evaluation", placed.counts(placed.rule.values())).synaptic_events
    assert np.diff(up).tolist() == [W2 + W3, 3 * (W2 + W3)]

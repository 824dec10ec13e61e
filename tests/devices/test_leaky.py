"""Rates that take time: the Brian2 strings are the theory in time, and after a long time the settled mode."""

import pytest

from cortex_model import theory
from cortex_model.phases.schedule import LEARNING_RULES

#: Times that are no multiples of each other, delays that differ from projection to projection.
LEAKY = {
    "dynamics": "leaky", "time_constant_ms": 10.0, "time_step_ms": 2.0, "presentation_ms": 46.0,
    "feedback_onset_ms": 22.0, "forward_delay_ms": (2.0, 0.0, 6.0), "feedback_delay_ms": (4.0, 8.0),
}  # fmt: skip
TO_INPUT = {"feedback_to_input": True, "feedback_delay_ms": (2.0, 4.0, 8.0)}
SLEEPING = [(rule, rate) for rule in theory.SLEEP_RULES for rate in (0.0, 0.005) if rule != "ben_israel" or rate == 0]
DEVICES = ["runtime", pytest.param("cpp_standalone", marks=pytest.mark.compiler)]


@pytest.mark.parametrize("nonlinearity", theory.NONLINEARITIES)
def test_every_nonlinearity_equals_theory_in_time(scenario, check_simulator_equals_theory, nonlinearity):
    for top in theory.TOP_RATES:
        check_simulator_equals_theory(scenario(n_wake=20, nonlinearity=nonlinearity, top=top, **LEAKY))


@pytest.mark.parametrize("rule", LEARNING_RULES)
def test_every_rule_equals_theory_in_time(scenario, check_simulator_equals_theory, rule):
    check_simulator_equals_theory(scenario(n_wake=20, evaluate_every=7, learning_rule=rule, **LEAKY))


@pytest.mark.parametrize("normalised", [False, True], ids=["plain", "normalised"])
@pytest.mark.parametrize(("sleep_rule", "forward_rate"), SLEEPING)
def test_every_sleep_rule_equals_theory_in_time(
    scenario, check_simulator_equals_theory, sleep_rule, forward_rate, normalised
):
    options = {"sleep_rule": sleep_rule, "forward_sleep_learning_rate": forward_rate, "sleep_normalisation": normalised}
    check_simulator_equals_theory(scenario(n_wake=20, **LEAKY | TO_INPUT | options))

"""The tables of strings against theory: the same names, the same numbers."""

import numpy as np
import pytest

from cortex_model import theory
from cortex_model.equations import (
    EQUATIONS,
    GATES,
    NONLINEARITIES,
    NUMBERS,
    SLEEP_ACTIVITY,
    SLEEP_RULES,
    SLOPE_RULES,
    TOP_NONLINEARITIES,
    equations_of,
    gates_of,
    numbers_of,
)
from cortex_model.parameters import SleepWakeParameters
from cortex_model.protocol import run_numbers

DRIVE = np.array([-30.0, -3.0, -1.0, -0.2, 0.3, 1.0, 2.5, 30.0])
FUNCTIONS = {name: getattr(np, name) for name in ("exp", "log", "tanh", "abs", "clip")}
#: Quantities of the paper that are both an equation here and a function of theory.
SHARED = ("layer_response", "output_error", "activation_reciprocal", "parameter_reciprocal", "weight_update",
          "feedback_update", "forward_update")  # fmt: skip


def value(expression, **variables):
    return eval(expression, {"int": np.int_, **FUNCTIONS}, variables) * np.ones_like(DRIVE)


def rate_and_slope(name, drive):
    rate, slope = NONLINEARITIES[name]
    rates = value(rate, basal_drive=drive)
    return rates, value(slope, basal_drive=drive, rate=rates)


def test_tables_have_the_names_of_theory():
    assert list(NONLINEARITIES) == list(theory.NONLINEARITIES)
    assert list(TOP_NONLINEARITIES) == list(theory.TOP_RATES)
    assert set(SLEEP_RULES) == set(SLEEP_ACTIVITY) == set(theory.SLEEP_RULES)


@pytest.mark.parametrize("name", SHARED)
def test_a_quantity_of_the_paper_has_one_name_everywhere(name):
    assert name in EQUATIONS
    assert callable(getattr(theory, name))


@pytest.mark.parametrize("name", NONLINEARITIES)
def test_rates_and_slopes_are_those_of_theory(name):
    rates, slopes = rate_and_slope(name, DRIVE)
    np.testing.assert_allclose(rates, theory.NONLINEARITIES[name].rate(DRIVE), rtol=1e-12, atol=2e-16)
    np.testing.assert_allclose(slopes, theory.NONLINEARITIES[name].slope(DRIVE), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", NONLINEARITIES)
def test_every_slope_is_the_derivative_of_its_rate(name):
    drive, step = DRIVE[1:-1], 1e-6
    above, below = (rate_and_slope(name, np.resize(drive + sign * step, DRIVE.shape))[0] for sign in (1, -1))
    slopes = rate_and_slope(name, np.resize(drive, DRIVE.shape))[1]
    np.testing.assert_allclose((above - below) / (2 * step), slopes, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("top", TOP_NONLINEARITIES)
def test_rates_of_the_top_are_those_of_theory(top):
    excitation = value(EQUATIONS["excitation"].removeprefix("excitation = "), basal_drive=DRIVE)
    rates = value(TOP_NONLINEARITIES[top], basal_drive=DRIVE, excitation=excitation, pooled_excitation=excitation.sum())
    np.testing.assert_allclose(rates, theory.TOP_RATES[top](DRIVE), rtol=1e-12)


@pytest.mark.parametrize("rule", SLOPE_RULES)
@pytest.mark.parametrize("name", NONLINEARITIES)
@pytest.mark.parametrize("cutoff", [0.0, 0.1, 0.5])
def test_slope_rules_are_those_of_theory(name, rule, cutoff):
    rates = rate_and_slope(name, DRIVE)[0]
    factor = value(
        SLOPE_RULES[rule].format(slope=NONLINEARITIES[name][1]), basal_drive=DRIVE, rate=rates, slope_cutoff=cutoff
    )
    steep = np.abs(theory.NONLINEARITIES[name].slope(DRIVE)) > 1e-9  # below, 1/slope is all rounding
    expected = theory.slope_factor(DRIVE, name, rule, cutoff)
    np.testing.assert_allclose(factor[steep], expected[steep], rtol=1e-7)


def test_slope_rules_are_parameters():
    choices = SleepWakeParameters.model_json_schema()["properties"]["slope_rule"]["enum"]
    assert set(SLOPE_RULES) == set(choices)


def test_numbers_of_the_equations_follow_from_the_parameters():
    numbers = run_numbers(SleepWakeParameters(), 7)
    assert set(numbers) == {*NUMBERS, "noise_seed"} and numbers["noise_seed"] == 7
    for name in set(NUMBERS) - {"transposed_learning_rate", "decay_rate", "reconstruction"}:
        assert numbers[name] == getattr(SleepWakeParameters(), name), name


def test_steps_that_a_rule_does_not_take_are_zero():
    """So that networks of several rules can share a program, in which a gate that is open for one is open for all."""
    steps = ("transposed_learning_rate", "decay_rate", "sleep_learning_rate", "forward_sleep_learning_rate")
    taken = {}
    for rule in LEARNING_RULES:
        p = SleepWakeParameters(learning_rule=rule, forward_sleep_learning_rate=0.1, damping=0.5)
        numbers = run_numbers(p, 0)
        assert numbers["reconstruction"] == (rule != "weight_mirror")
        taken[rule] = [step for step in steps if numbers[step]]
    assert taken["backpropagation"] == ["transposed_learning_rate"]
    assert taken["reciprocal"] == ["sleep_learning_rate", "forward_sleep_learning_rate"]
    assert taken["weight_mirror"] == ["sleep_learning_rate"]
    assert taken["kolen_pollack"] == ["transposed_learning_rate", "decay_rate"]
    assert taken["random_feedback"] == taken["exact_pseudoinverse"] == []


@pytest.mark.parametrize("gate", gates_of("leaky"))
def test_gates_are_named_and_explained(gate):
    assert gate.endswith("_gate") and len(gates_of("leaky")[gate]) > 10


def test_the_leaky_mode_has_what_the_settled_one_has_and_more():
    assert set(GATES) == set(gates_of("settled")) < set(gates_of("leaky"))
    assert equations_of("settled") == EQUATIONS and set(EQUATIONS) < set(equations_of("leaky"))
    numbers = run_numbers(SleepWakeParameters(dynamics="leaky", time_constant_ms=20.0), 7)
    assert set(numbers) == {*numbers_of("leaky"), "noise_seed"} == {*NUMBERS, "relaxation", "noise_seed"}
    assert numbers["relaxation"] == theory.relaxation(1.0, 20.0)

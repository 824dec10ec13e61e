"""Rows of strings against theory: the same names, the same numbers."""

import itertools

import numpy as np
import pytest

from cortex_model import theory
from cortex_model.errors import ParameterError, RuleError
from cortex_model.language import NONLINEARITIES, Let, Nonlinearity, Settle
from cortex_model.language.nonlinearities import SLOPE_RULES, TOPS
from cortex_model.language.options import with_nonlinearities
from cortex_model.language.sequence import moments_of
from cortex_model.parameters import SleepWakeParameters
from cortex_model.rules import shipped

DRIVE = np.array([-30.0, -3.0, -1.0, -0.2, 0.3, 1.0, 2.5, 30.0])
FUNCTIONS = {name: getattr(np, name) for name in ("exp", "log", "tanh", "abs", "clip")} | {"int": np.int_}


def value(expression, **variables):
    return eval(expression, FUNCTIONS, variables) * np.ones_like(DRIVE)


def rate_and_slope(name, drive):
    rates = value(NONLINEARITIES[name].rate, drive=drive)
    return rates, value(NONLINEARITIES[name].slope, drive=drive, rate=rates)


def test_tables_have_the_names_of_theory_and_are_parameters():
    assert list(NONLINEARITIES) == list(theory.NONLINEARITIES)
    assert list(TOPS) == list(theory.TOP_RATES)
    for name, table in (("nonlinearity", NONLINEARITIES), ("top", TOPS), ("slope_rule", SLOPE_RULES)):
        for row in table:
            assert getattr(SleepWakeParameters(**{name: row}), name) == row
        with pytest.raises(ParameterError, match=rf"^Parameters\.{name}: must be .*'cubic'"):
            SleepWakeParameters(**{name: "cubic"})


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


@pytest.mark.parametrize("top", TOPS)
def test_rates_of_the_top_are_those_of_theory(top):
    excitation = value(TOPS[top].excitation or "0*drive", drive=DRIVE)
    rates = value(TOPS[top].rate, drive=DRIVE, excitation=excitation, pooled_excitation=excitation.sum())
    np.testing.assert_allclose(rates, theory.TOP_RATES[top](DRIVE), rtol=1e-12)


@pytest.mark.parametrize("cutoff", [0.0, 0.1, 0.5])
@pytest.mark.parametrize("rule", SLOPE_RULES)
@pytest.mark.parametrize("name", NONLINEARITIES)
def test_slope_rules_are_those_of_theory(name, rule, cutoff):
    slope = rate_and_slope(name, DRIVE)[1]
    factor = value(SLOPE_RULES[rule], slope=slope, slope_cutoff=cutoff)
    steep = np.abs(theory.NONLINEARITIES[name].slope(DRIVE)) > 1e-9  # below, 1/slope is all rounding
    np.testing.assert_allclose(factor[steep], theory.slope_factor(DRIVE, name, rule, cutoff)[steep], rtol=1e-7)


# ---------------------------------------------------------------------- what becomes of them in a rule
def strings(rule):
    moments = [moment for sequence in rule.phases.values() for moment in moments_of(sequence)]
    return [m.code for m in moments if isinstance(m, Let)] + [m.towards for m in moments if isinstance(m, Settle)]


@pytest.mark.parametrize("rule", [name for name, rule in shipped().items() if rule.task == "targets"])
def test_no_word_for_a_nonlinearity_is_left_once_one_is_chosen(rule):
    assert any("sigma(" in text for text in strings(shipped()[rule])), "there is something to choose"
    for name, top, slope in itertools.product(NONLINEARITIES, TOPS, SLOPE_RULES):
        chosen = with_nonlinearities(shipped()[rule], name, top, slope)
        assert not [text for text in strings(chosen) if "sigma(" in text or "slope(" in text]
        assert ("slope_cutoff" in chosen.numbers) == (slope == "reciprocal")


@pytest.mark.parametrize("name", NONLINEARITIES)
@pytest.mark.parametrize("slope_rule", SLOPE_RULES)
def test_strings_of_a_rule_compute_the_rows(name, slope_rule):
    """The response of a hidden population, and its error, as the declaration has them in the end."""
    rule = with_nonlinearities(shipped()["random_feedback"], name, "linear", slope_rule)
    response = next(text for text in strings(rule) if text.startswith("response ="))
    rates = value(response.removeprefix("response ="), basal_drive=DRIVE)
    np.testing.assert_allclose(rates, theory.NONLINEARITIES[name].rate(DRIVE), rtol=1e-12, atol=2e-16)
    towards = next(m.towards for m in moments_of(rule.phases["wake"]) if m.name == "activation_reciprocal")
    error = np.linspace(-1, 1, len(DRIVE))
    delta = value(towards, basal_drive=DRIVE, response=rates, apical_gain=2.0, error_drive=error, slope_cutoff=0.1)
    steep = np.abs(theory.NONLINEARITIES[name].slope(DRIVE)) > 1e-9
    expected = theory.slope_factor(DRIVE, name, slope_rule, 0.1) * 2 * error
    np.testing.assert_allclose(delta[steep], expected[steep], rtol=1e-7)


def test_ones_own_row_and_rows_that_are_not_there():
    own = with_nonlinearities(shipped()["random_feedback"], Nonlinearity("drive*drive", "2*drive"), "linear")
    assert "response = basal_drive * basal_drive" in strings(own)
    for wrong in ({"nonlinearity": "cubic"}, {"top": "cubic"}, {"slope_rule": "cubic"}):
        with pytest.raises(RuleError, match=rf"^{next(iter(wrong))}: must be one of .* \(got 'cubic'\)"):
            with_nonlinearities(shipped()["random_feedback"], **wrong)

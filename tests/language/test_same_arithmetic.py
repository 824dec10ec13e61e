"""Declared strings multiply and add in the order of `cortex_model.equations`, so that float32 rounds alike."""

import ast

import pytest

from cortex_model import equations
from cortex_model.language import NONLINEARITIES, Learn, Let, PlacedRule, Pool, Settle, in_time
from cortex_model.language.nonlinearities import SLOPE_RULES, TOPS
from cortex_model.language.options import configured
from cortex_model.language.statements import exchanged, expression, statements
from cortex_model.rules import shipped


def tree(text, **renamed):
    """The operations of an expression, in their order, with other names."""

    def change(node):
        return ast.Name(renamed[node.id], ast.Load()) if isinstance(node, ast.Name) and node.id in renamed else node

    return ast.unparse(exchanged(expression(text), change))


def value(code, variable):
    return next(ast.unparse(s.value) for s in statements(code) if s.variable == variable)


def moment(rule, phase, kind, starts):
    """The code of the first such moment of population 1, or 2 at the top, of a hierarchy of three."""
    placed = PlacedRule(rule, (3, 3, 3))
    counts = placed.counts(
        rule.values({"forward_sleep_learning_rate": 0.1} if "forward_sleep_learning_rate" in rule.numbers else {}), 3, 0
    )
    for event in (event for group in placed.groups(phase, counts) for event in group):
        if not isinstance(event.moment, kind):
            continue
        if kind is Learn:
            if event.moment.name == starts:
                return event.moment.increment
        elif (code := event.moment.code if kind is Pool else placed.code(event)).startswith(starts):
            return code
    raise AssertionError(f"no {starts} in {phase} of {rule.name}")


@pytest.mark.parametrize("nonlinearity", NONLINEARITIES)
@pytest.mark.parametrize("slope_rule", SLOPE_RULES)
def test_rates_and_deltas(nonlinearity, slope_rule):
    rate, slope = equations.NONLINEARITIES[nonlinearity]
    rule = configured(shipped()["reciprocal"], nonlinearity=nonlinearity, slope_rule=slope_rule)
    assert value(moment(rule, "wake", Let, "response"), "response") == tree(rate)
    factor = equations.SLOPE_RULES[slope_rule].format(slope=slope)
    old = equations.EQUATIONS["activation_reciprocal"].format(slope_factor=factor)
    names = {"rate": "response", "apical_drive": "error_drive"}
    assert value(moment(rule, "wake", Settle, "delta = "), "delta") == tree(value(old, "delta"), **names)
    old = equations.LEAKY_EQUATIONS["activation_reciprocal"].format(slope_factor=factor)
    assert value(moment(in_time(rule), "wake", Settle, "delta +="), "delta") == tree(
        value(old, "delta"), rate="response"
    )


@pytest.mark.parametrize("top", TOPS)
def test_rates_of_the_top(top):
    rule = configured(shipped()["reciprocal"], nonlinearity="linear", top=top)
    placed = PlacedRule(rule, (3, 3))
    counts = placed.counts(rule.values())
    codes = [
        placed.code(e) for g in placed.groups("evaluation", counts) for e in g if isinstance(e.moment, Let | Settle)
    ]
    response = next(code for code in codes if code.startswith("response"))
    assert value(response, "response") == tree(equations.TOP_NONLINEARITIES[top])
    if top == "softmax":
        excitation = next(code for code in codes if code.startswith("excitation"))
        assert value(excitation, "excitation") == tree(value(equations.EQUATIONS["excitation"], "excitation"))


@pytest.mark.parametrize("normalised", [False, True])
def test_changes_of_weights(normalised):
    def old(name, step, reciprocal, **renamed):
        step = f"{step}*{reciprocal}" if normalised else step
        activity = renamed.pop("activity", "")
        return tree(value(equations.EQUATIONS[name].format(step=step, activity=activity), "weight"), **renamed)

    options = {"presynaptic_normalisation": normalised, "sleep_normalisation": normalised}
    rule, follows = (configured(shipped()[name], **options) for name in ("reciprocal", "backpropagation"))
    update = moment(rule, "wake", Learn, "weight_update")
    assert tree(update) == old("weight_update", "learning_rate", "rate_reciprocal_post")
    transposed = moment(follows, "wake", Learn, "transposed_weight_update")
    assert tree(transposed) == old("transposed_weight_update", "learning_rate", "rate_reciprocal_pre")
    feedback = moment(rule, "sleep", Learn, "feedback_update")
    assert tree(feedback) == old("feedback_update", "sleep_learning_rate", "up_reciprocal_pre", activity="up_pre")
    forward = moment(rule, "sleep", Learn, "forward_update")
    assert tree(forward) == old(
        "forward_update", "forward_sleep_learning_rate", "sent_back_reciprocal_post", activity="sent_back_pre"
    )
    if not normalised:
        decay = moment(configured(shipped()["kolen_pollack"]), "wake", Learn, "forward_decay")
        assert tree(decay) == tree(value(equations.EQUATIONS["weight_decay"].format(step="weight_decay"), "weight"))


@pytest.mark.parametrize(("biases", "power"), [(True, "(rate_power + 1)"), (False, "rate_power")])
def test_reciprocals_of_powers(biases, power):
    rule = configured(shipped()["reciprocal"], presynaptic_normalisation=True, sleep_normalisation=True, biases=biases)
    old = equations.EQUATIONS["parameter_reciprocal"].format(power=power)
    assert value(moment(rule, "wake", Pool, "rate_reciprocal"), "rate_reciprocal") == tree(
        value(old, "parameter_reciprocal")
    )
    old = value(equations.EQUATIONS["sleep_reciprocal"], "sleep_reciprocal")
    assert value(moment(rule, "sleep", Pool, "up_reciprocal"), "up_reciprocal") == tree(old, sent_power="up_power")


def test_moments_of_sleep():
    """What is 1 in reciprocal, and 0 in weight_mirror, is not written any more: ``reconstruction``."""
    old = equations.SLEEP_RULES
    rule = configured(shipped()["reciprocal"])
    below = value(old["recirculation"]["difference_below"], "difference").replace("reconstruction * ", "")
    assert value(moment(rule, "sleep", Let, "difference"), "difference") == tree(below, apical_drive="rec")
    rule = configured(shipped()["hinton_mcclelland"])
    below = value(old["hinton_mcclelland"]["difference_below"], "difference")
    assert value(moment(rule, "sleep", Let, "difference"), "difference") == tree(below, apical_drive="rec")
    back = value(old["hinton_mcclelland"]["send_back"], "sent")
    assert value(moment(rule, "sleep", Let, "rate = regression"), "rate") == tree(back, apical_drive="rec")
    above = value(old["hinton_mcclelland"]["difference_above"], "difference")
    assert value(moment(rule, "sleep", Let, "difference = held"), "difference") == tree(above, basal_input="up")


def test_relaxation():
    old = value(equations.LEAKY_EQUATIONS["layer_response"].format(rate="0"), "rate")
    assert value(moment(in_time(configured(shipped()["reciprocal"])), "wake", Settle, "rate +="), "rate") == old

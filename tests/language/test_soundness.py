"""What is wrong with a rule is said in a sentence, before anything is built."""

import importlib.util
import itertools
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cortex_model.errors import CortexModelError, RuleError
from cortex_model.language import (
    NONLINEARITIES,
    Carry,
    Climb,
    Dynamics,
    Host,
    Learn,
    Let,
    Number,
    PlacedRule,
    Pool,
    Projection,
    Repeat,
    Settle,
    Show,
    Then,
    in_time,
)
from cortex_model.language.names import refusal
from cortex_model.language.options import (
    configured,
    with_feedback_gain,
    with_feedback_to_input,
    with_nonlinearities,
    with_perturbed_feedback,
    without_projection,
)
from cortex_model.language.soundness import checked, complaints
from cortex_model.rules import rule_named, shipped

spec = importlib.util.spec_from_file_location("declared", Path(__file__).with_name("declared.py"))
declared = importlib.util.module_from_spec(spec)
spec.loader.exec_module(declared)

RULE = shipped()["reciprocal"]
#: Rules that learn to answer stimuli with targets.
TAUGHT = [name for name, rule in shipped().items() if rule.task == "targets"]
BOOLEANS = (False, True)
#: A complaint: where; what must hold (what is); what to do.
HOUSE_FORM = re.compile(r"[\w.]+: (.+ )?must .+ \(got .+\); .+[.?]", re.DOTALL)


@pytest.mark.parametrize("rule", [*shipped().values(), *declared.DECLARED], ids=lambda rule: rule.name)
def test_rules_are_sound(rule):
    assert complaints(rule) == []
    if "V" in rule.projections and rule.name != "exact_pseudoinverse":  # in whose wake the host intervenes already
        assert complaints(with_perturbed_feedback(rule)) == []
    if rule not in declared.DECLARED and not rule.populations:
        assert complaints(rule, (4, 6)) == complaints(rule, (3, 8, 8, 2, 1)) == []


@pytest.mark.parametrize("rule", TAUGHT)
def test_rules_are_sound_with_every_option(rule):
    for biases, to_input, normalised, gain, top in itertools.product(
        BOOLEANS, BOOLEANS, BOOLEANS, ("none", "norm_matched"), ("linear", "softmax")
    ):
        options = {"biases": biases, "feedback_to_input": to_input, "presynaptic_normalisation": normalised}
        options |= {"sleep_normalisation": normalised, "feedback_gain": gain, "top": top, "slope_rule": "reciprocal"}
        assert complaints(configured(shipped()[rule], **options)) == [], options


# ---------------------------------------------------------------------- one thing wrong
def awake(*moments, at_the_end=True):
    """The rule with more moments in wake."""
    wake = RULE.phases["wake"]
    return replace(RULE, phases={**RULE.phases, "wake": (*wake, *moments) if at_the_end else (*moments, *wake)})


def with_number(name, number):
    rule = awake(Let("top", f"delta = delta*{name}"))
    return replace(rule, numbers={**rule.numbers, name: number})


UPDATE = Learn("V", "sleep_learning_rate", "difference_post*up_pre - damping*weight")


def changed_update(**changes):
    return RULE.replacing(feedback_update=replace(UPDATE, **changes))


def with_projection(name, projection):
    return replace(RULE, projections={**RULE.projections, name: projection})


WRONG = {
    # names
    "an unknown name, and the nearest": (
        awake(Let("hidden", "delta = delta + respons")),
        "'respons' must be something that population 1 has.*did you mean 'response'",
    ),
    "a number by a wrong name": (
        changed_update(change="difference_post*up_pre - dampin*weight"),
        "got 'dampin'.*write dampin_pre or dampin_post",
    ),
    "a variable without its end": (
        changed_update(change="difference*up_pre - damping*weight"),
        "either end.*got 'difference'",
    ),
    "a variable that the end does not have": (
        changed_update(change="difference_post*upp_pre - damping*weight"),
        "'upp' must be something.*did you mean 'up'",
    ),
    "a step that is no number": (
        changed_update(step="sleep_rate"),
        "step of a Learn must be a product of numbers.*'sleep_rate'",
    ),
    "a carried variable that is not there": (
        awake(Carry("V", "detla", "other_drive"), Let("hidden", "delta = delta + other_drive")),
        "'detla' of population 2|'detla'",
    ),
    "more than one unit's rate": (
        awake(Carry("b", "activity", "more"), Let("top", "delta = delta + more")),
        "unit that is always 1 has",
    ),
    "the stimulus above the input": (
        awake(Let("hidden", "delta = delta + stimulus")),
        "stimulus must be read in the input population",
    ),
    "a target below the top": (
        awake(Let("hidden", "delta = delta*target")),
        "target must be read in the top population",
    ),
    "a projection by a wrong name": (awake(Carry("U", "rate", "more")), "got 'U'.*did you mean"),
    "a place by a wrong name": (awake(Let("hiden", "delta = 0")), "got 'hiden'.*did you mean 'hidden'"),
    "levels that are none": (awake(Carry("W", "rate", "basal_input", levels="all of them")), "levels must be a range"),
    "levels in other letters": (
        with_projection("V", Projection("k", "l-1", "2..L")),
        "levels must be said by numbers, l and L",
    ),
    "ends outside the hierarchy": (with_projection("W", Projection("l-2", "l")), "ends must be populations 0 ... L"),
    "a phase by a wrong name": (
        replace(RULE, phases={**RULE.phases, "evaluatoin": ()}),
        "got 'evaluatoin'.*did you mean 'evaluation'",
    ),
    "no wake": (replace(RULE, phases={"sleep": RULE.phases["sleep"]}), "must hold what happens in wake"),
    "an unknown function": (awake(Let("top", "delta = tanhh(delta)")), "got 'tanhh'.*did you mean 'tanh'"),
    "a number that follows from none": (
        with_number("gain", Number("1 + dampingg", "gain")),
        "got 'dampingg'.*did you mean 'damping'",
    ),
    "rounds that are no number": (
        awake(Repeat("rounds", Let("top", "delta = delta*2"))),
        "must be said by numbers.*'rounds'",
    ),
    "host code of something else": (
        awake(Host("V", "V = pinv(U)", every="learning_rate"), at_the_end=False),
        "host code must be of projections.*'U'",
    ),
    "a host that cannot do that": (
        awake(Host("V", "V = inverse(W)", every="learning_rate"), at_the_end=False),
        "got 'inverse'",
    ),
    # names that cannot be
    **{
        f"a variable called {name}": (
            awake(Let("top", f"{name} = rate\ndelta = delta + {name}")),
            f"variables must have other names.*{name}",
        )
        for name in (
            "e",
            "i",
            "j",
            "t",
            "dt",
            "N",
            "xi",
            "pi",
            "inf",
            "rate_pre",
            "rate_post",
            "rate_",
            "second",
            "double",
            "tanh",
            "rate_2",
            "weight",
        )
    },
    "a number called lambda": (
        with_number("lambda_", Number(1.0, "step")),
        "numbers: must have other names.*'lambda_'",
    ),
    "a number that is a projection too": (
        replace(RULE, numbers={**RULE.numbers, "W": Number(1.0, "gain")}),
        "got 'W' twice",
    ),
    # strings
    "no statement": (awake(Let("top", "delta")), "statements must be assignments"),
    "a statement of another kind": (awake(Let("top", "if delta: rate = 0")), "statements must be assignments"),
    "no Python": (awake(Let("top", "delta = = 1")), "strings must be statements"),
    "a choice": (awake(Let("top", "delta = 1 if rate > 0 else 0")), "expressions must be of numbers"),
    "a chain of comparisons": (awake(Let("top", "delta = int(0 < rate < 1)")), "expressions must be of numbers"),
    "a step divided by what is no activity": (changed_update(per="up"), "per must name an activity"),
    # numbers
    "a default out of its range": (
        with_number("gain", Number(-1.0, "gain", at_least=0)),
        "default must be a number at least 0",
    ),
    "a number without meaning": (with_number("gain", Number(1.0, " ")), "must say what it means"),
    # traffic
    "read before it is written": (
        replace(RULE, phases={**RULE.phases, "sleep": RULE.phases["sleep"][1:]}),
        "must write what it reads.*'rate' of population 1",
    ),
    "kept from the presentation before": (
        awake(Let("top", "seen += rate"), Let("top", "delta = delta - seen")),
        "'seen' of population 3.*remembers",
    ),
    "written in a round that may not come": (
        awake(
            Repeat("forward_sleep_learning_rate > 0", Let("top", "other = rate")), Let("top", "delta = delta + other")
        ),
        "'other'.*where forward_sleep_learning_rate > 0 is 0",
    ),
    "a variable that nobody reads": (awake(Let("hidden", "forgotten = rate")), "'forgotten'.*read it, take it away"),
    "an accumulating variable that only it reads": (
        awake(Let("top", "total = 0"), Let("top", "total += rate")),
        "'total'.*must be read|must be read.*'total'",
    ),
    "a number that nobody reads": (
        replace(RULE, numbers={**RULE.numbers, "momentum": Number(0.9, "momentum")}),
        "momentum: .*must be read",
    ),
    "a memory that nobody reads": (
        replace(RULE, remembers={**RULE.remembers, "history": 0.0}),
        "history: .*must be read",
    ),
    "a projection that carries nothing": (
        with_projection("U", Projection("l-1", "l")),
        "U: a projection must carry something",
    ),
    "one sum of two variables": (
        awake(Carry("V", "rate", "error_drive")),
        "got 'error_drive'.*'delta' and 'rate' through V",
    ),
    "one sum of two projections": (awake(Carry("b", "rate", "basal_input")), "got 'basal_input'.*W and b"),
    "a sum that is assigned": (awake(Let("hidden", "error_drive = 0")), "target of a sum must not be assigned"),
    "at once though it depends on itself": (
        awake(Carry("W", "delta", "delta_drive", levels="2..L"), Pool("hidden", "delta", "delta", seen_by="l+1")),
        "at once must not depend",
    ),
    "a host within a phase": (awake(Host("V", "V = pinv(W)", every="learning_rate")), "must stand at the beginning"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_said(what):
    rule, sentence = WRONG[what]
    found = complaints(rule)
    assert any(re.search(sentence, each) for each in found), found
    for each in found:
        assert HOUSE_FORM.fullmatch(each), each
    with pytest.raises(RuleError, match=re.escape(found[0][:40])):
        checked(rule)


def test_only_what_is_wrong_is_said():
    """One slip, few sentences: what follows from it is not said."""
    assert len(complaints(WRONG["an unknown name, and the nearest"][0])) <= 2
    assert len(complaints(WRONG["a place by a wrong name"][0])) == 1


def test_names_that_brian2_refuses_are_refused():
    from brian2.core.functions import DEFAULT_CONSTANTS, DEFAULT_FUNCTIONS
    from brian2.core.namespace import DEFAULT_UNITS
    from brian2.equations.equations import Equations

    for name in [
        *DEFAULT_UNITS,
        *DEFAULT_FUNCTIONS,
        *DEFAULT_CONSTANTS,
        "i",
        "t",
        "dt",
        "N",
        "xi",
        "xi_1",
        "lastspike",
    ]:
        assert refusal(name), name
    ours = {name for rule in [*shipped().values(), *declared.DECLARED] for name in rule.numbers}
    for rule in shipped().values():
        placed = PlacedRule(configured(rule), (3, 3, 3))
        ours |= {name for l in range(3) for name in (*placed.variables(l), *placed.shared(l))}
    for name in ours:
        assert refusal(name) is None
        Equations.check_identifier(name)


# ---------------------------------------------------------------------- numbers
def test_a_rule_refuses_numbers_that_it_does_not_have():
    with pytest.raises(RuleError, match=r"random_feedback.damping: must be a number of this rule \(got 1.0\)"):
        shipped()["random_feedback"].values({"damping": 1.0})
    with pytest.raises(RuleError, match="did you mean 'damping'"):
        RULE.values({"dampign": 1.0})
    for wrong in (-1.0, float("nan"), "1"):
        with pytest.raises(RuleError, match="reciprocal.damping: must be a number at least 0"):
            RULE.values({"damping": wrong})
    with pytest.raises(RuleError, match="whole number"):
        shipped()["exact_pseudoinverse"].values({"pseudoinverse_every_presentations": 1.5})


def test_numbers_must_go_together():
    both_vanish = {"damping": 1.0, "noise_gain": 1.0, "forward_sleep_learning_rate": 0.1}
    with pytest.raises(RuleError, match=r"damping < noise_gain must hold, because both weights would vanish \(got"):
        RULE.values(both_vanish)
    assert RULE.values(both_vanish | {"noise_gain": 2.0}) and RULE.values(both_vanish | {"damping": 0.5})
    with pytest.raises(RuleError, match="feedback_levels != 1 must hold"):
        with_perturbed_feedback(RULE).values({"feedback_levels": 1})
    assert "got 'dumping'" in complaints(replace(RULE, requires={"dumping > 0": "because"}))[0]


def test_options_and_time_can_be_chosen_in_either_order():
    for rule in (shipped()[name] for name in TAUGHT):
        options = {"presynaptic_normalisation": True, "sleep_normalisation": True, "feedback_to_input": True}
        assert configured(in_time(rule), **options).content_hash == in_time(configured(rule, **options)).content_hash


def test_numbers_follow_others_unless_they_are_given():
    assert RULE.values({"damping": 2.0})["noise_gain"] == 3.0
    assert RULE.values({"damping": 2.0, "noise_gain": 1.0})["noise_gain"] == 1.0
    assert with_feedback_gain(RULE, "none").values({"damping": 2.0})["noise_gain"] == 1.0


# ---------------------------------------------------------------------- transformations that cannot be
def test_transformations_say_what_they_cannot_do():
    predictive = declared.PREDICTIVE_CODING
    refusals = (
        (lambda: in_time(predictive), "rounds of a Repeat must begin with Then"),
        (lambda: in_time(declared.WAKE_SLEEP), "must be settled where nothing in a rule settles"),
        (lambda: in_time(in_time(RULE)), "must get a rule that settles at once"),
        (lambda: without_projection(RULE, "W"), "must be a summand"),
        (lambda: with_feedback_to_input(with_feedback_to_input(RULE)), "must be asked of a rule"),
        (lambda: with_feedback_gain(predictive, "norm_matched"), "remembers no apical_gain"),
        (lambda: with_nonlinearities(RULE, "relu"), "nonlinearity: must be one of linear"),
        (lambda: with_nonlinearities(RULE, top="relu"), "top: must be one of"),
        (lambda: with_nonlinearities(RULE, slope_rule="inverse"), "slope_rule: must be one of"),
        (
            lambda: with_nonlinearities(awake(Let("top", "rate = 0\nrate = top_sigma(delta)"))),
            "called once in a moment",
        ),
        (lambda: RULE.replacing(feedback_updat=UPDATE), "did you mean 'feedback_update'"),
        (lambda: rule_named("recipocal"), "learning_rule: must be one of"),
        (lambda: PlacedRule(in_time(RULE), (3, 3), {("W", 1): 5}).counts(RULE.values(), 5), "delays must be shorter"),
    )
    for attempt, sentence in refusals:
        with pytest.raises(CortexModelError, match=sentence) as refused:
            attempt()
        assert "; " in str(refused.value)


# ---------------------------------------------------------------------- what a rule is
def test_a_content_hash_names_what_is_declared():
    hashes = {rule.content_hash for rule in shipped().values()}
    assert len(hashes) == len(shipped())
    assert RULE.content_hash == replace(RULE, paper="elsewhere").content_hash
    changed = (
        changed_update(change="difference_post*up_pre + damping*weight"),
        with_feedback_to_input(RULE),
        in_time(RULE),
        in_time(RULE, Dynamics("slow", "{x} += 0.1*({f} - {x})")),
        awake(Then()),
        replace(RULE, numbers={**RULE.numbers, "damping": replace(RULE.numbers["damping"], default=0.5)}),
        replace(RULE, phases={**RULE.phases, "wake": (Climb(*RULE.phases["wake"]),)}),
    )
    assert len({RULE.content_hash, *(rule.content_hash for rule in changed)}) == 1 + len(changed)


def test_where_a_moment_applies_is_not_what_it_is():
    """So that events are shared between phases that apply it elsewhere."""
    assert Carry("W", "rate", "basal_input") == Carry("W", "rate", "basal_input", levels="2..L")
    assert Let("hidden", "x = 1") == Let("top", "x = 1") != Show("top", "x = 1")
    assert Settle("top", "x", "y") != Let("top", "x = y")


def test_steps_and_changes_are_multiplied_one_after_another():
    """In this order roundings are those of the equations that ran before there were declarations."""
    assert Learn("W", "-learning_rate", "delta_post*rate_pre").increment == "-learning_rate*delta_post*rate_pre"
    assert Learn("W", "eta", "a_post*b_pre - c*weight").increment == "eta*(a_post*b_pre - c*weight)"
    assert Learn("W", "eta", "-weight").increment == "eta*(-weight)"
    x = {"eta": 3.0, "a_post": 2.0, "b_pre": 5.0, "c": 0.5, "weight": 4.0}
    for change in ("a_post*b_pre - c*weight", "a_post % b_pre", "weight**2", "a_post/b_pre", "int(a_post > b_pre)"):
        assert eval(Learn("W", "eta", change).increment, dict(x)) == pytest.approx(x["eta"] * eval(change, dict(x)))


@pytest.mark.parametrize("name", NONLINEARITIES)
def test_every_slope_is_the_derivative_of_its_rate(name):
    drive = np.array([-3.0, -1.0, -0.2, 0.3, 1.0, 2.5])
    functions = {"tanh": np.tanh, "exp": np.exp, "log": np.log, "abs": np.abs, "int": lambda x: x.astype(int)}
    rate = lambda x: eval(NONLINEARITIES[name].rate, functions, {"drive": x})  # noqa: E731
    slope = eval(NONLINEARITIES[name].slope, functions, {"drive": drive, "rate": rate(drive)})
    expected = (rate(drive + 1e-6) - rate(drive - 1e-6)) / 2e-6
    np.testing.assert_allclose(slope * np.ones_like(drive), expected, rtol=1e-8, atol=1e-9)

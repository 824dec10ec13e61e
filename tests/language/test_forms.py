"""Forms of a rule: a parameter chooses, each is a rule of its own, and a change of the rule changes all."""

from dataclasses import replace

import pytest

from cortex_model.errors import RuleError
from cortex_model.language import Choice, Learn, Number
from cortex_model.language.dynamics import in_time
from cortex_model.language.sequence import moments_of
from cortex_model.language.soundness import checked, complaints
from cortex_model.parameters import SleepWakeParameters
from cortex_model.rules import shipped
from cortex_model.schedule import declared

RANDOM, TRANSPOSE = shipped()["random_feedback"], shipped()["backpropagation"]
FAST = replace(TRANSPOSE, name="fast")
READ_BY_NONE = replace(FAST, numbers=FAST.numbers | {"extra": Number(1.0, "a number that is not read")})


def with_choice(choice, **changes):
    return replace(RANDOM, choices={"how": choice}, **changes)


def test_a_choice_is_between_the_rule_itself_and_others():
    rule = with_choice(Choice("how V learns", "slowly", {"fast": FAST}))
    assert complaints(rule) == []
    assert rule.form().phases == rule.form({"how": "slowly"}).phases == RANDOM.phases
    assert rule.form({"how": "fast"}) == FAST and rule.form({"another": "fast"}).name == "random_feedback"
    assert [form.name for form in rule.forms] == ["random_feedback", "fast"] and not rule.form().choices
    with pytest.raises(RuleError, match=r"random_feedback\.how: must be one of slowly, fast \(got 'fas'\)"):
        rule.form({"how": "fas"})


def test_what_is_replaced_is_replaced_in_every_form():
    update = Learn("W", "-learning_rate", "rate_pre*delta_post", name="weight_update")
    rule = with_choice(Choice("how V learns", "slowly", {"fast": FAST})).replacing(weight_update=update)
    for form in rule.forms:
        assert update in list(moments_of(form.phases["wake"])), form.name
    asleep = shipped()["predictive_coding"].replacing(feedback_update=Learn("V", "-sleep_learning_rate", "weight"))
    learned = list(moments_of(asleep.form({"feedback_learning": "sleep"}).phases["sleep"]))
    assert any(getattr(moment, "change", "") == "weight" for moment in learned), "a moment that only one form has"
    timed = shipped()["predictive_coding"].replacing(prediction_update=replace(update, name="prediction_update"))
    for form in timed.forms:
        for sequence in (form.phases["wake"], form.timed["wake"]):
            assert any(getattr(moment, "change", "") == "rate_pre*delta_post" for moment in moments_of(sequence))


def test_a_form_may_have_projections_of_its_own():
    """What they are, and with which rules a program is shared, is asked of the form that is chosen."""
    own = replace(shipped()["direct_feedback"], name="direct")
    rule = with_choice(Choice("where V comes from", "above", {"top": own}), name="from_above")
    sizes = {"layer_sizes": (7, 5, 6, 4), "learning_rule": rule}
    above, top = SleepWakeParameters(**sizes), SleepWakeParameters(**sizes, how="top")
    assert (above.feedback_from_top, top.feedback_from_top) == (False, True)
    assert (above.feedback_shape(2), top.feedback_shape(2)) == ((5, 6), (5, 4))
    names = {p.how: {name for rule in [declared(p).placed.rule] for name in rule.phases} for p in (above, top)}
    assert "direct/wake" in names["top"] and "direct/wake" not in names["above"]


WRONG = {
    "'fast' must be a Rule without choices (got 3)": with_choice(Choice("m", "slow", {"fast": 3})),
    "'fast' must be a rule of another name (got 'random_feedback' twice)": with_choice(
        Choice("m", "slow", {"fast": replace(TRANSPOSE, name="random_feedback")})
    ),
    "must be Choice(meaning, word, {word: Rule}) (got 3)": with_choice(3),
    "must say what it means (got '')": with_choice(Choice("", "slow", {"fast": FAST})),
    "must name each form once (got 'slow' twice)": with_choice(Choice("m", "slow", {"slow": FAST})),
    "must have names of their own (got 'learning_rate': a number of the rule)": replace(
        RANDOM, choices={"learning_rate": Choice("m", "slow", {"fast": FAST})}
    ),
    "must hold at most one Choice (got a, b)": replace(
        RANDOM, choices={name: Choice("m", "slow", {"fast": FAST}) for name in "ab"}
    ),
    "(got 'extra', which nothing reads)": with_choice(Choice("m", "slow", {"fast": READ_BY_NONE})),
    "must be one of targets, stimuli, sequences (got 'nothing')": replace(RANDOM, task="nothing"),
    "must be of phases that the rule has (got 'dream')": replace(RANDOM, timed={"dream": ()}),
}


@pytest.mark.parametrize("sentence", WRONG)
def test_what_is_wrong_with_forms_is_said(sentence):
    with pytest.raises(RuleError) as raised:
        checked(WRONG[sentence])
    assert sentence in str(raised.value) and ";" in str(raised.value)


def test_another_sequence_where_things_take_time():
    """Numbers that only rounds read are gone there; others stay."""
    rule = shipped()["predictive_coding"]
    leaky = in_time(rule.form())
    assert set(rule.numbers) - set(leaky.numbers) == {"inference_steps", "inference_rate"}
    named = {getattr(moment, "name", "") for moment in moments_of(leaky.phases["wake"])}
    assert "inference_in_time" in named and "inference" not in named


def test_a_rule_that_is_added_changes_no_name_of_a_run():
    """What the rule does not read is not in the name while it is as nobody has changed it."""
    p = SleepWakeParameters(learning_rule="random_feedback")
    assert not {"inference_steps", "feedback_learning", "damping"} & set(p.decisive())
    assert {"inference_steps", "feedback_learning"} <= set(
        SleepWakeParameters(learning_rule="predictive_coding").decisive()
    )
    changed = SleepWakeParameters(learning_rule="random_feedback", damping=3.0)
    assert changed.decisive()["damping"] == 3.0 and changed.content_hash != p.content_hash

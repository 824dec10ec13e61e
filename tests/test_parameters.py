"""Parameters: checked when they are given, named by their content, listed with unit and meaning."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cortex_model.errors import ParameterError
from cortex_model.parameters import HierarchyParameters, SleepWakeParameters, content_hash
from cortex_model.parameters.data import DataParameters
from cortex_model.parameters.hierarchy import LEAKY
from cortex_model.rules import shipped
from cortex_model.theory import NONLINEARITIES, TOP_RATES

DEFAULT = SleepWakeParameters()
#: Before a test of a file of one's own adds to them.
ROWS = set(NONLINEARITIES)
#: All but the one that is a file: tests/test_going_on.py.
FIELDS = {name: field for name, field in SleepWakeParameters.model_fields.items() if name != "start_from"}
SCHEMA = SleepWakeParameters.model_json_schema()["properties"]


def choices(name):
    """The values that are offered, where there are a few."""
    return SCHEMA[name].get("enum", SCHEMA[name].get("choices", ()))


def another(name):
    """A valid value of a parameter that is not its default."""
    value = getattr(DEFAULT, name)
    special = {"feedback_levels": 2, "presentation_ms": 80.0, "feedback_onset_ms": 40.0, "feedback_delay_ms": (3.0,)}
    special |= {"relative_learning_rates": ("W_1:0.0",), "interventions": ("freeze W_1 at 3",), "record": ("V_2",)}
    if name in special:
        return special[name]
    if choices(name):
        return next(choice for choice in choices(name) if choice != value)
    if isinstance(value, bool):
        return not value
    return (
        (*value, 3) if isinstance(value, tuple) else 0.5 + (value == 0.5) / 4 if isinstance(value, float) else value + 1
    )


# ---------------------------------------------------------------------- overrides
@pytest.mark.parametrize("name", FIELDS)
def test_every_parameter_can_be_overridden_by_value_and_by_text(name):
    value = another(name)
    text = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
    overridden = DEFAULT.with_overrides({name: value})
    assert getattr(overridden, name) == value
    assert DEFAULT.with_overrides({name: text}) == overridden
    assert getattr(DEFAULT, name) != value, "the parameters that were overridden stay as they are"


def test_parameters_are_frozen():
    with pytest.raises(
        ParameterError, match=r"^Parameters\.learning_rate: must stay as it was given \(got 1\.0 for it\)"
    ):
        DEFAULT.learning_rate = 1.0
    assert DEFAULT.learning_rate == FIELDS["learning_rate"].default


@pytest.mark.parametrize(
    ("name", "nearest"), [("learning_rat", "learning_rate"), ("layersizes", "layer_sizes"), ("dampening", "damping")]
)
def test_an_unknown_name_is_answered_with_the_nearest(name, nearest):
    with pytest.raises(ParameterError, match=rf"^Parameters\.{name}: must be .*; did you mean '{nearest}'\?$"):
        DEFAULT.with_overrides({name: 1})


def test_a_name_like_no_other_is_answered_with_all():
    with pytest.raises(ParameterError, match="known are annealing_presentations, .*, trace_ms"):
        DEFAULT.with_overrides({"qqqqqqqqqq": 1})


OUT_OF_RANGE = [
    ("learning_rate", -0.1, "a number at least 0"),
    ("learning_rate", np.inf, "a number at least 0"),
    ("learning_rate", "fast", "a number at least 0"),
    ("damping", -1, "a number at least 0"),
    ("regression", 1.0, "a number at least 0 and below 1"),
    ("gain_update_presentations", 0, "a whole number at least 1"),
    ("sleep_before_presentations", -1, "a whole number at least 0"),
    ("sleep_before_presentations", 1.5, "a whole number at least 0"),
    ("layer_sizes", (5, 0, 2), "at least 2 numbers separated by commas, each a whole number at least 1"),
    ("layer_sizes", (5,), "at least 2 numbers separated by commas, each a whole number at least 1"),
    ("nonlinearity", "qqqq", "one of linear, threshold_linear, tanh, sigmoid, softplus"),
    ("dtype", "qqqq", "one of float32, float64"),
    ("batch_size", True, "a whole number at least 1"),
    ("learning_rate", False, "a number at least 0"),
    ("layer_sizes", "64,,10", "at least 2 numbers separated by commas, each a whole number at least 1"),
    ("biases", "perhaps", "true or false"),
]


@pytest.mark.parametrize(("name", "value", "range_in_words"), OUT_OF_RANGE)
def test_a_value_out_of_range_is_refused_with_range_value_and_default(name, value, range_in_words):
    with pytest.raises(ParameterError) as error:
        DEFAULT.with_overrides({name: value})
    assert str(error.value) == (
        f"Parameters.{name}: must be {range_in_words} (got {value!r}); give another value, "
        f"such as the default {FIELDS[name].default!r}."
    )


@pytest.mark.parametrize("model", [HierarchyParameters, SleepWakeParameters])
@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"layer_sizes": (64, 0, 10)}, "Parameters.layer_sizes: must be at least 2 numbers"),
        ({"layer_sizes": {64, 10}}, "Parameters.layer_sizes: must be at least 2 numbers"),
        ({"layer_sizes": 5}, "Parameters.layer_sizes: must be"),
        ({"layer_sizes": np.zeros((20, 30))}, "(got an array of shape (20, 30) and type float64)"),
        ({"layer_sizes": tuple(range(5000))}, "Parameters.layer_sizes: must be"),
        ({"nonlinearity": "x" * 10_000}, "Parameters.nonlinearity: must be one of"),
        ({"nonlinearity": np.arange(10_000.0)}, "Parameters.nonlinearity: must be one of"),
        ({"batch_size": 10**400}, "Parameters.batch_size: must be at most 2147483647"),
        ({"batch_size": object()}, "Parameters.batch_size: must be a whole number at least 1"),
        ({"batch_size": 2, "dense": False}, "Parameters: batch_size must be 1 where dense is false (got 2)"),
        ({"layersizes": (3, 2)}, "Parameters.layersizes: must be the name of a parameter; did you mean 'layer_sizes'?"),
        ({"dynamics": "leaky", "presentation_ms": 1e300}, "presentation_ms must be at most 2147483647 time steps"),
    ],
)
def test_making_parameters_with_wrong_values_is_refused_in_one_short_sentence(model, values, sentence):
    with pytest.raises(ParameterError) as error:
        model(**values)
    said = str(error.value)
    assert isinstance(error.value, ValueError) and sentence in said
    assert len(said) < 600 and "\n" not in said and "pydantic" not in said


def test_numbers_of_numpy_are_read_as_they_are():
    p = SleepWakeParameters(layer_sizes=np.array([5, 4, 3]), batch_size=np.int64(2), learning_rate=np.float32(0.5))
    assert p == SleepWakeParameters(layer_sizes=(5, 4, 3), batch_size=2, learning_rate=0.5)
    assert SleepWakeParameters(layer_sizes="5, 4,3").layer_sizes == p.layer_sizes
    assert p.content_hash == DEFAULT.with_overrides(p.model_dump()).content_hash


NOT_READ = [
    (
        {"weight_decay": 0.1},
        "kolen_pollack",
        r"reciprocal \(got 0\.1\), for only kolen_pollack, predictive_coding with feedback_learning=hebbian "
        "read it; leave it out",
    ),
    (
        {"forward_sleep_learning_rate": 0.1},
        "reciprocal",
        r"ben_israel .* only hinton_mcclelland, "
        "predictive_coding with feedback_learning=sleep, reciprocal read it",
    ),
    ({"regression": 0.5}, "hinton_mcclelland", r"weight_mirror .* only hinton_mcclelland reads it"),
    (
        {"slope_cutoff": 0.2, "slope_rule": "derivative"},
        None,
        r"reciprocal .* only an option that is not chosen reads it",
    ),
]


def test_rounds_are_refused_where_time_steps_take_their_place():
    p = DEFAULT.with_overrides({"learning_rule": "predictive_coding", "dynamics": "leaky", "inference_steps": 5})
    with pytest.raises(ParameterError, match=r"^Parameters\.inference_steps: must be left out where dynamics is leaky"):
        p.check_asked(["inference_steps"])
    p.with_overrides({"dynamics": "settled"}).check_asked(["inference_steps"])


def test_numbers_of_spikes_are_refused_where_there_are_none():
    with pytest.raises(
        ParameterError,
        match=r"^Parameters\.membrane_ms: must be left out where dynamics is settled \(got 5\), for only spikes have "
        r"it; leave it out, or set dynamics=spiking\.$",
    ):
        DEFAULT.with_overrides({"membrane_ms": 5}).check_asked(["membrane_ms"])
    DEFAULT.with_overrides({"dynamics": "spiking", "membrane_ms": 5}).check_asked(["membrane_ms"])


@pytest.mark.parametrize(("asked", "reading", "sentence"), NOT_READ)
def test_a_number_is_refused_by_name_where_the_rule_does_not_read_it(asked, reading, sentence):
    other = sentence.split()[0].split("\\")[0]
    p = DEFAULT.with_overrides(asked | {"learning_rule": other, "damping": 0.1})
    p.check_asked(["damping"])
    (name,) = asked.keys() - {"slope_rule"}
    with pytest.raises(
        ParameterError, match=rf"^Parameters\.{name}: must be left out where learning_rule is {sentence}"
    ):
        p.check_asked(asked)
    does = {"learning_rule": reading} if reading else {"slope_rule": "reciprocal"}
    p.with_overrides(does).check_asked(asked)


TOGETHER = [
    (
        {"learning_rule": "weight_mirror", "damping": 0},
        r"weight_mirror\.damping: must be a number above 0 \(got 0\.0\)",
    ),
    (
        {"learning_rule": "hinton_mcclelland", "forward_sleep_learning_rate": 0.1, "damping": 1.0},
        "hinton_mcclelland: forward_sleep_learning_rate == 0 or damping < 1 must hold, because both weights would",
    ),
    (
        {"forward_sleep_learning_rate": 0.1, "damping": 1.0, "feedback_gain": "none"},
        "reciprocal: forward_sleep_learning_rate == 0 or damping < noise_gain must hold, because both weights would "
        r"vanish \(got damping 1, .* noise_gain 1\)",
    ),
    ({"feedback_levels": 1}, "reciprocal: feedback_levels != 1 must hold, because with one level every weight"),
    ({"feedback_noise": 0.1, "feedback_gain": "norm_matched"}, "feedback_noise and feedback_levels: must be 0"),
    ({"feedback_levels": 4, "learning_rule": "exact_pseudoinverse"}, "feedback_noise and feedback_levels: must be 0"),
]


@pytest.mark.parametrize(("overrides", "sentence"), TOGETHER)
def test_parameters_that_do_not_go_together_are_refused(overrides, sentence):
    with pytest.raises(ParameterError, match=f"^Parameters: {sentence}"):
        DEFAULT.with_overrides(overrides)


@pytest.mark.parametrize(
    ("task", "more"),
    [("stimuli", r"use the protocol helmholtz_machine\.$"), ("sequences", r"use the protocol hippocampal_replay\.$")],
)
def test_a_rule_that_learns_something_else_is_refused(task, more):
    """Parameters of a protocol say what wake must teach; those of a rule that is only looked at say nothing."""
    rule = replace(shipped()["random_feedback"], name="other", task=task)
    assert SleepWakeParameters(learning_rule=rule).rule.task == task
    sentence = r"^Parameters\.learning_rule: must be a rule that learns targets with this protocol \(got other\.py#"
    with pytest.raises(ParameterError, match=rf"{sentence}\w+, which learns {task}\); {more}"):
        DataParameters(learning_rule=rule)


@pytest.mark.parametrize(
    "overrides",
    [
        {"forward_sleep_learning_rate": 0.1, "damping": 1.0, "learning_rule": "backpropagation"},
        {"forward_sleep_learning_rate": 0.1, "damping": 30.0},
        {"forward_sleep_learning_rate": 0.1, "damping": 0.9, "feedback_gain": "none"},
        {"damping": 5.0, "feedback_gain": "none"},
        {"learning_rule": "hinton_mcclelland", "damping": 0.1, "feedback_gain": "norm_matched"},
        {"learning_rule": "exact_pseudoinverse", "feedback_gain": "norm_matched"},
    ],
    ids=str,
)
def test_parameters_that_go_together_are_accepted(overrides):
    accepted = DEFAULT.with_overrides(overrides)
    assert {name: getattr(accepted, name) for name in overrides} == overrides


@given(st.floats(0, 1e6), st.sampled_from(["none", "closed_form", "norm_matched"]))
def test_gain_of_the_noise(damping, feedback_gain):
    gain = DEFAULT.with_overrides({"damping": damping, "feedback_gain": feedback_gain}).noise_gain
    assert gain == (1 + damping if feedback_gain == "closed_form" else 1)


def test_a_rule_without_a_gain_of_the_noise_has_none():
    assert DEFAULT.with_overrides({"learning_rule": "ben_israel", "damping": 3.0}).noise_gain == 1


@given(st.lists(st.integers(1, 5), min_size=2, max_size=6), st.booleans())
def test_feedback_layers(sizes, to_input):
    p = HierarchyParameters(layer_sizes=tuple(sizes), feedback_to_input=to_input)
    assert p.n_layers == len(sizes) - 1
    assert p.feedback_layers == [level for level in range(1, len(sizes)) if level > 1 or to_input]


# ---------------------------------------------------------------------- names by content
def test_content_hash_is_the_same_everywhere_and_always():
    assert content_hash({"b": 1, "a": [1.5, "x"]}) == content_hash({"a": [1.5, "x"], "b": 1}) == "940cdaf7bbf0"


@pytest.mark.parametrize("name", FIELDS)
def test_content_hash_changes_with_each_parameter_and_back(name):
    needed = {"record_stimuli": {"record": ("rate",)}} | dict.fromkeys(LEAKY[1:], {"dynamics": "leaky"})
    start = DEFAULT.with_overrides(needed.get(name, {}))
    changed = start.with_overrides({name: another(name)})
    assert changed.content_hash != start.content_hash
    assert changed.with_overrides({name: getattr(DEFAULT, name)}).content_hash == start.content_hash


@pytest.mark.parametrize("name", LEAKY[1:])
def test_times_change_no_hash_in_the_settled_mode(name):
    """So that settled runs keep the names that they had before there were times."""
    assert DEFAULT.with_overrides({name: another(name)}).content_hash == DEFAULT.content_hash
    assert name not in DEFAULT.decisive()


def test_content_hash_tells_kinds_of_parameters_apart():
    assert HierarchyParameters().content_hash != SleepWakeParameters().content_hash


# ---------------------------------------------------------------------- times
def test_times_are_counted_in_steps():
    p = SleepWakeParameters(
        layer_sizes=(5, 4, 3, 2), dynamics="leaky", time_constant_ms=20, time_step_ms=0.5, presentation_ms=30,
        feedback_onset_ms=10, forward_delay_ms=(0, 1, 2.5), feedback_delay_ms=(3,),
    )  # fmt: skip
    assert (p.n_steps, p.onset_step) == (60, 19)
    assert p.delays == {("W", 1): 0, ("W", 2): 2, ("W", 3): 5, ("V", 2): 6, ("V", 3): 6}
    assert p.relaxation == pytest.approx(1 - np.exp(-0.5 / 20), rel=1e-14)
    assert (DEFAULT.n_steps, DEFAULT.relaxation) == (1, 1.0)


TIMES = {
    "presentation_ms must be a whole number of time steps": {"presentation_ms": 33.3},
    "feedback_onset_ms must be a whole number of time steps": {"feedback_onset_ms": 0.5},
    "forward_delay_ms must be a whole number of time steps": {"forward_delay_ms": (1.0, 0.3)},
    "feedback_onset_ms must be before the end of the presentation, at 100 ms": {"feedback_onset_ms": 100},
    "forward_delay_ms must be one number, or one for each of the 2 forward": {"forward_delay_ms": (1, 2, 3)},
    "feedback_delay_ms must be one number, or one for each of the 1 feedback": {"feedback_delay_ms": (1, 2)},
    "feedback_delay_ms must be shorter than presentation_ms": {"feedback_delay_ms": (100,)},
    "at most 100 steps": {"forward_delay_ms": (101,), "presentation_ms": 200},
}


@pytest.mark.parametrize("sentence", TIMES)
def test_times_that_do_not_go_together_are_refused(sentence):
    with pytest.raises(ParameterError, match=sentence) as raised:
        DEFAULT.with_overrides({"dynamics": "leaky"} | TIMES[sentence])
    assert "got" in str(raised.value) and ";" in str(raised.value)
    DEFAULT.with_overrides(TIMES[sentence])  # in the settled mode they say nothing


# ---------------------------------------------------------------------- the table
@pytest.mark.parametrize("row", SleepWakeParameters.table(), ids=lambda row: row["name"])
def test_every_row_of_the_table_has_unit_range_and_meaning(row):
    assert all(row[column] for column in ("name", "default", "unit", "range", "meaning"))
    assert row["range"] != "a value"
    assert DEFAULT.with_overrides({row["name"]: row["default"]}) == DEFAULT, "the default can be typed as it is shown"


def test_the_table_has_a_row_for_every_parameter():
    assert [row["name"] for row in SleepWakeParameters.table()] == list(SleepWakeParameters.model_fields)


# ---------------------------------------------------------------------- one list of names
def test_choices_are_those_of_theory_and_of_the_rules():
    assert set(choices("learning_rule")) == set(shipped())
    assert set(choices("nonlinearity")) == ROWS
    assert set(choices("top")) == set(TOP_RATES)

"""A rule in a hierarchy: places, sequences, variables, all of them derived."""

from dataclasses import replace

import pytest

from cortex_model.errors import RuleError
from cortex_model.language import (
    Carry,
    Climb,
    Descend,
    Learn,
    Let,
    Number,
    PlacedRule,
    Projection,
    Repeat,
    Rule,
    Settle,
    Then,
    in_time,
)
from cortex_model.language.options import configured, with_feedback_to_input, without_biases
from cortex_model.language.rule import how_often
from cortex_model.language.sequence import moments_of
from cortex_model.language.soundness import checked
from cortex_model.reference.interpreter import Interpreter
from cortex_model.rules import shipped

SIZES = (7, 5, 6, 4)
RECIPROCAL = shipped()["reciprocal"]


def placed(name="reciprocal", sizes=SIZES, delays=None, is_leaky=False, **options):
    rule = configured(shipped()[name], **options)
    return PlacedRule(in_time(rule) if is_leaky else rule, sizes, delays)


# ---------------------------------------------------------------------- places
@pytest.mark.parametrize(
    ("where", "populations"),
    [
        ("input", [0]), ("hidden", [1, 2]), ("top", [3]), ("above input", [1, 2, 3]), ("all", [0, 1, 2, 3]),
        ("2..L", [2, 3]), ("L-1", [2]), ("2..L-1", [2]), ("pre of V", [2, 3]), ("post of V", [1, 2]),
        ("post of V & hidden", [1, 2]), ("input & post of V", []), ("pre of W at levels of V", [1, 2]),
        ("post of b", [1, 2, 3]), ("pre of b", []),
    ],
)  # fmt: skip
def test_places_in_words(where, populations):
    assert PlacedRule(RECIPROCAL, SIZES).places.populations(where) == populations


def test_places_follow_the_projections():
    to_input, direct = PlacedRule(with_feedback_to_input(RECIPROCAL), SIZES), placed("direct_feedback")
    assert to_input.places.populations("input & post of V") == [0]
    assert [direct.ends("V", l) for l in (2, 3)] == [(3, 1), (3, 2)]
    assert to_input.places.levels("levels of V") == [1, 2, 3]
    one_layer = PlacedRule(RECIPROCAL, (4, 6))
    assert one_layer.places.populations("hidden") == one_layer.places.levels("levels of V") == []


# ---------------------------------------------------------------------- sequences
A, B, C = Carry("W", "x", "y"), Let("all", "x = y"), Carry("V", "x", "z")
TOY = Rule(
    "toy", {"W": Projection("l-1", "l"), "V": Projection("l", "l-1", "2..L")},
    {"wake": (B, Climb(A, B), Descend(C, B), Repeat("n", A), Then(), Learn("W", "step", "x_pre*y_post"))},
    {"n": Number(2, "rounds", at_least=0, whole=True), "step": Number(0.1, "step")},
)  # fmt: skip


def test_sweeps_go_level_by_level():
    toy = PlacedRule(TOY, (1, 1, 1))
    groups = [
        [(event.moment, event.level) for event in group] for group in toy.groups("wake", toy.counts(TOY.values()))
    ]
    up = [[(A, 1)], [(B, 1)], [(A, 2)], [(B, 2)]]
    down = [[(C, 2)], [(B, 1)], [(B, 0)]]
    rounds = [[(A, 1), (A, 2)]] * 2
    learning = [[(TOY.phases["wake"][-1], 1), (TOY.phases["wake"][-1], 2)]]
    assert groups == [[(B, 0), (B, 1), (B, 2)], *up, *down, *rounds, *learning]


def test_rounds_are_numbers_of_a_run():
    toy = PlacedRule(TOY, (1, 1))
    lengths = [len(list(toy.groups("wake", toy.counts(TOY.values({"n": n}))))) for n in (0, 1, 5)]
    assert [length - lengths[0] for length in lengths] == [0, 1, 5]
    assert PlacedRule(TOY, (1, 1)).counts({"n": 3, "step": 1.0}).rounds == {"n": 3}


def test_what_an_event_reads_and_writes():
    touched = {event.moment: placed().touches(event) for event in placed().events if event.level == 2}
    by_name = {moment.name: touches for moment, touches in touched.items() if getattr(moment, "name", "")}
    reads, writes = by_name["feedback_update"]
    assert reads == {("V", 2), (1, "difference"), (2, "up"), } and writes == {("V", 2)}  # fmt: skip
    reads, writes = by_name["activation_reciprocal"]
    assert writes == {(2, "delta")} and {(2, "response"), (2, "error_drive"), (2, "apical_gain")} <= reads


# ---------------------------------------------------------------------- variables
def test_variables_are_what_is_assigned_or_arrives_or_leaves():
    plain = placed("random_feedback", top="linear")
    assert plain.variables(0) == ["rate"]
    assert plain.variables(1) == [
        "apical_drive", "basal_drive", "basal_input", "bias", "delta", "error_drive", "rate", "response"
    ]  # fmt: skip
    assert plain.remembered(1) == ["apical_gain"] and plain.remembered(3) == []
    assert plain.shared(3) == [] and placed(top="softmax").shared(3) == ["pooled_excitation"]
    assert "bias" not in PlacedRule(without_biases(RECIPROCAL), SIZES).variables(1)
    assert {f"rate_{l}" for l in range(4)} | {"apical_drive_1"} <= set(plain.trace_names)


def test_pools_are_seen_by_those_who_learn_from_them():
    normalised = placed(presynaptic_normalisation=True, sleep_normalisation=True)
    assert normalised.shared(1) == ["rate_power", "rate_reciprocal"]
    assert set(normalised.shared(2)) == {
        f"{name}_{what}" for name in ("rate", "up", "sent_back") for what in ("power", "reciprocal")
    }


def test_a_pool_is_summed_once_whoever_learns_from_it_first():
    wake = shipped()["backpropagation"].phases["wake"]
    assert [moment.projection for moment in wake[-3:]] == ["W", "b", "V"]
    turned = replace(shipped()["backpropagation"], phases={"wake": (*wake[:-3], *wake[:-4:-1])})
    rule = configured(turned, presynaptic_normalisation=True)
    pools = [event for event in PlacedRule(rule, SIZES).events if getattr(event.moment, "total", "") == "rate_power"]
    assert [event.level for event in pools] == [0, 1, 2]
    assert checked(rule) is rule


def test_axons_are_as_long_as_the_longest_delay():
    delayed = placed("direct_feedback", is_leaky=True, delays={("V", 2): 3, ("V", 3): 1, ("W", 2): 2})
    assert delayed.axons(3) == {"delta": 3, "rate": 3} and delayed.axons(1) == {"rate": 2} and delayed.axons(0) == {}
    assert [name for name in delayed.variables(1) if name.startswith("rate_")] == ["rate_1", "rate_2"]
    source = {
        event.level: delayed.source(event)
        for event in delayed.events
        if event.moment == Carry("V", "delta", "error_drive")
    }
    assert source == {2: "delta_3", 3: "delta_1"}


# ---------------------------------------------------------------------- in time
def test_a_stretch_unfolds():
    """Everything that settles in each step; what only plasticity needs at its end; what is held once."""
    leaky = placed("random_feedback", is_leaky=True, top="linear")
    counts = leaky.counts(leaky.rule.values(), 4, 2)
    steps, step = [], []
    for group in list(leaky.groups("wake", counts)) + [()]:
        if group:
            step += group
        elif step:
            steps.append(step)
            step = []
    assert len(steps) == 4
    in_steps = [{getattr(e.moment, "name", "") for e in each} for each in steps]
    assert [("weight_update" in each, "layer_response" in each, "stimulus" in each) for each in in_steps] == [
        (False, True, True), (False, True, False), (False, True, False), (True, True, False)
    ]  # fmt: skip
    assert ["output_error" in each for each in in_steps] == [False, False, True, True]
    assert ["activation_reciprocal" in each for each in in_steps] == [False, False, True, True]
    carried = [[e.level for e in each if e.moment == Carry("W", "rate", "basal_input")] for each in steps]
    assert carried == [[1, 2, 3], [2, 3], [2, 3], [2, 3]], "a stimulus is held, and summed once"


def test_settling_is_said_once():
    settles = [m for m in moments_of(in_time(RECIPROCAL).phases["wake"]) if isinstance(m, Settle)]
    assert settles == [m for m in moments_of(RECIPROCAL.phases["wake"]) if isinstance(m, Settle)]
    leaky = placed(is_leaky=True)
    codes = {leaky.code(event) for event in leaky.events if isinstance(event.moment, Settle) and event.level == 1}
    assert "rate += relaxation*(response - rate)" in codes


def test_a_matrix_for_each_projection_is_asked_for():
    with pytest.raises(RuleError, match=r"must hold a matrix for each projection \(got none for"):
        Interpreter(placed(), {}, RECIPROCAL.values())


@pytest.mark.parametrize(("times", "got"), [("-5", "-5"), ("span/0", "nan"), ("span - 4", "-2")])
def test_what_is_repeated_less_than_never_is_refused(times, got):
    assert [how_often(text, {"span": 2.0}) for text in ("span > 3", "span + 0.5", "-0.4")] == [0, 2, 0]
    with pytest.raises(RuleError, match=rf"must be a number at least 0 \(got '{times}', which is {got}\); mend"):
        how_often(times, {"span": 2.0})

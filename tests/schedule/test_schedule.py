"""The schedule: how much of each phase, in which order, and which gates are open."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cortex_model.equations import GATES
from cortex_model.errors import ParameterError
from cortex_model.parameters import LEARNING_RULES, SleepWakeParameters
from cortex_model.phases.schedule import (
    ASCENDING,
    DESCENDING,
    EVALUATION,
    KINDS,
    PHASES,
    RETURNING,
    SLEEPING,
    WAKE,
    open_gates,
    sleep_schedule,
    sleep_slots,
    wake_sleep_schedule,
)

PROPERTY = settings(deadline=None, max_examples=60)


def woven(n_wake=20, n_stimuli=8, n_evaluated=3, evaluate_every=0, evaluate_early_every=0, **overrides):
    """A schedule whose stimuli say where they come from: 100 * epoch + position, so that order is seen."""
    p = SleepWakeParameters(**overrides)

    def order(epoch):
        return 100 * epoch + np.arange(n_stimuli)

    return wake_sleep_schedule(p, order, n_stimuli, n_wake, n_evaluated, evaluate_every, evaluate_early_every)


def text(schedule):
    """One letter a slot: wake, evaluation, ascending, descending, returning."""
    return "".join(KINDS[kind][0] for kind in schedule.kind)


# ---------------------------------------------------------------------- amounts
@pytest.mark.parametrize(("sleep_per_wake", "n_sleep"), [(0, 0), (0.01, 2), (0.3, 60), (1, 200), (2.5, 500)])
@pytest.mark.parametrize("block", [1, 7, 1000])
def test_sleep_per_wake_is_kept_on_average_whatever_the_blocks(sleep_per_wake, n_sleep, block):
    schedule = woven(n_wake=200, sleep_per_wake=sleep_per_wake, sleep_block_presentations=block)
    assert schedule.n_presentations("wake") == 200
    assert schedule.n_presentations("sleep") == n_sleep
    assert schedule.n_presentations("evaluation") == 2 * 3
    assert schedule.n_presentations() == 200 + n_sleep + 6


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ({"sleep_per_wake": 1}, "wawawawawawa"),
        ({"sleep_per_wake": 0}, "wwwwww"),
        ({"sleep_per_wake": 2.5}, "waawaaawaawaaawaawaaa"),
        ({"sleep_per_wake": 0.5}, "wwawwawwa"),
        ({"sleep_per_wake": 1, "sleep_block_presentations": 4}, "wwwwaaaawwaa"),
        ({"sleep_per_wake": 0.5, "sleep_block_presentations": 4}, "wwwwaawwa"),
        ({"sleep_per_wake": 1, "sleep_before_presentations": 3}, "aaa" + "wa" * 6),
        ({"sleep_per_wake": 1, "forward_sleep_learning_rate": 0.1}, "wadr" * 6),
        ({"sleep_rule": "hinton_mcclelland"}, "wa" * 6),
        ({"sleep_rule": "hinton_mcclelland", "forward_sleep_learning_rate": 0.1}, "war" * 6),
        ({"sleep_rule": "ben_israel"}, "wdr" * 6),
        ({"learning_rule": "backpropagation"}, "wwwwww"),
        ({"learning_rule": "random_feedback", "sleep_before_presentations": 5}, "wwwwww"),
        ({"learning_rule": "exact_pseudoinverse"}, "wwwwww"),
    ],
    ids=str,
)
def test_weave_of_wake_and_sleep(overrides, expected):
    assert text(woven(n_wake=6, n_evaluated=0, **overrides)) == expected


def test_evaluations_come_before_learning_in_between_and_at_the_end():
    schedule = woven(n_wake=6, n_evaluated=2, evaluate_every=4, sleep_before_presentations=1)
    assert text(schedule) == "ee" + "a" + "wawawawa" + "ee" + "wawa" + "ee"
    assert schedule.looks.tolist() == [2, 13, 19]
    assert schedule.stimulus[schedule.kind == EVALUATION, 0].tolist() == [0, 1] * 3


def test_early_evaluations_end_where_the_others_begin():
    schedule = woven(n_wake=12, n_evaluated=1, evaluate_every=5, evaluate_early_every=2, sleep_per_wake=0)
    assert text(schedule) == "e" + "wwe" + "wwe" + "we" + "wwwwwe" + "wwe"
    short = woven(n_wake=3, n_evaluated=1, evaluate_every=5, evaluate_early_every=2, sleep_per_wake=0)
    assert text(short) == "e" + "wwe" + "we"


def test_disturbances_of_feedback_come_in_their_period():
    schedule = woven(n_wake=7, n_evaluated=0, feedback_noise=0.1, perturb_every_presentations=3, sleep_per_wake=0)
    assert schedule.refreshes == "perturbed"
    assert schedule.updates.tolist() == [0, 3, 6]


def test_an_end_that_is_an_evaluation_is_evaluated_once():
    assert text(woven(n_wake=4, n_evaluated=1, evaluate_every=2, sleep_per_wake=0)) == "ewwewwe"


def test_stimuli_come_in_the_order_of_their_epochs():
    schedule = woven(n_wake=19, n_stimuli=8, evaluate_every=5, sleep_per_wake=0.3)
    shown = schedule.stimulus[schedule.kind == WAKE, 0]
    assert shown.tolist() == [*range(8), *range(100, 108), *range(200, 203)]
    assert set(schedule.stimulus[np.isin(schedule.kind, PHASES["sleep"]), 0]) == {-1}


def test_only_sleep_needs_no_stimuli():
    schedule = woven(n_wake=0, n_stimuli=0, n_evaluated=0, sleep_before_presentations=4)
    assert text(schedule) == "aaaa"


def test_nothing_to_present_is_refused():
    with pytest.raises(ParameterError, match=r"^Schedule: must hold at least one presentation \(got none\)"):
        woven(n_wake=0, n_evaluated=0)


def test_sleep_schedule_is_looked_at_before_in_between_and_after():
    schedule = sleep_schedule(SleepWakeParameters(forward_sleep_learning_rate=0.1), 5, 2)
    assert text(schedule) == "adr" * 5
    assert schedule.presentation.tolist() == np.repeat(range(5), 3).tolist()
    assert schedule.looks.tolist() == [0, 6, 12, 15]
    assert (schedule.stimulus == -1).all()


# ---------------------------------------------------------------------- properties
SCHEDULES = st.fixed_dictionaries(
    {
        "n_wake": st.integers(1, 60),
        "n_stimuli": st.integers(1, 20),
        "n_evaluated": st.integers(0, 4),
        "evaluate_every": st.integers(0, 25),
        "sleep_per_wake": st.sampled_from([0.0, 0.01, 0.3, 1.0, 2.5]),
        "sleep_before_presentations": st.integers(0, 5),
        "sleep_block_presentations": st.integers(1, 9),
        "forward_sleep_learning_rate": st.sampled_from([0.0, 0.1]),
        "learning_rule": st.sampled_from(LEARNING_RULES),
        "damping": st.just(0.3),
        "feedback_gain": st.sampled_from(["closed_form", "norm_matched"]),
        "gain_update_presentations": st.integers(1, 30),
        "pseudoinverse_every_presentations": st.integers(1, 30),
    }
)


@PROPERTY
@given(SCHEDULES)
def test_presentations_are_numbered_without_gap_and_each_has_one_phase(arguments):
    schedule = woven(**arguments)
    steps = np.diff(schedule.presentation, prepend=-1)
    assert set(steps) <= {0, 1} and steps[0] == 1
    assert not (steps == 0)[schedule.kind <= EVALUATION].any(), "wake and evaluation take one slot each"
    rule = {name: arguments[name] for name in ("learning_rule", "damping", "forward_sleep_learning_rate")}
    n_slots = len(sleep_slots(SleepWakeParameters(**rule)))
    lengths = np.bincount(schedule.presentation)
    kinds = schedule.kind[np.flatnonzero(steps)]
    assert set(lengths[~np.isin(kinds, (WAKE, EVALUATION))]) <= {n_slots}, "no two of them share their noise"


@PROPERTY
@given(SCHEDULES)
def test_blocks_change_neither_the_wake_nor_the_amount_of_sleep(arguments):
    one_by_one, blocks = woven(**arguments | {"sleep_block_presentations": 1}), woven(**arguments)
    for phase in PHASES:
        assert one_by_one.n_presentations(phase) == blocks.n_presentations(phase)
    shown = [s.stimulus[s.kind == WAKE, 0].tolist() for s in (one_by_one, blocks)]
    assert shown[0] == shown[1]


@PROPERTY
@given(SCHEDULES, st.integers(3, 50))
def test_stops_cut_the_whole_into_chunks_that_fit(arguments, capacity):
    schedule = woven(**arguments)
    stops = schedule.stops(capacity)
    assert (stops[0], stops[-1]) == (0, schedule.n_slots)
    assert (np.diff(stops) > 0).all() and np.diff(stops).max() <= capacity
    assert set(schedule.looks) | set(schedule.updates) <= set(stops)
    chunks = [schedule.kind[a:b] for a, b in zip(stops, stops[1:], strict=False)]
    assert np.array_equal(np.concatenate(chunks), schedule.kind)


@PROPERTY
@given(SCHEDULES, st.integers(0, 60))
def test_presentations_begun_before_a_slot(arguments, slot):
    schedule = woven(**arguments)
    slot = min(slot, schedule.n_slots)
    assert schedule.n_presentations(slot=slot) == len(set(schedule.presentation[:slot]))
    for phase, kinds in PHASES.items():
        before = schedule.presentation[:slot][np.isin(schedule.kind[:slot], kinds)]
        assert schedule.n_presentations(phase, slot) == len(set(before))


@PROPERTY
@given(SCHEDULES)
def test_host_refreshes_in_its_period_of_wake_presentations(arguments):
    schedule, rule = woven(**arguments), arguments["learning_rule"]
    refreshes, period = "", 0
    if rule == "exact_pseudoinverse":
        refreshes, period = "pseudoinverse", arguments["pseudoinverse_every_presentations"]
    elif rule in ("reciprocal", "weight_mirror") and arguments["feedback_gain"] == "norm_matched":
        refreshes, period = "norm_matched", arguments["gain_update_presentations"]
    assert schedule.refreshes == refreshes
    done = [schedule.n_presentations("wake", slot) for slot in schedule.updates]
    assert done == (list(range(0, arguments["n_wake"], period)) if period else [])


# ---------------------------------------------------------------------- gates
EVERY_RULE = [
    {"learning_rule": rule, "sleep_rule": sleep_rule, "forward_sleep_learning_rate": rate,
     "feedback_to_input": to_input, "sleep_normalisation": normalised}
    | ({"damping": 0.5} if rule == "weight_mirror" else {})
    for rule in LEARNING_RULES
    for sleep_rule in SLEEPING
    for rate in (0.0, 0.1)
    for to_input in (False, True)
    for normalised in (False, True)
    if not (sleep_rule == "ben_israel" and rate) and (rule != "weight_mirror" or sleep_rule == "recirculation")
]  # fmt: skip
LEARNING_GATES = {
    "weight_update_gate", "transposed_update_gate", "weight_decay_gate", "feedback_update_gate", "forward_update_gate"
}  # fmt: skip
IN_WAKE = {
    "backpropagation": {"transposed_update_gate"},
    "kolen_pollack": {"transposed_update_gate", "weight_decay_gate"},
}


@pytest.mark.parametrize("overrides", EVERY_RULE, ids=lambda overrides: "-".join(map(str, overrides.values())))
def test_gates_of_every_rule(overrides):
    p = SleepWakeParameters(**overrides)
    gates = open_gates(p)
    assert set().union(*gates.values()) <= set(GATES)
    rule, rate = p.learning_rule, p.forward_sleep_learning_rate
    learns = {kind: names & LEARNING_GATES for kind, names in gates.items()}
    assert learns.pop(EVALUATION) == set(), "nothing is learned in evaluation"
    assert learns.pop(WAKE) == {"weight_update_gate"} | IN_WAKE.get(rule, set())
    in_sleep = set().union(*learns.values())
    if rule not in ("reciprocal", "weight_mirror"):
        assert not learns, "rules that do not sleep have no slots of sleep"
    else:
        assert in_sleep == {"feedback_update_gate"} | (
            {"forward_update_gate"} if rate and rule == "reciprocal" else set()
        )
        assert "sleep_power_gate" in set().union(*gates.values()) or not p.sleep_normalisation
    for kind in set(gates) - {WAKE, EVALUATION}:
        assert not gates[kind] & {"response_gate", "stimulus_gate", "error_gate"}, "sleep is linear, and in the dark"
        assert ("reconstruction_gate" in gates[kind]) == (p.feedback_to_input and "feedback_gate" in gates[kind])


def test_every_gate_is_opened_by_some_rule():
    opened = set()
    for overrides in EVERY_RULE:
        opened |= set().union(*open_gates(SleepWakeParameters(**overrides)).values())
    assert opened == set(GATES)


def test_a_gate_as_a_column():
    schedule = woven(n_wake=2, n_evaluated=1, forward_sleep_learning_rate=0.1)
    assert text(schedule) == "ewadrwadre"
    assert schedule.gate("noise_gate").astype(int).tolist() == [0, 0, 1, 1, 0, 0, 1, 1, 0, 0]
    assert schedule.gate("forward_update_gate").astype(int).tolist() == [0, 0, 0, 0, 1, 0, 0, 0, 1, 0]
    assert (ASCENDING, DESCENDING, RETURNING) == (2, 3, 4)

"""A schedule as a whole, before a device starts: what is shown is there, and every place is one."""

import dataclasses

import numpy as np
import pytest

from cortex_model.errors import ParameterError
from cortex_model.language import Host
from cortex_model.parameters import SleepWakeParameters
from cortex_model.rules import shipped
from cortex_model.schedule import (
    EVALUATION,
    PERCEPTION,
    RECALL,
    SLEEP,
    WAKE,
    Stimuli,
    sleep_schedule,
    trace_schedule,
    wake_sleep_schedule,
)
from cortex_model.schedule.checks import check_schedule, check_shown
from cortex_model.schedule.presentations import LARGEST

P = SleepWakeParameters(layer_sizes=(3, 4, 2), forward_sleep_learning_rate=0.1)
LEAKY = P.with_overrides({"dynamics": "leaky", "presentation_ms": 4.0, "feedback_onset_ms": 2.0})
N_STIMULI, N_EVALUATED = 5, 2


def rows(n):
    return np.ones((n, 3)), np.ones((n, 2))


STIMULI = Stimuli(rows(N_STIMULI), rows(N_EVALUATED))


def schedule_of(p=P, **changes):
    made = wake_sleep_schedule(p, lambda epoch: np.arange(N_STIMULI), N_STIMULI, 7, N_EVALUATED, 3)
    return dataclasses.replace(made, **changes)


def check(schedule, stimuli=STIMULI, p=P):
    check_schedule(schedule, p)
    check_shown(schedule, stimuli)


@pytest.mark.parametrize("dynamics", ["settled", "leaky"])
@pytest.mark.parametrize("rule", [name for name, rule in shipped().items() if rule.task == "targets"])
def test_schedules_of_every_rule_pass(rule, dynamics):
    overrides = {"learning_rule": rule, "dynamics": dynamics, "damping": 0.5, "forward_sleep_learning_rate": 0.0}
    for more in ({}, {"batch_size": 3, "feedback_gain": "norm_matched", "gain_update_presentations": 2}):
        p = LEAKY.with_overrides(overrides | more)
        check(schedule_of(p), p=p)
        for phase in (PERCEPTION, RECALL):
            check(trace_schedule(p, N_EVALUATED, phase), Stimuli(evaluation=rows(N_EVALUATED)), p)


def test_sleep_needs_no_stimuli():
    for p in (P, LEAKY):
        check(sleep_schedule(p, 5, 2), Stimuli(), p)


@pytest.mark.parametrize(
    ("stimuli", "sentence"),
    [
        (Stimuli(rows(4), rows(2)), r"must show rows 0 to 3 of Stimuli\.wake \(got row 4 in presentation \d+\)"),
        (Stimuli(rows(5), rows(1)), r"must show rows 0 to 0 of Stimuli\.evaluation \(got row 1 in presentation 1\)"),
        (Stimuli(rows(5)), r"Stimuli\.evaluation: must be given .* \(got none, and 8 such presentations\)"),
        (Stimuli(None, rows(2)), r"Stimuli\.wake: must be given .* \(got none, and 7 such presentations\)"),
    ],
    ids=["wake", "evaluation", "no evaluation", "no wake"],
)
def test_rows_that_are_not_there_are_refused(stimuli, sentence):
    with pytest.raises(ParameterError, match=sentence):
        check(schedule_of(), stimuli)


def with_row(phase, row, p=P):
    schedule = schedule_of(p)
    stimulus = schedule.stimulus.copy()
    stimulus[np.flatnonzero(schedule.phase == phase)[0], -1] = row
    return dataclasses.replace(schedule, stimulus=stimulus)


def test_wake_shows_something_and_sleep_nothing():
    with pytest.raises(
        ParameterError, match=r"^Schedule\.stimulus: must show rows 0 to 4 of Stimuli\.wake \(got row -1"
    ):
        check(with_row(WAKE, -1))
    with pytest.raises(ParameterError, match=r"must show no row, which is -1, in sleep \(got row 0"):
        check(with_row(SLEEP, 0))
    with pytest.raises(ParameterError, match=r"of Stimuli\.evaluation \(got row -2"):
        check(with_row(EVALUATION, -2))
    check(with_row(EVALUATION, -1))  # the last batch of an evaluation need not be full


def test_what_is_traced_shows_rows_of_evaluation():
    schedule = trace_schedule(P, 3, PERCEPTION)
    with pytest.raises(
        ParameterError, match=r"must show rows 0 to 1 of Stimuli\.evaluation \(got row 2 in presentation 2"
    ):
        check(schedule)
    check(schedule, Stimuli(evaluation=rows(3)))


MADE = schedule_of()
HOST = Host("V", "V = pinv(W)", every="n")

#: What is wrong -> (changes of a good schedule, what the sentence says).
WRONG = {
    "a list": ({"phase": MADE.phase.tolist()}, r"phase: must be a NumPy array of whole numbers \(got list\)"),
    "numbers that are not whole": ({"stimulus": MADE.stimulus / 2}, r"stimulus: .* whole numbers \(got float64\)"),
    "fewer rows than presentations": ({"stimulus": MADE.stimulus[1:]}, r"stimulus: must have shape \(\d+, 1\)"),
    "rows without batches": ({"stimulus": MADE.stimulus[:, 0]}, r"stimulus: must have shape \(\d+, 1\)"),
    "rows of another batch": ({"stimulus": np.repeat(MADE.stimulus, 2, 1)}, r"stimulus: must have shape"),
    "phases in rows": ({"phase": MADE.phase[:, None]}, r"phase: must have shape \(\d+,\)"),
    "measurements in rows": ({"measured": MADE.measured[:, None]}, r"measured: must have one dimension"),
    "an unknown phase": (
        {"phase": np.where(MADE.phase == WAKE, 9, MADE.phase)}, r"phase: must be among 0 \(wake\).*got 9"
    ),
    "a negative phase": ({"phase": MADE.phase - 1}, r"phase: must be among 0 \(wake\).*got -1"),
    "a phase without slots": (
        {"slots": {phase: slots for phase, slots in MADE.slots.items() if phase != "wake"}},
        r"slots: must say which gates are open in wake \(got none\)",
    ),
    "a phase of no slots": ({"slots": {**MADE.slots, "wake": ()}}, r"slots: must say which gates are open in wake"),
    "an unknown gate": (
        {"slots": {**MADE.slots, "wake": ({*MADE.slots["wake"][0], "wake_gat"},)}},
        r"slots: must hold gates of the program of reciprocal \(got 'wake_gat'\); did you mean 'wake_gate'",
    ),
    "a presentation before the first": ({"first_presentation": -1}, r"first_presentation: must be at least 0 .*got -1"),
    "numbers beyond 32 bits": ({"first_presentation": LARGEST}, r"first_presentation: .* numbered up to 2147483647"),
    "a measurement after the end": ({"measured": np.array([len(MADE) + 1])}, r"measured: must be places .*, 0 to 22 "),
    "a measurement before": ({"measured": np.array([-1])}, r"measured: must be places in the schedule"),
    "an intervention at the end": (
        {"interventions": {HOST: np.array([len(MADE)])}},
        r"interventions\['V = pinv\(W\)'\]: must be places .*, 0 to 21 ",
    ),
    "interventions in a list": ({"interventions": {HOST: [0]}}, r"interventions\[.*: must be a NumPy array"),
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG)
def test_schedules_that_cannot_be_meant_are_refused(wrong):
    changes, sentence = WRONG[wrong]
    with pytest.raises(ParameterError, match=rf"^Schedule\.{sentence}"):
        check(dataclasses.replace(MADE, **changes))


def test_a_place_may_be_the_first_and_the_last():
    check(
        dataclasses.replace(MADE, measured=np.array([0, len(MADE)]), interventions={HOST: np.array([0, len(MADE) - 1])})
    )
    last = LARGEST - len(MADE)
    check(dataclasses.replace(MADE, first_presentation=last))


def test_a_schedule_belongs_to_its_dynamics():
    check(schedule_of(LEAKY), p=LEAKY)
    with pytest.raises(ParameterError, match=r"^Schedule\.slots: must hold gates of the program of reciprocal"):
        check(schedule_of(LEAKY), p=P)


def test_gates_are_those_of_the_rules_that_share_the_program():
    check(schedule_of(P.with_overrides({"learning_rule": "kolen_pollack"})), p=P)
    direct = P.with_overrides({"learning_rule": "direct_feedback"})
    with pytest.raises(ParameterError, match=r"^Schedule\.slots: must hold gates of the program of direct_feedback"):
        check(schedule_of(P), p=direct)


# ---------------------------------------------------------------------- what schedules are made of
@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"n_wake": 2.5}, r"n_wake: must be a whole number at least 0 \(got 2\.5\)"),
        ({"n_evaluated": -1}, r"n_evaluated: must be a whole number at least 0 \(got -1\)"),
        ({"n_stimuli": 0}, r"n_stimuli: must be at least 1 where n_wake is 7"),
        ({"order_of_epoch": lambda epoch: np.arange(4)}, r"order_of_epoch: .* \(got int64 of shape \(4,\) for epoch 0"),
        ({"order_of_epoch": lambda epoch: np.linspace(0, 4, 5)}, r"order_of_epoch: .*\(got float64"),
    ],
    ids=["half", "negative", "none", "too few", "not whole"],
)
def test_a_schedule_is_made_of_counts_and_rows(changes, sentence):
    given = {"order_of_epoch": lambda epoch: np.arange(5), "n_stimuli": 5, "n_wake": 7, "n_evaluated": 2}
    with pytest.raises(ParameterError, match=rf"^wake_sleep_schedule\.{sentence}"):
        wake_sleep_schedule(P, **given | {"evaluate_every": 3} | changes)


def test_a_rule_that_does_not_sleep_has_no_sleep_schedule():
    with pytest.raises(ParameterError, match=r"^sleep_schedule\.learning_rule: must be a rule that sleeps.*kolen"):
        sleep_schedule(P.with_overrides({"learning_rule": "kolen_pollack"}), 10, 5)
    with pytest.raises(ParameterError, match=r"sleeps \(got predictive_coding\); set feedback_learning=sleep\."):
        sleep_schedule(P.with_overrides({"learning_rule": "predictive_coding"}), 10, 5)
    with pytest.raises(ParameterError, match=r"^sleep_schedule\.measure_every: must be at least 1 \(got 0\)"):
        sleep_schedule(P, 10, 0)

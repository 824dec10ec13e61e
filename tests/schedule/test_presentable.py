"""A schedule as a whole, before a device starts: what is shown is there, and nothing is cut in two."""

import dataclasses

import numpy as np
import pytest

from cortex_model.errors import ParameterError
from cortex_model.parameters import LEARNING_RULES, SleepWakeParameters
from cortex_model.phases.kinds import EVALUATION, PERCEPTION, RECALL, WAKE
from cortex_model.phases.presentable import check_schedule, check_shown
from cortex_model.schedule import SLEEPING, sleep_schedule, trace_schedule, wake_sleep_schedule, Stimuli

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
@pytest.mark.parametrize("batch_size", [1, 3])
@pytest.mark.parametrize("rule", LEARNING_RULES)
def test_schedules_of_every_rule_pass(rule, batch_size, dynamics):
    overrides = {"learning_rule": rule, "batch_size": batch_size, "dynamics": dynamics, "damping": 0.5}
    for sleep_rule in SLEEPING if rule == "reciprocal" else ["recirculation"]:
        more = {"sleep_rule": sleep_rule, "feedback_gain": "norm_matched", "gain_update_presentations": 2}
        p = LEAKY.with_overrides(overrides | more | {"forward_sleep_learning_rate": 0.0})
        check(schedule_of(p), p=p)
    for kind in (PERCEPTION, RECALL) if dynamics == "leaky" else ():
        check(trace_schedule(p, N_EVALUATED, kind), Stimuli(evaluation=rows(N_EVALUATED)), p)


def test_sleep_needs_no_stimuli():
    for p in (P, LEAKY):
        check(sleep_schedule(p, 5, 2), Stimuli(), p)


@pytest.mark.parametrize(
    ("stimuli", "sentence"),
    [
        (Stimuli(rows(4), rows(2)), r"must show rows 0 to 3 of Stimuli\.wake \(got row 4 in slot \d+\)"),
        (Stimuli(rows(5), rows(1)), r"must show rows 0 to 0 of Stimuli\.evaluation \(got row 1 in slot 1\)"),
        (Stimuli(rows(5)), r"Stimuli\.evaluation: must be given .* \(got none, and 8 such slots\)"),
        (Stimuli(None, rows(2)), r"Stimuli\.wake: must be given .* \(got none, and 7 such slots\)"),
    ],
    ids=["wake", "evaluation", "no evaluation", "no wake"],
)
def test_rows_that_are_not_there_are_refused(stimuli, sentence):
    with pytest.raises(ParameterError, match=sentence):
        check(schedule_of(), stimuli)


def with_row(kind, row, p=P):
    schedule = schedule_of(p)
    stimulus = schedule.stimulus.copy()
    stimulus[np.flatnonzero(schedule.kind == kind)[0], -1] = row
    return dataclasses.replace(schedule, stimulus=stimulus)


def test_wake_shows_something_and_sleep_nothing():
    with pytest.raises(
        ParameterError, match=r"^Schedule\.stimulus: must show rows 0 to 4 of Stimuli\.wake \(got row -1"
    ):
        check(with_row(WAKE, -1))
    with pytest.raises(ParameterError, match=r"must show no row, which is -1, in sleep \(got row 0"):
        check(with_row(2, 0))
    with pytest.raises(ParameterError, match=r"of Stimuli\.evaluation \(got row -2"):
        check(with_row(EVALUATION, -2))
    check(with_row(EVALUATION, -1))  # the last batch of an evaluation need not be full


MADE = schedule_of()
SLEEP = np.flatnonzero(MADE.kind > EVALUATION)

#: What is wrong -> (changes of a good schedule, what the sentence says).
WRONG = {
    "a list": ({"kind": MADE.kind.tolist()}, r"kind: must be a NumPy array of whole numbers \(got list\)"),
    "numbers that are not whole": ({"stimulus": MADE.stimulus / 2}, r"stimulus: .* whole numbers \(got float64\)"),
    "fewer presentations than slots": ({"presentation": MADE.presentation[1:]}, r"presentation: must have shape"),
    "rows without batches": ({"stimulus": MADE.stimulus[:, 0]}, r"stimulus: must have shape \(\d+, 1\)"),
    "rows of another batch": ({"stimulus": np.repeat(MADE.stimulus, 2, 1)}, r"stimulus: must have shape"),
    "looks in rows": ({"looks": MADE.looks[:, None]}, r"looks: must have one dimension"),
    "an unknown kind": ({"kind": np.where(MADE.kind == WAKE, 9, MADE.kind)}, r"kind: must be among 0 \(wake\).*got 9"),
    "a kind without gates": (
        {"gates": {kind: gates for kind, gates in MADE.gates.items() if kind != WAKE}},
        r"gates: must say which gates are open in wake slots",
    ),
    "an unknown gate": (
        {"gates": MADE.gates | {WAKE: MADE.gates[WAKE] | {"weight_updte_gate"}}},
        r"gates: must be gates of the settled mode \(got 'weight_updte_gate'\); did you mean 'weight_update_gate'",
    ),
    "time steps where there are none": ({"steps": {WAKE: [set()]}}, r"steps: must say the gates of 0 time steps"),
    "presentations that go back": (
        {"presentation": MADE.presentation[::-1].copy()},
        r"presentation: must stay, or go up by at least batch_size \(1\)",
    ),
    "a negative presentation": ({"presentation": MADE.presentation - 1}, r"presentation: must be from 0 to"),
    "one presentation for all": ({"presentation": 0 * MADE.presentation}, r"presentation: must be the same for 1 slot"),
    "a look within sleep": ({"looks": SLEEP[1:2]}, r"looks: must be slots .* at which a presentation begins"),
    "a look outside": ({"looks": np.array([MADE.n_slots + 1])}, r"looks: must be slots of the schedule, 0 to"),
    "a look before": ({"looks": np.array([-1])}, r"looks: must be slots of the schedule"),
    "an update within sleep": (
        {"updates": SLEEP[1:2], "refreshes": "pseudoinverse"},
        r"updates: must be slots .* at which a presentation begins",
    ),
    "an update at the end": (
        {"updates": np.array([MADE.n_slots]), "refreshes": "pseudoinverse"},
        r"updates: must be slots",
    ),
    "updates of nothing": ({"updates": np.array([0])}, r"refreshes: must be one of pseudoinverse"),
    "an unknown refreshment": ({"refreshes": "magic"}, r"refreshes: must be one of .* \(got 'magic'"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_schedules_that_cannot_be_meant_are_refused(wrong):
    changes, sentence = WRONG[wrong]
    with pytest.raises(ParameterError, match=rf"^Schedule\.{sentence}"):
        check(dataclasses.replace(MADE, **changes))


def test_time_steps_belong_to_the_leaky_mode():
    check(schedule_of(LEAKY), p=LEAKY)
    with pytest.raises(
        ParameterError, match=r"^Schedule\.steps: must say the gates of 4 time steps .* leaky \(got 0\)"
    ):
        check(schedule_of(P), p=LEAKY)
    with pytest.raises(ParameterError, match=r"^Schedule\.gates: must be gates of the settled mode"):
        check(schedule_of(LEAKY), p=P)
    cut = schedule_of(LEAKY)
    shorter = {name: getattr(cut, name)[:-1] for name in ("kind", "presentation", "stimulus")}
    with pytest.raises(ParameterError, match=r"presentation: must be the same for 4 slots .* \(got 3 from slot"):
        check(dataclasses.replace(cut, looks=cut.looks[:-1], **shorter), p=LEAKY)


def test_noise_of_a_batch_is_not_shared_with_the_next():
    p = P.with_overrides({"batch_size": 2})
    schedule = schedule_of(p)
    check(schedule, p=p)
    with pytest.raises(ParameterError, match=r"go up by at least batch_size \(2\)"):
        check(dataclasses.replace(schedule, presentation=schedule.presentation // 2), p=p)


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
    with pytest.raises(ParameterError, match=r"^sleep_schedule\.look_every: must be at least 1 \(got 0\)"):
        sleep_schedule(P, 10, 0)

"""One chunk as arrays: the rows that are shown, the gates that are open, closed slots for the rest."""

import numpy as np
import pytest

from cortex_model.equations import GATES
from cortex_model.errors import ParameterError
from cortex_model.parameters import SleepWakeParameters
from cortex_model.phases.chunk import Stimuli, chunk_arrays, one_hot
from cortex_model.phases.schedule import EVALUATION, WAKE, wake_sleep_schedule

P = SleepWakeParameters(layer_sizes=(3, 4, 2), chunk_presentations=10, dtype="float64")
SHOWN = np.arange(15.0).reshape(5, 3), np.arange(10.0).reshape(5, 2)
ASKED = 100 + np.arange(6.0).reshape(2, 3), 100 + np.arange(4.0).reshape(2, 2)
STIMULI = Stimuli(SHOWN, ASKED)


@pytest.fixture
def schedule():
    return wake_sleep_schedule(P, lambda epoch: np.array([3, 1, 4, 0, 2]), 5, 5, 2, 2)


def test_rows_are_the_stimuli_and_targets_of_the_slots(schedule):
    for first, last in ((0, 7), (4, 14), (9, schedule.n_slots)):
        arrays = chunk_arrays(schedule, first, last, STIMULI, P)
        stimuli, targets = arrays["stimuli.rate"].reshape(-1, 3), arrays["targets.rate"].reshape(-1, 2)
        for at, slot in enumerate(range(first, last)):
            source = {WAKE: SHOWN, EVALUATION: ASKED}.get(schedule.kind[slot])
            if source:
                row = arrays["schedule.stimulus_row"][at]
                assert stimuli[row].tolist() == source[0][schedule.stimulus[slot]].tolist()
                assert targets[row].tolist() == source[1][schedule.stimulus[slot]].tolist()


def test_columns_follow_the_schedule_and_unused_slots_are_closed(schedule):
    first, last = 3, 9
    arrays = chunk_arrays(schedule, first, last, STIMULI, P)
    for gate in GATES:
        column = arrays[f"schedule.{gate}"]
        assert column[:6].tolist() == schedule.gate(gate)[first:last].astype(int).tolist(), gate
        assert not column[6:].any()
    assert arrays["schedule.presentation"][:6].tolist() == schedule.presentation[first:last].tolist()
    assert (arrays["now.slot"], arrays["now.n_slots"], arrays["now.first_slot"]) == (0, 6, 3)


def test_evaluated_stimuli_are_answered_in_their_order(schedule):
    arrays = chunk_arrays(schedule, 0, 10, STIMULI, P)
    evaluated = np.flatnonzero(schedule.kind[:10] == EVALUATION)
    assert arrays["schedule.readout_row"][evaluated].tolist() == list(range(len(evaluated)))


def test_second_moments_of_sleep_say_that_they_descend():
    p = P.with_overrides({"forward_sleep_learning_rate": 0.1})
    schedule = wake_sleep_schedule(p, lambda epoch: np.arange(5), 5, 2, 0, 0)
    arrays = chunk_arrays(schedule, 0, 8, STIMULI, p)
    assert arrays["schedule.descending"][:8].tolist() == [0, 0, 1, 1, 0, 0, 1, 1]


def test_sizes_do_not_depend_on_the_chunk(schedule):
    sizes = [
        {name: np.size(array) for name, array in chunk_arrays(schedule, *ends, STIMULI, P).items()}
        for ends in ((0, 1), (2, 12), (4, 4))
    ]
    assert sizes[0] == sizes[1] == sizes[2]
    assert sizes[0]["stimuli.rate"] == 10 * 3 and sizes[0]["schedule.presentation"] == 10


def test_one_hot():
    assert one_hot(np.array([2, 0]), 3).tolist() == [[0, 0, 1], [1, 0, 0]]


@pytest.mark.parametrize(
    ("stimuli", "sentence"),
    [
        (Stimuli(wake=(SHOWN[0][:, :2], SHOWN[1])), r"Stimuli\.wake: stimuli must have 3 elements, .* \(got 2\)"),
        (Stimuli(evaluation=(ASKED[0], ASKED[0])), r"Stimuli\.evaluation: targets must have 2 elements, .* \(got 3\)"),
    ],
)
def test_stimuli_that_do_not_fit_are_refused(stimuli, sentence):
    assert STIMULI.checked((3, 4, 2)) is STIMULI
    with pytest.raises(ParameterError, match=f"^{sentence}"):
        stimuli.checked((3, 4, 2))

"""One chunk as arrays: the rows that are shown, the gates that are open, closed slots for the rest."""

import numpy as np
import pytest

from cortex_model.equations import GATES
from cortex_model.parameters import SleepWakeParameters
from cortex_model.schedule import Stimuli, answers, chunk_arrays, stimulus_arrays
from cortex_model.phases.ensemble import Ensemble
from cortex_model.schedule import EVALUATION, WAKE, wake_sleep_schedule

P = SleepWakeParameters(layer_sizes=(3, 4, 2), chunk_presentations=10, dtype="float64")
SHOWN = np.arange(15.0).reshape(5, 3), np.arange(10.0).reshape(5, 2)
ASKED = 100 + np.arange(6.0).reshape(2, 3), 100 + np.arange(4.0).reshape(2, 2)
STIMULI = Stimuli(SHOWN, ASKED)


@pytest.fixture
def schedule():
    return wake_sleep_schedule(P, lambda epoch: np.array([3, 1, 4, 0, 2]), 5, 5, 2, 2)


def test_rows_are_the_stimuli_and_targets_of_the_slots(schedule):
    for first, last in ((0, 7), (4, 14), (9, schedule.n_slots)):
        arrays, shown = chunk_arrays(Ensemble([schedule]), first, last, STIMULI, P), stimulus_arrays(STIMULI, P)
        stimuli, targets = shown["stimuli.rate"], shown["targets.rate"]
        for at, slot in enumerate(range(first, last)):
            source = {WAKE: SHOWN, EVALUATION: ASKED}.get(schedule.kind[slot])
            if source:
                (row,), (shown,) = arrays["schedule.stimulus_row"][at, 0], schedule.stimulus[slot]
                assert stimuli[row].tolist() == source[0][shown].tolist()
                assert targets[row].tolist() == source[1][shown].tolist()


def test_columns_follow_the_schedule(schedule):
    first, last = 3, 9
    arrays = chunk_arrays(Ensemble([schedule]), first, last, STIMULI, P)
    for gate in GATES:
        assert arrays[f"schedule.{gate}"].tolist() == schedule.gate(gate)[first:last].tolist(), gate
    assert arrays["schedule.presentation"].tolist() == schedule.presentation[first:last].tolist()
    assert (arrays["now.slot"], arrays["now.n_slots"], arrays["now.first_slot"]) == (0, 6, 3)


def test_evaluated_stimuli_are_answered_in_their_order(schedule):
    arrays = chunk_arrays(Ensemble([schedule]), 0, 10, STIMULI, P)
    evaluated = np.flatnonzero(schedule.kind[:10] == EVALUATION)
    assert arrays["schedule.readout_row"][evaluated].tolist() == list(range(len(evaluated)))
    readout = np.arange(2.0 * len(evaluated))
    (rates,) = answers(readout, Ensemble([schedule]), 0, 10, P)
    assert rates.tolist() == readout.reshape(-1, 2).tolist()


def test_second_moments_of_sleep_say_that_they_descend():
    p = P.with_overrides({"forward_sleep_learning_rate": 0.1})
    schedule = wake_sleep_schedule(p, lambda epoch: np.arange(5), 5, 2, 0, 0)
    arrays = chunk_arrays(Ensemble([schedule]), 0, 8, STIMULI, p)
    assert arrays["schedule.descending"][:8].tolist() == [0, 0, 1, 1, 0, 0, 1, 1]


def test_batches_and_networks_have_rows_and_answers_of_their_own():
    p = P.with_overrides({"batch_size": 2})
    orders = [3, 1, 4, 0, 2], [0, 1, 2, 3, 4]
    ensemble = Ensemble([wake_sleep_schedule(p, lambda _, o=order: np.array(o), 5, 3, 2, 0) for order in orders])
    n_slots = ensemble.schedule.n_slots
    arrays = chunk_arrays(ensemble, 0, n_slots, STIMULI, p)
    rows = arrays["schedule.stimulus_row"]
    assert rows.shape == (n_slots, 2, 2)
    is_wake = ensemble.schedule.kind == WAKE
    assert rows[is_wake].tolist() == [[[3, 1], [0, 1]], [[4, 0], [2, 3]]], "3 presentations fill 2 batches"
    assert rows[ensemble.schedule.kind == EVALUATION].tolist() == [[[5, 6], [5, 6]]] * 2, "after the 5 of wake"
    readout = np.arange(2 * 2 * 2 * 2.0)
    first, second = answers(readout, ensemble, 0, n_slots, p)
    assert first.tolist() == [[0, 1], [2, 3], [8, 9], [10, 11]]
    assert second.tolist() == [[4, 5], [6, 7], [12, 13], [14, 15]]

"""One chunk as arrays: the rows that are shown, the gates that are open, the answers that are kept."""

import numpy as np
import pytest

from cortex_model.parameters import SleepWakeParameters
from cortex_model.schedule import EVALUATION, WAKE, Stimuli, declared, wake_sleep_schedule
from cortex_model.schedule.chunk import answers, chunk_arrays, own, stimulus_arrays
from cortex_model.schedule.ensemble import Ensemble

P = SleepWakeParameters(layer_sizes=(3, 4, 2), chunk_presentations=10, dtype="float64")
SHOWN = np.arange(15.0).reshape(5, 3), np.arange(10.0).reshape(5, 2)
ASKED = 100 + np.arange(6.0).reshape(2, 3), 100 + np.arange(4.0).reshape(2, 2)
STIMULI = Stimuli(SHOWN, ASKED)
TWO_SLOTS = P.with_overrides({"learning_rule": "ben_israel"})


def schedule_of(p, n_wake=5, n_evaluated=2, evaluate_every=2, order=(3, 1, 4, 0, 2)):
    return wake_sleep_schedule(p, lambda epoch: np.array(order), 5, n_wake, n_evaluated, evaluate_every)


def ensemble_of(p, *schedules):
    return Ensemble([*schedules], declared(p))


@pytest.mark.parametrize("p", [P, TWO_SLOTS], ids=["sleep takes one slot", "sleep takes two"])
def test_rows_are_the_stimuli_and_targets_of_the_slots(p):
    schedule = schedule_of(p)
    shown = stimulus_arrays(STIMULI, p)
    stimuli, targets = shown["stimuli.rate"], shown["targets.rate"]
    n_compared = 0
    for first, last in ((0, 7), (4, 14), (9, len(schedule))):
        arrays = chunk_arrays(ensemble_of(p, schedule), first, last, STIMULI, p)
        for at, presentation in enumerate(schedule.places_of_slots(first, last)[0]):
            source = {WAKE: SHOWN, EVALUATION: ASKED}.get(schedule.phase[presentation])
            if source:
                (row,), (shown_row,) = arrays["schedule.stimulus_row"][at, 0], schedule.stimulus[presentation]
                assert stimuli[row].tolist() == source[0][shown_row].tolist()
                assert targets[row].tolist() == source[1][shown_row].tolist()
                n_compared += 1
    assert n_compared > 15


def test_what_can_be_shown_has_the_precision_of_the_run_and_is_never_empty():
    p = P.with_overrides({"dtype": "float32"})
    assert {array.dtype for array in stimulus_arrays(STIMULI, p).values()} == {np.dtype("float32")}
    silent = stimulus_arrays(Stimuli(), p)
    assert [array.tolist() for array in silent.values()] == [[[0, 0, 0]], [[0, 0]]]


@pytest.mark.parametrize("p", [P, TWO_SLOTS], ids=["sleep takes one slot", "sleep takes two"])
def test_columns_follow_the_schedule(p):
    schedule, (first, last) = schedule_of(p), (3, 9)
    arrays = chunk_arrays(ensemble_of(p, schedule), first, last, STIMULI, p)
    presentation, _ = schedule.places_of_slots(first, last)
    n_before = len(schedule.places_of_slots(0, first)[0])
    for gate in declared(p).gates:
        whole = schedule.opened(gate)
        assert arrays[f"schedule.{gate}"].tolist() == whole[n_before : n_before + len(presentation)].tolist(), gate
    assert arrays["schedule.presentation"][:, 0, 0].tolist() == schedule.presentation[presentation].tolist()
    now = arrays["now.slot"], arrays["now.n_slots"], arrays["now.first_slot"]
    assert now == (0, len(presentation), n_before)
    assert (len(presentation) > last - first) == (p is TWO_SLOTS), "slots of one presentation share its number"
    assert not any(name.endswith("_learns") for name in arrays), "one network learns whenever a gate is open"


def test_chunks_of_a_schedule_are_its_slots():
    schedule = schedule_of(TWO_SLOTS)
    ensemble = ensemble_of(TWO_SLOTS, schedule)
    cuts = schedule.boundaries(3)
    chunks = [chunk_arrays(ensemble, a, b, STIMULI, TWO_SLOTS) for a, b in zip(cuts, cuts[1:], strict=False)]
    assert [chunk["now.first_slot"] for chunk in chunks] == [
        sum(chunk["now.n_slots"] for chunk in chunks[:k]) for k in range(len(chunks))
    ]
    for gate in declared(TWO_SLOTS).gates:
        joined = np.concatenate([chunk[f"schedule.{gate}"] for chunk in chunks])
        assert np.array_equal(joined, schedule.opened(gate))


def test_evaluated_stimuli_are_answered_in_their_order():
    schedule = schedule_of(P)
    ensemble = ensemble_of(P, schedule)
    arrays = chunk_arrays(ensemble, 0, 10, STIMULI, P)
    evaluated = np.flatnonzero(schedule.phase[:10] == EVALUATION)  # a slot each
    assert len(evaluated) == 4
    assert arrays["schedule.readout_row"][evaluated].tolist() == list(range(len(evaluated)))
    assert arrays["readout.rate"].shape == (2 * len(evaluated),)
    readout = np.arange(2.0 * len(evaluated))
    (rates,) = answers(readout, ensemble, 0, 10, P)
    assert rates.tolist() == readout.reshape(-1, 2).tolist()


def test_a_chunk_without_evaluation_answers_nothing():
    schedule = schedule_of(P)
    arrays = chunk_arrays(ensemble_of(P, schedule), 2, 4, STIMULI, P)
    assert EVALUATION not in schedule.phase[2:4]
    (rates,) = answers(arrays["readout.rate"], ensemble_of(P, schedule), 2, 4, P)
    assert rates.shape == (0, 2)


def test_in_time_the_end_of_an_evaluation_is_what_is_kept():
    p = P.with_overrides({"dynamics": "leaky", "presentation_ms": 4.0, "feedback_onset_ms": 2.0})
    schedule = schedule_of(p)
    arrays = chunk_arrays(ensemble_of(p, schedule), 0, 4, STIMULI, p)
    assert schedule.phase[:2].tolist() == [EVALUATION] * 2
    kept = np.flatnonzero(arrays["schedule.answer_gate"])
    assert kept.tolist() == [3, 7] and arrays["schedule.readout_row"][kept].tolist() == [0, 1]


def test_batches_and_networks_have_rows_and_answers_of_their_own():
    p = P.with_overrides({"batch_size": 2})
    orders = [3, 1, 4, 0, 2], [0, 1, 2, 3, 4]
    ensemble = ensemble_of(p, *(schedule_of(p, 3, 2, 0, order) for order in orders))
    n = len(ensemble.schedule)
    arrays = chunk_arrays(ensemble, 0, n, STIMULI, p)
    rows = arrays["schedule.stimulus_row"]
    assert rows.shape == (n, 2, 2), "a slot each"
    is_wake = ensemble.schedule.phase == WAKE
    assert rows[is_wake].tolist() == [[[3, 1], [0, 1]], [[4, 0], [2, 3]]], "3 presentations fill 2 batches"
    assert rows[ensemble.schedule.phase == EVALUATION].tolist() == [[[5, 6], [5, 6]]] * 2, "after the 5 of wake"
    assert arrays["schedule.presentation"][:, 0].tolist() == [[2 * k, 2 * k + 1] for k in range(n)]
    readout = np.arange(2 * 2 * 2 * 2.0)
    first, second = answers(readout, ensemble, 0, n, p)
    assert first.tolist() == [[0, 1], [2, 3], [8, 9], [10, 11]]
    assert second.tolist() == [[4, 5], [6, 7], [12, 13], [14, 15]]


def test_weights_change_only_in_networks_whose_slot_it_is():
    """A rule that sleeps in one slot, one that sleeps in two, and one that does not sleep at all."""
    rules = ("reciprocal", "ben_israel", "kolen_pollack")
    options = [P.with_overrides({"learning_rule": rule}) for rule in rules]
    ensemble = ensemble_of(options[0], *map(schedule_of, options))
    schedule = ensemble.schedule
    arrays = chunk_arrays(ensemble, 0, len(schedule), STIMULI, options[0])
    presentation, step = schedule.places_of_slots()
    sleeps = schedule.phase[presentation] == 1
    learned = np.zeros((len(presentation), 3), bool)
    for gate in declared(options[0]).learning_gates:
        its = arrays[f"schedule.{own(gate)}"].astype(bool)
        assert not its[~arrays[f"schedule.{gate}"].astype(bool)].any(), "what does not happen teaches nothing"
        learned |= its
    assert len(schedule.slots["sleep"]) == 3, "they take turns"
    assert learned[sleeps].tolist() == [[k == 0, k == 2, False] for k in step[sleeps]]
    assert learned[schedule.phase[presentation] == WAKE].all()
    assert not learned[schedule.phase[presentation] == EVALUATION].any()

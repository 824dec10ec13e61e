"""Presentations that take time: each of many slots, with gates that open when something changes."""

import numpy as np
import pytest

from cortex_model.errors import ParameterError
from cortex_model.parameters import SleepWakeParameters
from cortex_model.phases.ensemble import Ensemble
from cortex_model.phases.kinds import ASCENDING, DESCENDING, EVALUATION, PERCEPTION, RECALL, RETURNING, WAKE
from cortex_model.schedule import sleep_schedule, trace_schedule, wake_sleep_schedule

N = 10  # steps of a presentation
P = SleepWakeParameters(
    layer_sizes=(5, 4, 3, 2), learning_rule="reciprocal", forward_sleep_learning_rate=0.01, sleep_per_wake=0.5,
    dynamics="leaky", time_step_ms=2.0, presentation_ms=2.0 * N, feedback_onset_ms=12.0,
    forward_delay_ms=(4.0, 0.0, 6.0), feedback_delay_ms=(8.0, 2.0),
)  # fmt: skip


def woven(**overrides):
    p = P.with_overrides(overrides)
    return wake_sleep_schedule(p, lambda epoch: 100 * epoch + np.arange(8), 8, 20, 3, 7)


def open_at(schedule, kind, gate):
    """Time steps of a stretch of some kind in which a gate is open: the same in all."""
    steps = schedule.gate(gate)[schedule.kind == kind].reshape(-1, N)
    assert (steps == steps[0]).all()
    return np.flatnonzero(steps[0]).tolist()


def test_each_slot_of_the_settled_mode_becomes_a_stretch_of_slots():
    leaky, settled = woven(), woven(dynamics="settled")
    assert leaky.n_slots == N * settled.n_slots
    assert np.array_equal(leaky.kind[::N], settled.kind) and np.array_equal(leaky.kind[N - 1 :: N], settled.kind)
    assert np.array_equal(leaky.presentation[::N], settled.presentation)
    assert np.array_equal(leaky.stimulus[::N], settled.stimulus)
    assert np.array_equal(leaky.looks, N * settled.looks)
    for phase in ("wake", "sleep", "evaluation"):
        assert leaky.n_presentations(phase) == settled.n_presentations(phase)
        assert leaky.n_presentations(phase, N * 5) == settled.n_presentations(phase, 5)
    assert leaky.step.tolist() == list(range(N)) * settled.n_slots
    assert not settled.step.any() and settled.steps == {}


def test_every_gate_of_a_settled_slot_opens_in_time_and_only_those_and_the_leaky_ones():
    settled = open_gates(P)
    leaky = woven()
    more = {"rest_gate", "conduction_gate", "compartment_gate", "recirculation_gate"}
    for kind, gates in settled.items():
        assert gates <= leaky.gates[kind] <= gates | more


def test_wake_in_time():
    schedule = woven()
    assert open_at(schedule, WAKE, "rest_gate") == open_at(schedule, WAKE, "stimulus_gate") == [0]
    assert open_at(schedule, WAKE, "input_gate") == [2], "the stimulus is held: one sum, when it arrives"
    assert open_at(schedule, WAKE, "forward_gate") == open_at(schedule, WAKE, "response_gate") == list(range(N))
    assert open_at(schedule, WAKE, "feedback_gate") == list(range(N)), "feedback carries rates all the time"
    assert open_at(schedule, WAKE, "error_gate") == [5, 6, 7, 8, 9], "at the end of step 5, after 12 ms"
    assert open_at(schedule, WAKE, "weight_update_gate") == [N - 1], "plasticity takes one step"
    assert open_at(schedule, EVALUATION, "record_gate") == [N - 1]
    assert open_at(schedule, EVALUATION, "error_gate") == open_at(schedule, EVALUATION, "weight_update_gate") == []


def test_sleep_in_time():
    schedule = woven()
    for kind in (ASCENDING, DESCENDING):
        assert open_at(schedule, kind, "noise_gate") == open_at(schedule, kind, "rest_gate") == [0]
    assert open_at(schedule, ASCENDING, "forward_gate") == [0, 3], "noise is held: one sum for each delay"
    assert open_at(schedule, ASCENDING, "feedback_gate") == list(range(N))
    assert open_at(schedule, ASCENDING, "feedback_update_gate") == [N - 1]
    assert open_at(schedule, DESCENDING, "feedback_gate") == [1, 4]
    assert open_at(schedule, RETURNING, "rest_gate") == [], "it goes on from where the descent ended"
    assert open_at(schedule, RETURNING, "send_back_gate") == [0]
    assert open_at(schedule, RETURNING, "forward_update_gate") == [N - 1]
    assert open_at(woven(feedback_to_input=True, feedback_delay_ms=(0.0,)), ASCENDING, "input_gate") == [2]


@pytest.mark.parametrize("kind", [PERCEPTION, RECALL])
def test_perception_and_recall_are_traced_and_nothing_learns(kind):
    schedule = trace_schedule(
        P.with_overrides({"batch_size": 3, "feedback_to_input": True, "feedback_delay_ms": (0.0,)}), 7, kind
    )
    assert schedule.stimulus[::N].tolist() == [[0, 1, 2], [3, 4, 5], [6, -1, -1]]
    assert open_at(schedule, kind, "trace_gate") == open_at(schedule, kind, "reconstruction_gate") == list(range(N))
    assert not [gate for gate in schedule.gates[kind] if "update" in gate or "error" in gate]


@pytest.mark.parametrize("capacity", [3 * N, 4 * N, 7 * N + 3])
def test_no_chunk_begins_within_a_presentation(capacity):
    schedule = woven()
    begins = np.flatnonzero(np.diff(schedule.presentation, prepend=-1))
    stops = schedule.stops(capacity)
    assert np.isin(stops[:-1], begins).all() and np.diff(stops).max() <= capacity
    with pytest.raises(ParameterError, match=f"chunk_presentations: must be at least {3 * N}"):
        schedule.stops(3 * N - 1)


def test_sleep_alone_takes_time_too():
    schedule = sleep_schedule(P, 4, 2)
    assert schedule.n_slots == 4 * 3 * N
    assert schedule.looks.tolist() == [0, 2 * 3 * N, 4 * 3 * N]


def test_networks_side_by_side_have_the_same_times():
    joined = Ensemble([woven(), woven(learning_rule="backpropagation", sleep_per_wake=0.5)])
    assert open_at(joined.schedule, WAKE, "transposed_update_gate") == [N - 1]
    assert open_at(joined.schedule, WAKE, "error_gate") == [5, 6, 7, 8, 9]
    with pytest.raises(ParameterError, match="must open error_gate in the same time steps"):
        Ensemble([woven(), woven(feedback_onset_ms=6.0)]).schedule  # noqa: B018

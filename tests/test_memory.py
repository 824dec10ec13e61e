"""Sizes are estimated before anything is built; a long schedule takes few bytes a presentation."""

import resource
import tracemalloc

import numpy as np
import pytest

from cortex_model.datasets import synthetic_classes
from cortex_model.devices.room import check_room
from cortex_model.devices.simulation import Simulation
from cortex_model.errors import CortexModelError, ParameterError
from cortex_model.interactive.cortex import Cortex
from cortex_model.parameters import SleepWakeParameters
from cortex_model.runs.recording import check_recorded
from cortex_model.schedule import Stimuli, one_hot, sleep_schedule, wake_sleep_schedule
from cortex_model.schedule.checks import check_schedule, check_shown
from cortex_model.schedule.chunk import chunk_arrays
from cortex_model.schedule.declared import declared
from cortex_model.schedule.ensemble import Ensemble
from cortex_model.system import memory
from cortex_model.traces import perception
from cortex_model.weights import initial_weights

MIB = 2**20


def free(monkeypatch, n_bytes):
    """Let so much memory be free."""
    monkeypatch.setattr(memory, "free_memory", lambda: float(n_bytes))


# ---------------------------------------------------------------------- what is free
def test_free_is_what_is_left_and_not_what_there_is():
    import psutil

    assert 0 < memory.free_memory() <= psutil.virtual_memory().total
    held = np.ones(64 * MIB // 8)
    before = memory.free_memory()
    more = np.ones(256 * MIB // 8)
    assert memory.free_memory() < before and len(held) < len(more)


@pytest.mark.parametrize(
    ("line", "folder", "files"),
    [("0::/a/b", "a", {"memory.max": 300, "memory.current": 250, "memory.stat": "anon 9\ninactive_file 40\n"}),
     ("4:memory:/a", "memory/a", {"memory.limit_in_bytes": 300, "memory.usage_in_bytes": 250,
                                  "memory.stat": "total_inactive_file 40\n"})],
)  # fmt: skip
def test_limits_of_control_groups_count(line, folder, files, tmp_path, monkeypatch):
    (tmp_path / "groups" / folder).mkdir(parents=True)
    for name, content in files.items():
        (tmp_path / "groups" / folder / name).write_text(str(content))
    (tmp_path / "cgroup").write_text(f"{line}\n")
    monkeypatch.setattr(memory, "GROUPS", tmp_path / "groups")
    monkeypatch.setattr(memory, "GROUPS_OF_PROCESS", tmp_path / "cgroup")
    assert memory.free_memory() == 90


def test_a_limit_of_the_process_counts(monkeypatch):
    import psutil

    vms = psutil.Process().memory_info().vms
    monkeypatch.setattr(psutil.Process, "rlimit", lambda self, which: (vms + MIB, resource.RLIM_INFINITY))
    assert memory.free_memory() < 2 * MIB


# ---------------------------------------------------------------------- schedules
def woven(p, n_wake=20, n_evaluated=3, every=5, n_stimuli=10):
    return wake_sleep_schedule(p, lambda epoch: np.arange(n_stimuli), n_stimuli, n_wake, n_evaluated, every)


@pytest.mark.parametrize(
    ("make", "advice"),
    [(lambda p: woven(p, n_wake=2 * 10**9), "lower epochs"),
     (lambda p: woven(p, 10**9, every=1), "evaluate fewer stimuli, or less often"),
     (lambda p: woven(p, 1, n_evaluated=2**31), "evaluate fewer stimuli, or less often"),
     (lambda p: woven(p.model_copy(update={"sleep_per_wake": 1e300})), "lower sleep_per_wake"),
     (lambda p: woven(p.model_copy(update={"sleep_before_presentations": 2**31 - 1})), "lower sleep_before"),
     (lambda p: woven(p.model_copy(update={"batch_size": 2**31 - 1})), ""),
     (lambda p: sleep_schedule(p, 10**10, 10), "make fewer presentations")],
    ids=["wake", "looks", "evaluation", "sleep", "sleep before", "batches", "sleep alone"],
)  # fmt: skip
def test_schedules_that_are_too_long_are_refused_before_they_are_made(make, advice):
    tracemalloc.start()
    try:
        with pytest.raises(ParameterError, match=rf"^Schedule: must hold at most 2147483647 .*; {advice}"):
            make(SleepWakeParameters(layer_sizes=(6, 5, 4)))
        assert tracemalloc.get_traced_memory()[1] < 8 * MIB
    finally:
        tracemalloc.stop()


def test_a_schedule_that_memory_does_not_hold_is_refused(monkeypatch):
    free(monkeypatch, MIB)
    sentence = r"^Schedule: must fit into the 0.000977 GiB .*; make fewer .*, for 1e\+06 presentations are too"
    with pytest.raises(ParameterError, match=sentence):
        sleep_schedule(SleepWakeParameters(layer_sizes=(6, 5, 4)), 10**6, 1000)


@pytest.mark.parametrize("size", [1, 4])
def test_a_long_schedule_takes_few_bytes_a_presentation(size):
    """A phase and rows; while it is made, checked, counted and handed over in chunks, little more."""
    p = SleepWakeParameters(layer_sizes=(6, 5, 4), batch_size=size)
    rows = np.zeros((1000, 6)), np.zeros((1000, 4))
    declared(p).slots("wake")
    tracemalloc.start()
    try:
        schedule = woven(p, n_wake=500_000 * size, n_evaluated=100, every=250_000 * size, n_stimuli=1000)
        check_schedule(schedule, p)
        check_shown(schedule, Stimuli(rows, rows))
        assert schedule.n_presentations("wake") == schedule.n_presentations("sleep") == 500_000 * size
        assert schedule.n_slots == len(schedule), "each takes one here"
        chunk = chunk_arrays(
            Ensemble([schedule], declared(p)), len(schedule) - 50, len(schedule), Stimuli(rows, rows), p
        )
        peak = tracemalloc.get_traced_memory()[1] / len(schedule)
    finally:
        tracemalloc.stop()
    assert chunk["schedule.presentation"].max() == schedule.next_presentation - 1
    assert len(schedule) >= 1_000_000 and peak < (1 + 4 * size) + 4 + 3


# ---------------------------------------------------------------------- weights, and what a device holds
def test_weights_that_are_too_many_are_refused():
    p = SleepWakeParameters(layer_sizes=(64, 2**31 - 1, 2**31 - 1, 10))
    with pytest.raises(
        ParameterError, match=r"^Parameters.layer_sizes: must fit into .*; make the populations smaller"
    ):
        initial_weights(p, 1)


def test_weights_are_drawn_in_little_more_than_their_own_memory():
    p = SleepWakeParameters(layer_sizes=(1000, 1000, 10))
    declared(p)
    tracemalloc.start()
    try:
        initial_weights(p, 1)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 10**6 * 24 + 32 * MIB


@pytest.mark.parametrize(
    ("given", "n_networks", "sentence"),
    [({"layer_sizes": (64, 2000, 10)}, 1, "lower layer_sizes from 64,2000,10, which takes most of it"),
     ({"layer_sizes": (64, 32, 10)}, 100, "lower layer_sizes .*, or run fewer than 100 networks together"),
     ({"batch_size": 10**5}, 1, "lower batch_size"),
     ({"dynamics": "leaky", "chunk_presentations": 10**6}, 1, "lower chunk_presentations")],
)  # fmt: skip
def test_what_a_device_would_hold_is_estimated(given, n_networks, sentence, monkeypatch):
    p = SleepWakeParameters(**given)
    schedule = sleep_schedule(p, 2000 * p.batch_size if p.batch_size == 1 else 1, 1000)
    free(monkeypatch, MIB)
    with pytest.raises(ParameterError, match=f"^Simulation: must fit into .*{sentence}"):
        check_room(p, n_networks, schedule)
    free(monkeypatch, 2**40)
    check_room(p, n_networks, schedule)


def test_nothing_is_built_of_what_does_not_fit(monkeypatch):
    p = SleepWakeParameters(layer_sizes=(6, 5, 4))
    simulation, schedule, weights = Simulation(p, "runtime"), sleep_schedule(p, 10, 10), initial_weights(p, 1)
    free(monkeypatch, 1000)
    with pytest.raises(ParameterError, match="^Simulation: must fit into"):
        simulation.run(schedule, Stimuli(), weights)
    assert simulation._hierarchy is None


def test_what_is_recorded_at_every_look_is_estimated(monkeypatch):
    p = SleepWakeParameters(layer_sizes=(64, 32, 10), record=("W", "rate_1"))
    free(monkeypatch, MIB)
    check_recorded(p, 10)
    with pytest.raises(ParameterError, match=r"^Parameters.record: must fit .*evaluate less often than 1000 times"):
        check_recorded(p, 1000)


def test_traces_are_estimated(monkeypatch):
    p = SleepWakeParameters(layer_sizes=(64, 32, 10), dynamics="leaky")
    free(monkeypatch, MIB)
    with pytest.raises(
        ParameterError, match=r"^traces: must fit .*; trace fewer than 50 stimuli, or fewer than 100 steps"
    ):
        perception(p, initial_weights(p, 1), np.zeros((50, 64)))


def test_presentations_of_very_many_time_steps_are_refused():
    p = SleepWakeParameters(layer_sizes=(6, 5, 4), dynamics="leaky", presentation_ms=2e9)
    with pytest.raises(
        ParameterError, match=r"^Parameters.presentation_ms: must fit into .*; lower it, or raise time_st"
    ):
        sleep_schedule(p, 10, 10)


# ---------------------------------------------------------------------- in one's hands, and data
def test_a_cortex_says_it_too():
    cortex, rows = Cortex((6, 5, 4), seed=1), np.zeros((10, 6))
    with pytest.raises(CortexModelError, match="must hold at most 2147483647 presentations"):
        cortex.wake(rows, np.arange(10) % 4, epochs=10**9)


def test_targets_and_stimuli_that_are_too_large(monkeypatch):
    data = synthetic_classes(6, 4, 40, 20, 1)
    free(monkeypatch, 1000)
    with pytest.raises(CortexModelError, match="^targets of synthetic: must fit into"):
        data.targets()
    with pytest.raises(CortexModelError, match="^stimuli of synthetic: must fit into"):
        data.stimuli("unit")
    with pytest.raises(ParameterError, match="^one_hot: must fit into"):
        one_hot(np.zeros(100, int), 10)

"""Brian2 objects of a user's own: the same numbers on each device, over several chunks."""

import numpy as np
import pytest
from brian2 import NeuronGroup, PopulationRateMonitor, SpikeMonitor, StateMonitor, Synapses

from cortex_model.devices.dense.deferred import Deferring
from cortex_model.devices.session import SLOT
from cortex_model.devices.simulation import Simulation

COMPILED = pytest.param("cpp_standalone", marks=[pytest.mark.compiler, pytest.mark.slow])


def extended(parameters, device):
    """A simulation whose first hidden population drives leaky neurons, which spike; everything is recorded."""
    simulation = Simulation(parameters, device)
    hierarchy = simulation.hierarchy
    equations = "dv/dt = (drive - v)/(5*ms) : 1\ndrive : 1\nphase = sin(t/(7*ms)) : 1"
    leaky = NeuronGroup(3, equations, method="euler", threshold="v > 0.02", reset="v = 0", name="leaky")
    driving = Synapses(
        hierarchy.populations[1], leaky, "strength : 1\ndrive_post = strength*rate_pre : 1 (summed)", name="driving"
    )
    driving.connect()
    driving.strength = "0.1*(1 + i - j)"
    monitors = {
        "state": StateMonitor(leaky, ("v", "drive", "phase"), record=True, name="state"),
        "spikes": SpikeMonitor(leaky, name="spikes"),
        "activity": PopulationRateMonitor(leaky, name="population_rate"),
        "weights": StateMonitor(hierarchy.forward[1], "weight", record=[0, 3, 11], when="end", name="weights"),
    }
    hierarchy.add(leaky, driving, *monitors.values())
    monitors["evaluated"] = hierarchy.record(2, "rate")
    monitors["asleep"] = hierarchy.record(1, "rate", "sleep_gate")
    monitors["never"] = hierarchy.record(1, "rate", "perception_gate")  # stays closed: nothing is perceived
    return simulation, monitors


@pytest.fixture(scope="module", autouse=True)
def few_objects(only_rules):
    """Of one rule: others would add nothing."""
    with only_rules("reciprocal"):
        yield


@pytest.fixture(scope="module")
def several_chunks(scenario, few_objects):
    many = scenario(n_wake=60, chunk_presentations=37, evaluate_every=20, layer_sizes=(7, 5, 4))
    assert len(many.schedule.boundaries(37)) > 5
    return many


@pytest.fixture(scope="module")
def recorded(several_chunks):
    """Device -> (weights at the end, name of a monitor -> its recordings), run once."""
    runs = {}

    def run(device):
        if device not in runs:
            simulation, monitors = extended(several_chunks.parameters, device)
            state = simulation.run(*several_chunks[1:])
            runs[device] = state.weights, {name: simulation.recorded(monitor) for name, monitor in monitors.items()}
        return runs[device]

    return run


@pytest.mark.parametrize("device", ["runtime", COMPILED])
def test_objects_of_ones_own_do_not_touch_the_hierarchy(several_chunks, recorded, simulate, difference, device):
    assert difference(recorded(device)[0], simulate(several_chunks)[0]) <= 1e-12


@pytest.mark.compiler
@pytest.mark.slow
def test_recordings_are_the_same_on_both_devices(recorded):
    runtime, compiled = recorded("runtime")[1], recorded("cpp_standalone")[1]
    assert len(runtime["spikes"]["t"]) > 10, "the leaky neurons must do something"
    for name, arrays in runtime.items():
        assert set(arrays) == set(compiled[name])
        for variable, values in arrays.items():
            what, got = f"{name}.{variable}", compiled[name][variable]
            assert values.shape == got.shape, what
            np.testing.assert_allclose(got, values, rtol=1e-9, atol=1e-12, err_msg=what)


@pytest.mark.compiler
@pytest.mark.slow
def test_changes_that_wait_are_done_before_weights_are_recorded(several_chunks, recorded, monkeypatch):
    """Broken on purpose: a monitor that does not let them happen records what was before them."""
    determine_keywords = Deferring.determine_keywords

    def not_waited_for(self):
        keywords = determine_keywords(self)
        kept = [line for line in keywords["pointers_lines"] if not line.startswith("_do_deferred")]
        return keywords | {"pointers_lines": kept}

    monkeypatch.setattr(Deferring, "determine_keywords", not_waited_for)
    simulation, monitors = extended(several_chunks.parameters, "cpp_standalone")
    simulation.run(*several_chunks[1:])
    late = simulation.recorded(monitors["weights"])["weight"]
    weights = recorded("runtime")[1]["weights"]["weight"]
    assert np.abs(np.diff(weights)).max() > 1e-4, "the weights must learn"
    assert np.abs(late - weights).max() > 1e-4


@pytest.mark.parametrize("device", ["runtime", COMPILED])
def test_times_go_on_from_chunk_to_chunk(several_chunks, recorded, device):
    """One slot is one millisecond; every slot is recorded once, and equations see its time."""
    state, n_slots = recorded(device)[1]["state"], several_chunks.schedule.n_slots
    np.testing.assert_allclose(state["t"], 1e-3 * np.arange(n_slots), atol=1e-9)
    assert state["v"].shape == state["drive"].shape == (3, n_slots)
    np.testing.assert_allclose(state["phase"], np.tile(np.sin(np.arange(n_slots) / 7), (3, 1)), atol=1e-9)


@pytest.mark.parametrize("device", ["runtime", COMPILED])
def test_recording_behind_a_gate_sees_its_slots_alone(several_chunks, recorded, device):
    cases = ("evaluated", "answer_gate", 4), ("asleep", "sleep_gate", 5), ("never", "perception_gate", 5)
    for name, gate, n in cases:
        arrays, slots = recorded(device)[1][name], np.flatnonzero(several_chunks.schedule.opened(gate))
        np.testing.assert_allclose(arrays["t"], 1e-3 * slots, atol=1e-9)
        assert arrays["rate"].shape == (n, len(slots))
        assert (arrays["rate"] != 0).all()


@pytest.mark.parametrize("device", ["runtime", COMPILED])
def test_a_leaky_neuron_integrates_over_the_edges_of_chunks(recorded, device):
    """Euler's steps by hand, from the recorded drive, which is summed just before each step."""
    state, spikes = (recorded(device)[1][name] for name in ("state", "spikes"))
    v, drive = state["v"], state["drive"]
    expected = v[:, :-1] + (drive[:, 1:] - v[:, :-1]) / 5
    slots = np.round(1e3 * spikes["t"]).astype(int)
    is_last = slots == expected.shape[1]  # a spike in the very last slot shows in no later one
    fired = np.zeros(expected.shape, bool)
    fired[spikes["i"][~is_last].astype(int), slots[~is_last]] = True
    assert np.array_equal(fired, expected > 0.02)
    np.testing.assert_allclose(v[:, 1:], np.where(fired, 0, expected), atol=1e-12)


@pytest.mark.compiler
@pytest.mark.slow
def test_a_clock_of_ones_own_ticks_beside_the_slots(several_chunks, recorded):
    """Every third slot is recorded, and holds what a monitor of every slot recorded."""
    simulation = Simulation(several_chunks.parameters, "cpp_standalone")
    seldom = StateMonitor(simulation.hierarchy.forward[1], "weight", record=[0, 3, 11], when="end", dt=3 * SLOT)
    simulation.hierarchy.add(seldom)
    simulation.run(*several_chunks[1:])
    got, every = simulation.recorded(seldom), recorded("cpp_standalone")[1]["weights"]
    np.testing.assert_allclose(got["t"], every["t"][::3], atol=1e-9)
    assert np.array_equal(got["weight"], every["weight"][:, ::3])


@pytest.mark.compiler
@pytest.mark.slow
def test_an_extended_program_is_compiled_once_and_is_not_the_plain_one(several_chunks):
    directories = []
    for _ in range(2):
        simulation, _ = extended(several_chunks.parameters, "cpp_standalone")
        simulation.build()
        directories.append(simulation._program.directory)
    assert directories[0] == directories[1]
    assert directories[0].name != Simulation(several_chunks.parameters).key

"""Recorded spikes are those of the declaration, in every phase; they go into files and Neo; monitors of one's own."""

from functools import cache

import numpy as np
import pytest
from brian2 import EventMonitor, SpikeMonitor

from cortex_model import traces
from cortex_model.devices.simulation import Simulation
from cortex_model.errors import ParameterError
from cortex_model.parameters import SleepWakeParameters
from cortex_model.reference.hierarchy import interpreter_of
from cortex_model.schedule import WAKE, Stimuli, trace_schedule
from cortex_model.weights import initial_weights

COMPILED = pytest.param("cpp_standalone", marks=[pytest.mark.compiler, pytest.mark.slow])
#: Synapses change so fast that presentations which do not begin with the same weights differ.
P = SleepWakeParameters(
    layer_sizes=(6, 4, 3), dynamics="spiking", feedback_to_input=True, presentation_ms=48.0, feedback_onset_ms=16.0,
    time_step_ms=2.0, sleep_ms=40.0, sleep_onset_ms=16.0, sleep_amplitude=2.5, feedback_rate=0.2, feedback_damping=1.0,
    dtype="float64", hidden_learning_rate=20.0, top_learning_rate=20.0, feedback_learning_rate=20.0,
    chunk_presentations=2,
)  # fmt: skip
RNG = np.random.default_rng(0)
STIMULI, TARGETS = 3 * RNG.normal(size=(3, 6)), 3 * RNG.normal(size=(3, 3))
WEIGHTS = initial_weights(P, 0)
#: Phase -> what is shown in it.
SHOWN = {"wake": (STIMULI, TARGETS), "sleep": (), "perception": (STIMULI,), "recall": (None, TARGETS)}
EVENTS = {"spikes": ("spike", "impulse"), "feedback_spikes": ("feedback_spike", "feedback_impulse")}


@pytest.fixture(scope="module", autouse=True)
def few_objects(only_rules):
    """Of one rule: others would add nothing."""
    with only_rules("reciprocal"):
        yield


@pytest.fixture(scope="module")
def seen(few_objects):
    """Phase -> what is recorded of three presentations on the device; made when first asked for."""
    more = {"device": "runtime"}
    make = {
        "perception": lambda: traces.perception(P, WEIGHTS, STIMULI, **more),
        "recall": lambda: traces.recall(P, WEIGHTS, TARGETS, **more),
        "wake": lambda: traces.spikes(P, WEIGHTS, "wake", STIMULI, TARGETS, seed=7, **more),
        "sleep": lambda: traces.spikes(P, WEIGHTS, "sleep", n_presentations=3, seed=7, **more),
    }
    return cache(lambda phase: make[phase]())


def declared_spikes(phase, seed=0, goes_on=False):
    """Name_l -> signs of spikes, and traces, as the interpreter has them, shape (3, n_steps, n_l)."""
    found, interpreter = [], interpreter_of(P, WEIGHTS, seed)
    for at in range(3):
        if not goes_on:
            interpreter = interpreter_of(P, WEIGHTS, seed)
            interpreter.n_presented[phase] = at
        steps = []

        def keep(steps=steps, interpreter=interpreter):
            step = {}
            for l, its in interpreter.state.items():
                for name, (event, sign) in EVENTS.items():
                    if sign in its:
                        fired = interpreter.fired.get((l, event), np.zeros(1, bool))
                        step[f"{name}_{l}"] = np.where(fired, np.sign(its[sign]), 0)[0]
                step |= {f"{name}_{l}": its[name][0].copy() for name in ("trace", "apical_drive") if name in its}
            steps.append(step)

        rows = dict(zip(("stimulus", "target"), SHOWN[phase], strict=False))
        interpreter.present(phase, **{name: its[at] for name, its in rows.items() if its is not None}, at=at,
                            each_step=keep)  # fmt: skip
        found.append({name: [step[name] for step in steps] for name in steps[0]})
    return {name: np.array([presentation[name] for presentation in found]) for name in found[0]}


# ---------------------------------------------------------------------- what is recorded
@pytest.mark.parametrize("phase", SHOWN)
def test_spikes_of_every_phase_are_those_of_the_declaration(seen, phase):
    dataset, expected = seen(phase), declared_spikes(phase, 7 if phase in ("wake", "sleep") else 0)
    n_steps = dataset.sizes["time"]
    assert n_steps == (20 if phase == "sleep" else 24), "sleep without the slot in which V decays"
    spikes = [name for name in dataset.data_vars if "spikes" in name]
    assert spikes == ["spikes_0", "spikes_1", "spikes_2", "feedback_spikes_1", "feedback_spikes_2"]
    for name in spikes:
        assert dataset[name].dtype == np.int8
        np.testing.assert_array_equal(dataset[name], expected[name][:, :n_steps], err_msg=name)
    for kind in EVENTS:
        signs = {*np.concatenate([np.ravel(dataset[name]) for name in spikes if name.startswith(kind)])}
        assert signs == {-1, 0, 1}, f"there must be {kind} of both signs"
    silent = {"sleep": ["spikes_2"], "recall": ["spikes_0", "spikes_2"]}.get(phase, [])
    assert not any(dataset[name].any() for name in silent)
    for name in (name for name in dataset.data_vars if name not in spikes):
        known = ~np.isnan(expected[name])
        np.testing.assert_allclose(dataset[name].values[known], expected[name][known], rtol=0, atol=1e-12)


def test_each_presentation_begins_with_the_weights_that_were_given(seen):
    """Broken on purpose: where weights went on from one to the next, other spikes would be sent."""
    assert WEIGHTS.sha256 == initial_weights(P, 0).sha256
    gone_on = declared_spikes("wake", 7, goes_on=True)
    assert not all(np.array_equal(values, gone_on[name]) for name, values in seen("wake").data_vars.items())
    other = traces.spikes(P, WEIGHTS, "sleep", seed=8, device="runtime")
    assert not np.array_equal(other["spikes_1"][0], seen("sleep")["spikes_1"][0])


def test_spikes_come_back_from_netcdf_and_say_what_they_are(seen, tmp_path):
    dataset = seen("perception")
    assert [*dataset.data_vars][:6] == [f"{v}_{l}" for l in (0, 1) for v in ("trace", "apical_drive")] + [
        "trace_2",
        "spikes_0",
    ]
    traces.write_traces(dataset, tmp_path / "traces.nc")
    back = traces.read_traces(tmp_path / "traces.nc")
    assert back.identical(dataset)
    assert back["feedback_spikes_1"].dims == ("stimulus", "time", "neuron_1")
    its = back["feedback_spikes_1"].attrs
    assert its["units"] == "1" and "feedback cells" in its["long_name"] and "-1: of the OFF cell" in its["long_name"]
    assert back["time"].attrs["units"] == "s" and float(back["time"][-1]) == pytest.approx(0.048)


def test_spikes_as_neo_trains(seen):
    neo, quantities = pytest.importorskip("neo"), pytest.importorskip("quantities")
    dataset = seen("perception")
    segment = traces.to_neo(dataset).segments[1]
    assert {signal.name for signal in segment.analogsignals} == {n for n in dataset.data_vars if "spikes" not in n}
    assert len(segment.spiketrains) == 2 * (6 + 2 * 4 + 2 * 3)
    for train in segment.spiketrains:
        its = train.annotations
        name = {"forward": "spikes", "feedback": "feedback_spikes"}[its["cell"]] + f"_{its['population']}"
        steps = np.flatnonzero(dataset[name].values[1, :, its["neuron"]] == {"ON": 1, "OFF": -1}[its["sign"]])
        assert isinstance(train, neo.SpikeTrain) and train.units == quantities.ms
        np.testing.assert_allclose(train.magnitude, 2.0 * (steps + 1))
        assert float(train.t_start) == 0 and float(train.t_stop) == pytest.approx(48)
    assert sum(map(len, segment.spiketrains)) == sum(
        int(np.abs(dataset[n].values[1]).sum()) for n in dataset if "spikes" in n
    )


# ---------------------------------------------------------------------- monitors of one's own
@pytest.mark.parametrize("device", ["runtime", COMPILED])
def test_monitors_of_ones_own_see_the_spikes_of_a_run(device):
    """While synapses learn, over two chunks; the sign that a monitor sees is that of the very spike."""
    simulation = Simulation(P, device)
    populations = simulation.hierarchy.populations
    forward = SpikeMonitor(populations[1])
    feedback = EventMonitor(populations[2], "feedback_spike", variables="feedback_impulse")
    simulation.hierarchy.add(forward, feedback)
    state = simulation.run(trace_schedule(P, 3, WAKE), Stimuli(wake=(STIMULI, TARGETS)), WEIGHTS, {"noise_seed": 7})
    expected = declared_spikes("wake", 7, goes_on=True)
    for monitor, name in ((forward, "spikes_1"), (feedback, "feedback_spikes_2")):
        its, signs = simulation.recorded(monitor), expected[name].reshape(3 * 24, -1)
        slots, neurons = np.nonzero(signs)
        np.testing.assert_allclose(its["t"], 2e-3 * slots, atol=1e-9)
        np.testing.assert_array_equal(its["i"], neurons)
        assert len(slots) > 10
    np.testing.assert_array_equal(np.sign(its["feedback_impulse"]), signs[slots, neurons])
    assert (state.first, state.last) == (2, 3), "the run must have several chunks"
    np.testing.assert_array_equal(state.events["feedback_spikes_in_wake_2"], np.abs(signs[2 * 24 :]).sum(axis=0))


# ---------------------------------------------------------------------- what is refused
def test_what_has_no_spikes_is_refused():
    leaky = P.model_copy(update={"dynamics": "leaky"})
    with pytest.raises(
        ParameterError, match=r"^Parameters\.dynamics: must be spiking .* \(got leaky\); set dynamics=spik"
    ):
        traces.spikes(leaky, WEIGHTS, "wake", STIMULI, TARGETS)
    with pytest.raises(ParameterError, match=r"^spikes\.phase: must be a phase of .*wake, sleep.* \(got 'dream'\)"):
        traces.spikes(P, WEIGHTS, "dream")
    with pytest.raises(ParameterError, match=r"^spikes\.targets: must be given in wake \(got none\); give one row"):
        traces.spikes(P, WEIGHTS, "wake", STIMULI)
    with pytest.raises(ParameterError, match=r"^spikes\.stimuli: must be left out in sleep \(got \(3, 6\)\); leave"):
        traces.spikes(P, WEIGHTS, "sleep", STIMULI)
    with pytest.raises(ParameterError, match=r"^Stimuli\.wake: stimuli and targets must be equally many"):
        traces.spikes(P, WEIGHTS, "wake", STIMULI, TARGETS[:2], device="runtime")
    with pytest.raises(ParameterError, match=r"^spikes\.n_presentations: must be "):
        traces.spikes(P, WEIGHTS, "sleep", n_presentations=0)

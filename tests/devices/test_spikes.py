"""Spikes on devices: spike for spike what the declaration means, in wake, sleep and evaluation.

Cython, which takes a minute for this circuit, has a small rule with spikes in ``test_equals_interpreter``.
"""

import numpy as np
import pytest

from cortex_model.devices.simulation import Simulation
from cortex_model.language.moments import Fire
from cortex_model.reference.hierarchy import interpreter_of
from cortex_model.schedule import PHASES

SPIKING = {
    "dynamics": "spiking", "layer_sizes": (7, 5, 4, 6), "initial_weights": "he", "presentation_ms": 40.0,
    "feedback_onset_ms": 20.0, "sleep_ms": 20.0, "sleep_onset_ms": 8.0, "feedback_learning_rate": 0.1,
}  # fmt: skip
N_WAKE = 20


@pytest.mark.parametrize("dense", [True, False], ids=["dense", "stock"])
def test_spike_for_spike_on_runtime(scenario, check_equals_interpreter, alone, dense):
    alone("reciprocal")
    given = scenario(
        n_wake=N_WAKE if dense else 3, evaluate_every=10, learning_rule="reciprocal", dense=dense, **SPIKING
    )
    check_equals_interpreter(given, tolerance=1e-14)


@pytest.mark.compiler
@pytest.mark.slow
def test_spike_for_spike_on_cpp_standalone(scenario, check_equals_interpreter):
    """One program for the three rules, whatever their numbers are."""
    simulation = None
    for rule, others in (
        ("reciprocal", {"feedback_damping": 0.3}), ("random_feedback", {}), ("backpropagation", {"trace_ms": 11.0}),
    ):  # fmt: skip
        given = scenario(n_wake=N_WAKE, evaluate_every=10, learning_rule=rule, **SPIKING | others)
        simulation = simulation or Simulation(given.parameters)
        assert Simulation(given.parameters).key == simulation.key
        check_equals_interpreter(given, simulation=simulation)


def test_spikes_are_counted_as_the_interpreter_has_them(scenario, alone):
    """By neuron, phase and kind."""
    alone("reciprocal")
    given, seen = scenario(n_wake=5, learning_rule="reciprocal", **SPIKING), {}
    states = []
    Simulation(given.parameters, "runtime").run(*given[1:], callback=states.append)
    interpreter = interpreter_of(given.parameters, given.weights, given.numbers["noise_seed"])
    carry_out = interpreter.carry_out
    at = {}

    def counting(event):
        carry_out(event)
        if isinstance(event.moment, Fire):
            name = f"{event.moment.event}s_in_{at['phase']}_{event.level}"
            seen[name] = seen.get(name, 0) + interpreter.fired[event.level, event.moment.event][0].astype(int)

    interpreter.carry_out = counting
    for place, (number, (row,)) in enumerate(zip(given.schedule.phase, given.schedule.stimulus, strict=True)):
        at["phase"] = PHASES[number]
        stimuli = given.stimuli.wake if at["phase"] == "wake" else given.stimuli.evaluation
        shown = {} if row < 0 else {"stimulus": stimuli[0][row], "target": stimuli[1][row]}
        interpreter.present(at["phase"], at=place, **shown)
    counted = {name: sum(state.events.get(name, 0) for state in states) for name in seen}
    assert all(np.array_equal(counted[name], seen[name]) for name in seen)
    for name in (
        "spikes_in_wake_3",
        "feedback_spikes_in_wake_1",
        "feedback_spikes_in_sleep_2",
        "spikes_in_evaluation_3",
    ):
        assert seen[name].sum() > 0, name

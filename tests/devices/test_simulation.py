"""A simulation: what it refuses, what it says when weights diverge, several of them in one process."""

import dataclasses

import numpy as np
import pytest
from brian2 import NetworkOperation

from cortex_model.devices.simulation import Simulation
from cortex_model.errors import DeviceError, DivergenceError, ParameterError
from cortex_model.parameters import HierarchyParameters
from cortex_model.schedule import Stimuli
from cortex_model.weights import Weights

#: With the rule `reciprocal` alone, the program of many tests.
SMALL = {"layer_sizes": (5, 4, 3)}


def test_an_unknown_device_is_refused():
    with pytest.raises(DeviceError, match=r"Simulation\.device: must be one of runtime, .* \(got 'gpu'\)"):
        Simulation(HierarchyParameters(), "gpu")


def test_an_unknown_codegen_target_is_refused():
    with pytest.raises(DeviceError, match=r"Simulation\.codegen_target: must be one of .* \(got 'fortran'\)"):
        Simulation(HierarchyParameters(), "runtime", "fortran")


def test_a_number_that_no_equation_knows_is_refused(scenario):
    one = scenario()
    numbers = one.numbers | {"sleep_rate": 0.1}
    sentence = r"^Simulation\.run: numbers must be among .*sleep_learning_rate.* \(got 'sleep_rate'\); correct its name"
    with pytest.raises(DeviceError, match=sentence):
        Simulation(one.parameters, "runtime").run(one.schedule, one.stimuli, one.weights, numbers)


@pytest.mark.parametrize("device", ["cpp_standalone", "cuda_standalone"])
def test_a_network_operation_is_refused_where_nothing_can_call_python(scenario, alone, device):
    alone("reciprocal")
    one = scenario(**SMALL)
    simulation = Simulation(one.parameters, device)
    if device == "cuda_standalone":
        pytest.importorskip("brian2cuda")
    simulation.hierarchy.add(NetworkOperation(lambda: None, name="look_and_see"))
    sentence = rf"^{device}\.look_and_see: must not hold a network_operation, .*; use device='runtime'"
    with pytest.raises(DeviceError, match=sentence):
        simulation.run(*one[1:])


def test_a_network_operation_runs_on_runtime(scenario, alone):
    alone("reciprocal")
    one, seen = scenario(**SMALL), []
    simulation = Simulation(one.parameters, "runtime")
    hierarchy = simulation.hierarchy
    hierarchy.add(NetworkOperation(lambda: seen.append(hierarchy.populations[1].rate[0]), when="end"))
    simulation.run(*one[1:])
    assert len(seen) == one.schedule.n_slots


def test_stimuli_that_do_not_fit_are_refused(scenario):
    one = scenario()
    narrow = Stimuli(tuple(array[:, 1:] for array in one.stimuli.wake), None)
    with pytest.raises(ParameterError, match=r"^Stimuli\.wake: stimuli must have 7 elements"):
        Simulation(one.parameters, "runtime").run(one.schedule, narrow, one.weights, one.numbers)


@pytest.mark.parametrize("device", ["runtime", "cpp_standalone"])
def test_everything_is_checked_before_anything_is_built(scenario, monkeypatch, device):
    one, built = scenario(), []
    monkeypatch.setattr(Simulation, "build", lambda simulation: built.append(simulation))
    stimuli, targets = one.stimuli.wake
    weights = one.weights
    wrong = {
        r"Stimuli\.wake: .* equally many": {"stimuli": Stimuli((stimuli[1:], targets), one.stimuli.evaluation)},
        r"Schedule\.stimulus: must show rows": {"stimuli": Stimuli((stimuli[:0], targets[:0]), one.stimuli.evaluation)},
        r"Stimuli\.evaluation: must be given": {"stimuli": Stimuli(one.stimuli.wake)},
        r"Schedule\.measured": {"schedule": dataclasses.replace(one.schedule, measured=one.schedule.measured + 1000)},
        r"Weights\.W_1: must have shape \(5, 7\)": {"weights": Weights.from_named(weights.named() | {"W_1": targets})},
        r"Weights\.V_2: must hold numbers that are finite in float64 \(got nan\)": {
            "weights": Weights.from_named(weights.named() | {"V_2": weights.feedback[2] * np.nan})
        },
        r"Weights\.V_1: must be there if and only if .* \(got one more\)": {
            "weights": Weights.from_named(weights.named() | {"V_1": weights.forward[1].T})
        },
        r"Weights\.V_3: .* \(got none\)": {
            "weights": Weights(weights.forward, weights.biases, {2: weights.feedback[2]})
        },
    }
    for sentence, changes in wrong.items():
        given = one._replace(**changes)
        with pytest.raises(ParameterError, match=f"^{sentence}"):
            Simulation(given.parameters, device).run(*given[1:])
    with pytest.raises(ParameterError, match=r"^Simulation\.run: remembered must be among apical_gain_1"):
        Simulation(one.parameters, device).run(*one[1:], remembered={"apical_gain_7": 1.0})
    assert built == []


@pytest.mark.parametrize(
    ("device", "dtype", "rate"),
    [
        ("runtime", "float64", 1e30),
        ("runtime", "float32", 1e300),  # which float32 cannot hold
        pytest.param("cpp_standalone", "float64", 1e30, marks=[pytest.mark.compiler, pytest.mark.slow]),
    ],
)
@pytest.mark.parametrize("number", ["learning_rate", "sleep_learning_rate"])
def test_weights_that_diverge_stop_the_run_and_name_the_rate_to_lower(
    scenario, alone, device, number, dtype, rate, recwarn
):
    alone("reciprocal")
    many = scenario(n_wake=20, evaluate_every=10, dtype=dtype, **SMALL)
    fast = many._replace(numbers=many.numbers | {number: rate})
    with pytest.raises(
        DivergenceError, match=rf"must stay finite \(got NaN or infinity .*; lower {number} from 1e\+30"
    ):
        Simulation(many.parameters, device).run(*fast[1:])
    assert [str(warning.message) for warning in recwarn if issubclass(warning.category, RuntimeWarning)] == []


def test_a_diverged_simulation_can_run_again(scenario, alone, simulate, difference):
    alone("reciprocal")
    many = scenario(n_wake=20, **SMALL)
    simulation = Simulation(many.parameters, "runtime")
    with pytest.raises(DivergenceError):
        simulation.run(*many._replace(numbers=many.numbers | {"sleep_learning_rate": 1e200})[1:])
    weights, _ = simulate(many, simulation=simulation)
    assert difference(weights, simulate(many)[0]) == 0


@pytest.mark.compiler
@pytest.mark.slow
def test_simulations_take_turns_in_one_process(scenario, alone, simulate, programs):
    """Two structures, two devices: each gives the bits that it gives alone."""
    alone("reciprocal")
    first, second = scenario(n_wake=3, **SMALL), scenario(n_wake=3, **programs["linear"] | {"layer_sizes": (4, 3)})
    alone = [simulate(each, device)[0].sha256 for each in (first, second) for device in ("runtime", "cpp_standalone")]
    simulations = [
        Simulation(each.parameters, device) for each in (first, second) for device in ("runtime", "cpp_standalone")
    ]
    for _ in range(2):
        turns = [
            simulate(each, simulation=s)[0].sha256
            for each, s in zip((first, first, second, second), simulations, strict=True)
        ]
        assert turns == alone


def test_a_run_leaves_what_it_was_handed_as_it_was(scenario, alone):
    alone("reciprocal")
    many = scenario(n_wake=20, **SMALL)
    before = many.weights.sha256
    Simulation(many.parameters, "runtime").run(*many[1:])
    assert many.weights.sha256 == before


@pytest.mark.compiler
@pytest.mark.slow
def test_objects_added_after_the_build_are_refused(scenario, alone):
    alone("reciprocal")
    one = scenario(**SMALL)
    simulation = Simulation(one.parameters)
    simulation.run(*one[1:])
    with pytest.raises(DeviceError, match="Hierarchy.add: must be called before the program is built"):
        simulation.hierarchy.record(1, "rate")

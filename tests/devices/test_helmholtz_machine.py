"""A Helmholtz machine on devices: what runs is what is declared, in batches, in chunks and over index arrays too."""

import dataclasses

import numpy as np
import pytest

from cortex_model.devices.simulation import NetworkRun, Simulation
from cortex_model.rules import shipped

(NAME,) = (name for name, rule in shipped().items() if rule.task == "stimuli")
SETTINGS = {
    "online": {},
    "in batches": {"batch_size": 3},
    "over index arrays": {"dense": False, "layer_sizes": (5, 4, 3)},
    "two populations": {"layer_sizes": (4, 6)},
    "five populations": {"layer_sizes": (3, 8, 8, 2, 1), "sleep_per_wake": 2.5},
}


@pytest.fixture
def machine(scenario):
    """Overrides -> a scenario with stimuli of zeros and ones."""

    def make(n_wake=6, **overrides):
        made = scenario(n_wake=n_wake, learning_rule=NAME, **{"learning_rate": 0.3} | overrides)
        binary = tuple((images > 0, targets) for images, targets in (made.stimuli.wake, made.stimuli.evaluation))
        stimuli = dataclasses.replace(made.stimuli, wake=binary[0], evaluation=binary[1])
        return made._replace(stimuli=stimuli)

    return make


@pytest.mark.parametrize("name", SETTINGS)
def test_what_runs_is_what_is_declared(machine, check_equals_interpreter, name):
    check_equals_interpreter(machine(**SETTINGS[name]))


@pytest.mark.compiler
@pytest.mark.slow
@pytest.mark.parametrize("name", ["online", "in batches"])
def test_what_is_compiled_is_what_is_declared(machine, check_equals_interpreter, name):
    check_equals_interpreter(machine(n_wake=60, **SETTINGS[name]), "cpp_standalone")


@pytest.mark.compiler
@pytest.mark.slow
def test_compiled_networks_side_by_side_and_chunks_have_the_bits_of_one_alone(machine, simulate):
    """In single precision, which runs have."""
    given = {"n_wake": 60, "dtype": "float32"}
    scenarios = [machine(seed=seed, **given) for seed in range(2)]
    alone = [simulate(each, "cpp_standalone")[0] for each in scenarios]
    cut = simulate(machine(chunk_presentations=7, **given), "cpp_standalone")[0]
    assert cut.sha256 == alone[0].sha256
    together = Simulation(scenarios[0].parameters, "cpp_standalone", ensemble_size=2)
    runs = [NetworkRun(each.schedule, each.weights, each.numbers) for each in scenarios]
    outcomes = together.run_ensemble(runs, scenarios[0].stimuli)
    assert [outcome.weights.sha256 for outcome in outcomes] == [weights.sha256 for weights in alone]


def test_chunks_change_nothing(machine, simulate):
    whole, cut = (simulate(machine(n_wake=8, chunk_presentations=n))[0] for n in (400, 3))
    assert whole.sha256 == cut.sha256


def test_other_seeds_draw_other_states(machine, simulate, difference):
    one = machine()
    other = one._replace(numbers=one.numbers | {"noise_seed": 4})
    assert difference(simulate(one)[0], simulate(other)[0]) > 1e-3
    assert simulate(one)[0].sha256 == simulate(one)[0].sha256


def test_wake_changes_generation_and_sleep_changes_recognition(machine, simulate):
    for sleeps, changed in ((0.0, "Vc"), (1.0, "VcWb")):
        made = machine(sleep_per_wake=sleeps)
        after = simulate(made)[0].named()
        differing = {name[0] for name, array in made.weights.named().items() if not np.array_equal(array, after[name])}
        assert differing == set(changed)

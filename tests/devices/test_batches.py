"""Stimuli that are presented together: plasticity follows the mean of what each of them alone would change."""

import dataclasses

import numpy as np
import pytest

from cortex_model.devices.simulation import NetworkRun, Simulation
from cortex_model.errors import ParameterError
from cortex_model.parameters import SleepWakeParameters
from cortex_model.weights import Weights


def test_a_batch_changes_weights_by_the_mean_of_its_stimuli(scenario, interpret, difference):
    """Each stimulus of a batch shown alone, from the same weights. Devices give what is interpreted."""
    batch = scenario(n_wake=3, batch_size=3, learning_rule="backpropagation")
    alone = []
    for shown in batch.schedule.stimulus[batch.schedule.phase == 0][0]:
        one = scenario(n_wake=1, learning_rule="backpropagation")
        stimulus = np.where(one.schedule.phase[:, None] == 0, shown, one.schedule.stimulus).astype(np.int32)
        alone.append(interpret(one._replace(schedule=dataclasses.replace(one.schedule, stimulus=stimulus)))[0].named())
    weights, rates = interpret(batch)
    mean = {name: np.mean([each[name] for each in alone], axis=0) for name in weights.named()}
    assert difference(weights, batch.weights) > 1e-4
    assert difference(weights, Weights.from_named(mean)) <= 1e-12
    assert rates.shape == (5 * 2, 4)


@pytest.mark.compiler
@pytest.mark.slow
def test_whole_tiles_and_their_rests(scenario, check_equals_interpreter, alone):
    """Layers that are wider and narrower than the tiles of the compiled loops, batches of 19 that are not all full."""
    alone("reciprocal")
    many = scenario(n_wake=55, batch_size=19, layer_sizes=(21, 37, 18, 4), damping=0.4, evaluate_every=19)
    assert many.schedule.n_presentations("wake") == 57
    check_equals_interpreter(many, "cpp_standalone")


def test_networks_with_batches_are_what_they_are_alone(scenario, simulate, difference, alone):
    alone("reciprocal")
    options = {"n_wake": 12, "batch_size": 4, "layer_sizes": (5, 4, 3)}
    scenarios = [scenario(seed=seed, damping=0.2 * seed, **options) for seed in range(2)]
    simulation = Simulation(scenarios[0].parameters, "runtime", ensemble_size=2)
    runs = [NetworkRun(each.schedule, each.weights, each.numbers) for each in scenarios]
    for each, outcome in zip(scenarios, simulation.run_ensemble(runs, scenarios[0].stimuli), strict=True):
        assert difference(outcome.weights, simulate(each)[0]) <= 1e-12


def test_a_batch_is_not_one_presentation_after_the_other(scenario, interpret, difference):
    """The check of the checks: online, the second stimulus already meets weights that the first has changed."""
    together, online = (scenario(n_wake=24, batch_size=size) for size in (3, 1))
    assert difference(interpret(together)[0], interpret(online)[0]) > 1e-3


def test_stock_brian2_has_no_batches():
    with pytest.raises(ParameterError, match="batch_size must be 1 where dense is false"):
        SleepWakeParameters().with_overrides({"batch_size": 2, "dense": False})

"""Stimuli that share a slot: plasticity follows the mean of what each of them alone would change."""

import numpy as np
import pytest

from cortex_model import theory
from cortex_model.devices.simulation import Member, Simulation
from cortex_model.errors import ParameterError
from cortex_model.parameters import SleepWakeParameters
from cortex_model.schedule import EVALUATION, WAKE
from cortex_model.philox import population_noise
from cortex_model.weights import Weights

DEVICES = ["runtime", pytest.param("cpp_standalone", marks=pytest.mark.compiler)]
#: Options that change what a batch has to share: normalisation by each stimulus' own power, every sleep rule, V_1.
#: Forward weights that sleep do so alone: after a batch has changed V, its second moments see the new V together.
OPTIONS = {
    "plain": {},
    "normalised": {
        "presynaptic_normalisation": True, "sleep_normalisation": True, "damping": 0.3, "feedback_to_input": True,
    },
    "forward sleeps": {
        "feedback_to_input": True, "forward_sleep_learning_rate": 0.005, "sleep_learning_rate": 0.0, "damping": 0.2,
    },
    "hinton_mcclelland": {"sleep_rule": "hinton_mcclelland", "top": "sigmoid"},
    "ben_israel": {"sleep_rule": "ben_israel", "nonlinearity": "sigmoid"},
    "backpropagation": {"learning_rule": "backpropagation", "nonlinearity": "softplus"},
}  # fmt: skip


def mean_change(weights, alone):
    """Weights plus the mean over a batch of what each presentation alone would have changed."""
    named = weights.named()
    changes = [{name: array - named[name] for name, array in each.named().items()} for each in alone]
    return Weights.from_named({name: named[name] + np.mean([c[name] for c in changes], axis=0) for name in named})


def predicted(scenario):
    """Weights and rates after a scenario whose slots hold batches."""
    p, schedule, stimuli, weights, numbers = scenario
    rates, asleep_in, size = [], None, p.batch_size

    def noise(presentation, levels, descending):
        key, kind = (numbers["noise_seed"], presentation), p.noise_distribution
        return {level: population_noise(*key, level, p.layer_sizes[level], kind, descending) for level in levels}

    def awake(row):
        forward, biases, feedback = theory.wake_presentation(
            weights.forward, weights.biases, weights.feedback, stimuli.wake[0][row], stimuli.wake[1][row],
            learning_rate=p.learning_rate, nonlinearity=p.nonlinearity, top=p.top,
            presynaptic_normalisation=p.presynaptic_normalisation,
            feedback_follows_forward=p.learning_rule == "backpropagation",
        )  # fmt: skip
        return Weights(forward, biases, feedback)

    def asleep(presentation):
        up, down = (noise(presentation, range(d, p.n_layers + d), bool(d)) for d in (0, 1))
        forward, feedback = theory.sleep_presentation(
            weights.forward, weights.feedback, up, down,
            sleep_learning_rate=p.sleep_learning_rate, forward_sleep_learning_rate=p.forward_sleep_learning_rate,
            damping=p.damping, gain=p.noise_gain, sleep_rule=p.sleep_rule,
            sleep_normalisation=p.sleep_normalisation, regression=p.regression,
        )  # fmt: skip
        return Weights(forward, weights.biases, feedback)

    for kind, presentation, rows in zip(schedule.kind, schedule.presentation.tolist(), schedule.stimulus, strict=True):
        if kind == WAKE:
            weights = mean_change(weights, [awake(row) for row in rows])
        elif kind == EVALUATION:
            shown = stimuli.evaluation[0][rows[rows >= 0]].T
            _, responses = theory.hierarchy_response(weights.forward, weights.biases, shown, p.nonlinearity, p.top)
            rates.extend(responses[p.n_layers].T)
        elif presentation != asleep_in:
            asleep_in = presentation
            weights = mean_change(weights, [asleep(presentation + b) for b in range(size)])
    return weights, np.array(rates)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_a_batch_equals_theory(scenario, simulate, difference, options, device):
    """Batches of 3: 5 evaluated stimuli leave the last batch open, 22 presentations are rounded up to 24."""
    many = scenario(n_wake=22, batch_size=3, evaluate_every=9, chunk_presentations=20, **options)
    assert many.schedule.n_presentations("wake") == 24
    weights, rates = simulate(many, device)
    expected, expected_rates = predicted(many)
    assert difference(weights, many.weights) > 1e-4
    assert difference(weights, expected) <= 1e-12
    assert rates.shape == (5 * len(many.schedule.looks), 4)
    assert np.abs(rates - expected_rates).max() <= 1e-12


@pytest.mark.compiler
def test_whole_tiles_and_their_rests_equal_theory(scenario, simulate, difference):
    """Layers that are wider and narrower than the tiles of the compiled loops, batches of 19."""
    many = scenario(n_wake=57, batch_size=19, layer_sizes=(21, 37, 18, 4), damping=0.4)
    weights, rates = simulate(many, "cpp_standalone")
    expected, expected_rates = predicted(many)
    assert difference(weights, many.weights) > 1e-4
    assert difference(weights, expected) <= 1e-12
    assert np.abs(rates - expected_rates).max() <= 1e-12


@pytest.mark.parametrize("device", DEVICES)
def test_networks_with_batches_are_what_they_are_alone(scenario, simulate, difference, device):
    scenarios = [scenario(n_wake=24, batch_size=4, seed=seed, damping=0.2 * seed) for seed in range(3)]
    simulation = Simulation(scenarios[0].parameters, device, ensemble_size=3)
    members = [Member(each.schedule, each.weights, each.numbers) for each in scenarios]
    for each, outcome in zip(scenarios, simulation.run_ensemble(members, scenarios[0].stimuli), strict=True):
        assert difference(outcome.weights, simulate(each, device)[0]) <= 1e-12


def test_a_batch_is_not_one_presentation_after_the_other(scenario, simulate, difference):
    """The check of the checks: online, the second stimulus already meets weights that the first has changed."""
    together, online = (scenario(n_wake=24, batch_size=size) for size in (3, 1))
    assert difference(simulate(together)[0], simulate(online)[0]) > 1e-3


def test_stock_brian2_has_no_batches():
    with pytest.raises(ParameterError, match="batch_size must be 1 where dense is false"):
        SleepWakeParameters().with_overrides({"batch_size": 2, "dense": False})

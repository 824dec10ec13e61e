"""Networks side by side in one program: each is what it is alone."""

import dataclasses

import numpy as np
import pytest

from cortex_model.devices.simulation import NetworkRun, Simulation
from cortex_model.errors import DeviceError, DivergenceError, ParameterError
from cortex_model.schedule import declared
from cortex_model.schedule.ensemble import Ensemble

DEVICES = ["runtime", pytest.param("cpp_standalone", marks=[pytest.mark.compiler, pytest.mark.slow])]
#: Largest difference of a weight from that of the network alone: the loops of one network are the same loops on
#: cpp_standalone; NumPy adds up stacked matrices in another order.
TOLERANCE = {"runtime": 1e-12, "cpp_standalone": 0.0}

#: Seeds, numbers and rules that share a program. A rule that does not sleep has shorter schedules; rules whose sleep
#: consists of other moments take turns.
NETWORKS = [
    {"seed": 0},
    {"seed": 1, "learning_rate": 0.02, "damping": 0.7, "forward_sleep_learning_rate": 0.01},
    {"seed": 2, "learning_rule": "random_feedback"},
    {"seed": 3, "learning_rule": "kolen_pollack"},
    {"seed": 4, "learning_rule": "exact_pseudoinverse", "pseudoinverse_every_presentations": 7},
    {"seed": 5, "feedback_gain": "norm_matched", "gain_update_presentations": 9, "damping": 0.5},
    {"seed": 6, "learning_rule": "weight_mirror", "damping": 0.6},
]
#: With the layers of a program that other tests need too.
COMMON = {"n_wake": 20, "evaluate_every": 8, "chunk_presentations": 13}


@pytest.fixture(scope="module")
def scenarios(scenario):
    """Scenarios that share their stimuli but nothing else: each has an order, weights and noise of its own."""
    made = []
    for network in NETWORKS:
        one = scenario(**COMMON, **network)
        rows = np.random.default_rng(network["seed"]).permutation(30)
        stimulus = np.where(one.schedule.phase[:, None] == 0, rows[one.schedule.stimulus], one.schedule.stimulus)
        schedule = dataclasses.replace(one.schedule, stimulus=stimulus.astype(np.int32))
        made.append(one._replace(schedule=schedule, numbers=one.numbers | {"noise_seed": network["seed"]}))
    return made


def together(scenarios, device, simulation=None):
    states = [[] for _ in scenarios]
    simulation = simulation or Simulation(scenarios[0].parameters, device, ensemble_size=len(scenarios))
    runs = [
        NetworkRun(each.schedule, each.weights, each.numbers, callback=seen.append)
        for each, seen in zip(scenarios, states, strict=True)
    ]
    return simulation.run_ensemble(runs, scenarios[0].stimuli), states


@pytest.fixture(scope="module", params=DEVICES)
def device(request):
    return request.param


@pytest.fixture(scope="module")
def done(scenarios, device):
    """(Simulation, outcomes, what each network's callback has seen), run once a device."""
    simulation = Simulation(scenarios[0].parameters, device, ensemble_size=len(scenarios))
    return simulation, *together(scenarios, device, simulation)


def test_each_network_is_what_it_is_alone(scenarios, done, device, difference, interpret, simulate):
    """On the runtime device: what it is declared to be."""
    _, outcomes, states = done
    alone = interpret if device == "runtime" else lambda each: simulate(each, device)
    for each, outcome, seen in zip(scenarios, outcomes, states, strict=True):
        weights, expected_rates = alone(each)
        rates = np.concatenate([state.rates for state in seen])
        assert outcome.last == len(each.schedule)
        assert difference(outcome.weights, each.weights) > 1e-4
        assert difference(outcome.weights, weights) <= TOLERANCE[device], each.parameters.learning_rule
        assert rates.shape == expected_rates.shape
        assert np.abs(rates - expected_rates).max() <= TOLERANCE[device]


def test_networks_resume_from_different_places(scenarios, done):
    """Interrupted while checkpoints were written, some are a chunk ahead of the others."""
    simulation, outcomes, states = done
    runs = []
    for at, (each, seen) in enumerate(zip(scenarios, states, strict=True)):
        begun = seen[1 + at % 3]
        runs.append(NetworkRun(each.schedule, begun.weights, each.numbers, begun.last, remembered=begun.remembered))
    resumed = simulation.run_ensemble(runs, scenarios[0].stimuli)
    assert [each.weights.sha256 for each in resumed] == [each.weights.sha256 for each in outcomes]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_network_that_diverges_does_not_stop_the_others(scenarios, done, device):
    simulation, expected, _ = done
    wild = scenarios[1]._replace(numbers=scenarios[1].numbers | {"learning_rate": 1e30})
    outcomes, _ = together([scenarios[0], wild, *scenarios[2:]], device, simulation)
    assert isinstance(outcomes[1], DivergenceError)
    for at in (0, *range(2, len(scenarios))):
        assert outcomes[at].weights.sha256 == expected[at].weights.sha256


def ensemble_of(scenarios):
    return Ensemble([each.schedule for each in scenarios], declared(scenarios[0].parameters))


def test_schedules_that_do_not_fit_are_refused(scenario):
    ensemble = ensemble_of([scenario(n_wake=n) for n in (10, 12)])
    with pytest.raises(ParameterError, match=r"^Ensemble\.schedules: must hold the same phases in the same .* apart\."):
        _ = ensemble.own


def test_a_schedule_without_sleep_finds_its_places_in_one_with_sleep(scenario):
    given = [scenario(n_wake=6, evaluate_every=3, learning_rule=r) for r in ("reciprocal", "random_feedback")]
    ensemble, (asleep, awake) = ensemble_of(given), [each.schedule for each in given]
    assert len(ensemble.schedule) == len(asleep) > len(awake)
    assert np.array_equal(ensemble.schedule.phase[ensemble.own[1]], awake.phase)
    for place in range(len(awake) + 1):
        assert ensemble.position(1, int(ensemble.after(1, np.array(place)))) == place
    shown = ensemble.stimulus(0, len(asleep))[:, 1]
    assert np.array_equal(shown[ensemble.own[1]], awake.stimulus)
    assert (np.delete(shown, ensemble.own[1], axis=0) == -1).all()
    assert np.array_equal(ensemble.presentation(0, len(asleep))[ensemble.own[1], 1], awake.presentation)


def test_rules_that_differ_in_plasticity_alone_share_their_slots_and_others_take_turns(scenarios):
    ensemble = ensemble_of(scenarios)
    assert len(ensemble.turns["wake"]) == 1, "they learn from the same moments"
    assert ensemble.turns["sleep"] == [[0, 5], [1], [6]], "with V alone, with W too, and without what comes back"
    assert len(ensemble.schedule.slots["sleep"]) == 3


def test_the_number_of_networks_and_dense_loops_are_checked(scenario):
    one = scenario()
    with pytest.raises(DeviceError, match=r"must get 2 networks, as many as ensemble_size \(got 1\)"):
        Simulation(one.parameters, "runtime", ensemble_size=2).run(*one[1:])
    stock = scenario(dense=False)
    with pytest.raises(DeviceError, match=r"ensemble_size: must be 1 where dense is false \(got 2\)"):
        Simulation(stock.parameters, "runtime", ensemble_size=2)


# ---------------------------------------------------------------------- spikes
#: Rules in spikes share a program. One sleeps; where its feedback also decays, in a slot of its own, they take turns.
IN_SPIKES = [
    {"seed": 0, "sleep_amplitude": 2.0},
    {"seed": 3, "sleep_amplitude": 2.0, "feedback_damping": 0.1},
    {"seed": 1, "learning_rule": "random_feedback", "hidden_learning_rate": 0.5},
    {"seed": 2, "learning_rule": "backpropagation", "slope_limit": 1.0},
]
#: An error of 1 is no whole part of a spike a time step: a sum of such would be at the threshold but for rounding.
SPIKING = {
    "dynamics": "spiking", "firing_threshold": 0.2, "top_error_rate": 0.17, "n_wake": 5, "evaluate_every": 3,
    "chunk_presentations": 4, "layer_sizes": (7, 5, 4, 6), "presentation_ms": 30.0, "feedback_onset_ms": 10.0,
    "sleep_ms": 20.0, "sleep_onset_ms": 5.0,
}  # fmt: skip


def test_spikes_of_each_network_are_those_of_it_alone(scenario, device, difference):
    """On the runtime device its weights to the bit; answers, and how often each neuron fired, in each phase."""
    many = [scenario(**SPIKING | network) for network in IN_SPIKES]
    many = [each._replace(numbers=each.numbers | {"noise_seed": seed}) for seed, each in enumerate(many)]
    outcomes, states = together(many, device)
    for each, outcome, seen in zip(many, outcomes, states, strict=True):
        alone, simulation = [], Simulation(each.parameters, "runtime")
        state = simulation.run(*each[1:], callback=alone.append, first_presentation=0)
        bound = 0.0 if device == "runtime" else 1e-12
        assert difference(outcome.weights, state.weights) <= bound < 1e-4 < difference(state.weights, each.weights)
        rates, expected_rates = (np.concatenate([state.rates for state in these]) for these in (seen, alone))
        assert np.abs(rates - expected_rates).max() <= bound
        counts, expected = (total_events(these) for these in (seen, alone))
        assert counts.keys() == expected.keys()
        for name in counts:
            np.testing.assert_array_equal(counts[name], expected[name], name)
        has_no_sleep = "sleep" not in each.parameters.rule.phases
        assert {counts[f"spikes_in_{phase}_{l}"].any() for phase in ("wake", "evaluation") for l in range(4)} == {True}
        assert (counts["feedback_spikes_in_sleep_2"].sum() == 0) == has_no_sleep


def total_events(states):
    """How often each neuron had each event in all chunks."""
    return {name: sum(state.events.get(name, 0) for state in states) for name in states[-1].events}

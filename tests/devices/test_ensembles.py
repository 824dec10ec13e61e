"""Networks side by side in one program: each is what it is alone."""

import dataclasses

import numpy as np
import pytest

from cortex_model.devices.simulation import Member, Simulation
from cortex_model.errors import DeviceError, DivergenceError, ParameterError
from cortex_model.phases.ensemble import Ensemble

DEVICES = ["runtime", pytest.param("cpp_standalone", marks=pytest.mark.compiler)]
#: Largest difference of a weight from that of the network alone: the loops of one network are the same loops on
#: cpp_standalone; NumPy adds up stacked matrices in another order.
TOLERANCE = {"runtime": 1e-12, "cpp_standalone": 0.0}

#: Seeds, numbers and rules that share a program. A rule that does not sleep has shorter schedules.
NETWORKS = [
    {"seed": 0},
    {"seed": 1, "learning_rate": 0.02, "damping": 0.7},
    {"seed": 2, "learning_rule": "random_feedback"},
    {"seed": 3, "learning_rule": "backpropagation"},
    {"seed": 4, "learning_rule": "exact_pseudoinverse", "pseudoinverse_every_presentations": 7},
    {"seed": 5, "feedback_gain": "norm_matched", "gain_update_presentations": 9, "damping": 0.5},
]
COMMON = {"n_wake": 40, "evaluate_every": 15, "chunk_presentations": 29}


@pytest.fixture(scope="module")
def scenarios(scenario):
    """Scenarios that share their stimuli but nothing else: each has an order, weights and noise of its own."""
    made = []
    for network in NETWORKS:
        one = scenario(**COMMON, **network)
        rows = np.random.default_rng(network["seed"]).permutation(30)
        stimulus = np.where(one.schedule.kind[:, None] == 0, rows[one.schedule.stimulus], one.schedule.stimulus)
        schedule = dataclasses.replace(one.schedule, stimulus=stimulus.astype(np.int32))
        numbers = one.numbers | {"noise_seed": network["seed"]}
        made.append(one._replace(schedule=schedule, numbers=numbers))
    return made


def member(scenario, stops, **options):
    return Member(scenario.schedule, scenario.weights, scenario.numbers, at_stop=stops.append, **options)


def alone(scenario, device):
    stops = []
    simulation = Simulation(scenario.parameters, device)
    simulation.run(scenario.schedule, scenario.stimuli, scenario.weights, scenario.numbers, at_stop=stops.append)
    return stops


def together(scenarios, device, **options):
    stops = [[] for _ in scenarios]
    simulation = Simulation(scenarios[0].parameters, device, ensemble_size=len(scenarios))
    members = [member(each, seen, **options) for each, seen in zip(scenarios, stops, strict=True)]
    return simulation.run_ensemble(members, scenarios[0].stimuli), stops


def seen(stops, looks):
    """Weights at the looks, and all that was answered."""
    rates = np.concatenate([stop.rates for stop in stops])
    return {stop.last: stop.weights for stop in stops if stop.last in looks}, rates


@pytest.mark.parametrize("device", DEVICES)
def test_each_network_is_what_it_is_alone(scenarios, device, difference):
    outcomes, stops = together(scenarios, device)
    for each, outcome, own_stops in zip(scenarios, outcomes, stops, strict=True):
        looks = set(each.schedule.looks.tolist())
        (weights, rates), (expected, expected_rates) = seen(own_stops, looks), seen(alone(each, device), looks)
        assert set(weights) == set(expected) == looks
        for look in looks:
            assert difference(weights[look], expected[look]) <= TOLERANCE[device], each.parameters.learning_rule
        assert rates.shape == expected_rates.shape
        assert np.abs(rates - expected_rates).max() <= TOLERANCE[device]
        assert outcome.last == each.schedule.n_slots
        assert difference(outcome.weights, each.weights) > 1e-4


@pytest.mark.parametrize("device", DEVICES)
def test_networks_resume_from_different_stops(scenarios, device):
    """Interrupted while checkpoints were written, some are a chunk ahead of the others."""
    outcomes, stops = together(scenarios, device)
    ends = [outcome.weights.sha256 for outcome in outcomes]
    members = []
    for at, (each, own_stops) in enumerate(zip(scenarios, stops, strict=True)):
        begun = own_stops[1 + at % 3]
        resumed = Member(each.schedule, begun.weights, each.numbers, begun.last, gains=begun.gains)
        members.append(resumed)
    simulation = Simulation(scenarios[0].parameters, device, ensemble_size=len(scenarios))
    resumed = simulation.run_ensemble(members, scenarios[0].stimuli)
    assert [outcome.weights.sha256 for outcome in resumed] == ends


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("device", DEVICES)
def test_a_network_that_diverges_does_not_stop_the_others(scenarios, device):
    expected, _ = together(scenarios[:3], device)
    wild = scenarios[1]._replace(numbers=scenarios[1].numbers | {"learning_rate": 1e30})
    outcomes, _ = together([scenarios[0], wild, scenarios[2]], device)
    assert isinstance(outcomes[1], DivergenceError)
    for at in (0, 2):
        assert outcomes[at].weights.sha256 == expected[at].weights.sha256


def test_schedules_that_do_not_fit_are_refused(scenario):
    schedules = [scenario(n_wake=n).schedule for n in (10, 12)]
    with pytest.raises(ParameterError, match=r"^Ensemble\.schedules: must hold the same kinds of slots .* apart\."):
        _ = Ensemble(schedules).own


def test_a_schedule_without_sleep_finds_its_slots_in_one_with_sleep(scenario):
    asleep, awake = (
        scenario(n_wake=6, evaluate_every=3, learning_rule=r).schedule for r in ("reciprocal", "random_feedback")
    )
    ensemble = Ensemble([asleep, awake])
    assert ensemble.schedule.n_slots == asleep.n_slots > awake.n_slots
    assert np.array_equal(ensemble.schedule.kind[ensemble.own[1]], awake.kind)
    for slot in range(awake.n_slots + 1):
        assert ensemble.position(1, ensemble.boundaries[1][slot]) == slot
    shown = ensemble.stimulus(0, asleep.n_slots)[:, 1]
    assert np.array_equal(shown[ensemble.own[1]], awake.stimulus)
    assert (np.delete(shown, ensemble.own[1], axis=0) == -1).all()


def test_the_number_of_networks_and_dense_loops_are_checked(scenario):
    one = scenario()
    with pytest.raises(DeviceError, match=r"must get 2 networks, as many as ensemble_size \(got 1\)"):
        Simulation(one.parameters, "runtime", ensemble_size=2).run(*one[1:])
    stock = scenario(dense=False)
    with pytest.raises(DeviceError, match=r"ensemble_size: must be 1 where dense is false \(got 2\)"):
        Simulation(stock.parameters, "runtime", ensemble_size=2)

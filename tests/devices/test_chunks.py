"""Where a run is cut into chunks, and where it is resumed, changes no bit."""

import dataclasses

import numpy as np
import pytest

from cortex_model.devices.simulation import Simulation

DEVICES = ["runtime", pytest.param("cpp_standalone", marks=pytest.mark.compiler)]


def assert_identical(weights, expected):
    for name, array in expected.named().items():
        np.testing.assert_array_equal(weights.named()[name], array, err_msg=name)


def begins(schedule):
    """Slots at which a presentation begins."""
    return np.flatnonzero(np.diff(schedule.presentation, prepend=-1))


@pytest.mark.parametrize("device", DEVICES)
def test_chunks_of_37_slots_give_the_bits_of_one_whole_chunk(scenario, simulate, device):
    """One program; looks from outside cut the run after every 37 slots."""
    whole = scenario(n_wake=150)
    assert len(whole.schedule.stops(400)) == 3, "the first evaluation, then everything else"
    looks = begins(whole.schedule)
    looks = looks[np.searchsorted(looks, np.arange(37, whole.schedule.n_slots, 37))]
    cut = whole._replace(schedule=dataclasses.replace(whole.schedule, looks=looks))
    weights, rates = simulate(cut, device)
    expected, expected_rates = simulate(whole, device)
    assert_identical(weights, expected)
    assert np.array_equal(rates, expected_rates)


@pytest.mark.parametrize(
    "overrides",
    [{}, {"forward_sleep_learning_rate": 0.005}, {"sleep_rule": "hinton_mcclelland"}, {"sleep_rule": "ben_israel"}],
    ids=lambda overrides: str(overrides),
)
def test_capacity_of_a_chunk_changes_no_bit_on_runtime(scenario, simulate, overrides):
    """Rules whose sleep presentation takes two or three slots are never cut within one."""
    overrides = overrides | {"n_wake": 60}
    weights, rates = simulate(scenario(chunk_presentations=37, **overrides))
    expected, expected_rates = simulate(scenario(chunk_presentations=1000, **overrides))
    assert_identical(weights, expected)
    assert np.array_equal(rates, expected_rates)


@pytest.mark.parametrize("device", DEVICES)
def test_resuming_at_any_stop_gives_the_bits_of_an_uninterrupted_run(scenario, programs, device):
    """Another simulation goes on with nothing but weights and gains; sleep takes three slots, and a chunk holds 39."""
    many = scenario(n_wake=30, evaluate_every=12, **programs["softplus"])
    stops = []
    simulation = Simulation(many.parameters, device)
    end = simulation.run(*many[1:], at_stop=lambda stop: stops.append((stop.last, stop.weights, stop.gains)))
    assert len(stops) > 5
    for last, weights, gains in stops[1:-1]:
        resumed = Simulation(many.parameters, device).run(
            many.schedule, many.stimuli, weights, many.numbers, first_slot=last, gains=gains
        )
        assert_identical(resumed.weights, end.weights)
        assert resumed.gains == end.gains
        assert np.array_equal(resumed.rates, end.rates)


def test_every_chunk_begins_with_a_presentation(scenario, programs):
    schedule = scenario(n_wake=50, **programs["softplus"]).schedule
    for capacity in (3, 4, 5, 37):
        stops = schedule.stops(capacity)
        assert np.isin(stops[:-1], begins(schedule)).all()
        assert np.diff(stops).max() <= capacity


@pytest.mark.parametrize("device", DEVICES)
def test_a_look_may_replace_weights_and_gains(scenario, device):
    many = scenario(n_wake=20, evaluate_every=10)
    other = scenario(n_wake=20, evaluate_every=10, seed=7)

    def replace(stop):
        if stop.last == 0:
            stop.weights = other.weights

    simulation = Simulation(many.parameters, device)
    end = simulation.run(*many[1:], at_stop=replace)
    assert_identical(end.weights, simulation.run(*other[1:], first_presentation=0).weights)

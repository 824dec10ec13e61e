"""Where a run is cut into chunks, and where it is resumed, changes no bit."""

import dataclasses

import numpy as np
import pytest

from cortex_model.devices.simulation import Simulation

COMPILED = [pytest.mark.compiler, pytest.mark.slow]
DEVICES = ["runtime", pytest.param("cpp_standalone", marks=COMPILED)]
#: What a presentation could hand to the next one: several slots, normalisation, gains that the host sets, delays.
OPTIONS = {
    "gains": {"layer_sizes": (5, 4, 3), "feedback_gain": "norm_matched", "gain_update_presentations": 11,
              "damping": 0.5, "forward_sleep_learning_rate": 0.005},
    "softplus in time": None,
}  # fmt: skip


def assert_identical(weights, expected):
    for name, array in expected.named().items():
        np.testing.assert_array_equal(weights.named()[name], array, err_msg=name)


@pytest.fixture(params=OPTIONS)
def options(request, programs):
    return OPTIONS[request.param] or programs[request.param]


@pytest.mark.parametrize("device", DEVICES)
def test_chunks_and_resumption_change_no_bit(scenario, options, device, alone):
    """Cut after every 7 presentations, and gone on with from nothing but weights and what the rule remembers."""
    if device == "runtime" or options == OPTIONS["gains"]:  # the other program is there for other tests
        alone("reciprocal")
    whole = scenario(n_wake=15, evaluate_every=6, **options)
    places = np.arange(7, len(whole.schedule), 7)
    cut = dataclasses.replace(whole.schedule, measured=np.union1d(places, whole.schedule.measured))
    simulation, states = Simulation(whole.parameters, device), []
    expected = simulation.run(*whole[1:], first_presentation=0)
    end = simulation.run(
        cut, *whole[2:], callback=lambda s: states.append((s.last, s.weights, s.remembered)), first_presentation=0
    )
    assert_identical(end.weights, expected.weights)
    for last, weights, remembered in states[1:-1:4]:
        resumed = simulation.run(cut, whole.stimuli, weights, whole.numbers, n_done=last, remembered=remembered)
        assert_identical(resumed.weights, end.weights)
        assert resumed.remembered == end.remembered
        assert np.array_equal(resumed.rates, end.rates)


def test_the_capacity_of_a_chunk_cuts_a_run(scenario):
    for capacity in (1, 4, 37):
        boundaries = scenario(n_wake=50).schedule.boundaries(capacity)
        assert np.diff(boundaries).max() <= capacity and boundaries[-1] == 110


def test_a_callback_may_replace_weights(scenario, alone):
    alone("reciprocal")
    options = {"n_wake": 6, "evaluate_every": 3, "layer_sizes": (5, 4, 3)}
    many, other = scenario(**options), scenario(seed=7, **options)

    def replace(state):
        if state.last == 0:
            state.weights = other.weights

    simulation = Simulation(many.parameters, "runtime")
    end = simulation.run(*many[1:], callback=replace)
    assert_identical(end.weights, simulation.run(*other[1:], first_presentation=0).weights)

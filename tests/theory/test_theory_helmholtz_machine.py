"""A Helmholtz machine: likelihood and free energy by every state, by samples, and what their gradients are."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from cortex_model.errors import ParameterError
from cortex_model.theory import helmholtz_machine as theory

SIZES = [(3, 2), (4, 3, 2), (3, 2, 2, 1)]


def machine_of(sizes, seed=0, scale=1.0):
    """A machine with random weights."""
    rng, n = np.random.default_rng(seed), len(sizes)
    return theory.HelmholtzMachine(
        {l: scale * rng.normal(size=(sizes[l], sizes[l - 1])) for l in range(1, n)},
        {l: scale * rng.normal(size=sizes[l]) for l in range(1, n)},
        {l: scale * rng.normal(size=(sizes[l - 1], sizes[l])) for l in range(1, n)},
        {l: scale * rng.normal(size=sizes[l]) for l in range(n)},
    )


def every_stimulus(n):
    return np.array(list(itertools.product((0.0, 1.0), repeat=n)))


def slope(function, array):
    """The gradient of a function by an array that it reads, by central differences."""
    gradient, step = np.zeros_like(array), 1e-5
    for at in np.ndindex(array.shape):
        kept = array[at]
        values = []
        for shifted in (kept + step, kept - step):
            array[at] = shifted
            values.append(function())
        array[at] = kept
        gradient[at] = (values[0] - values[1]) / (2 * step)
    return gradient


# ---------------------------------------------------------------------- what is a probability
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_likelihoods_of_every_stimulus_sum_to_one(sizes):
    machine = machine_of(sizes)
    total = sum(np.exp(-theory.negative_log_likelihood(machine, x[None])) for x in every_stimulus(sizes[0]))
    assert total == pytest.approx(1, abs=1e-12)
    for stimulus in every_stimulus(sizes[0]):
        assert np.exp(theory.log_recognition(machine, theory.every_state(machine, stimulus))).sum() == pytest.approx(1)


@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_free_energy_is_above_the_negative_log_likelihood(sizes):
    for seed, stimulus in enumerate(every_stimulus(sizes[0])):
        machine = machine_of(sizes, seed)
        assert theory.free_energy(machine, stimulus[None]) > theory.negative_log_likelihood(machine, stimulus[None])


def test_free_energy_is_the_negative_log_likelihood_where_recognition_is_exact():
    """Of one hidden unit the posterior is logistic: W = V^T, b = c_1 and what the visible units say of it."""
    machine, x = machine_of((5, 1)), every_stimulus(5)
    on, off = (np.logaddexp(0, machine.priors[0] + above).sum() for above in (machine.feedback[1][:, 0], 0.0))
    exact = replace(machine, forward={1: machine.feedback[1].T}, biases={1: machine.priors[1] - on + off})
    assert theory.free_energy(exact, x) == pytest.approx(theory.negative_log_likelihood(exact, x), abs=1e-12)
    assert theory.free_energy(machine, x) > theory.free_energy(exact, x) + 0.1


def test_units_that_are_large_drives_apart_stay_finite():
    machine = machine_of((3, 2), scale=1000.0)
    assert np.isfinite(theory.sampled_bounds(machine, every_stimulus(3), 5, np.random.default_rng(0))).all()


# ---------------------------------------------------------------------- gradients
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_wake_follows_the_gradient_of_the_free_energy(sizes):
    machine, x = machine_of(sizes), every_stimulus(sizes[0])[1::2]
    updates = theory.mean_wake_update(machine, x)
    for name, arrays in (("V", machine.feedback), ("c", machine.priors)):
        for level, array in arrays.items():
            gradient = slope(lambda: theory.free_energy(machine, x), array)
            assert np.abs(gradient).max() > 1e-3
            np.testing.assert_allclose(updates.pop(f"{name}_{level}"), -gradient, atol=1e-8)
    assert not updates


def fantasies(machine, sizes):
    """Every stimulus with every hidden state, and how likely each is dreamed."""
    listed = [theory.every_state(machine, x) for x in every_stimulus(sizes[0])]
    states = [np.concatenate(parts) for parts in zip(*listed, strict=True)]
    return states, np.exp(theory.log_generation(machine, states))


@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_sleep_follows_the_gradient_of_what_recognition_says_of_dreams(sizes):
    """E_p[log q] of dreams rises, which is not the free energy of stimuli."""
    machine = machine_of(sizes)
    states, likely = fantasies(machine, sizes)
    each = [theory.helmholtz_update(machine, [s[n : n + 1] for s in states], "sleep") for n in range(len(likely))]
    for name, arrays in (("W", machine.forward), ("b", machine.biases)):
        for level, array in arrays.items():
            update = sum(p * its[f"{name}_{level}"] for p, its in zip(likely, each, strict=True))
            gradient = slope(lambda: (likely * theory.log_recognition(machine, states)).sum(), array)
            np.testing.assert_allclose(update, gradient, atol=1e-8)
            of_free_energy = slope(lambda: theory.free_energy(machine, every_stimulus(sizes[0])), array)
            assert np.abs(update + of_free_energy).max() > 1e-2


def test_the_mean_over_states_is_that_of_single_presentations():
    machine, x = machine_of((3, 2)), every_stimulus(3)
    expected = theory.mean_wake_update(machine, x)
    states = theory.recognise(machine, np.tile(x, (20_000, 1)), np.random.default_rng(0))
    for name, update in theory.helmholtz_update(machine, states, "wake").items():
        np.testing.assert_allclose(update, expected[name], atol=0.01)


# ---------------------------------------------------------------------- samples
def test_sampled_bounds_approach_the_exact_ones():
    machine, x = machine_of((4, 3, 2)), every_stimulus(4)
    free_energy, likelihood = theory.sampled_bounds(machine, x, 20_000, np.random.default_rng(0))
    assert free_energy == pytest.approx(theory.free_energy(machine, x), abs=0.05)
    assert likelihood == pytest.approx(theory.negative_log_likelihood(machine, x), abs=0.05)


def test_one_sample_gives_the_free_energy_and_more_samples_a_tighter_bound():
    machine, x = machine_of((4, 3, 2)), np.tile(every_stimulus(4), (500, 1))
    bounds = [theory.sampled_bounds(machine, x, n, np.random.default_rng(1)) for n in (1, 5, 50)]
    assert bounds[0][0] == pytest.approx(bounds[0][1])
    assert bounds[0][1] > bounds[1][1] > bounds[2][1] > theory.negative_log_likelihood(machine, every_stimulus(4))


def test_dreams_are_drawn_as_often_as_they_are_likely():
    machine, n = machine_of((3, 2)), 100_000
    dreams = theory.dream(machine, n, np.random.default_rng(0))[0]
    for x in every_stimulus(3):
        share, likely = (dreams == x).all(axis=1).mean(), np.exp(-theory.negative_log_likelihood(machine, x[None]))
        assert share == pytest.approx(likely, abs=4 * np.sqrt(likely / n))


# ---------------------------------------------------------------------- images
def test_independent_units_are_a_machine_without_weights():
    rng = np.random.default_rng(0)
    training, x = rng.random((50, 6)) < 0.3, rng.random((20, 6)) < 0.3
    assert (~training[:, 0]).any(), "and a unit that is never on is not impossible"
    training[:, 1] = False
    machine = machine_of((6, 2), scale=0.0)
    machine.priors[0][:] = theory.prior_of(training)
    expected = theory.negative_log_likelihood(machine, x)
    assert theory.independent_units(training, x) == pytest.approx(expected, abs=1e-12)
    assert theory.chance(theory.prior_of(training))[1] == pytest.approx(1 / 50)


def test_nearest_bits_are_counted():
    rng = np.random.default_rng(0)
    images, training = rng.random((9, 12)) < 0.5, rng.random((20, 12)) < 0.5
    expected = [min((image != other).sum() for other in training) for image in images]
    assert theory.nearest_bits(images, training).tolist() == expected
    assert theory.nearest_bits(training, training).tolist() == [0] * 20


def test_states_that_are_too_many_are_refused():
    with pytest.raises(ParameterError, match=r"^every_state\.machine: must have at most 16 hidden units \(got 17\); "):
        theory.free_energy(machine_of((2, 17)), every_stimulus(2))

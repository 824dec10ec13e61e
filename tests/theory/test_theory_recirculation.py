"""Each closed form, floor and divergence of recirculation, on average and online."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cortex_model.errors import ParameterError
from cortex_model.theory import (
    decay_floor,
    feedback_fixed_point,
    feedback_noise_floor,
    feedback_update,
    forward_update,
    mean_feedback_update,
    mean_forward_update,
    online_noise_floor,
    recirculation_cycle,
    relative_distance,
    sleep_presentation,
    stable_sleep_learning_rate,
)

PROPERTY = settings(deadline=None, max_examples=25)
SEEDS = st.integers(0, 2**32 - 1)
SIZES = st.integers(1, 8)


def well_conditioned(generator, n_upper, n_lower, low=0.7, high=1.4):
    """Draw a matrix of full rank with singular values between low and high."""
    U, _, Vt = np.linalg.svd(generator.normal(size=(n_upper, n_lower)), full_matrices=False)
    return U * generator.uniform(low, high, len(Vt)) @ Vt


def pair(seed, n_upper, n_lower):
    generator = np.random.default_rng(seed)
    return generator, generator.normal(size=(n_upper, n_lower)), generator.normal(size=(n_lower, n_upper))


def descend(W, V, damping=0.0, gain=1.0, n_steps=4000, rate=None):
    rate = 1 / (np.linalg.norm(W, 2) ** 2 + damping) if rate is None else rate
    for _ in range(n_steps):
        V = V + rate * mean_feedback_update(W, V, damping, gain)
    return V


def descend_both(W, V, damping=0.0, gain=1.0, n_steps=2000, rate=0.1):
    for _ in range(n_steps):
        V = V + rate * mean_feedback_update(W, V, damping, gain)
        W = W + rate * mean_forward_update(W, V, damping, gain)
    return W, V


@PROPERTY
@given(SIZES, SIZES, SEEDS, st.floats(0, 3), st.floats(0.2, 3))
def test_white_noise_averages_to_the_mean_updates(n_upper, n_lower, seed, damping, gain):
    _, W, V = pair(seed, n_upper, n_lower)
    for n, cycle, update, mean, weights in (
        (n_lower, "ascending", feedback_update, mean_feedback_update, V),
        (n_upper, "descending", forward_update, mean_forward_update, W),
    ):
        noise = np.sqrt(n) * np.eye(n)
        expected = mean(W, V, damping, gain)
        together = update(noise, *recirculation_cycle(W, V, noise, cycle), weights, damping, gain)
        one_by_one = [update(xi, *recirculation_cycle(W, V, xi, cycle), weights, damping, gain) for xi in noise.T]
        scale = max(1.0, np.abs(expected).max())
        np.testing.assert_allclose(together, expected, atol=1e-13 * scale * n * n_upper)
        np.testing.assert_allclose(np.mean(one_by_one, axis=0), together, atol=1e-13 * scale * n * n_upper)


def test_sampled_noise_averages_to_the_mean_updates():
    generator, W, V = pair(3, 3, 5)
    noise = generator.uniform(-np.sqrt(3), np.sqrt(3), size=(5, 200_000))
    sampled = feedback_update(noise, *recirculation_cycle(W, V, noise), V, 0.2, 1.3)
    assert relative_distance(sampled, mean_feedback_update(W, V, 0.2, 1.3)) < 0.02


@PROPERTY
@given(SIZES, SIZES, SEEDS, st.floats(0.01, 10), st.floats(0.2, 3))
def test_mean_update_rests_at_the_fixed_point(n_upper, n_lower, seed, damping, gain):
    _, W, _ = pair(seed, n_upper, n_lower)
    for d in (0.0, damping):
        V = feedback_fixed_point(W, d, gain)
        np.testing.assert_allclose(mean_feedback_update(W, V, d, gain), 0, atol=1e-9 * max(1, np.abs(V).max()))


@pytest.mark.parametrize(("n_upper", "n_lower"), [(6, 6), (6, 9)])
def test_feedback_reaches_the_pseudoinverse_of_a_narrowing_pair(n_upper, n_lower):
    generator = np.random.default_rng(4)
    W = well_conditioned(generator, n_upper, n_lower)
    V = descend(W, generator.normal(size=(n_lower, n_upper)))
    assert relative_distance(V, np.linalg.pinv(W)) < 1e-13


def test_expansion_keeps_its_null_space_without_damping_and_forgets_it_with():
    generator = np.random.default_rng(5)
    W, V0 = well_conditioned(generator, 9, 6), generator.normal(size=(6, 9))
    left_over = V0 @ (np.eye(9) - W @ np.linalg.pinv(W))
    np.testing.assert_allclose(descend(W, V0), np.linalg.pinv(W) + left_over, atol=1e-13)
    assert relative_distance(descend(W, V0, damping=0.05), feedback_fixed_point(W, 0.05)) < 1e-13


@pytest.mark.parametrize("shape", [(5, 5), (5, 8), (8, 5)])
def test_damping_runs_from_pseudoinverse_to_transpose(shape):
    generator = np.random.default_rng(6)
    W = well_conditioned(generator, *shape)
    assert relative_distance(feedback_fixed_point(W, 1e-9), np.linalg.pinv(W)) < 1e-8
    assert relative_distance(feedback_fixed_point(W, 1e6, gain=1e6), W.T) < 1e-5
    reached = descend(W, generator.normal(size=shape[::-1]), damping=2.0, gain=3.0)
    assert relative_distance(reached, feedback_fixed_point(W, 2.0, 3.0)) < 1e-13


def test_recirculation_parts_from_the_theorem_except_at_the_transpose():
    _, W, V = pair(7, 3, 4)
    np.testing.assert_allclose(mean_feedback_update(W, W.T), W.T - W.T @ W @ W.T, atol=1e-12)
    assert relative_distance(mean_feedback_update(W, V), V - V @ W @ V) > 0.1


@pytest.mark.parametrize(("n_upper", "n_lower", "n_noise"), [(10, 20, 1), (4, 30, 1), (10, 20, 4)])
def test_online_noise_floor(n_upper, n_lower, n_noise):
    generator = np.random.default_rng(8)
    W = well_conditioned(generator, n_upper, n_lower)
    inverse, rate, squares = np.linalg.pinv(W), 0.004, []
    V = inverse
    for k in range(6000):
        noise = generator.normal(size=(n_lower, n_noise))
        V = V + rate * feedback_update(noise, *recirculation_cycle(W, V, noise), V)
        if k >= 1500:
            squares.append(np.sum((V - inverse) ** 2))
    predicted = online_noise_floor(n_lower, n_upper, rate / n_noise)
    assert np.sqrt(np.mean(squares)) == pytest.approx(predicted, rel=0.2)


def test_square_and_expanding_pairs_have_no_noise_floor():
    assert online_noise_floor(8, 8, 0.1) == online_noise_floor(8, 12, 0.1) == 0
    generator = np.random.default_rng(9)
    for n_upper in (8, 12):
        W = well_conditioned(generator, n_upper, 8, low=0.9, high=1.1)
        V = generator.normal(size=(8, n_upper)) @ W @ np.linalg.pinv(W)
        for _ in range(4000):
            xi = generator.normal(size=8)
            V = V + 0.03 * feedback_update(xi, *recirculation_cycle(W, V, xi), V)
        assert relative_distance(V, np.linalg.pinv(W)) < 1e-12


@pytest.mark.parametrize(("n_upper", "n_lower"), [(20, 20), (20, 40), (40, 20)])
def test_both_half_cycles_fall_exponentially_to_each_others_pseudoinverse(n_upper, n_lower):
    generator = np.random.default_rng(10)
    W, V = well_conditioned(generator, n_upper, n_lower), well_conditioned(generator, n_lower, n_upper)
    distances = [1.0]
    while distances[-1] > 1e-12 and len(distances) < 500:
        W, V = descend_both(W, V, n_steps=5)
        distances.append(relative_distance(V, np.linalg.pinv(W)))
    late = np.log(distances[len(distances) // 2 : -1])
    steps = np.arange(len(late))
    slope = np.polyfit(steps, late, 1)[0]
    assert slope < -0.1 and np.corrcoef(steps, late)[0, 1] < -0.99
    W, V = descend_both(W, V, n_steps=1000)
    assert relative_distance(V, np.linalg.pinv(W)) < 1e-13
    assert relative_distance(W, np.linalg.pinv(V)) < 1e-13


@pytest.mark.parametrize(("n_upper", "n_lower"), [(20, 20), (20, 40), (40, 20)])
@pytest.mark.parametrize("damping", [0.01, 0.1])
def test_decay_floor(n_upper, n_lower, damping):
    generator = np.random.default_rng(11)
    W, V = well_conditioned(generator, n_upper, n_lower), well_conditioned(generator, n_lower, n_upper)
    W, V = descend_both(W, V, damping, n_steps=int(30 / damping))
    floor = decay_floor(20, damping)
    assert np.linalg.norm(W - np.linalg.pinv(V)) == pytest.approx(floor, rel=0.05)
    assert np.linalg.norm(V - np.linalg.pinv(W)) == pytest.approx(floor, rel=0.05)
    assert relative_distance(V, np.linalg.pinv(W)) == pytest.approx(damping, rel=0.05)


@pytest.mark.parametrize(("damping", "gain"), [(0.2, 1.0), (0.5, 2.0), (1.0, 2.0), (3.0, 4.0)])
def test_singular_values_end_at_the_root_of_gain_less_damping(damping, gain):
    generator = np.random.default_rng(12)
    W, V = well_conditioned(generator, 6, 9), well_conditioned(generator, 9, 6)
    for weights in descend_both(W, V, damping, gain, n_steps=3000, rate=0.05):
        np.testing.assert_allclose(np.linalg.svd(weights)[1], np.sqrt(gain - damping), rtol=1e-10)


@pytest.mark.parametrize("damping", [1.05, 1.5])
def test_both_weights_vanish_once_damping_reaches_the_gain(damping):
    generator = np.random.default_rng(13)
    W, V = descend_both(well_conditioned(generator, 6, 6), well_conditioned(generator, 6, 6), damping)
    assert max(np.abs(W).max(), np.abs(V).max()) < 1e-3
    with pytest.raises(ParameterError, match="below 1"):
        decay_floor(6, damping)


def test_without_damping_each_pair_of_singular_values_ends_at_product_one():
    generator = np.random.default_rng(14)
    W = well_conditioned(generator, 6, 9)
    W, V = descend_both(W, 0.5 * W.T)
    s, v = np.linalg.svd(W)[1], np.linalg.svd(V)[1]
    np.testing.assert_allclose(s * v[::-1], 1, rtol=1e-12)
    assert s.max() - v.min() > 0.01


def sleep_online(W, rate, n_presentations, seed=15, **options):
    generator = np.random.default_rng(seed)
    V = generator.normal(size=W.shape[::-1])
    for _ in range(n_presentations):
        noise = {0: generator.uniform(-np.sqrt(3), np.sqrt(3), W.shape[1])}
        V = sleep_presentation({1: W}, {1: V}, noise, sleep_learning_rate=rate, **options)[1][1]
        if not np.linalg.norm(V) < 1e6:
            break
    return V


def test_the_stability_bound_holds_below_and_fails_beyond():
    W = well_conditioned(np.random.default_rng(16), 20, 20, low=0.95, high=1.05)
    bound = stable_sleep_learning_rate(W)
    assert relative_distance(sleep_online(W, 0.8 * bound, 4000), np.linalg.pinv(W)) < 1e-9
    assert not np.linalg.norm(sleep_online(W, 1.3 * bound, 4000)) < 1e6
    normalised = sleep_online(W, 1.0, 1500, sleep_normalisation=True)
    assert relative_distance(normalised, np.linalg.pinv(W)) < 1e-9
    assert not np.linalg.norm(sleep_online(W, 2.3, 1500, sleep_normalisation=True)) < 1e6


def test_damping_lowers_the_stable_rate():
    W = np.eye(3)
    assert stable_sleep_learning_rate(W) == pytest.approx(2 / 3)
    assert stable_sleep_learning_rate(W, 1.0) == pytest.approx(0.5)


@pytest.mark.parametrize("mean", [0.0, 1.0])
def test_noise_with_a_mean_misses_the_pseudoinverse(mean):
    """Break on purpose: at the same variance, a mean moves where the feedback comes to rest."""
    generator = np.random.default_rng(17)
    W, V = well_conditioned(generator, 6, 9), np.zeros((9, 6))
    white = generator.normal(size=(9, 60))
    white -= white.mean(axis=1, keepdims=True)
    white = np.linalg.solve(np.linalg.cholesky(white @ white.T / 60), white)
    noise = white + mean
    np.testing.assert_allclose(np.cov(noise, bias=True), np.eye(9), atol=1e-12)
    for _ in range(4000):
        V = V + 0.05 * feedback_update(noise, *recirculation_cycle(W, V, noise), V)
    distance = relative_distance(V, np.linalg.pinv(W))
    assert distance < 1e-12 if mean == 0 else distance > 0.1


def test_swapped_weights_do_not_learn_the_pseudoinverse():
    """Break on purpose: the cycle through V first and W second, with the increment still given to V."""
    generator = np.random.default_rng(18)
    W, V0 = well_conditioned(generator, 6, 6), well_conditioned(generator, 6, 6)
    noise = np.sqrt(6) * np.eye(6)
    distances = {}
    for is_swapped in (False, True):
        V = V0
        for _ in range(2000):
            weights = (V, W) if is_swapped else (W, V)
            V = V + 0.1 * feedback_update(noise, *recirculation_cycle(*weights, noise), V)
            if not np.linalg.norm(V) < 1e6:
                break
        distances[is_swapped] = relative_distance(V, np.linalg.pinv(W))
    assert distances[False] < 1e-12
    assert not distances[True] < 0.1


def test_mistakes_are_explained():
    W, V = np.ones((2, 3)), np.ones((3, 2))
    with pytest.raises(ParameterError, match="noise: must have 3 units for ascending noise"):
        recirculation_cycle(W, V, np.ones(2))
    with pytest.raises(ParameterError, match="reversed shape"):
        recirculation_cycle(W, W, np.ones(3))
    with pytest.raises(ParameterError, match="ascending or descending"):
        recirculation_cycle(W, V, np.ones(3), "sideways")
    with pytest.raises(ParameterError, match="must not be negative"):
        feedback_fixed_point(W, -1.0)


# ---------------------------------------------------------------------- the noise floor with damping
def floor_case(sizes=(12, 6), seed=0):
    return np.random.default_rng(seed).standard_normal(sizes[::-1]) / np.sqrt(sizes[0])


@pytest.mark.parametrize("sizes", [(12, 6), (8, 8), (40, 10)])
def test_damped_floor_without_damping_is_the_floor(sizes):
    assert feedback_noise_floor(floor_case(sizes), 0.01) == pytest.approx(online_noise_floor(*sizes, 0.01), abs=1e-12)


def online_deviation(W, damping, gain, eta, reconstructs, n=60_000):
    """Root of the mean of |V - V*|_F^2 over the last two thirds of n single noise vectors."""
    rng, V = np.random.default_rng(1), np.zeros(W.T.shape)
    fixed = feedback_fixed_point(W, damping, gain) if reconstructs else gain * W.T / damping
    squares = []
    for presentation in range(n):
        noise = rng.uniform(-np.sqrt(3), np.sqrt(3), W.shape[1])
        up, rec = recirculation_cycle(W, V, noise, "ascending")
        V = V + eta * feedback_update(noise, up, reconstructs * rec, V, damping, gain)
        if presentation > n // 3:
            squares.append(np.sum((V - fixed) ** 2))
    return np.sqrt(np.mean(squares))


@pytest.mark.parametrize(
    ("damping", "gain", "reconstructs"), [(0.1, 1.0, True), (1.0, 2.0, True), (1.0, 1.0, False), (10.0, 1.0, True)]
)
@pytest.mark.parametrize("sizes", [(12, 6), (6, 12)])
def test_single_noise_vectors_stay_at_the_damped_floor(damping, gain, reconstructs, sizes):
    W, eta = floor_case(sizes), 0.01 / (1 + damping)
    predicted = feedback_noise_floor(W, eta, damping, gain, reconstructs)
    assert online_deviation(W, damping, gain, eta, reconstructs) == pytest.approx(predicted, rel=0.1)


def test_what_reconstructs_nothing_needs_damping():
    with pytest.raises(ParameterError, match="must be above 0 where nothing is reconstructed"):
        feedback_noise_floor(floor_case(), 0.01, 0.0, reconstructs=False)

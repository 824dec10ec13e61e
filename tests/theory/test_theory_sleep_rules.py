import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cortex_model.errors import ParameterError
from cortex_model.theory import SLEEP_RULES, relative_distance, sleep_presentation

PROPERTY = settings(deadline=None, max_examples=25)
EXACT = {"rtol": 1e-13, "atol": 1e-14}


def sleeping(sizes, seed):
    generator = np.random.default_rng(seed)
    pairs = list(zip(range(1, len(sizes)), sizes[1:], sizes[:-1], strict=True))
    forward = {l: generator.normal(size=(upper, lower)) for l, upper, lower in pairs}
    feedback = {l: generator.normal(size=(lower, upper)) for l, upper, lower in pairs}
    ascending = {l: generator.normal(size=n) for l, n in enumerate(sizes[:-1])}
    descending = {l: generator.normal(size=n) for l, n in enumerate(sizes) if l > 0}
    return forward, feedback, ascending, descending


@PROPERTY
@given(
    st.lists(st.integers(1, 6), min_size=2, max_size=4),
    st.floats(0, 0.5),
    st.floats(0.5, 2),
    st.booleans(),
    st.integers(0, 2**32 - 1),
)
def test_recirculation_term_by_term(sizes, damping, gain, normalised, seed):
    forward, feedback, ascending, descending = sleeping(sizes, seed)
    new_forward, new_feedback = sleep_presentation(
        forward,
        feedback,
        ascending,
        descending,
        sleep_learning_rate=0.1,
        forward_sleep_learning_rate=0.02,
        damping=damping,
        gain=gain,
        sleep_normalisation=normalised,
    )
    for l, W in forward.items():
        V, xi, zeta = feedback[l], ascending[l - 1], descending[l]
        norm = np.sum((W @ xi) ** 2) if normalised else 1
        V = V + 0.1 * (np.outer(gain * xi - V @ W @ xi, W @ xi) - damping * V) / norm
        np.testing.assert_allclose(new_feedback[l], V, rtol=1e-9, atol=1e-9 * np.abs(V).max())
        norm = np.sum((V @ zeta) ** 2) if normalised else 1
        W = W + 0.02 * (np.outer(gain * zeta - W @ V @ zeta, V @ zeta) - damping * W) / norm
        np.testing.assert_allclose(new_forward[l], W, rtol=1e-9, atol=1e-9 * np.abs(W).max())


@pytest.mark.parametrize("normalised", [False, True])
def test_hinton_mcclelland_term_by_term(normalised):
    forward, feedback, ascending, _ = sleeping([5, 4, 3], 1)
    new_forward, new_feedback = sleep_presentation(
        forward,
        feedback,
        ascending,
        sleep_rule="hinton_mcclelland",
        sleep_learning_rate=0.1,
        forward_sleep_learning_rate=0.02,
        damping=0.3,
        regression=0.6,
        sleep_normalisation=normalised,
    )
    for l in (1, 2):
        W, V, xi = forward[l], feedback[l], ascending[l - 1]
        up = W @ xi
        y2 = 0.6 * xi + 0.4 * V @ up
        h3 = 0.6 * up + 0.4 * W @ y2
        norms = (up @ up, y2 @ y2) if normalised else (1, 1)
        dV = 0.1 * (np.outer(xi - y2, up) - 0.3 * V) / norms[0]
        dW = 0.02 * (np.outer(up - h3, y2) - 0.3 * W) / norms[1]
        np.testing.assert_allclose(new_feedback[l], V + dV, **EXACT)
        np.testing.assert_allclose(new_forward[l], W + dW, **EXACT)


@pytest.mark.parametrize("normalised", [False, True])
def test_ben_israel_term_by_term(normalised):
    forward, feedback, _, descending = sleeping([5, 4, 3], 2)
    new_forward, new_feedback = sleep_presentation(
        forward,
        feedback,
        None,
        descending,
        sleep_rule="ben_israel",
        sleep_learning_rate=0.1,
        damping=0.3,
        sleep_normalisation=normalised,
    )
    for l in (1, 2):
        W, V, y = forward[l], feedback[l], descending[l]
        norm = y @ y if normalised else 1
        dV = 0.1 * (np.outer(V @ y - V @ W @ V @ y, y) - 0.3 * V) / norm
        np.testing.assert_allclose(new_feedback[l], V + dV, **EXACT)
        np.testing.assert_array_equal(new_forward[l], W)


@pytest.mark.parametrize("rule", SLEEP_RULES)
def test_pairs_without_feedback_and_inputs_are_left_alone(rule):
    forward, feedback, ascending, descending = sleeping([5, 4, 3], 3)
    del feedback[1]
    before = {l: W.copy() for l, W in forward.items()}, feedback[2].copy()
    rate = 0.0 if rule == "ben_israel" else 0.05
    new_forward, new_feedback = sleep_presentation(
        forward,
        feedback,
        ascending,
        descending,
        sleep_rule=rule,
        sleep_learning_rate=0.1,
        forward_sleep_learning_rate=rate,
    )
    assert new_feedback.keys() == {2}
    np.testing.assert_array_equal(new_forward[1], before[0][1])
    assert np.any(new_feedback[2] != before[1])
    assert np.any(new_forward[2] != before[0][2]) == (rate > 0)
    np.testing.assert_array_equal(forward[2], before[0][2])
    np.testing.assert_array_equal(feedback[2], before[1])


def test_silent_noise_changes_nothing_with_normalisation():
    forward, feedback, _, _ = sleeping([3, 2], 4)
    _, new_feedback = sleep_presentation(
        forward, feedback, {0: np.zeros(3)}, sleep_learning_rate=0.5, damping=0.5, sleep_normalisation=True
    )
    np.testing.assert_array_equal(new_feedback[1], feedback[1])


def sleep_long(rule, V, W, rate, n_presentations, seed):
    generator = np.random.default_rng(seed)
    for _ in range(n_presentations):
        noises = {0: generator.normal(size=W.shape[1])}, {1: generator.normal(size=W.shape[0])}
        V = sleep_presentation({1: W}, {1: V}, *noises, sleep_rule=rule, sleep_learning_rate=rate)[1][1]
        if not np.linalg.norm(V) < 1e6:
            break
    return V


def orthogonal_like(seed, n=6):
    U, _, Vt = np.linalg.svd(np.random.default_rng(seed).normal(size=(n, n)))
    return U * np.linspace(0.9, 1.1, n) @ Vt


@pytest.mark.parametrize("seed", range(3))
def test_ben_israel_runs_away_from_a_random_start_where_recirculation_learns(seed):
    W = orthogonal_like(seed)
    start = np.random.default_rng(seed + 100).normal(size=W.shape[::-1])
    assert not np.linalg.norm(sleep_long("ben_israel", start, W, 0.02, 4000, seed)) < 1e6
    learned = sleep_long("recirculation", start, W, 0.05, 4000, seed)
    assert relative_distance(learned, np.linalg.pinv(W)) < 1e-9


def test_ben_israel_learns_from_the_transpose():
    W = orthogonal_like(5)
    learned = sleep_long("ben_israel", 0.5 * W.T, W, 0.02, 3000, 5)
    assert relative_distance(learned, np.linalg.pinv(W)) < 1e-9


def test_hinton_mcclelland_learns_the_pseudoinverse_too():
    W = orthogonal_like(6)
    start = np.random.default_rng(7).normal(size=W.shape[::-1])
    learned = sleep_long("hinton_mcclelland", start, W, 0.15, 4000, 6)
    assert relative_distance(learned, np.linalg.pinv(W)) < 1e-9


def test_linear_hinton_mcclelland_is_recirculation_at_a_smaller_rate():
    forward, feedback, ascending, _ = sleeping([5, 4, 3], 8)
    _, slow = sleep_presentation(forward, feedback, ascending, sleep_learning_rate=0.25 * 0.1)
    _, regressed = sleep_presentation(
        forward, feedback, ascending, sleep_learning_rate=0.1, regression=0.75, sleep_rule="hinton_mcclelland"
    )
    for l in feedback:
        np.testing.assert_allclose(regressed[l], slow[l], **EXACT)


def test_mistakes_are_explained():
    forward, feedback, ascending, descending = sleeping([3, 2], 5)
    rates = {"sleep_learning_rate": 0.1}
    with pytest.raises(ParameterError, match="sleep_rule: must be one of recirculation"):
        sleep_presentation(forward, feedback, ascending, sleep_rule="dream", **rates)
    with pytest.raises(ParameterError, match="descending_noise.*got none for"):
        sleep_presentation(forward, feedback, ascending, forward_sleep_learning_rate=0.1, **rates)
    with pytest.raises(ParameterError, match="ascending_noise"):
        sleep_presentation(forward, feedback, None, descending, **rates)
    with pytest.raises(ParameterError, match="must be 0 for ben_israel"):
        sleep_presentation(
            forward,
            feedback,
            None,
            descending,
            sleep_rule="ben_israel",
            forward_sleep_learning_rate=0.1,
            **rates,
        )
    with pytest.raises(ParameterError, match="gain: must be 1 for hinton_mcclelland"):
        sleep_presentation(forward, feedback, ascending, gain=2.0, sleep_rule="hinton_mcclelland", **rates)

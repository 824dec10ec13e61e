"""What each way of getting feedback weights is known for."""

import numpy as np
import pytest

from cortex_model import theory

SIZES = (784, 500, 10)


@pytest.fixture(scope="module")
def started():
    """Forward weights, biases and random feedback weights of the sizes that the claims are about."""
    rng = np.random.default_rng(0)
    forward = {l: rng.normal(size=(SIZES[l], SIZES[l - 1])) / np.sqrt(SIZES[l - 1]) for l in (1, 2)}
    feedback = {2: rng.normal(size=(SIZES[1], SIZES[2])) / np.sqrt(SIZES[1])}
    return forward, {l: np.zeros(SIZES[l]) for l in forward}, feedback


def angle_to_transpose(forward, feedback):
    return theory.alignment_angle(feedback[2], forward[2].T)


def asleep(forward, feedback, **options):
    rng = np.random.default_rng(1)
    for step in 0.01, 0.001, 0.0001:  # annealed: the noise that is left falls with the root of the step
        for _ in range(int(2 / step)):
            noise = {l: rng.normal(size=SIZES[l]) for l in (0, 1)}
            forward, feedback = theory.sleep_presentation(
                forward, feedback, noise, sleep_learning_rate=step, damping=1.0, **options
            )
    return feedback


def test_weight_mirror_turns_feedback_to_the_transpose(started):
    forward, _, feedback = started
    assert angle_to_transpose(forward, feedback) > 80
    assert angle_to_transpose(forward, asleep(forward, feedback, reconstructs=False)) < 10


def test_without_its_decay_a_mirror_does_not_settle(started):
    """Broken on purpose: undamped, V grows with every presentation."""
    forward, _, feedback = started
    grown = feedback
    for n_more in range(2):
        before = np.linalg.norm(grown[2])
        rng = np.random.default_rng(n_more)
        for _ in range(500):
            noise = {l: rng.normal(size=SIZES[l]) for l in (0, 1)}
            grown = theory.sleep_presentation(forward, grown, noise, sleep_learning_rate=0.01, reconstructs=False)[1]
        assert np.linalg.norm(grown[2]) > before + 1


def awake(forward, biases, feedback, n, **options):
    rng = np.random.default_rng(2)
    for _ in range(n):
        shown = rng.normal(size=SIZES[0]), np.eye(SIZES[2])[rng.integers(SIZES[2])]
        forward, biases, feedback = theory.wake_presentation(
            forward, biases, feedback, *shown, learning_rate=0.01, nonlinearity="sigmoid", **options
        )
    return forward, feedback


def test_kolen_pollack_turns_feedback_to_the_transpose(started):
    assert angle_to_transpose(*awake(*started, 800, feedback_follows_forward=True, weight_decay=0.01)) < 10


def test_the_angle_stays_where_nothing_decays(started):
    """Broken on purpose: the same increments alone do not undo a start that differs."""
    assert angle_to_transpose(*awake(*started, 800, feedback_follows_forward=True)) > 60


def test_kolen_pollack_shrinks_what_differs_by_the_decay(started):
    forward, _, feedback = started
    learned, followed = awake(*started, 20, feedback_follows_forward=True, weight_decay=0.1)
    expected = 0.9**20 * (feedback[2] - forward[2].T)
    np.testing.assert_allclose(followed[2] - learned[2].T, expected, atol=1e-12)


# ---------------------------------------------------------------------- feedback alignment
def linear_task(n_presentations, learning_rate=1e-3):
    """Lillicrap et al. 2016 (Nat. Commun. 7, 13276), Fig. 1: a 30-20-10 linear network learns a linear map.

    Yields the angles, in degrees, of what feedback brings to the hidden population, to what backpropagation and
    the pseudoinverse would bring, averaged over 50 errors.
    """
    rng = np.random.default_rng(3)
    task = rng.uniform(-1, 1, (10, 30))
    forward = {1: rng.uniform(-0.01, 0.01, (20, 30)), 2: rng.uniform(-0.01, 0.01, (10, 20))}
    feedback = {2: rng.uniform(-0.5, 0.5, (20, 10))}
    for presentation in range(n_presentations):
        stimulus = rng.normal(size=30)
        if presentation % 500 == 0:
            errors = (forward[2] @ forward[1] - task) @ rng.normal(size=(30, 50))
            brought = feedback[2] @ errors
            exact = forward[2].T @ errors, np.linalg.pinv(forward[2]) @ errors
            yield [np.mean([theory.alignment_angle(a, b) for a, b in zip(brought.T, e.T, strict=True)]) for e in exact]
        forward, _, feedback = theory.wake_presentation(
            forward, None, feedback, stimulus, task @ stimulus,
            learning_rate=learning_rate, nonlinearity="linear", top="linear",
        )  # fmt: skip


def test_feedback_alignment_becomes_closer_to_the_pseudoinverse_than_to_backpropagation():
    angles = np.array(list(linear_task(8000)))
    assert (np.abs(angles[0] - 90) < 20).all(), "at first, random feedback says nothing"
    to_transpose, to_pseudoinverse = angles[-1]
    assert to_pseudoinverse < to_transpose < 90

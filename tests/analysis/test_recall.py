"""Reconstruction is exact where it can be, recall is what the leaky mode relaxes to, a shuffle destroys both."""

import numpy as np
import pytest

from cortex_model import theory
from cortex_model.analysis.recall import reconstruction_measures, settled_recall, shuffled_feedback
from cortex_model.weights import Weights

SIZES = (12, 8, 6, 4)


def weights(feedback=np.linalg.pinv, sizes=SIZES):
    rng = np.random.default_rng(0)
    forward = {l: rng.standard_normal((sizes[l], sizes[l - 1])) / np.sqrt(sizes[l - 1]) for l in range(1, len(sizes))}
    biases = {l: 0.1 * rng.standard_normal(sizes[l]) for l in forward}
    return Weights(forward, biases, {l: feedback(w) for l, w in forward.items()})


def stimuli(n=50):
    return np.random.default_rng(1).standard_normal((n, SIZES[0]))


def test_the_pseudoinverse_of_a_widening_projection_reconstructs_everything():
    its = reconstruction_measures(weights(sizes=(4, 6, 8)), stimuli()[:, :4], "tanh", "linear")
    np.testing.assert_allclose(its["reconstruction_error"], 0, atol=1e-12)
    np.testing.assert_allclose(its["reconstruction_explained_variance"], 1)


def test_a_narrowing_projection_keeps_its_part_of_white_rates():
    its = reconstruction_measures(weights(), stimuli(20_000), "linear", "linear")
    assert its["reconstruction_explained_variance"][0] == pytest.approx(8 / 12, abs=0.01)
    assert its["reconstruction_error"][0] == pytest.approx(np.sqrt(1 - 8 / 12), abs=0.01)


def test_the_gain_is_taken_out_of_reconstruction_and_not_of_recall():
    bare = reconstruction_measures(weights(), stimuli(), "tanh", "linear")
    larger = reconstruction_measures(weights(lambda w: 3 * np.linalg.pinv(w)), stimuli(), "tanh", "linear", gain=3)
    np.testing.assert_allclose(larger["reconstruction_error"], bare["reconstruction_error"])
    assert not np.allclose(larger["recall_error"], bare["recall_error"])


def test_recall_from_one_population_up_is_one_projection():
    its, given, shown = settled_recall(weights().feedback, stimuli()[:, :8].T, 1, "tanh"), weights(), stimuli()[:, :8].T
    assert list(its) == [0, 1]
    np.testing.assert_allclose(its[0], given.feedback[1] @ shown)


def test_recall_is_what_the_leaky_mode_relaxes_to():
    given, top = weights(), np.random.default_rng(2).standard_normal((SIZES[-1], 5))
    timing = theory.Timing.of_ms(10, 1, 400, feedback_delays_ms={1: 2, 2: 3, 3: 1})
    relaxed = theory.leaky_recall(given.feedback, top, timing, "tanh")[0]
    for level, rate in settled_recall(given.feedback, top, 3, "tanh").items():
        np.testing.assert_allclose(relaxed[level][-1], rate, atol=1e-9)


def test_shuffled_feedback_has_the_values_but_not_what_they_learned():
    given = weights()
    control = shuffled_feedback(given, 3)
    for level, v in given.feedback.items():
        np.testing.assert_array_equal(np.sort(control.feedback[level].ravel()), np.sort(v.ravel()))
        np.testing.assert_array_equal(control.forward[level], given.forward[level])
    bare, lost = (reconstruction_measures(w, stimuli(), "tanh", "linear") for w in (given, control))
    assert max(bare["reconstruction_error"]) < 1 < min(lost["reconstruction_error"])
    again = shuffled_feedback(given, 3).feedback
    assert all(np.array_equal(again[l], control.feedback[l]) for l in again)

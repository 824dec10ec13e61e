"""How well a sequence is replayed, in numbers."""

import numpy as np
import pytest

from cortex_model.analysis.replay import prediction_losses, replay_correlations, replay_measures

STATES = np.random.default_rng(0).normal(size=(2, 6, 9))


def test_a_perfect_replay():
    follows = np.arange(1, 15) % 6
    measures = replay_measures(STATES[:, follows], STATES, follows)
    assert measures == pytest.approx(
        {"replay_correlation": 1.0, "replay_correlation_min": 1.0, "replay_decoded_percent": 100.0}
    )


def test_correlation_knows_neither_scale_nor_offset_and_sees_a_sign():
    follows = np.arange(1, 6)
    assert replay_measures(3 * STATES[:, follows] + 1, STATES, follows)["replay_correlation_min"] == pytest.approx(1.0)
    assert replay_measures(-STATES[:, follows], STATES, follows)["replay_correlation"] == pytest.approx(-1.0)


def test_one_wrong_step_of_many():
    follows = np.arange(1, 6)
    replayed = STATES[:, follows].copy()
    replayed[1, 2] = STATES[0, 0]  # a state of the other sequence
    measures = replay_measures(replayed, STATES, follows)
    assert measures["replay_decoded_percent"] == pytest.approx(90.0)
    assert measures["replay_correlation_min"] == pytest.approx(np.corrcoef(STATES[0, 0], STATES[1, 3])[0, 1])


def test_a_state_that_occurs_twice_counts_wherever_it_is():
    states = STATES.copy()
    states[1, 2] = states[0, 4]
    follows = np.arange(1, 6)
    assert replay_measures(states[:, follows], states, follows)["replay_decoded_percent"] == 100


def test_silence_correlates_with_nothing():
    np.testing.assert_array_equal(replay_correlations(np.zeros((3, 9)), STATES[0]), 0)
    assert replay_measures(np.zeros((2, 5, 9)), STATES, np.arange(1, 6))["replay_decoded_percent"] == 0


def test_losses_of_a_prediction_and_of_persistence():
    present, following = STATES[0, :-1], STATES[0, 1:]
    losses = prediction_losses(following, present, following)
    assert losses == {"prediction_loss": 0.0, "persistence_loss": np.square(present - following).mean()}

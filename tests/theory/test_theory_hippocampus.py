"""Sequences learned by EC, CA3 and CA1: what the rule does to its errors, replay, and a gradient through time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cortex_model.analysis.replay import replay_measures
from cortex_model.datasets.sequences import drawn
from cortex_model.theory import hippocampus as theory

N_STEPS = 24


def circuit(n, m, seed, plastic=0.1):
    rng = np.random.default_rng(seed)
    B, A, U = rng.normal(size=(m, n)), rng.normal(size=(m, m)), rng.normal(size=(n, m))
    return theory.Circuit(1.5 * B / np.sqrt(n), plastic * A / np.sqrt(m), plastic * U / np.sqrt(m))


def learned(sequences, m, n_laps, update=theory.predictive_recirculation_update, seed=0):
    its = circuit(sequences.states.shape[2], m, seed)
    for _ in range(n_laps):
        for h, following in zip(*sequences.pairs, strict=True):
            its = update(its, h, following, 0.02)
    return its


@pytest.fixture(scope="module")
def small_ring():
    return drawn("ring", 1, 12, 12, seed=0, width=0.1, overlap=0.0)


def measures(its, sequences, through_cortex=0.0):
    h, following = sequences.pairs
    loss = np.square(theory.predicted(its, h) - following).mean() / np.square(h - following).mean()
    replayed = np.array([theory.replayed(its, states[0], N_STEPS, through_cortex) for states in sequences.states])
    return loss, replay_measures(replayed, sequences.states, sequences.following(N_STEPS))


# ---------------------------------------------------------------------- the rule
def test_a_ring_is_predicted_and_replayed(small_ring):
    loss, replay = measures(learned(small_ring, 40, 80), small_ring)
    assert loss < 0.1
    assert replay["replay_correlation_min"] > 0.97 and replay["replay_decoded_percent"] == 100


def test_before_learning_nothing_is(small_ring):
    loss, replay = measures(learned(small_ring, 40, 0), small_ring)
    assert loss > 1 and replay["replay_decoded_percent"] < 30


def with_sign(projection):
    def update(its, h, following, eta):
        new = theory.predictive_recirculation_update(its, h, following, eta)
        return new._replace(**{projection: 2 * getattr(its, projection) - getattr(new, projection)})

    return update


def trained_by_the_error_of_ca1(its, h, following, eta):
    """CA3 learns from eps, through random synapses from CA1, instead of from its own surprise."""
    new = theory.predictive_recirculation_update(its, h, following, eta)
    V = np.random.default_rng(5).normal(size=its.U.T.shape) / np.sqrt(len(h))
    y = np.tanh(its.B @ h)
    expected = np.tanh(its.A @ y)
    error = following - np.tanh(its.U @ expected)
    return new._replace(A=its.A + eta * np.outer((V @ error) * (1 - expected**2), y))


@pytest.mark.parametrize(
    "update",
    [with_sign("A"), with_sign("U"), trained_by_the_error_of_ca1],
    ids=["sign of A", "sign of U", "CA3 by the error of CA1"],
)
def test_broken_on_purpose_it_does_not_replay(small_ring, update):
    _, replay = measures(learned(small_ring, 40, 80, update), small_ring)
    assert replay["replay_correlation"] < 0.7 and replay["replay_decoded_percent"] < 70


@given(n=st.integers(2, 6), m=st.integers(2, 8), seed=st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_a_step_goes_down_both_errors(n, m, seed):
    """Each synapse goes down the error of its own neuron, if not along its gradient: slopes are left out."""
    its, rng = circuit(n, m, seed), np.random.default_rng(seed + 1)
    h, following = np.tanh(rng.normal(size=(2, n)))
    new = theory.predictive_recirculation_update(its, h, following, 1e-4)
    y, y_next = np.tanh(its.B @ h), np.tanh(its.B @ following)
    expected = np.tanh(its.A @ y)

    def surprise(A):
        return np.square(y_next - np.tanh(A @ y)).sum()

    def error(U):
        return np.square(following - np.tanh(U @ expected)).sum()

    assert surprise(new.A) < surprise(its.A) and error(new.U) < error(its.U)
    np.testing.assert_array_equal(new.B, its.B)


def test_what_is_predicted_rightly_changes_nothing():
    its = circuit(3, 6, 0, plastic=1.0)
    h = np.tanh(np.random.default_rng(0).normal(size=3))
    fixed = theory.Circuit(its.B, np.zeros((6, 6)), np.zeros((3, 6)))
    new = theory.predictive_recirculation_update(fixed, h, np.zeros(3), 0.1)
    np.testing.assert_array_equal(new.A, 0)
    np.testing.assert_array_equal(new.U, 0)


# ---------------------------------------------------------------------- replay
def test_the_first_step_of_replay_is_the_prediction():
    its, h = circuit(4, 9, 1, plastic=1.0), np.linspace(-0.5, 0.5, 4)
    for g in (0.0, 0.3, 1.0):
        np.testing.assert_allclose(theory.replayed(its, h, 1, g)[0], theory.predicted(its, h), rtol=1e-15)


def test_through_cortex_a_step_is_a_prediction_of_the_prediction():
    its, h = circuit(4, 9, 1, plastic=1.0), np.linspace(-0.5, 0.5, 4)
    for said in theory.replayed(its, h, 5, 1.0):
        h = theory.predicted(its, h)
        np.testing.assert_allclose(said, h, rtol=1e-14)


def test_sequences_that_share_a_state_are_confused_after_it():
    apart = drawn("patterns", 2, 9, 30, seed=0, width=0.1, overlap=0.0)
    crossing = drawn("patterns", 2, 9, 30, seed=0, width=0.1, overlap=1 / 9)
    correlations = []
    for sequences in (apart, crossing):
        its = learned(sequences, 80, 60)
        replayed = np.array([theory.replayed(its, states[0], 8) for states in sequences.states])
        follows = sequences.following(8)
        correlations.append(replay_measures(replayed, sequences.states, follows)["replay_correlation_min"])
    assert correlations[0] > 0.98 and correlations[1] < 0.8


# ---------------------------------------------------------------------- backpropagation through time
@given(n=st.integers(1, 4), m=st.integers(1, 5), length=st.integers(2, 6), seed=st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_the_gradient_through_time_is_that_of_finite_differences(n, m, length, seed):
    rng = np.random.default_rng(seed)
    network = theory.Recurrent(*(rng.normal(size=shape) for shape in ((m, n), (m, m), (n, m))))
    states = np.tanh(rng.normal(size=(length, n)))
    gradient = theory.gradient_through_time(network, states)
    for name, matrix in network._asdict().items():
        direction = rng.normal(size=matrix.shape)
        losses = [
            theory.loss_through_time(network._replace(**{name: matrix + step * direction}), states)
            for step in (1e-6, -1e-6)
        ]
        along = (getattr(gradient, name) * direction).sum()
        assert (losses[0] - losses[1]) / 2e-6 == pytest.approx(along, rel=1e-6, abs=1e-8)


def test_backpropagation_through_time_lowers_the_loss(small_ring):
    lap = np.concatenate([small_ring.states[0], small_ring.states[0, :1]])
    network = theory.recurrent_at_start(12, 40, np.random.default_rng(0))
    losses = [loss for _, loss in theory.learned_through_time(network, lap, 60, 0.005)]
    assert losses[-1] < 0.1 * losses[0] and len(losses) == 61


def test_replay_through_time_goes_on_from_the_cue(small_ring):
    states, network = small_ring.states[0], theory.recurrent_at_start(12, 20, np.random.default_rng(0))
    replayed = theory.replayed_through_time(network, states[:3], 4)
    by_hand = list(states[:3])
    for said in replayed:
        by_hand.append(theory.through_time(network, np.array(by_hand))[1][-1])
        np.testing.assert_allclose(said, by_hand[-1], rtol=1e-12)


def test_what_goes_back_through_cortex_goes_through_its_synapses(small_ring):
    """One to one unless they are given; a lesion of E ends replay through cortex, and not that within CA3."""
    its, cue = learned(small_ring, 30, 10), small_ring.states[0, 0]
    whole, lesioned = its._replace(E=np.eye(12)), its._replace(E=np.zeros((12, 12)))
    for g in (0.0, 0.5, 1.0):
        np.testing.assert_array_equal(theory.replayed(whole, cue, 6, g), theory.replayed(its, cue, 6, g))
        is_same = np.allclose(theory.replayed(lesioned, cue, 6, g), theory.replayed(its, cue, 6, g), atol=1e-6)
        assert is_same == (g == 0)

"""Weights at the start, in which order they are kept, and what a user may hand over."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cortex_model.errors import ParameterError
from cortex_model.parameters import SleepWakeParameters
from cortex_model.rules import shipped
from cortex_model.schedule.declared import declared
from cortex_model.state.host import done_by_host, perturbed
from cortex_model.weights import INITIAL_WEIGHTS, Weights, initial_weights, to_matrix, to_synapses

LARGE = SleepWakeParameters(layer_sizes=(300, 200, 250), feedback_to_input=True, dtype="float64")
SMALL = SleepWakeParameters(layer_sizes=(5, 4, 3), feedback_to_input=True, dtype="float64")
BACKPROPAGATION = SMALL.with_overrides({"learning_rule": "backpropagation"})


@given(st.integers(1, 6), st.integers(1, 6))
def test_synapses_and_matrix_are_each_others_inverse(n_pre, n_post):
    matrix = np.arange(n_pre * n_post).reshape(n_post, n_pre)
    synapses = to_synapses(matrix)
    assert np.array_equal(to_matrix(synapses, n_pre, n_post), matrix)
    assert synapses[:n_post].tolist() == matrix[:, 0].tolist(), "all synapses of presynaptic neuron 0 come first"


@pytest.mark.parametrize(("kind", "gain"), [("gaussian", 1.0), ("he", 2.0)])
def test_gaussian_and_he_weights_have_their_variance(kind, gain):
    weights = initial_weights(LARGE.with_overrides({"initial_weights": kind}), 1)
    for level, matrix in weights.forward.items():
        variance = gain / LARGE.layer_sizes[level - 1]
        assert abs(matrix.var() / variance - 1) < 5 * np.sqrt(2 / matrix.size)
        assert abs(matrix.mean()) < 5 * np.sqrt(variance / matrix.size)
        assert not weights.biases[level].any()


@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 1000))
def test_orthogonal_weights_have_orthonormal_rows_or_columns(n_upper, n_lower, seed):
    p = SMALL.with_overrides({"layer_sizes": (n_lower, n_upper), "initial_weights": "orthogonal"})
    matrix = initial_weights(p, seed).forward[1]
    products = matrix @ matrix.T if n_upper <= n_lower else matrix.T @ matrix
    np.testing.assert_allclose(products, np.eye(min(n_upper, n_lower)), atol=1e-12)


def test_every_initial_distribution_is_a_parameter():
    assert set(INITIAL_WEIGHTS) == set(SleepWakeParameters.model_json_schema()["properties"]["initial_weights"]["enum"])


def test_weights_depend_on_seed_and_parameters_alone():
    assert initial_weights(SMALL, 1).sha256 == initial_weights(SMALL, 1).sha256
    assert initial_weights(SMALL, 1).sha256 != initial_weights(SMALL, 2).sha256
    forward, again = (initial_weights(p, 1).forward for p in (SMALL, BACKPROPAGATION))
    assert all(np.array_equal(forward[level], again[level]) for level in forward), "rules start from the same W"


def test_random_feedback_has_the_deviation_of_the_forward_weights():
    weights = initial_weights(LARGE.with_overrides({"initial_feedback_scale": 0.5}), 1)
    for level, feedback in weights.feedback.items():
        assert feedback.shape == weights.forward[level].shape[::-1]
        assert abs(feedback.std() / weights.forward[level].std() - 0.5) < 0.02


@pytest.mark.parametrize("rule", [name for name, rule in shipped().items() if rule.task == "targets"])
def test_feedback_start_of_each_rule(rule):
    start = {
        "backpropagation": "transpose",
        "predictive_coding": "transpose",
        "exact_pseudoinverse": "pseudoinverse",
    }.get(rule, "random")
    weights = initial_weights(SMALL.with_overrides({"learning_rule": rule, "damping": 0.5}), 3)
    assert list(weights.feedback) == [1, 2]
    for level, feedback in weights.feedback.items():
        forward = weights.forward[level]
        if rule == "direct_feedback":
            assert feedback.shape == (SMALL.layer_sizes[level - 1], 3), "from the top population"
        if feedback.shape == forward.T.shape:
            is_transpose = np.array_equal(feedback, forward.T)
            is_pseudoinverse = np.allclose(feedback, np.linalg.pinv(forward), rtol=1e-12)
            assert (is_transpose, is_pseudoinverse) == (start == "transpose", start == "pseudoinverse")
        else:
            assert rule == "direct_feedback" and feedback.std() > 0


def test_given_matrices_are_used_and_feedback_starts_from_them():
    given_matrix, bias = np.arange(12.0).reshape(3, 4), [1, 2, 3]
    weights = initial_weights(BACKPROPAGATION, 1, {"W_2": given_matrix.tolist(), "b_2": bias})
    assert np.array_equal(weights.forward[2], given_matrix)
    assert np.array_equal(weights.feedback[2], given_matrix.T)
    assert weights.biases[2].tolist() == bias
    feedback = initial_weights(BACKPROPAGATION, 1, {"V_2": np.ones((4, 3))}).feedback[2]
    assert np.array_equal(feedback, np.ones((4, 3))), "a given V is not replaced by the rule's start"


@pytest.mark.parametrize(
    ("given_matrices", "sentence"),
    [
        ({"W_9": np.ones((4, 5))}, r"Weights\.W_9: must be one of W_1, b_1, .* \(got 'W_9'\); rename it\."),
        (
            {"W_1": np.ones((5, 4))},
            r"Weights\.W_1: must have shape \(4, 5\) \(got \(5, 4\)\); give it as \(postsynaptic, presynaptic\)\.",
        ),
        ({"V_2": np.full((4, 3), np.nan)}, r"Weights\.V_2: must hold finite numbers \(got NaN or infinity\); .*\."),
    ],
)
def test_given_matrices_that_do_not_fit_are_refused_in_a_sentence(given_matrices, sentence):
    with pytest.raises(ParameterError, match=f"^{sentence}$"):
        initial_weights(SMALL, 1, given_matrices)


def test_feedback_to_an_input_without_feedback_is_refused():
    with pytest.raises(ParameterError, match="V_1"):
        initial_weights(SMALL.with_overrides({"feedback_to_input": False}), 1, {"V_1": np.ones((5, 4))})


def test_names_come_in_order_and_back():
    weights = initial_weights(SMALL, 1)
    named = weights.named()
    assert list(named) == ["W_1", "b_1", "W_2", "b_2", "V_1", "V_2"]
    shuffled = {name: named[name] for name in sorted(named, reverse=True)}
    again = Weights.from_named(shuffled)
    assert again.sha256 == weights.sha256
    assert list(again.named()) == list(named)


def test_sha256_sees_every_array_and_not_the_memory_order():
    weights = initial_weights(SMALL, 1)
    for name, array in weights.named().items():
        changed = array.copy()
        changed.flat[-1] += 1e-9
        assert Weights.from_named(weights.named() | {name: changed}).sha256 != weights.sha256, name
    fortran = {name: np.asfortranarray(array) for name, array in weights.named().items()}
    assert Weights.from_named(fortran).sha256 == weights.sha256
    big_endian = {name: array.astype(">f8") for name, array in weights.named().items()}
    assert Weights.from_named(big_endian).sha256 == weights.sha256


def test_dtype_is_that_of_the_parameters():
    weights = initial_weights(SMALL.with_overrides({"dtype": "float32"}), 1)
    assert {array.dtype.name for array in weights.named().values()} == {"float32"}


def test_first_not_finite_names_the_array():
    weights = initial_weights(SMALL, 1)
    assert weights.first_not_finite() is None
    weights.feedback[2][0, 0] = np.inf
    assert weights.first_not_finite() == "V_2"


def done(p, weights, seed=0, at=0):
    """What the one thing that the host does in wake assigns: level -> name -> value."""
    (host,) = declared(p).hosts("wake")
    return {
        l: done_by_host(host, l, {"W": weights.forward[l], "V": V}, p.rule_values, seed, at)
        for l, V in weights.feedback.items()
    }


def test_the_host_sets_pseudoinverse_and_gain():
    weights = initial_weights(SMALL, 1)
    for level, assigned in done(SMALL.with_overrides({"learning_rule": "exact_pseudoinverse"}), weights).items():
        assert list(assigned) == ["V"]
        np.testing.assert_allclose(assigned["V"], np.linalg.pinv(weights.forward[level]), rtol=1e-12)
    for level, assigned in done(SMALL.with_overrides({"feedback_gain": "norm_matched"}), weights).items():
        assert list(assigned) == ["apical_gain"], "V itself is never rescaled"
        norms = [np.linalg.norm(side[level]) for side in (weights.forward, weights.feedback)]
        assert assigned["apical_gain"] == pytest.approx(norms[0] / norms[1], rel=1e-12)


def test_perturbed_weights_have_the_noise_and_the_levels_they_are_given():
    rng = np.random.default_rng(0)
    V, noise = rng.normal(0, 0.2, (60, 50)), rng.standard_normal((60, 50))
    np.testing.assert_array_equal(perturbed(V, noise, 0.0, 0), V)
    np.testing.assert_allclose(perturbed(V, noise, 0.5, 0) - V, 0.5 * noise, atol=1e-12)
    for n_levels in (2, 3, 9):
        rounded = perturbed(V, noise, 0.0, n_levels)
        step = 2 * np.abs(V).max() / (n_levels - 1)
        assert len(np.unique(rounded.round(12))) <= n_levels
        assert np.abs(rounded - V).max() <= step / 2 + 1e-12
        assert np.abs(rounded).max() == pytest.approx(np.abs(V).max())
    assert not perturbed(np.zeros((2, 2)), noise[:2, :2], 0.0, 3).any()


def test_a_perturbation_is_decided_by_seed_and_presentation():
    weights, noisy = initial_weights(SMALL, 1), SMALL.with_overrides({"feedback_noise": 0.1})
    once, again, later, other = (done(noisy, weights, seed, at) for seed, at in ((1, 0), (1, 0), (1, 1000), (2, 0)))
    for level, V in weights.feedback.items():
        assert list(once[level]) == ["V"], "W stays"
        assert np.array_equal(once[level]["V"], again[level]["V"])
        different = [V, once[level]["V"], later[level]["V"], other[level]["V"]]
        assert all(not np.isclose(a, b).all() for i, a in enumerate(different) for b in different[:i])


def test_numbers_that_the_precision_cannot_hold_are_refused_without_a_warning(recwarn):
    sentence = r"^Weights\.V_\d: must hold numbers that are finite in float32 \(got -?inf\)"
    with pytest.raises(ParameterError, match=sentence):
        initial_weights(SMALL.with_overrides({"dtype": "float32", "initial_feedback_scale": 1e300}), 1)
    assert not recwarn.list

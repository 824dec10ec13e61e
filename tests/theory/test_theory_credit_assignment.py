import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cortex_model.errors import ParameterError
from cortex_model.theory import (
    NONLINEARITIES,
    TOP_RATES,
    activation_reciprocal,
    activation_reciprocal_matrix,
    backpropagation_gradient,
    hierarchy_response,
    output_error,
    output_loss,
    parameter_reciprocal,
    relative_distance,
    slope_factor,
    wake_presentation,
    weight_update,
)

PROPERTY = settings(deadline=None, max_examples=25)
SEEDS = st.integers(0, 2**32 - 1)


def hierarchy(sizes, seed):
    generator = np.random.default_rng(seed)
    forward = {l: generator.normal(size=(sizes[l], sizes[l - 1])) / np.sqrt(sizes[l - 1]) for l in range(1, len(sizes))}
    biases = {l: 0.3 * generator.normal(size=len(W)) for l, W in forward.items()}
    feedback = {l: generator.normal(size=W.shape[::-1]) for l, W in forward.items()}
    target = np.eye(sizes[-1])[0]
    return forward, biases, feedback, generator.normal(size=sizes[0]), target


def activation_jacobians(forward, basal_drives, nonlinearity):
    """Return J_l = d a_L / d a_l by the chain rule."""
    top = max(forward)
    jacobians = {top: np.eye(len(forward[top]))}
    for l in range(top - 1, 0, -1):
        jacobians[l] = jacobians[l + 1] @ forward[l + 1] * NONLINEARITIES[nonlinearity].slope(basal_drives[l])
    return jacobians


@pytest.mark.parametrize("nonlinearity", NONLINEARITIES)
@pytest.mark.parametrize("top", TOP_RATES)
@pytest.mark.parametrize("with_biases", [True, False])
def test_backpropagation_equals_finite_differences(nonlinearity, top, with_biases):
    forward, biases, _, stimulus, target = hierarchy([5, 4, 6, 3], 1)
    biases = biases if with_biases else None
    gradients = backpropagation_gradient(forward, biases, stimulus, target, nonlinearity, top)

    def loss():
        rates = hierarchy_response(forward, biases, stimulus, nonlinearity, top)[1]
        return output_loss(rates[3], target, top)

    step = 1e-5
    for parameters, gradient in zip((forward, biases or {}), gradients, strict=True):
        for l, values in parameters.items():
            numeric = np.zeros_like(values)
            for index in np.ndindex(values.shape):
                value, losses = values[index], []
                for shift in (step, -step):
                    values[index] = value + shift
                    losses.append(loss())
                values[index] = value
                numeric[index] = (losses[0] - losses[1]) / (2 * step)
            assert relative_distance(numeric, gradient[l]) < 1e-6


@PROPERTY
@given(st.lists(st.integers(0, 2), min_size=2, max_size=4), st.integers(1, 3), SEEDS)
def test_reciprocal_is_a_right_one_where_all_layers_narrow(steps, n_top, seed):
    """J_l B_l = I, for tanh with the reciprocal slope and no cutoff."""
    sizes = (n_top + np.cumsum([0, *steps]))[::-1].tolist()
    forward, biases, _, stimulus, _ = hierarchy(sizes, seed)
    inverses = {l: np.linalg.pinv(W) for l, W in forward.items()}
    basal_drives, _ = hierarchy_response(forward, biases, stimulus, "tanh")
    slopes = [NONLINEARITIES["tanh"].slope(a).min() for l, a in basal_drives.items() if l < len(steps)]
    assume(all(np.linalg.cond(W) < 1e3 for W in forward.values()) and all(slope > 0.01 for slope in slopes))
    B = activation_reciprocal_matrix(inverses, basal_drives, "tanh", slope_rule="reciprocal", slope_cutoff=0)
    J = activation_jacobians(forward, basal_drives, "tanh")
    for l in forward:
        np.testing.assert_allclose(J[l] @ B[l], np.eye(n_top), atol=1e-8)


@pytest.mark.parametrize("slope_rule", ["derivative", "reciprocal", "none"])
def test_linear_narrowing_layers_have_a_right_reciprocal_under_every_slope_rule(slope_rule):
    forward, _, _, stimulus, _ = hierarchy([7, 6, 5, 3], 2)
    basal_drives, _ = hierarchy_response(forward, None, stimulus, "linear")
    inverses = {l: np.linalg.pinv(W) for l, W in forward.items()}
    B = activation_reciprocal_matrix(inverses, basal_drives, "linear", slope_rule=slope_rule)
    J = activation_jacobians(forward, basal_drives, "linear")
    for l in forward:
        np.testing.assert_allclose(J[l] @ B[l], np.eye(3), atol=1e-12)
    assert relative_distance(B[1] @ J[1], np.eye(6)) > 0.1
    assert relative_distance(B[1], np.linalg.pinv(J[1])) > 0.01


def test_a_layer_that_widens_has_no_right_reciprocal():
    forward, _, _, stimulus, _ = hierarchy([7, 2, 5, 3], 3)
    basal_drives, _ = hierarchy_response(forward, None, stimulus, "linear")
    inverses = {l: np.linalg.pinv(W) for l, W in forward.items()}
    B = activation_reciprocal_matrix(inverses, basal_drives, "linear")
    J = activation_jacobians(forward, basal_drives, "linear")
    np.testing.assert_allclose(J[2] @ B[2], np.eye(3), atol=1e-12)
    assert relative_distance(J[1] @ B[1], np.eye(3)) > 0.1


def test_silent_units_break_the_right_reciprocal():
    forward, _, _, _, _ = hierarchy([3, 3, 3], 4)
    basal_drives = {1: np.array([1.0, -1.0, 2.0]), 2: np.ones(3)}
    inverses = {l: np.linalg.pinv(W) for l, W in forward.items()}
    B = activation_reciprocal_matrix(inverses, basal_drives, "threshold_linear")
    product = activation_jacobians(forward, basal_drives, "threshold_linear")[1] @ B[1]
    assert np.linalg.matrix_rank(product) == 2


def test_slope_rules():
    a = np.array([0.0, 1.0, 5.0])
    slope = 1 - np.tanh(a) ** 2
    np.testing.assert_allclose(slope_factor(a, "tanh"), slope, rtol=1e-15)
    np.testing.assert_allclose(slope_factor(a, "tanh", "reciprocal"), [1, 1 / slope[1], 0], rtol=1e-15)
    np.testing.assert_array_equal(slope_factor(a, "tanh", "none"), 1)
    np.testing.assert_array_equal(slope_factor(a - 1, "threshold_linear", "reciprocal"), [0, 0, 1])
    assert slope_factor(np.zeros(1), "tanh", "reciprocal", slope_cutoff=1.0) == 0


@PROPERTY
@given(st.lists(st.integers(1, 6), min_size=3, max_size=5), st.sampled_from(list(NONLINEARITIES)), SEEDS)
def test_deltas_are_matrices_times_error_and_gains_multiply(sizes, nonlinearity, seed):
    forward, biases, feedback, stimulus, target = hierarchy(sizes, seed)
    basal_drives, rates = hierarchy_response(forward, biases, stimulus, nonlinearity)
    top = len(sizes) - 1
    error = output_error(rates[top], target)
    deltas = activation_reciprocal(feedback, basal_drives, error, nonlinearity)
    assert list(deltas) == list(range(top, 0, -1))
    for l, B in activation_reciprocal_matrix(feedback, basal_drives, nonlinearity).items():
        np.testing.assert_allclose(B @ error, deltas[l], rtol=1e-10, atol=1e-12)
    gained = activation_reciprocal(feedback, basal_drives, error, nonlinearity, feedback_gains={top: 3.0, 1: 7.0})
    np.testing.assert_array_equal(gained[top], deltas[top])
    for l in range(1, top):
        np.testing.assert_allclose(gained[l], 3 * deltas[l], rtol=1e-12)


def test_columns_carry_one_error_each():
    forward, biases, feedback, _, _ = hierarchy([4, 5, 3], 5)
    stimuli, errors = np.random.default_rng(6).normal(size=(4, 2)), np.ones((3, 2))
    drives, _ = hierarchy_response(forward, biases, stimuli)
    together = activation_reciprocal(feedback, drives, errors)
    for k in range(2):
        alone = activation_reciprocal(feedback, {l: a[:, k] for l, a in drives.items()}, errors[:, k])
        np.testing.assert_allclose(together[1][:, k], alone[1], rtol=1e-14)


def test_parameter_reciprocal():
    h = np.array([3.0, 4.0])
    assert parameter_reciprocal(h) == 1 / 26
    assert parameter_reciprocal(h, bias=False) == 1 / 25
    assert parameter_reciprocal(0 * h) == 1
    assert parameter_reciprocal(0 * h, bias=False) == 0


@pytest.mark.parametrize("bias", [True, False])
def test_normalised_update_moves_the_basal_drive_by_minus_rate_times_delta(bias):
    delta, h = np.array([1.0, -2.0]), np.array([0.5, 0.2, -1.0])
    dW, db = weight_update(delta, h, 0.3, presynaptic_normalisation=True, bias=bias)
    np.testing.assert_allclose(dW @ h + (db if bias else 0), -0.3 * delta, rtol=1e-14)
    assert (db is not None) == bias


def test_silent_input_changes_only_the_bias():
    dW, db = weight_update(np.ones(2), np.zeros(3), 0.1, presynaptic_normalisation=True)
    assert np.all(dW == 0) and np.all(db == -0.1)
    assert np.all(weight_update(np.ones(2), np.zeros(3), 0.1, True, bias=False)[0] == 0)


@pytest.mark.parametrize("normalised", [False, True])
@pytest.mark.parametrize("with_biases", [False, True])
def test_wake_presentation_term_by_term(normalised, with_biases):
    forward, biases, feedback, x, target = hierarchy([4, 5, 3], 7)
    biases = biases if with_biases else None
    b = biases or {1: 0, 2: 0}
    a1 = forward[1] @ x + b[1]
    h1 = np.tanh(a1)
    h2 = np.exp(forward[2] @ h1 + b[2])
    h2 /= h2.sum()
    delta2 = h2 - target
    delta1 = (1 - h1**2) * (1.5 * feedback[2] @ delta2)
    norms = (x @ x + with_biases, h1 @ h1 + with_biases) if normalised else (1, 1)
    new_forward, new_biases, new_feedback = wake_presentation(
        forward,
        biases,
        feedback,
        x,
        target,
        learning_rate=0.2,
        presynaptic_normalisation=normalised,
        feedback_gains={2: 1.5},
    )
    np.testing.assert_allclose(new_forward[1], forward[1] - 0.2 * np.outer(delta1, x) / norms[0], rtol=1e-12)
    np.testing.assert_allclose(new_forward[2], forward[2] - 0.2 * np.outer(delta2, h1) / norms[1], rtol=1e-12)
    if with_biases:
        np.testing.assert_allclose(new_biases[1], biases[1] - 0.2 * delta1 / norms[0], rtol=1e-12)
        np.testing.assert_allclose(new_biases[2], biases[2] - 0.2 * delta2 / norms[1], rtol=1e-12)
    else:
        assert new_biases is None
    assert all(np.array_equal(new_feedback[l], feedback[l]) for l in feedback)


@pytest.mark.parametrize("with_feedback_to_input", [True, False])
def test_feedback_that_follows_stays_the_exact_transpose(with_feedback_to_input):
    forward, biases, _, x, target = hierarchy([4, 5, 3], 8)
    feedback = {l: W.T.copy() for l, W in forward.items() if l > 1 or with_feedback_to_input}
    gradients, _ = backpropagation_gradient(forward, biases, x, target)
    for k in range(5):
        new_forward, biases, feedback = wake_presentation(
            forward, biases, feedback, x, target, learning_rate=0.1, feedback_follows_forward=True
        )
        if k == 0:
            for l, gradient in gradients.items():
                np.testing.assert_allclose(new_forward[l], forward[l] - 0.1 * gradient, rtol=1e-13)
        forward = new_forward
    assert (1 in feedback) == with_feedback_to_input
    assert all(np.array_equal(V, forward[l].T) for l, V in feedback.items())


@pytest.mark.parametrize("nonlinearity", ["linear", "tanh", "softplus"])
def test_wake_with_the_pseudoinverse_learns_one_stimulus(nonlinearity):
    forward, biases, _, x, target = hierarchy([6, 5, 4, 3], 9)
    losses = []
    for _ in range(200):
        losses.append(output_loss(hierarchy_response(forward, biases, x, nonlinearity)[1][3], target))
        inverses = {l: np.linalg.pinv(W) for l, W in forward.items()}
        forward, biases, _ = wake_presentation(
            forward, biases, inverses, x, target, learning_rate=0.1, nonlinearity=nonlinearity
        )
    assert losses[-1] < 0.1 * losses[0]


def test_mistakes_are_explained():
    forward, biases, feedback, x, target = hierarchy([4, 5, 3], 10)
    with pytest.raises(ParameterError, match="slope_rule: must be one of derivative, reciprocal, none"):
        wake_presentation(forward, biases, feedback, x, target, learning_rate=0.1, slope_rule="inverse")
    with pytest.raises(ParameterError, match=r"must hold V_l for l = 2 ... 2 \(got none for \[2\]\)"):
        wake_presentation(forward, biases, {}, x, target, learning_rate=0.1)

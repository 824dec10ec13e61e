import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cortex_model.errors import ParameterError
from cortex_model.theory import (
    NONLINEARITIES,
    TOP_RATES,
    explained_variance,
    hierarchy_response,
    layer_response,
    output_error,
    output_loss,
    recall,
    reconstruction,
    relative_error,
)

PROPERTY = settings(deadline=None, max_examples=25)


@pytest.mark.parametrize("name", NONLINEARITIES)
def test_slope_is_the_derivative_of_the_rate(name):
    rate, slope, _ = NONLINEARITIES[name]
    a, step = np.array([-3.0, -0.7, -0.01, 0.02, 0.5, 2.5]), 1e-6
    np.testing.assert_allclose(slope(a), (rate(a + step) - rate(a - step)) / (2 * step), rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("name", [name for name in NONLINEARITIES if NONLINEARITIES[name].inverse])
def test_inverse_undoes_the_rate(name):
    rate, _, inverse = NONLINEARITIES[name]
    a = np.linspace(-4, 4, 33)
    np.testing.assert_allclose(inverse(rate(a)), a, rtol=1e-11, atol=1e-12)


def test_threshold_linear_has_no_inverse_and_no_slope_at_the_threshold():
    rate, slope, inverse = NONLINEARITIES["threshold_linear"]
    assert inverse is None
    np.testing.assert_array_equal(slope(np.array([-1.0, 0.0, 1e-9])), [0, 0, 1])
    np.testing.assert_array_equal(rate(np.array([-1.0, 0.0, 2.0])), [0, 0, 2])


@pytest.mark.parametrize("name", ["sigmoid", "softplus", "tanh"])
def test_rates_stay_finite_far_from_zero(name):
    rate, slope, _ = NONLINEARITIES[name]
    far = np.array([-1e4, 1e4])
    with np.errstate(over="raise", invalid="raise"):
        assert np.all(np.isfinite(rate(far))) and np.all(np.isfinite(slope(far)))


def test_softmax_is_stable_and_sums_to_one():
    h = TOP_RATES["softmax"](np.array([[1000.0, -1000.0], [1000.0, -1000.0], [0.0, -1001.0]]))
    np.testing.assert_allclose(h.sum(axis=0), 1, rtol=1e-15)
    np.testing.assert_allclose(h[:, 0], [0.5, 0.5, 0.0])


@PROPERTY
@given(
    st.lists(st.integers(1, 6), min_size=2, max_size=5),
    st.sampled_from(list(NONLINEARITIES)),
    st.sampled_from(list(TOP_RATES)),
    st.booleans(),
    st.integers(0, 2**32 - 1),
)
def test_columns_equal_one_stimulus_at_a_time(sizes, nonlinearity, top, with_biases, seed):
    generator = np.random.default_rng(seed)
    forward = {l: generator.normal(size=(sizes[l], sizes[l - 1])) for l in range(1, len(sizes))}
    biases = {l: generator.normal(size=len(w)) for l, w in forward.items()} if with_biases else None
    stimuli = generator.normal(size=(sizes[0], 3))
    together = hierarchy_response(forward, biases, stimuli, nonlinearity, top)
    for k in range(3):
        alone = hierarchy_response(forward, biases, stimuli[:, k], nonlinearity, top)
        for columns, vectors in zip(together, alone, strict=True):
            assert columns.keys() == vectors.keys()
            for l, vector in vectors.items():
                np.testing.assert_allclose(columns[l][:, k], vector, rtol=1e-12, atol=1e-14)


def test_layer_response_is_weights_times_rates_plus_bias():
    a, h = layer_response(np.array([[1.0, 2.0]]), np.array([3.0, -1.0]), np.array([0.5]), "threshold_linear")
    assert a == [1.5] and h == [1.5]


@pytest.mark.parametrize("top", TOP_RATES)
def test_output_error_is_the_gradient_of_the_loss(top):
    a, step = np.array([0.3, -1.2, 2.0]), 1e-6
    target = np.array([0.0, 1.0, 0.0])
    numeric = [
        (output_loss(TOP_RATES[top](a + d), target, top) - output_loss(TOP_RATES[top](a - d), target, top)) / (2 * step)
        for d in step * np.eye(3)
    ]
    np.testing.assert_allclose(output_error(TOP_RATES[top](a), target), numeric, rtol=1e-7, atol=1e-9)


def test_loss_of_a_certain_and_right_answer_is_zero():
    certain = np.array([0.0, 1.0])
    assert all(output_loss(certain, certain, top) == 0 for top in TOP_RATES)


def test_pseudoinverse_feedback_reconstructs_what_the_layer_can_know():
    generator = np.random.default_rng(1)
    W, h = generator.normal(size=(4, 7)), generator.normal(size=(7, 50))
    V = np.linalg.pinv(W)
    r = reconstruction(V, W @ h)
    np.testing.assert_allclose(W @ r, W @ h, rtol=1e-12, atol=1e-12)
    assert relative_error(r, h) < relative_error(reconstruction(0.9 * V, W @ h), h)
    assert 0 < explained_variance(r, h) < 1
    assert explained_variance(h, h) == 1
    np.testing.assert_array_equal(recall(V, W @ h, "tanh"), np.tanh(r))


def test_explained_variance_of_the_mean_is_zero():
    h = np.random.default_rng(2).normal(size=(3, 8))
    assert explained_variance(np.repeat(h.mean(axis=1, keepdims=True), 8, axis=1), h) == pytest.approx(0)


def test_undefined_measures_are_nan():
    assert np.isnan(relative_error(np.ones(2), np.zeros(2)))
    assert np.isnan(explained_variance(np.ones((2, 3)), np.ones((2, 3))))


def test_mistakes_are_explained():
    forward = {1: np.eye(2)}
    with pytest.raises(ParameterError, match="hierarchy_response.nonlinearity: must be one of linear"):
        hierarchy_response(forward, None, np.ones(2), "relu")
    with pytest.raises(ParameterError, match=r"top.*got 'tanh'"):
        hierarchy_response(forward, None, np.ones(2), "tanh", "tanh")
    with pytest.raises(ParameterError, match="output_loss.top"):
        output_loss(np.ones(2), np.ones(2), "hinge")
    with pytest.raises(ParameterError, match="at least two stimuli"):
        explained_variance(np.ones(3), np.ones(3))

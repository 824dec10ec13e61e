import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cortex_model.errors import ConditionError
from cortex_model.theory import contraction_norm, newton_like_iteration, newton_like_step


def residual(y):
    """Two equations in three unknowns, solved at (0, 0, 0)."""
    return np.array([np.sinh(y[0]) + 0.1 * y[2], y[1] + y[1] ** 3 - 0.2 * y[2]])


def jacobian(y):
    return np.array([[np.cosh(y[0]), 0.0, 0.1], [0.0, 1 + 3 * y[1] ** 2, -0.2]])


def test_converges_with_the_pseudoinverse_of_one_jacobian():
    start = np.array([0.5, -0.3, 0.4])
    y, norms = newton_like_iteration(residual, jacobian, start, np.linalg.pinv(jacobian(start)))
    assert np.linalg.norm(residual(y)) <= 1e-12
    assert norms[0] < 1e-14 and np.all(norms < 1)
    assert np.linalg.norm(y) > 0.1  # one of many solutions, near the start


@pytest.mark.filterwarnings("ignore:overflow")
def test_refuses_where_the_contraction_fails_and_does_run_away_there():
    start, T = np.array([3.0, -1.0, 0.4]), np.linalg.pinv(jacobian(np.zeros(3)))
    with pytest.raises(ConditionError, match=r"must keep \|I - J T\| below 1.*at step 0"):
        newton_like_iteration(residual, jacobian, start, T)
    y, norms = newton_like_iteration(residual, jacobian, start, T, n_iterations=2, check=False)
    assert norms[0] > 1
    assert np.linalg.norm(residual(y)) > np.linalg.norm(residual(start))


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 6), st.integers(0, 4), st.integers(0, 2**32 - 1))
def test_linear_residual_shrinks_as_the_contraction_norm_says(n, n_more, seed):
    generator = np.random.default_rng(seed)
    J = generator.normal(size=(n, n + n_more))
    T = np.linalg.pinv(J) + 0.1 * generator.normal(size=J.shape[::-1])
    y, goal = generator.normal(size=n + n_more), generator.normal(size=n)
    before = J @ y - goal
    after = J @ newton_like_step(y, before, T) - goal
    np.testing.assert_allclose(after, (np.eye(n) - J @ T) @ before, atol=1e-10)
    assert np.linalg.norm(after) <= contraction_norm(J, T) * np.linalg.norm(before) + 1e-10


def test_one_step_with_the_exact_reciprocal_solves_a_linear_problem():
    J = np.array([[2.0, 1.0, 0.0], [0.0, 1.0, 3.0]])
    T = np.linalg.pinv(J)
    assert contraction_norm(J, T) < 1e-14
    assert contraction_norm(J, 0.5 * T) == pytest.approx(0.5)
    np.testing.assert_allclose(J @ newton_like_step(np.ones(3), J @ np.ones(3) - 5, T), 5)

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cortex_model.errors import ConditionError
from cortex_model.theory import (
    alignment_angle,
    condition_number,
    penrose_residuals,
    pseudoinverse_iteration,
    range_condition,
    relative_distance,
    spectral_condition,
)

pytestmark = pytest.mark.filterwarnings("ignore:overflow")  # of what runs away
PROPERTY = settings(deadline=None, max_examples=25)
SEEDS = st.integers(0, 2**32 - 1)


def of_rank(generator, n, m, rank):
    """Draw a matrix of this rank with singular values between 0.5 and 2."""
    left = np.linalg.qr(generator.normal(size=(n, rank)))[0]
    right = np.linalg.qr(generator.normal(size=(m, rank)))[0]
    return left * generator.uniform(0.5, 2, rank) @ right.T


@PROPERTY
@given(st.integers(1, 8), st.integers(1, 8), st.integers(1, 8), SEEDS, st.floats(0.05, 0.95))
def test_iteration_reaches_the_pseudoinverse_of_any_shape_and_rank(n, m, rank, seed, fraction):
    A = of_rank(np.random.default_rng(seed), n, m, min(n, m, rank))
    X0 = fraction * 2 / np.linalg.norm(A, 2) ** 2 * A.T
    X = pseudoinverse_iteration(A, X0)
    assert relative_distance(X, np.linalg.pinv(A)) < 1e-10
    assert np.all(penrose_residuals(A, X) < 1e-9)


@PROPERTY
@given(st.integers(1, 6), SEEDS)
def test_iteration_from_a_transposed_sandwich(n, seed):
    """X0 = A^T C A^T with X0 A well inside the disc, C otherwise free."""
    generator = np.random.default_rng(seed)
    A = of_rank(generator, n, n + 2, n)
    inverse = np.linalg.pinv(A)
    disturbance = generator.normal(size=(n, n))
    X0 = inverse + 0.5 * inverse @ disturbance / np.linalg.norm(A @ inverse @ disturbance, 2)
    assert relative_distance(pseudoinverse_iteration(A, X0), inverse) < 1e-10


@pytest.mark.parametrize("step", [0.1, 0.5, 1.0, 1.5])
def test_spectral_bound_on_c_is_sharp(step):
    A = of_rank(np.random.default_rng(1), 5, 7, 5)
    bound = (1 + 1 / step) / np.linalg.norm(A, 2) ** 2
    assert spectral_condition(A, 0.99 * bound * A.T, step)
    X = pseudoinverse_iteration(A, 0.99 * bound * A.T, step, n_iterations=2000)
    assert relative_distance(X, np.linalg.pinv(A)) < 1e-9
    for c in (1.01 * bound, -0.01 * bound):
        assert range_condition(A, c * A.T) and not spectral_condition(A, c * A.T, step)
        ran_away = pseudoinverse_iteration(A, c * A.T, step, n_iterations=2000, check=False)
        assert not relative_distance(ran_away, np.linalg.pinv(A)) < 1


@pytest.mark.parametrize("step", [0.0, -0.5, 2.0])
def test_steps_outside_0_to_2_are_refused(step):
    A = np.eye(2)
    with pytest.raises(ConditionError, match="step"):
        pseudoinverse_iteration(A, 0.5 * A, step)


def test_counter_example_to_the_range_condition_with_spectral_radius_zero():
    """A^+ + Z with Z A = 0: X0 A is symmetric, as the paper asks, all its eigenvalues are 1; it stays there."""
    generator = np.random.default_rng(2)
    A = of_rank(generator, 6, 3, 3)
    inverse = np.linalg.pinv(A)
    Z = generator.normal(size=(3, 6)) @ (np.eye(6) - A @ inverse)
    X0 = inverse + Z
    np.testing.assert_allclose(X0 @ A, (X0 @ A).T, atol=1e-14)
    assert spectral_condition(A, X0) and not range_condition(A, X0)
    with pytest.raises(ConditionError, match=r"range in that of A\^T.*start from c A\^T"):
        pseudoinverse_iteration(A, X0)
    X = pseudoinverse_iteration(A, X0, check=False)
    np.testing.assert_allclose(X, X0, atol=1e-12)
    assert relative_distance(X, inverse) > 0.1
    assert penrose_residuals(A, X)[2] > 0.01


def test_counter_example_to_symmetry_that_runs_away():
    """A symmetric X0 A with a negative eigenvalue: the paper's condition holds, the iteration does not."""
    A = np.diag([1.0, 2.0])
    X0 = np.diag([0.5, -0.1])
    np.testing.assert_array_equal(X0 @ A, (X0 @ A).T)
    assert range_condition(A, X0) and not spectral_condition(A, X0)
    assert not relative_distance(pseudoinverse_iteration(A, X0, check=False), np.linalg.inv(A)) < 1
    with pytest.raises(ConditionError, match="every eigenvalue p of X0 A"):
        pseudoinverse_iteration(A, X0)


def test_counter_example_to_symmetry_that_ends_elsewhere():
    """A symmetric X0 A that misses one direction of the range rests at an inverse of lower rank."""
    A = np.diag([1.0, 2.0])
    X = pseudoinverse_iteration(A, np.diag([0.5, 0.0]), check=False)
    np.testing.assert_allclose(X, np.diag([1.0, 0.0]), atol=1e-14)
    assert not spectral_condition(A, np.diag([0.5, 0.0]))
    assert penrose_residuals(A, X)[0] > 0.5 and penrose_residuals(A, X)[1] < 1e-14


@pytest.mark.parametrize("seed", range(5))
def test_random_starts_run_away(seed):
    generator = np.random.default_rng(seed)
    A, X0 = of_rank(generator, 6, 6, 6), generator.normal(size=(6, 6))
    assert range_condition(A, X0) and not spectral_condition(A, X0)
    for step in (1.0, 0.01):
        X = pseudoinverse_iteration(A, X0, step, n_iterations=5000, check=False)
        assert not relative_distance(X, np.linalg.inv(A)) < 1


def test_complex_eigenvalues_inside_the_disc_converge():
    turn = np.array([[0.6, -0.6], [0.6, 0.6]])
    assert spectral_condition(np.eye(2), turn)
    assert relative_distance(pseudoinverse_iteration(np.eye(2), turn), np.eye(2)) < 1e-14
    assert not spectral_condition(np.eye(2), 2 * turn)


@PROPERTY
@given(st.integers(1, 8), st.integers(1, 8), st.integers(1, 8), SEEDS)
def test_penrose_residuals_vanish_at_the_pseudoinverse_only(n, m, rank, seed):
    generator = np.random.default_rng(seed)
    A = of_rank(generator, n, m, min(n, m, rank))
    inverse = np.linalg.pinv(A)
    assert np.all(penrose_residuals(A, inverse) < 1e-12)
    assert np.max(penrose_residuals(A, 1.1 * inverse)) > 0.05


def test_alignment_angle_is_exact_from_0_to_180_degrees():
    X = np.array([[1.0, 0.0], [0.0, 0.0]])
    for degrees in (0.0, 1e-9, 1e-3, 45.0, 90.0, 179.0, 180.0):
        turned = np.array([[np.cos(np.radians(degrees)), np.sin(np.radians(degrees))], [0.0, 0.0]])
        assert alignment_angle(X, 3 * turned) == pytest.approx(degrees, rel=1e-6, abs=1e-12)
    assert np.isnan(alignment_angle(X, 0 * X))


def test_distance_and_condition_number():
    X = np.diag([3.0, 4.0])
    assert relative_distance(2 * X, X) == 1
    assert np.isnan(relative_distance(X, 0 * X))
    assert condition_number(np.diag([10.0, 1.0, 0.1])[:, :2]) == pytest.approx(10)
    assert condition_number(np.ones((2, 2))) > 1e15

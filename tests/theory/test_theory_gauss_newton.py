"""Gauss-Newton steps of drives: their Jacobians, and what they become at both ends of damping."""

import numpy as np
import pytest

from cortex_model import theory
from cortex_model.errors import ParameterError

SIZES, N_STIMULI = (6, 5, 7, 3), 4


@pytest.fixture(scope="module")
def network():
    rng = np.random.default_rng(0)
    forward = {l: rng.normal(size=(SIZES[l], SIZES[l - 1])) / 2 for l in (1, 2, 3)}
    drives, _ = theory.hierarchy_response(forward, None, rng.normal(size=(SIZES[0], N_STIMULI)))
    return forward, drives, rng.normal(size=(SIZES[-1], N_STIMULI))


def top_drive(forward, level, drive, sigma):
    for l in range(level + 1, 4):
        drive = forward[l] @ sigma(drive)
    return drive


@pytest.mark.parametrize("nonlinearity", ["tanh", "softplus", "linear"])
def test_jacobians_are_those_of_finite_differences(network, nonlinearity):
    forward, sigma, step = network[0], theory.NONLINEARITIES[nonlinearity].rate, 1e-6
    stimuli = np.random.default_rng(1).normal(size=(SIZES[0], N_STIMULI))
    drives, _ = theory.hierarchy_response(forward, None, stimuli, nonlinearity)
    jacobians = theory.top_jacobians(forward, drives, nonlinearity)
    for l, J in jacobians.items():
        for s in range(N_STIMULI):
            moved = np.array([
                (top_drive(forward, l, drives[l][:, s] + unit, sigma)
                 - top_drive(forward, l, drives[l][:, s] - unit, sigma)) / (2 * step)
                for unit in step * np.eye(SIZES[l])
            ])  # fmt: skip
            np.testing.assert_allclose(J[s], moved.T, atol=1e-8)


def test_without_damping_the_step_is_that_of_the_pseudoinverse(network):
    forward, drives, error = network
    deltas, jacobians = theory.gauss_newton_deltas(forward, drives, error), theory.top_jacobians(forward, drives)
    for l, delta in deltas.items():
        for s in range(N_STIMULI):
            np.testing.assert_allclose(delta[:, s], np.linalg.pinv(jacobians[l][s]) @ error[:, s], atol=1e-10)
            np.testing.assert_allclose(jacobians[l][s] @ delta[:, s], error[:, s], atol=1e-10)


@pytest.mark.parametrize("damping", [0, 0.3])
def test_a_population_smaller_than_the_top_gets_the_same_step(damping):
    """Through a bottleneck the least change of its drives explains as much of the error as they can reach."""
    rng = np.random.default_rng(3)
    forward = {1: rng.normal(size=(3, 6)), 2: rng.normal(size=(7, 3))}
    drives, _ = theory.hierarchy_response(forward, None, rng.normal(size=(6, 4)))
    error, J = rng.normal(size=(7, 4)), theory.top_jacobians(forward, drives)[1]
    delta = theory.gauss_newton_deltas(forward, drives, error, damping=damping)[1]
    for s in range(4):
        expected = J[s].T @ np.linalg.pinv(J[s] @ J[s].T + damping * np.eye(7)) @ error[:, s]
        np.testing.assert_allclose(delta[:, s], expected, atol=1e-10)


def test_a_direction_that_the_top_cannot_see_gets_no_step():
    forward = {1: np.eye(3), 2: np.array([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]])}
    drives = {1: np.ones((3, 1)), 2: np.ones((2, 1))}
    delta = theory.gauss_newton_deltas(forward, drives, np.array([[1.0], [-1.0]]), "linear")[1]
    np.testing.assert_allclose(delta, 0, atol=1e-12)


def test_damping_goes_from_the_pseudoinverse_to_backpropagation(network):
    forward, drives, error = network
    backpropagated = theory.activation_reciprocal({l: W.T for l, W in forward.items()}, drives, error)
    angles = []
    for damping in (0, 0.1, 1, 10, 1e4):
        deltas = theory.gauss_newton_deltas(forward, drives, error, damping=damping)
        angles.append(theory.alignment_angle(deltas[1], backpropagated[1]))
    assert np.all(np.diff(angles) < 0) and angles[-1] < 0.1 < 5 < angles[0]
    damped, J = theory.gauss_newton_deltas(forward, drives, error, damping=0.3), theory.top_jacobians(forward, drives)
    for s in range(N_STIMULI):
        expected = J[1][s].T @ np.linalg.solve(J[1][s] @ J[1][s].T + 0.3 * np.eye(3), error[:, s])
        np.testing.assert_allclose(damped[1][:, s], expected, atol=1e-12)


def test_negative_damping_is_refused(network):
    with pytest.raises(ParameterError, match=r"gauss_newton_deltas\.damping: must be at least 0 \(got -1\); raise it"):
        theory.gauss_newton_deltas(*network, damping=-1)

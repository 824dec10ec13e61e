"""The Newton-like iteration with a fixed reciprocal in place of the inverse Jacobian.

Source: T. H. Hildebrandt and L. M. Graves, "Implicit functions and their differentials in general
analysis", Transactions of the American Mathematical Society 29, 127-153 (1927).
"""

from collections.abc import Callable

import numpy as np

from cortex_model.errors import ConditionError


def newton_like_step(y: np.ndarray, residual: np.ndarray, T: np.ndarray) -> np.ndarray:
    """Return y' = y - T F(x, y), where F, shape (n_F,), is the residual and T, (n_y, n_F), the reciprocal."""
    return y - T @ residual


def contraction_norm(J: np.ndarray, T: np.ndarray) -> float:
    """Return the spectral norm |I - J T|, where J, shape (n_F, n_y), is the Jacobian and T its reciprocal.

    To first order a step turns the residual F into (I - J T) F, so below 1 it shrinks; 0 means J T = I.
    The paper asks for a left reciprocal, T J = I; here a right one, because layers that narrow have more
    parameters than residuals, and only J T can be the identity.
    """
    return float(np.linalg.norm(np.eye(len(J)) - J @ T, ord=2))


def newton_like_iteration(
    residual: Callable[[np.ndarray], np.ndarray],
    jacobian: Callable[[np.ndarray], np.ndarray],
    y0: np.ndarray,
    T: np.ndarray,
    n_iterations: int = 100,
    tolerance: float = 1e-12,
    check: bool = True,
) -> tuple[np.ndarray, np.ndarray]:
    """Repeat `newton_like_step` with one T, watching the contraction at every y on the way.

    where T F(y*) = 0 is reached for certain only while |I - J(y) T| < 1, with J the Jacobian of F.

    Parameters
    ----------
    residual : callable
        F(y), shape (n_F,).
    jacobian : callable
        J(y), shape (n_F, n_y).
    y0 : ndarray, shape (n_y,)
    T : ndarray, shape (n_y, n_F)
    n_iterations : int
        At most so many.
    tolerance : float
        Stops once |F(y)| is at or below it.
    check : bool
        False goes on where the contraction fails, without promise.

    Returns
    -------
    y : ndarray, shape (n_y,)
    contraction_norms : ndarray, shape (n_steps,)
        |I - J T| before each step.

    Raises
    ------
    ConditionError
        If `check` is set and the contraction norm reaches 1.
    """
    y, contraction_norms = y0, []
    for step in range(n_iterations):
        F = residual(y)
        if np.linalg.norm(F) <= tolerance:
            break
        contraction_norms.append(contraction_norm(jacobian(y), T))
        if check and not contraction_norms[-1] < 1:
            raise ConditionError(
                "newton_like_iteration.T: must keep |I - J T| below 1 on the way "
                f"(got {contraction_norms[-1]:.3g} at step {step}); take a better reciprocal or a nearer start."
            )
        y = newton_like_step(y, F, T)
    return y, np.array(contraction_norms)

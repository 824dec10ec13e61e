"""The pseudoinverse by iteration, its two conditions, and measures of how far a matrix is from it.

Source: A. Ben-Israel and D. Cohen, "On iterative computation of generalized inverses and associated
projections", SIAM Journal on Numerical Analysis 3, 410-419 (1966).
"""

import numpy as np

from cortex_model.errors import ConditionError


def pseudoinverse_iteration(
    A: np.ndarray,
    X0: np.ndarray,
    step: float = 1.0,
    n_iterations: int = 200,
    check: bool = True,
    tolerance: float = 1e-12,
) -> np.ndarray:
    """Iterate X' - X = step (X - X A X) from X0, towards A^+.

    where A is the matrix to invert and X its approximate inverse. An eigenvalue p of X A follows
    p' = p + step (p - p^2): at step 1 the error 1 - p is squared each time.

    The paper asks only that X0 A be symmetric. That is not enough: A^+ + Z with Z A = 0 has a symmetric X0 A
    and is at rest, and a symmetric X0 A with a negative eigenvalue runs away. Here both conditions are
    checked: `range_condition` and `spectral_condition`.

    Parameters
    ----------
    A : ndarray, shape (n, m)
    X0 : ndarray, shape (m, n)
        For instance c A^T with 0 < c < (1 + 1 / step) / s_max^2.
    step : float
        Above 0 and below 2; the paper has 1.
    n_iterations : int
        At most so many.
    check : bool
        False runs from any start, without promise.
    tolerance : float
        Stops once X changes by less, relative to itself. Stopping matters where A has not full rank: there
        rounding errors outside the range of A^T grow as (1 + step)^k.

    Returns
    -------
    ndarray, shape (m, n)
        X; not finite if it ran away.

    Raises
    ------
    ConditionError
        If `check` is set and one of the two conditions does not hold.
    """
    if check and not range_condition(A, X0):
        raise ConditionError(
            "pseudoinverse_iteration.X0: must have its range in that of A^T and its null space around that of "
            f"A^T (got a part of {_outside(A, X0):.2g} of its norm outside); start from c A^T."
        )
    if check and not spectral_condition(A, X0, step):
        farthest = np.max(np.abs(1 - _range_eigenvalues(A, X0)), initial=0.0)
        raise ConditionError(
            "pseudoinverse_iteration.X0: must have every eigenvalue p of X0 A flow to 1, with a step below 2 "
            f"(got |1 - p| up to {farthest:.3g} and step {step}); start from c A^T with "
            "0 < c < (1 + 1 / step) / s_max^2."
        )
    X = X0
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(n_iterations):
            change = step * (X - X @ A @ X)
            X = X + change
            if not np.linalg.norm(change) > tolerance * np.linalg.norm(X):
                break
    return X


def range_condition(A: np.ndarray, X0: np.ndarray, tolerance: float = 1e-8) -> bool:
    """Say whether X0 = A^T C A^T for some C: range and null space are those of A^T, or smaller and larger.

    Equivalently A^+ A X0 = X0 and X0 A A^+ = X0; here, to within `tolerance` relative to |X0|.

    Parameters
    ----------
    A, X0 : ndarray, shape (n, m) and (m, n)
    tolerance : float
    """
    return bool(_outside(A, X0) <= tolerance)


def spectral_condition(A: np.ndarray, X0: np.ndarray, step: float = 1.0) -> bool:
    """Say whether every eigenvalue of X0 A on the range of A^T flows to 1.

    Each eigenvalue p follows p' = p + step (p - p^2), and must lie, with 0 < step < 2,

        on the real line in 0 < p < 1 + 1 / step (necessary and sufficient), or
        in the plane in |1 - p| < min(1, 2 / step - 1) (sufficient; at step 1 necessary too).

    For X0 = c A^T, p = c s^2 for each singular value s, hence 0 < c < (1 + 1 / step) / s_max^2.
    Not to be confused with `range_condition`: neither implies the other.

    Parameters
    ----------
    A, X0 : ndarray, shape (n, m) and (m, n)
    step : float
    """
    if not 0 < step < 2:
        return False
    p = _range_eigenvalues(A, X0)
    is_real = np.abs(p.imag) <= 1e-8 * np.abs(p)
    on_the_line = is_real & (p.real > 0) & (p.real < 1 + 1 / step)
    in_the_disc = np.abs(1 - p) < min(1.0, 2 / step - 1)
    return bool(np.all(on_the_line | in_the_disc))


def _singular_vectors(A):
    """Return the left and right singular vectors (as columns) and values of A, up to its rank."""
    U, s, Vt = np.linalg.svd(A, full_matrices=False)
    rank = int(np.sum(s > max(A.shape) * np.finfo(float).eps * s[0]))
    return U[:, :rank], s[:rank], Vt[:rank].T


def _outside(A, X0):
    U, _, V = _singular_vectors(A)
    inside = V @ (V.T @ X0 @ U) @ U.T
    return relative_distance(inside, X0) if np.any(X0) else 0.0


def _range_eigenvalues(A, X0):
    U, s, V = _singular_vectors(A)
    return np.linalg.eigvals((V.T @ X0 @ U) * s).astype(complex)


def penrose_residuals(A: np.ndarray, X: np.ndarray) -> np.ndarray:
    """Return how far X is from each of Penrose's four equations for A^+.

        |A X A - A| / |A|,  |X A X - X| / |X|,  |(A X)^T - A X| / |A X|,  |(X A)^T - X A| / |X A|

    where |.| is the Frobenius norm. All four are zero only for X = A^+.

    Source: R. Penrose, "A generalized inverse for matrices", Proc. Cambridge Phil. Soc. 51 (1955).

    Parameters
    ----------
    A, X : ndarray, shape (n, m) and (m, n)

    Returns
    -------
    ndarray, shape (4,)
        nan where the divisor is zero.
    """
    AX, XA = A @ X, X @ A
    pairs = ((AX @ A, A), (XA @ X, X), (AX.T, AX), (XA.T, XA))
    return np.array([relative_distance(left, right) for left, right in pairs])


def relative_distance(X: np.ndarray, Y: np.ndarray) -> float:
    """Return |X - Y|_F / |Y|_F for two matrices of one shape; nan if Y is all zero."""
    size = np.linalg.norm(Y)
    return float(np.linalg.norm(X - Y) / size) if size > 0 else float("nan")


def alignment_angle(X: np.ndarray, Y: np.ndarray) -> float:
    """Return the angle between two flattened matrices of one shape, in degrees from 0 to 180.

        angle = 2 atan2(|x - y|, |x + y|)

    where x and y are X and Y divided by their Frobenius norms. It is arccos(x . y), but exact for small
    angles too. nan if one of them is all zero.
    """
    sizes = np.linalg.norm(X), np.linalg.norm(Y)
    if 0 in sizes:
        return float("nan")
    x, y = X / sizes[0], Y / sizes[1]
    return float(np.degrees(2 * np.arctan2(np.linalg.norm(x - y), np.linalg.norm(x + y))))


def condition_number(A: np.ndarray) -> float:
    """Return s_max / s_min over the min(n, m) singular values of A, shape (n, m); inf without full rank."""
    return float(np.linalg.cond(A))

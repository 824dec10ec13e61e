"""What each population would be told by the (damped) Gauss-Newton method, beside what feedback tells it.

Source: A. Meulemans et al., "A theoretical framework for target propagation", NeurIPS 33 (2020), which shows that
feedback by inverses approximates the Gauss-Newton method on the drives of each population.
"""

from collections.abc import Mapping

import numpy as np

from cortex_model.errors import ParameterError
from cortex_model.theory.rate_network import NONLINEARITIES, choice


def top_jacobians(
    forward: Mapping[int, np.ndarray], basal_drives: Mapping[int, np.ndarray], nonlinearity: str = "tanh"
) -> dict[int, np.ndarray]:
    """Return how the top's drive depends on the drive of every population, stimulus by stimulus.

        J_L = I,    J_l = J_{l+1} W_{l+1} diag(sigma'(a_l))

    Parameters
    ----------
    forward : dict of ndarray
        W_l, shape (n_l, n_{l-1}).
    basal_drives : dict of ndarray
        a_l, shape (n_l, n_stimuli), for l = 1 ... L.
    nonlinearity : str
        A name in `NONLINEARITIES`.

    Returns
    -------
    dict of ndarray
        J_l = d a_L / d a_l, shape (n_stimuli, n_L, n_l), for l = L ... 1.

    Raises
    ------
    ParameterError
        If the nonlinearity has no such name.
    """
    slope = choice(NONLINEARITIES, nonlinearity, "top_jacobians.nonlinearity").slope
    top = max(basal_drives)
    n_top, n_stimuli = basal_drives[top].shape
    jacobians = {top: np.broadcast_to(np.eye(n_top), (n_stimuli, n_top, n_top))}
    for l in range(top - 1, 0, -1):
        carried = jacobians[l + 1].reshape(n_stimuli * n_top, -1) @ forward[l + 1]  # one product for all stimuli
        jacobians[l] = carried.reshape(n_stimuli, n_top, -1) * slope(basal_drives[l]).T[:, np.newaxis]
    return jacobians


def gauss_newton_deltas(
    forward: Mapping[int, np.ndarray],
    basal_drives: Mapping[int, np.ndarray],
    error: np.ndarray,
    nonlinearity: str = "tanh",
    damping: float = 0.0,
) -> dict[int, np.ndarray]:
    """Return the Gauss-Newton step of every population's drive, for each stimulus by itself.

        delta_l = J_l^T (J_l J_l^T + damping I)^-1 e,    J_l^+ e without damping

    where e is the output error and J_l of `top_jacobians`. J_l^+ e is the least change of a_l that takes e away; a
    large damping turns delta_l to J_l^T e, the delta of backpropagation.

    Parameters
    ----------
    forward, basal_drives, nonlinearity
        See `top_jacobians`.
    error : ndarray, shape (n_L, n_stimuli)
    damping : float
        At least 0, in the units of J J^T.

    Returns
    -------
    dict of ndarray
        delta_l, shape (n_l, n_stimuli), for l = L ... 1.

    Raises
    ------
    ParameterError
        If damping is negative or the nonlinearity has no such name.
    """
    if damping < 0:
        raise ParameterError(f"gauss_newton_deltas.damping: must be at least 0 (got {damping}); raise it.")
    top = max(basal_drives)
    deltas = {top: error / (1 + damping)}  # J_L = I
    jacobians = top_jacobians(forward, basal_drives, nonlinearity)
    for l in range(top - 1, 0, -1):
        J, is_wide = jacobians[l], jacobians[l].shape[2] >= len(error)
        transposed = J.transpose(0, 2, 1)
        # J^T (J J^T + d I)^-1 e = (J^T J + d I)^-1 J^T e: by whichever of the two matrices is smaller
        power, U = np.linalg.eigh(J @ transposed if is_wide else transposed @ J)
        is_seen = power > np.finfo(float).eps * max(J.shape[1:]) * power[:, -1:]
        factor = np.where(is_seen, 1.0 / np.where(is_seen, power + damping, 1.0), 0.0)
        told = error if is_wide else np.einsum("sjk,js->ks", J, error, optimize=True)
        step = np.einsum("sji,si,ski,ks->sj", U, factor, U, told, optimize=True)
        deltas[l] = np.einsum("sjk,sj->ks", J, step, optimize=True) if is_wide else step.T
    return deltas

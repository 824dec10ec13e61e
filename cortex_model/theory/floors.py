"""How near to where it rests recirculation stays: floors that single noise vectors and decay leave."""

import numpy as np

from cortex_model.errors import ParameterError
from cortex_model.theory.recirculation import check_damping


def online_noise_floor(n_lower: int, n_upper: int, sleep_learning_rate: float) -> float:
    """Return |V - W^+|_F at which online recirculation stays, with W held and no damping.

        sqrt(eta n_upper (n_lower - n_upper) / 2) for n_upper < n_lower, else 0

    where eta is the sleep learning rate, small against 2 / |W|_F^2. It does not depend on W. Averaging each
    update over k noise vectors divides eta by k.
    """
    return float(np.sqrt(sleep_learning_rate * n_upper * max(n_lower - n_upper, 0) / 2))


def feedback_noise_floor(
    forward_weights: np.ndarray,
    sleep_learning_rate: float,
    damping: float = 0.0,
    gain: float = 1.0,
    reconstructs: bool = True,
) -> float:
    """Return |V - V*|_F at which `feedback_update` stays online, with W held; V* is where it rests on average.

        g sqrt( eta/2  sum_k s_k^2 / (s_k^2 + d)  sum_i (d / (s_i^2 + d))^2 )

    where s_k are the n_upper and s_i the n_lower singular values of W (those that it lacks are 0), d is the damping,
    g the gain, eta the sleep learning rate, small against 2 / |W|_F^2. A presentation adds eta (g xi - rec) up^T,
    whose variance is (g d / (s_i^2 + d))^2 s_k^2 along each pair of singular vectors; the drift there is
    eta (s_k^2 + d). Without damping it is g times `online_noise_floor`, for W of full rank.

    Parameters
    ----------
    forward_weights : ndarray, shape (n_upper, n_lower)
        W.
    sleep_learning_rate, damping, gain : float
    reconstructs : bool
        False: rec is left out, so V* = g W^T / d (weight mirror), the drift is eta d, and nothing of the noise is
        taken away: g sqrt(eta/2 n_lower |W|_F^2 / d).

    Raises
    ------
    ParameterError
        If the damping is negative, or 0 where nothing is reconstructed.
    """
    check_damping(damping, "feedback_noise_floor")
    powers = np.linalg.svd(forward_weights, compute_uv=False) ** 2
    n_lower = forward_weights.shape[1]
    if not reconstructs:
        if damping == 0:
            raise ParameterError(
                "feedback_noise_floor.damping: must be above 0 where nothing is reconstructed (got 0), because then "
                "nothing bounds V; set a damping."
            )
        return gain * float(np.sqrt(sleep_learning_rate / 2 * n_lower * powers.sum() / damping))
    powers = powers[powers > np.finfo(float).eps * len(powers) * powers.max(initial=0)]
    left = n_lower - len(powers) + np.sum((damping / (powers + damping)) ** 2)
    return gain * float(np.sqrt(sleep_learning_rate / 2 * np.sum(powers / (powers + damping)) * left))


def decay_floor(n: int, damping: float) -> float:
    """Return |W - V^+|_F = |V - W^+|_F at which both half cycles stop, on average, with gain 1.

        sqrt(n) d / sqrt(1 - d)

    where d is the damping and n the number of units in the smaller population; relative to the inverse it
    is d itself.

    Raises
    ------
    ParameterError
        If the damping is negative, or 1 and more: then both weights vanish.
    """
    check_damping(damping, "decay_floor")
    if damping >= 1:
        raise ParameterError(
            f"decay_floor.damping: must be below 1 (got {damping}), or both weights vanish; choose a smaller damping."
        )
    return float(np.sqrt(n) * damping / np.sqrt(1 - damping))

r"""Recirculation of noise through one reciprocal pair of projections, and what it learns on average.

The paper states that linear recirculation, averaged over mean-zero noise, is nearly the iteration
X' - X = X - X A X, and omits the proof. Here it is, with the place where the two part.

Averages
    Let A = W (forward), V (feedback), xi noise in the lower population, mean 0, covariance I. The ascending
    half cycle is up = W xi, rec = V up, and the feedback projection changes by

        dV = (g xi - rec) up^T - d V = (g I - V W) xi xi^T W^T - d V        (g: gain, d: damping)
        <dV> = (g I - V W) W^T - d V = g W^T - V W W^T - d V                because <xi xi^T> = I.

    In the same way the descending half cycle, with noise in the upper population, gives
    <dW> = (g I - W V) V^T - d W. Noise with mean m has <xi xi^T> = I + m m^T in place of I, so the
    reconstruction of m is then overweighted; hence the condition of mean zero.

Against the theorem of Ben-Israel & Cohen (1966), with X = V, g = 1, d = 0

        recirculation:  <dV> = (I - V A) A^T        linear in V
        theorem:          dX = (I - X A) X          quadratic in X

    The first factors are the same: what is not yet reconstructed. The second is the presynaptic activity:
    up = A xi carries A^T, where the theorem has X. The two agree where V = A^T, that is near the state in
    which both projections are each other's transpose *and* inverse; there alone "nearly identical" is exact.
    Elsewhere recirculation is steepest descent on |I - V A|_F^2 / 2, so
    (i) it converges from every start, for steps below 2 / s_max^2, whereas the theorem needs its range
    and spectral conditions (`pseudoinverse_iteration`);
    (ii) along a singular value s of A its error falls as (1 - eta s^2)^k, linear, not quadratic: slow for
    ill-conditioned A.

Fixed points
    <dV> = 0 with d = 0, g = 1 reads V A A^T = A^T, that is A V A = A and (V A)^T = V A. For A of full row
    rank (n_upper <= n_lower) V = A^T (A A^T)^-1 = A^+ is the only one. Otherwise V = A^+ + Z (I - A A^+) with
    Z left over from the start: noise from below never visits that null space. Damping forgets it:
    V = g A^T (A A^T + d I)^-1, which runs from A^+ (d -> 0) to the transpose (d V / g -> A^T, d -> infinity).

Both half cycles at once
    Along matched singular vectors, with s in W and v in V,

        ds/dt = g v - s v^2 - d s,    dv/dt = g s - v s^2 - d v,
        d(s - v)/dt = -(g + d - s v)(s - v).

    Without damping every pair ends at s v = g. With 0 < d < g, s = v = sqrt(g - d); for d >= g the only rest
    is s = v = 0. At g = 1 and s = v = sqrt(1 - d), V differs from W^+ by d, relative to W^+ (`decay_floor`).

Online
    Near V = W^+ each presentation adds eta (I - V W) xi up^T. For narrowing pairs (I - V W) xi keeps
    n_lower - n_upper dimensions. Along each singular value s the drift is eta s^2 and the variance added
    eta^2 s^2 per dimension, so the stationary variance is eta / 2, whatever s (`online_noise_floor`).
"""

import numpy as np

from cortex_model.errors import ParameterError


def recirculation_cycle(
    forward_weights: np.ndarray, feedback_weights: np.ndarray, noise: np.ndarray, direction: str = "ascending"
) -> tuple[np.ndarray, np.ndarray]:
    """Send noise once around a reciprocal pair, without nonlinearity.

        ascending:   up = W xi,    rec = V up
        descending:  down = V xi,  back = W down

    where W and V are the forward and feedback weights, and xi the noise in the lower (ascending) or the
    upper population (descending).

    Parameters
    ----------
    forward_weights : ndarray, shape (n_upper, n_lower)
    feedback_weights : ndarray, shape (n_lower, n_upper)
    noise : ndarray, shape (n,) or (n, n_vectors)
    direction : {"ascending", "descending"}

    Returns
    -------
    first, second : ndarray
        (up, rec) or (down, back).

    Raises
    ------
    ParameterError
        If the weights are not reciprocal, the noise does not fit, or the direction has no such name.
    """
    if forward_weights.shape != feedback_weights.shape[::-1]:
        raise ParameterError(
            "recirculation_cycle.feedback_weights: must have the reversed shape of forward_weights "
            f"(got {feedback_weights.shape} and {forward_weights.shape}); pass V_l with its own W_l."
        )
    paths = {
        "ascending": (forward_weights, feedback_weights),
        "descending": (feedback_weights, forward_weights),
    }
    if direction not in paths:
        raise ParameterError(
            f"recirculation_cycle.direction: must be ascending or descending (got {direction!r}); choose one of them."
        )
    out, home = paths[direction]
    if len(noise) != out.shape[1]:
        raise ParameterError(
            f"recirculation_cycle.noise: must have {out.shape[1]} units for {direction} noise "
            f"(got {len(noise)}); pass the noise of the population it starts in."
        )
    first = out @ noise
    return first, home @ first


def feedback_update(
    noise: np.ndarray,
    up: np.ndarray,
    rec: np.ndarray,
    feedback_weights: np.ndarray,
    damping: float = 0.0,
    gain: float = 1.0,
) -> np.ndarray:
    """Return the ascending increment of the feedback weights, without the learning rate.

        dV = (g xi - rec) up^T - damping V

    where xi is the noise in the lower population, up = W xi, rec = V up, and g the gain: the difference
    between two moments of the postsynaptic population times the presynaptic activity.

    Parameters
    ----------
    noise, rec : ndarray, shape (n_lower,) or (n_lower, n_vectors)
    up : ndarray, shape (n_upper,) or (n_upper, n_vectors)
    feedback_weights : ndarray, shape (n_lower, n_upper)
        V.
    damping, gain : float

    Returns
    -------
    ndarray, shape (n_lower, n_upper)
        Averaged over the noise vectors, where there are several.
    """
    return _difference_update(gain * noise - rec, up, feedback_weights, damping)


def forward_update(
    noise: np.ndarray,
    down: np.ndarray,
    back: np.ndarray,
    forward_weights: np.ndarray,
    damping: float = 0.0,
    gain: float = 1.0,
) -> np.ndarray:
    """Return the descending increment of the forward weights, without the learning rate.

        dW = (g xi - back) down^T - damping W

    where xi is the noise in the upper population, down = V xi, back = W down, and g the gain.

    Parameters
    ----------
    noise, back : ndarray, shape (n_upper,) or (n_upper, n_vectors)
    down : ndarray, shape (n_lower,) or (n_lower, n_vectors)
    forward_weights : ndarray, shape (n_upper, n_lower)
        W.
    damping, gain : float

    Returns
    -------
    ndarray, shape (n_upper, n_lower)
        Averaged over the noise vectors, where there are several.
    """
    return _difference_update(gain * noise - back, down, forward_weights, damping)


def _difference_update(difference, presynaptic, weights, damping):
    post, pre = (x.reshape(len(x), -1) for x in (difference, presynaptic))
    return post @ pre.T / pre.shape[1] - damping * weights


def mean_feedback_update(
    forward_weights: np.ndarray, feedback_weights: np.ndarray, damping: float = 0.0, gain: float = 1.0
) -> np.ndarray:
    """Return `feedback_update` averaged over white noise: <dV> = g W^T - V W W^T - damping V.

    where <xi xi^T> = I, W is (n_upper, n_lower), V and <dV> are (n_lower, n_upper). The module's docstring
    derives it and says where it departs from the paper's X - X A X.
    """
    W, V = forward_weights, feedback_weights
    return gain * W.T - V @ W @ W.T - damping * V


def mean_forward_update(
    forward_weights: np.ndarray, feedback_weights: np.ndarray, damping: float = 0.0, gain: float = 1.0
) -> np.ndarray:
    """Return `forward_update` averaged over white noise: <dW> = g V^T - W V V^T - damping W.

    where <xi xi^T> = I, V is (n_lower, n_upper), W and <dW> are (n_upper, n_lower).
    """
    return mean_feedback_update(feedback_weights, forward_weights, damping, gain)


def feedback_fixed_point(forward_weights: np.ndarray, damping: float = 0.0, gain: float = 1.0) -> np.ndarray:
    """Return where `mean_feedback_update` comes to rest while W is held: g W^T (W W^T + damping I)^-1.

    where W, shape (n_upper, n_lower), are the forward weights; without damping it is g W^+, reached from
    every start where W has full row rank, else from V = 0.

    Returns
    -------
    ndarray, shape (n_lower, n_upper)

    Raises
    ------
    ParameterError
        If the damping is negative.
    """
    check_damping(damping, "feedback_fixed_point")
    W = forward_weights
    if damping == 0:
        return gain * np.linalg.pinv(W)
    n_upper, n_lower = W.shape
    if n_upper > n_lower:  # the same matrix, from the smaller and better conditioned of the two products
        return gain * np.linalg.solve(W.T @ W + damping * np.eye(n_lower), W.T)
    return gain * np.linalg.solve(W @ W.T + damping * np.eye(n_upper), W).T


def stable_sleep_learning_rate(weights: np.ndarray, damping: float = 0.0) -> float:
    """Return the sleep learning rate that online recirculation must stay below: 2 / (|W|_F^2 + damping).

    where W are the weights that the noise goes through first: forward for `feedback_update`, feedback for
    `forward_update`. One presentation multiplies the error along up by 1 - eta (|up|^2 + damping), and
    |up|^2 is |W|_F^2 on average. Single vectors exceed that, in small populations by much: take half of it
    at most. With `sleep_normalisation` every rate below 2 is stable without damping.

    Raises
    ------
    ParameterError
        If the damping is negative.
    """
    check_damping(damping, "stable_sleep_learning_rate")
    return float(2 / (np.sum(np.asarray(weights, float) ** 2) + damping))


def check_damping(damping: float, where: str) -> None:
    """Raise a ParameterError if the damping is negative."""
    if damping < 0:
        raise ParameterError(f"{where}.damping: must not be negative (got {damping}); choose 0 or more.")

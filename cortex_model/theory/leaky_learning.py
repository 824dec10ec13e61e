"""Wake and sleep as they unfold in time: what weights learn where rates have time constants (`leaky`)."""

from collections.abc import Mapping

import numpy as np

from cortex_model.theory.credit_assignment import learned
from cortex_model.theory.leaky import Timing, awake_in_time, relax
from cortex_model.theory.sleep_rules import Moments, sleep_presentation

Weights = Mapping[int, np.ndarray]


def leaky_deltas(
    forward: Weights,
    biases: Weights | None,
    feedback: Weights,
    stimulus: np.ndarray,
    target: np.ndarray,
    timing: Timing,
    nonlinearity: str = "tanh",
    top: str = "softmax",
    **options,
) -> tuple[dict[int, np.ndarray], dict[int, np.ndarray]]:
    """Return the rates and deltas at the end of a wake presentation, by which the weights change.

        e(t) = h_L(t) - target from the onset on,    tau d delta_l/dt = -delta_l + D_l * (c_{l+1} V_{l+1} delta_{l+1})

    where delta_L = e.

    Parameters
    ----------
    forward, biases, feedback, timing, nonlinearity, top
        See `leaky_perception`.
    stimulus, target : ndarray, shape (n_0,) and (n_L,), or (n_0, n_stimuli) and (n_L, n_stimuli)
    **options
        ``slope_rule``, ``slope_cutoff``, ``feedback_gains`` and ``feedback_from_top`` of `activation_reciprocal`.

    Returns
    -------
    rates, deltas : dict of ndarray
        h_l for l = 0 ... L and delta_l for l = 1 ... L.

    Raises
    ------
    ParameterError
        If one of the names is not known.
    """
    histories = awake_in_time(forward, biases, feedback, stimulus, target, timing, nonlinearity, top, options)
    rates, deltas = ({l: values[-1] for l, values in history.items()} for history in histories[:2])
    return rates, deltas


def leaky_wake_presentation(
    forward: Weights,
    biases: Weights | None,
    feedback: Weights,
    stimulus: np.ndarray,
    target: np.ndarray,
    timing: Timing,
    *,
    learning_rate: float,
    nonlinearity: str = "tanh",
    top: str = "softmax",
    slope_rule: str = "derivative",
    slope_cutoff: float = 0.1,
    presynaptic_normalisation: bool = False,
    feedback_gains: Mapping[int, float] | None = None,
    feedback_follows_forward: bool = False,
    weight_decay: float = 0.0,
    feedback_from_top: bool = False,
) -> tuple[dict[int, np.ndarray], dict[int, np.ndarray] | None, dict[int, np.ndarray]]:
    """Present one stimulus in wake, in time, and learn in one step at its end (`wake_presentation`, in time).

    The weights change once, by the rates and deltas of the end (`leaky_deltas`).

    Parameters
    ----------
    forward, biases, feedback, stimulus, target, learning_rate, nonlinearity, top, slope_rule, slope_cutoff, \
presynaptic_normalisation, feedback_gains, feedback_follows_forward, weight_decay, feedback_from_top
        See `wake_presentation`.
    timing : Timing

    Returns
    -------
    forward, biases, feedback : dict of ndarray
        New dictionaries; the arrays passed in are not changed.

    Raises
    ------
    ParameterError
        If one of the names is not known.
    """
    options = {"slope_rule": slope_rule, "slope_cutoff": slope_cutoff, "feedback_gains": feedback_gains}
    options |= {"feedback_from_top": feedback_from_top}
    last = leaky_deltas(forward, biases, feedback, stimulus, target, timing, nonlinearity, top, **options)
    return learned(
        forward, biases, feedback, *last,
        learning_rate=learning_rate, presynaptic_normalisation=presynaptic_normalisation,
        feedback_follows_forward=feedback_follows_forward, weight_decay=weight_decay,
    )  # fmt: skip


def leaky_sleep_presentation(
    forward: Weights,
    feedback: Weights,
    ascending_noise: Weights | None,
    descending_noise: Weights | None,
    timing: Timing,
    **options,
) -> tuple[dict[int, np.ndarray], dict[int, np.ndarray]]:
    """Present noise once in sleep, in time: `sleep_presentation` whose every sum is relaxed to.

    Noise is held through a half cycle; what it drives relaxes, tau d up/dt = -up + W xi, tau d rec/dt = -rec + V up,
    and the weights change in one step at its end. Of a descending half cycle the two parts follow each other: first
    down relaxes, tau d down/dt = -down + V xi, then, while down is held, back does, tau d back/dt = -back + W down.

    Parameters
    ----------
    forward, feedback, ascending_noise, descending_noise, **options
        See `sleep_presentation`.
    timing : Timing

    Returns
    -------
    forward, feedback : dict of ndarray
        New dictionaries; the arrays passed in are not changed.

    Raises
    ------
    ParameterError
        As `sleep_presentation`.
    """
    new_forward, new_feedback = dict(forward), dict(feedback)
    for l in feedback:
        pair = {l: forward[l]}, {l: feedback[l]}
        moments = _moments(timing, timing.forward_delays.get(l, 0), timing.feedback_delays.get(l, 0))
        W, V = sleep_presentation(*pair, ascending_noise, descending_noise, moments=moments, **options)
        new_forward[l], new_feedback[l] = W[l], V[l]
    return new_forward, new_feedback


def _moments(timing, forward_delay, feedback_delay):
    """How noise gets around one reciprocal pair in time."""

    def carried(weights, sent, delay, start=None, before=None):
        """Relax to the drive by a projection into which ``sent(k)`` was sent in step k, and ``before`` until then."""
        silent = np.zeros(weights.shape[1])
        before = silent if before is None else before
        start = np.zeros(len(weights)) if start is None else start
        return relax(lambda k: weights @ (sent(k - delay) if k >= delay else before), start, timing)

    def held(weights, activity, delay, **states):
        return carried(weights, lambda k: activity, delay, **states)[-1]

    def ascending(W, V, noise):
        up = carried(W, lambda k: noise, forward_delay)
        return up[-1], carried(V, lambda k: up[k], feedback_delay)[-1]

    def descending(W, V, noise):
        down = held(V, noise, feedback_delay)
        return down, held(W, down, forward_delay)

    def ascending_again(W, y, up, noise):
        return held(W, y, forward_delay, start=up, before=noise)

    def descending_twice(W, V, noise):
        x = held(V, noise, feedback_delay)
        back = carried(W, lambda k: x, forward_delay)
        return x, carried(V, lambda k: back[k], feedback_delay, start=x, before=noise)[-1]

    return Moments(ascending, descending, ascending_again, descending_twice)

r"""Rates with time constants: perception, recall, wake and sleep as they unfold in time.

In `rate_network` and `recirculation` activity has settled. Here each population relaxes towards what drives it,

    tau dh/dt = -h + sigma(a),   exact where a is held over a step:    h(t + dt) = h(t) + c (sigma(a(t)) - h(t))

where h is the rate, a the drive, sigma the nonlinearity, tau the time constant, dt the time step and
c = 1 - exp(-dt/tau) the part of the way that is covered in a step (exponential Euler). What a projection carries
arrives k steps after it was sent: its conduction delay. All populations step together. Before a presentation all is at
rest: every rate, error and drive is 0, and nothing is on its way.

At rest again, which it reaches as exp(-t/tau) for one population, everything is what the settled functions give.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from cortex_model.errors import ParameterError
from cortex_model.theory.credit_assignment import slope_factor
from cortex_model.theory.rate_network import NONLINEARITIES, TOP_RATES, choice, output_error

Weights = Mapping[int, np.ndarray]


class Timing(NamedTuple):
    """When things happen in a presentation, in time steps.

    Attributes
    ----------
    n_steps : int
        How long a presentation is; in sleep, how long each half cycle is (a descending one: each of its two parts).
    relaxation : float
        c = 1 - exp(-dt/tau).
    onset : int
        The error is held at the top from the end of this step on (0 is the same as 1).
    forward_delays, feedback_delays : dict of int
        l -> steps that what W_l, or V_l, carries is on its way; 0 where not given.
    """

    n_steps: int
    relaxation: float
    onset: int = 1
    forward_delays: Mapping[int, int] = {}
    feedback_delays: Mapping[int, int] = {}

    @classmethod
    def of_ms(
        cls,
        time_constant_ms: float,
        time_step_ms: float,
        presentation_ms: float,
        feedback_onset_ms: float = 0.0,
        forward_delays_ms: Mapping[int, float] | None = None,
        feedback_delays_ms: Mapping[int, float] | None = None,
    ) -> "Timing":
        """The timing from times in milliseconds, each of which is a whole number of steps.

        Raises
        ------
        ParameterError
            If one is not.
        """

        def steps(name, time):
            n = round(time / time_step_ms)
            if abs(n * time_step_ms - time) > 1e-9 * time_step_ms:
                raise ParameterError(
                    f"Timing.{name}: must be a whole number of time steps of {time_step_ms:g} ms (got {time:g} ms); "
                    "change one of them."
                )
            return n

        return cls(
            steps("presentation_ms", presentation_ms),
            relaxation(time_step_ms, time_constant_ms),
            steps("feedback_onset_ms", feedback_onset_ms),
            {l: steps("forward_delays_ms", time) for l, time in (forward_delays_ms or {}).items()},
            {l: steps("feedback_delays_ms", time) for l, time in (feedback_delays_ms or {}).items()},
        )


def relaxation(time_step_ms: float, time_constant_ms: float) -> float:
    """Return c = 1 - exp(-dt/tau), the part of the way to where it goes that a rate covers in a time step."""
    return float(-np.expm1(-time_step_ms / time_constant_ms))


def relax(towards: Callable[[int], np.ndarray], start: np.ndarray, timing: Timing) -> list[np.ndarray]:
    """Relax from ``start`` for a presentation: x(k + 1) = x(k) + c (towards(k) - x(k)), for k = 0 ... n_steps - 1.

    Returns
    -------
    list of ndarray
        x(0) ... x(n_steps).
    """
    values = [start]
    for step in range(timing.n_steps):
        values.append(values[-1] + timing.relaxation * (towards(step) - values[-1]))
    return values


def _sent(values, step, delay):
    """What of a history (x(0), x(1) ...) arrives in a step: nothing before the delay has passed."""
    return values[step - delay] if step >= delay else np.zeros_like(values[0])


def awake_in_time(forward, biases, feedback, stimulus, target, timing, nonlinearity, top, error_options):
    """Histories of rates, deltas and apical drives, k = 0 ... n_steps, in wake or, without a target, in perception."""
    n_layers, c, onset = max(forward), timing.relaxation, max(timing.onset, 1)
    nonlinearities = {l: choice(NONLINEARITIES, nonlinearity, "leaky.nonlinearity").rate for l in range(1, n_layers)}
    nonlinearities[n_layers] = choice(TOP_RATES, top, "leaky.top")
    from_top = error_options.get("feedback_from_top", False)
    gains = error_options.get("feedback_gains") or {}
    slope = {name: value for name, value in error_options.items() if name in ("slope_rule", "slope_cutoff")}
    columns = (-1,) + (1,) * (np.ndim(stimulus) - 1)

    def silent(n):
        return np.zeros((n, *np.shape(stimulus)[1:]))

    sizes = {0: len(stimulus)} | {l: len(weights) for l, weights in forward.items()}
    rates = {l: [silent(n)] for l, n in sizes.items()}
    rates[0] = [np.asarray(stimulus, float)] * (timing.n_steps + 1)
    deltas = {l: [silent(n)] for l, n in sizes.items() if l > 0}
    apical = {l - 1: [silent(sizes[l - 1])] for l in feedback}
    for k in range(timing.n_steps):
        drives = {}
        for l in range(1, n_layers + 1):
            drives[l] = forward[l] @ _sent(rates[l - 1], k, timing.forward_delays.get(l, 0))
            if biases is not None:
                drives[l] = drives[l] + biases[l].reshape(columns)
        for l in feedback:
            source, delay = n_layers if from_top else l, timing.feedback_delays.get(l, 0)
            apical[l - 1].append(feedback[l] @ _sent(rates[source], k, delay))
            if target is not None and l > 1 and k + 1 >= onset:
                arrived = gains.get(l, 1.0) * (feedback[l] @ _sent(deltas[source], k, delay))
                weighed = slope_factor(drives[l - 1], nonlinearity, **slope) * arrived
                deltas[l - 1].append(deltas[l - 1][k] + c * (weighed - deltas[l - 1][k]))
        for l, drive in drives.items():
            rates[l].append(rates[l][k] + c * (nonlinearities[l](drive) - rates[l][k]))
        if target is not None and k + 1 >= onset:
            deltas[n_layers].append(output_error(rates[n_layers][-1], target))
        for history in deltas.values():
            history += [history[k]] * (k + 2 - len(history))
    return rates, deltas, apical


def leaky_perception(
    forward: Weights,
    biases: Weights | None,
    feedback: Weights,
    stimulus: np.ndarray,
    timing: Timing,
    nonlinearity: str = "tanh",
    top: str = "softmax",
    feedback_from_top: bool = False,
) -> tuple[dict[int, np.ndarray], dict[int, np.ndarray]]:
    """Hold a stimulus at the input; activity climbs the forward projections, and feedback reconstructs it.

        tau dh_l/dt = -h_l + sigma(W_l h_{l-1} + b_l),    r_{l-1} = V_l h_l

    where h_0 is the stimulus, r the apical drive: what feedback says of the rates below. It does not act on them.

    Parameters
    ----------
    forward, feedback : dict of ndarray
        W_l, shape (n_l, n_{l-1}), and V_l, shape (n_{l-1}, n_l).
    biases : dict of ndarray or None
        b_l, shape (n_l,).
    stimulus : ndarray, shape (n_0,) or (n_0, n_stimuli)
    timing : Timing
    nonlinearity, top : str
        See `hierarchy_response`.
    feedback_from_top : bool
        Every V_l comes from the top population, and has shape (n_{l-1}, n_L).

    Returns
    -------
    rates, apical_drives : dict of ndarray, shape (n_steps, n_l) or (n_steps, n_l, n_stimuli)
        h_l at the end of each step, for l = 0 ... L; r_l that has arrived in it, for each l that feedback reaches.

    Raises
    ------
    ParameterError
        If a nonlinearity has no such name.
    """
    options = {"feedback_from_top": feedback_from_top}
    rates, _, apical = awake_in_time(forward, biases, feedback, stimulus, None, timing, nonlinearity, top, options)
    return _traces(rates), _traces(apical)


def leaky_recall(
    feedback: Weights,
    top_rate: np.ndarray,
    timing: Timing,
    nonlinearity: str = "tanh",
    feedback_from_top: bool = False,
) -> tuple[dict[int, np.ndarray], dict[int, np.ndarray]]:
    """Hold a state at the top; activity descends the feedback projections (`recall`, in time).

        tau dh_{l-1}/dt = -h_{l-1} + sigma(V_l h_l)

    where h_L is the given state. The input population, where V_1 exists, has no nonlinearity: it takes rates of
    either sign, as stimuli do.

    Parameters
    ----------
    feedback : dict of ndarray
        V_l, shape (n_{l-1}, n_l).
    top_rate : ndarray, shape (n_L,) or (n_L, n_stimuli)
        What the top population sends: rates, or drives.
    timing : Timing
    nonlinearity : str
        A name in `NONLINEARITIES`.
    feedback_from_top : bool
        See `leaky_perception`.

    Returns
    -------
    rates, apical_drives : dict of ndarray, shape (n_steps, n_l) or (n_steps, n_l, n_stimuli)
        h_l at the end of each step, for the top and each population that feedback reaches; V_{l+1} h_{l+1}.

    Raises
    ------
    ParameterError
        If the nonlinearity has no such name.
    """
    top, sigma = max(feedback), choice(NONLINEARITIES, nonlinearity, "leaky_recall.nonlinearity").rate
    rates, apical = {top: [np.asarray(top_rate, float)] * (timing.n_steps + 1)}, {}
    for l in sorted(feedback, reverse=True):
        delay = timing.feedback_delays.get(l, 0)
        drives = [feedback[l] @ _sent(rates[top if feedback_from_top else l], k, delay) for k in range(timing.n_steps)]
        rate = sigma if l > 1 else NONLINEARITIES["linear"].rate
        silent = np.zeros_like(drives[0])
        rates[l - 1] = relax(lambda k, drives=drives, rate=rate: rate(drives[k]), silent, timing)
        apical[l - 1] = [silent, *drives]
    return _traces(rates), _traces(apical)


def _traces(histories):
    return {l: np.stack(values[1:]) for l, values in histories.items()}

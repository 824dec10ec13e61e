"""One presentation in spikes, by hand: two-compartment units, forward and feedback cells, change at spikes.

An oracle of `cortex_model.rules.spikes`, which has the equations; written here with vectors of signed spikes.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

Weights = Mapping[int, np.ndarray]


class SpikingUnits:
    """The units of one population during a presentation.

    Parameters
    ----------
    phase : ndarray, shape (n,)
        From -1/2 to 1/2: where forward cells begin, in units of their threshold.
    numbers : dict
        Numbers of the rule in spikes, by name (`cortex_model.rules.spikes.NUMBERS`), and times of a presentation.
    is_input : bool
        Whether forward cells integrate what is shown without a leak.

    Attributes
    ----------
    spikes, feedback_spikes : ndarray of -1, 0, 1, shape (n,)
        Of the present time step.
    trace, basal, apical, charge : ndarray, shape (n,)
        x, I, A in units of a rate, and q.
    n_spikes : ndarray, shape (n,)
        Those of an ON cell less those of an OFF cell, so far.
    """

    def __init__(self, phase: np.ndarray, numbers: Mapping[str, Any], is_input: bool = False):
        self.numbers, self.is_input, zero = numbers, is_input, np.zeros(len(phase))
        self.threshold = 1.0 if is_input else numbers["firing_threshold"]
        self.potential, self.left = self.threshold * phase, zero.copy()
        self.spikes, self.feedback_spikes, self.n_spikes = zero.copy(), zero.copy(), zero.copy()
        self.trace, self.basal, self.apical, self.charge = zero.copy(), zero.copy(), zero.copy(), zero.copy()
        self.unit = numbers["refractory_ms"] / numbers["time_step_ms"]

    def follow(self, drive: np.ndarray) -> None:
        """One time step of forward cells: the membrane goes on by a part of its way, and may reach the threshold."""
        n = self.numbers
        dt = n["time_step_ms"]
        self.left -= dt
        if self.is_input:
            self.potential = self.potential + drive / self.unit
            over = np.abs(self.potential) > 0.5
        else:
            held = np.minimum(np.maximum(self.potential, -self.threshold), self.threshold)
            self.potential = held + (1 - np.exp(-dt / n["membrane_ms"])) * (drive - held)
            over = (np.abs(self.potential) > self.threshold) & (self.left <= 0)
        self.spikes = over * np.sign(self.potential)
        self.potential = self.potential - self.threshold * self.spikes
        self.left[over] = n["refractory_ms"]
        kept = np.exp(-dt / n["trace_ms"])
        self.trace = kept * self.trace + (1 - kept) * self.unit * self.spikes
        self.n_spikes += self.spikes

    def send_back(self, current: np.ndarray) -> None:
        """One time step of feedback cells: they integrate spikes per millisecond, and send one for each whole one."""
        self.charge = self.charge + self.numbers["time_step_ms"] * current
        self.feedback_spikes = (np.abs(self.charge) > 1) * np.sign(self.charge)
        self.charge = self.charge - self.feedback_spikes

    def receive(self, basal: np.ndarray, apical: np.ndarray) -> None:
        """Both compartments decay for a time step, then what arrives adds to them; in units of a rate."""
        kept = np.exp(-self.numbers["time_step_ms"] / self.numbers["synapse_ms"])
        self.basal, self.apical = kept * self.basal, kept * self.apical
        self.basal, self.apical = self.basal + (1 - kept) * basal, self.apical + (1 - kept) * apical


def _units(phases, numbers):
    return {l: SpikingUnits(phase, numbers, is_input=l == 0) for l, phase in phases.items()}


def spiking_wake_presentation(
    forward: Weights,
    biases: Weights,
    feedback: Weights,
    stimulus: np.ndarray,
    target: np.ndarray | None,
    phases: Weights,
    charges: Weights,
    numbers: Mapping[str, Any],
    age: int = 0,
    feedback_follows_forward: bool = False,
) -> tuple[dict, dict, dict, dict[int, np.ndarray]]:
    """Show a stimulus, send the error of spikes down from the onset on, and change weights at feedback spikes.

    Parameters
    ----------
    forward, biases, feedback : dict of ndarray
        W_l (n_l, n_{l-1}), b_l (n_l,), V_l (n_{l-1}, n_l); they are not changed.
    stimulus, target : ndarray, shape (n_0,) and (n_L,)
        Without a target nothing is sent down, and nothing changes.
    phases : dict of ndarray, shape (n_l,)
        See `SpikingUnits`.
    charges : dict of ndarray, shape (n_l,)
        With which feedback cells above the input begin, from -1/2 to 1/2.
    numbers : dict
        See `SpikingUnits`.
    age : int
        Presentations of wake before this one.
    feedback_follows_forward : bool
        Whether V changes as W^T does.

    Returns
    -------
    forward, biases, feedback : dict of ndarray
        After it.
    rates : dict of ndarray
        Signed spikes of forward cells, in units of the most that there can be.
    """
    n, L = numbers, max(forward)
    W, b, V = ({l: w.copy() for l, w in weights.items()} for weights in (forward, biases, feedback))
    units, dt = _units(phases, n), n["time_step_ms"]
    for l in W:
        units[l].charge = np.array(charges[l], float)
    n_steps, onset = round(n["presentation_ms"] / dt), round(n["feedback_onset_ms"] / dt)
    rho = {l: n["top_error_rate"] if l == L else n["hidden_error_rate"] for l in W}
    step = np.exp(-age / n["annealing_presentations"]) / (n["presentation_ms"] - n["feedback_onset_ms"])
    for t in range(n_steps):
        drives = {l: units[l].basal + biases[l] for l in W} | {0: stimulus}
        for l, its in units.items():
            its.follow(drives[l])
        if is_taught := target is not None and t >= onset:
            for l in W:
                own = units[L].unit * units[L].spikes - target if l == L else (abs(drives[l]) < n["slope_limit"])
                units[l].send_back(rho[l] * (own if l == L else own * units[l].apical))
        for l in W if is_taught else ():
            rate = n["top_learning_rate"] if l == L else n["hidden_learning_rate"]
            sent = rate * step / rho[l] * units[l].feedback_spikes
            W[l], b[l] = W[l] - np.outer(sent, units[l - 1].trace), b[l] - sent
            if feedback_follows_forward and l in V:
                V[l] = V[l] - np.outer(units[l - 1].trace, sent)
        up = {l: W[l] @ (units[l - 1].unit * units[l - 1].spikes) for l in W}
        for l, its in units.items():
            down = V[l + 1] @ units[l + 1].feedback_spikes / (rho[l + 1] * dt) if is_taught and l + 1 in V else 0.0
            its.receive(up.get(l, 0.0), down)
    return W, b, V, {l: its.n_spikes * its.unit / n_steps for l, its in units.items()}


def spiking_sleep_presentation(
    forward: Weights,
    feedback: Weights,
    noise: Weights,
    phases: Weights,
    charges: Weights,
    numbers: Mapping[str, Any],
    age: int = 0,
) -> dict[int, np.ndarray]:
    """Drive forward cells by noise, let feedback cells of the population above send back what they receive; V learns.

    Parameters
    ----------
    forward, feedback, phases, charges, numbers
        See `spiking_wake_presentation`.
    noise : dict of ndarray, shape (n_l,)
        Of deviation 1.
    age : int
        Presentations of sleep before this one.

    Returns
    -------
    feedback : dict of ndarray
        After it.
    """
    n, V = numbers, {l: w.copy() for l, w in feedback.items()}
    units, dt, rho, d = _units(phases, n), n["time_step_ms"], n["feedback_rate"], n["feedback_damping"]
    for l in V:
        units[l].charge = np.array(charges[l], float)
    n_steps, onset = round(n["sleep_ms"] / dt), round(n["sleep_onset_ms"] / dt)
    eta = n["feedback_learning_rate"] * np.exp(-age / n["feedback_annealing_presentations"])
    part = 1 - np.exp(-dt / n["synapse_ms"])
    for t in range(n_steps):
        for l in V:
            units[l - 1].follow(n["sleep_amplitude"] * noise[l - 1])
        for l in V:
            units[l].send_back(rho * units[l].basal - units[l].charge / n["charge_ms"])
        apical = {l: (1 - part) * units[l - 1].apical for l in V}
        for l in V if t >= onset else ():
            s = units[l].feedback_spikes
            half = n["midpoint"] * part * V[l] * s / (rho * dt)
            change = (1 + d) * units[l - 1].trace[:, None] - apical[l][:, None] - half
            V[l] = V[l] + eta / (rho * (n["sleep_ms"] - n["sleep_onset_ms"])) * s * change
        for l, its in units.items():
            up = forward[l] @ (units[l - 1].unit * units[l - 1].spikes) if l in V else 0.0
            its.receive(up, V[l + 1] @ units[l + 1].feedback_spikes / (rho * dt) if l + 1 in V else 0.0)
    return {l: w * (1 - eta * d * n["sleep_amplitude"] ** 2) for l, w in V.items()}

"""One network on its way through a simulation: what it is handed, what is seen of it, and whether it is still sound."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from cortex_model.errors import DivergenceError
from cortex_model.phases.schedule import Schedule
from cortex_model.weights import Weights, refreshed


@dataclass
class Stop:
    """What is seen of a network from outside between two chunks.

    Attributes
    ----------
    first, last : int
        The chunk held slots ``first`` ... ``last - 1`` of the network's schedule.
    weights : Weights
        As they are now; a callback may replace them (but not write into them).
    gains : dict of int to float
        By how much the feedback V_l is multiplied in wake; a callback may replace them.
    rates : ndarray, shape (n_evaluated, n_L)
        Rates of the top population in the chunk's evaluation slots, in their order.
    seconds : float
        Duration of the chunk's loop, divided by the number of networks.
    """

    first: int
    last: int
    weights: Weights
    gains: dict[int, float]
    rates: np.ndarray
    seconds: float


@dataclass
class Member:
    """One network of an ensemble, and where it begins; see `Simulation.run` for what each means."""

    schedule: Schedule
    weights: Weights
    numbers: dict[str, Any]
    first_slot: int = 0
    at_stop: Callable[[Stop], None] | None = None
    gains: dict[int, float] | None = None


class Lane:
    """A member of an ensemble while it runs.

    Parameters
    ----------
    member : Member
    parameters : HierarchyParameters
    start : int
        The slot of the common schedule at which it begins; what its lane holds before is not looked at.

    Attributes
    ----------
    stop : Stop
        What was seen last.
    failure : Exception or None
        Why it is looked at no more.
    """

    def __init__(self, member, parameters, start):
        self.member, self.parameters, self.start = member, parameters, start
        nothing = np.zeros((0, parameters.layer_sizes[-1]), parameters.dtype)
        gains = member.gains or dict.fromkeys(parameters.feedback_layers, 1.0)
        first = member.first_slot
        self.stop = Stop(first, first, member.weights.astype(parameters.dtype), gains, nothing, 0.0)
        self.failure = None
        self._held, self._begun = None, False

    def begin(self, slot):
        """Look for the first time, where the common schedule has come to its start."""
        if slot == self.start:
            self._begun = True
            self._look()

    def is_handed_over(self, slot):
        """Refresh what the schedule refreshes here; whether the device must be told weights or gains."""
        schedule = self.member.schedule
        if self._begun and self.failure is None and self.stop.last in schedule.updates:
            at, seed = int(schedule.presentation[self.stop.last]), self.member.numbers.get("noise_seed", 0)
            self.stop.weights, self.stop.gains = refreshed(
                self.stop.weights, self.stop.gains, schedule.refreshes, self.parameters, seed, at
            )
        held, self._held = self._held, (self.stop.weights, self.stop.gains)
        return held is None or any(a is not b for a, b in zip(held, self._held, strict=True))

    def advance(self, last, weights, rates, seconds):
        """See what a chunk made of it, which ended before its own slot ``last``."""
        if not self._begun:
            self._held = None  # the device has made something else of them
        if not self._begun or self.failure is not None or last == self.stop.last:
            return
        before = self.stop
        self.stop = Stop(before.last, last, weights, before.gains, rates.copy(), seconds)
        self._held = (weights, before.gains)
        try:
            self._check_finite(before.weights)
        except DivergenceError as error:
            self.failure, self.stop = error, before
            return
        self._look()

    def _look(self):
        try:
            if self.member.at_stop is not None:
                self.member.at_stop(self.stop)
        except Exception as error:
            self.failure = error

    def _check_finite(self, before):
        """Refuse weights that are not finite; ``before`` are the last ones that were."""
        stop, schedule, numbers, p = self.stop, self.member.schedule, self.member.numbers, self.parameters
        name = stop.weights.first_not_finite()
        if name is None:
            return
        lower = "learning_rate"
        bounds = [("sleep_learning_rate", "V", before.forward)]
        bounds += [("forward_sleep_learning_rate", "W", before.feedback)]
        for number, letter, partners in bounds:
            for level in p.feedback_layers:
                power = 1.0 if p.sleep_normalisation else np.sum(partners[level].astype(float) ** 2)
                is_open = schedule.gate(f"{'feedback' if letter == 'V' else 'forward'}_update_gate").any()
                if is_open and numbers.get(number, 0) * (power + numbers.get("damping", 0)) >= 2:
                    name, lower = f"{letter}_{level}", number
        direction = {"V": "feedback", "W": "forward", "b": "bias"}[name[0]]
        raise DivergenceError(
            f"Simulation.{direction}_{name[2:]}: {name} must stay finite (got NaN or infinity between presentations "
            f"{schedule.presentation[stop.first]} and {schedule.presentation[stop.last - 1]}); lower {lower} "
            f"from {numbers.get(lower, 0):g}; the last good checkpoint is kept."
        )

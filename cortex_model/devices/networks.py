"""One network of a simulation: where it begins, what is seen of it between two chunks, and how it goes on."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cortex_model.devices.divergence import blamed, chunk_of
from cortex_model.errors import DivergenceError, ParameterError, in_short
from cortex_model.schedule.declared import Declared
from cortex_model.schedule.presentations import ByFunction, Schedule
from cortex_model.schedule.stimuli import Stimuli
from cortex_model.state.host import done_by_host
from cortex_model.weights import Weights


@dataclass
class State:
    """What is seen of a network from outside between two chunks.

    Attributes
    ----------
    first, last : int
        The chunk held presentations ``first`` ... ``last - 1`` of the network's schedule.
    weights : Weights
        As they are now; a callback may replace them (but not write into them).
    remembered : dict of str to float
        What the rule remembers besides weights: ``apical_gain_1``, by which population 1 multiplies what feedback
        brings; a callback may replace it.
    rates : ndarray, shape (n_evaluated, n_L)
        Rates of the top population in the chunk's evaluations, in their order.
    seconds : float
        Duration of the chunk's loop, divided by the number of networks.
    events : dict of ndarray of int
        Where neurons send spikes: ``spikes_in_wake_1``, how many each neuron of population 1 sent in the chunk's
        presentations of wake; ``feedback_spikes_in_sleep_2`` likewise.
    """

    first: int
    last: int
    weights: Weights
    remembered: dict[str, float]
    rates: np.ndarray
    seconds: float
    events: dict[str, np.ndarray] = field(default_factory=dict)


@dataclass
class NetworkRun:
    """One network that is to run, and where it begins; see `Simulation.run` for what each means."""

    schedule: Schedule
    weights: Weights
    numbers: dict[str, Any] = field(default_factory=dict)
    n_done: int = 0
    callback: Callable[[State], None] | None = None
    remembered: dict[str, float] | None = None


class RunningNetwork:
    """A network while it runs.

    Parameters
    ----------
    run : NetworkRun
    declared : Declared
    start : int
        The place in the common schedule at which it begins; what the device holds for it before is not looked at.
    stimuli : Stimuli

    Attributes
    ----------
    state : State
        What was seen last.
    failure : Exception or None
        Why it is looked at no more.
    """

    def __init__(self, run: NetworkRun, declared: Declared, start: int, stimuli: Stimuli):
        p = declared.parameters
        self.run, self.declared, self.start, self.stimuli = run, declared, start, stimuli
        nothing = np.zeros((0, p.layer_sizes[-1]), p.dtype)
        remembered = declared.remembered | (run.remembered or {})
        self.state = State(run.n_done, run.n_done, run.weights.astype(p.dtype), remembered, nothing, 0.0)
        self.failure = None
        self._held, self._begun = None, False

    def begin(self, place):
        """Look for the first time, where the common schedule has come to its start."""
        if place == self.start:
            self._begun = True
            self._call_back()

    def is_handed_over(self):
        """Let the host do what is due here; whether the device must be told weights, or what is remembered."""
        schedule = self.run.schedule
        if self._begun and self.failure is None:
            try:
                for host, places in schedule.interventions.items():
                    if self.state.last in places:
                        do = self._call if isinstance(host, ByFunction) else self._intervene
                        do(host, int(schedule.numbers(self.state.last, self.state.last + 1)[0]))
            except Exception as error:
                self.failure = error
        held, self._held = self._held, (self.state.weights, self.state.remembered)
        return held is None or any(a is not b for a, b in zip(held, self._held, strict=True))

    def _intervene(self, host, at):
        """The host does something to weights, or to what is remembered, before presentation ``at``."""
        state, placed, numbers = self.state, self.declared.placed, self.run.numbers
        named, arrays, remembered = state.weights.named(), {}, dict(state.remembered)
        for level in placed.places.of(host):
            of_level = {name: named[f"{name}_{l}"] for name, l in placed.synapses if l == level}
            done = done_by_host(host, level, of_level, numbers, numbers.get("noise_seed", 0), at)
            for name, value in done.items():
                if name in of_level:
                    arrays[f"{name}_{level}"] = np.asarray(value, of_level[name].dtype)
                elif (of := f"{name}_{placed.ends(host.projection, level)[1]}") in remembered:
                    remembered[of] = float(value)  # where a population makes nothing of it, it is not kept
        state.weights = state.weights.replaced(arrays) if arrays else state.weights
        state.remembered = remembered if remembered != state.remembered else state.remembered

    def _call(self, done, at):
        """A function of a user's own changes weights before presentation ``at``."""
        p, given = self.declared.parameters, self.state.weights
        own = Weights.from_named({name: array.copy() for name, array in given.named().items()})
        made = done.function(own)
        made = own if made is None else made
        if not isinstance(made, Weights):
            raise ParameterError(
                f"{done.code}: must return weights, or nothing where it writes into what it is given (got "
                f"{in_short(made)}, before presentation {at}); change its return."
            )
        made.check(p)
        self.state.weights = made.astype(p.dtype)

    def advance(self, last, weights, rates, seconds, events):
        """See what a chunk made of it, which ended before its own presentation ``last``."""
        if not self._begun:
            self._held = None  # the device has made something else of them
        if not self._begun or self.failure is not None or last == self.state.last:
            return
        before = self.state
        self.state = State(before.last, last, weights, before.remembered, rates.copy(), seconds, events)
        self._held = (weights, before.remembered)
        try:
            self._check_finite(before.weights)
        except DivergenceError as error:
            self.failure, self.state = error, before
            return
        self._call_back()

    def _call_back(self):
        try:
            if self.run.callback is not None:
                self.run.callback(self.state)
        except Exception as error:
            self.failure = error

    def _check_finite(self, before):
        """Refuse weights that are not finite; ``before`` are the last ones that were."""
        state, schedule = self.state, self.run.schedule
        if state.weights.first_not_finite() is None:
            return
        name, advice = blamed(chunk_of(self.declared, self.run, self.stimuli, state, before))
        first, last = schedule.numbers(state.first, state.last)[[0, -1]]
        raise DivergenceError(
            f"Simulation.{name}: must stay finite (got NaN or infinity between presentations {first} and {last}); "
            f"{advice}; the last good checkpoint is kept."
        )

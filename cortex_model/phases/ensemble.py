"""Several networks side by side: one schedule that holds the slots of all."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from cortex_model.errors import ParameterError
from cortex_model.phases.schedule import KINDS, Schedule


@dataclass(frozen=True)
class Ensemble:
    """The schedules of networks that run in one program.

    Attributes
    ----------
    schedules : list of Schedule
        One a network. They hold the same kinds of slots in the same order, except that a network whose rule does not
        sleep may leave the sleep out: what the others do meanwhile does not reach it, because its numbers are 0
        (`cortex_model.protocol.run_numbers`).

    Notes
    -----
    Rules may differ: a gate is open where it is open in any network.
    """

    schedules: list[Schedule]

    @cached_property
    def schedule(self) -> Schedule:
        """The slots of all networks, with the gates, updates and looks of all.

        Raises
        ------
        ParameterError
            If the schedules do not fit together.
        """
        if len(self.schedules) == 1:
            return self.schedules[0]
        longest = self._longest
        gates = {k: set().union(*(s.gates.get(k, ()) for s in self.schedules)) for k in range(len(KINDS))}
        steps = {}
        for kind in set().union(*(s.steps for s in self.schedules)):
            of_kind = [s.steps[kind] for s in self.schedules if kind in s.steps]
            steps[kind] = [set().union(*gates) for gates in zip(*of_kind, strict=True)]
        marks = [np.unique(np.concatenate([self.boundaries[e][getattr(s, name)] for e, s in enumerate(self.schedules)]))
                 for name in ("updates", "looks")]  # fmt: skip
        return Schedule(longest.kind, longest.presentation, longest.stimulus, gates, *marks, steps=steps)

    @cached_property
    def _longest(self):
        return max(self.schedules, key=lambda schedule: schedule.n_slots)

    @cached_property
    def own(self) -> list[np.ndarray]:
        """For each network, the slots of the common schedule that are its own."""
        longest, own = self._longest, []
        for schedule in self.schedules:
            slots = np.flatnonzero(np.isin(longest.kind, np.unique(schedule.kind)))
            fits = len(slots) == schedule.n_slots and np.array_equal(longest.kind[slots], schedule.kind)
            if not fits or (len(slots) == longest.n_slots and (schedule.presentation != longest.presentation).any()):
                raise ParameterError(
                    "Ensemble.schedules: must hold the same kinds of slots in the same order in every network "
                    f"(got {schedule.n_slots} slots beside {longest.n_slots}, or another order); give all networks the "
                    "same epochs, evaluations and amount of sleep, or run them apart."
                )
            own.append(slots)
        return own

    @cached_property
    def boundaries(self) -> list[np.ndarray]:
        """For each network, the slot of the common schedule after j slots of its own; shape (n_slots + 1,)."""
        return [np.concatenate([[0], slots + 1]) for slots in self.own]

    def position(self, network: int, slot: int) -> int:
        """How many of a network's own slots come before a slot of the common schedule."""
        return int(np.searchsorted(self.own[network], slot))

    def stimulus(self, first: int, last: int) -> np.ndarray:
        """Stimuli that each network shows, -1 where there is none; shape (n_slots, n_networks, batch_size)."""
        rows = np.full((last - first, len(self.schedules), self._longest.stimulus.shape[1]), -1, np.int64)
        for network, schedule in enumerate(self.schedules):
            begin, end = self.position(network, first), self.position(network, last)
            rows[self.own[network][begin:end] - first, network] = schedule.stimulus[begin:end]
        return rows

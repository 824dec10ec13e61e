"""A schedule: which presentations come one after another, what they show, and what is done between them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from cortex_model.errors import ParameterError
from cortex_model.language.moments import Host
from cortex_model.schedule.declared import PHASES

#: Numbers of phases, as they stand in a schedule.
WAKE, SLEEP, EVALUATION, PERCEPTION, RECALL = range(len(PHASES))
#: Brian2's integers are signed and have 32 bits.
LARGEST = 2**31 - 1


def _no_places():
    return np.zeros(0, np.int64)


@dataclass(frozen=True)
class Schedule:
    """Presentations in their order. A batch is one presentation of several stimuli.

    Attributes
    ----------
    phase : ndarray of int8, shape (n,)
        The phase of each presentation: its place in `PHASES`.
    stimulus : ndarray of int32, shape (n, batch_size)
        Rows of the training images (wake) or of the evaluated ones; -1 in sleep, and where the last batch of an
        evaluation is not full.
    slots : dict of str to tuple of frozenset of str
        Phase -> the gates that are open in each slot (time step) of one of its presentations.
    interventions : dict of Host to ndarray of int64
        What the host does -> before which presentations.
    measured : ndarray of int64
        After how many presentations something is measured from outside.
    first_presentation : int
        Added to the numbers of presentations, which decide what noise is drawn.
    """

    phase: np.ndarray
    stimulus: np.ndarray
    slots: Mapping[str, tuple[frozenset[str], ...]]
    interventions: Mapping[Host, np.ndarray] = field(default_factory=dict)
    measured: np.ndarray = field(default_factory=_no_places)
    first_presentation: int = 0

    def __len__(self) -> int:
        return len(self.phase)

    @property
    def batch_size(self) -> int:
        """How many stimuli a presentation shows."""
        return self.stimulus.shape[1]

    @property
    def presentation(self) -> np.ndarray:
        """The number of each presentation, of its first stimulus in a batch."""
        return (self.first_presentation + np.arange(len(self)) * self.batch_size).astype(np.int32)

    @cached_property
    def slots_per_presentation(self) -> np.ndarray:
        """How many slots each phase takes, in the order of `PHASES`."""
        return np.array([len(self.slots.get(phase, ())) for phase in PHASES])

    @property
    def n_slots(self) -> int:
        """How many slots all presentations take."""
        return int(self.slots_per_presentation[self.phase].sum())

    def opened(self, gate: str, first: int = 0, last: int | None = None) -> np.ndarray:
        """Whether a gate is open, slot by slot, in presentations ``first`` ... ``last - 1``."""
        table = np.zeros((len(PHASES), max(self.slots_per_presentation.max(initial=0), 1)), bool)
        for at, phase in enumerate(PHASES):
            slots = self.slots.get(phase, ())
            table[at, : len(slots)] = [gate in slot for slot in slots]
        presentation, step = self.places_of_slots(first, last)
        return table[self.phase[presentation], step]

    def places_of_slots(self, first: int = 0, last: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """For each slot of presentations ``first`` ... ``last - 1``: its presentation, and its place within it."""
        n = self.slots_per_presentation[self.phase[first:last]]
        presentation = np.repeat(np.arange(first, first + len(n)), n)
        return presentation, np.arange(len(presentation)) - np.repeat(np.cumsum(n) - n, n)

    @cached_property
    def _done(self) -> np.ndarray:
        """Stimuli of each phase that have been presented before each place; shape (n_phases, n + 1)."""
        is_counted = (self.stimulus >= 0) | (self.phase == SLEEP)[:, None]
        n = np.zeros((len(PHASES), len(self) + 1), np.int64)
        for phase in range(len(PHASES)):
            np.cumsum(is_counted.sum(axis=1) * (self.phase == phase), out=n[phase, 1:])
        return n

    def n_presentations(self, phase: str | None = None, place: int | None = None) -> int:
        """How many stimuli of a phase (None: of all) are presented before a place in the schedule (None: in all)."""
        at = len(self) if place is None else place
        return sum(int(self._done[number, at]) for number, name in enumerate(PHASES) if phase in (None, name))

    def counted_from(self, first_presentation: int) -> "Schedule":
        """The same schedule, its presentations numbered from ``first_presentation`` on: other noise is drawn.

        Raises
        ------
        ParameterError
            If the numbers exceed 32 bits.
        """
        later = replace(self, first_presentation=self.first_presentation + first_presentation)
        if later.next_presentation > LARGEST:
            raise ParameterError(
                f"Schedule.presentation: must be below {LARGEST + 1}, because noise is numbered in 32 bits (got "
                f"{later.next_presentation - 1}); make fewer presentations in one run."
            )
        return later

    @property
    def next_presentation(self) -> int:
        """Number of the presentation that would come after the last one."""
        return self.first_presentation + len(self) * self.batch_size

    def boundaries(self, capacity: int) -> np.ndarray:
        """Places between two chunks, of at most ``capacity`` presentations each."""
        marks = np.unique(np.concatenate([[0, len(self)], self.measured, *self.interventions.values()]))
        found = [0]
        for mark in marks[1:].astype(np.int64).tolist():
            found += [*range(found[-1] + capacity, mark, capacity), mark]
        return np.array(found, np.int64)

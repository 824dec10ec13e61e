"""A schedule: which presentations come one after another, what they show, and what is done between them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from cortex_model.errors import ParameterError, in_short
from cortex_model.language.moments import Host
from cortex_model.schedule.declared import PHASES

#: Numbers of phases, as they stand in a schedule.
WAKE, SLEEP, EVALUATION, PERCEPTION, RECALL = range(len(PHASES))
#: Brian2's integers are signed and have 32 bits.
LARGEST = 2**31 - 1
#: Presentations that are counted at once, so that a long schedule takes little more than its own arrays.
PIECE = 2**16


def _no_places():
    return np.zeros(0, np.int64)


@dataclass(frozen=True, eq=False)
class ByFunction:
    """What a function of a user's own does to weights between two presentations.

    Attributes
    ----------
    function : callable
        `cortex_model.weights.Weights`, which it may write into -> nothing, or other weights.
    """

    function: Callable[[Any], Any]
    levels: str = ""

    @property
    def code(self) -> str:
        """Its name."""
        return getattr(self.function, "__qualname__", type(self.function).__name__)


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
    interventions : dict of Host or ByFunction to ndarray of int64
        What is done from outside -> before which presentations.
    measured : ndarray of int64
        After how many presentations something is measured from outside.
    first_presentation : int
        Added to the numbers of presentations, which decide what noise is drawn.
    first_ages : dict of str to int
        Phase -> presentations of it that came before the first one here; 0 unless given.
    """

    phase: np.ndarray
    stimulus: np.ndarray
    slots: Mapping[str, tuple[frozenset[str], ...]]
    interventions: Mapping[Host | ByFunction, np.ndarray] = field(default_factory=dict)
    measured: np.ndarray = field(default_factory=_no_places)
    first_presentation: int = 0
    first_ages: Mapping[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.phase)

    @property
    def batch_size(self) -> int:
        """How many stimuli a presentation shows."""
        return self.stimulus.shape[1]

    @property
    def presentation(self) -> np.ndarray:
        """The number of each presentation, of its first stimulus in a batch."""
        return self.numbers(0, len(self))

    def numbers(self, first: int, last: int) -> np.ndarray:
        """The numbers of presentations ``first`` ... ``last - 1``; see `presentation`."""
        begin = self.first_presentation
        return np.arange(begin + first * self.batch_size, begin + last * self.batch_size, self.batch_size, np.int32)

    def ages(self, first: int, last: int) -> np.ndarray:
        """How many stimuli of the same phase came before each of presentations ``first`` ... ``last - 1``."""
        ages, before = np.zeros(last - first, np.int32), self._before(first)[0]
        for number, name in enumerate(PHASES):
            places = np.flatnonzero(self.phase[first:last] == number)
            ages[places] = (before[number] + np.arange(len(places))) * self.batch_size + self.first_ages.get(name, 0)
        return ages

    @cached_property
    def slots_per_presentation(self) -> np.ndarray:
        """How many slots each phase takes, in the order of `PHASES`."""
        return np.array([len(self.slots.get(phase, ())) for phase in PHASES])

    @property
    def n_slots(self) -> int:
        """How many slots all presentations take."""
        return self.n_slots_before(len(self))

    def n_slots_before(self, place: int) -> int:
        """How many slots the presentations before a place take."""
        return int(self._before(place)[0] @ self.slots_per_presentation)

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
    def _before_pieces(self) -> np.ndarray:
        """What `_before` gives at every `PIECE`-th place; shape (n_pieces, 2, n_phases)."""
        counts = [self._counted(first, first + PIECE) for first in range(0, len(self), PIECE)]
        summed = np.cumsum(np.reshape(counts, (-1, 2, len(PHASES))), axis=0)
        return np.concatenate([np.zeros((1, 2, len(PHASES))), summed]).astype(np.int64)

    def _before(self, place: int) -> np.ndarray:
        """Presentations of each phase before a place, and the stimuli in them; shape (2, n_phases)."""
        nth = place // PIECE
        return self._before_pieces[nth] + self._counted(nth * PIECE, place)

    def _counted(self, first: int, last: int) -> np.ndarray:
        """Presentations of each phase from ``first`` to ``last - 1``, and the stimuli in them."""
        is_of_phase = self.phase[first:last] == np.arange(len(PHASES))[:, None]
        n, n_shown = is_of_phase.sum(axis=1), is_of_phase @ (self.stimulus[first:last] >= 0).sum(axis=1)
        n_shown[SLEEP] = n[SLEEP] * self.batch_size
        return np.array([n, n_shown])

    def n_presentations(self, phase: str | None = None, place: int | None = None) -> int:
        """How many stimuli of a phase (None: of all) are presented before a place in the schedule (None: in all)."""
        at = len(self) if place is None else place
        n_shown = self._before(at)[1]
        return sum(int(n_shown[number]) for number, name in enumerate(PHASES) if phase in (None, name))

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

    def place_after(self, n: int, what: str) -> int:
        """Place at which something is done that is to be done after ``n`` presentations.

        Parameters
        ----------
        n : int
            Presentations of wake, rounded up to whole batches; of sleep, where there is no wake.
        what : str
            Where the number stands, for the sentence.

        Returns
        -------
        place : int
            Behind the sleep that follows them, before an evaluation; for 0 just before the first of them.

        Raises
        ------
        ParameterError
            If nothing would come after it.
        """
        kind = WAKE if (self.phase == WAKE).any() else SLEEP
        learning, batches = np.flatnonzero(self.phase == kind), -(-n // self.batch_size)
        if batches == 0 and len(learning):
            return int(learning[0])
        after = int(learning[batches - 1]) + 1 if batches <= len(learning) else len(self)
        is_later = np.isin(self.phase[after:], (WAKE, EVALUATION)) if kind == WAKE else np.ones(len(self) - after, bool)
        if not is_later.any():
            raise ParameterError(
                f"{what}: must come before the end of what is presented (got {n}, where there are "
                f"{len(learning) * self.batch_size} presentations of {PHASES[kind]}); make it earlier, or the run "
                "longer."
            )
        return after + int(np.argmax(is_later))

    def intervening(self, function: Callable[[Any], Any], at: int) -> "Schedule":
        """The same schedule, with weights changed by a function.

        Parameters
        ----------
        function : callable
            See `ByFunction`.
        at : int
            After how many presentations; see `place_after`.
        """
        done = ByFunction(function)
        if not callable(function) or not isinstance(at, int | np.integer) or isinstance(at, bool) or at < 0:
            raise ParameterError(
                f"Schedule.interventions: must be a function, and a whole number of presentations at least 0 (got "
                f"{in_short(function)} at {in_short(at)}); correct it."
            )
        place = np.array([self.place_after(int(at), f"Schedule.interventions[{done.code!r}]")], np.int64)
        return replace(self, interventions={**self.interventions, done: place})

    def boundaries(self, capacity: int) -> np.ndarray:
        """Places between two chunks, of at most ``capacity`` presentations each."""
        marks = np.unique(np.concatenate([[0, len(self)], self.measured, *self.interventions.values()]))
        found = [0]
        for mark in marks[1:].astype(np.int64).tolist():
            found += [*range(found[-1] + capacity, mark, capacity), mark]
        return np.array(found, np.int64)

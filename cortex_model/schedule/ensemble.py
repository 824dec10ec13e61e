"""Several networks side by side: one schedule that holds the presentations of all."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from cortex_model.errors import ParameterError
from cortex_model.schedule.declared import ANSWER_GATE, PHASES, Declared
from cortex_model.schedule.presentations import Schedule


@dataclass(frozen=True)
class Ensemble:
    """The schedules of networks that run in one program.

    Attributes
    ----------
    schedules : list of Schedule
        One a network. They hold the same phases in the same order, except that a network whose rule lacks a phase
        leaves its presentations out.
    declared : Declared
        Of the program.

    Notes
    -----
    Rules may differ. Networks whose slots of a phase differ in plasticity alone share them; others take turns within
    a presentation. What happens in a slot happens in every network, but weights change, and spikes count, only in
    those whose slot it is, and a presentation reads nothing that it has not written.
    """

    schedules: list[Schedule]
    declared: Declared

    @cached_property
    def turns(self) -> dict[str, list[list[int]]]:
        """Phase -> groups of networks that share its slots, in the order of their turns."""
        learning = set(self.declared.learning_gates)
        found = {}
        for phase in PHASES:
            groups: dict[tuple, list[int]] = {}
            for network, schedule in enumerate(self.schedules):
                if phase in schedule.slots:
                    groups.setdefault(tuple(slot - learning for slot in schedule.slots[phase]), []).append(network)
            found[phase] = list(groups.values())
        return found

    @cached_property
    def schedule(self) -> Schedule:
        """The presentations of all networks, with the interventions and measurements of all.

        Raises
        ------
        ParameterError
            If the schedules do not fit together.
        """
        if len(self.schedules) == 1:
            return self.schedules[0]
        marks = [self.after(e, s.measured) for e, s in enumerate(self.schedules)]
        interventions = {}
        for network, schedule in enumerate(self.schedules):
            for host, places in schedule.interventions.items():
                before = interventions.get(host, np.zeros(0, np.int64))
                interventions[host] = np.union1d(before, self.common(network, places))
        slots = {phase: tuple(slot for _, slot in self._slots(phase)) for phase in PHASES if self.turns[phase]}
        longest = self._longest
        return Schedule(longest.phase, longest.stimulus, slots, interventions, np.unique(np.concatenate(marks)))

    def _slots(self, phase):
        """(Networks, gates that are open in any of them) of each slot of a presentation."""
        for networks in self.turns[phase]:
            its = [self.schedules[network].slots[phase] for network in networks]
            yield from ((networks, frozenset().union(*slots)) for slots in zip(*its, strict=True))

    def opens_own(self, gate: str, first: int, last: int) -> np.ndarray:
        """Whether a gate is open and the slot is each network's own; shape (n_slots, n_networks)."""
        schedule = self.schedule
        table = np.zeros((len(PHASES), max(schedule.slots_per_presentation.max(), 1), len(self.schedules)), bool)
        for at, phase in enumerate(PHASES):
            step = 0
            for networks in self.turns[phase]:
                n = len(self.schedules[networks[0]].slots[phase])
                for network in networks:
                    opened = [gate in slot for slot in self.schedules[network].slots[phase]]
                    table[at, step : step + n, network] = opened
                step += n
        presentation, step = schedule.places_of_slots(first, last)
        return table[schedule.phase[presentation], step]

    def answers(self, network: int, first: int, last: int) -> np.ndarray:
        """Which of the answers that are kept in presentations ``first`` ... ``last - 1`` are a network's own."""
        phase = "evaluation"
        turns = [network in networks for networks, slot in self._slots(phase) if ANSWER_GATE in slot]
        begin, end = self.position(network, first), self.position(network, last)
        is_own = np.zeros(last - first, bool)
        is_own[self.common(network, np.arange(begin, end)) - first] = True
        is_kept = self.schedule.phase[first:last] == PHASES.index(phase)
        return (is_own[is_kept][:, None] & np.array(turns, bool)).ravel()

    @cached_property
    def _longest(self):
        return max(self.schedules, key=len)

    @cached_property
    def own(self) -> list[range | np.ndarray]:
        """For each network, the places in the common schedule that are its own; a range where all of them are."""
        longest, own = self._longest, []
        for schedule in self.schedules:
            if schedule is longest or np.array_equal(schedule.phase, longest.phase):
                own.append(range(len(longest)))
                continue
            places = np.flatnonzero(np.isin(longest.phase, np.unique(schedule.phase)))
            fits = len(places) == len(schedule) and np.array_equal(longest.phase[places], schedule.phase)
            if not fits:
                raise ParameterError(
                    "Ensemble.schedules: must hold the same phases in the same order in every network "
                    f"(got {len(schedule)} presentations beside {len(longest)}, or another order); give all networks "
                    "the same epochs, evaluations and amount of sleep, or run them apart."
                )
            own.append(places)
        return own

    def common(self, network: int, places: np.ndarray) -> np.ndarray:
        """Places in the common schedule of places in a network's own."""
        own = self.own[network]
        return places if isinstance(own, range) else own[places]

    def after(self, network: int, n: np.ndarray) -> np.ndarray:
        """Places in the common schedule after ``n`` presentations of a network's own."""
        return np.where(n > 0, self.common(network, np.maximum(n - 1, 0)) + 1, 0)

    def position(self, network: int, place: int) -> int:
        """How many of a network's own presentations come before a place in the common schedule."""
        own = self.own[network]
        return int(place) if isinstance(own, range) else int(np.searchsorted(own, place))

    def presentation(self, first: int, last: int) -> np.ndarray:
        """Numbers of presentations, as each network counts its own; shape (n, n_networks)."""
        return self._of_each("numbers", first, last)

    def ages(self, first: int, last: int) -> np.ndarray:
        """How many stimuli of the same phase came before, in each network; shape (n, n_networks)."""
        return self._of_each("ages", first, last)

    def _of_each(self, what, first, last):
        numbers = np.zeros((last - first, len(self.schedules)), np.int64)
        for network, schedule in enumerate(self.schedules):
            begin, end = self.position(network, first), self.position(network, last)
            numbers[self.common(network, np.arange(begin, end)) - first, network] = getattr(schedule, what)(begin, end)
        return numbers

    def stimulus(self, first: int, last: int) -> np.ndarray:
        """Stimuli that each network shows, -1 where there is none; shape (n, n_networks, batch_size)."""
        rows = np.full((last - first, len(self.schedules), self._longest.batch_size), -1, np.int64)
        for network, schedule in enumerate(self.schedules):
            begin, end = self.position(network, first), self.position(network, last)
            rows[self.common(network, np.arange(begin, end)) - first, network] = schedule.stimulus[begin:end]
        return rows

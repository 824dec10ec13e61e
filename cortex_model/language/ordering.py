"""From the sequence of a declaration to one order of events, slots of a presentation, and gates.

A slot is one time step of a simulator: the events that are open in it happen in one fixed order. Where two events
disturb each other, one having something to do with what the other writes, the sequence decides which comes first;
others may come in any order. A presentation takes a slot more wherever its sequence goes back in that order.
"""

from collections.abc import Mapping
from functools import cached_property
from graphlib import TopologicalSorter

from cortex_model.language.events import BOUNDARY, Counts, Event
from cortex_model.language.placed import PlacedRule


class Ordering:
    """The order, slots and gates of a rule in a hierarchy.

    Parameters
    ----------
    placed : PlacedRule
    """

    def __init__(self, placed: PlacedRule):
        self.placed = placed

    @cached_property
    def order(self) -> Mapping[Event, int]:
        """Event -> when within a slot, in that order."""
        before = {event: set() for event in self.placed.events}
        after = {event: set() for event in before}
        for phase in self.placed.rule.phases:
            happened: list[Event] = []
            for group in self.placed.groups(phase, self.placed.once):
                if group == BOUNDARY:  # between time steps there is a slot's end anyway
                    happened = []
                for event in group:
                    for earlier in dict.fromkeys(happened):
                        if earlier in before[event] or event == earlier or not self.placed.disturbs(earlier, event):
                            continue
                        if not _reaches(after, event, earlier):  # else they contradict, and a slot will end
                            before[event].add(earlier)
                            after[earlier].add(event)
                happened += group
        return {event: n for n, event in enumerate(TopologicalSorter(_listed(before)).static_order())}

    def slots(self, phase: str, counts: Counts) -> list[frozenset[Event]]:
        """The events that are open in each slot of a presentation."""
        slots: list[set[Event]] = []
        for group in self.placed.groups(phase, counts):
            if group == BOUNDARY:
                slots.append(set())
                continue
            if not slots or any(self._goes_back(event, earlier) for event in group for earlier in slots[-1]):
                slots.append(set())
            slots[-1] |= set(group)
        return [frozenset(slot) for slot in slots if slot]

    def _goes_back(self, event, earlier):
        if event == earlier:
            return True
        return self.order[earlier] > self.order[event] and self.placed.disturbs(earlier, event)

    @cached_property
    def gates(self) -> Mapping[Event, str]:
        """Event -> the gate by which it is opened; events that are open in the same slots share one."""
        kinds = dict.fromkeys(
            (phase, slot)
            for phase in self.placed.rule.phases
            for counts in self.placed.examples
            for slot in self.slots(phase, counts)
        )
        patterns: dict[tuple, str] = {}
        gates = {}
        for event in self.order:
            pattern = tuple(event in slot for _, slot in kinds)
            gates[event] = patterns.setdefault(pattern, f"gate_{len(patterns)}_gate")
        return gates

    def columns(self, phase: str, counts: Counts) -> dict[str, list[bool]]:
        """Gate -> whether it is open in each slot of a presentation: columns of a schedule."""
        opened = [{self.gates[event] for event in slot} for slot in self.slots(phase, counts)]
        return {gate: [gate in slot for slot in opened] for gate in dict.fromkeys(self.gates.values())}


def _listed(before):
    """Predecessors in an order that does not depend on hashes."""
    place = {event: n for n, event in enumerate(before)}
    return {event: sorted(earlier, key=place.__getitem__) for event, earlier in before.items()}


def _reaches(after, start, end):
    """Whether ``end`` comes after ``start`` already."""
    seen, left = set(), [start]
    while left:
        event = left.pop()
        if event == end:
            return True
        if event not in seen:
            seen.add(event)
            left += after[event]
    return False

"""A presentation as a list that a person can follow: what happens, where, and in which slot."""

from typing import NamedTuple

from cortex_model.language.events import BOUNDARY, Counts, Event
from cortex_model.language.moments import Moment
from cortex_model.language.ordering import Ordering
from cortex_model.language.sequence import moments_of
from cortex_model.language.traffic import said


class Line(NamedTuple):
    """One moment of a presentation.

    Attributes
    ----------
    number : int
        From 1 on.
    moment : str
        Its code in a few words.
    levels : list of int
        Populations, or levels of its projection.
    slot : int
        The slot, from 0 on, in which it happens.
    paper : str
        Its equation as the paper prints it, where it has one.
    """

    number: int
    moment: str
    levels: list[int]
    slot: int
    paper: str


def presentation(ordering: Ordering, phase: str, counts: Counts) -> list[Line]:
    """What happens in a presentation of a phase, in its order; a sweep takes a line for each moment of each level."""
    lines, slots = [], ordering.slots(phase, counts)
    slot, happened = 0, set()
    for group in ordering.placed.groups(phase, counts):
        if group == BOUNDARY:
            continue
        while not set(group) <= slots[slot] - happened:
            slot, happened = slot + 1, set()
        happened |= set(group)
        moment = group[0].moment
        text = said(moment) if hasattr(moment, "paper") else _inner(ordering, group[0])
        lines.append(Line(len(lines) + 1, text, [event.level for event in group], slot, getattr(moment, "paper", "")))
    return lines


def _inner(ordering, event: Event):
    """What comes with time, in a few words."""
    return f"{type(event.moment).__name__}: {ordering.placed.code(event)}".replace("\n", "; ")


def equations(rule) -> list[tuple[str, str, str]]:
    """(Name, as the paper has it, as it stands here) of every moment that has a name or a print in the paper."""
    found: dict[Moment, tuple[str, str, str]] = {}
    for sequence in rule.phases.values():
        for moment in moments_of(sequence):
            if moment.name or moment.paper:
                found.setdefault(moment, (moment.name, moment.paper, said(moment)))
    return list(found.values())

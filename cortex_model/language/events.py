"""Events: moments at one place each; and how often and how long things happen in a run."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple


class Event(NamedTuple):
    """A moment at one place: at population l, or at the projection of level l."""

    moment: Any
    level: int


#: Events that happen at once.
Group = tuple[Event, ...]
#: What stands before each time step in a sequence of groups.
BOUNDARY: Group = ()


@dataclass(frozen=True)
class Rest:
    """Everything returns to rest: every variable of a population is 0, and nothing is on its way."""


@dataclass(frozen=True)
class Conduct:
    """What is on its way along the axons of a population goes on by a step."""


@dataclass(frozen=True)
class Counts:
    """How often and how long: what a presentation's sequence depends on besides the declaration. It is data.

    Attributes
    ----------
    rounds : dict
        ``times`` of each `Repeat` -> how many rounds.
    n_steps : int
        Time steps of each `Stretch`.
    onset : int
        The step from which on feedback is there.
    arrival : dict, optional
        Delay -> the step in which what is shown in step 0 arrives; the delay itself where it is not given.
    """

    rounds: Mapping[str, int]
    n_steps: int = 1
    onset: int = 0
    arrival: Mapping[int, int] | None = None

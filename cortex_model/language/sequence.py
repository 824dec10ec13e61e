"""How moments follow each other in a presentation."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from cortex_model.language.moments import Moment


class _Calling:
    """What a sequence holds is shown as it is written: ``Climb(Carry(...), Settle(...))``."""

    def __repr__(self):
        times = [repr(self.times)] if hasattr(self, "times") else []
        return f"{type(self).__name__}({', '.join(times + list(map(repr, self.moments)))})"


@dataclass(frozen=True, init=False, repr=False)
class Climb(_Calling):
    """Level by level upwards: at l = 1 ... L the moments in turn, of projections of level l and of population l."""

    moments: tuple

    def __init__(self, *moments):
        object.__setattr__(self, "moments", moments)


@dataclass(frozen=True, init=False, repr=False)
class Descend(_Calling):
    """Level by level downwards: at l = L ... 1 the moments in turn, of projections of level l and population l - 1."""

    moments: tuple

    def __init__(self, *moments):
        object.__setattr__(self, "moments", moments)


@dataclass(frozen=True, init=False, repr=False)
class Repeat(_Calling):
    """The moments as many times as an expression of numbers says: ``inference_steps``, or ``damping > 0``.

    How many times is data: it can change without anything being compiled again.
    """

    times: str
    moments: tuple

    def __init__(self, times, *moments):
        object.__setattr__(self, "times", times)
        object.__setattr__(self, "moments", moments)


class Steps(Repeat):
    """The moments in each of so many time steps; what stands before them happens at the beginning of the first one."""


@dataclass(frozen=True)
class Then:
    """What follows waits until all before has settled. (Where all settles at once, that is so anyway.)

    Attributes
    ----------
    rests : bool
        Whether everything returns to rest in between.
    """

    rests: bool = False


@dataclass(frozen=True)
class Stretch:
    """Moments that share a stretch of time, which `in_time` makes of what stands between two `Then`.

    Attributes
    ----------
    moments : tuple
    from_rest : bool
        Whether everything is at rest when it begins.
    """

    moments: tuple
    from_rest: bool


Holder = Climb | Descend | Repeat | Stretch


def moments_of(sequence: tuple) -> Iterator[Moment]:
    """Every moment of a sequence, however deep, in the order in which they are written."""
    for part in sequence:
        if isinstance(part, Holder):
            yield from moments_of(part.moments)
        elif not isinstance(part, Then):
            yield part


def repeats_of(sequence: tuple) -> Iterator[Repeat]:
    """Every `Repeat` of a sequence."""
    for part in sequence:
        if isinstance(part, Holder):
            yield from repeats_of(part.moments)
        if isinstance(part, Repeat):
            yield part


def mapped(sequence: tuple, change: Callable[[Moment], tuple]) -> tuple:
    """A sequence in which each moment has given way to the moments that ``change`` makes of it."""
    out = []
    for part in sequence:
        if isinstance(part, Holder):
            out.append(holding(part, mapped(part.moments, change)))
        elif isinstance(part, Then):
            out.append(part)
        else:
            out += change(part)
    return tuple(out)


def holding(holder: Holder, moments: tuple) -> Holder:
    """The same kind of part with other moments in it."""
    if isinstance(holder, Stretch):
        return replace(holder, moments=moments)
    return type(holder)(*([holder.times] if isinstance(holder, Repeat) else []), *moments)

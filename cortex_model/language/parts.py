"""What a rule is made of besides moments: projections, numbers, and what a time step makes of what settles."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Projection:
    """One Synapses for each level l of ``levels``, from population ``pre`` to population ``post``.

    Attributes
    ----------
    pre, post : str
        Numbers of populations, in terms of ``l`` and ``L`` (the top one): ``l-1``. ``1`` as ``pre`` is one unit whose
        ``rate`` is always 1: its synapses are biases.
    levels : str
        ``first..last``, or one level.
    start : str
        Weights before the first presentation: ``random``, ``zero``, ``transpose of W``, ``pseudoinverse of W``, or
        ``identity``: from neuron to neuron.
    """

    pre: str
    post: str
    levels: str = "1..L"
    start: str = "random"


@dataclass(frozen=True)
class Number:
    """A number that the strings of a rule may read. It becomes a parameter of every run of the rule.

    Attributes
    ----------
    default : float or str
        A number; or an expression of other numbers, which it then follows: ``1 + damping``.
    meaning : str
    unit : str
    at_least, above, at_most, below : float, optional
        Its range.
    whole : bool
        Whether it counts something; from 0 to 1 it is a switch, a parameter that is true or false.
    """

    default: float | str
    meaning: str
    unit: str = "1"
    at_least: float | None = None
    above: float | None = None
    at_most: float | None = None
    below: float | None = None
    whole: bool = False

    @property
    def range(self) -> str:
        """In words: ``a number at least 0 and below 1``."""
        limits = {"at least": self.at_least, "above": self.above, "at most": self.at_most, "below": self.below}
        said = " and ".join(f"{words} {limit:g}" for words, limit in limits.items() if limit is not None)
        return f"a {'whole ' if self.whole else ''}number {said}".strip()

    def allows(self, value: Any) -> bool:
        """Whether a value is in the range."""
        return (
            isinstance(value, int | float)
            and math.isfinite(value)
            and (not self.whole or float(value).is_integer())
            and (self.at_least is None or value >= self.at_least)
            and (self.above is None or value > self.above)
            and (self.at_most is None or value <= self.at_most)
            and (self.below is None or value < self.below)
        )


@dataclass(frozen=True)
class Dynamics:
    """What one time step makes of "x settles to f".

    Attributes
    ----------
    name : str
    step : str
        Statements, with ``{x}`` for the variable and ``{f}`` for what it goes to.
    numbers : dict of Number
        What they read besides.
    """

    name: str
    step: str
    numbers: Mapping[str, Number] = field(default_factory=dict)


#: All settles at once, in the order of the declaration.
SETTLED = Dynamics("settled", "{x} = {f}")

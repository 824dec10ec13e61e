"""Where moments happen: populations and levels of projections, in a hierarchy of a given depth."""

import difflib
import re
from functools import cached_property

from cortex_model.errors import RuleError
from cortex_model.language.moments import Carry, Host, Learn, Moment
from cortex_model.language.rule import Rule, evaluated

#: Names of populations that every hierarchy has, as first and last level.
POPULATIONS = {"input": "0..0", "hidden": "1..L-1", "top": "L..L", "above input": "1..L", "all": "0..L"}
_END = re.compile(r"(pre|post) of (\w+)(?: at (.+))?")
_RANGE = re.compile(r"[\dlL+\-* ]+(\.\.[\dlL+\-* ]+)?")


class Places:
    """The populations and projections of a rule in a hierarchy with populations 0 ... L.

    Parameters
    ----------
    rule : Rule
    L : int
    """

    def __init__(self, rule: Rule, L: int):
        self.rule, self.L = rule, L
        self._ends: dict[tuple[str, int], tuple[int | None, int]] = {}
        self._populations: dict[str, list[int]] = {}

    def levels(self, text: str) -> list[int]:
        """Levels in words: ``2``, ``2..L``, ``levels of V``; ``&`` joins conditions."""
        first, _, others = text.partition("&")
        if others:
            return sorted({*self.levels(first)} & {*self.levels(others)})
        text = text.strip()
        if text.startswith("levels of "):
            return self.levels(self.projection(text.removeprefix("levels of ")).levels)
        if not _RANGE.fullmatch(text):
            raise RuleError(
                f"{self.rule.name}: levels must be a range such as 1..L, or 'levels of V' (got {text!r}); rewrite it."
            )
        first, _, last = text.partition("..")
        return list(range(self._at(first, text), self._at(last or first, text) + 1))

    def projection(self, name: str):
        """The declaration of a projection."""
        known = self.rule.projections
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.0)
            hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(known) or 'none'}."
            raise RuleError(f"{self.rule.name}: a projection must be one that the rule has (got {name!r}); {hint}")
        return known[name]

    def ends(self, name: str, level: int) -> tuple[int | None, int]:
        """Numbers of the presynaptic and the postsynaptic population; None is the unit that is always 1."""
        if (name, level) not in self._ends:
            p = self.projection(name)
            pre = None if p.pre.strip() == "1" else self._at(p.pre, p.pre, level)
            post = self._at(p.post, p.post, level)
            for end in (pre, post):
                if end is not None and not 0 <= end <= self.L:
                    raise RuleError(
                        f"{self.rule.name}.{name}: ends must be populations 0 ... L (got {end} at level {level}, "
                        f"where L is {self.L}); change pre, post or levels."
                    )
            self._ends[name, level] = pre, post
        return self._ends[name, level]

    def populations(self, where: str) -> list[int]:
        """Populations in words: ``hidden``, ``1..L-1``, ``pre of V``; ``&`` joins conditions."""
        if where not in self._populations:
            found = [set(self._condition(part.strip())) for part in where.split("&")]
            self._populations[where] = sorted(set.intersection(*found))
        return self._populations[where]

    def _condition(self, text):
        if text in POPULATIONS:
            return self.levels(POPULATIONS[text])
        if match := _END.fullmatch(text):
            end, name, levels = match.groups()
            at = self.levels(levels or self.projection(name).levels)
            return [p for level in at if (p := self.ends(name, level)[end == "post"]) is not None]
        if _RANGE.fullmatch(text):
            return [l for l in self.levels(text) if 0 <= l <= self.L]
        near = difflib.get_close_matches(text, POPULATIONS, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(POPULATIONS)}, levels, 'pre of V'."
        raise RuleError(f"{self.rule.name}: a place must be populations that there are (got {text!r}); {hint}")

    def of(self, moment: Moment) -> list[int]:
        """The levels at which a moment happens: of populations, or of its projection."""
        if not isinstance(moment, Carry | Learn | Host):
            return self.populations(moment.where)
        own = self.levels(self.projection(moment.projection).levels)
        if not moment.levels:
            return own
        asked = self.levels(moment.levels)
        return [l for l in asked if l in own]

    def seen_by(self, expression: str, level: int) -> int:
        """The population that sees what a pool of population ``level`` gives."""
        return self._at(expression, expression, level)

    @cached_property
    def synapses(self) -> list[tuple[str, int]]:
        """(projection, level) of every projection."""
        return [(name, l) for name, p in self.rule.projections.items() for l in self.levels(p.levels)]

    def _at(self, text, whole, level=None):
        try:
            return int(evaluated(text, {"L": self.L} | ({} if level is None else {"l": level})))
        except (NameError, SyntaxError, TypeError):
            raise RuleError(
                f"{self.rule.name}: levels must be said by numbers, l and L (got {whole!r}); rewrite it."
            ) from None

"""What is done to projections while they learn: interventions at given presentations, and learning rates of their own.

=================================  ================================================================================
``silence V_2 at 500``             all weights of V_2 become 0
``silence V 0.3 at 500``           three tenths of the weights of every V become 0, drawn by the seed
``shuffle W_1 at 500``             the weights of W_1 change places, drawn by the seed
``scale V_2 0.5 at 500``           the weights of V_2 are multiplied by 0.5
``freeze W_1 at 500``              W_1 does not learn from here on
``release W_1 at 500``             W_1 learns again, by its own learning rate
=================================  ================================================================================

``at N`` is after N presentations of wake and the sleep that follows them, before the evaluation that is due there;
where there is no wake, after N presentations of sleep. What is silenced, shuffled or scaled learns on from what it then
is. What is released learns by its factor among ``relative_learning_rates``; where that is 0, by the rule's rates. N is
rounded up to whole batches; at the same place they happen in the order of N, then of the list. In a protocol of several
simulations they happen in each.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator

from cortex_model.errors import in_short
from cortex_model.language.moments import Learn
from cortex_model.language.options import relative_rate
from cortex_model.language.places import Places
from cortex_model.language.rule import Rule
from cortex_model.language.sequence import moments_of
from cortex_model.language.statements import expression, names
from cortex_model.parameters.kinds import texts_of

#: Action -> how large its amount may be; None: it takes none.
ACTIONS = {"silence": (0.0, 1.0), "shuffle": None, "scale": (-1e30, 1e30), "freeze": None, "release": None}
#: The amount of an action where none is said.
AMOUNTS = {"silence": 1.0}
#: Actions on learning rates.
ON_RATES = ("freeze", "release")

NAMED = re.compile(r"([A-Za-z][A-Za-z]*)(?:_(\d+))?")
FORM = "ACTION PROJECTION [AMOUNT] at PRESENTATION, such as `silence V_2 0.5 at 5000`"


@dataclass(frozen=True)
class Intervention:
    """Something that is done to a projection once.

    Attributes
    ----------
    action : {"silence", "shuffle", "scale", "freeze", "release"}
    projection : str
    level : int or None
        None: every level of the projection.
    amount : float or None
    at : int
        After how many presentations.
    """

    action: str
    projection: str
    level: int | None
    amount: float | None
    at: int

    def __str__(self) -> str:
        amount = "" if self.amount is None or self.amount == AMOUNTS.get(self.action) else f" {self.amount!r}"
        return f"{self.action} {projection_named(self.projection, self.level)}{amount} at {self.at}"


def projection_named(projection: str, level: int | None) -> str:
    """``V_2``, or ``V`` for every level."""
    return projection if level is None else f"{projection}_{level}"


# ---------------------------------------------------------------------- reading
def read_intervention(text: str) -> Intervention:
    """An intervention from its text.

    Raises
    ------
    ValueError
        If it is none: what the form is, and what was got.
    """
    words = text.split()
    if not 4 <= len(words) <= 5 or words[-2] != "at":
        raise ValueError(f"must be {FORM} (got {in_short(text)}); write it so.")
    action, named, *amount = words[:-2]
    if action not in ACTIONS:
        raise ValueError(f"must begin with one of {', '.join(ACTIONS)} (got {in_short(action)}); choose one.")
    projection, level = read_name(named)
    if not words[-1].isdecimal() or int(words[-1]) >= 2**31:
        raise ValueError(f"must end with a number of presentations (got {in_short(words[-1])} in {in_short(text)}).")
    return Intervention(action, projection, level, _amount(action, amount, text), int(words[-1]))


def _amount(action, words, text):
    limits = ACTIONS[action]
    if limits is None:
        if words:
            raise ValueError(f"must say no amount of {action} (got {in_short(text)}); leave it out.")
        return None
    if not words and action not in AMOUNTS:
        raise ValueError(f"must say by how much to {action} (got {in_short(text)}); write it behind the projection.")
    value = _number(words[0], text) if words else AMOUNTS[action]
    if not limits[0] <= value <= limits[1] or (action == "silence" and value == 0):
        must = "above 0 and at most 1, a part of the weights" if action == "silence" else "a finite number"
        raise ValueError(f"must {action} by an amount {must} (got {in_short(text)}); give another one.")
    return value


def read_name(text: str) -> tuple[str, int | None]:
    """(projection, level or None) from ``V_2`` or ``V``.

    Raises
    ------
    ValueError
        If it is neither.
    """
    found = NAMED.fullmatch(text)
    if found is None:
        raise ValueError(f"must name a projection, such as V_2, or V for every level (got {in_short(text)}).")
    return found[1], None if found[2] is None else int(found[2])


def _number(word, text):
    try:
        return float(word)
    except ValueError:
        raise ValueError(f"must hold a number (got {in_short(word)} in {in_short(text)}); correct it.") from None


def read_relative_rate(text: str) -> tuple[str, int | None, float]:
    """(projection, level or None, factor) from ``V_2:0.5``.

    Raises
    ------
    ValueError
        If it is none: what the form is, and what was got.
    """
    name, colon, factor = text.partition(":")
    if not colon:
        raise ValueError(f"must be PROJECTION:FACTOR, such as W_1:0 (got {in_short(text)}); write it so.")
    projection, level = read_name(name.strip())
    value = _number(factor, text)
    if not 0 <= value <= 1e30:
        raise ValueError(f"must hold a factor at least 0 (got {in_short(text)}); give another one.")
    return projection, level, value


def _texts(given: Any) -> Any:
    """A list of texts, also of a dictionary."""
    return texts_of([f"{name}:{factor}" for name, factor in given.items()] if isinstance(given, Mapping) else given)


def _interventions(texts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(str(read_intervention(text)) for text in texts)


def _rates(texts: tuple[str, ...]) -> tuple[str, ...]:
    read = [read_relative_rate(text) for text in texts]
    names = [projection_named(*each[:2]) for each in read]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"must name each projection once (got {twice[0]} twice); leave one out.")
    return tuple(f"{name}:{each[2]!r}" for name, each in zip(names, read, strict=True))


Interventions = Annotated[tuple[str, ...], BeforeValidator(_texts), AfterValidator(_interventions)]
RelativeRates = Annotated[tuple[str, ...], BeforeValidator(_texts), AfterValidator(_rates)]


# ---------------------------------------------------------------------- within a rule
def check_within(rule: Rule, n_layers: int, interventions: tuple[str, ...], rates: tuple[str, ...]) -> None:
    """Refuse what names a projection that the rule does not have, or that does not learn and would be frozen.

    Raises
    ------
    ValueError
        With the name of the parameter.
    """
    places = Places(rule, n_layers)
    learning = learning_levels(rule, n_layers)
    asked = [("interventions", text, i.projection, i.level, i.action in ON_RATES)
             for text in interventions for i in [read_intervention(text)]]  # fmt: skip
    asked += [("relative_learning_rates", text, *read_relative_rate(text)[:2], True) for text in rates]
    for parameter, text, projection, level, is_of_rates in asked:
        levels = sorted(l for name, l in places.synapses if name == projection)
        there = sorted({f"{name}_{l}" for name, l in places.synapses})
        if not levels or (level is not None and level not in levels):
            raise ValueError(
                f"Parameters.{parameter}: must name projections that the hierarchy has, {', '.join(there)} (got "
                f"{text!r}); name one of them."
            )
        if is_of_rates and not learning[projection] & ({*levels} if level is None else {level}):
            learn = sorted({f"{name}_{l}" for name, its in learning.items() for l in its})
            raise ValueError(
                f"Parameters.{parameter}: must name projections that learn by rule {rule.name}, "
                f"{', '.join(learn)} (got {text!r}); leave it out."
            )


def learning_levels(rule: Rule, n_layers: int) -> dict[str, set[int]]:
    """Projection -> the levels at which synapses change in some phase."""
    places = Places(rule, n_layers)
    found: dict[str, set[int]] = {name: set() for name in rule.projections}
    for moment in (m for sequence in rule.phases.values() for m in moments_of(sequence) if isinstance(m, Learn)):
        found[moment.projection] |= {*places.of(moment)}
    return found


def steps_of(rule: Rule, values: dict[str, float], rates: tuple[str, ...]) -> dict[str, float]:
    """The numbers by which weights change, and the smallest that a relative learning rate makes of them."""
    read: dict[str, set[str]] = {}
    for moment in (m for sequence in rule.phases.values() for m in moments_of(sequence) if isinstance(m, Learn)):
        read.setdefault(moment.projection, set()).update(names(expression(moment.step)) & values.keys())
    found = {name: values[name] for its in read.values() for name in its}
    for projection, level, factor in map(read_relative_rate, rates):
        slowest = min((values[name] for name in read.get(projection, ()) if values[name]), default=1.0)
        of = f"{projection}_{level}" if level else projection
        found[f"relative_learning_rates, times a step of {slowest:g} of {of}"] = factor * slowest
    return found


def factor_of(rates: tuple[str, ...], projection: str, level: int) -> float:
    """The factor on the learning rates of a projection at a level: its own, else that of every level, else 1."""
    factors = {(name, at): factor for name, at, factor in map(read_relative_rate, rates)}
    return factors.get((projection, level), factors.get((projection, None), 1.0))


def remembered_rates(rates: tuple[str, ...], places: Places) -> dict[tuple[int, str], float]:
    """Factors on learning rates as they are remembered: (population, name of what it remembers) -> factor."""
    learning = learning_levels(places.rule, places.L)
    return {
        (places.ends(name, l)[1], relative_rate(name)): factor_of(rates, name, l)
        for name, l in places.synapses
        if l in learning[name]
    }


def in_force_after(rates: tuple[str, ...], interventions: tuple[str, ...], rule: Rule, n_layers: int) -> list[str]:
    """The relative learning rates after all interventions, as a parameter: what a run that goes on begins with."""
    frozen: dict[tuple[str, int], bool] = {}
    learning = learning_levels(rule, n_layers)
    for each in sorted(map(read_intervention, interventions), key=lambda each: each.at):
        if each.action in ON_RATES:
            levels = learning[each.projection] if each.level is None else {each.level}
            frozen |= {(each.projection, level): each.action == "freeze" for level in levels}
    found = {(name, l): factor_of(rates, name, l) for name, its in learning.items() for l in sorted(its)}
    found |= {key: 0.0 for key, is_frozen in frozen.items() if is_frozen}
    return [f"{name}_{level}:{factor!r}" for (name, level), factor in found.items() if factor != 1]

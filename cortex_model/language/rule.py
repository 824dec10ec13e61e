"""Projections, numbers, dynamics, and what holds them together: a learning rule."""

import dataclasses
import difflib
import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property

from cortex_model.errors import RuleError
from cortex_model.language.moments import Moment
from cortex_model.language.parts import SETTLED, Dynamics, Number, Projection
from cortex_model.language.sequence import mapped, moments_of
from cortex_model.language.statements import expression, names


@dataclass(frozen=True)
class Choice:
    """A word that decides between forms of a rule. It becomes a parameter of every run of the rule.

    Attributes
    ----------
    meaning : str
    default : str
        The word for the rule as it is declared.
    others : dict of Rule
        Word -> the rule in another form.
    """

    meaning: str
    default: str
    others: Mapping[str, "Rule"]

    @property
    def words(self) -> list[str]:
        """What can be chosen, the default first."""
        return [self.default, *self.others]


@dataclass(frozen=True)
class Rule:
    """A learning rule: what is joined, what happens in a presentation of each phase, with which numbers.

    Attributes
    ----------
    name : str
    projections : dict of Projection
        By letter or name; ``W`` is what other letters start from.
    phases : dict of tuple
        Phase (``wake``, ``sleep``, ``evaluation``, ``perception``, ``recall``) -> what happens in one presentation.
    numbers : dict of Number
    remembers : dict of float
        Variables that outlive a presentation, beside weights, and what each is at the start.
    recorded : tuple of str
        Variables that are looked at from outside, though nothing within the rule may read them.
    requires : dict of str
        Conditions that numbers must meet together, each with the reason: ``{"damping < noise_gain": "because ..."}``.
    paper : str
        Where it was published.
    dynamics : Dynamics
        See `in_time`.
    also_called : str
        Words by which people ask for it, with spaces between them.
    task : {"targets", "stimuli", "sequences"}
        What wake teaches: to answer a stimulus with a target, to produce stimuli, or to predict which one comes next.
    timed : dict of tuple
        Phase -> what happens in it where things take time (`in_time`), if that is another sequence: rounds of a
        `Repeat` in which something settles are time steps there.
    choices : dict of Choice
        At most one, by the name of its parameter.
    populations : tuple of str
        Names of populations 0 ... L, of a rule that is one circuit; empty: a hierarchy of any depth.
    in_spikes : Rule, optional
        What it is where neurons send spikes (``dynamics=spiking``): a sequence of its own, since a rule of rates does
        not say which cell sends what, and at which spike a synapse changes. Named by the rule, ``rule_spiking``: a
        rule that is made of this one under another name does not have it.
    """

    name: str
    projections: Mapping[str, Projection]
    phases: Mapping[str, tuple]
    numbers: Mapping[str, Number]
    remembers: Mapping[str, float] = field(default_factory=dict)
    recorded: tuple[str, ...] = ("rate",)
    requires: Mapping[str, str] = field(default_factory=dict)
    paper: str = ""
    dynamics: Dynamics = SETTLED
    also_called: str = ""
    task: str = "targets"
    timed: Mapping[str, tuple] = field(default_factory=dict)
    choices: Mapping[str, Choice] = field(default_factory=dict)
    populations: tuple[str, ...] = ()
    in_spikes: "Rule | None" = None

    def __post_init__(self):
        if self.in_spikes is not None and self.in_spikes.name != f"{self.name}_{self.in_spikes.dynamics.name}":
            object.__setattr__(self, "in_spikes", None)

    def form(self, chosen: Mapping[str, str] | None = None) -> "Rule":
        """The rule as its choices say; choices of other rules decide nothing.

        Parameters
        ----------
        chosen : dict, optional
            Parameter -> word.

        Raises
        ------
        RuleError
            For a word that is none of a choice's.
        """
        for name, choice in self.choices.items():
            word = (chosen or {}).get(name, choice.default)
            if word not in choice.words:
                raise RuleError(
                    f"{self.name}.{name}: must be one of {', '.join(choice.words)} (got {word!r}); choose one of them."
                )
            if word != choice.default:
                return choice.others[word]
        return replace(self, choices={}) if self.choices else self

    @property
    def forms(self) -> list["Rule"]:
        """Every form of the rule, the default first; only itself, where it has no choices."""
        others = [form for choice in self.choices.values() for form in choice.others.values()]
        return [self.form(), *others]

    def values(self, overrides: Mapping[str, float] | None = None) -> dict[str, float]:
        """Every number of the rule, by name: its default, or what is given.

        Raises
        ------
        RuleError
            For a number that the rule does not have, that is out of its range, or that does not go with others.
        """
        numbers, given = {**self.dynamics.numbers, **self.numbers}, dict(overrides or {})
        for name, value in given.items():
            if name not in numbers:
                raise RuleError(
                    f"{self.name}.{name}: must be a number of this rule (got {value!r}); {_nearest(name, numbers)}"
                )
            if not numbers[name].allows(value):
                raise RuleError(
                    f"{self.name}.{name}: must be {numbers[name].range} (got {value!r}); give another value, "
                    f"such as the default {numbers[name].default}."
                )
        values: dict[str, float] = {}

        def value_of(name):
            if name not in values:
                number = given.get(name, numbers[name].default)
                if isinstance(number, str):
                    number = evaluated(number, {other: value_of(other) for other in names(expression(number))})
                values[name] = number
            return values[name]

        values = {name: value_of(name) for name in numbers}
        for condition, reason in self.requires.items():
            if not evaluated(condition, values):
                got = ", ".join(f"{name} {values[name]:g}" for name in sorted(names(expression(condition))))
                raise RuleError(f"{self.name}: {condition} must hold, {reason} (got {got}); change one of them.")
        return values

    def replacing(self, **moments: Moment) -> "Rule":
        """The rule, in all its forms, with other moments in the place of those of the same names.

        Raises
        ------
        RuleError
            If it has no moment of a name.
        """
        sequences = (s for form in self.forms for s in (*form.phases.values(), *form.timed.values()))
        known = {moment.name for sequence in sequences for moment in moments_of(sequence) if moment.name}
        for name in moments:
            if name not in known:
                raise RuleError(
                    f"{self.name}: must have a moment to be replaced (got {name!r}); {_nearest(name, known)}"
                )
        return self.changed(lambda moment: (moments.get(moment.name, moment),))

    def changed(self, change, phases: tuple[str, ...] | None = None) -> "Rule":
        """The rule, in all its forms, with every moment (of some phases) replaced by what ``change`` makes of it."""
        within = self.phases if phases is None else phases

        def of(sequences):
            return {name: mapped(s, change) if name in within else s for name, s in sequences.items()}

        choices = {
            name: replace(choice, others={word: form.changed(change, phases) for word, form in choice.others.items()})
            for name, choice in self.choices.items()
        }
        return replace(self, phases=of(self.phases), timed=of(self.timed), choices=choices)

    @cached_property
    def content_hash(self) -> str:
        """Twelve hexadecimal digits that name what is declared; prose (``paper``, meanings) does not take part."""
        text = json.dumps(_plain(self), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def evaluated(text: str, values: Mapping[str, float]) -> float:
    """An expression of numbers, evaluated."""
    return eval(_compiled(text), {"__builtins__": {}, "abs": abs, "int": int, "exp": math.exp}, dict(values))


def how_often(times: str, values: Mapping[str, float]) -> int:
    """How often something is repeated, for the values of numbers.

    Raises
    ------
    RuleError
        If that is no number at least 0.
    """
    try:
        number = evaluated(times, values)
    except ArithmeticError:
        number = math.nan
    if not -1 < number < math.inf:
        raise RuleError(
            f"Rule: how often something is repeated must be a number at least 0 (got {times!r}, which is {number:g}); "
            "mend it, or change a number in it."
        )
    return int(number)


@cache
def _compiled(text):
    return compile(text.strip(), "number", "eval")


def _nearest(name, known):
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"did you mean {near[0]!r}?" if near else f"it has {', '.join(sorted(known)) or 'none'}."


def _plain(value):
    if dataclasses.is_dataclass(value):
        fields = {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
        for prose in ("paper", "meaning", "also_called", "task"):
            fields.pop(prose, None)
        for late in ("choices", "timed", "populations", "on", "in_spikes"):
            if not fields.get(late, True):
                del fields[late]
        return {"is": type(value).__name__, **fields}
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, tuple | list) else value

"""What parameters declare: a rule in a hierarchy, and the program that it shares with other rules."""

import sys
from functools import cached_property, lru_cache
from typing import Any

from cortex_model.language.events import Counts
from cortex_model.language.joining import joined
from cortex_model.language.moments import Carry, Fire, Host, Learn
from cortex_model.language.ordering import Ordering
from cortex_model.language.placed import PlacedRule
from cortex_model.language.rule import Rule, how_often
from cortex_model.language.sequence import moments_of, repeats_of
from cortex_model.language.statements import expression, names
from cortex_model.parameters import HierarchyParameters, content_hash
from cortex_model.parameters.chosen import chosen_rule, rows_in_force
from cortex_model.rules import rule_named, shipped
from cortex_model.system.memory import must_fit

#: Phases that a schedule can hold, in the order of their numbers, and whose stimuli they show.
PHASES = ("wake", "sleep", "evaluation", "perception", "recall")
SHOWN = {"wake": "wake", "evaluation": "evaluation", "perception": "evaluation", "recall": "evaluation"}
#: Open in the last slot of an evaluation, where the top population's rates are kept.
ANSWER_GATE = "answer_gate"
#: Gates that say in which phase a slot is.
PHASE_GATES = {phase: f"{phase}_gate" for phase in PHASES}


class Declared:
    """A rule in a hierarchy, and the events, order and gates of its program.

    A program holds the events of every shipped rule that has the same projections, along which the same travels in
    wake; rules, their forms, and how often a rule repeats something, are then schedules over one program.

    Parameters
    ----------
    parameters : HierarchyParameters

    Attributes
    ----------
    rule : Rule
        With all options chosen.
    placed, ordering
        Of the program.
    """

    def __init__(self, parameters: HierarchyParameters):
        p = self.parameters = parameters
        self.rule = p.rule
        self.ordering = _ordered(tuple(self._sharing()), p.layer_sizes, tuple(sorted(p.delays.items())))
        self.placed = self.ordering.placed

    def _sharing(self) -> list[Rule]:
        p, sharing = self.parameters, list(shipped())
        if p.learning_rule not in sharing:
            sharing = [p.learning_rule]
        options = p.rule_options | {"feedback_gain": "none"}  # what the host does is no matter of a program
        kind = program_kind(rule_named(p.learning_rule).form(dict(p.choices)))
        return [
            chosen_rule(name, p.dynamics, False, **options | {"choices": words})
            for name in sharing
            if p.dynamics != "spiking" or rule_named(name).in_spikes
            for words in _words(rule_named(name))
            if program_kind(rule_named(name).form(dict(words))) == kind
        ]

    # ------------------------------------------------------------------ the program
    @cached_property
    def program(self) -> dict[str, Any]:
        """What is compiled, as JSON has it: events in their order, with what they do and the gates that open them."""
        placed, gates = self.placed, self.ordering.gates
        events = [
            [repr(event.moment), event.level, gates[event], getattr(event.moment, "seen_by", ""), self._text(event)]
            for event in self.ordering.order
        ]
        levels = range(placed.L + 1)
        return {
            "events": events,
            "variables": [[placed.variables(l), placed.shared(l), placed.remembered(l)] for l in levels],
            "projections": [[name, l, *placed.ends(name, l)] for name, l in placed.synapses],
            "delays": sorted([*key, n] for key, n in placed.delays.items()),
            "numbers": self.numbers,
        }

    def _text(self, event):
        is_code = not hasattr(event.moment, "projection") and not hasattr(event.moment, "total")
        return self.placed.code(event) if is_code else ""

    @cached_property
    def numbers(self) -> list[str]:
        """Every number that strings of the program read, by name."""
        known = {*self.placed.rule.numbers, *self.placed.rule.dynamics.numbers}
        read = {name for event in self.placed.events for _, name in self.placed.touches(event)[0]}
        changes = (event.moment.increment for event in self.placed.events if isinstance(event.moment, Learn))
        return sorted(read.union(*(names(expression(change)) for change in changes)) & known)

    @cached_property
    def events_counted(self) -> dict[tuple[str, str, int], str]:
        """(event, phase, population) -> the variable that counts how often each neuron has it in such presentations."""
        found, counts = {}, self.placed.once
        for name in self.placed.rule.phases:
            phase = name.rpartition("/")[2]
            for event in (event for group in self.placed.groups(name, counts) for event in group):
                if isinstance(event.moment, Fire):
                    found[event.moment.event, phase, event.level] = f"{event.moment.event}s_in_{phase}"
        return found

    @cached_property
    def reads_age(self) -> bool:
        """Whether anything reads how many presentations of its phase came before."""
        return any(name == "age" for event in self.placed.events for _, name in self.placed.touches(event)[0])

    @cached_property
    def remembered(self) -> dict[str, float]:
        """What outlives a presentation besides weights: ``apical_gain_1``, of population 1 -> its first value."""
        first, placed = self.placed.rule.remembers, self.placed
        found = {f"{name}_{l}": float(first[name]) for l in range(placed.L + 1) for name in placed.remembered(l)}
        rates = self.parameters.remembered_rates(placed.places)
        return found | {f"{name}_{l}": rate for (l, name), rate in rates.items()}

    @cached_property
    def learning_gates(self) -> list[str]:
        """Gates that open changes of weights."""
        opened = (gate for event, gate in self.ordering.gates.items() if isinstance(event.moment, Learn))
        return list(dict.fromkeys(opened))

    @cached_property
    def own_gates(self) -> list[str]:
        """Gates by which a network changes for good: they open changes of weights, or what is counted."""
        opened = (gate for event, gate in self.ordering.gates.items() if isinstance(event.moment, Learn | Fire))
        return list(dict.fromkeys(opened))

    @cached_property
    def gates(self) -> list[str]:
        """Every gate: those of events, then those of phases and of what is kept in evaluation."""
        return [*dict.fromkeys(self.ordering.gates.values()), *PHASE_GATES.values(), ANSWER_GATE]

    # ------------------------------------------------------------------ this rule's presentations
    @property
    def phases(self) -> list[str]:
        """Phases of the rule that a schedule can hold."""
        return [phase for phase in PHASES if phase in self.rule.phases]

    @cached_property
    def counts(self) -> Counts:
        """How often and how long things happen, for the numbers of these parameters."""
        p, values = self.parameters, self.parameters.rule_values
        times = {repeat.times for sequence in self.rule.phases.values() for repeat in repeats_of(sequence)}
        return Counts({each: how_often(each, values) for each in times}, p.n_steps, p.onset_step)

    def slots(self, phase: str) -> tuple[frozenset[str], ...]:
        """The gates that are open in each slot of a presentation of a phase."""
        slot = sys.getsizeof(frozenset(self.gates))
        must_fit(2.0 * slot * self.parameters.n_steps, "Parameters.presentation_ms", "lower it, or raise time_step_ms")
        gates = self.ordering.gates
        opened = [
            {gates[event] for event in slot} | {PHASE_GATES[phase]}
            for slot in self.ordering.slots(f"{self.rule.name}/{phase}", self.counts)
        ]
        opened = opened or [{PHASE_GATES[phase]}]  # where nothing can happen, a presentation takes a slot all the same
        if phase == "evaluation":
            opened[-1].add(ANSWER_GATE)
        return tuple(map(frozenset, opened))

    def hosts(self, phase: str) -> list[Host]:
        """What the host does before presentations of a phase."""
        return [moment for moment in moments_of(self.rule.phases.get(phase, ())) if isinstance(moment, Host)]


def without_host(rule: Rule) -> Rule:
    """The rule without what the host does between presentations."""
    return rule.changed(lambda moment: () if isinstance(moment, Host) else (moment,))


def _words(rule: Rule):
    """What chooses each form of a rule."""
    return [((name, word),) for name, choice in rule.choices.items() for word in choice.words] or [()]


def program_kind(rule: Rule) -> tuple[dict, set]:
    """What rules must have in common to share a program: projections, and what travels along them in wake."""
    ends = {name: (p.pre, p.post, p.levels) for name, p in rule.projections.items()}
    carries = (moment for moment in moments_of(rule.phases["wake"]) if isinstance(moment, Carry))
    return ends, {(moment.projection, moment.source, moment.target) for moment in carries}


class _ByContent(tuple):
    """Rules that are the same if they declare the same."""

    def __hash__(self):
        return hash(tuple(rule.content_hash for rule in self))

    def __eq__(self, other):
        return [rule.content_hash for rule in self] == [rule.content_hash for rule in other]


def _ordered(rules, layer_sizes, delays):
    """The order of a program's events: the same for all numbers of a run."""
    return _order(_ByContent(rules), layer_sizes, delays)


@lru_cache(maxsize=64)
def _order(rules, layer_sizes, delays):
    return Ordering(PlacedRule(joined(*map(without_host, rules)), layer_sizes, dict(delays)))


def declared(parameters: HierarchyParameters) -> Declared:
    """What parameters declare; of equal ones it is the same object."""
    contents = tuple(rule.content_hash for rule in shipped().values())
    return _declared((rows_in_force(), contents), type(parameters), parameters.model_dump_json())


@lru_cache(maxsize=64)
def _declared(_in_force, model, json):
    return Declared(model.model_validate_json(json))


def program_structure(parameters: HierarchyParameters) -> dict[str, Any]:
    """What a compiled program depends on; everything else is handed over as numbers."""
    p = parameters
    if not isinstance(p, HierarchyParameters):  # of a protocol that builds none
        return {"parameters": type(p).__name__}
    fields = ("layer_sizes", "noise_distribution", "dtype", "dense", "batch_size", "dynamics")
    fields += ("time_step_ms",) if p.takes_time else ()
    return {name: getattr(p, name) for name in fields} | {"rules": content_hash(declared(p).program)}

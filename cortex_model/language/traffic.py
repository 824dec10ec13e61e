"""What goes from event to event within a presentation: read before it is written, never read, written twice at once."""

import itertools
from collections.abc import Iterator

from cortex_model.language.events import Counts
from cortex_model.language.moments import Carry, Fire, Host, Learn, Let, Pool, Settle
from cortex_model.language.placed import PlacedRule
from cortex_model.language.sequence import moments_of, repeats_of
from cortex_model.language.statements import expression, names, read_by, statements

#: What is there without being written.
GIVEN = ("stimulus", "target", "age")


def unwritten(placed: PlacedRule) -> Iterator[str]:
    """Variables that a presentation reads before it has written them, whatever its counts."""
    rule = placed.rule
    always = {*GIVEN, *rule.numbers, *rule.dynamics.numbers, *rule.remembers}
    for phase, sequence in rule.phases.items():
        times = sorted({repeat.times for repeat in repeats_of(sequence)})
        for rounds in itertools.product((1, 0), repeat=len(times)):
            counts = Counts(dict(zip(times, rounds, strict=True)))
            written: set = set()
            for event in (event for group in placed.groups(phase, counts) for event in group):
                reads, writes = placed.touches(event)
                for population, name in sorted(reads, key=str):
                    is_weight = population in rule.projections
                    if is_weight or population is None or name in always or (population, name) in written:
                        continue
                    skipped = [each for each, n in counts.rounds.items() if n == 0]
                    where = f" where {skipped[0]} is 0" if skipped else ""
                    yield (
                        f"{rule.name}.{phase}: a presentation must write what it reads (got {name!r} of population "
                        f"{population}, read by {said(event.moment)!r} before it is written{where}); write it first, "
                        "or name it in remembers."
                    )
                written |= writes


def unread(placed: PlacedRule) -> Iterator[str]:
    """Variables, numbers and projections that nobody reads."""
    rule, written = placed.rule, {}
    read = set(rule.recorded)
    for event in placed.events:
        reads, writes = placed.touches(event)
        for key in writes:
            if key[0] not in rule.projections:
                written.setdefault(key[1], event.moment)
        read |= {key[1] for key in reads - writes if key[0] not in rule.projections}
        if isinstance(event.moment, Fire):
            read |= names(expression(event.moment.when))
        if isinstance(event.moment, Let | Pool):  # an earlier statement of the same string
            its = statements(event.moment.code)
            read |= {name for each in its for name in names(each.value) - {each.variable}}
    for name, moment in written.items():
        if name not in read:
            yield (
                f"{rule.name}: what is written must be read by something (got {name!r}, written by {said(moment)!r}); "
                "read it, take it away, or name it in recorded."
            )
    moments = [moment for sequence in rule.phases.values() for moment in moments_of(sequence)]
    defaults = (number.default for number in (*rule.numbers.values(), *rule.dynamics.numbers.values()))
    asked = set().union(*map(_names_of, moments), *(names(expression(d)) for d in defaults if isinstance(d, str)))
    asked |= {name for s in rule.phases.values() for r in repeats_of(s) for name in names(expression(r.times))}
    for name in {**rule.numbers, **rule.remembers}:
        if name not in asked:
            yield (
                f"{rule.name}.{name}: a number, or what is remembered, must be read by something (got {name!r}, which "
                "nothing reads); read it, or take it away."
            )
    carried = {moment.projection for moment in moments if isinstance(moment, Carry)}
    for name in rule.projections:
        if name not in carried:
            yield (
                f"{rule.name}.{name}: a projection must carry something (got nothing that it carries); add a Carry, or "
                "take it away."
            )


def overwritten(placed: PlacedRule) -> Iterator[str]:
    """Targets of sums that two variables, or two projections, would share: Brian2 has one sum for each."""
    sums: dict[tuple[int, str], dict] = {}
    for event in placed.events:
        moment, level = event
        if isinstance(moment, Carry) and not moment.on:
            post = placed.ends(moment.projection, level)[1]
            sums.setdefault((post, moment.target), {})[moment.projection, level, moment.source] = moment
    for (population, target), by in sums.items():
        if len(by) > 1:
            (first, _, one), (second, _, other) = list(by)[:2]
            what = f"{one!r} and {other!r} through {first}" if first == second else f"{first} and {second}"
            yield (
                f"{placed.rule.name}: a sum must be of one variable through one projection (got {target!r} of "
                f"population {population} as the target of {what}); give each its own target, and add them in a Let."
            )
    for event in placed.events:
        if isinstance(event.moment, Let | Settle | Pool):
            for key in sorted(placed.touches(event)[1] & set(sums)):
                yield (
                    f"{placed.rule.name}: the target of a sum must not be assigned (got {key[1]!r} in "
                    f"{said(event.moment)!r}); choose another name."
                )


def at_once(placed: PlacedRule) -> Iterator[str]:
    """Events of one moment that disturb each other, though they are said to happen at once."""
    counts = max(placed.examples, key=lambda each: sum(each.rounds.values()))
    for phase in placed.rule.phases:
        for group in placed.groups(phase, counts):
            for a, b in itertools.combinations(group, 2):
                if placed.disturbs(a, b):
                    yield (
                        f"{placed.rule.name}.{phase}: what happens at once must not depend on itself elsewhere (got "
                        f"{said(a.moment)!r} at levels {a.level} and {b.level}); put it into Climb or Descend."
                    )
                    break


def said(moment) -> str:
    """A moment in a few words."""
    if isinstance(moment, Carry):
        return f"Carry {moment.projection} {moment.source} -> {moment.target}{_waiting(moment)}"
    if isinstance(moment, Learn):
        return f"Learn {moment.projection} {moment.increment}{_waiting(moment)}"
    if isinstance(moment, Fire):
        code = f": {moment.code}" if moment.code else ""
        return f"{moment.event} where {moment.when}{code}".replace("\n", "; ")
    if isinstance(moment, Settle):
        return f"{moment.variable} -> {moment.towards}"
    return f"{moment.total} = sum of {moment.of}" if isinstance(moment, Pool) else moment.code


def _waiting(moment):
    return f" on {moment.on}" if moment.on else ""


def _names_of(moment) -> set[str]:
    """Every name that stands in the strings of a moment."""
    if isinstance(moment, Let):
        when = names(expression(moment.when)) if isinstance(moment, Fire) else ()
        return {*read_by(moment.code), *when}
    if isinstance(moment, Host):
        return {moment.every, *read_by(moment.code)}
    if isinstance(moment, Carry):
        return {moment.source}
    texts = {Settle: "towards", Learn: "increment", Pool: "of"}
    found = set(names(expression(getattr(moment, texts[type(moment)]))))
    return found | (set(read_by(moment.code)) if isinstance(moment, Pool) else set())

"""Names that strings of a rule read and nothing has, with the nearest one that something has."""

import difflib
from collections.abc import Iterator

from cortex_model.language.moments import Carry, Fire, Host, Learn, Pool, Settle
from cortex_model.language.placed import PlacedRule, awaited, of_ends
from cortex_model.language.rule import Rule
from cortex_model.language.sequence import moments_of, repeats_of
from cortex_model.language.statements import expression, names, read_by, written_by


def of_what_is_known(rule: Rule, layer_sizes: tuple[int, ...]) -> Iterator[str]:
    """Names that nothing has, with the nearest one that something has."""
    placed = PlacedRule(rule, layer_sizes)
    numbers = {**rule.dynamics.numbers, **rule.numbers}
    for phase, repeat in ((p, r) for p, sequence in rule.phases.items() for r in repeats_of(sequence)):
        for name in sorted(names(expression(repeat.times)) - set(numbers)):
            yield (
                f"{rule.name}.{phase}: how often something is repeated must be said by numbers (got {name!r}); "
                f"{nearest(name, numbers)}"
            )
    for phase, moment in all_moments(rule):
        if isinstance(moment, Host):
            known = {*rule.projections, *numbers, *rule.remembers}
            for name in sorted({moment.every, *read_by(moment.code), *written_by(moment.code)} - known):
                yield (
                    f"{rule.name}.{phase}: host code must be of projections, numbers and what is remembered (got "
                    f"{name!r} in {moment.code!r}); {nearest(name, known)}"
                )
            continue
        for level in placed.places.of(moment):
            yield from _unknown(placed, phase, moment, level, numbers)


def _unknown(placed, phase, moment, level, numbers):
    """Complaints of one event about names that are nothing."""
    rule, common = placed.rule, {*numbers}
    if isinstance(moment, Learn):
        for name in sorted(names(expression(moment.change)) - {f"{n}_{end}" for n, end in of_ends(moment)}):
            if name not in {*common, "weight"}:
                yield (
                    f"{rule.name}.{phase}: a change of synapses must read variables of either end, numbers or weight "
                    f"(got {name!r} in {moment.change!r}); write {name}_pre or {name}_post, or declare it as a Number."
                )
        ends = dict(zip(("pre", "post"), placed.ends(moment.projection, level), strict=True))
        reads = [(ends[end], name) for name, end in sorted(of_ends(moment))]
        code = moment.change
        yield from _without_event(placed, phase, moment, [(ends.get(end), name) for name, end in awaited(moment)])
    elif isinstance(moment, Carry):
        pre, _ = placed.ends(moment.projection, level)
        reads, code = [(pre, moment.source)], moment.source
        yield from _without_event(placed, phase, moment, [(pre, moment.on)] if moment.on else [])
    else:
        code = moment.of if isinstance(moment, Pool) else getattr(moment, "code", "") or moment.towards
        found = names(expression(code)) if isinstance(moment, Pool | Settle) else read_by(code)
        found |= names(expression(moment.when)) if isinstance(moment, Fire) else frozenset()
        reads = [(level, name) for name in sorted(found - common)]
    for population, name in reads:
        has = _held(placed, population)
        if name in has:
            continue
        if name in ("stimulus", "target"):
            there = "input population" if name == "stimulus" else "top population, or in an input as large as it,"
            yield (
                f"{rule.name}.{phase}: {name} must be read in the {there} (got {code!r} "
                f"in population {population}); Show it there, and Carry what follows from it."
            )
            continue
        here = "the unit that is always 1" if population is None else f"population {population}"
        yield (
            f"{rule.name}.{phase}: {name!r} must be something that {here} has, or a number of the rule (got {code!r}); "
            f"{nearest(name, {*has, *common})}"
        )


def _without_event(placed, phase, moment, awaited_at):
    """Complaints of what waits for an event that neurons at that end never have."""
    for population, name in awaited_at:
        has = {} if population is None else placed.events_of(population)
        if name not in has:
            yield (
                f"{placed.rule.name}.{phase}: on must name an event that neurons at that end have (got {moment.on!r} "
                f"for projection {moment.projection}); {nearest(name, has) if has else 'Fire it there.'}"
            )


def _held(placed, population):
    """What can be read in a population."""
    if population is None:
        return {"rate"}
    own, sizes = {*placed.variables(population), *placed.shared(population), *placed.rule.remembers}, placed.layer_sizes
    own |= {"age"} | ({"stimulus"} if population == 0 else set())
    return own | ({"target"} if population in (0, placed.L) and sizes[population] == sizes[-1] else set())


def all_moments(rule: Rule) -> list:
    """(phase, moment) of every phase."""
    return [(phase, moment) for phase, sequence in rule.phases.items() for moment in moments_of(sequence)]


def nearest(name: str, known) -> str:
    """What might have been meant instead of a name that nothing has."""
    near = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.5)
    return f"did you mean {near[0]!r}?" if near else f"known are {', '.join(sorted(known)) or 'none'}."

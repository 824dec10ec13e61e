"""What is wrong with a rule, in sentences, before anything is built.

Above all a presentation reads nothing that it has not written. Then weights, and what a rule says that it remembers,
are all that goes from one presentation to the next: what chunks, resumption to the bit, and networks of several rules
side by side rest on.
"""

from collections.abc import Iterator
from dataclasses import replace

from cortex_model.errors import RuleError
from cortex_model.language.forms import of_forms
from cortex_model.language.known import all_moments, nearest, of_what_is_known
from cortex_model.language.moments import Carry, Fire, Host, Learn, Let, Pool, Settle
from cortex_model.language.names import refusal
from cortex_model.language.nonlinearities import NONLINEARITIES
from cortex_model.language.options import PER
from cortex_model.language.placed import PlacedRule
from cortex_model.language.rule import Rule
from cortex_model.language.sizes import EXAMPLE, example_sizes
from cortex_model.language.statements import (
    DRAWS,
    FUNCTIONS,
    HOST_FUNCTIONS,
    OPEN,
    expression,
    functions,
    names,
    statements,
    written_by,
)
from cortex_model.language.traffic import at_once, overwritten, unread, unwritten

PHASES = ("wake", "sleep", "evaluation", "perception", "recall")


def complaints(rule: Rule, layer_sizes: tuple[int, ...] | None = None) -> list[str]:
    """Sentences that say what does not hold together; none where the rule is sound.

    Parameters
    ----------
    rule : Rule
        In which all settles at once; with its nonlinearities chosen or open.
    layer_sizes : sequence of int
        The hierarchy in which it is to be; a small one that fits it, unless given.

    Returns
    -------
    sentences : list of str
        Where; what must hold (what is); what to do.
    """
    layer_sizes = _sizes(rule) if layer_sizes is None else layer_sizes
    if found := list(of_forms(rule)):
        return found
    for form in [*rule.forms[1:], *([rule.in_spikes] if rule.in_spikes else [])]:
        if found := complaints(form, layer_sizes):
            return found
    for look in (_of_words, _of_strings, _of_places, of_what_is_known):
        if found := list(dict.fromkeys(look(rule, layer_sizes))):
            return found
    placed = PlacedRule(rule, layer_sizes)
    looks = (unwritten(placed), unread(placed), overwritten(placed), at_once(placed))
    return list(dict.fromkeys(sentence for look in looks for sentence in look))


def checked(rule: Rule, layer_sizes: tuple[int, ...] | None = None) -> Rule:
    """The rule, if it is sound.

    Raises
    ------
    RuleError
        With the first complaint.
    """
    if found := complaints(rule, layer_sizes):
        more = f" ({len(found) - 1} more)" if len(found) > 1 else ""
        raise RuleError(found[0] + more)
    return rule


def _sizes(rule):
    """Sizes that fit; the usual ones where a rule is too wrong to say."""
    try:
        return example_sizes(rule)
    except RuleError:
        return EXAMPLE


# ---------------------------------------------------------------------- words
def _of_words(rule, layer_sizes) -> Iterator[str]:
    """Names of phases, projections and numbers; ranges of numbers."""
    for phase in rule.phases:
        if phase not in PHASES:
            yield f"{rule.name}.phases: must be of {', '.join(PHASES)} (got {phase!r}); {nearest(phase, PHASES)}"
    if "wake" not in rule.phases:
        yield f"{rule.name}.phases: must hold what happens in wake (got {', '.join(rule.phases) or 'none'}); add it."
    numbers = {**rule.dynamics.numbers, **rule.numbers}
    for what, given in (("projections", rule.projections), ("numbers", numbers), ("remembers", rule.remembers)):
        for name in given:
            if reason := refusal(name):
                yield f"{rule.name}.{what}: must have other names (got {name!r}: {reason}); choose another one."
    for name in set(numbers) & {*rule.projections, *rule.remembers}:
        yield f"{rule.name}.numbers: must have names of their own (got {name!r} twice); choose another one."
    for condition in rule.requires:
        for name in sorted(names(expression(condition)) - set(numbers)):
            yield (
                f"{rule.name}.requires: must be of numbers of the rule (got {name!r} in {condition!r}); "
                f"{nearest(name, numbers)}"
            )
    for name, number in numbers.items():
        if not number.meaning.strip():
            yield f"{rule.name}.{name}: must say what it means (got {number.meaning!r}); write its meaning."
        if isinstance(number.default, str):
            try:
                yield from (
                    f"{rule.name}.{name}: must follow from numbers of the rule (got {other!r} in {number.default!r}); "
                    f"{nearest(other, numbers)}"
                    for other in sorted(names(expression(number.default)))
                    if other not in numbers
                )
            except RuleError as error:
                yield _at(f"{rule.name}.{name}", error)
        elif not number.allows(number.default):
            yield (
                f"{rule.name}.{name}: the default must be {number.range} (got {number.default!r}); "
                "change the default or the range."
            )


# ---------------------------------------------------------------------- strings
def _of_strings(rule, layer_sizes) -> Iterator[str]:
    """Strings that Brian2 cannot read; functions that there are not."""
    for phase, moment in all_moments(rule):
        try:
            trees = list(_trees(moment))
        except RuleError as error:
            yield _at(f"{rule.name}.{phase}", error)
            continue
        known = HOST_FUNCTIONS if isinstance(moment, Host) else {*FUNCTIONS, *DRAWS, *OPEN, *NONLINEARITIES}
        for name in sorted({name for tree in trees for name in functions(tree)} - set(known)):
            yield (
                f"{rule.name}.{phase}: functions must be ones that every device has (got {name!r}); "
                f"{nearest(name, known)}"
            )
        for name in _assigned(moment):
            if reason := None if isinstance(moment, Host) else refusal(name):
                yield f"{rule.name}.{phase}: variables must have other names (got {name!r}: {reason}); rename it."
        if isinstance(moment, Learn):
            yield from _of_a_step(rule, phase, moment)


def _of_a_step(rule, phase, learn):
    pools = [moment for _, moment in all_moments(rule) if isinstance(moment, Pool)]
    seen = {*rule.remembers, *(name for pool in pools for name in _assigned(pool))}
    pooled = {f"{name}_{end}" for name in seen for end in ("pre", "post")}
    if alone := names(expression(learn.step)) - set(rule.numbers) - pooled:
        yield (
            f"{rule.name}.{phase}: the step of a Learn must be a product of numbers of the rule, or of what a pool "
            f"gives or the rule remembers (got {sorted(alone)[0]!r} in {learn.step!r}); move it into the change, or "
            "declare it as a Number."
        )
    if learn.per and not PER.fullmatch(learn.per):
        yield (
            f"{rule.name}.{phase}: per must name an activity at an end, such as rate_pre or 'rate_pre of W' (got "
            f"{learn.per!r}); rewrite it."
        )


def _trees(moment):
    """The expressions of a moment."""
    if isinstance(moment, Let | Pool | Host):
        yield from (statement.value for statement in statements(moment.code))
    for part in ("towards", "of", "step", "change", "when"):
        if hasattr(moment, part):
            yield expression(getattr(moment, part))


def _assigned(moment):
    if isinstance(moment, Settle):
        return [moment.variable]
    if isinstance(moment, Carry):
        return [moment.source, moment.target]
    more = [moment.total] if isinstance(moment, Pool) else [moment.event] if isinstance(moment, Fire) else []
    return [*written_by(getattr(moment, "code", "")), *more]


# ---------------------------------------------------------------------- places
def _of_places(rule, layer_sizes) -> Iterator[str]:
    """Populations, projections and levels that there are not."""
    placed = PlacedRule(replace(rule, phases={}), layer_sizes)
    try:
        for name, level in placed.places.synapses:
            placed.ends(name, level)
    except RuleError as error:
        yield str(error)
        return
    for phase, moment in all_moments(rule):
        try:
            for level in placed.places.of(moment):
                if isinstance(moment, Pool):
                    placed.places.seen_by(moment.seen_by, level)
        except RuleError as error:
            yield _at(f"{rule.name}.{phase}", error)
    for phase, sequence in rule.phases.items():
        is_first = True
        for part in sequence:
            if isinstance(part, Host) and not is_first:
                yield (
                    f"{rule.name}.{phase}: what the host does must stand at the beginning of a phase (got "
                    f"{part.code!r} after other moments); move it there, since it happens between presentations."
                )
            is_first = is_first and isinstance(part, Host)


def _at(where, error):
    return f"{where}: {str(error).split(': ', 1)[-1]}"

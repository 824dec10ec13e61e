"""Which layer sizes a rule can have: how many populations, and which of them must be equally large."""

from cortex_model.language.moments import Let, Settle
from cortex_model.language.places import Places
from cortex_model.language.rule import Rule
from cortex_model.language.sequence import moments_of
from cortex_model.language.statements import expression, names, read_by

#: A hierarchy in which rules are looked at: all sizes differ, so that no transpose passes for its original.
EXAMPLE = (7, 5, 6, 4)
#: How a projection from neuron to neuron is said to start.
ONE_TO_ONE = "identity"


def example_sizes(rule: Rule) -> tuple[int, ...]:
    """Small layer sizes that a rule can have: as different as it allows."""
    sizes = list(EXAMPLE[: len(rule.populations)] if rule.populations else EXAMPLE)
    for one, other in sorted(equally_large(rule, len(sizes) - 1)):
        sizes[other] = sizes[one]
    return tuple(sizes)


def misfit(rule: Rule, layer_sizes: tuple[int, ...]) -> str:
    """What is wrong with layer sizes for a rule, as a sentence; empty where nothing is."""
    got, its = ",".join(map(str, layer_sizes)), rule.populations
    if its and len(layer_sizes) != len(its):
        return (
            f"must name the {len(its)} populations {', '.join(its)} where learning_rule is {rule.name} (got {got}); "
            "give as many."
        )
    for one, other in sorted(equally_large(rule, len(layer_sizes) - 1)):
        if layer_sizes[one] != layer_sizes[other]:
            which = " and ".join(its[at] if its else f"population {at}" for at in (one, other))
            return f"must be equal for {which} where learning_rule is {rule.name} (got {got}); make them equally large."
    return ""


def equally_large(rule: Rule, L: int) -> set[tuple[int, int]]:
    """Pairs of populations, the lower one first, that are joined neuron by neuron, or that show the same targets."""
    places, found = Places(rule, L), set()
    for name, level in places.synapses:
        pre, post = places.ends(name, level)
        if rule.projections[name].start == ONE_TO_ONE and pre is not None:
            found.add((min(pre, post), max(pre, post)))
    for moment in (m for sequence in rule.phases.values() for m in moments_of(sequence)):
        if isinstance(moment, Let | Settle):
            code = getattr(moment, "code", None)
            read = names(expression(moment.towards)) if code is None else read_by(code)
            if "target" in read and 0 in places.of(moment):
                found.add((0, L))
    return {pair for pair in found if pair[0] != pair[1]}

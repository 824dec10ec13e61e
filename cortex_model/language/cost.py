"""What a presentation costs: counted from what projections carry and how synapses change."""

import ast
from typing import NamedTuple

from cortex_model.language.events import Counts
from cortex_model.language.moments import Carry, Learn
from cortex_model.language.placed import PlacedRule
from cortex_model.language.statements import expression, names


class Cost(NamedTuple):
    """Of one presentation of one stimulus. Biases, and what neurons do, are left out.

    Attributes
    ----------
    synaptic_events : int
        How often a synapse carries something, or changes.
    operations : int
        Floating-point operations of synapses.
    """

    synaptic_events: int
    operations: int


def cost(placed: PlacedRule, phase: str, counts: Counts) -> Cost:
    """What one presentation of a phase costs.

    A sum multiplies and adds: 2 operations a synapse. A change of weights adds, and does what its string says, except
    what is the same for all synapses (products of numbers and of what pools give). What waits for a spike is not
    counted here: how many there are is not declared.
    """
    n_events = n_operations = 0
    for event in (event for group in placed.groups(phase, counts) for event in group):
        if isinstance(event.moment, Carry | Learn) and not event.moment.on and (n := synapses(placed, event)):
            n_events += n
            n_operations += n * (2 if isinstance(event.moment, Carry) else 1 + _operations(placed, event))
    return Cost(n_events, n_operations)


def synapses_per_spike(placed: PlacedRule, phase: str, name: str, level: int) -> int:
    """Synapses at which an event of one neuron of a population arrives, in a phase."""
    carries = {
        event
        for group in placed.groups(phase, placed.once)
        for event in group
        if isinstance(event.moment, Carry) and event.moment.on == name
    }
    ends = (placed.ends(event.moment.projection, event.level) for event in carries)
    return sum(placed.layer_sizes[post] for pre, post in ends if pre == level)


def synapses(placed: PlacedRule, event) -> int:
    """How many synapses an event goes through; none where the presynaptic unit is the one that is always 1."""
    pre, post = placed.ends(event.moment.projection, event.level)
    return 0 if pre is None else placed.layer_sizes[pre] * placed.layer_sizes[post]


def _operations(placed, event):
    """Operations of an increment that are not the same for all synapses."""
    ends = dict(zip(("pre", "post"), placed.ends(event.moment.projection, event.level), strict=True))
    own = {f"{name}_{end}" for end, population in ends.items() for name in placed.variables(population)} | {"weight"}
    tree = expression(event.moment.increment)
    return sum(isinstance(node, ast.BinOp) and bool(names(node) & own) for node in ast.walk(tree))

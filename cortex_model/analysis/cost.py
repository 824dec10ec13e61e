"""What a run costs, counted from its schedule: presentations, half cycles, synaptic events, operations."""

from math import prod

import numpy as np

from cortex_model.parameters import HierarchyParameters
from cortex_model.phases.schedule import PHASES, Schedule

#: Gate -> (whose synapses, floating-point operations a synapse) of what it opens; `projections` has the equations.
#: A sum multiplies and adds; an update of weights multiplies, scales and adds; one in sleep also decays.
SYNAPTIC_WORK = {
    "input_gate": ("input", 2),
    "forward_gate": ("reciprocal", 2),
    "feedback_gate": ("feedback", 2),
    "reconstruction_gate": ("reconstruction", 2),
    "weight_update_gate": ("forward", 3),
    "transposed_update_gate": ("both_ways", 3),
    "weight_decay_gate": ("decaying", 2),
    "feedback_update_gate": ("both_ways", 5),
    "forward_update_gate": ("both_ways", 5),
}

#: Gates with which a half cycle of sleep ends.
COMPARING = ("difference_below_gate", "difference_above_gate")


def synapses(parameters: HierarchyParameters) -> dict[str, int]:
    """How many synapses there are in each group of projections that gates open together."""
    p, levels = parameters, parameters.feedback_layers
    forward = {l: p.layer_sizes[l] * p.layer_sizes[l - 1] for l in range(1, p.n_layers + 1)}
    feedback = {l: prod(p.feedback_shape(l)) for l in levels}
    both_ways = 0 if p.feedback_from_top else sum(feedback.values())
    return {
        "forward": sum(forward.values()),
        "input": sum(forward[l] for l in forward if l not in levels or (p.is_leaky and l == 1)),
        "reciprocal": sum(forward[l] for l in levels if not (p.is_leaky and l == 1)),
        "feedback": sum(feedback[l] for l in levels if l > 1),
        "reconstruction": feedback.get(1, 0),
        "both_ways": both_ways,
        "decaying": 2 * both_ways,
    }


def cost(schedule: Schedule, parameters: HierarchyParameters) -> dict[str, dict[str, int]]:
    """Count what each phase of a schedule costs.

    Parameters
    ----------
    schedule : Schedule
    parameters : HierarchyParameters
        Of the network that the schedule is for.

    Returns
    -------
    costs : dict of dict
        Phase ("wake", "sleep", "evaluation") -> number, of ``presentations``; ``half_cycles`` (of recirculation:
        populations compare what they sent with what came back); ``synaptic_events`` (a synapse that carries a rate,
        or changes, once; a batch counts as its stimuli); ``operations`` (floating-point, of synapses: those of
        neurons are left out).
    """
    sizes, counted = synapses(parameters), ("presentations", "half_cycles", "synaptic_events", "operations")
    work = SYNAPTIC_WORK | ({"error_gate": ("feedback", 2)} if parameters.is_leaky else {})
    costs = {name: dict.fromkeys(PHASES, 0) for name in counted}
    opened = set().union(*schedule.gates.values())
    for phase, kinds in PHASES.items():
        costs["presentations"][phase] = schedule.n_presentations(phase)
        lowest = -1 if phase == "sleep" else 0  # noise has no row
        n_shown = np.isin(schedule.kind, kinds) * (schedule.stimulus >= lowest).sum(axis=1)
        n = {gate: int(n_shown[schedule.gate(gate)].sum()) for gate in opened & {*work, *COMPARING}}
        costs["half_cycles"][phase] = sum(n.get(gate, 0) for gate in COMPARING)
        for gate, (projections, operations) in work.items():
            costs["synaptic_events"][phase] += n.get(gate, 0) * sizes[projections]
            costs["operations"][phase] += n.get(gate, 0) * sizes[projections] * operations
    return costs

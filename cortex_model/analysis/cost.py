"""What a run costs, counted from its schedule and its rule: presentations, half cycles, synaptic events, operations."""

from cortex_model.language.cost import cost as of_presentation
from cortex_model.language.moments import Learn
from cortex_model.language.placed import PlacedRule
from cortex_model.parameters import HierarchyParameters
from cortex_model.schedule import Schedule, declared

#: Phases whose costs are counted.
PHASES = ("wake", "sleep", "evaluation")


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
        Phase ("wake", "sleep", "evaluation") -> number, of ``presentations``; ``half_cycles`` (of sleep: each ends in
        a change of weights); ``synaptic_events`` (a synapse that carries a rate, or changes, once; a batch counts as
        its stimuli); ``operations`` (floating-point, of synapses: those of neurons are left out).
    """
    counted = ("presentations", "half_cycles", "synaptic_events", "operations")
    costs = {name: dict.fromkeys(PHASES, 0) for name in counted}
    own = declared(parameters)
    placed, counts = PlacedRule(own.rule, parameters.layer_sizes, parameters.delays), own.counts
    for phase in PHASES:
        n = schedule.n_presentations(phase)
        costs["presentations"][phase] = n
        if n == 0:
            continue
        one = of_presentation(placed, phase, counts)
        costs["synaptic_events"][phase] = n * one.synaptic_events
        costs["operations"][phase] = n * one.operations
        if phase == "sleep":
            events = (event for group in placed.groups(phase, counts) for event in group)
            biases = {name for name, its in own.rule.projections.items() if its.pre.strip() == "1"}
            learned = {event.moment for event in events if isinstance(event.moment, Learn)}
            changes = {moment for moment in learned if moment.projection not in biases}
            costs["half_cycles"][phase] = n * len(changes)
    return costs

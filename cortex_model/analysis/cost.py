"""What a run costs, counted from its schedule and its rule: presentations, half cycles, synaptic events, operations."""

from collections.abc import Mapping

import numpy as np

from cortex_model.language.cost import cost as of_presentation
from cortex_model.language.cost import synapses_per_spike
from cortex_model.language.moments import Learn
from cortex_model.language.placed import PlacedRule
from cortex_model.parameters import HierarchyParameters
from cortex_model.schedule import Schedule, declared

#: Phases whose costs are counted.
PHASES = ("wake", "sleep", "evaluation")


def cost(
    schedule: Schedule, parameters: HierarchyParameters, events: Mapping[str, np.ndarray] | None = None
) -> dict[str, dict[str, int]]:
    """Count what each phase of a schedule costs.

    Parameters
    ----------
    schedule : Schedule
    parameters : HierarchyParameters
        Of the network that the schedule is for.
    events : dict of ndarray, optional
        Where neurons send spikes, how many there were in each population: ``spikes_in_wake``, and the like. Each
        arrives at every synapse of its neuron, to be multiplied and added; changes of weights are left out.

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
        for (name, its, level), counted in own.events_counted.items():
            if its == phase and events:
                arrived = int(events[counted][level]) * synapses_per_spike(placed, phase, name, level)
                costs["synaptic_events"][phase] += arrived
                costs["operations"][phase] += 2 * arrived
        if phase == "sleep":
            happening = (event for group in placed.groups(phase, counts) for event in group)
            biases = {name for name, its in own.rule.projections.items() if its.pre.strip() == "1"}
            learned = {event.moment for event in happening if isinstance(event.moment, Learn)}
            changes = {moment for moment in learned if moment.projection not in biases}
            costs["half_cycles"][phase] = n * len(changes)
    return costs

"""Interventions of parameters as what the host does before given presentations of a schedule."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from cortex_model.language.moments import Host
from cortex_model.language.options import relative_rate
from cortex_model.parameters.interventions import Intervention, read_intervention
from cortex_model.schedule.declared import declared
from cortex_model.schedule.presentations import SLEEP, WAKE, Schedule

#: Action -> what the host does, of the projection X.
CODE = {
    "silence": "X = silenced(X, normal(X), {amount!r})",
    "shuffle": "X = shuffled(X, normal(X))",
    "scale": "X = {amount!r}*X",
}


def with_interventions(schedule: Schedule, parameters) -> Schedule:
    """A schedule with what ``interventions`` of parameters say; the same one where nothing learns in it.

    Raises
    ------
    ParameterError
        For one that comes after the end.
    """
    texts = getattr(parameters, "interventions", ())
    if not texts or not np.isin(schedule.phase, (WAKE, SLEEP)).any():
        return schedule
    found = dict(schedule.interventions)
    for intervention in map(read_intervention, texts):
        place = schedule.place_after(intervention.at, f"Parameters.interventions, {str(intervention)!r}")
        for host in _hosts(parameters, intervention):
            found[host] = np.union1d(found.get(host, np.zeros(0, np.int64)), np.array([place], np.int64))
    return replace(schedule, interventions=found)


def _hosts(p, intervention: Intervention) -> Iterator[Host]:
    name, rate = intervention.projection, relative_rate(intervention.projection)
    levels = [l for other, l in declared(p).placed.synapses if other == name]
    for level in levels if intervention.level is None else [intervention.level]:
        if intervention.action in CODE:
            code = CODE[intervention.action].format(amount=intervention.amount).replace("X", name)
        else:
            code = f"{rate} = {p.relative_rate(name, level) if intervention.action == 'release' else 0.0!r}"
        yield Host(name, code, levels=str(level))

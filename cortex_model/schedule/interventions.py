"""Interventions of parameters as what the host does before given presentations of a schedule."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

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
    for nth, intervention in enumerate(sorted(map(read_intervention, texts), key=lambda each: each.at)):
        place = schedule.place_after(intervention.at, f"Parameters.interventions, {str(intervention)!r}")
        found |= {host: np.array([place], np.int64) for host in _hosts(parameters, intervention, nth)}
    return replace(schedule, interventions=found)


@dataclass(frozen=True)
class OneOf(Host):
    """What the host does as one of the interventions of parameters says; two of them may do the same.

    Attributes
    ----------
    nth : int
        Which one, in the order in which they happen.
    """

    nth: int = 0


def _hosts(p, intervention: Intervention, nth: int) -> Iterator[Host]:
    name, rate = intervention.projection, relative_rate(intervention.projection)
    levels = [l for other, l in declared(p).placed.synapses if other == name]
    for level in levels if intervention.level is None else [intervention.level]:
        if intervention.action in CODE:
            code = CODE[intervention.action].format(amount=intervention.amount).replace("X", name)
        else:
            code = f"{rate} = {(p.relative_rate(name, level) or 1.0) if intervention.action == 'release' else 0.0!r}"
        yield OneOf(name, code, levels=str(level), nth=nth)

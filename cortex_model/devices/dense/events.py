"""Spikes, and other events: each walks the synapses of its neuron, which are one row of weights, or one column.

Stock Brian2 keeps lists of the synapses of each neuron, and a delay for each synapse. All-to-all synapses need neither:
what a neuron of number i sends arrives at the synapses i*N_post ... i*N_post + N_post - 1. Delays are one number for
all, by a ring of lists of events, one list a time step.
"""

import numpy as np
from brian2 import second

from cortex_model.errors import DeviceError


class EventRing:
    """Events on their way, on the runtime device.

    Parameters
    ----------
    pathway : brian2.synapses.synapses.SynapticPathway
    """

    def __init__(self, pathway):
        self.pathway, self.steps, self.lists = pathway, None, []

    def prepare(self) -> None:
        """Begin a run: the delay may be another one now, and what is on its way is lost then."""
        steps = int(float(self.pathway.variables["delay"].get_value()[0]) / self.pathway.source.clock.dt_ + 0.5)
        if steps != self.steps:
            self.steps, self.lists = steps, [np.zeros(0, np.int32) for _ in range(steps)]

    def due(self) -> np.ndarray:
        """Take in those of this time step, neurons of the group that the source is part of; those that arrive in it."""
        space = self.pathway.source.variables[self.pathway.eventspace_name].get_value()
        events = space[: space[-1]]
        is_ours = (events >= self.pathway.spikes_start) & (events < self.pathway.spikes_stop)
        self.lists.append(events[is_ours].astype(np.int32))
        return self.lists.pop(0)


def walk_rows(synapses, codeobj_class: type) -> None:
    """Let the pathways of Synapses that are not connected yet walk rows, or columns, and have one delay each."""
    for each in (synapses, *synapses._pathways):
        object.__setattr__(each, "walks_rows", True)  # groups refuse attributes that are no variables
    for pathway in synapses._pathways:
        delay = pathway.variables["delay"]
        if not delay.scalar:
            synapses.unregister_variable(delay)
            _set_one_delay(pathway)
        pathway.codeobj_class = codeobj_class
        pathway.variables.add_object("_events", EventRing(pathway))


def _set_one_delay(pathway):
    """What Brian2 does where a delay is given: a single number, which is no delay here."""
    del pathway.variables._variables["delay"]
    pathway.variables.add_dynamic_array("delay", dimensions=second.dim, size=1, constant=True, scalar=True)
    pathway.variables["delay"].resize(1)
    pathway.variables["delay"].set_value(0 * second)
    pathway._delays = pathway.variables["delay"]


def check_batch(synapses, batch: int) -> None:
    """Refuse events of presentations that share synapses: their changes could not be added up."""
    if synapses._pathways and batch > 1:
        raise DeviceError(
            f"dense.{synapses.name}: must have no code for spikes where a batch shares the synapses (got the pathway "
            f"{synapses._pathways[0].objname!r} and a batch of {batch}); use batch=1."
        )

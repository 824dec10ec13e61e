"""What a simulation takes of memory at least, asked before anything is built: by what a user can lower."""

import math

import numpy as np

from cortex_model.schedule.declared import declared
from cortex_model.schedule.presentations import Schedule
from cortex_model.system.memory import must_fit, product
from cortex_model.weights import shapes_of

#: Times that a weight is kept: at the start, now, on its way to the device, there, and on its way back.
COPIES = 5
#: Bytes of the indices of a synapse of stock Brian2, on the device and while they are made.
INDICES = 16
#: Bytes of a row of a stimulus, or of the number of a presentation, on the host and on the device.
ROW = 12


def room_of(parameters, n_networks: int = 1, schedule: Schedule | None = None) -> dict[str, float]:
    """Bytes that a simulation takes at least, by the parameter that decides them.

    Parameters
    ----------
    parameters : HierarchyParameters
    n_networks : int
        Networks side by side.
    schedule : Schedule, optional
        Without it only what does not depend on one.
    """
    p, own, item = parameters, declared(parameters), np.dtype(parameters.dtype).itemsize
    n_synapses = sum(product(*shape) for shape in shapes_of(p).values())
    n_variables = sum(product(n, len(own.placed.variables(l))) for l, n in enumerate(p.layer_sizes))
    room = {
        "layer_sizes": n_networks * (n_synapses * (COPIES * item + (0 if p.dense else INDICES)) + n_variables * item),
        "batch_size": product(n_networks, p.batch_size - 1, n_variables, item),
    }
    if schedule is not None and len(schedule):
        n = min(p.chunk_presentations, len(schedule))
        n_slots = n * schedule.n_slots / len(schedule)
        its = len(own.gates) + product(n_networks, p.batch_size, 2 * ROW)
        n_answers = min(n, schedule.n_presentations("evaluation") / p.batch_size)
        answers = product(n_answers, n_networks, p.batch_size, p.layer_sizes[-1], 2 * item)
        room["chunk_presentations"] = n_slots * its + answers
    return room


def check_room(parameters, n_networks: int = 1, schedule: Schedule | None = None) -> None:
    """Refuse a simulation that memory does not hold; what to lower is what takes most.

    Raises
    ------
    ParameterError
        With the number of bytes.
    """
    room = room_of(parameters, n_networks, schedule)
    name = max(room, key=room.get)
    value = ",".join(map(str, np.atleast_1d(getattr(parameters, name))))
    fewer = f", or run fewer than {n_networks} networks together" if n_networks > 1 else ""
    must_fit(math.fsum(room.values()), "Simulation", f"lower {name} from {value}, which takes most of it{fewer}")

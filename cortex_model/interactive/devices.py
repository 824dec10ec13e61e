"""On which device a call runs: a small job does not wait for a compiler."""

from collections import OrderedDict
from typing import Any

from cortex_model.devices.availability import default_device
from cortex_model.devices.simulation import Simulation
from cortex_model.parameters import content_hash
from cortex_model.schedule import Schedule
from cortex_model.schedule.declared import program_structure

#: What the runtime device takes, in seconds: a slot, and a synapse in a slot (with its batch). Rough, and the same on
#: every machine, so that the same calls run on the same devices and give the same bits.
SECONDS_OF_A_SLOT, SECONDS_OF_A_SYNAPSE = 5e-4, 5e-9
#: What compiling a program takes.
SECONDS_OF_COMPILING = 8.0


def seconds_on_runtime(schedule: Schedule, parameters: Any) -> float:
    """About how long a schedule would take on the runtime device."""
    sizes = parameters.layer_sizes
    n_synapses = sum(n * m for n, m in zip(sizes, sizes[1:], strict=False)) * parameters.batch_size
    return schedule.n_slots * (SECONDS_OF_A_SLOT + SECONDS_OF_A_SYNAPSE * n_synapses)


def device_for(schedule: Schedule, parameters: Any, present: str) -> str:
    """``"runtime"`` for what would take it less than compiling does; once it was left, it is not gone back to."""
    if present != "runtime" or seconds_on_runtime(schedule, parameters) < SECONDS_OF_COMPILING:
        return present
    return default_device()


#: Simulations that several hierarchies share, the one used last at the end.
_SHARED: OrderedDict[str, Simulation] = OrderedDict()
MOST_SHARED = 4


def simulation_for(parameters: Any, device: str) -> Simulation:
    """A simulation that hierarchies of the same structure and rule share, one call after another.

    Weights, noise and the numbers of a rule are handed over with each call; so cross-validation and grid search build
    the Brian2 objects once.
    """
    p = parameters
    options = p.learning_rule, p.rule_options, device, p.codegen_target, p.chunk_presentations
    key = content_hash(program_structure(p), *options)
    simulation = _SHARED.pop(key, None) or Simulation(p, device, p.codegen_target)
    _SHARED[key] = simulation
    while len(_SHARED) > MOST_SHARED:
        _SHARED.popitem(last=False)
    return simulation

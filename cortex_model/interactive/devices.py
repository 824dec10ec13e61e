"""On which device a call runs: a small job does not wait for a compiler."""

from typing import Any

from cortex_model.devices.availability import default_device
from cortex_model.schedule import Schedule

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

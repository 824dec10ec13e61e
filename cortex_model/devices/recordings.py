"""What monitors of a user's own have recorded, over all chunks of a run."""

from typing import Any

import numpy as np


def monitored_arrays(arrays: dict[str, dict[str, Any]]) -> list[str]:
    """Those of a program's arrays that monitors fill: name -> its dtype, size and role."""
    return [
        name
        for name, array in arrays.items()
        if array["role"] == "monitor" and (array["size"] is None or name[-2:] == ".N")
    ]


def recorded(monitor, kept: dict[str, list[np.ndarray]] | None) -> dict[str, np.ndarray]:
    """What a monitor has recorded.

    Parameters
    ----------
    monitor : StateMonitor, SpikeMonitor, EventMonitor or PopulationRateMonitor
    kept : dict, optional
        Array of the program -> what it held after each chunk; None on the runtime device, where the monitor has it all.

    Returns
    -------
    arrays : dict
        ``t`` in seconds, shape (n_times,), and each recorded variable: of a StateMonitor with shape
        (n_recorded, n_times), of the others one value an event or a step; ``i`` is the neuron that had the event.
    """
    from brian2 import EventMonitor, StateMonitor

    def values(name):
        if kept is None:
            return np.array(monitor.variables[name].get_value())
        return np.concatenate(kept.get(f"{monitor.name}.{name}", [np.zeros(0)]))

    has_traces = isinstance(monitor, StateMonitor)
    if isinstance(monitor, EventMonitor):
        names = sorted(monitor.record_variables)
    else:
        names = ["t", *(monitor.record_variables if has_traces else ["rate"])]
    arrays = {name: values(name) for name in names}
    for name in names if has_traces else ():
        if name != "t":
            arrays[name] = arrays[name].reshape(-1, len(monitor.record)).T
    return arrays

"""Traces as files, and as objects of Neo."""

from pathlib import Path
from typing import Any

import numpy as np

from cortex_model.errors import ParameterError
from cortex_model.system.arrays import read_arrays, write_netcdf
from cortex_model.traces.recording import CELLS


def write_traces(dataset: Any, path: Path | str) -> None:
    """Write traces as NetCDF, with ``time`` in seconds."""
    write_netcdf(Path(path), dataset)


def read_traces(path: Path | str):
    """Traces that `write_traces` has written: an xarray.Dataset.

    Raises
    ------
    RunError
        If the file is missing or damaged.
    """
    return read_arrays(Path(path))


def to_neo(dataset: Any):
    """Traces as Neo objects: a Block with one Segment a stimulus.

    Parameters
    ----------
    dataset : xarray.Dataset
        Of `perception`, `recall` or `spikes`.

    Returns
    -------
    block : neo.Block
        In each Segment one AnalogSignal a population and variable, of shape (time, neuron) and with the names of the
        dataset's variables; they begin with its first ``time``. Of spikes, one SpikeTrain a cell: for each neuron of a
        population its ON and its OFF cell, forward and feedback; times in ms from the beginning of the presentation, at
        whose end trains stop; annotations ``population``, ``neuron``, ``cell`` and ``sign`` say whose it is.

    Raises
    ------
    ParameterError
        Where Neo is not installed.
    """
    try:
        import neo
        import quantities
    except ImportError:
        raise ParameterError(
            "to_neo: must find the package neo (got none); install it: pip install 'cortex-model[neo]'."
        ) from None
    block = neo.Block(name=dataset.attrs.get("description"))
    period = dataset.attrs["time_step_ms"] / 1000 * quantities.s
    start = float(dataset["time"][0]) * quantities.s
    for stimulus in dataset["stimulus"].values:
        segment = neo.Segment(name=f"stimulus {stimulus}", index=int(stimulus))
        for name, values in dataset.sel(stimulus=stimulus).data_vars.items():
            if values.dtype == np.int8:
                segment.spiketrains.extend(list(_spike_trains(name, values)))
                continue
            signal = neo.AnalogSignal(
                values.values, units=quantities.dimensionless, sampling_period=period, t_start=start, name=name
            )
            segment.analogsignals.append(signal)
        block.segments.append(segment)
    return block


def _spike_trains(name, values):
    """A train for the ON and the OFF cell of each neuron."""
    import neo

    event, _, level = name.rpartition("s_")
    times = 1000 * values["time"].values
    for neuron, its in enumerate(values.values.T):
        for sign, word in ((1, "ON"), (-1, "OFF")):
            yield neo.SpikeTrain(
                times[its == sign], units="ms", t_start=0.0, t_stop=times[-1], name=f"{name}, neuron {neuron}, {word}",
                population=int(level), neuron=neuron, cell=CELLS.get(event, event), sign=word,
            )  # fmt: skip

"""Numbers of spike trains: firing rates, how regular intervals are, and how many spikes there are of each kind."""

from typing import Any

import numpy as np

#: Sign of a spike -> the cell of a neuron that sends it.
SIGNS = {1: "ON", -1: "OFF"}
#: What stands before ``spikes_l`` in traces -> the cells that send them.
CELLS = {"": "forward", "feedback_": "feedback"}


def firing_rates(spikes: np.ndarray, time_step_ms: float, sign: int = 0) -> np.ndarray:
    """How many spikes each neuron sends in a second.

    Parameters
    ----------
    spikes : ndarray of int, shape (n_stimuli, n_times, n_neurons)
        1 where the ON cell of a neuron sends a spike in a time step, -1 where the OFF cell does, else 0, as
        `cortex_model.traces.spikes` has them.
    time_step_ms : float
    sign : {0, 1, -1}
        Of spikes that are counted: of both cells, of the ON cell, of the OFF cell.

    Returns
    -------
    rates : ndarray, shape (n_stimuli, n_neurons)
        In Hz.
    """
    return 1000 * _sent(spikes, sign).sum(axis=1) / (spikes.shape[1] * time_step_ms)


def interval_variation(spikes: np.ndarray, sign: int = 0) -> np.ndarray:
    """Coefficient of variation of the intervals between a neuron's spikes: 0 of a clock, 1 of a Poisson process.

    Parameters
    ----------
    spikes, sign
        See `firing_rates`.

    Returns
    -------
    variation : ndarray, shape (n_neurons,)
        Standard deviation of intervals within presentations, of all presentations together, divided by their mean; NaN
        for a neuron with fewer than two intervals.
    """
    found = np.full(spikes.shape[2], np.nan)
    for neuron, its in enumerate(np.moveaxis(_sent(spikes, sign), 2, 0)):
        intervals = np.concatenate([np.diff(np.flatnonzero(presentation)) for presentation in its])
        if len(intervals) > 1:
            found[neuron] = intervals.std() / intervals.mean()
    return found


def spike_measures(traces: Any):
    """Rates, regularity and counts of all spikes in traces.

    Parameters
    ----------
    traces : xarray.Dataset
        Of `cortex_model.traces.spikes`, or of perception or recall in spikes.

    Returns
    -------
    measures : xarray.Dataset
        ``firing_rate_l``, in Hz, and ``interval_variation_l`` of each neuron of population l, its ON and OFF cell
        together, and ``feedback_...`` of feedback cells; ``spikes_per_presentation``, the sum over a population, of
        dimensions (cell, sign, population); 0 where a population has no such cells.
    """
    import xarray

    levels = range(sum(name.startswith("spikes_") for name in traces.data_vars))
    measures = xarray.Dataset(
        coords={"cell": [*CELLS.values()], "sign": [*SIGNS.values()], "population": list(levels)},
        attrs={"description": f"spikes in {traces.attrs['description']}"},
    )
    counts = np.zeros((len(CELLS), len(SIGNS), len(levels)))
    for at, before in enumerate(CELLS):
        for level in (level for level in levels if f"{before}spikes_{level}" in traces):
            spikes, neuron = traces[f"{before}spikes_{level}"].values, f"neuron_{level}"
            rates = firing_rates(spikes, traces.attrs["time_step_ms"]).mean(axis=0)
            measures[f"{before}firing_rate_{level}"] = neuron, rates, {"units": "Hz"}
            measures[f"{before}interval_variation_{level}"] = neuron, interval_variation(spikes), {"units": "1"}
            counts[at, :, level] = [_sent(spikes, sign).sum() / len(spikes) for sign in SIGNS]
    measures["spikes_per_presentation"] = ("cell", "sign", "population"), counts, {"units": "1"}
    return measures


def _sent(spikes, sign):
    """Whether a spike of some sign is sent."""
    return spikes == sign if sign else spikes != 0

"""What the runs of a sweep measured, as one dataset over the swept parameters and the seeds."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from cortex_model.runs.directory import RunDirectory


def gathered(runs: list[RunDirectory | None], failures: list[str], axes: Mapping[str, list]):
    """One dataset of all finished runs.

    Parameters
    ----------
    runs : list of RunDirectory or None
        In the order of the product of the axes, the last varying fastest; None where there can be no run.
    failures : list of str
        The sentence that ended each run; empty where it has finished.
    axes : dict
        Swept parameter -> its values, as labels; ``seed`` last.

    Returns
    -------
    dataset : xarray.Dataset
        Every measure over the swept parameters, seed, and its own dimensions, shorter runs filled with NaN at the
        end; the single numbers of the summaries; ``run``, the names of the run directories; ``failure``. Coordinates
        of the measures are kept where all runs share them: ``look`` is not where they slept or learned differently.
    """
    import xarray

    finished = {at: run for at, run in enumerate(runs) if run is not None and not failures[at]}
    names = np.array([run.path.name if run is not None else "" for run in runs], dtype=object)
    shape = [len(values) for values in axes.values()]

    def over_axes(flat):
        return flat.reshape(*shape, *flat.shape[1:])

    variables: dict[str, tuple] = {
        "run": (list(axes), over_axes(names)),
        "failure": (list(axes), over_axes(np.array(failures, dtype=object))),
    }
    tables = {at: {n: a for n, a in run.measures().items() if n not in axes} for at, run in finished.items()}
    for name, (dims, values, attributes) in _stacked(tables, len(runs)).items():
        variables[name] = ([*axes, *dims], over_axes(values), attributes)
    for name, values in _numbers({at: run.summary() for at, run in finished.items()}, len(runs)).items():
        if name not in variables and name not in axes:
            variables[name] = (list(axes), over_axes(values))
    coords = {name: list(values) for name, values in axes.items()}
    for dim, values in _coordinates([run.measures().coords for run in finished.values()]).items():
        coords.setdefault(dim, values)
    return xarray.Dataset(variables, coords=coords)


def _coordinates(of_runs):
    """Dimension -> its coordinate, where that of every run is the beginning of the longest."""
    common: dict[str, Any] = {}
    for dim in sorted(set().union(*of_runs)):
        longest = max((its[dim] for its in of_runs if dim in its), key=len)
        if all(dim in its and np.array_equal(its[dim], longest[: len(its[dim])]) for its in of_runs):
            common[dim] = (dim, longest.values, dict(longest.attrs))
    return common


def _stacked(tables, n_runs):
    """Measure -> (its own dimensions, values with one row a run, attributes)."""
    sizes: dict[str, int] = {}
    first: dict[str, Any] = {}
    for table in tables.values():
        for name, array in table.items():
            first.setdefault(name, array)
            for dim, size in array.sizes.items():
                sizes[dim] = max(size, sizes.get(dim, 0))
    stacked = {}
    for name, like in first.items():
        values = np.full((n_runs, *(sizes[dim] for dim in like.dims)), np.nan)
        for at, table in tables.items():
            if name in table:
                values[(at, *map(slice, table[name].shape))] = table[name].values
        stacked[name] = list(like.dims), values, dict(like.attrs)
    return stacked


def _numbers(summaries, n_runs):
    """Single number of the summaries -> one value a run."""
    numbers: dict[str, np.ndarray] = {}
    for at, summary in summaries.items():
        for name, value in summary.items():
            if isinstance(value, int | float):
                numbers.setdefault(name, np.full(n_runs, np.nan))[at] = value
    return numbers

"""Cortical hierarchies that learn through their reciprocal feedback connections, on Brian2."""

from collections.abc import Iterable, Mapping
from typing import Any

__version__ = "0.1.0"

#: What is loaded when it is first asked for: name -> module.
_LAZY = {
    "Cortex": "cortex_model.interactive.cortex",
    "CortexClassifier": "cortex_model.interactive.classifier",
    "RunDirectory": "cortex_model.runs.directory",
}


def __getattr__(name: str) -> Any:
    """`Cortex`, `CortexClassifier` and `RunDirectory`, which need more than the rest of this module."""
    if name in _LAZY:
        from importlib import import_module

        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'cortex_model' has no attribute {name!r}")


def __dir__() -> list[str]:
    """So that notebooks complete their names, too."""
    return sorted({*globals(), *_LAZY})


def run(
    protocol: str, *, seed: int = 0, device: str | None = None, out: str = "runs", again: bool = False, **overrides: Any
):
    """Run a protocol, or go on with it, or return the finished run.

    Parameters
    ----------
    protocol : str or Path
        Name of a protocol, or a file that defines one.
    seed : int
        Of weights, noise and order of stimuli.
    device : str, optional
        ``"cpp_standalone"`` or ``"runtime"``; unless given, the fastest that can run here.
    out : str
        Folder below which the run directory is made.
    again : bool
        Whether to start anew even if the run has finished.
    **overrides
        Parameters of the protocol, by name.

    Returns
    -------
    directory : cortex_model.runs.directory.RunDirectory
        With ``summary()``, ``measures()`` (an xarray.Dataset) and ``weights()``.

    Raises
    ------
    CortexModelError
        With one sentence: where, what must hold, what was got, what to do.

    Warns
    -----
    CortexModelWarning
        If the finished run was made by other sources of this package than today's.
    """
    import warnings
    from pathlib import Path

    from cortex_model.cli.printing import out_folder_of
    from cortex_model.devices.availability import chosen_device
    from cortex_model.errors import CortexModelWarning
    from cortex_model.parameters import checked_seed
    from cortex_model.runs.directory import RunDirectory
    from cortex_model.runs.protocol import load_protocol
    from cortex_model.runs.running import start

    device, seed = chosen_device(device), checked_seed(seed, "seed")
    parameters = load_protocol(protocol).parameters().with_overrides(overrides)
    parameters.check_asked(overrides)
    summary = start(protocol, parameters, seed, device, out_folder_of(out), again=again)
    if other := summary.get("made_by_other_sources"):
        warnings.warn(CortexModelWarning(f"{summary['run_dir']}: {other}"), stacklevel=2)
    return RunDirectory(Path(summary["run_dir"]))


def sweep(
    protocol: str,
    grid: Mapping[str, Iterable],
    *,
    seeds: int | Iterable[int] = 1,
    device: str | None = None,
    out: str = "runs",
    scheduler: str | None = None,
    workers: int | None = None,
    ensemble_size: int = 1,
    again: bool = False,
    **overrides: Any,
):
    """Run every combination of a grid with every seed, on all cores, and gather what they measured.

    A finished run is not repeated, an interrupted one goes on from its checkpoint, and one that fails leaves its
    sentence and does not stop the others. The dataset is also written to ``out/sweep.nc``, with one row a run in
    ``out/sweep.csv``; the next sweep into the same folder replaces both, but shares the runs.

    Parameters
    ----------
    protocol : str
        Name of a protocol, or a file that defines one.
    grid : dict
        Parameter -> the values to try.
    seeds : int or iterable of int
        Seeds 0 ... n - 1 for a number.
    device : str, optional
        As for `run`.
    out : str
        Folder below which the run directories are made; workers on other machines must see it too.
    scheduler : str, optional
        Address of a dask scheduler, such as that of a ``dask_jobqueue.SLURMCluster``; unless given, the runs are
        made on this machine.
    workers : int, optional
        Processes on this machine, each with one thread; as many as there are cores.
    ensemble_size : int
        Seeds that are run in one program, with the results that they have alone.
    again : bool
        Whether finished runs that other sources of this package made are made anew; otherwise a warning counts them.
    **overrides
        Parameters that all runs share, by name.

    Returns
    -------
    dataset : xarray.Dataset
        Dimensions: the swept parameters, ``seed``, and those of the measures, of which shorter ones are filled with
        NaN at the end. Variables: the measures, the single numbers of the summaries, ``run`` (names of the run
        directories) and ``failure`` (a sentence, or nothing).

    Raises
    ------
    CortexModelError
        If the grid itself is wrong; what a run complains about is its ``failure``.
    """
    from cortex_model.cli.printing import out_folder_of
    from cortex_model.sweeps.sweeping import sweep as make

    where = (device, out_folder_of(out), scheduler, workers, ensemble_size)
    return make(protocol, grid, overrides, seeds, *where, again=again)


def report(runs: Any, *, out: str = "report.html"):
    """Write one HTML page about runs that needs nothing but itself.

    Parameters
    ----------
    runs : path or RunDirectory, or iterable of these
        Run directories, or folders that hold some.
    out : str or Path
        The file.

    Returns
    -------
    path : Path
        Of the page.

    Raises
    ------
    CortexModelError
        If no run can be read, or the page cannot be written.

    Warns
    -----
    CortexModelWarning
        For each run that has not finished, or cannot be read: the others are on the page.
    """
    import warnings
    from pathlib import Path

    from cortex_model.errors import CortexModelWarning
    from cortex_model.reports.page import write_report
    from cortex_model.runs.directory import RunDirectory

    path, sentences = write_report([runs] if isinstance(runs, str | Path | RunDirectory) else runs, out)
    for sentence in sentences:
        warnings.warn(CortexModelWarning(sentence), stacklevel=2)
    return path

"""A sweep from its grid to its dataset: what is there already, what is missing, what has failed."""

import csv
import json
import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cortex_model.devices.availability import check_device, default_device
from cortex_model.errors import RunError
from cortex_model.parameters import MOST_SEEDS, checked_number, content_hash
from cortex_model.runs.directory import RunDirectory
from cortex_model.runs.protocol import load_protocol
from cortex_model.runs.provenance import damage, mind_other_sources
from cortex_model.schedule.declared import program_structure
from cortex_model.sweeps.gathering import gathered
from cortex_model.sweeps.grid import Asked, asked_runs, checked_grid, checked_seeds, model_for, shown
from cortex_model.system.arrays import write_netcdf
from cortex_model.system.storage import write_whole

STATES = ("waiting", "running", "finished", "failed")
DATASET, TABLE = "sweep.nc", "sweep.csv"
#: What stands in the place of a failure for runs that an interruption has left.
UNFINISHED = "the sweep was interrupted before its end; the same command goes on."
#: Processes on this machine, and runs in one sweep: more than anybody can wait for.
MOST_WORKERS, MOST_RUNS = 1024, 1_000_000


@dataclass
class Progress:
    """How far a sweep is.

    Attributes
    ----------
    asked : list of Asked
    states : list of str
        Of each run: one of `STATES`.
    failures : list of str
        Of each run: the sentence that ended it, or nothing.
    """

    asked: list[Asked]
    states: list[str]
    failures: list[str]
    began: float = field(default_factory=time.monotonic)
    n_there: int = 0

    def __post_init__(self):
        self.n_there = self.n_ended

    @property
    def n_ended(self) -> int:
        """Runs that have finished or failed."""
        return self.counts()["finished"] + self.counts()["failed"]

    def counts(self) -> dict[str, int]:
        """State -> number of runs."""
        return {state: self.states.count(state) for state in STATES}

    def seconds_left(self) -> float | None:
        """Time that the rest takes at the pace so far; None before the first run has ended."""
        n_ended = self.n_ended - self.n_there
        pace = (time.monotonic() - self.began) / n_ended if n_ended else None
        return None if pace is None else pace * (len(self.states) - self.n_ended)


def sweep(
    protocol: str,
    grid: Mapping[str, Iterable],
    fixed: Mapping[str, Any],
    seeds: int | Iterable[int] = 1,
    device: str | None = None,
    out: Path = Path("runs"),
    scheduler: str | None = None,
    workers: int | None = None,
    ensemble_size: int = 1,
    report: Callable[[Progress, list[int]], None] = lambda *_: None,
    again: bool = False,
):
    """Make the runs of a sweep that are not there yet; see `cortex_model.sweep`.

    Parameters
    ----------
    fixed : dict
        Parameters that all runs share.
    report : callable
        Called with the progress and the runs whose state has just changed.

    Returns
    -------
    dataset : xarray.Dataset
    """
    protocol, loaded, out = str(protocol), load_protocol(protocol), Path(out).resolve()
    model = model_for(loaded.parameters, grid, fixed)
    grid = checked_grid(model, grid, fixed)
    seeds = checked_seeds(seeds)
    for name, number, most in (("--workers", workers, MOST_WORKERS), ("--ensemble-size", ensemble_size, MOST_SEEDS)):
        if number is not None:
            checked_number(name, number, most)
    checked_number("--grid", len(seeds) * math.prod(map(len, grid.values())), MOST_RUNS, "runs")
    device = default_device() if device is None else device
    if scheduler is None:
        check_device(device)
    asked = asked_runs(model, grid, fixed, seeds)
    runs = [
        None if run.parameters is None else RunDirectory(out / loaded.run_name(run.parameters, run.seed, device))
        for run in asked
    ]
    _make_folder(out)
    mind_other_sources([run for run in runs if run is not None], again)
    is_there = [run is not None and run.has_finished for run in runs]
    failures = [damage(run) if done else one.failure for one, run, done in zip(asked, runs, is_there, strict=True)]
    there = [
        "failed" if why else "finished" if done else "waiting" for why, done in zip(failures, is_there, strict=True)
    ]
    progress = Progress(asked, there, failures)
    report(progress, [at for at, state in enumerate(there) if state != "waiting"])
    axes = {name: [shown(value) for value in values] for name, values in grid.items()} | {"seed": seeds}
    about = {"protocol": loaded.name, "device": device, "fixed": json.dumps(dict(fixed), default=str)}
    groups = _grouped(asked, [at for at, state in enumerate(there) if state == "waiting"], ensemble_size)
    if groups:
        from cortex_model.sweeps.cluster import handed_out

        what = {"protocol": str(Path(protocol).resolve()) if protocol.endswith(".py") else loaded.name}
        what |= {"device": device, "parent": str(out)}
        jobs = [
            what
            | {"runs": [(asked[at].parameters.model_dump(mode="json"), asked[at].seed) for at in group]}
            | {"names": [runs[at].path.name for at in group]}
            for group in groups
        ]
        try:
            for at, failures in handed_out(jobs, scheduler, workers):
                _note(progress, runs, groups[at], failures)
                report(progress, groups[at])
        except BaseException:
            _write(out, progress, runs, axes, about)
            raise
    return _write(out, progress, runs, axes, about)


def _write(out, progress, runs, axes, about):
    """Gather what has finished, also of a sweep that is interrupted: the dataset, and the table of all runs."""
    failures = [
        UNFINISHED if state in ("waiting", "running") else failure
        for state, failure in zip(progress.states, progress.failures, strict=True)
    ]
    dataset = gathered(runs, failures, axes)
    dataset.attrs = about
    write_netcdf(out / DATASET, dataset)
    write_whole(out / TABLE, lambda part: _write_table(part, progress, runs))
    return dataset


def _grouped(asked, waiting, ensemble_size):
    """Runs that differ in their seed alone, up to ``ensemble_size`` of them together; each program's first one ahead.

    So different programs are compiled at once, instead of all workers waiting for the first.
    """
    alike: dict[str, list[int]] = {}
    for at in waiting:
        alike.setdefault(asked[at].parameters.content_hash, []).append(at)
    groups = [every[n : n + ensemble_size] for every in alike.values() for n in range(0, len(every), ensemble_size)]
    first: dict[str, list[int]] = {}
    for group in groups:
        first.setdefault(content_hash(program_structure(asked[group[0]].parameters)), group)
    return [*first.values(), *(group for group in groups if group not in first.values())]


def _note(progress, runs, group, failures):
    if failures is None:
        for at in group:
            progress.states[at] = "running" if progress.states[at] == "waiting" else progress.states[at]
        return
    for at, failure in zip(group, failures, strict=True):
        if not failure and not runs[at].has_finished:
            failure = (
                f"{runs[at].path}: must be a folder that workers and this machine share (got nothing there); "
                "give a shared one with --out."
            )
        progress.states[at], progress.failures[at] = "failed" if failure else "finished", failure


def _make_folder(out):
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(
            f"{out}: must be a folder that can be written (got: {error.strerror}); give another one with --out."
        ) from None


def _write_table(path, progress, runs):
    """One row a run: its values, seed, state, directory and the sentence that ended it."""
    with open(path, "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*progress.asked[0].values, "seed", "state", "run", "failure"])
        for asked, state, run, failure in zip(progress.asked, progress.states, runs, progress.failures, strict=True):
            values = [shown(value) for value in asked.values.values()]
            writer.writerow([*values, asked.seed, state, run.path.name if run else "", failure])

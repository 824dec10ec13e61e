"""Experiments: arms that are compared, the runs they need, and one row of numbers for each."""

import csv
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from cortex_model.analysis.learning_curves import (
    bootstrap_interval,
    learning_curve,
    mean_and_interval,
    presentations_to_level,
)
from cortex_model.errors import ParameterError
from cortex_model.experiments.making import setting_of
from cortex_model.experiments.reproduce import Row, RunRequest
from cortex_model.runs.directory import RunDirectory

#: What the arms of an experiment without a dataset are kept under.
NO_DATASET = "noise"


@dataclass(frozen=True)
class Arm:
    """One setting of an experiment, run with several seeds.

    Attributes
    ----------
    name : str
        Its row in the table.
    setting : dict
        Parameters that differ from the protocol's defaults.
    line : str
        The line of the figure that it belongs to; its own name unless given.
    x : float, optional
        Where on the horizontal axis, for experiments that sweep a parameter.
    """

    name: str
    setting: dict[str, Any]
    line: str = ""
    x: float | None = None


@dataclass(frozen=True)
class Panel:
    """One panel of a figure.

    Attributes
    ----------
    measure : str
        A name in ``measures.nc``, or a column of the table that begins with ``wake_to_`` or ``total_to_``.
    title, label : str
        Of the panel, and of its vertical axis.
    scale : {"log", "linear"}
    lines : tuple of str
        Only these lines; all unless given.
    limits : tuple, optional
        Of the vertical axis.
    against, against_label : str
        A measure whose final value is the horizontal axis, where that is not the swept number; its label.
    over : str
        Of learning curves, the measure on the horizontal axis, where that is not the experiment's: ``spikes_sent``.
    """

    measure: str
    title: str
    label: str
    scale: str = "linear"
    lines: tuple[str, ...] = ()
    limits: tuple | None = None
    against: str = ""
    against_label: str = ""
    over: str = ""


@dataclass(frozen=True)
class Experiment:
    """A question, the arms that answer it, and what is shown of them.

    Attributes
    ----------
    name, title : str
    arms : dict
        Dataset -> list of `Arm`; ``noise`` alone for an experiment of sleep, which needs no dataset.
    panels : tuple of Panel
    protocol : str
    measure : str
        The error by which arms are compared.
    levels : dict
        Dataset -> values of it; presentations to each are counted.
    x_label : str
        Name of the swept parameter; without one, panels show learning curves.
    x_scale : {"log", "linear", "symlog"}
    over : str
        Measure that counts presentations.
    x_ticks : dict, optional
        Where the swept parameter is marked, and what stands there.
    averaged : tuple of str
        Measures whose final values, averaged over projections, are columns of the table.
    """

    name: str
    title: str
    arms: dict[str, list[Arm]]
    panels: tuple[Panel, ...]
    protocol: str = "wake_sleep_classification"
    measure: str = "test_error_percent"
    levels: dict[str, tuple[float, ...]] | None = None
    x_label: str = ""
    x_scale: str = "log"
    over: str = "wake_presentations"
    x_ticks: dict[float, str] | None = None
    averaged: tuple[str, ...] = (
        "alignment_angle_to_pseudoinverse_degrees",
        "alignment_angle_to_transpose_degrees",
    )

    def of(self, dataset: str) -> list[Arm]:
        """The arms for a dataset.

        Raises
        ------
        ParameterError
            If the experiment does not run on it.
        """
        dataset = NO_DATASET if NO_DATASET in self.arms else dataset
        if dataset not in self.arms:
            raise ParameterError(
                f"{self.name}.dataset: must be one of {', '.join(self.arms)} (got {dataset!r}); choose one."
            )
        return self.arms[dataset]

    def requests(self, dataset: str, n_seeds: int) -> list[RunRequest]:
        """Every arm with every seed; arms with the same parameters share their runs."""
        asked = [RunRequest(self.protocol, arm.setting, 0) for arm in self.of(dataset)]
        settings = {request.parameters().content_hash: request.overrides for request in asked}
        return [RunRequest(self.protocol, given, seed) for given in settings.values() for seed in range(n_seeds)]


def runs_of_arms(
    experiment: Experiment, dataset: str, directories: Iterable[RunDirectory]
) -> list[tuple[Arm, list[RunDirectory]]]:
    """Each arm with those of the runs that have its parameters; arms without a run are left out."""
    by_parameters: dict[str, list[RunDirectory]] = {}
    for directory in {directory.path.name: directory for directory in directories}.values():
        by_parameters.setdefault(setting_of(directory), []).append(directory)
    arms = [
        (arm, RunRequest(experiment.protocol, arm.setting, 0).parameters().content_hash)
        for arm in experiment.of(dataset)
    ]
    return [(arm, by_parameters[key]) for arm, key in arms if key in by_parameters]


def arm_row(experiment: Experiment, dataset: str, arm: Arm, runs: list[RunDirectory]) -> Row:
    """The numbers of one arm.

    Returns
    -------
    row : dict
        Seeds; the final error with its intervals over seeds (Student's t, and bootstrap beside it); what
        `presentations_needed` counts; final values of the averaged measures; cost; minutes of one run.
    """
    errors = learning_curve(runs, experiment.measure, experiment.over)
    final = errors["values"][:, -1]
    columns = [*mean_and_interval(final, least=0), *bootstrap_interval(final)]
    names = ["error", "low", "high", "bootstrap_low", "bootstrap_high"]
    row = {"arm": arm.name, "x": "" if arm.x is None else arm.x, "seeds": len(runs), "measure": experiment.measure}
    row |= {name: float(f"{value:.6g}") for name, value in zip(names, columns, strict=True)}
    levels = (experiment.levels or {}).get(dataset, ())
    row |= presentations_needed(runs, levels, errors, experiment.over) if levels else {}
    for measure in experiment.averaged:
        has_it = measure in runs[0].measures()
        value = learning_curve(runs, measure, experiment.over)["mean"][-1] if has_it else np.nan
        row[measure] = "" if np.isnan(value) else f"{value:.4g}"
    summary = runs[0].summary()
    if "operations" in summary:
        row["wake_presentations"] = summary["presentations"]["wake"]
        row["sleep_half_cycles"] = summary["half_cycles"]["sleep"]
        row["operations"] = f"{summary['operations']['wake'] + summary['operations']['sleep']:.3e}"
    row["minutes_a_run"] = f"{np.mean([minutes(run) for run in runs]):.2f}"
    return row


def presentations_needed(runs: list[RunDirectory], levels: Iterable[float], errors: dict, over: str) -> Row:
    """Presentations to each level of the error.

    Parameters
    ----------
    runs : list of RunDirectory
    levels : iterable of float
    errors : dict
        `learning_curve` of the error.
    over : str
        Measure that counts presentations.

    Returns
    -------
    row : dict
        ``first_evaluation``, the first after learning has begun: what is reached before it is only known to lie
        before it. For each level wake presentations (``wake_to_``), wake and sleep presentations together
        (``total_to_``), both as means over the seeds that reach it, and how many do (``reach_``).

    Notes
    -----
    The evaluation at 0 comes before the sleep that precedes the first stimulus. That sleep is over once a stimulus
    has been shown, so it counts in every total.
    """
    slept = slept_by_then(runs, over)
    first = errors["over"][min(1, len(errors["over"]) - 1)]
    row = {"first_evaluation": int(first)}
    row["first_evaluation_total"] = _whole(first + np.interp(first, errors["over"], slept))
    for level in levels:
        reached, total, operations = needed_by_each(runs, level, errors, over)
        wake = mean_and_interval(reached, least=0) if len(reached) else (np.nan,) * 3
        row |= {f"wake_to_{level:g}{end}": _whole(n) for end, n in zip(("", "_low", "_high"), wake, strict=True)}
        row |= {f"total_to_{level:g}": _whole(total.mean() if len(total) else np.nan)}
        row |= {f"reach_{level:g}": len(reached)}
        row |= {f"operations_to_{level:g}": f"{operations.mean():.3e}" if len(operations) else ""}
    return row


def slept_by_then(runs: list[RunDirectory], over: str) -> np.ndarray:
    """Sleep presentations at each evaluation; what comes before the first stimulus counts from the first one on."""
    slept = learning_curve(runs, "sleep_presentations", over)["mean"]
    beforehand = runs[0].description()["parameters"].get("sleep_before_presentations", 0)
    return np.maximum(slept, min(beforehand, slept[-1]))  # which is 0 for a rule that does not sleep


def needed_by_each(runs: list[RunDirectory], level: float, errors: dict, over: str) -> tuple[np.ndarray, ...]:
    """What each seed that reaches a level of the error needs for it.

    Returns
    -------
    wake, total, operations : ndarray, shape (n_reached,)
        Presentations of wake, of wake and sleep, and operations of both (`cortex_model.analysis.cost`).
    """
    needed = np.array([presentations_to_level(errors["over"], values, level) for values in errors["values"]])
    wake = needed[~np.isnan(needed)]
    sleep = np.interp(wake, errors["over"], slept_by_then(runs, over))
    summary = runs[0].summary() if runs[0].has_finished else {}
    done, paid = (summary.get(name, {}) for name in ("presentations", "operations"))
    each = [paid.get(phase, 0) / done[phase] if done.get(phase) else 0.0 for phase in ("wake", "sleep")]
    return wake, wake + sleep, wake * each[0] + sleep * each[1]


def minutes(run: RunDirectory) -> float:
    """How long a run took, from its beginning to its end, pauses included."""
    kept = run.provenance()
    begun, ended = (datetime.fromisoformat(kept[name]) for name in ("started", "finished"))
    return (ended - begun).total_seconds() / 60


def write_rows(rows: list[Row], path: Path) -> None:
    """Write rows with the same keys as CSV."""
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def read_rows(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV, as texts."""
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def varied(name: str, values: Iterable, arm: Callable[[Any], dict], line: str) -> list[Arm]:
    """Arms of one line that differ in a number: ``arm(value)`` is the setting, ``name`` stands before the value."""
    return [Arm(f"{line}, {name} {value:g}", arm(value), line, float(value)) for value in values]


def error_text(row: Row) -> str:
    """Mean and interval of what arms are compared by; the mean alone for a single seed."""
    mean, low, high = (float(row[key]) for key in ("error", "low", "high"))
    form = ".2f" if abs(mean) >= 0.1 else ".2g"
    return f"{mean:{form}}" if np.isnan(low) else f"{mean:{form}} [{low:{form}}, {high:{form}}]"


def _whole(value):
    return "" if np.isnan(value) else round(float(value))

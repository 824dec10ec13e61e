"""What an experiment's figure plots: the points of each panel, from runs or from the CSV of all points."""

import numpy as np

from cortex_model.analysis.learning_curves import learning_curve, mean_and_interval
from cortex_model.errors import RunError
from cortex_model.experiments.reproduce import Row
from cortex_model.experiments.tables import Arm, Experiment, Panel
from cortex_model.runs.directory import RunDirectory

#: How the names of presentations to a level begin.
LEVELS = ("wake_to_", "total_to_")


def shown_in(panel: Panel, arms: list[tuple[Arm, list[RunDirectory]]]) -> list[tuple[Arm, list[RunDirectory]]]:
    """The arms that a panel shows."""
    return [(arm, runs) for arm, runs in arms if not panel.lines or line_of(arm) in panel.lines]


def by_panels(experiment: Experiment, dataset: str, table: list[Row]) -> list[list[Row]]:
    """The points of each panel from those of all, which come panel after panel.

    Raises
    ------
    RunError
        If a point belongs to none.
    """
    lines = {arm.name: line_of(arm) for arm in experiment.of(dataset)}
    found: list[list[Row]] = [[] for _ in experiment.panels]
    at, known = 0, set()
    for point in table:
        key = point["measure"], point["arm"], "" if experiment.x_label else point["x"]
        while at < len(found) and (key in known or not _belongs(point, experiment.panels[at], lines)):
            at, known = at + 1, set()
        if at == len(found):
            raise RunError(f"--from-csv: must hold points of {experiment.name} (got {point['arm']}); correct the file.")
        found[at].append(point)
        known.add(key)
    return found


def _belongs(point, panel, lines):
    its = lines.get(point["arm"])
    return its is not None and point["measure"] == panel.measure and (not panel.lines or its in panel.lines)


def line_of(arm: Arm) -> str:
    """The line that an arm belongs to."""
    return arm.line or arm.name


def curve_points(experiment: Experiment, panel: Panel, arms, rows) -> list[Row]:
    """A measure against presentations, or what else is counted, of each arm."""
    table, over = [], panel.over or experiment.over
    for arm, runs in arms:
        if {panel.measure, over} <= {*runs[0].measures()}:
            curve = learning_curve(runs, panel.measure, over)
            points = zip(curve["over"], curve["mean"], curve["low"], curve["high"], strict=True)
            table += [point(panel, arm, int(at), *values) for at, *values in points]
    return table


def swept_points(experiment: Experiment, panel: Panel, arms, rows) -> list[Row]:
    """Final values, or presentations to a level, against what was swept, line by line."""
    placed = [(arm, runs) for arm, runs in arms if arm.x is not None]
    table = []
    for line in dict.fromkeys(line_of(arm) for arm, _ in placed):
        for arm, runs in placed:
            if line_of(arm) == line:
                at = final(experiment, panel.against, runs, {})[0] if panel.against else arm.x
                values = final(experiment, panel.measure, runs, rows[arm.name])
                table += [point(panel, arm, at, *values)] * bool(not np.isnan(values[0]))
    return table


def numbers_of(points: list[Row], lines: dict[str, str], line: str) -> np.ndarray:
    """x, mean, low and high of the points of a line; shape (4, n_points)."""
    its = [point for point in points if lines[point["arm"]] == line]
    return np.array([[float(point[key]) for key in ("x", "mean", "low", "high")] for point in its]).reshape(-1, 4).T


def final(experiment: Experiment, measure: str, runs: list[RunDirectory], row: Row) -> tuple[float, float, float]:
    """Mean and interval of what a panel shows of one arm."""
    if measure.startswith(LEVELS):
        values = [row.get(measure + end, "") for end in ("", "_low", "_high")]
        return tuple(float("nan") if value == "" else float(value) for value in values)
    if measure not in runs[0].measures():
        return (float("nan"),) * 3
    values = learning_curve(runs, measure, experiment.over)["values"][:, -1]
    return tuple(float(value) for value in mean_and_interval(values))


def point(panel: Panel, arm: Arm, x, mean, low, high) -> Row:
    """One plotted point."""
    numbers = {key: f"{value:.6g}" for key, value in (("mean", mean), ("low", low), ("high", high))}
    return {"measure": panel.measure, "arm": arm.name, "x": x, **numbers}

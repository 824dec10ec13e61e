"""Draws any experiment: learning curves of its arms, or final values against what was swept; and its table."""

from pathlib import Path
from textwrap import fill

import matplotlib
import numpy as np

from cortex_model.analysis.learning_curves import learning_curve, mean_and_interval, meaning_of_bands, students_t
from cortex_model.experiments.reproduce import Figure, Row, runs_of, write_figure
from cortex_model.experiments.tables import (
    NO_DATASET,
    Arm,
    Experiment,
    Panel,
    arm_row,
    error_text,
    runs_of_arms,
    write_rows,
)
from cortex_model.runs.directory import RunDirectory

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

#: Line -> colour; lines that are not here take those that are left.
COLOURS = {
    "backpropagation": "#444444",
    "random feedback": "#D55E00",
    "reciprocal, bare": "#009E73",
    "reciprocal feedback": "#0072B2",
    "reciprocal, damping 1": "#56B4E9",
    "reciprocal, damping 10": "#0072B2",
    "reciprocal, bare, matched gain": "#E69F00",
    "exact pseudoinverse": "#CC79A7",
}
OTHERS = ("#8C510A", "#7A4FA3", "#000000", "#56B4E9", "#999933", "#AA4499")

#: Letters in a line of a label.
LONGEST = 34


def figure_of(experiment: Experiment) -> Figure:
    """The experiment as a figure that can be reproduced."""
    return Figure(
        experiment.name,
        experiment.title,
        experiment.requests,
        lambda directories, out: draw(experiment, directories, out),
    )


def draw(experiment: Experiment, directories: list[RunDirectory], out: Path) -> list[Row]:
    """Write NAME_DATASET.png, .pdf and .csv, the arms' rows as NAME_DATASET_table.csv; return the rows to print."""
    directories = runs_of(directories, experiment.protocol, experiment.name)
    dataset = directories[0].description()["parameters"].get("dataset", NO_DATASET)
    arms = runs_of_arms(experiment, dataset, directories)
    rows = {arm.name: arm_row(experiment, dataset, arm, runs) for arm, runs in arms}
    name = f"{experiment.name}_{dataset}"
    colours = colours_of(arm for arm, _ in arms if arm.x is not None or not experiment.x_label)
    table: list[Row] = []
    with plt.style.context(Path(__file__).with_name("cortex.mplstyle")):
        n_panels = len(experiment.panels)
        figure, axes = plt.subplots(1, n_panels, figsize=(4.6 * n_panels + 3.5, 5.2), squeeze=False)
        for ax, panel in zip(axes[0], experiment.panels, strict=True):
            shown = [(arm, runs) for arm, runs in arms if not panel.lines or line_of(arm) in panel.lines]
            points = swept if experiment.x_label else curves
            table += points(ax, experiment, panel, shown, rows, colours)
            finish(ax, experiment, panel)
        legend(figure, colours, meaning_of_bands(row["seeds"] for row in rows.values()))
        figure.suptitle(f"{experiment.title}: {dataset}", x=0.01, ha="left", fontsize=19)
        write_figure(figure, table, name, out)
        plt.close(figure)
    write_rows(list(rows.values()), Path(out) / f"{name}_table.csv")
    return [
        {"quantity": arm, "simulated": error_text(row) + (f", {students_t(row['seeds'])}" if row["seeds"] > 1 else ""),
         "paper": "", "source": f"{experiment.measure}, {row['seeds']} seeds"}
        for arm, row in rows.items()
    ]  # fmt: skip


def line_of(arm: Arm) -> str:
    """The line that an arm belongs to."""
    return arm.line or arm.name


def colours_of(arms) -> dict[str, str]:
    """Line -> colour; a line that differs from a known one by a blank at its end has its colour."""
    lines, left = dict.fromkeys(map(line_of, arms)), iter(OTHERS * 3)
    names = {name: COLOURS.get(name) or next(left) for name in dict.fromkeys(line.strip() for line in lines)}
    return {line: names[line.strip()] for line in lines}


def curves(ax, experiment, panel: Panel, arms, rows, colours) -> list[Row]:
    """A measure against wake presentations, one curve an arm; its points."""
    table = []
    for arm, runs in arms:
        if panel.measure not in runs[0].measures():
            continue
        curve = learning_curve(runs, panel.measure, experiment.over)
        ax.plot(curve["over"], curve["mean"], color=colours[line_of(arm)], linewidth=2)
        ax.fill_between(
            curve["over"], curve["low"], curve["high"], color=colours[line_of(arm)], alpha=0.15, linewidth=0
        )
        points = zip(curve["over"], curve["mean"], curve["low"], curve["high"], strict=True)
        table += [point(panel, arm, int(at), *values) for at, *values in points]
    ax.set(xscale="symlog", xlabel="wake presentations", xlim=(0, None))
    first = min(runs[0].measures()["wake_presentations"].values[1] for _, runs in arms)
    ax.set_xscale("symlog", linthresh=float(first))
    last = max(runs[0].measures()["wake_presentations"].values[-1] for _, runs in arms)
    ax.set_xticks([0, *(10**k for k in range(3, 9) if first < 10**k < 3 * last)])
    return table


def swept(ax, experiment, panel: Panel, arms, rows, colours) -> list[Row]:
    """Final values, or presentations to a level, against what was swept; one line a group of arms."""
    table = []
    for line in colours:
        points = []
        for arm, runs in arms:
            if line_of(arm) == line and arm.x is not None:
                at = final(experiment, panel.against, runs, {})[0] if panel.against else arm.x
                points.append((arm, at, *final(experiment, panel.measure, runs, rows[arm.name])))
        points = [p for p in points if not np.isnan(p[2])]
        if not points:
            continue
        x, mean = [p[1] for p in points], np.array([p[2] for p in points])
        low, high = (np.array([p[at] for p in points]) for at in (3, 4))
        is_off = np.isnan(low) | ((panel.scale == "log") & (low <= 0))  # a single seed, or below the axis
        bars = np.array([mean - np.where(is_off, mean, low), np.where(np.isnan(high), mean, high) - mean]).clip(0)
        style = {"linestyle": "none"} if panel.against else {"linewidth": 2}
        ax.errorbar(x, mean, bars, color=colours[line], marker="o", capsize=3, **style)
        table += [point(panel, arm, *values) for arm, *values in points]
    if panel.against:
        ax.set(xlabel=fill(panel.against_label, LONGEST))
    else:
        ax.set(xscale=experiment.x_scale, xlabel=fill(experiment.x_label, LONGEST))
        if experiment.x_ticks:
            ax.set_xticks([*experiment.x_ticks], [*experiment.x_ticks.values()])
            ax.minorticks_off()
    return table


def final(experiment: Experiment, measure: str, runs: list[RunDirectory], row: Row) -> tuple[float, float, float]:
    """Mean and interval of what a panel shows of one arm."""
    if measure.startswith(("wake_to_", "total_to_")):
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


def finish(ax, experiment: Experiment, panel: Panel) -> None:
    """Titles, labels and scales."""
    ax.set(title=panel.title, ylabel=panel.label, yscale=panel.scale)
    if panel.limits:
        ax.set_ylim(*panel.limits)
    if panel.scale == "log":
        ax.yaxis.set_major_formatter(matplotlib.ticker.FuncFormatter(lambda value, _: f"{value:g}"))
        low, high = ax.get_ylim()
        for digits in ((1,), (1, 2, 5), range(1, 10), np.arange(10, 100) / 10):
            ticks = [tick for k in range(-18, 9) for tick in np.multiply(digits, 10.0**k) if low <= tick <= high]
            if len(ticks) > 3:
                break
        ticks = ticks[:: -(-len(ticks) // 10)]
        ax.set_yticks(ticks)
        ax.minorticks_off()


def legend(figure, colours: dict[str, str], of_bands: str) -> None:
    """Names of the lines beside the last panel, each once, in their colours, below what a band or a bar is."""
    names = {line.strip(): colour for line, colour in colours.items()}
    handles = [plt.Line2D([], [], color=colour, linewidth=4) for colour in names.values()]
    figure.legend(
        handles, names, loc="outside right center", frameon=False, fontsize=13, alignment="left",
        title=fill(of_bands, LONGEST), title_fontsize=12,
    )  # fmt: skip

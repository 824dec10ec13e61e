"""Draws any experiment: learning curves of its arms, or final values against what was swept; and its table.

A figure is drawn from its table of points alone, so that it can be drawn again from its CSV.
"""

from pathlib import Path
from textwrap import fill

import matplotlib
import numpy as np

from cortex_model.analysis.learning_curves import students_t
from cortex_model.errors import RunError
from cortex_model.experiments.reproduce import Figure, Row, RunRequest, figure_folder, runs_of, write_figure
from cortex_model.experiments.statements import BANDS, BARS, statement
from cortex_model.experiments.tables import (
    NO_DATASET,
    Arm,
    Experiment,
    Panel,
    arm_row,
    error_text,
    read_rows,
    runs_of_arms,
    write_rows,
)
from cortex_model.runs.directory import RunDirectory
from cortex_model.system.sources import load_module

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

style = load_module(figure_folder() / "style.py")
plotted = load_module(figure_folder() / "plotted.py")
#: Letters in a line of a label.
LONGEST = 34
#: Share of a logarithmic axis by which lines stand beside each other, so that bars do not cover bars.
ASIDE = 0.008
#: Of an angle of V, between 0 and a right angle.
RIGHT_ANGLES = (0, 30, 60, 90)
#: Digits of ticks of a logarithmic axis, the best first, until there are four; farther apart than a share of the axis.
DIGITS = ((1,), (2, 5), (1.5, 3, 7), range(1, 10), np.arange(2, 20) / 2, np.arange(10, 100) / 10)
LEAST_APART = 0.08


def figure_of(experiment: Experiment) -> Figure:
    """The experiment as a figure that can be reproduced, and drawn again from its CSV."""
    return Figure(
        experiment.name,
        experiment.title,
        experiment.requests,
        lambda directories, out: draw(experiment, directories, out),
        lambda file, out: draw_again(experiment, file, out),
    )


def draw(experiment: Experiment, directories: list[RunDirectory], out: Path) -> list[Row]:
    """Write NAME_DATASET.png, .pdf and .csv, the arms' rows as NAME_DATASET_table.csv; return the rows to print."""
    directories = runs_of(directories, experiment.protocol, experiment.name)
    dataset = directories[0].description()["parameters"].get("dataset", NO_DATASET)
    arms = runs_of_arms(experiment, dataset, directories)
    rows = {arm.name: arm_row(experiment, dataset, arm, runs) for arm, runs in arms}
    points = plotted.swept_points if experiment.x_label else plotted.curve_points
    by_panel = [points(experiment, panel, plotted.shown_in(panel, arms), rows) for panel in experiment.panels]
    picture(experiment, dataset, by_panel, rows, out)
    write_rows(list(rows.values()), Path(out) / f"{experiment.name}_{dataset}_table.csv")
    return printed(experiment, rows)


def draw_again(experiment: Experiment, file: Path, out: Path) -> list[Row]:
    """The same figure from the CSV of its points, beside which the table of its arms must lie.

    Raises
    ------
    RunError
        If they are not what this experiment writes.
    """
    dataset = file.stem.removeprefix(f"{experiment.name}_")
    table = file.with_name(f"{file.stem}_table.csv")
    if file.stem != f"{experiment.name}_{dataset}" or dataset not in experiment.arms or not table.is_file():
        wanted = " or ".join(f"{experiment.name}_{name}.csv" for name in experiment.arms)
        raise RunError(f"--from-csv: must be {wanted}, with its table beside it (got {file}); correct the path.")
    rows = {row["arm"]: row for row in read_rows(table)}
    picture(experiment, dataset, plotted.by_panels(experiment, dataset, read_rows(file)), rows, out)
    if table.resolve() != (Path(out) / table.name).resolve():
        (Path(out) / table.name).write_bytes(table.read_bytes())
    return printed(experiment, rows)


def printed(experiment: Experiment, rows: dict[str, Row]) -> list[Row]:
    """What the command prints: the error of each arm."""
    return [
        {"quantity": arm, "simulated": error_text(row) + _of(int(row["seeds"])), "paper": "",
         "source": f"{experiment.measure}, {row['seeds']} seeds"}
        for arm, row in rows.items()
    ]  # fmt: skip


def _of(n_seeds):
    return f", {students_t(n_seeds)}" if n_seeds > 1 else ""


def picture(experiment: Experiment, dataset: str, by_panel: list[list[Row]], rows: dict[str, Row], out: Path) -> None:
    """The figure of the points of each panel, and the CSV of all points."""
    arms = [arm for arm in experiment.of(dataset) if arm.name in rows]
    colours = style.colours_of(plotted.line_of(arm) for arm in arms if arm.x is not None or not experiment.x_label)
    lines = {arm.name: plotted.line_of(arm) for arm in arms}
    with style.styled():
        n_panels = len(experiment.panels)
        figure, axes = plt.subplots(1, n_panels, figsize=(4.6 * n_panels + 3.5, 5.7), squeeze=False)
        for ax, panel, points in zip(axes[0], experiment.panels, by_panel, strict=True):
            (draw_swept if experiment.x_label else draw_curves)(ax, experiment, panel, points, lines, colours)
            finish(ax, experiment, panel)
        legend(figure, colours)
        style.letter(axes[0])
        figure.suptitle(experiment.title, x=0.008, ha="left", fontsize=20)
        style.state(figure, *said(experiment, dataset, by_panel, rows))
        table = [point for points in by_panel for point in points]
        write_figure(figure, table, f"{experiment.name}_{dataset}", out)
        plt.close(figure)


def said(experiment: Experiment, dataset: str, by_panel: list[list[Row]], rows: dict[str, Row]) -> list[str]:
    """What the figure shows, and what it leaves out."""
    asked = {arm.name: RunRequest(experiment.protocol, arm.setting, 0).parameters().model_dump()
             for arm in experiment.of(dataset) if arm.name in rows}  # fmt: skip
    shows = BARS if experiment.x_label else BANDS
    return [statement(asked.values(), (int(row["seeds"]) for row in rows.values()), shows),
            *left_out(experiment, dataset, by_panel, rows)]  # fmt: skip


def left_out(experiment: Experiment, dataset: str, by_panel: list[list[Row]], rows: dict[str, Row]) -> list[str]:
    """Sentences: what was compared and is not drawn, and why."""
    given, sentences = experiment.of(dataset), []
    without_runs = [arm.name for arm in given if arm.name not in rows]
    unplaced = [arm.name for arm in given if arm.name in rows and experiment.x_label and arm.x is None]
    sentences += [f"Left out, no runs: {listed(without_runs)}"] * bool(without_runs)
    sentences += [f"Not drawn, but in the table: {listed(unplaced)}"] * bool(unplaced)
    sentences += missing_points(experiment, [arm for arm in given if arm.name not in without_runs + unplaced], by_panel)
    is_cut = any(
        panel.scale == "log" and float(point["low"]) <= 0 < float(point["mean"])
        for panel, points in zip(experiment.panels, by_panel, strict=True) for point in points
    )  # fmt: skip
    return sentences + ["Intervals that reach 0 have no lower end on a logarithmic axis"] * is_cut


def missing_points(experiment: Experiment, arms: list[Arm], by_panel: list[list[Row]]) -> list[str]:
    """A sentence for arms without a visible point in some panels."""
    found: dict[tuple[str, str], list[str]] = {}
    for at, (panel, points) in enumerate(zip(experiment.panels, by_panel, strict=True)):
        name, of_arms = (
            chr(ord("A") + at),
            [arm.name for arm, _ in plotted.shown_in(panel, [(arm, None) for arm in arms])],
        )
        there = {point["arm"] for point in points}
        at_zero = {point["arm"] for point in points if panel.scale == "log" and float(point["mean"]) <= 0}
        why = "the level is not reached" if panel.measure.startswith(plotted.LEVELS) else "not measured there"
        for reason, missing in ((why, set(of_arms) - there), ("0 on a logarithmic axis", at_zero)):
            if missing:
                its = listed([arm for arm in of_arms if arm in missing])
                found.setdefault((reason, its), []).append(name)
    return [f"Not in {' and '.join(panels)}, {reason}: {its}" for (reason, its), panels in found.items()]


def listed(names: list[str]) -> str:
    """Names one after another; what a name has in common with the one before it, up to a comma, is said once."""
    said = names[:1]
    for before, name in zip(names, names[1:], strict=False):
        common = name[: name.rfind(", ") + 2] if ", " in name else ""
        said.append(name.removeprefix(common) if common and before.startswith(common) else name)
    return "; ".join(said)


# ---------------------------------------------------------------------- drawing
def draw_curves(ax, experiment, panel: Panel, points, lines, colours) -> None:
    """A measure against presentations, or what else is counted; one curve an arm."""
    first, last = np.inf, 0.0
    for line, colour in colours.items():
        x, mean, low, high = plotted.numbers_of(points, lines, line)
        if len(x):
            ax.plot(x, mean, color=colour, linewidth=2, linestyle=style.dash_of(line))
            ax.fill_between(x, low, high, color=colour, alpha=0.15, linewidth=0)
            first, last = min(first, x[1]), max(last, x[-1])
    ax.set_xscale("symlog", linthresh=first)
    ax.set(xlabel=(panel.over or experiment.over).replace("_", " "), xlim=(0, None))
    ax.set_xticks([0, *(10**k for k in range(3, 12) if first < 10**k < 3 * last)])


def draw_swept(ax, experiment, panel: Panel, points, lines, colours) -> None:
    """Values against what was swept, one line a group of arms."""
    places = [float(point["x"]) for point in points]
    is_aside = experiment.x_scale == "log" and not panel.against and places
    aside = (max(places) / min(places)) ** ASIDE if is_aside else 1.0
    for at, (line, colour) in enumerate(colours.items()):
        x, mean, low, high = plotted.numbers_of(points, lines, line)
        if len(x):
            is_off = np.isnan(low) | ((panel.scale == "log") & (low <= 0))  # a single seed, or below the axis
            bars = np.array([mean - np.where(is_off, mean, low), np.where(np.isnan(high), mean, high) - mean]).clip(0)
            look = {"linestyle": "none"} if panel.against else {"linewidth": 2}
            x = x * aside ** (at - (len(colours) - 1) / 2)
            ax.errorbar(x, mean, bars, color=colour, marker="o", capsize=3, **look)
    if panel.against:
        ax.set(xlabel=fill(panel.against_label, LONGEST))
        return
    ax.set(xscale=experiment.x_scale, xlabel=fill(experiment.x_label, LONGEST))
    if experiment.x_ticks:
        ax.set_xticks([*experiment.x_ticks], [*experiment.x_ticks.values()])
        ax.minorticks_off()


def finish(ax, experiment: Experiment, panel: Panel) -> None:
    """Titles, labels and scales."""
    ax.set(title=panel.title, ylabel=panel.label, yscale=panel.scale)
    if panel.limits:
        ax.set(ylim=panel.limits, yticks=RIGHT_ANGLES)
    if panel.scale == "log":
        ticks = ticks_between(*ax.get_ylim())
        ax.set_yticks(ticks, map(tick_text, ticks))
        ax.minorticks_off()


def ticks_between(low: float, high: float) -> list[float]:
    """Round numbers on a logarithmic axis, as evenly as they come."""
    apart, kept = LEAST_APART * np.log(high / low), []
    decades = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    for digits in DIGITS:
        for tick in (float(f"{digit * 10.0**k:.3g}") for k in decades for digit in digits):
            if low <= tick <= high and all(abs(np.log(tick / other)) > apart for other in kept):
                kept.append(tick)
        if len(kept) > 3:
            break
    return sorted(kept)


def tick_text(value: float) -> str:
    """A number beside an axis: powers of ten where it is very small or very large."""
    if 1e-3 <= value < 1e4:
        return f"{value:g}"
    if value < 1e6 and value >= 1e4:
        return f"{value:,.0f}"
    digits, power = f"{value:.0e}".split("e")
    power = str(int(power)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return ("" if digits == "1" else f"{digits}·") + f"10{power}"


def legend(figure, colours: dict[str, str]) -> None:
    """Names of the lines beside the last panel, each once, in their colours."""
    names = {line.strip(): colour for line, colour in colours.items()}
    handles = [plt.Line2D([], [], color=colour, linewidth=4, linestyle=style.dash_of(name))
               for name, colour in names.items()]  # fmt: skip
    figure.legend(
        handles, [fill(name, LONGEST) for name in names], loc="outside right center", frameon=False, fontsize=13,
        alignment="left",
    )  # fmt: skip

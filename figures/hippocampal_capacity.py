"""Where replay fails: too many patterns, noise in entorhinal cortex, sequences that share a state."""

from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.ticker import MaxNLocator

from cortex_model.analysis.learning_curves import mean_and_interval, students_t
from cortex_model.experiments.reproduce import Row, figure_folder, write_figure
from cortex_model.experiments.statements import BARS, statement_of
from cortex_model.runs.directory import RunDirectory
from cortex_model.system.sources import load_module

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

style = load_module(figure_folder() / "style.py")

NAME = "hippocampal_capacity"
COLOURS = {"within CA3": "#A0235A", "through CA1 and EC": "#E08A2E", "one step, 1 - loss / persistence": "#777777"}
#: Line -> what is shown of a run's summary.
LINES = {
    "within CA3": lambda its: its["replay_correlation"],
    "through CA1 and EC": lambda its: its["cortical_replay_correlation"],
    "one step, 1 - loss / persistence": lambda its: 1 - its["prediction_loss"] / its["persistence_loss"],
}
PATTERNS = {"sequences": "patterns", "layer_sizes": (50, 200, 50), "laps": 100, "look_every_laps": 50}
RING = {"look_every_laps": 100}
TWO = PATTERNS | {"n_sequences": 2, "sequence_length": 25}
#: Panel -> (title, horizontal axis, what all its runs have, the parameter that is swept, its values).
PANELS = {
    "number": ("Random patterns", "patterns in the sequence", PATTERNS, "sequence_length", (25, 50, 75, 100, 150)),
    "ring": ("Noise, ring of 50 places", "deviation of noise in EC", RING, "input_noise", (0.0, 0.02, 0.05, 0.1, 0.2)),
    "noise": ("Noise, 50 patterns", "deviation of noise in EC", PATTERNS, "input_noise", (0.0, 0.05, 0.1, 0.2, 0.4)),
    "overlap": ("Overlap, 2 × 25 patterns", "states that both share", TWO, "overlap", (0.0, 0.04, 0.12, 0.2, 0.4)),
}


def settings() -> list[dict]:
    """Every setting, once."""
    found = []
    for _, _, common, name, values in PANELS.values():
        for value in values:
            its = common | ({name: value} if value != default_of(name) else {})
            found += [its] if its not in found else []
    return found


def default_of(name: str):
    """The default of a parameter that is swept."""
    return {"sequence_length": 50}.get(name, 0.0)


def draw(runs: list[RunDirectory], out: Path) -> list[Row]:
    """Correlation of replay, and how well one step is predicted, against what is swept."""
    given = [(run, run.description()["parameters"], run.summary()) for run in runs]
    table: list[Row] = []
    with style.styled():
        figure, axes = plt.subplots(1, len(PANELS), figsize=(15.5, 5.6), sharey=True)
        for ax, (panel, (title, label, common, name, values)) in zip(axes, PANELS.items(), strict=True):
            its = [each for each in given if belongs(each[1], common, name, values)]
            points = points_of(panel, name, its)
            table += points
            draw_panel(ax, points)
            ax.set(title=title, xlabel=label, ylim=(-0.35, 1.08))
            ax.xaxis.set_major_locator(
                MaxNLocator(5, steps=(1, 2, 5, 10), integer=name in ("sequence_length", "overlap"))
            )
        axes[0].set_ylabel("correlation of replay")
        handles, names = axes[0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside upper center", ncols=3, frameon=False, fontsize=15)
        style.letter(axes)
        style.state(
            figure, statement_of(runs, BARS),
            "B: ring, 50-100-50, 200 laps; A, C and D: patterns, 50-200-50, 100 laps" * is_as_asked(runs),
            "Correlation of what is replayed from the first state with what would have come, mean over steps; learning "
            "with noise, replay without. The line of one step is not shown where it is below the axis",
        )  # fmt: skip
        write_figure(figure, table, NAME, out)
        plt.close(figure)
    return printed(table)


def belongs(parameters: dict, common: dict, name: str, values: tuple) -> bool:
    """Whether a run is one of a panel: all that the others have in common, and one of the swept values."""
    swept = {"sequence_length", "input_noise", "overlap", "n_sequences", "sequences"} - {name}
    usual = {"sequence_length": 50, "input_noise": 0.0, "overlap": 0.0, "n_sequences": 1, "sequences": "ring"}
    return parameters[name] in values and all(parameters[key] == common.get(key, usual[key]) for key in swept)


def is_as_asked(runs: list[RunDirectory]) -> bool:
    """Whether rings and patterns have the sizes and laps of `PANELS`."""
    asked = {"ring": ([50, 100, 50], 200), "patterns": (list(PATTERNS["layer_sizes"]), PATTERNS["laps"])}
    given = [run.description()["parameters"] for run in runs]
    return all(asked.get(its["sequences"]) == (list(its["layer_sizes"]), its["laps"]) for its in given)


def points_of(panel: str, name: str, given: list) -> list[Row]:
    """Mean and interval over seeds at each swept value, of each line."""
    found: dict[float, list] = {}
    for _, parameters, summary in given:
        x = parameters[name] * (parameters["sequence_length"] if name == "overlap" else 1)
        found.setdefault(float(round(x, 6)), []).append(summary)
    return [
        {"panel": panel, "line": line, "x": f"{x:g}", "seeds": len(its)}
        | {key: f"{value:.6g}" for key, value in zip(("mean", "low", "high"), interval(its, of), strict=True)}
        | {"decoded_percent": decoded(its, line)}
        for line, of in LINES.items()
        for x, its in sorted(found.items())
    ]


def interval(summaries: list, of) -> tuple[float, float, float]:
    """Mean and 95 % interval over seeds."""
    return mean_and_interval(np.array([of(its) for its in summaries]))


def decoded(summaries: list, line: str) -> str:
    """Mean percentage of steps in which the right state is decoded; empty where nothing is replayed."""
    names = {"within CA3": "replay_decoded_percent", "through CA1 and EC": "cortical_replay_decoded_percent"}
    return f"{np.mean([its[names[line]] for its in summaries]):.4g}" if line in names else ""


def draw_panel(ax, points: list[Row]) -> None:
    """Lines with bars."""
    for line, colour in COLOURS.items():
        its = [[float(point[key]) for key in ("x", "mean", "low", "high")] for point in points if point["line"] == line]
        if not its:
            continue
        x, mean, low, high = np.array(its).T
        bars = np.nan_to_num([mean - low, high - mean]).clip(0)
        look = {"linestyle": "--", "linewidth": 1.6} if line.startswith("one") else {"linewidth": 2.4}
        ax.errorbar(x, mean, bars, color=colour, marker="o", capsize=3, label=line, **look)
    ax.axhline(0, color="#BBBBBB", linewidth=1, zorder=0)


def printed(table: list[Row]) -> list[Row]:
    """Replay within CA3 and through cortex at each swept value."""
    rows = []
    for point in table:
        if point["line"] in ("within CA3", "through CA1 and EC"):
            n, (title, label, *_) = point["seeds"], PANELS[point["panel"]]
            said = f"{float(point['mean']):.2f}"
            if n > 1:
                said += f" [{float(point['low']):.2f}, {float(point['high']):.2f}], {students_t(n)}"
            rows.append({"quantity": f"{title}, {label} {point['x']}: {point['line']}", "simulated": said, "paper": "",
                         "source": f"correlation of replay, {n} seeds"})  # fmt: skip
    return rows

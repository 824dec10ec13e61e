"""Every spike of one wake and one sleep presentation, side by side, of a run with dynamics=spiking.

Of each population a row of forward cells and, above the input, one of feedback cells; a tick is a spike. The weights
are those with which the run ended. In wake a test stimulus is shown with its target: of the first ones that whose error
brings most feedback spikes, for one that is known brings none. A rule that does not sleep has wake alone.
"""

from pathlib import Path
from textwrap import fill
from typing import Any, NamedTuple

import matplotlib
import numpy as np

from cortex_model.analysis.spike_trains import CELLS, SIGNS, spike_measures
from cortex_model.errors import RunError
from cortex_model.experiments.making import none_to_make
from cortex_model.experiments.reproduce import Figure, Row, figure_folder, write_figure
from cortex_model.experiments.statements import statement_of, value_said
from cortex_model.runs.directory import RunDirectory
from cortex_model.runs.protocol import parameters_of
from cortex_model.system.sources import load_module
from cortex_model.traces import spikes

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

style = load_module(figure_folder() / "style.py")

#: Protocols whose stimuli have targets.
PROTOCOLS = ("wake_sleep_classification", "wake_sleep_regression")
#: Neurons of a population that are drawn at most, and the height of a row that has fewer.
MOST, LEAST = 24, 9
#: Letters in a line of the title, which leave room for what colours are.
LONGEST = 52
#: Test stimuli of which one is drawn.
LOOKED_AT = 20
#: (cells, sign) -> colour.
COLOURS = {
    ("forward", "ON"): "#0072B2",
    ("forward", "OFF"): "#D55E00",
    ("feedback", "ON"): "#009E73",
    ("feedback", "OFF"): "#CC79A7",
}
#: Phase -> (title, the number of the rule at which a line stands, what begins there).
PHASES = {
    "wake": ("Wake: stimulus up, error down", "feedback_onset_ms", "onset of feedback"),
    "sleep": ("Sleep: noise up, echo down", "sleep_onset_ms", "V begins to learn"),
}
#: Behind feedback cells, and between populations.
FEEDBACK_GROUND, BETWEEN = "#F5F1EA", "#CCCCCC"


class RasterRow(NamedTuple):
    """One row of the figure: a population, and which of its cells."""

    level: int
    cells: str
    neurons: np.ndarray

    @property
    def variable(self) -> str:
        """Its spikes in traces."""
        return f"{'feedback_' if self.cells == 'feedback' else ''}spikes_{self.level}"

    @property
    def height(self) -> int:
        """In neurons."""
        return max(len(self.neurons), LEAST)


requests = none_to_make("rasters", "any in spikes")


def draw(directories: list[RunDirectory], out: Path) -> list[Row]:
    """Write rasters.png, .pdf and .csv of a run (of several: rasters_2 ... too); return rates and counts."""
    rows = []
    for nth, run in enumerate(in_spikes(directories), 1):
        recorded = recorded_of(run)
        with style.styled():
            figure, table = picture(run, recorded)
            write_figure(figure, table, "rasters" + f"_{nth}" * (nth > 1), out)
            plt.close(figure)
        rows += [{"run": run.path.name} | row for row in numbers(recorded)]
    return rows


def in_spikes(directories: list[RunDirectory]) -> list[RunDirectory]:
    """The runs, if they are such as can be drawn.

    Raises
    ------
    RunError
        If one is not.
    """
    got = "" if directories else "none"
    for run in directories:
        its = run.description()
        reasons = {
            its["protocol"]: its["protocol"] not in PROTOCOLS,
            f"dynamics {its['parameters'].get('dynamics')}": its["parameters"].get("dynamics") != "spiking",
            f"one that is {run.state}": not run.has_finished,
        }
        got = got or next((f"{run.path.name}: {why}" for why, holds in reasons.items() if holds), "")
    if got:
        raise RunError(
            f"rasters: must be given finished runs of {' or '.join(PROTOCOLS)} with dynamics=spiking (got {got}); make "
            f"one with `cortex-model run {PROTOCOLS[0]} --set dynamics=spiking`."
        )
    return directories


def recorded_of(run: RunDirectory) -> dict[str, Any]:
    """Phase -> the spikes of one presentation of it, with the weights with which a run ended.

    Of stimuli, the one that is drawn is the one whose error brings most feedback spikes.
    """
    p: Any = parameters_of(run)
    data, weights, given = p.data(), run.weights(), {"seed": run.description()["seed"], "device": "runtime"}
    stimuli, targets = data.stimuli(p.stimulus_scaling, p.dtype)[1], data.targets()[1]
    wake = spikes(p, weights, "wake", stimuli[:LOOKED_AT], targets[:LOOKED_AT], **given)
    n_feedback = sum(abs(its).sum(axis=(1, 2)) for name, its in wake.data_vars.items() if name.startswith("feedback"))
    found = {
        "wake": wake.isel(stimulus=[int(np.argmax(n_feedback.values))]).assign_attrs(n_looked_at=len(wake.stimulus))
    }
    if "sleep" in p.rule.phases:
        found["sleep"] = spikes(p, weights, "sleep", **given)
    for phase, traces in found.items():
        traces.attrs["onset_ms"] = p.rule_values[PHASES[phase][1]]
    return found


# ---------------------------------------------------------------------- the picture
def picture(run: RunDirectory, recorded: dict[str, Any]) -> tuple[Any, list[Row]]:
    """The figure of a run, and a row for each tick in it."""
    rows, its = rows_of(recorded["wake"]), run.description()["parameters"]
    durations = [float(1000 * traces["time"][-1]) for traces in recorded.values()]
    figure = plt.figure(figsize=(13.33, max(7.5, 3.0 + 0.9 * len(rows))))
    figure.get_layout_engine().set(h_pad=0.05, hspace=0)
    grid = {"height_ratios": [row.height for row in rows], "width_ratios": durations}
    axes = figure.subplots(len(rows), len(recorded), squeeze=False, gridspec_kw=grid)
    table = []
    for column, (phase, traces) in zip(axes.T, recorded.items(), strict=True):
        for ax, row in zip(column, rows, strict=True):
            table += draw_row(ax, traces, row, phase)
        mark_onset(column, traces.attrs["onset_ms"], PHASES[phase][2])
        column[0].set_title(PHASES[phase][0], pad=26)
        column[-1].set_xlabel("time (ms)")
    for ax, row in zip(axes[:, 0], rows, strict=True):
        ax.set_ylabel(row_name(row, len(its["layer_sizes"])), rotation=0, ha="right", va="center", fontsize=14)
    if not table:
        raise RunError(f"{run.path}: must be a run in which neurons send spikes (got none in wake or sleep); train it.")
    rule = str(its["learning_rule"]).partition("#")[0].rpartition("/")[2].replace("_", " ")
    what = f"{value_said(its['dataset'])}, {value_said(its['layer_sizes'])}, {rule}, seed {run.description()['seed']}"
    figure.suptitle(fill(f"Spikes: {what}", LONGEST), x=0.008, ha="left", fontsize=20).set_parse_math(False)
    legend(figure)
    style.state(figure, statement_of([run], ""), said(rows, recorded))
    return figure, table


def rows_of(traces) -> list[RasterRow]:
    """Rows from the top population's feedback cells down to the input; of large populations evenly spaced neurons."""
    found = []
    for level in range(sum(name.startswith("spikes_") for name in traces.data_vars)):
        n = traces.sizes[f"neuron_{level}"]
        shown = np.unique(np.linspace(0, n - 1, min(n, MOST)).round().astype(int))
        found += [RasterRow(level, cells, shown) for cells in CELLS.values()]
    return [row for row in reversed(found) if row.variable in traces]


def row_name(row: RasterRow, n_populations: int) -> str:
    """What stands beside a row."""
    if row.level == 0:
        return "input"
    return f"top, {row.cells}" if row.level == n_populations - 1 else f"population {row.level},\n{row.cells}"


def draw_row(ax, traces, row: RasterRow, phase: str) -> list[Row]:
    """A tick a spike; what is drawn."""
    its, table = traces[row.variable].values[0][:, row.neurons], []
    times = 1000 * traces["time"].values
    for sign, cell in SIGNS.items():
        step, place = np.nonzero(its == sign)
        ax.vlines(times[step], place - 0.48, place + 0.48, color=COLOURS[row.cells, cell], linewidth=2)
        table += [
            {"phase": phase, "population": row.level, "cells": row.cells, "sign": cell, "neuron": int(row.neurons[at]),
             "time_ms": round(float(time), 6)} for time, at in zip(times[step], place, strict=True)
        ]  # fmt: skip
    margin = (row.height - len(row.neurons)) / 2
    ax.set(xlim=(0, times[-1] + traces.attrs["time_step_ms"] / 2), yticks=[])
    ax.set_ylim(-1 - margin, len(row.neurons) + margin)
    ax.spines["left"].set_visible(False)
    if row.cells == "feedback":
        ax.set_facecolor(FEEDBACK_GROUND)
    if row.level > 0:
        ax.set_xticks([])
        ax.spines["bottom"].set(visible=row.cells == "forward", color=BETWEEN)
    return table


def mark_onset(column, onset_ms: float, what: str) -> None:
    """A line through all rows, with what begins there above it."""
    for ax in column:
        ax.axvline(onset_ms, color="#444444", linewidth=1.4, linestyle=(0, (4, 3)), zorder=0)
    column[0].annotate(
        what, (onset_ms, 1), (0, 5), xycoords=("data", "axes fraction"), textcoords="offset points", ha="center",
        va="bottom", fontsize=13, color="#444444", annotation_clip=False,
    )  # fmt: skip


def legend(figure) -> None:
    """What each colour is."""
    handles = [plt.Line2D([], [], color=colour, linestyle="", marker="|", markersize=15, markeredgewidth=3.5)
               for colour in COLOURS.values()]  # fmt: skip
    figure.legend(handles, [f"{cells}, {sign} cell" for cells, sign in COLOURS], loc="outside upper right", ncols=2,
                  frameon=False, fontsize=13, handletextpad=0.1, columnspacing=1.2)  # fmt: skip


def said(rows: list[RasterRow], recorded: dict[str, Any]) -> str:
    """What is drawn, and what is left out."""
    some = {row.level: f"{len(row.neurons)} of {recorded['wake'].sizes[f'neuron_{row.level}']}" for row in rows
            if len(row.neurons) < recorded["wake"].sizes[f"neuron_{row.level}"]}  # fmt: skip
    stimulus = int(recorded["wake"]["stimulus"][0])
    n = recorded["wake"].attrs["n_looked_at"]
    shown = f"test stimulus {stimulus}, of the first {n} the one with most feedback spikes"
    shown += ", and one presentation of sleep" if "sleep" in recorded else ""
    neurons = ", ".join(f"{n} in population {l}" for l, n in sorted(some.items()))
    drawn = f"; neurons that are drawn: {neurons}" if neurons else ""
    return f"A tick is a spike: {shown}, with the weights at the end{drawn}"


def numbers(recorded: dict[str, Any]) -> list[Row]:
    """What is printed: rates of all neurons of a population, how regular they are, and how many spikes there are."""
    table = []
    for phase, traces in recorded.items():
        measures = spike_measures(traces)
        for before, cells in CELLS.items():
            for level in measures["population"].values:
                if f"{before}firing_rate_{level}" not in measures:
                    continue
                variation = measures[f"{before}interval_variation_{level}"].values
                counts = measures["spikes_per_presentation"].sel(cell=cells, population=level).values
                known = variation[~np.isnan(variation)]
                rate = float(measures[f"{before}firing_rate_{level}"].mean())
                table.append({
                    "phase": phase, "population": int(level), "cells": cells, "ON": f"{counts[0]:g}",
                    "OFF": f"{counts[1]:g}", "rate (Hz)": f"{rate:.1f}",
                    "CV of intervals": f"{known.mean():.2f}" if len(known) else "",
                })  # fmt: skip
    return table


FIGURE = Figure("rasters", "Every spike of a wake and a sleep presentation", requests, draw)

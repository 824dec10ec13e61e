"""A ring of place cells, replayed by a circuit that learned it from local prediction errors; and where that fails.

Two figures: ``hippocampal_replay`` shows what entorhinal cortex sends, what is replayed in CA3's own loop, through CA1
and cortex, and by backpropagation through time, the loss over laps and the correlation step by step;
``hippocampal_capacity`` (`figures/hippocampal_capacity.py`) replay against the number of patterns, noise and overlap.
"""

from pathlib import Path

import matplotlib
import numpy as np

from cortex_model.analysis.learning_curves import with_interval
from cortex_model.analysis.replay import replay_correlations
from cortex_model.experiments.reproduce import Figure, Row, RunRequest, figure_folder, runs_of, write_figure
from cortex_model.experiments.statements import statement_of
from cortex_model.runs.directory import RunDirectory
from cortex_model.system.sources import load_module

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

style = load_module(figure_folder() / "style.py")
capacity = load_module(figure_folder() / "hippocampal_capacity.py")

PROTOCOL = NAME = "hippocampal_replay"
RING = {"with_backpropagation": True}
#: What replays -> (array of ``replay.nc``, colour).
REPLAYS = {
    "within CA3": ("replayed", capacity.COLOURS["within CA3"]),
    "through CA1 and EC": ("replayed_through_cortex", capacity.COLOURS["through CA1 and EC"]),
    "backpropagation through time": ("replayed_by_backpropagation", style.COLOURS["backpropagation"]),
}
TITLES = {
    "data": "What EC sends", "within CA3": "Replay within CA3", "through CA1 and EC": "Through CA1 and EC",
    "backpropagation through time": "Backpropagation",
}  # fmt: skip
SHOWS = "thin lines: single seeds, thick: their mean"


def requests(dataset: str, n_seeds: int) -> list[RunRequest]:
    """The ring, with backpropagation through time beside it, then what the other figure sweeps."""
    ring = [RunRequest(PROTOCOL, RING, seed) for seed in range(n_seeds)]
    return ring + [RunRequest(PROTOCOL, its, seed) for its in capacity.settings() for seed in range(n_seeds)]


def draw(directories: list[RunDirectory], out: Path) -> list[Row]:
    """Both figures; runs with backpropagation beside them are those of the ring."""
    runs = runs_of(directories, PROTOCOL, NAME)
    is_beside = [run.description()["parameters"]["with_backpropagation"] for run in runs]
    beside = [run for run, its in zip(runs, is_beside, strict=True) if its]
    swept = [run for run, its in zip(runs, is_beside, strict=True) if not its]
    rows = draw_replay(beside, out) if beside else []
    return rows + (capacity.draw(swept, out) if swept else [])


def draw_replay(runs: list[RunDirectory], out: Path) -> list[Row]:
    """Rates of EC in the data and in each replay of the first run; loss and correlation of all runs."""
    kept = [run.arrays("replay.nc") for run in runs]
    with style.styled():
        figure = plt.figure(figsize=(13.33, 8.2))
        above, below = figure.subfigures(2, 1, height_ratios=(1.3, 1))
        rows = above.subplots(1, 1 + len(REPLAYS)), below.subplots(1, 2)
        axes = dict(zip(("data", *REPLAYS, "loss", "steps"), (*rows[0], *rows[1]), strict=True))
        table = draw_rasters(above, axes, kept[0])
        table += draw_losses(axes["loss"], runs) + draw_correlations(axes["steps"], runs, kept)
        style.letter(axes.values())
        its, cells = runs[0].description(), kept[0]["states"].shape[2]
        style.state(
            figure, statement_of(runs, SHOWS),
            f"A to D: rates of the {cells} neurons of EC, in the order of their place fields, seed {its['seed']}; "
            "replay begins with one state, that of backpropagation through time (step "
            f"{its['parameters']['backpropagation_rate']:g}) with five",
        )  # fmt: skip
        write_figure(figure, table, NAME, out)
        plt.close(figure)
    return printed(runs)


def draw_rasters(figure, axes, kept) -> list[Row]:
    """What EC sends, and what it shows in each replay: neurons sorted by where they are most active."""
    states, follows = kept["states"].values[0], kept["follows"].values
    order = np.argsort(states.argmax(axis=0), kind="stable")
    shown = {"data": states[follows]}
    for name, (array, _) in REPLAYS.items():
        if array in kept:
            shown[name] = kept[array].values[0] if kept[array].ndim == 3 else kept[array].values
    table = []
    for panel, (name, rates) in zip("ABCD", shown.items(), strict=False):
        first = len(follows) - len(rates) + 1
        ax, last = axes[name], len(follows) + 0.5
        picture = ax.imshow(
            rates[:, order].T, cmap="magma", vmin=0, vmax=1, aspect="auto", origin="lower", interpolation="nearest",
            extent=(first - 0.5, last, 0.5, len(order) + 0.5),
        )  # fmt: skip
        ax.set(xlim=(0.5, last), xlabel="step", facecolor="#EEEEEE")
        ax.set_title(TITLES[name], fontsize=16)
        ax.tick_params(labelleft=name == "data")
        table += [
            point(panel, name, "", step, neuron, f"{rate:.3g}")
            for step, row in enumerate(rates[:, order], start=first)
            for neuron, rate in enumerate(row, start=1)
        ]
    axes["data"].set_ylabel("neuron of EC, by place")
    bar = figure.colorbar(picture, ax=axes[list(REPLAYS)[-1]], shrink=0.8, aspect=20)
    bar.set_label("rate", fontsize=13)
    return table


def draw_losses(ax, runs) -> list[Row]:
    """Mean squared error of one step against laps; persistence as a line."""
    table, curves = [], {"prediction_loss": "within CA3", "backpropagation_loss": "backpropagation through time"}
    for measure, name in curves.items():
        colour, lines = REPLAYS[name][1], []
        for run in runs:
            measures = run.measures()
            laps, losses = measures["laps"].values, measures[measure].values
            lines.append(losses)
            ax.plot(laps, losses, color=colour, linewidth=0.8, alpha=0.5)
            seed = run.description()["seed"]
            table += [
                point("E", measure, seed, f"{lap:g}", "", f"{its:.6g}") for lap, its in zip(laps, losses, strict=True)
            ]
        said = "predictive recirculation" if name == "within CA3" else name
        ax.plot(laps, np.mean(lines, axis=0), color=colour, label=said)
    persistence = float(np.mean([run.summary()["persistence_loss"] for run in runs]))
    ax.axhline(persistence, color="#888888", linestyle="--", linewidth=2)
    ax.text(laps[-1], 1.15 * persistence, "persistence", ha="right", va="bottom", color="#666666", fontsize=14)
    table.append(point("E", "persistence_loss", "mean", "", "", f"{persistence:.6g}"))
    ax.set(title="Error of one step", yscale="log", xlabel="laps", ylabel="mean squared error", xlim=(0, laps[-1]))
    ax.legend(frameon=False, fontsize=13, loc="upper right", bbox_to_anchor=(1, 0.93))
    return table


def draw_correlations(ax, runs, kept) -> list[Row]:
    """Correlation of each replayed step with what would have come."""
    table = []
    for name, (array, colour) in REPLAYS.items():
        lines = []
        for run, its in zip(runs, kept, strict=True):
            if array not in its:
                continue
            values = its[array].values
            rates, states = values[0] if values.ndim == 3 else values, its["states"].values[0]
            follows = its["follows"].values[-len(rates) :]
            lines.append(replay_correlations(rates, states)[np.arange(len(rates)), follows])
            steps = np.arange(len(its["follows"]) - len(rates), len(its["follows"])) + 1
            ax.plot(steps, lines[-1], color=colour, linewidth=0.7, alpha=0.4)
            seed = run.description()["seed"]
            table += [
                point("F", name, seed, int(step), "", f"{value:.6g}")
                for step, value in zip(steps, lines[-1], strict=True)
            ]
        if lines:
            ax.plot(steps, np.mean(lines, axis=0), color=colour, label=name)
    ax.axhline(0, color="#BBBBBB", linewidth=1, zorder=0)
    ax.set(title="Replay beside what EC sends", xlabel="step", ylabel="correlation", ylim=(-1, 1.1))
    ax.set_xlim(1, len(kept[0]["follows"]))
    ax.legend(frameon=False, fontsize=13, loc="lower left", ncols=1)
    return table


def point(panel, curve, seed, x, y, value) -> Row:
    """One plotted point."""
    return {"panel": panel, "curve": curve, "seed": seed, "x": x, "y": y, "value": value}


def printed(runs: list[RunDirectory]) -> list[Row]:
    """The numbers of the ring."""
    summaries = [run.summary() for run in runs]
    n = len(runs)
    names = {
        "loss of one step / persistence": [its["prediction_loss"] / its["persistence_loss"] for its in summaries],
        "the same, backpropagation through time": [
            its["backpropagation_loss"] / its["persistence_loss"] for its in summaries
        ],
        "correlation of replay within CA3": [its["replay_correlation"] for its in summaries],
        "its minimum over steps": [its["replay_correlation_min"] for its in summaries],
        "places decoded, %": [its["replay_decoded_percent"] for its in summaries],
        "correlation of replay through CA1 and EC": [its["cortical_replay_correlation"] for its in summaries],
        "correlation of replay by backpropagation": [
            its.get("backpropagation_replay_correlation", np.nan) for its in summaries
        ],
    }
    return [
        {"quantity": name, "simulated": with_interval(values, ".3f"), "paper": "", "source": f"ring, {n} seeds"}
        for name, values in names.items()
    ]


FIGURE = Figure(NAME, "A ring of place cells, replayed; and where replay fails", requests, draw)

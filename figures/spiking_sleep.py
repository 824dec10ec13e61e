"""Feedback weights on their way to the pseudoinverse in a sleep of spikes."""

from pathlib import Path

import matplotlib
import numpy as np

from cortex_model.analysis.learning_curves import mean_and_interval
from cortex_model.experiments.reproduce import Figure, Row, RunRequest, figure_folder, runs_of, write_figure
from cortex_model.experiments.statements import BANDS, statement_of
from cortex_model.runs.directory import RunDirectory
from cortex_model.system.sources import load_module

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

style = load_module(figure_folder() / "style.py")
PROTOCOL = "spiking_sleep"
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")
#: Measure -> (what it is called, how it is drawn).
ANGLES = {
    "alignment_angle_to_pseudoinverse_degrees": ("W⁺", "-"),
    "alignment_angle_to_transpose_degrees": ("Wᵀ", ":"),
}
#: The marks of the protocol: an angle, and a norm.
MOST_DEGREES, MOST_OFF = 15.0, 0.15


def requests(dataset: str, n_seeds: int) -> list[RunRequest]:
    """The protocol with its defaults, with each seed; there is no dataset."""
    return [RunRequest(PROTOCOL, {}, seed) for seed in range(1, n_seeds + 1)]


def draw(directories: list[RunDirectory], out: Path) -> list[Row]:
    """spiking_sleep.*: angles of each V to W^+ and W^T, and its norm, over presentations of noise."""
    runs = runs_of(directories, PROTOCOL, PROTOCOL)
    measures = [run.measures() for run in runs]
    with style.styled():
        figure, axes = plt.subplots(1, 2, figsize=(13.33, 5.6))
        table = draw_angles(axes[0], measures) + draw_norms(axes[1], measures)
        style.letter(axes)
        spikes = np.mean([sum(run.summary()["spikes_per_presentation"].values()) for run in runs])
        style.state(figure, statement_of(runs, BANDS), f"{spikes:.0f} spikes a presentation, forward and feedback")
        write_figure(figure, table, PROTOCOL, out)
        plt.close(figure)
    return numbers(measures)


def draw_angles(ax, measures) -> list[Row]:
    """Angles of each V."""
    table = []
    for name, (other, dash) in ANGLES.items():
        for level, colour in zip(range(measures[0][name].shape[1]), COLOURS, strict=False):
            table += line(ax, measures, name, level, colour, dash, f"V{level + 1} to {other}")
    ax.axhline(MOST_DEGREES, color="#999999", linewidth=1, linestyle="--")
    ax.set(title="Direction of V", xlabel="presentations of noise", ylabel="angle (degrees)", ylim=(0, 95))
    ax.set_yticks((0, MOST_DEGREES, 30, 60, 90))
    finish(ax)
    ax.legend(frameon=False, ncols=2)
    return table


def draw_norms(ax, measures) -> list[Row]:
    """The norm of each V, in units of that of W^+."""
    table = []
    for level, colour in zip(range(measures[0]["relative_norm"].shape[1]), COLOURS, strict=False):
        table += line(ax, measures, "relative_norm", level, colour, "-", f"V{level + 1}")
    ax.axhspan(1 - MOST_OFF, 1 + MOST_OFF, color="#999999", alpha=0.15, linewidth=0)
    ax.axhline(1, color="#999999", linewidth=1, linestyle="--")
    ax.set(title="Norm of V", xlabel="presentations of noise", ylabel="|V| / |W⁺|", ylim=(0, None))
    finish(ax)
    ax.legend(frameon=False)
    return table


def finish(ax) -> None:
    """Few numbers on the horizontal axis, with thousands marked."""
    ax.xaxis.set_major_locator(matplotlib.ticker.MaxNLocator(5))
    ax.xaxis.set_major_formatter(matplotlib.ticker.FuncFormatter(lambda value, _: f"{value:,.6g}"))


def line(ax, measures, name: str, level: int, colour: str, dash: str, label: str) -> list[Row]:
    """Mean and interval over seeds of what is measured of one V."""
    x = measures[0]["presentations"].values
    mean, low, high = mean_and_interval([each[name].values[:, level] for each in measures], least=0)
    ax.plot(x, mean, color=colour, linestyle=dash, linewidth=2.2, label=label)
    ax.fill_between(x, low, high, color=colour, alpha=0.15, linewidth=0)
    return [
        {"quantity": label, "presentations": int(at), "mean": float(f"{m:.5g}"), "low": float(f"{a:.5g}"),
         "high": float(f"{b:.5g}")}
        for at, m, a, b in zip(x, mean, low, high, strict=True)
    ]  # fmt: skip


def numbers(measures) -> list[Row]:
    """What is printed: the last angle and norm of each V, over seeds."""
    rows = []
    for name, unit in (("alignment_angle_to_pseudoinverse_degrees", "degrees to W^+"), ("relative_norm", "|V|/|W^+|")):
        for level in range(measures[0][name].shape[1]):
            last = np.array([each[name].values[-1, level] for each in measures])
            mean, low, high = mean_and_interval(last, least=0)
            shown = f"{mean:.3g}" if np.isnan(low) else f"{mean:.3g} [{low:.3g}, {high:.3g}]"
            said = f"{shown}; from {last.min():.3g} to {last.max():.3g}"
            rows.append({"quantity": f"V_{level + 1}, {unit}", "simulated": said, "paper": "-",
                         "source": "not in the paper"})  # fmt: skip
    return rows


FIGURE = Figure(PROTOCOL, "Feedback becomes the pseudoinverse in a sleep of spikes", requests, draw)

"""Fig. 1B: activity in one reciprocal pair, unrolled in time, before and after sleep.

The paper draws a scheme; here the same scheme holds the activity of a simulated pair.
"""

from pathlib import Path

import matplotlib
import numpy as np

from cortex_model.analysis.learning_curves import with_interval
from cortex_model.experiments.reproduce import Figure, Row, RunRequest, figure_folder, runs_of, write_figure
from cortex_model.experiments.statements import statement_of
from cortex_model.runs.directory import RunDirectory
from cortex_model.system.sources import load_module

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

style = load_module(figure_folder() / "style.py")

PROTOCOL = "recirculation_dynamics"
#: The moments of both half cycles: (measure, text, column, whether in the upper population).
ASCENDING = (
    ("ascending_noise", "noise", 0, False),
    ("ascending_up", "up", 1, True),
    ("ascending_reconstruction", "recon-\nstruction", 2, False),
    ("ascending_difference", "difference", 3.5, False),
)
DESCENDING = (
    ("descending_noise", "noise", 5.2, True),
    ("descending_down", "down", 6.2, False),
    ("descending_reconstruction", "recon-\nstruction", 7.2, True),
    ("descending_difference", "difference", 8.7, True),
)
MOMENTS = ASCENDING + DESCENDING
SHOWS = "thin lines: single seeds, thick: their geometric mean"
COLOURS = {"difference_below": "#0072B2", "difference_above": "#D55E00"}


def requests(dataset: str, n_seeds: int) -> list[RunRequest]:
    """One setting with each seed; the dataset plays no part."""
    return [RunRequest(PROTOCOL, {"look_every_presentations": 50}, seed) for seed in range(n_seeds)]


def draw(directories: list[RunDirectory], out: Path) -> list[Row]:
    """Activity of the first run on the left, both differences of every run against presentations on the right."""
    runs = runs_of(directories, PROTOCOL, "fig1b")
    first = runs[0].measures()
    with style.styled():
        mosaic = [["before", "fall"], ["after", "fall"]]
        figure, axes = plt.subplot_mosaic(mosaic, width_ratios=(2.3, 1), figsize=(13.33, 6.6))
        table = draw_activity(axes["before"], first, 0, "Before sleep")
        last = int(first["presentations"][-1])
        table += draw_activity(axes["after"], first, -1, f"After {last} presentations of noise")
        table += draw_differences(axes["fall"], runs)
        style.letter(axes[name] for name in ("before", "after", "fall"))
        of_activity = f"A and B: rates of each neuron, seed {runs[0].description()['seed']}"
        style.state(figure, statement_of(runs, SHOWS), of_activity)
        write_figure(figure, table, "fig1b", out)
        plt.close(figure)
    fallen = [np.log10(run.summary()["difference_below"][0] / run.summary()["difference_below"][-1]) for run in runs]
    return [
        {
            "quantity": "decades by which the difference below falls",
            "simulated": with_interval(fallen, ".1f"),
            "paper": "a scheme, no numbers",
            "source": "Fig. 1B",
        }
    ]


def draw_activity(ax, measures, look: int, title: str) -> list[Row]:
    """Each vector as a strip of neurons, lower population below, upper above, time from left to right."""
    activity = {name: measures[name].values[look] for name, *_ in MOMENTS if name in measures}
    for half in ("ascending", "descending"):
        activity[f"{half}_difference"] = activity[f"{half}_noise"] - activity[f"{half}_reconstruction"]
    table = []
    for name, text, column, above in MOMENTS:
        bottom = 1.35 if above else 0.0
        place = (column - 0.2, column + 0.2, bottom, bottom + 1)
        values = activity[name]
        ax.imshow(values[:, None], extent=place, cmap="RdBu_r", vmin=-2.5, vmax=2.5, aspect="auto")
        ax.add_patch(plt.Rectangle(place[::2], 0.4, 1, fill=False, linewidth=1, edgecolor="#444444"))
        ax.text(column, 2.45 if above else -0.1, text, ha="center", va="bottom" if above else "top", linespacing=0.9)
        table += [
            {"panel": title, "curve": name, "seed": "", "x": neuron, "y": float(value)}
            for neuron, value in enumerate(values)
        ]
    for half, letters in ((ASCENDING, "WV"), (DESCENDING, "VW")):
        for (_, _, x, above), (_, _, next_x, next_above), letter in zip(half, half[1:], letters, strict=False):
            ends = (x + 0.24, 1.85 if above else 0.5), (next_x - 0.24, 1.85 if next_above else 0.5)
            ax.annotate("", ends[1], ends[0], arrowprops={"arrowstyle": "-|>", "color": "#444444", "linewidth": 2})
            ax.text(x + (0.28 if letter == "W" else 0.72), 1.38, letter, ha="center", weight="bold")
    if look == 0:
        ax.text(3.5, 1.15, "V learns", ha="center", color=COLOURS["difference_below"], weight="bold")
        ax.text(8.7, 1.2, "W learns", ha="center", va="top", color=COLOURS["difference_above"], weight="bold")
    ax.set(title=title, xlim=(-1.3, 9.4), ylim=(-0.8, 3.2))
    ax.axis("off")
    ax.text(-0.4, 1.85, "upper", ha="right", va="center")
    ax.text(-0.4, 0.5, "lower", ha="right", va="center")
    return table


def draw_differences(ax, runs: list[RunDirectory]) -> list[Row]:
    """Size of both differences against presentations: a thin line a seed, a thick one for the geometric mean."""
    table = []
    for measure, colour in COLOURS.items():
        curves = []
        for run in runs:
            measures, seed = run.measures(), run.description()["seed"]
            x, y = measures["presentations"].values, measures[measure].values
            ax.plot(x, y, color=colour, linewidth=0.8, alpha=0.5)
            curves.append(y)
            table += [
                {"panel": "difference", "curve": measure, "seed": seed, "x": int(n), "y": float(d)}
                for n, d in zip(x, y, strict=True)
            ]
        ax.plot(x, np.exp(np.mean(np.log(curves), axis=0)), color=colour, linestyle="-:"[measure.endswith("above")])
    ax.set(title="What is left to learn from", yscale="log", xlabel="noise presentations", xlim=(0, None))
    ax.set_ylabel("difference / noise (rms)")
    ax.text(
        0.4,
        1e-1,
        "below: V learns",
        color=COLOURS["difference_below"],
        weight="bold",
        transform=ax.get_yaxis_transform(),
    )
    ax.text(
        0.4,
        1e-2,
        "above: W learns",
        color=COLOURS["difference_above"],
        weight="bold",
        transform=ax.get_yaxis_transform(),
    )
    return table


FIGURE = Figure("fig1b", "Activity in a reciprocal pair, unrolled in time", requests, draw)

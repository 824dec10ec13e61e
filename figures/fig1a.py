"""Fig. 1A: forward and feedback weights become each other's pseudoinverse, exponentially.

Against the paper: its axis is the Frobenius norm |U - V^+| itself, ours is relative to |V^+|, so that panels
compare. Its figure "includes decay", with which the distance cannot reach zero; so we show it without and with.
"""

from collections import defaultdict
from pathlib import Path

import matplotlib
import numpy as np

from cortex_model.analysis.learning_curves import straightness, with_interval
from cortex_model.experiments.reproduce import Figure, Row, RunRequest, figure_folder, runs_of, write_figure
from cortex_model.experiments.statements import statement_of
from cortex_model.runs.directory import RunDirectory
from cortex_model.system.sources import load_module

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

style = load_module(figure_folder() / "style.py")

PROTOCOL = "pseudoinverse_alignment"
RECTANGULAR = {"layer_sizes": (40, 20), "n_presentations": 4500, "look_every_presentations": 225}
SLOW = {"sleep_learning_rate": 0.005, "forward_sleep_learning_rate": 0.005,
        "n_presentations": 4500, "look_every_presentations": 225}  # fmt: skip
SETTINGS = (
    {"look_every_presentations": 50},
    {**RECTANGULAR, "forward_sleep_learning_rate": 0, "sleep_learning_rate": 0.005},
    {**SLOW, "damping": 0.1},
    {"averaged": True},
    {**RECTANGULAR, "averaged": True},
    {**SLOW, "damping": 0.1, "averaged": True},
)
PANELS = ("square", "rectangular", "with decay")
#: Kind of run -> (colour, panel -> where its name stands: share of the width, distance).
KINDS = {
    "online": ("#0072B2", {"square": (0.5, 1e-4), "with decay": (0.3, 2)}),
    "online, W held": ("#009E73", {"rectangular": (0.3, 2)}),
    "averaged": ("#D55E00", {"square": (0.06, 1e-10), "rectangular": (0.4, 1e-5), "with decay": (0.3, 1e-4)}),
}
KEY = "solid: V to W⁺\ndotted: W to V⁺"
SHOWS = "thin lines: single seeds, thick: their geometric mean"
#: What is not drawn.
HELD_OUT = "Not drawn: W to V⁺ where W is held. Dashed: where the closed form says that V ends"
#: Between which distances an exponential must show as a straight line.
FITTED = 1e-12, 1e-2
PAPER = {"paper": "decreases exponentially", "source": "Fig. 1A, caption"}


def requests(dataset: str, n_seeds: int) -> list[RunRequest]:
    """Each setting with each seed; the dataset plays no part."""
    return [RunRequest(PROTOCOL, setting, seed) for setting in SETTINGS for seed in range(n_seeds)]


def draw(directories: list[RunDirectory], out: Path) -> list[Row]:
    """Distances against presentations: a thin line for each seed, a thick one for their geometric mean."""
    curves = defaultdict(list)
    for directory in runs_of(directories, PROTOCOL, "fig1a"):
        curves[setting_of(directory)].append(directory)
    table, rows = [], []
    with style.styled():
        figure, axes = plt.subplots(1, 3, sharey=True)
        axes = dict(zip(PANELS, axes, strict=True))
        style.letter(axes.values())
        for (panel, kind, sizes, damping, rate), runs in curves.items():
            label = {"panel": panel, "kind": kind, "layer_sizes": sizes, "damping": damping, "learning_rate": rate}
            table += [{**label, **row} for row in draw_curves(axes[panel], runs, KINDS[kind][0])]
            rows += numbers(f"{panel}, {kind}" + (f", decay {damping:g}" if damping else ""), runs)
            axes[panel].set_title(f"{panel.capitalize()}, {sizes}")
        for panel, ax in axes.items():
            ax.set(yscale="log", ylim=(1e-16, 30), xlim=(0, None), xlabel="noise presentations")
            for kind in {kind for where, kind, *_ in curves if where == panel}:
                colour, places = KINDS[kind]
                place = places.get(panel, (0.5, 3))
                ax.text(*place, kind, color=colour, weight="bold", transform=ax.get_yaxis_transform())
        axes["with decay"].text(0.3, 1e-9, KEY, transform=axes["with decay"].get_yaxis_transform())
        axes["square"].set_ylabel("relative distance to the\nother's pseudoinverse")
        style.state(figure, statement_of(directories, SHOWS), HELD_OUT)
        write_figure(figure, table, "fig1a", out)
        plt.close(figure)
    return rows


def setting_of(directory: RunDirectory) -> tuple:
    """Panel, kind, sizes, damping and learning rate of a run: what distinguishes one curve from another."""
    p = directory.description()["parameters"]
    lower, upper = p["layer_sizes"]
    panel = "with decay" if p["damping"] > 0 else "square" if lower == upper else "rectangular"
    kind = "averaged" if p["averaged"] else "online" if p["forward_sleep_learning_rate"] else "online, W held"
    return panel, kind, f"{lower} – {upper}", p["damping"], p["sleep_learning_rate"]


def draw_curves(ax, runs: list[RunDirectory], colour: str) -> list[Row]:
    """V to W^+ solid, W to V^+ dotted (not where W is held), where theory says that V ends dashed; as rows too."""
    table = []
    held = runs[0].description()["parameters"]["forward_sleep_learning_rate"] == 0
    for measure, line in [("distance_feedback", "-")] + [("distance_forward", ":")] * (not held):
        curves = []
        for run in runs:
            measures, seed = run.measures(), run.description()["seed"]
            x, y = measures["presentations"].values, measures[measure].values
            ax.plot(x, y, color=colour, linestyle=line, linewidth=0.8, alpha=0.5)
            curves.append(y)
            table += [
                {"measure": measure, "seed": seed, "presentations": int(n), "distance": float(d)}
                for n, d in zip(x, y, strict=True)
            ]
        ax.plot(x, np.exp(np.mean(np.log(curves), axis=0)), color=colour, linestyle=line)
    for floor in {run.summary()["predicted_floor"] for run in runs} - {None, 0.0}:
        ax.axhline(floor, color="#444444", linestyle="--", linewidth=1.5, zorder=0)
        place = {"transform": ax.get_yaxis_transform(), "ha": "right", "va": "top"}
        ax.text(1, floor / 2, f"predicted {floor:.2g}", color="#444444", **place)
    return table


def numbers(label: str, runs: list[RunDirectory]) -> list[Row]:
    """How far and how straight the distance of V falls; or where it ends, beside where theory says that it does."""
    x, y = runs[0].measures()["presentations"].values, [run.measures()["distance_feedback"].values for run in runs]
    predicted = runs[0].summary()["predicted_floor"]
    if predicted:
        late = [np.sqrt(np.mean(curve[len(curve) // 2 :] ** 2)) for curve in y]
        beside = {"paper": "not given", "source": f"closed form: {predicted:.3g}"}
        return [
            {"quantity": f"{label}: distance at the end", "simulated": with_interval(late, ".3g", least=0), **beside}
        ]
    fallen = [np.log10(curve[0] / curve[-1]) for curve in y]
    straight = [straightness(x, curve, *FITTED) for curve in y]
    return [
        {"quantity": f"{label}: decades fallen", "simulated": with_interval(fallen, ".1f"), **PAPER},
        {"quantity": f"{label}: R² of a straight line", "simulated": with_interval(straight, ".4f"), **PAPER},
    ]


FIGURE = Figure("fig1a", "Forward and feedback weights become each other's pseudoinverse", requests, draw)

"""Tuning to visual angle in perception and in recall, by the damping with which feedback was learned in sleep.

After Favila, Kuhl & Winawer (Nature Communications 13, 2022, doi:10.1038/s41467-022-33161-8), Fig. 7. Theirs is one
network whose feedback is the transpose; ours learns its feedback, and asks which damping gives recall like theirs.
"""

from pathlib import Path

import matplotlib
import numpy as np
from scipy.optimize import brentq

from cortex_model.analysis.learning_curves import grouped, mean_and_interval, with_interval
from cortex_model.experiments.reproduce import Figure, Row, RunRequest, figure_folder, runs_of, write_figure
from cortex_model.experiments.statements import BARS, statement_of
from cortex_model.runs.directory import RunDirectory
from cortex_model.runs.protocol import protocol_folder
from cortex_model.system.sources import load_module
from cortex_model.theory import condition_number

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

style = load_module(figure_folder() / "style.py")

PROTOCOL = "favila_tuning"
DAMPINGS = (0.001, 0.01, 0.1, 0.5, 1.0, 3.0, 10.0, 100.0)
N_PRESENTATIONS = 200_000
#: exp(-FORGETTING) of the random start is left at the end of sleep.
FORGETTING = 7.0
#: The transpose, learned by the weight mirror; and a pseudoinverse that no damping bounds, with a stable step.
TRANSPOSE = {"learning_rule": "weight_mirror", "damping": 1.0, "feedback_gain": "none"}
UNDAMPED = {"damping": 0.0, "sleep_learning_rate": 0.05}
#: Dampings for which the rule's average is shown too: there single noise vectors do not suffice, or barely.
AVERAGED = (0.001, 0.01)
#: Dampings whose responses are drawn, and their colours; others take a colour from the map.
DRAWN = (0.01, 0.5, 10.0)
PERCEPTION = "#444444"
COLOURS = matplotlib.colormaps["viridis_r"]


def requests(dataset: str, n_seeds: int) -> list[RunRequest]:
    """Every damping, the transpose, no damping and averages, with each seed; the dataset plays no part."""
    damped = {d: {"damping": d, "sleep_learning_rate": FORGETTING / (d * N_PRESENTATIONS)} for d in DAMPINGS}
    averaged = [damped[d] | {"averaged": True} for d in AVERAGED]
    mirror = TRANSPOSE | {"sleep_learning_rate": FORGETTING / N_PRESENTATIONS}
    shared = {"n_presentations": N_PRESENTATIONS}
    settings = [shared | setting for setting in (*damped.values(), *averaged, mirror, UNDAMPED)]
    return [RunRequest(PROTOCOL, setting, seed) for setting in settings for seed in range(n_seeds)]


def draw(directories: list[RunDirectory], out: Path) -> list[Row]:
    """Responses and widths by population; width at the lowest one, and growth of noise, against damping."""
    runs = runs_of(directories, PROTOCOL, "favila_tuning")
    arms = {key[:2]: its for key, its in grouped(runs, "learning_rule", "damping", "averaged").items() if not key[2]}
    averaged = {key[1]: its for key, its in grouped(runs, "learning_rule", "damping", "averaged").items() if key[2]}
    theory = Prediction(runs[0])
    with style.styled():
        mosaic = [["responses", "widths"], ["lowest", "noise"]]
        figure, axes = plt.subplot_mosaic(mosaic, figsize=(13.33, 10.6))
        table = draw_responses(axes["responses"], arms)
        table += draw_widths(axes["widths"], arms)
        table += draw_lowest(axes["lowest"], arms, averaged, theory)
        table += draw_noise(axes["noise"], theory)
        style.letter(axes.values())
        style.state(figure, statement_of(runs, BARS), left_out(arms))
        write_figure(figure, table, "favila_tuning", out)
        plt.close(figure)
    return numbers(arms, averaged, theory)


class Prediction:
    """What theory says of the hierarchy of a run, for any damping."""

    def __init__(self, run: RunDirectory):
        self.module = load_module(protocol_folder() / f"{PROTOCOL}.py")
        self.parameters = self.module.TuningParameters().with_overrides(run.description()["parameters"])
        n = self.parameters.layer_sizes[0]
        self.kernel = self.module.spreading(n, self.parameters.spread_degrees)
        shown = self.module.stimuli(n, self.parameters.stimulus_degrees)
        self.perceived = self.module.perception(self.kernel, shown, self.parameters.n_layers)

    def feedback(self, damping: float) -> dict[int, np.ndarray]:
        """The same V for every pair."""
        p = self.parameters.with_overrides({"learning_rule": "reciprocal", "damping": damping})
        return dict.fromkeys(range(1, p.n_layers + 1), self.module.prediction(p, self.kernel))

    @property
    def top(self) -> np.ndarray:
        """Rates of the top population in perception."""
        return self.perceived[self.parameters.n_layers]

    def lowest_width(self, damping: float) -> float:
        """Width in recall at the lowest population."""
        return self.module.widths(self.module.recall(self.feedback(damping), self.top))[0]

    def noise_growth(self, damping: float) -> float:
        """How much noise of the top grows until the lowest population."""
        return self.module.noise_growth(self.feedback(damping), self.top)[0]

    def condition_number(self) -> float:
        """Of W; beyond 1e16 double precision cannot tell it from infinity."""
        return condition_number(self.kernel)

    def even_damping(self) -> float:
        """The damping at which recall is as broad at the lowest population as at the top."""
        top = self.module.widths(self.perceived)[-1]
        return float(brentq(lambda d: self.lowest_width(d) - top, 1e-2, 10, xtol=1e-4))


def left_out(arms) -> str:
    """A sentence: arms of which nothing is drawn."""
    undrawn = [name_of(*key) for key in arms if key not in damped(arms)]
    return f"Not drawn, theory has no bound there: {', '.join(undrawn)}" if undrawn else ""


def name_of(rule: str, damping: float) -> str:
    """What an arm is called."""
    return "transpose" if rule == "weight_mirror" else f"damping {damping:g}"


def colour_of(rule: str, damping: float) -> tuple:
    """Darker for more damping; black for the transpose."""
    if rule == "weight_mirror":
        return (0.0, 0.0, 0.0, 1.0)
    return COLOURS(0.15 + 0.8 * (np.log10(damping) + 3) / 5)


def damped(arms):
    """Arms with damping, the transpose last."""
    kept = {key: runs for key, runs in arms.items() if key[1] > 0}
    return dict(sorted(kept.items(), key=lambda arm: (arm[0][0] == "weight_mirror", arm[0][1])))


def values_of(runs, measure: str) -> np.ndarray:
    """A measure after sleep, shape (n_seeds, ...)."""
    return np.array([run.measures()[measure].values[-1] for run in runs])


def draw_responses(ax, arms) -> list[Row]:
    """Mean response at the lowest population in perception, at the top, and recalled below at three dampings."""
    perceived = values_of(next(iter(arms.values())), "perceived_response")[0]
    n = perceived.shape[-1]
    angles, table = (np.arange(n) - n // 2) * 360 / n, []
    lines = [("stimulus", perceived[0], PERCEPTION, ":"), ("top", perceived[-1], PERCEPTION, "-")]
    for (rule, damping), runs in damped(arms).items():
        if damping in DRAWN and rule != "weight_mirror":
            mean = values_of(runs, "recalled_response")[:, 0].mean(axis=0)
            lines.append((f"recalled, {name_of(rule, damping)}", mean, colour_of(rule, damping), "-"))
    for name, response, colour, style in lines:
        ax.plot(angles, response / response.max(), color=colour, linestyle=style, label=name)
        table += [row("responses", name, a, r) for a, r in zip(angles, response / response.max(), strict=True)]
    ax.set(title="Recalled at the lowest population", xlabel="angle from the stimulus (degrees)")
    ax.set(ylabel="response / maximum", xlim=(-180, 180), xticks=range(-180, 181, 90), ylim=(-0.4, 1.6))
    ax.legend(loc="upper center", ncols=2, frameon=False, fontsize=12)
    return table


def draw_widths(ax, arms) -> list[Row]:
    """Width by population: perception, and recall at each damping; lines are the theory, dots learned feedback."""
    table, label = [], 0.0
    perceived = values_of(next(iter(arms.values())), "perceived_width_degrees")[0]
    populations = np.arange(len(perceived))
    ax.plot(populations, perceived, color=PERCEPTION, linewidth=5)
    middle = len(perceived) // 3
    ax.text(middle + 0.2, perceived[middle] - 18, "perception", color=PERCEPTION, weight="bold")
    table += [row("widths", "perception", x, y) for x, y in zip(populations, perceived, strict=True)]
    for (rule, damping), runs in damped(arms).items():
        name, colour = name_of(rule, damping), colour_of(rule, damping)
        predicted = values_of(runs, "predicted_width_degrees")[0]
        mean, low, high = mean_and_interval(values_of(runs, "recalled_width_degrees"))
        ax.plot(populations, predicted, color=colour, linewidth=1.5)
        ax.plot(populations, mean, "o", color=colour, markersize=6)
        label = max(predicted[0], label + 7)
        ax.text(-0.25, label, "transpose" if rule == "weight_mirror" else f"{damping:g}", color=colour,
                ha="right", va="center", fontsize=12)  # fmt: skip
        table += [row("widths", f"theory, {name}", x, y) for x, y in zip(populations, predicted, strict=True)]
        table += [row("widths", f"learned, {name}", *point) for point in zip(populations, mean, low, high, strict=True)]
    ax.set(title="Recall (dots: learned, lines: theory)", xlabel=f"population (0: stimulus, {len(perceived) - 1}: top)")
    ax.set(
        ylabel="tuning width (degrees)",
        ylim=(0, 165),
        xticks=populations,
        xlim=(-0.28 * len(perceived), len(perceived) - 0.8),
    )
    return table


def draw_lowest(ax, arms, averaged, theory: Prediction) -> list[Row]:
    """Width at the lowest population against damping, beside the widths of stimulus and top; hollow: the average."""
    grid = np.geomspace(3e-4, 300, 100)
    predicted = [theory.lowest_width(d) for d in grid]
    ax.plot(grid, predicted, color="#0072B2", linewidth=1.5)
    table = [row("lowest", "theory", x, y) for x, y in zip(grid, predicted, strict=True)]
    for (rule, damping), runs in damped(arms).items():
        values = values_of(runs, "recalled_width_degrees")[:, 0]
        if rule != "weight_mirror":
            mean, low, high = mean_and_interval(values)
            bar = [[mean - low], [high - mean]]
            ax.errorbar(damping, mean, bar, marker="o", color="#0072B2", capsize=3, elinewidth=1.5)
            table.append(row("lowest", "learned", damping, mean, low, high))
    for damping, runs in averaged.items():
        mean, low, high = mean_and_interval(values_of(runs, "recalled_width_degrees")[:, 0])
        ax.plot(damping, mean, "o", color="#0072B2", markerfacecolor="white", markersize=9)
        table.append(row("lowest", "learned, averaged rule", damping, mean, low, high))
    smallest = min((d for rule, d in damped(arms) if rule != "weight_mirror"), default=None)
    if smallest in averaged:
        mean = values_of(arms["reciprocal", smallest], "recalled_width_degrees")[:, 0].mean()
        n = runs[0].description()["parameters"]["n_presentations"]
        ax.annotate(f"{n:,} noise vectors\nare too few here;\nhollow: their average", (smallest, mean),
                    (smallest * 1.5, 162), fontsize=12, va="top")  # fmt: skip
    perceived = theory.module.widths(theory.perceived)
    even = theory.even_damping()
    levels = {"stimulus": perceived[0], "top population": perceived[-1]}
    for name, width in levels.items():
        ax.axhline(width, color=PERCEPTION, linewidth=1, linestyle=":")
        ax.text(3e-3, width + 2, name, color=PERCEPTION, fontsize=12)
        table.append(row("lowest", f"perception, {name}", "", width))
    ax.axvspan(even, 300, color="#D55E00", alpha=0.12, linewidth=0)
    ax.text(even * 1.3, 40, f"as broad as the top\nor broader:\ndamping above {even:.2f}", color="#D55E00", va="center")
    table.append(row("lowest", "as broad as the top", even, perceived[-1]))
    ax.set(title="Broad recall asks for damping", xlabel="damping", ylabel="recalled width, lowest (degrees)")
    ax.set(xscale="log", xlim=(3e-4, 300), ylim=(0, 165))
    return table


def draw_noise(ax, theory: Prediction) -> list[Row]:
    """Growth of noise on its way down against damping: without damping there is no bound."""
    grid = np.geomspace(3e-4, 300, 100)
    growth = [theory.noise_growth(d) for d in grid]
    ax.plot(grid, growth, color="#CC79A7")
    ax.axhline(1, color=PERCEPTION, linewidth=1, linestyle=":")
    ax.text(250, 1.5, "as at the top", color=PERCEPTION, ha="right", fontsize=12)
    condition = f"{theory.condition_number():.0e}".replace("e+", "e")
    ax.text(4e-3, 1e9, f"damping 0: no bound,\nthe inverse is ill-posed\n(condition of W {condition})", va="center")
    ax.set(title="Noise at the top, relative to recall", xlabel="damping", ylabel="growth until the lowest population")
    ax.set(xscale="log", yscale="log", xlim=(3e-4, 300))
    return [row("noise", "theory", x, y) for x, y in zip(grid, growth, strict=True)]


def row(panel: str, curve: str, x, y, low="", high="") -> Row:
    """One plotted point."""
    return {"panel": panel, "curve": curve, "x": x, "y": float(y), "low": low, "high": high}


def numbers(arms, averaged, theory: Prediction) -> list[Row]:
    """Width at the lowest population, learned beside the theory's, and how near the feedback weights are."""
    named = {name_of(*key): runs for key, runs in arms.items()}
    named |= {f"{name_of('reciprocal', damping)}, averaged rule": runs for damping, runs in averaged.items()}
    rows = []
    for name, runs in named.items():
        widths, distances = (values_of(runs, m) for m in ("recalled_width_degrees", "distance_to_prediction"))
        predicted, floor = values_of(runs, "predicted_width_degrees")[0, 0], runs[0].summary()["predicted_floor"]
        is_damped = runs[0].summary()["damping"] > 0
        rows.append((f"{name}: width at the lowest population, degrees", with_interval(widths[:, 0], ".1f", least=0),
                     f"theory: {predicted:.1f}" if is_damped else "theory: ill-posed"))  # fmt: skip
        rows.append((f"{name}: distance of V to where theory says it ends", with_interval(distances.mean(axis=1)),
                     f"theory: {floor:.3g}" if is_damped else "theory: ill-posed"))  # fmt: skip
    perceived = ", ".join(f"{width:.1f}" for width in theory.module.widths(theory.perceived))
    rows.append(("width in perception, degrees", perceived, "wider with each population, as published"))
    even = f"{theory.even_damping():.2f}"
    rows.append(("damping above which recall is as broad below as at the top", even, "broad recall, as published"))
    return [{"quantity": what, "simulated": seen, "paper": "", "source": source} for what, seen, source in rows]


FIGURE = Figure("favila_tuning", "Tuning to visual angle in perception and in recall", requests, draw)

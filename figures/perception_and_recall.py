"""Information climbs in perception and descends in recall; images recalled through learned feedback, by damping.

After Linde-Domingo, Treder, Kerrén & Wimber (Nature Communications 10:179, 2019, doi:10.1038/s41467-018-08080-2), who
decoded perceptual and semantic features from EEG; here latencies are compared between populations.
"""

from pathlib import Path
from typing import NamedTuple

import matplotlib
import numpy as np
from scipy.stats import binomtest

from cortex_model.analysis.decoding import INFORMATION, latency_where_held, order_of_latencies
from cortex_model.analysis.learning_curves import grouped, mean_and_interval, with_interval
from cortex_model.errors import ParameterError
from cortex_model.experiments.reproduce import Figure, Row, RunRequest, figure_folder, runs_of, write_figure
from cortex_model.experiments.statements import statement_of
from cortex_model.runs.directory import RunDirectory
from cortex_model.system.sources import load_module

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

style = load_module(figure_folder() / "style.py")

PROTOCOL = "perception_and_recall"
SETTINGS = {
    "digits": {},
    "mnist": {
        "dataset": "mnist",
        "layer_sizes": (784, 400, 200, 100, 16),
        "batch_size": 40,
        "learning_rate": 0.1,
        "sleep_learning_rate": 0.001,
        "sleep_before_presentations": 50_000,
        "epochs": 1,
        "n_shown": 400,
        "chunk_presentations": 2500,
    },
}
#: The damping whose runs are decoded, and all whose images are shown; the latter with at most so many seeds.
DAMPING, DAMPINGS, N_SEEDS_OF_OTHERS = 10.0, (0.0, 1.0, 10.0, 100.0), 2
#: Lines: of each condition, and of each population from the lowest to the top.
COLOURS = {"perception": "#0072B2", "recall": "#D55E00", "recall_with_shuffled_feedback": "#888888"}
LEVELS = matplotlib.colormaps["viridis_r"]
#: Information -> (how it is called, line, marker's filling).
SHOWN = {"category": ("category", "-", None), "low_level": ("low-level features", "--", "white")}
TITLES = {"perception": "Perception: the image is held at the input", "recall": "Recall: only the top is held"}
CHANCE = {"category": 0.1, "low_level": 0.5}
SHOWS = "bands and bars: 95 % interval of the mean over seeds (Student's t)"
SOURCE = "EEG: perceptual before semantic in perception, after it in recall"


def requests(dataset: str, n_seeds: int) -> list[RunRequest]:
    """The decoded damping with each seed, the others with a few.

    Raises
    ------
    ParameterError
        For a dataset without a setting here.
    """
    if dataset not in SETTINGS:
        raise ParameterError(
            f"perception_and_recall.dataset: must be one of {', '.join(SETTINGS)} (got {dataset!r}); choose one."
        )
    asked = [RunRequest(PROTOCOL, SETTINGS[dataset] | {"damping": DAMPING}, seed) for seed in range(n_seeds)]
    others = [damping for damping in DAMPINGS if damping != DAMPING]
    few = range(min(n_seeds, N_SEEDS_OF_OTHERS))
    return asked + [RunRequest(PROTOCOL, SETTINGS[dataset] | {"damping": d}, seed) for d in others for seed in few]


def draw(directories: list[RunDirectory], out: Path) -> list[Row]:
    """NAME_DATASET.*: decoding in time, latencies, orders; NAME_DATASET_images.*: recalled images by damping."""
    arms = dict(sorted(grouped(runs_of(directories, PROTOCOL, PROTOCOL), "damping").items()))
    dataset = directories[0].description()["parameters"]["dataset"]
    runs = arms.get((DAMPING,)) or next(iter(arms.values()))
    decoded = [run.arrays("decoding.nc") for run in runs]
    with style.styled():
        mosaic = [["perception", "recall"], ["latency", "claims"]]
        figure, axes = plt.subplot_mosaic(mosaic, figsize=(13.33, 10.6))
        table = draw_accuracy(axes["perception"], decoded, "perception", dataset)
        table += draw_accuracy(axes["recall"], decoded, "recall", dataset)
        table += draw_latencies(axes["latency"], decoded)
        claims = claims_of(decoded)
        table += draw_claims(axes["claims"], claims)
        style.letter(axes.values())
        style.state(figure, statement_of(runs, SHOWS), *left_out(arms, runs))
        write_figure(figure, table, f"{PROTOCOL}_{dataset}", out)
        plt.close(figure)
        images = load_module(figure_folder() / "recalled_images.py")
        write_figure(*images.draw_images(arms, DAMPING, style), f"{PROTOCOL}_{dataset}_images", out)
        plt.close("all")
    return numbers(arms, decoded, claims)


def left_out(arms, runs) -> list[str]:
    """Sentences: the dampings that are not drawn, and when a latency is."""
    others = [f"{damping:g}" for (damping,), its in arms.items() if its is not runs]
    sentences = ["C: latencies that more than half of the seeds have"]
    return sentences + [f"Not drawn here: damping {', '.join(others)}, of which images are drawn"] * bool(others)


# ---------------------------------------------------------------------- in time
def conditions_of(dataset) -> list[str]:
    """Conditions of a decoding, in the order of its first axis."""
    return dataset.attrs["conditions"].split(", ")


def values_of(decoded, name: str, condition: str, information: str) -> np.ndarray:
    """One quantity of a decoding; shape (n_seeds, n_populations, ...)."""
    at = conditions_of(decoded[0]).index(condition), INFORMATION.index(information)
    return np.array([dataset[name].values[at] for dataset in decoded])


def population_name(level: int, n_levels: int) -> str:
    """What a population is called."""
    return {0: "input", n_levels - 1: "top"}.get(level, f"population {level}")


def draw_accuracy(ax, decoded, condition: str, dataset: str) -> list[Row]:
    """Accuracy with which the category is decoded against time, one line a population; grey: feedback shuffled."""
    times, table = decoded[0]["time_ms"].values, []
    accuracies = values_of(decoded, "accuracy", condition, "category")
    n = accuracies.shape[1]
    names = [condition] + ([f"{condition}_with_shuffled_feedback"] if condition == "recall" else [])
    for name in names:
        for level, its in enumerate(np.moveaxis(values_of(decoded, "accuracy", name, "category"), 1, 0)):
            if name != condition and level == n - 1:
                continue
            mean, low, high = mean_and_interval(its)
            colour = LEVELS(0.15 + 0.8 * level / (n - 1)) if name == condition else COLOURS[name]
            ax.plot(times, 100 * mean, color=colour, linewidth=2.5 if name == condition else 1.2,
                    linestyle="-" if name == condition else ":", label=population_name(level, n) if name == condition
                    else "shuffled V" if level == 0 else None)  # fmt: skip
            ax.fill_between(times, 100 * low, 100 * high, color=colour, alpha=0.15, linewidth=0)
            table += [point(f"accuracy, {name}", population_name(level, n), *values)
                      for values in zip(times, mean, low, high, strict=True)]  # fmt: skip
    ax.axhline(100 * CHANCE["category"], color="#444444", linewidth=1, linestyle="--")
    title = (
        "Perception: the image is held at the input" if condition == "perception" else "Recall: only the top is held"
    )
    ax.set(title=title, xlabel="time (ms)", ylabel="category decoded (% correct)", xlim=(0, times[-1]))
    if condition == "recall":
        ax.text(0.98, 0.03, "grey: V shuffled", color="#666666", transform=ax.transAxes, ha="right")
        ax.set_ylim(0, 1.1 * max(100 * accuracies.mean(axis=0).max(), 20))
    else:
        ax.set_ylim(0, 130)
        ax.set_yticks(range(0, 101, 20))
        ax.legend(frameon=False, fontsize=12, ncols=3, loc="upper left")
    return table


def draw_latencies(ax, decoded) -> list[Row]:
    """Latency of both kinds of information by population, in perception and in recall."""
    table, n = [], decoded[0].sizes["population"]
    for condition in ("perception", "recall"):
        for information, (name, style, filling) in SHOWN.items():
            latencies = values_of(decoded, "latency_ms", condition, information)
            seen = (~np.isnan(latencies)).sum(axis=0)
            levels = np.flatnonzero(2 * seen > len(latencies))
            rows = [mean_and_interval(its[~np.isnan(its)], least=0) for its in latencies[:, levels].T]
            mean, low, high = np.array(rows).reshape(-1, 3).T
            colour, shift = COLOURS[condition], 0.06 if information == "low_level" else 0
            ax.errorbar(mean, levels + shift, xerr=[mean - low, high - mean], color=colour, linestyle=style, marker="o",
                        markerfacecolor=filling or colour, markersize=8, linewidth=2, elinewidth=1.5, capsize=3,
                        label=f"{condition}: {name}" + ("" if len(levels) > 1 else " (not there)"))  # fmt: skip
            table += [point(f"latency, {condition}", name, *values) | {"seeds": int(seen[level])}
                      for level, *values in zip(levels, levels, mean, low, high, strict=True)]  # fmt: skip
    ax.set(title="When information is there (p < 0.05)", xlabel="latency (ms)", ylim=(-0.3, n - 0.5))
    ax.set_yticks(range(n), [population_name(level, n) for level in range(n)])
    ax.set_xlim(0, 2 * ax.get_xlim()[1])
    ax.legend(frameon=False, fontsize=12, loc="center right")
    return table


class Claim(NamedTuple):
    """Something that is said of the latencies of a run, and in which seeds it holds."""

    condition: str
    says: str
    holds: np.ndarray

    @property
    def p(self) -> float:
        """Of a one-sided sign test; a seed without the latencies that it needs counts against the claim."""
        return float(binomtest(int(self.holds.sum()), len(self.holds), alternative="greater").pvalue)

    @property
    def text(self) -> str:
        """In how many seeds it holds."""
        return f"{self.holds.sum()} of {len(self.holds)}, p = {self.p:.2g}"


def claims_of(decoded) -> list[Claim]:
    """Information climbs in perception and descends in recall; which kind comes first where it is held best.

    The order of populations is over those that are not held, by `order_of_latencies`; that of the two kinds is at the
    hidden population where each is read best at the end of perception (`latency_where_held`).
    """
    claims, hidden = [], list(range(1, decoded[0].sizes["population"] - 1))
    arrays = [{"accuracy": d["accuracy"].values, "latency": d["latency_ms"].values} for d in decoded]
    first = np.array([latency_where_held(its, hidden) for its in arrays])
    for row, condition in enumerate(conditions_of(decoded[0])):
        free = slice(1, None) if condition == "perception" else slice(0, -1)
        for kind, name in enumerate(("category", "low-level")):
            orders = np.array([order_of_latencies(its["latency"][row, kind, free]) for its in arrays])
            if condition == "perception":
                claims.append(Claim(condition, f"{name} climbs", orders > 0))
            else:
                claims.append(Claim(condition, f"{name} descends", orders < 0))
        if condition == "perception":
            claims.append(Claim(condition, "low-level first", first[:, row, 1] < first[:, row, 0]))
        else:
            claims.append(Claim(condition, "category first", first[:, row, 0] < first[:, row, 1]))
    return claims


def draw_claims(ax, claims: list[Claim]) -> list[Row]:
    """In how many seeds each claim holds, and its p."""
    n = len(claims[0].holds)
    for place, claim in enumerate(reversed(claims)):
        ax.barh(place, claim.holds.sum(), color=COLOURS[claim.condition])
        ax.text(claim.holds.sum() + 0.02 * n, place, claim.text, va="center", fontsize=12)
    ax.set(title="In how many seeds (sign test)", xlabel="seeds", xlim=(0, 1.6 * n))
    ax.set_xticks(np.unique(np.linspace(0, n, 3).round()))
    ax.set_yticks(range(len(claims)), [claim_name(claim) for claim in reversed(claims)], fontsize=12)
    return [point("claims", claim_name(claim), int(claim.holds.sum()), claim.p) | {"seeds": n} for claim in claims]


def claim_name(claim: Claim) -> str:
    """Condition and claim, in short."""
    return f"{claim.condition.replace('recall_with_shuffled_feedback', 'shuffled V')}: {claim.says}"


def point(panel: str, curve: str, x, y, low="", high="") -> Row:
    """One plotted point."""
    return {"panel": panel, "curve": curve, "x": x, "y": float(y), "low": low, "high": high, "seeds": ""}


def numbers(arms, decoded, claims) -> list[Row]:
    """Claims with their sign tests, latencies, what feedback explains."""
    rows = []
    rows += [(f"{claim_name(claim)}, seeds (sign test)", claim.text) for claim in claims]
    for condition in ("perception", "recall"):
        for information in INFORMATION:
            by_population = values_of(decoded, "latency_ms", condition, information).T
            seen = [its[~np.isnan(its)] for its in by_population]
            texts = [with_interval(its, ".1f", least=0) if len(its) else "never" for its in seen]
            rows.append((f"{condition}: latency of {SHOWN[information][0]}, input to top, ms", "; ".join(texts)))
    for (damping,), runs in arms.items():
        explained = np.mean([run.measures()["reconstruction_explained_variance"].values[-1] for run in runs], axis=0)
        texts = [f"{value:.2f}" for value in explained]
        rows.append((f"damping {damping:g}: variance explained by V a, lowest first", ", ".join(texts)))
    return [{"quantity": what, "simulated": seen, "paper": "", "source": SOURCE} for what, seen in rows]


FIGURE = Figure(PROTOCOL, "Information climbs in perception and descends in recall", requests, draw)

"""Hierarchies trained by the rules, layer by layer against units of macaque V4: predictivity, differences, units."""

from pathlib import Path

import matplotlib
import numpy as np

from cortex_model.experiments.by_rule import requests_by_rule, runs_by_rule
from cortex_model.experiments.reproduce import Figure, Row, RunRequest, figure_folder, runs_of, write_figure
from cortex_model.runs.directory import RunDirectory
from cortex_model.system.sources import load_module

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

cortical = load_module(figure_folder() / "cortical.py")
BASELINES = {"pixels (the input)": "pixels", "Gabor energies": "Gabor energies"}
#: The two rules whose predictions of single units are shown against each other, and the population.
ONE, OTHER, SHOWN = "reciprocal, damping 10", "backpropagation", "population 2"


def requests(dataset: str, n_seeds: int) -> list[RunRequest]:
    """Four rules with every seed; always trained on CIFAR-10, in colour like the recording's images."""
    return requests_by_rule("v4_predictivity", n_seeds)


def draw(directories: list[RunDirectory], out: Path) -> list[Row]:
    """Predictivity by population, differences between rules, and each unit by two rules."""
    runs = runs_by_rule(runs_of(directories, "v4_predictivity", "v4_predictivity"))
    measures = next(iter(runs.values()))[0].measures()
    prefix = next(name.removesuffix("_score") for name in measures if name.endswith("_score"))
    prefixes = {prefix: ("macaque V4" if prefix.startswith("v4") else prefix, "#0072B2")}
    with plt.style.context(cortical.STYLE):
        figure, axes = plt.subplots(1, 3, figsize=(16, 6.6), width_ratios=(1, 0.85, 0.9))
        table = cortical.draw_layers(axes[0], runs, prefix, BASELINES)
        is_corrected = f"{prefix}_reliability" in measures
        axes[0].set(ylabel="median r" + (" / sqrt(reliability)" if is_corrected else ""))
        axes[0].set_title(f"{prefixes[prefix][0]}: {measures[f'{prefix}_values'].shape[1]} units")
        table += cortical.draw_contrasts(axes[1], runs, prefixes)
        axes[1].set(xlabel="median over units")
        axes[1].set_title("Difference in score")
        table += draw_units(axes[2], runs, prefix)
        cortical.legend(figure, runs)
        write_figure(figure, table, "v4_predictivity", out)
        plt.close(figure)
    return cortical.printed(runs, prefixes)


def draw_units(ax, runs, prefix: str) -> list[Row]:
    """Each unit as predicted from one population of two rules, means over seeds, and from the image baseline."""
    one, other = (ONE, OTHER) if {ONE, OTHER} <= set(runs) else (list(runs)[-1], next(iter(runs)))
    across, up = (mean_values(runs[line], prefix, SHOWN) for line in (other, one))
    gabor = mean_values(runs[other], prefix, "Gabor energies")
    dots = ax.scatter(across, up, c=gabor, cmap="viridis", s=60, linewidth=0.5, edgecolor="black")
    ends = min(across.min(), up.min()) - 0.05, max(across.max(), up.max()) + 0.05
    ax.plot(ends, ends, color="#BBBBBB", linewidth=2, zorder=0)
    ax.set(xlim=ends, ylim=ends, xlabel=other, ylabel=one)
    ax.set_title(f"Each unit, from {SHOWN}")
    bar = ax.figure.colorbar(dots, ax=ax, shrink=0.7, aspect=30)
    bar.set_label("from Gabor energies", fontsize=12)
    bar.ax.tick_params(labelsize=11)
    names = [str(name) for name in runs[one][0].measures()[f"{prefix}_value_name"].values]
    return [
        cortical.point(prefix, line, f"{SHOWN}, {name}", (value, np.nan, np.nan)) | {"low": "", "high": ""}
        for line, values in ((other, across), (one, up), ("baseline", gabor))
        for name, value in zip(names, values, strict=True)
    ]


def mean_values(directories: list[RunDirectory], prefix: str, row: str) -> np.ndarray:
    """Scores of each unit, averaged over seeds."""
    found = []
    for directory in directories:
        measures = directory.measures()
        at = [str(each) for each in measures[f"{prefix}_row_name"].values].index(row)
        found.append(measures[f"{prefix}_values"].values[at])
    return np.mean(found, axis=0)


FIGURE = Figure("v4_predictivity", "Rules against macaque V4", requests, draw)

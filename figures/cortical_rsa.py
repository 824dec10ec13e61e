"""Hierarchies trained by the rules, layer by layer against human and monkey IT: likeness of RDMs, differences, RDMs."""

from pathlib import Path

import matplotlib
import numpy as np

from cortex_model.experiments.by_rule import n_populations, requests_by_rule, runs_by_rule
from cortex_model.experiments.reproduce import Figure, Row, RunRequest, figure_folder, runs_of, write_figure
from cortex_model.runs.directory import RunDirectory
from cortex_model.system.sources import load_module

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

cortical = load_module(figure_folder() / "cortical.py")
percentiles = load_module(figure_folder() / "comparison.py").percentiles
NAMES = {"human_it": ("human IT", "#0072B2"), "monkey_it": ("monkey IT", "#8C510A")}
BASELINES = {"pixels (the input)": "pixels", "Gabor energies": "Gabor energies", "HMAX": "HMAX", "animacy": "animacy"}


def requests(dataset: str, n_seeds: int) -> list[RunRequest]:
    """Four rules with every seed; always trained on CIFAR-10, in colour like the recording's images."""
    return requests_by_rule("cortical_rsa", n_seeds)


def draw(directories: list[RunDirectory], out: Path) -> list[Row]:
    """Scores by population for each recording, differences between rules, RDMs as pictures."""
    runs = runs_by_rule(runs_of(directories, "cortical_rsa", "cortical_rsa"))
    measures = next(iter(runs.values()))[0].measures()
    prefixes = {
        name.removesuffix("_score"): NAMES.get(name.removesuffix("_score"), (name.removesuffix("_score"), "#000000"))
        for name in measures
        if name.endswith("_score")
    }
    table: list[Row] = []
    with plt.style.context(cortical.STYLE):
        figure = plt.figure(figsize=(16, 9.2))
        upper, lower = figure.subfigures(2, 1, height_ratios=(1.75, 1))
        axes = upper.subplots(1, len(prefixes) + 1, width_ratios=[1] * len(prefixes) + [0.85])
        for ax, (prefix, (name, _)) in zip(axes, prefixes.items(), strict=False):
            rows = [str(each) for each in measures[f"{prefix}_row_name"].values]
            table += cortical.draw_layers(ax, runs, prefix, {n: s for n, s in BASELINES.items() if n in rows})
            ax.set_title(name)
        axes[0].set_ylabel("Spearman's rho of RDMs" if metric_of(runs) == "spearman" else metric_of(runs))
        table += cortical.draw_contrasts(axes[-1], runs, prefixes)
        axes[-1].set(xlabel="mean over populations")
        axes[-1].set_title("Difference in rho")
        cortical.legend(upper, runs)
        draw_rdms(lower, runs, prefixes)
        write_figure(figure, table, "cortical_rsa", out)
        plt.close(figure)
    return cortical.printed(runs, prefixes)


def metric_of(runs) -> str:
    """The metric of the first run."""
    return next(iter(runs.values()))[0].description()["parameters"]["metric"]


def draw_rdms(panel, runs, prefixes) -> None:
    """RDMs of the recordings and of one population of each rule, averaged over seeds, as percentiles."""
    shown = {}
    measured = {line: [run.measures() for run in its] for line, its in runs.items()}
    first, prefix = next(iter(measured.values())), next(iter(prefixes))
    below_classes = max(n_populations(first[0], prefix) - 1, 1)
    for each, (name, _) in prefixes.items():
        shown[name] = first[0][f"{each}_measured_rdm"].values
    for line, its in measured.items():
        shown[line] = mean_rdm(its, prefix, f"population {below_classes}")
    shown["untrained"] = mean_rdm(first, prefix, f"untrained, population {below_classes}")
    shown["Gabor energies"] = mean_rdm(first, prefix, "Gabor energies")
    axes = panel.subplots(1, len(shown))
    for ax, (name, rdm) in zip(axes, shown.items(), strict=True):
        image = ax.imshow(percentiles(rdm), cmap="viridis", vmin=0, vmax=100)
        ax.set_title(name.replace(", ", ",\n"), fontsize=12, pad=6)
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_visible(False)
    bar = panel.colorbar(image, ax=axes, location="bottom", shrink=0.25, aspect=40)
    bar.set_label(f"dissimilarity of two of the images, percentile (rules: population {below_classes})", fontsize=12)
    bar.ax.tick_params(labelsize=11)


def mean_rdm(measures, prefix: str, name: str) -> np.ndarray:
    """A row's RDM, averaged over seeds."""
    at = [str(each) for each in measures[0][f"{prefix}_row_name"].values].index(name)
    return np.mean([each[f"{prefix}_rdm"].values[at] for each in measures], axis=0)


FIGURE = Figure("cortical_rsa", "Rules against human and monkey IT", requests, draw)

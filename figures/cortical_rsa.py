"""Hierarchies trained by the rules, layer by layer against human and monkey IT: likeness of RDMs, differences, RDMs."""

from pathlib import Path

import matplotlib
import numpy as np

from cortex_model.experiments.by_rule import DATASET, n_populations, requests_by_rule, runs_by_rule
from cortex_model.experiments.reproduce import Figure, Row, RunRequest, figure_folder, runs_of, write_figure
from cortex_model.experiments.statements import statement
from cortex_model.experiments.tables import read_rows, write_rows
from cortex_model.runs.directory import RunDirectory
from cortex_model.system.sources import load_module

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

style = load_module(figure_folder() / "style.py")
cortical = load_module(figure_folder() / "cortical.py")
percentiles = load_module(figure_folder() / "comparison.py").percentiles
#: What RDMs are kept in, beside the figure.
RDMS = "cortical_rsa_rdms.csv"
NAMES = {"human_it": ("human IT", "#6A1B6E"), "monkey_it": ("monkey IT", "#D37BC4")}
BASELINES = {"pixels (the input)": "pixels", "Gabor energies": "Gabor energies", "HMAX": "HMAX", "animacy": "animacy"}


def requests(dataset: str, n_seeds: int) -> list[RunRequest]:
    """Four rules with every seed; always trained on CIFAR-10, in colour like the recording's images."""
    return requests_by_rule("cortical_rsa", n_seeds)


def draw(directories: list[RunDirectory], out: Path) -> list[Row]:
    """Scores by population for each recording, differences between rules, RDMs as pictures."""
    runs = runs_by_rule(runs_of(directories, "cortical_rsa", "cortical_rsa"))
    measures = next(iter(runs.values()))[0].measures()
    prefixes = [name.removesuffix("_score") for name in measures if name.endswith("_score")]
    table: list[Row] = []
    for prefix in prefixes:
        rows = [str(each) for each in measures[f"{prefix}_row_name"].values]
        table += cortical.layer_points(runs, prefix, [name for name in BASELINES if name in rows])
    table += cortical.contrast_points(runs, prefixes)
    rdms = rdm_rows(runs, named(table))
    picture(table, rdms, directories[0].description()["parameters"], cortical.said(directories), out)
    write_rows(rdms, Path(out) / RDMS)
    return cortical.printed(runs, named(table))


def draw_again(file: Path, out: Path) -> list[Row]:
    """The same from its CSV, and that of the RDMs beside it."""
    asked = [each.parameters().model_dump() for each in requests(DATASET, 1)]
    table, rdms = read_rows(file), read_rows(file.with_name(RDMS))
    picture(table, rdms, asked[0], statement(asked, cortical.seeds_in(table), cortical.SHOWS), out)
    write_rows(rdms, Path(out) / RDMS)
    return []


def picture(table: list[Row], rdms: list[Row], parameters: dict, said: str, out: Path) -> None:
    """The figure of both tables."""
    prefixes, sizes = named(table), parameters["layer_sizes"][1:]
    with style.styled():
        figure = plt.figure(figsize=(16, 10.2))
        upper, lower = figure.subfigures(2, 1, height_ratios=(1.6, 1))
        axes = upper.subplots(1, len(prefixes) + 1, width_ratios=[1] * len(prefixes) + [0.85])
        for ax, (prefix, (name, _)) in zip(axes, prefixes.items(), strict=False):
            cortical.draw_layers(ax, table, prefix, BASELINES, sizes)
            ax.set_title(name)
        metric = parameters["metric"]
        axes[0].set_ylabel("Spearman's rho of RDMs" if metric == "spearman" else metric)
        cortical.draw_contrasts(axes[-1], table, prefixes)
        axes[-1].set(xlabel="mean over populations", title="Difference in score")
        cortical.legend(upper, cortical.lines_in(table))
        style.letter([*axes, draw_rdms(lower, rdms)])
        letter = chr(ord("A") + len(axes))
        below_classes = max(len(sizes) - 1, 1)
        of_pictures = f"{letter}: percentiles, means over seeds; of rules and untrained: population {below_classes}"
        style.state(lower, said, of_pictures)
        write_figure(figure, table, "cortical_rsa", out)
        plt.close(figure)


def named(table: list[Row]) -> dict[str, tuple[str, str]]:
    """Recording of a table -> its name and colour."""
    return {prefix: NAMES.get(prefix, (prefix, "#000000")) for prefix in cortical.prefixes_in(table)}


def rdm_rows(runs: cortical.Runs, prefixes: dict[str, tuple[str, str]]) -> list[Row]:
    """Percentiles of RDMs, a pair of stimuli a row: recordings, one population of each rule, a baseline."""
    measured = {line: [run.measures() for run in its] for line, its in runs.items()}
    first, prefix = next(iter(measured.values())), next(iter(prefixes))
    population = f"population {max(n_populations(first[0], prefix) - 1, 1)}"
    shown = {name: first[0][f"{each}_measured_rdm"].values for each, (name, _) in prefixes.items()}
    shown |= {line: mean_rdm(its, prefix, population) for line, its in measured.items()}
    shown["untrained"] = mean_rdm(first, prefix, f"untrained, {population}")
    shown["Gabor energies"] = mean_rdm(first, prefix, "Gabor energies")
    ranked = {name: percentiles(rdm) for name, rdm in shown.items()}
    pairs = zip(*np.triu_indices(len(next(iter(ranked.values()))), 1), strict=True)
    return [{"one": i, "other": j} | {name: f"{rdm[i, j]:.1f}" for name, rdm in ranked.items()} for i, j in pairs]


def draw_rdms(panel, rows: list[Row]):
    """RDMs as pictures; the axes of the first."""
    names = [name for name in rows[0] if name not in ("one", "other")]
    at = tuple(np.array([[int(row[key]) for key in ("one", "other")] for row in rows]).T)
    axes = panel.subplots(1, len(names))
    for ax, name in zip(axes, names, strict=True):
        rdm = np.zeros((at[1].max() + 1,) * 2)
        rdm[at] = [float(row[name]) for row in rows]
        image = ax.imshow(rdm + rdm.T, cmap="viridis", vmin=0, vmax=100)
        ax.set_title(name.replace(", ", ",\n"), fontsize=13)
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_visible(False)
    bar = panel.colorbar(image, ax=axes, location="bottom", shrink=0.25, aspect=40)
    bar.set_label("dissimilarity of two images, percentile", fontsize=12)
    bar.ax.tick_params(labelsize=11)
    return axes[0]


def mean_rdm(measures, prefix: str, name: str) -> np.ndarray:
    """A row's RDM, averaged over seeds."""
    at = [str(each) for each in measures[0][f"{prefix}_row_name"].values].index(name)
    return np.mean([each[f"{prefix}_rdm"].values[at] for each in measures], axis=0)


FIGURE = Figure("cortical_rsa", "Rules against human and monkey IT", requests, draw, draw_again)

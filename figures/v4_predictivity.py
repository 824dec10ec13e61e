"""Hierarchies trained by the rules, layer by layer against units of macaque V4: predictivity, differences, units."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib
import numpy as np

from cortex_model.experiments.by_rule import DATASET, requests_by_rule, runs_by_rule
from cortex_model.experiments.reproduce import Figure, Row, RunRequest, figure_folder, runs_of, write_figure
from cortex_model.experiments.statements import statement
from cortex_model.experiments.tables import read_rows
from cortex_model.runs.directory import RunDirectory
from cortex_model.system.sources import load_module

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

style = load_module(figure_folder() / "style.py")
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
    table = cortical.layer_points(runs, prefix, BASELINES) + cortical.contrast_points(runs, [prefix])
    table += unit_points(runs, prefix)
    sizes = directories[0].description()["parameters"]["layer_sizes"][1:]
    picture(table, cortical.said(directories), sizes, f"{prefix}_reliability" in measures, out)
    return cortical.printed(runs, named(table))


def draw_again(file: Path, out: Path) -> list[Row]:
    """The same from its CSV; scores of the macaque are corrected for the reliability of units."""
    asked = [each.parameters().model_dump() for each in requests(DATASET, 1)]
    table = read_rows(file)
    picture(table, statement(asked, cortical.seeds_in(table), cortical.SHOWS), asked[0]["layer_sizes"][1:], True, out)
    return []


def picture(table: list[Row], said: str, sizes: Sequence[int], is_corrected: bool, out: Path) -> None:
    """The figure of a table."""
    prefixes = named(table)
    (prefix,) = prefixes
    with style.styled():
        figure, axes = plt.subplots(1, 3, figsize=(16, 7), width_ratios=(1, 0.85, 0.9))
        cortical.draw_layers(axes[0], table, prefix, BASELINES, sizes)
        axes[0].set(ylabel="median r" + (" / sqrt(reliability)" if is_corrected else ""))
        cortical.draw_contrasts(axes[1], table, prefixes)
        axes[1].set(xlabel="median over units", title="Difference in score")
        n_units = draw_units(axes[2], table)
        axes[0].set_title(f"{prefixes[prefix][0]}: {n_units} units")
        cortical.legend(figure, cortical.lines_in(table))
        style.letter(axes)
        style.state(figure, said, "C: means over seeds")
        write_figure(figure, table, "v4_predictivity", out)
        plt.close(figure)


def named(table: list[Row]) -> dict[str, tuple[str, str]]:
    """Recording of a table -> its name and colour."""
    return {p: ("macaque V4" if p.startswith("v4") else p, "#6A1B6E") for p in cortical.prefixes_in(table)}


def draw_units(ax, table: list[Row]) -> int:
    """Each unit as predicted from one population of two rules, and from the image baseline; how many there are."""
    found: dict[str, list[float]] = {}
    for row in table:
        if row["row"].startswith(f"{SHOWN}, "):
            found.setdefault(row["line"], []).append(float(row["mean"]))
    (other, across), (one, up), (_, gabor) = ((line, np.array(values)) for line, values in found.items())
    dots = ax.scatter(across, up, c=gabor, cmap="viridis", s=60, linewidth=0.5, edgecolor="black")
    ends = min(across.min(), up.min()) - 0.05, max(across.max(), up.max()) + 0.05
    ax.plot(ends, ends, color="#BBBBBB", linewidth=2, zorder=0)
    ax.set(xlim=ends, ylim=ends, xlabel=other, ylabel=one)
    ax.set_title(f"Each unit, from {SHOWN}")
    bar = ax.figure.colorbar(dots, ax=ax, shrink=0.7, aspect=30)
    bar.set_label("from Gabor energies", fontsize=12)
    bar.ax.tick_params(labelsize=11)
    return len(up)


def unit_points(runs: dict[str, list[RunDirectory]], prefix: str) -> list[Row]:
    """Each unit's scores from one population of two rules, means over seeds, and from the image baseline."""
    one, other = (ONE, OTHER) if {ONE, OTHER} <= set(runs) else (list(runs)[-1], next(iter(runs)))
    lines = [
        (other, mean_values(runs[other], prefix, SHOWN)),
        (one, mean_values(runs[one], prefix, SHOWN)),
        ("baseline", mean_values(runs[other], prefix, "Gabor energies")),
    ]
    n = len(runs[one])
    names = [str(name) for name in runs[one][0].measures()[f"{prefix}_value_name"].values]
    return [
        cortical.point(prefix, line, f"{SHOWN}, {name}", (value, np.nan, np.nan), n) | {"low": "", "high": ""}
        for line, values in lines
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


FIGURE = Figure("v4_predictivity", "Rules against macaque V4", requests, draw, draw_again)

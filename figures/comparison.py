"""A comparison with a recording: bars with the noise ceiling, and beside them RDMs as pictures or units as points."""

from pathlib import Path

import matplotlib
import numpy as np
from scipy.stats import rankdata

from cortex_model.analysis.comparison import Comparison, Row
from cortex_model.datasets.stimulus_names import as_file_name
from cortex_model.experiments.reproduce import figure_folder, write_figure
from cortex_model.system.sources import load_module

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

style = load_module(figure_folder() / "style.py")

#: Kind of a row -> its colour, and how it is called.
KINDS = {
    "population": ("#0072B2", "trained populations"),
    "reconstruction": ("#56B4E9", "what feedback reconstructs"),
    "untrained": ("#999999", "the hierarchy untrained"),
    "baseline": ("#E69F00", "image baselines"),
    "published": ("#CC79A7", "published beside the recording"),
    "shuffled": ("#D55E00", "stimuli shuffled"),
}
METRIC_LABELS = {
    "spearman": "Spearman's rho of RDMs",
    "kendall_tau_a": "Kendall's tau-a of RDMs",
    "corrected_cosine": "corrected cosine of RDMs",
    "ridge": "predictivity of units, ridge (median r)",
    "pls": "predictivity of units, PLS (median r)",
}
N_PICTURES = 6
#: What bars and lines on them are.
MEANING = "Lines on bars: 95 % intervals over resampled stimuli, subjects or units"


def draw(comparison: Comparison, out: Path, said: str = "") -> None:
    """Write RECORDING_METRIC.pdf, .png and .csv: every row with score and interval, and each subject's or unit's.

    Parameters
    ----------
    comparison : Comparison
    out : Path
    said : str
        What the run is.
    """
    with style.styled(), style.literal():
        height = max(6.0, 1.6 + 0.36 * (len(comparison.rows) + 6))
        figure = plt.figure(figsize=(15, height))
        bars, beside = figure.subfigures(1, 2, width_ratios=(1.25, 1))
        first = bars.subplots()
        draw_bars(first, comparison)
        draw_beside = draw_rdms if comparison.measured is not None else draw_units
        style.letter([first, draw_beside(beside, comparison)])
        style.state(figure, said, MEANING, *comparison.notes)
        name = f"{as_file_name(comparison.recording)}_{comparison.metric}"
        write_figure(figure, table(comparison), name, out)
        plt.close(figure)


def table(comparison: Comparison) -> list[dict]:
    """One line a row, with a column a subject or unit."""
    return [
        {"row": row.name, "kind": row.kind, "score": f"{row.score:.6g}", "low": f"{row.interval[0]:.6g}",
         "high": f"{row.interval[1]:.6g}"}
        | {name: f"{value:.6g}" for name, value in zip(comparison.value_names, row.values, strict=True)}
        for row in comparison.rows
    ]  # fmt: skip


def grouped(rows: list[Row]) -> list[tuple[str, list[Row]]]:
    """Rows by kind, in the order of `KINDS`."""
    groups = [(kind, [row for row in rows if row.kind == kind]) for kind in KINDS]
    return [(kind, those) for kind, those in groups if those]


def draw_bars(ax, comparison: Comparison) -> None:
    """A bar a row, its interval, and the band of the noise ceiling."""
    at, ticks, names = 0.0, [], []
    for kind, rows in grouped(comparison.rows):
        colour, title = KINDS[kind]
        ax.text(0, at, title, color=colour, weight="bold", fontsize=12, va="center", ha="left")
        at += 0.9
        for row in rows:
            ax.barh(at, row.score, height=0.75, color=colour, linewidth=0)
            ax.plot(row.interval, (at, at), color="black", linewidth=1.5)
            ticks.append(at)
            names.append(short(row.name))
            at += 0.9
        at += 0.35
    if comparison.noise_ceiling is not None:
        low, high = comparison.noise_ceiling
        band = {"color": "#BBBBBB", "zorder": 0}
        ax.axvspan(low, high, alpha=0.5, linewidth=0, **band) if high > low else ax.axvline(low, linewidth=2, **band)
        at_line = {"x": (low + high) / 2, "ha": "center"} if high > low else {"x": low - 0.01, "ha": "right"}
        ax.text(y=-0.6, s="noise ceiling", color="#777777", fontsize=12, **at_line)
    ax.axvline(0, color="black", linewidth=1)
    ax.set_yticks(ticks, names, fontsize=12)
    label = METRIC_LABELS[comparison.metric]
    ax.set(
        ylim=(at, -1.4),
        xlabel=label if comparison.reliability is None else label.replace("median r", "median corrected r"),
    )
    ax.set_title(comparison.recording)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)


def short(name: str) -> str:
    """A row's name, without what its group says."""
    return name.removeprefix("untrained, ").removeprefix("reconstruction of ").removesuffix(", shuffled")


def draw_rdms(panel, comparison: Comparison):
    """The recording's RDM beside the best of each kind, as percentiles of dissimilarity; the first axes."""
    defined = [row for row in comparison.rows if row.rdm is not None and np.isfinite(row.score)]
    best = [max(rows, key=lambda row: row.score) for _, rows in grouped(defined)]
    shown = [(comparison.recording, comparison.measured), *((row.name, row.rdm) for row in best)][:N_PICTURES]
    panel.figure.get_layout_engine().set(h_pad=0.22)  # titles of square pictures are not made room for
    axes = panel.subplots((len(shown) + 1) // 2, 2, squeeze=False).ravel()
    for ax, (name, rdm) in zip(axes, shown, strict=False):
        image = ax.imshow(percentiles(rdm), cmap="viridis", vmin=0, vmax=100)
        ax.set_title(name, fontsize=13, pad=6)
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_visible(False)
    for ax in axes[len(shown) :]:
        ax.remove()
    bar = panel.colorbar(image, ax=axes[: len(shown)], location="bottom", shrink=0.5, aspect=30)
    bar.set_label("dissimilarity of two stimuli, percentile", fontsize=12)
    bar.ax.tick_params(labelsize=11)
    return axes[0]


def percentiles(rdm: np.ndarray) -> np.ndarray:
    """Ranks of the dissimilarities, 0 to 100."""
    upper = np.triu_indices(len(rdm), 1)
    ranks, ranked = rankdata(rdm[upper]), np.zeros_like(rdm, dtype=float)
    ranked[upper] = 100 * (ranks - 1) / max(len(ranks) - 1, 1)
    return ranked + ranked.T


def draw_units(panel, comparison: Comparison):
    """Each unit's correlation against the highest that its noise allows, for the best rows of three kinds; the axes."""
    ax, rows = panel.subplots(), dict(grouped(comparison.rows))
    shown = [max(rows[kind], key=lambda row: row.score) for kind in ("baseline", "untrained", "population")]
    if comparison.reliability is None:
        for row in shown:
            ax.plot(np.sort(row.values)[::-1], color=KINDS[row.kind][0], label=row.name)
        ax.set(xlabel="unit, best first", ylabel="r of predicted and recorded")
    else:
        allowed = np.sqrt(comparison.reliability)
        for row in shown:
            dots = {"color": KINDS[row.kind][0], "s": 40, "alpha": 0.8, "linewidth": 0}
            ax.scatter(allowed, row.values * allowed, label=row.name, **dots)
        end = 1.02
        ax.plot((0, end), (0, end), color="#BBBBBB", linewidth=2, zorder=0)
        ax.text(end - 0.01, end - 0.08, "noise ceiling", ha="right", va="top", color="#777777", fontsize=12)
        lowest = min(0.0, min((row.values * allowed).min() for row in shown))
        ax.set(xlim=(min(allowed) - 0.05, end), ylim=(lowest - 0.03, end))
        ax.set(xlabel="highest r that the unit's repeats allow", ylabel="r of predicted and recorded")
    ax.axhline(0, color="black", linewidth=1)
    ax.set_title(f"{len(comparison.value_names)} units", pad=14)
    ax.legend(frameon=False, fontsize=12, loc="upper left")
    return ax

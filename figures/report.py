"""Pictures of a page about runs (`cortex-model report`): curves, weights, confusions, stimuli that failed.

Texts of strangers stand in them as they are: no formula is read in them.
"""

import io
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib import style
from matplotlib.figure import Figure

from cortex_model.reports.classes import ClassPicture
from cortex_model.reports.curves import Panel
from cortex_model.reports.matrices import WeightPicture
from cortex_model.system.sources import load_module

panels = load_module(Path(__file__).with_name("panels.py"))
#: Points of all lines of a panel up to which it is drawn as lines; more are drawn as pixels.
MOST_POINTS = 20_000
#: Classes up to which cells hold their numbers, and up to which classes are named.
MOST_NUMBERS, MOST_NAMES = 12, 40
#: Pixels an inch where a picture is of pixels.
DOTS = 110
#: What is added to the style of figures.
STYLE = {
    "svg.fonttype": "path", "svg.hashsalt": "report", "text.parse_math": False, "font.size": 13, "axes.titlesize": 15,
    "axes.labelsize": 13, "xtick.labelsize": 12, "ytick.labelsize": 12,
}  # fmt: skip


@contextmanager
def styled():
    """The style of every figure, and silence about letters that the font lacks."""
    with style.context([Path(__file__).with_name("cortex.mplstyle"), STYLE]), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield


class Drawn(NamedTuple):
    """A figure as the content of a file, its kind, ``svg`` or ``png``, and its width."""

    content: bytes
    kind: str
    inches: float


def written(figure: Figure, kind: str) -> Drawn:
    """A figure as the content of a file."""
    content = io.BytesIO()
    metadata = {"Date": None, "Creator": None} if kind == "svg" else {"Software": None}
    figure.savefig(content, format=kind, dpi=DOTS, metadata=metadata)
    return Drawn(content.getvalue(), kind, float(figure.get_figwidth()))


# ---------------------------------------------------------------------- curves
def curves(panel: Panel) -> Drawn:
    """Every seed as a thin line, the mean as a thick one, its interval as a band."""
    with styled():
        figure = Figure(figsize=(6.4, 4.2))
        ax = figure.subplots()
        n_points = panels.draw_panel(ax, panel)
        _letters(ax, panel)
        return written(figure, "svg" if n_points <= MOST_POINTS else "png")


def _letters(ax, panel):
    """The letter of each setting beside the end of its line, one above the other where they would meet."""
    if len(panel.curves) == 1 and panel.curves[0].setting.number == 0:
        return
    scale = ax.transData + ax.transAxes.inverted()
    ends = []
    for curve in panel.curves:
        ends.append([float(np.clip(scale.transform((0, curve.end))[1], 0, 1)), curve.setting])
    ends.sort(key=lambda end: end[0])
    gap = min(0.06, 1 / len(ends))
    for below, end in zip(ends, ends[1:], strict=False):
        end[0] = max(end[0], below[0] + gap)
    over = max(0.0, ends[-1][0] - 1)
    for at, setting in ends:
        ax.text(1.015, at - over, setting.letter, transform=ax.transAxes, color=setting.colour, weight="bold",
                va="center")  # fmt: skip


# ---------------------------------------------------------------------- weights
def weights(picture: WeightPicture) -> Drawn:
    """Matrices in colours: red above 0, blue below it, white at 0."""
    matrices = picture.matrices
    rows, columns = matrices[0].shape
    is_wide = columns > 2.5 * rows
    shape = (len(matrices), 1) if is_wide else (1, len(matrices))
    size = (7.6, 1.5 + 1.25 * len(matrices)) if is_wide else (3.6 * len(matrices) + 0.4, 3.0)
    with styled():
        figure = Figure(figsize=size)
        for ax, matrix in zip(figure.subplots(*shape, squeeze=False).flat, matrices, strict=True):
            shown = ax.imshow(matrix.shown, cmap="RdBu_r", vmin=-matrix.limit, vmax=matrix.limit, aspect="auto")
            ax.set_title(matrix.title)
            ax.set_xticks([])
            ax.set_yticks([])
            for spine in ax.spines.values():
                spine.set_visible(False)
            bar = figure.colorbar(shown, ax=ax, fraction=0.04, pad=0.02, ticks=[-matrix.limit, 0, matrix.limit])
            bar.ax.set_yticklabels([f"{-matrix.limit:.2g}", "0", f"{matrix.limit:.2g}"], fontsize=10)
            bar.outline.set_visible(False)
        return written(figure, "png")


# ---------------------------------------------------------------------- classes
def confusion(picture: ClassPicture) -> Drawn:
    """A row for each class: what it was taken for, in percent of its stimuli."""
    counts, n = picture.counts, len(picture.names)
    percent = 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    wrong = np.where(np.eye(n, dtype=bool), np.nan, percent)
    most = float(np.nanmax(wrong)) if n > 1 else 0.0
    with styled():
        figure = Figure(figsize=(5.6, 5.2))
        ax = figure.subplots()
        ax.set_facecolor("#EDEDED")
        shown = ax.imshow(wrong, cmap="Oranges", vmin=0, vmax=most or 1)
        ax.set(title="Taken for (% of a class)", xlabel="answered", ylabel="shown")
        names = [name if len(name) <= 14 else f"{name[:13]}…" for name in picture.names]
        if n <= MOST_NAMES:
            ax.set_xticks(range(n), names, rotation=90 if max(map(len, names)) > 2 else 0, fontsize=11)
            ax.set_yticks(range(n), names, fontsize=11)
        if n <= MOST_NUMBERS:
            for row, column in np.argwhere(percent >= 0.05):
                dark = row != column and percent[row, column] > 0.6 * most
                ax.text(column, row, f"{percent[row, column]:.{1 if percent[row, column] < 9.95 else 0}f}", ha="center",
                        va="center", fontsize=9, color="white" if dark else "black")  # fmt: skip
        bar = figure.colorbar(shown, ax=ax, fraction=0.046, pad=0.03)
        bar.ax.tick_params(labelsize=10)
        bar.outline.set_visible(False)
        for spine in ax.spines.values():
            spine.set_visible(False)
        return written(figure, "svg" if n <= MOST_NUMBERS else "png")


def fields(picture: ClassPicture) -> Drawn:
    """What neurons of the first population weigh, as images: red above 0, blue below it."""
    shown, columns = picture.fields, 8
    most = float(np.abs(shown).max()) or 1.0
    rows = -(-len(shown) // columns)
    with styled():
        figure = Figure(figsize=(6.6, 0.86 * rows))
        axes = figure.subplots(rows, columns, squeeze=False).flat
        for ax in axes:
            ax.axis("off")
        for ax, field in zip(figure.axes, shown, strict=False):
            ax.imshow(field, cmap="RdBu_r", vmin=-most, vmax=most)
        return written(figure, "png")


def failures(picture: ClassPicture) -> Drawn:
    """Images that were answered wrongly, each with its class and the answer."""
    shown, columns = picture.failures, 6
    rows = -(-len(shown) // columns)
    low, high = picture.limits
    with styled():
        figure = Figure(figsize=(6.6, 1.4 * rows))
        axes = figure.subplots(rows, columns, squeeze=False).flat
        for ax in axes:
            ax.axis("off")
        for ax, failure in zip(figure.axes, shown, strict=False):
            ax.imshow(failure.image, cmap="gray", vmin=low, vmax=high)
            names = [name if len(name) <= 10 else f"{name[:9]}…" for name in (failure.right, failure.answered)]
            ax.set_title(" → ".join(names), fontsize=11 if max(map(len, names)) < 4 else 8, loc="center", pad=3)
        return written(figure, "png")

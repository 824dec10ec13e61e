"""Speed over layer width: dense and stock projections beside what a user would write instead, one thread each.

Drawn from what `cortex-model benchmark` measures; its whole result is kept beside the figure as JSON.
"""

import json
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np

from cortex_model.reproduce import Row, write_figure

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

#: (implementation, device, batch) -> (label, colour, line style).
SHOWN = {
    ("dense", "cpp_standalone", 1): ("dense", "#0072B2", "-"),
    ("dense", "cpp_standalone", 128): ("dense, batch 128", "#0072B2", "--"),
    ("dense", "cuda_standalone", 1): ("dense, CUDA", "#56B4E9", "-"),
    ("stock", "cpp_standalone", 1): ("stock Brian2", "#D55E00", "-"),
    ("C++ loop", "cpu", 1): ("C++ loop", "#444444", "-"),
    ("PyTorch", "cpu", 1): ("PyTorch", "#CC79A7", "-"),
    ("PyTorch", "cpu", 128): ("PyTorch, batch 128", "#CC79A7", "--"),
    ("NumPy", "cpu", 1): ("NumPy", "#009E73", "-"),
    ("NumPy", "cpu", 128): ("NumPy, batch 128", "#009E73", "--"),
}
TIME = "microseconds_per_presentation"
#: Least distance of two labels, in decades.
APART = 0.19


def draw(result: dict[str, Any], out: Path) -> None:
    """Write what was measured (JSON, CSV), and the figure where several widths were.

    Parameters
    ----------
    result : dict
        As `cortex_model.benchmark.report.benchmark` returns it.
    out : Path
        Folder.
    """
    with plt.style.context(Path(__file__).with_name("cortex.mplstyle")):
        figure, ax = plt.subplots(figsize=(13.33, 7))
        curves = over_width(result["rows"])
        labels = [draw_curve(ax, points, *SHOWN[key]) for key, points in curves.items()]
        limits = sorted({(row["sizes"][0], row["bandwidth_limit_microseconds"]) for row in squares(result["rows"])
                         if row["bandwidth_limit_microseconds"]})  # fmt: skip
        if limits:
            ax.plot(*zip(*limits, strict=True), color="black", linewidth=1.2, linestyle=":")
            labels.append((limits[-1][1], "limit of bandwidth", "black"))
        write_labels(ax, max((points[-1][0] for points in curves.values()), default=1), labels)
        finish(ax, result)
        write_figure(figure, table_of(result["rows"]), "benchmark", out)
        plt.close(figure)
    (Path(out) / "benchmark.json").write_text(json.dumps(result, indent=1) + "\n")


def squares(rows: list[Row]) -> list[Row]:
    """Rows of the hierarchies width-width-10 on random stimuli."""
    return [
        row for row in rows
        if row["data"] == "random" and len(row["sizes"]) == 3 and row["sizes"][0] == row["sizes"][1]
    ]  # fmt: skip


def over_width(rows: list[Row]) -> dict[tuple, list[tuple[float, ...]]]:
    """Key of `SHOWN` -> (width, microseconds, spread), by width."""
    curves = {}
    for row in squares(rows):
        key = row["implementation"], row["device"], row["batch"]
        if key in SHOWN and row["ensemble"] == 1:
            curves.setdefault(key, []).append((row["sizes"][0], row[TIME], row["spread_microseconds"]))
    return {key: sorted(curves[key]) for key in SHOWN if key in curves}


def draw_curve(ax, points, label, colour, style):
    """Median with half the interquartile range on either side; what to write at its end."""
    widths, times, spreads = np.array(points).T
    ax.plot(widths, times, color=colour, linestyle=style)
    ax.fill_between(widths, times - spreads / 2, times + spreads / 2, color=colour, alpha=0.2, linewidth=0)
    return times[-1], label, colour


def write_labels(ax, width, labels):
    """Each label at the end of its curve, moved up where it would cover the one below."""
    below = -np.inf
    for time, label, colour in sorted(labels):
        height = max(np.log10(time), below + APART)
        ax.text(width * 1.12, 10**height, label, color=colour, va="center", weight="bold")
        below = height


def finish(ax, result):
    """Scales, axes, and on what it was measured."""
    its = result["machine"]
    ax.set(xscale="log", yscale="log", xlabel="width of a hierarchy width–width–10, neurons")
    ax.set(ylabel="µs a presentation", title="Learning online by random feedback, one thread, float32")
    widths = sorted({row["sizes"][0] for row in squares(result["rows"])})
    ax.set_xticks(widths, widths)
    ax.minorticks_off()
    ax.text(0.01, 0.97, f"{its['processor']}\n{its['compiler']}", transform=ax.transAxes, va="top", color="#666666")
    ax.set_xlim(right=max(widths, default=1) * 3.2)


def table_of(rows: list[Row]) -> list[Row]:
    """All rows, sizes as text."""
    return [row | {"sizes": "-".join(map(str, row["sizes"]))} for row in rows]

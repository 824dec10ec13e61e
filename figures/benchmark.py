"""Speed over layer width, and over networks in one program: dense projections beside what a user would write instead.

One thread each. Drawn from what `cortex-model benchmark` measures; its whole result is kept beside the figure as JSON.
"""

import json
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np

from cortex_model.experiments.reproduce import Row, figure_folder, write_figure
from cortex_model.system.sources import load_module

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

style = load_module(figure_folder() / "style.py")

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
#: Device -> (label, colour) of ensembles.
DEVICES = {"cpp_standalone": ("dense", "#0072B2"), "cuda_standalone": ("dense, CUDA", "#56B4E9")}
TIME, LIMIT = "microseconds_per_presentation", "bandwidth_limit_microseconds"
#: Least distance of two labels, in decades.
APART = 0.24


def draw(result: dict[str, Any], out: Path) -> None:
    """Write what was measured (JSON, CSV), and the figure: over width, and over the size of an ensemble.

    Parameters
    ----------
    result : dict
        As `cortex_model.benchmark.report.benchmark` returns it.
    out : Path
        Folder.
    """
    with style.styled():
        has_ensembles = any(row["ensemble"] > 1 for row in result["rows"])
        ratios = (1.7, 1)[: 1 + has_ensembles]
        figure, axes = plt.subplots(1, len(ratios), figsize=(13.33, 7), width_ratios=ratios, squeeze=False)
        (draw_widths if squares(result["rows"]) else draw_networks)(axes[0, 0], result["rows"])
        if has_ensembles:
            draw_ensembles(axes[0, 1], result["rows"])
        its = result["machine"]
        style.letter(axes[0])
        style.state(figure, f"{its['processor']}, one thread, {its['compiler']}", meaning(result["rows"]))
        write_figure(figure, table_of(result["rows"]), "benchmark", out)
        plt.close(figure)
    (Path(out) / "benchmark.json").write_text(json.dumps(result, indent=1) + "\n")


def meaning(rows: list[Row]) -> str:
    """What lines and bands are, and what is left out."""
    counts = sorted({row["repetitions"] for row in rows})
    between = " to ".join(map(str, dict.fromkeys((counts[0], counts[-1]))))
    said = f"Lines: medians of {between} repetitions, bands: their interquartile range"
    is_all = len(rows) == len([row for row in rows if row in squares(rows) or row["ensemble"] > 1])
    return said if is_all or not squares(rows) else f"{said}. Other networks and data: in the CSV"


def draw_widths(ax, rows: list[Row]) -> None:
    """Time of a presentation against layer width, and the least time that the bandwidth of memory allows."""
    curves = over_width(rows)
    labels = [draw_curve(ax, points, *SHOWN[key]) for key, points in curves.items()]
    limits = sorted({(row["sizes"][0], row[LIMIT]) for row in squares(rows) if row[LIMIT]})
    if limits:
        ax.plot(*zip(*limits, strict=True), color="black", linewidth=1.2, linestyle=":")
        labels.append((limits[-1][1], "limit of bandwidth", "black"))
    write_labels(ax, max((points[-1][0] for points in curves.values()), default=1), labels)
    finish(ax, sorted({row["sizes"][0] for row in squares(rows)}))
    ax.set(title="Learning online by random feedback", xlabel="width of a hierarchy width–width–10, neurons")
    ax.set(ylabel="µs a presentation (one stimulus, one network)")


def draw_networks(ax, rows: list[Row]) -> None:
    """Time of a presentation by implementation, a mark for each network: where no widths were measured."""
    singles = [row for row in rows if row["ensemble"] == 1]
    names = list(dict.fromkeys(_named(row) for row in singles))
    for network in dict.fromkeys((*row["sizes"], row["data"]) for row in singles):
        of_it = [row for row in singles if (*row["sizes"], row["data"]) == network]
        label = "–".join(map(str, network[:-1])) + f", {network[-1]}"
        ax.plot([row[TIME] for row in of_it], [names.index(_named(row)) for row in of_it], "o", ms=9, label=label)
    ax.set(xscale="log", xlabel="µs a presentation (one stimulus, one network)", ylim=(len(names) - 0.5, -0.5))
    ax.set_yticks(range(len(names)), names)
    ax.set_title("Learning online by random feedback")
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)


def _named(row):
    where = "" if row["device"] == "cpu" else f"\n{row['device']}"
    return row["implementation"] + (f", batch {row['batch']}" if row["batch"] > 1 else "") + where


def draw_ensembles(ax, rows: list[Row]) -> None:
    """Time of a presentation of one network against the number of networks that share a program."""
    curves, networks = {}, [row["sizes"] for row in rows if row["ensemble"] > 1]
    for row in rows:
        its = row["implementation"], row["batch"], row["data"], row["sizes"]
        if row["device"] in DEVICES and its in [("dense", 1, "random", sizes) for sizes in networks]:
            curves.setdefault(row["device"], []).append((row["ensemble"], row[TIME], row["spread_microseconds"]))
    for device, points in curves.items():
        draw_curve(ax, sorted(points), *DEVICES[device], "-")
    finish(ax, sorted({count for points in curves.values() for count, *_ in points}))
    ax.set(title=f"Ensembles of {'–'.join(map(str, networks[0]))}", xlabel="networks in one program")
    bottom, top = ax.get_ylim()
    ax.set_ylim(bottom / 3, top * 3)


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
        ax.text(width * 1.12, 10**height, label, color=colour, va="center", weight="bold", clip_on=False)
        below = height


def finish(ax, ticks):
    """Logarithmic scales, with a tick for each measurement."""
    ax.set(xscale="log", yscale="log")
    ax.set_xticks(ticks, ticks)
    ax.xaxis.minorticks_off()


def table_of(rows: list[Row]) -> list[Row]:
    """All rows, sizes as text."""
    return [row | {"sizes": "-".join(map(str, row["sizes"]))} for row in rows]

"""What the figures of comparisons with cortex share: lines over populations, differences between rules, tables.

They are drawn from their tables of points, so that they can be drawn again from their CSVs.
"""

import re
from collections.abc import Iterable, Sequence

import matplotlib
import numpy as np

from cortex_model.experiments.by_rule import UNTRAINED, contrasts, layers, n_populations, row_estimate
from cortex_model.experiments.reproduce import Row, figure_folder
from cortex_model.experiments.statements import statement_of
from cortex_model.runs.directory import RunDirectory
from cortex_model.system.sources import load_module

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

style = load_module(figure_folder() / "style.py")
#: What intervals are, in every such figure.
SHOWS = "bars: 95 % intervals over resampled stimuli, subjects or units, and seeds, not corrected for their number"
BASELINE, CEILING = "baseline", "noise ceiling"
Runs = dict[str, list[RunDirectory]]


def layer_points(runs: Runs, prefix: str, baselines: Iterable[str]) -> list[Row]:
    """Score by population, of each rule and of the untrained hierarchies; baselines; the noise ceiling."""
    table = []
    first = len(next(iter(runs.values())))
    for line, estimates in layers(runs, prefix).items():
        n = len(runs.get(line, next(iter(runs.values()))))
        table += [point(prefix, line, f"population {k}", each, n) for k, each in enumerate(estimates, 1)]
    table += [point(prefix, BASELINE, name, row_estimate(runs, prefix, name), first) for name in baselines]
    low, high = next(iter(runs.values()))[0].measures()[f"{prefix}_noise_ceiling"].values
    if np.isfinite(low) and high > low:
        table.append({**point(prefix, CEILING, "", (np.nan, low, high), first), "mean": ""})
    return table


def contrast_points(runs: Runs, prefixes: Iterable[str]) -> list[Row]:
    """Differences averaged over populations, and of each population."""
    table = []
    for prefix in prefixes:
        its = contrasts(runs, prefix).items()
        table += [point(prefix, one, f"less {other}", each, len(runs[one])) for (one, other), each in its]
        for level in range(1, n_populations(next(iter(runs.values()))[0].measures(), prefix) + 1):
            pairs = contrasts(runs, prefix, level).items()
            for (one, other), each in pairs:
                table.append(point(prefix, one, f"less {other}, population {level}", each, len(runs[one])))
    return table


def said(directories: list[RunDirectory]) -> str:
    """What stands below such a figure."""
    return statement_of(directories, SHOWS)


def seeds_in(table: list[Row]) -> set[int]:
    """The numbers of seeds of a table."""
    return {int(row["seeds"]) for row in table}


def numbers(row: Row) -> tuple[float, ...]:
    """Mean and interval of a point."""
    return tuple(float(row[name] or "nan") for name in ("mean", "low", "high"))


def prefixes_in(table: list[Row]) -> list[str]:
    """The recordings of a table."""
    return list(dict.fromkeys(row["recording"] for row in table))


def lines_in(table: list[Row]) -> list[str]:
    """The rules of a table, and the untrained hierarchies, in their order."""
    return list(dict.fromkeys(row["line"] for row in table if row["row"] == "population 1"))


def draw_layers(ax, table: list[Row], prefix: str, baselines: dict[str, str], sizes: Sequence[int]) -> None:
    """A line a rule; baselines as dashed lines, their names at the right; the noise ceiling."""
    its = [row for row in table if row["recording"] == prefix]
    lines = [line for line in lines_in(its) if line not in (BASELINE, CEILING)]
    for shift, line in zip(np.linspace(-0.16, 0.16, len(lines)), lines, strict=True):
        rows = [r for r in its if r["line"] == line and re.fullmatch(r"population \d+", r["row"])]
        mean, low, high = np.array([numbers(row) for row in rows]).T
        bars = [mean - low, high - mean]
        colour = style.COLOURS.get(line, "#000000")
        x = np.arange(1, len(rows) + 1) + shift
        ax.errorbar(x, mean, np.clip(bars, 0, None), color=colour, marker="o", linewidth=2)
    levels = {baselines[r["row"]]: numbers(r)[0] for r in its if r["line"] == BASELINE and r["row"] in baselines}
    for level in levels.values():
        ax.axhline(level, color="#E69F00", linewidth=1.5, linestyle="--", zorder=0)
    for row in its:
        if row["line"] == CEILING:
            _, low, high = numbers(row)
            ax.axhspan(low, high, color="#DDDDDD", linewidth=0, zorder=0)
            ax.text(0.7, high - 0.01, "noise ceiling", color="#777777", fontsize=12, va="top")
    ax.axhline(0, color="black", linewidth=1, zorder=0)
    label_levels(ax, levels)
    ax.set_xticks(range(1, len(sizes) + 1), [f"{k}\n{size}" for k, size in enumerate(sizes, 1)])
    ax.set(xlim=(0.65, len(sizes) + 0.35), xlabel="population, and its neurons")


def label_levels(ax, levels: dict[str, float]) -> None:
    """Names of horizontal lines at the right of the axes; names of lines that are close share a label."""
    bottom, top = ax.get_ylim()
    groups: list[list[str]] = []
    for name in sorted(levels, key=levels.get):
        if groups and levels[name] - levels[groups[-1][0]] < 0.05 * (top - bottom):
            groups[-1].append(name)
        else:
            groups.append([name])
    for group in groups:
        at = np.mean([levels[name] for name in group])
        ax.text(
            1.01, at, ",\n".join(reversed(group)), color="#B37700", fontsize=12, va="center",
            transform=in_rows(ax),
        )  # fmt: skip


def draw_contrasts(ax, table: list[Row], prefixes: dict[str, tuple[str, str]]) -> None:
    """Differences averaged over populations, with intervals: each rule less untrained, then less backpropagation.

    ``prefixes``: recording -> (its name, its colour).
    """
    baseline = lines_in(table)[0]
    at, ticks, names = 0.0, [], []
    for other in (UNTRAINED, baseline):
        its = {(row["recording"], row["line"]): numbers(row) for row in table if row["row"] == f"less {other}"}
        ticks.append(at)
        names.append(f"less {other}:")
        at += 1
        for one in dict.fromkeys(line for _, line in its):
            for n, (prefix, (_, colour)) in enumerate(prefixes.items()):
                (mean, low, high), y = its[prefix, one], at + 0.26 * (n - (len(prefixes) - 1) / 2)
                ax.plot((low, high), (y, y), color=colour, linewidth=2)
                ax.plot(mean, y, "o", color=colour, markersize=8)
            ticks.append(at)
            names.append(one)
            at += 1
        at += 0.4
    ax.axvline(0, color="black", linewidth=1, zorder=0)
    ax.set_yticks(ticks, names, fontsize=12)
    for label in ax.get_yticklabels():
        label.set_fontweight("bold" if label.get_text().endswith(":") else "normal")
    ax.xaxis.set_major_locator(matplotlib.ticker.MaxNLocator(4))
    ax.set_ylim(at, -0.8)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    name_recordings(ax, prefixes)


def name_recordings(ax, prefixes: dict[str, tuple[str, str]]) -> None:
    """The names of several recordings in their colours."""
    for n, (name, colour) in enumerate(prefixes.values() if len(prefixes) > 1 else ()):
        place = {"ha": "right", "transform": ax.transAxes}
        ax.text(1, 0.95 - 0.055 * n, name, color=colour, weight="bold", fontsize=13, **place)


def in_rows(ax):
    """Axes fraction across, data down."""
    return matplotlib.transforms.blended_transform_factory(ax.transAxes, ax.transData)


def legend(figure, lines: list[str]) -> None:
    """Names of the rules in their colours, once, above the panels."""
    handles = [plt.Line2D([], [], color=style.COLOURS.get(name, "#000000"), marker="o", linewidth=3) for name in lines]
    figure.legend(handles, lines, loc="outside upper center", ncols=len(lines), frameon=False, fontsize=14)


def point(prefix: str, line: str, row: str, estimate, n_seeds: int) -> Row:
    """One plotted point."""
    its = dict(zip(("mean", "low", "high"), (f"{value:.6g}" for value in estimate), strict=True))
    return {"recording": prefix, "line": line, "row": row, **its, "seeds": n_seeds}


def printed(runs: Runs, prefixes: dict[str, tuple[str, str]]) -> list[Row]:
    """What the command prints: the best population of each rule, and every difference, beside nothing published."""
    rows = []
    for prefix, (name, _) in prefixes.items():
        for line, estimates in layers(runs, prefix).items():
            best = max(range(len(estimates)), key=lambda k: estimates[k].mean)
            rows.append(in_words(f"{name}: {line}, population {best + 1} (its best)", estimates[best], runs))
        for (one, other), estimate in contrasts(runs, prefix).items():
            differs = "differs" if estimate.excludes_zero else "no difference"
            rows.append(in_words(f"{name}: {one} less {other}, {differs}", estimate, runs))
    return rows


def in_words(quantity: str, estimate, runs: Runs) -> Row:
    """A row of the printed table."""
    shown = f"{estimate.mean:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"
    return {"quantity": quantity, "simulated": shown, "paper": "", "source": f"{len(next(iter(runs.values())))} seeds"}

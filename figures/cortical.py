"""What the figures of comparisons with cortex share: lines over populations, differences between rules, tables."""

from pathlib import Path

import matplotlib
import numpy as np

from cortex_model.experiments.by_rule import UNTRAINED, contrasts, layers, n_populations, row_estimate
from cortex_model.experiments.reproduce import Row, figure_folder
from cortex_model.runs.directory import RunDirectory
from cortex_model.system.sources import load_module

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

COLOURS = load_module(figure_folder() / "drawing.py").COLOURS | {UNTRAINED: "#BBBBBB"}
STYLE = Path(__file__).with_name("cortex.mplstyle")
Runs = dict[str, list[RunDirectory]]


def draw_layers(ax, runs: Runs, prefix: str, baselines: dict[str, str]) -> list[Row]:
    """Score by population, a line a rule; baselines as dashed lines, their names at the right; the noise ceiling."""
    table = []
    found = layers(runs, prefix)
    spread = np.linspace(-0.16, 0.16, len(found))
    for shift, (line, estimates) in zip(spread, found.items(), strict=True):
        x = np.arange(1, len(estimates) + 1) + shift
        mean, low, high = np.array(estimates).T
        bars = [mean - low, high - mean]
        ax.errorbar(x, mean, np.clip(bars, 0, None), color=COLOURS.get(line, "#000000"), marker="o", linewidth=2)
        table += [point(prefix, line, f"population {k}", each) for k, each in enumerate(estimates, 1)]
    levels = {}
    for name, shown in baselines.items():
        estimate = row_estimate(runs, prefix, name)
        ax.axhline(estimate.mean, color="#E69F00", linewidth=1.5, linestyle="--", zorder=0)
        levels[shown] = estimate.mean
        table.append(point(prefix, "baseline", name, estimate))
    low, high = next(iter(runs.values()))[0].measures()[f"{prefix}_noise_ceiling"].values
    if np.isfinite(low) and high > low:
        ax.axhspan(low, high, color="#DDDDDD", linewidth=0, zorder=0)
        ax.text(0.7, high - 0.01, "noise ceiling", color="#777777", fontsize=12, va="top")
        table.append({**point(prefix, "noise ceiling", "", (np.nan, low, high)), "mean": ""})
    ax.axhline(0, color="black", linewidth=1, zorder=0)
    label_levels(ax, levels)
    sizes = next(iter(runs.values()))[0].description()["parameters"]["layer_sizes"][1:]
    ax.set_xticks(range(1, len(sizes) + 1), [f"{k}\n{size}" for k, size in enumerate(sizes, 1)])
    ax.set(xlim=(0.65, len(sizes) + 0.35), xlabel="population, and its neurons")
    return table


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


def draw_contrasts(ax, runs: Runs, prefixes: dict[str, tuple[str, str]]) -> list[Row]:
    """Differences averaged over populations, with intervals: each rule less untrained, then less backpropagation.

    ``prefixes``: recording -> (its name, its colour).
    """
    table = []
    found = {prefix: contrasts(runs, prefix) for prefix in prefixes}
    for prefix, its in found.items():
        table += [point(prefix, one, f"less {other}", estimate) for (one, other), estimate in its.items()]
        for level in range(1, n_populations(next(iter(runs.values()))[0].measures(), prefix) + 1):
            pairs = contrasts(runs, prefix, level).items()
            table += [point(prefix, one, f"less {other}, population {level}", each) for (one, other), each in pairs]
    baseline = next(iter(runs))
    pairs = [pair for pair in next(iter(found.values())) if pair[1] in (UNTRAINED, baseline)]
    at, ticks, names = 0.0, [], []
    for other in (UNTRAINED, baseline):
        ticks.append(at)
        names.append(f"less {other}:")
        at += 1
        for one, reference in pairs:
            if reference != other:
                continue
            for n, (prefix, (_, colour)) in enumerate(prefixes.items()):
                estimate, y = found[prefix][one, other], at + 0.26 * (n - (len(prefixes) - 1) / 2)
                ax.plot((estimate.low, estimate.high), (y, y), color=colour, linewidth=2)
                ax.plot(estimate.mean, y, "o", color=colour, markersize=8)
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
    if len(prefixes) > 1:
        for n, (name, colour) in enumerate(prefixes.values()):
            ax.text(
                1, 0.95 - 0.055 * n, name, color=colour, weight="bold", ha="right", transform=ax.transAxes, fontsize=13
            )
    return table


def in_rows(ax):
    """Axes fraction across, data down."""
    return matplotlib.transforms.blended_transform_factory(ax.transAxes, ax.transData)


def legend(figure, runs: Runs) -> None:
    """Names of the rules in their colours, once, above the panels."""
    names = [*runs, UNTRAINED]
    handles = [plt.Line2D([], [], color=COLOURS.get(name, "#000000"), marker="o", linewidth=3) for name in names]
    figure.legend(handles, names, loc="outside upper center", ncols=len(names), frameon=False, fontsize=13)


def point(prefix: str, line: str, row: str, estimate) -> Row:
    """One plotted point."""
    mean, low, high = (f"{value:.6g}" for value in estimate)
    return {"recording": prefix, "line": line, "row": row, "mean": mean, "low": low, "high": high}


def printed(runs: Runs, prefixes: dict[str, tuple[str, str]]) -> list[Row]:
    """What the command prints: the best population of each rule, and every difference, beside nothing published."""
    rows = []
    for prefix, (name, _) in prefixes.items():
        for line, estimates in layers(runs, prefix).items():
            best = max(range(len(estimates)), key=lambda k: estimates[k].mean)
            rows.append(said(f"{name}: {line}, population {best + 1} (its best)", estimates[best], runs))
        for (one, other), estimate in contrasts(runs, prefix).items():
            differs = "differs" if estimate.excludes_zero else "no difference"
            rows.append(said(f"{name}: {one} less {other}, {differs}", estimate, runs))
    return rows


def said(quantity: str, estimate, runs: Runs) -> Row:
    """A row of the printed table."""
    shown = f"{estimate.mean:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"
    return {"quantity": quantity, "simulated": shown, "paper": "", "source": f"{len(next(iter(runs.values())))} seeds"}

"""What is recalled of images from the populations above, by damping, before and after sleep; part of a figure."""

import matplotlib
import numpy as np

from cortex_model.analysis.learning_curves import mean_and_interval
from cortex_model.experiments.reproduce import Row
from cortex_model.experiments.statements import BARS, statement_of

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

LEVELS = matplotlib.colormaps["viridis_r"]
#: Digits in a row of images, and percentiles of an image between which it is shown from black to white.
N_COLUMNS, CONTRAST = 6, (1, 99)


def draw_images(arms, chosen: float, style) -> tuple:
    """Images recalled from the first, the middle and the top population; errors of reconstruction by damping.

    Parameters
    ----------
    arms : dict
        (damping,) -> runs; images are of the first one.
    chosen : float
        The damping of whose forward weights images before sleep are shown.
    style : module
        Of all figures.

    Returns
    -------
    figure, table
    """
    images = {damping: runs[0].arrays("images.nc") for (damping,), runs in arms.items()}
    some = images.get(chosen, next(iter(images.values())))
    n_levels = some.sizes["population"]
    levels = sorted({1, (n_levels + 1) // 2, n_levels})
    rows = {
        "stimulus": np.repeat(some["stimulus"].values[None], n_levels, axis=0),
        "before sleep": some["before"].values,
    }
    rows |= {f"damping {damping:g}": its["after"].values for damping, its in images.items()}
    figure = plt.figure(figsize=(13.33, 0.72 * len(rows) + 6.2))
    figure.set_layout_engine("none")
    share = (0.72 * len(rows) + 0.7) / figure.get_figheight()
    grid = figure.add_gridspec(1, len(levels), left=0.115, right=0.985, top=0.945, bottom=1 - share, wspace=0.06)
    panels = []
    for block, level in enumerate(levels):
        ax = figure.add_subplot(grid[block])
        panels.append(ax)
        draw_block(ax, [values[level - 1][:N_COLUMNS] for values in rows.values()])
        ax.set_title(f"from {population_name(level, n_levels + 1)}", fontsize=15)
        if block == 0:
            ax.set_yticks(np.arange(len(rows)) + 0.5, rows, fontsize=13)
    below = figure.add_gridspec(1, 2, left=0.07, right=0.985, top=0.92 - share, bottom=0.13, wspace=0.16)
    axes = [figure.add_subplot(below[0]), figure.add_subplot(below[1])]
    table = draw_errors(axes[0], arms, "reconstruction_error", "Rates below reconstructed by one projection")
    table += draw_errors(axes[1], arms, "recall_error", "Image recalled from a population")
    style.letter([*panels, *axes])
    runs = [run for its in arms.values() for run in its]
    shown = f"A to {chr(ord('A') + len(levels) - 1)}: one seed, images from black to white between their percentiles"
    style.state(figure, statement_of(runs, BARS), f"{shown} {CONTRAST[0]} and {CONTRAST[1]}")
    return figure, table


def draw_block(ax, rows) -> None:
    """Rows of square images, each from black to white between percentiles of its own."""
    size = int(np.sqrt(len(rows[0][0])))
    for row, images in enumerate(rows):
        for column, image in enumerate(images):
            low, high = np.percentile(image, CONTRAST)
            place = (column + 0.03, column + 0.97, row + 0.97, row + 0.03)
            ax.imshow(image.reshape(size, size), cmap="gray", vmin=low, vmax=high, extent=place, aspect="auto")
    ax.set(xlim=(0, len(rows[0])), ylim=(len(rows), 0), xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)


def draw_errors(ax, arms, measure: str, title: str) -> list[Row]:
    """Relative error against damping, after sleep and (dotted) before it, one line a projection or population."""
    table, dampings = [], [damping for (damping,) in arms]
    places = np.arange(len(dampings))
    values = [np.array([run.measures()[measure].values for run in runs]) for runs in arms.values()]
    n = values[0].shape[2]
    for level in range(n):
        colour = LEVELS(0.15 + 0.8 * level / max(n - 1, 1))
        rows = [mean_and_interval(its[:, -1, level]) for its in values]
        mean, low, high = np.array(rows).T
        name = f"V{level + 1}" if measure == "reconstruction_error" else population_name(level + 1, n + 1)
        ax.errorbar(places, mean, np.nan_to_num([mean - low, high - mean]), color=colour, marker="o", linewidth=2,
                    elinewidth=1.5, capsize=3, label=name)  # fmt: skip
        table += [point(f"{measure}, after sleep", name, d, *row) for d, row in zip(dampings, rows, strict=True)]
        explained = measure.replace("error", "explained_variance")
        of_variance = [mean_and_interval([run.measures()[explained].values[-1, level] for run in runs])
                       for runs in arms.values()]  # fmt: skip
        table += [point(f"{explained}, after sleep", name, d, *row)
                  for d, row in zip(dampings, of_variance, strict=True)]  # fmt: skip
        kept = [[run.arrays("images.nc")[f"{measure}_before"].values[level] for run in runs]
                for runs in arms.values()]  # fmt: skip
        before = np.array([np.mean(its) for its in kept])
        ax.plot(places, before, ":", color=colour, linewidth=1.5)
        table += [point(f"{measure}, before sleep", name, d, y) for d, y in zip(dampings, before, strict=True)]
    ax.axhline(1, color="#444444", linewidth=1, linestyle="--")
    ax.set(title=title, xlabel="damping (dotted: before sleep)", ylabel="relative error", ylim=(0, None))
    ax.set_xticks(places, [f"{d:g}" for d in dampings])
    ax.set_xlim(-0.2, len(dampings) + 0.7)
    ax.legend(frameon=False, fontsize=12, loc="center right")
    return table


def population_name(level: int, n_levels: int) -> str:
    """What a population is called."""
    return {0: "input", n_levels - 1: "top"}.get(level, f"population {level}")


def point(panel: str, curve: str, x, y, low="", high="") -> Row:
    """One plotted point."""
    return {"panel": panel, "curve": curve, "x": x, "y": float(y), "low": low, "high": high}

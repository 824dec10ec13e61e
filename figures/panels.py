"""A panel of learning curves, as the page about runs and the stock figure of runs draw it."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, MultipleLocator, NullFormatter

from cortex_model.reports.curves import Panel


def draw_panel(ax: Any, panel: Panel, colours: Mapping[int, str] | None = None) -> int:
    """Every seed as a thin line, the mean as a thick one, its interval as a band.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    panel : Panel
    colours : mapping, optional
        Number of a setting -> colour; that of the setting unless given.

    Returns
    -------
    n_points : int
        Of all lines.
    """
    n_points = 0
    for curve in panel.curves:
        colour = (colours or {}).get(curve.setting.number, curve.setting.colour)
        look = {"color": colour, "dashes": curve.setting.dash or (None, None)}
        n_seeds = len(curve.values)
        for over, values in zip(curve.over, curve.values, strict=True):
            thin = {"linewidth": 0.8, "alpha": 0.55} if n_seeds > 1 else {"linewidth": 2.2}
            ax.plot(over, values, marker="o" if len(over) == 1 else None, **look, **thin)
            n_points += len(over)
        if curve.mean is not None and n_seeds > 1:
            ax.fill_between(curve.over[0], curve.low, curve.high, color=colour, alpha=0.18, lw=0)
            ax.plot(curve.over[0], curve.mean, linewidth=2.6, **look)
    scale(ax, panel)
    ax.xaxis.set_major_locator(MaxNLocator(5))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.6g}"))
    ax.set(title=panel.title, xlabel=panel.over_label)
    return n_points


def scale(ax: Any, panel: Panel) -> None:
    """The vertical axis: logarithmic over orders of magnitude, quarters of a turn for angles, plain otherwise."""
    if panel.is_logarithmic:
        ax.set_yscale("log", nonpositive="clip")
        values = np.concatenate([each for curve in panel.curves for each in curve.values])
        low, high = float(np.nanmin(values)), float(np.nanmax(values))
        ax.set_ylim(low / 1.3, high * 1.3)
        ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 2000 * low else (1,), numticks=9))
        ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        ax.yaxis.set_minor_formatter(NullFormatter())
        return
    ax.set_ylim(*limits_of(panel))
    ax.yaxis.set_major_locator(MultipleLocator(30) if panel.limits else MaxNLocator(6))


def limits_of(panel: Panel) -> tuple[float, float]:
    """From 0 on where no number is below it; bands that leave the numbers far behind are cut."""
    if panel.limits:
        return panel.limits
    values = np.concatenate([each for curve in panel.curves for each in curve.values])
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    room = 0.06 * (high - low) or abs(high) or 1.0
    return (0.0 if low >= 0 else low - room, high + room)

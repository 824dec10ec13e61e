"""The stock figure of runs of any protocol: which measures are its panels, in which order, and what it leaves out."""

from string import ascii_uppercase

import numpy as np

from cortex_model.reports.curves import (
    ANGLES,
    MEAN,
    TIMES,
    Panel,
    curve_of,
    measured,
    over_label,
)
from cortex_model.reports.settings import MOST_DRAWN, Chapter
from cortex_model.reports.words import measure_words

#: Panels at most.
MOST = 9
#: Words of measures in the order of their panels; other measures come last.
ORDER = ("error_percent", "unexplained_percent", "loss", *ANGLES, "angle")
#: Limits of an angle of V.
RIGHT_ANGLE = (0.0, 95.0)


def stock_panels(chapter: Chapter) -> tuple[list[Panel], list[str]]:
    """Panels of the runs of a protocol, and sentences about what is not among them.

    Parameters
    ----------
    chapter : Chapter

    Returns
    -------
    panels : list of Panel
        At most `MOST`: errors and losses, then angles, then other measures. Of a measure with a number for each
        part, such as a projection, the mean over them.
    left_out : list of str
    """
    names = [(name, unit, None) for name, unit in measured(chapter, 1) if name not in TIMES]
    names += [(name, unit, MEAN) for name, unit in measured(chapter, 2)]
    panels, constant, averaged = [], [], []
    for name, unit, part in sorted(names, key=lambda its: _place(its[0])):
        curves = [curve for setting in chapter.drawn if (curve := curve_of(setting, name, part))]
        if not curves:
            continue
        words = measure_words(name, unit)
        values = np.concatenate([each for curve in curves for each in curve.values])
        if np.nanmax(values) == np.nanmin(values):
            constant.append(f"{words}: {values[0]:.4g}")
            continue
        title = f"V to {ANGLES[name]} (degrees)" if name in ANGLES else words[:1].upper() + words[1:]
        limits = RIGHT_ANGLE if name.endswith("_degrees") and np.nanmax(values) <= RIGHT_ANGLE[1] else None
        panels.append(Panel(title, over_label(curves), words, curves, limits))
        averaged += [len(panels) - 1] * (part is MEAN)
    means = ", ".join(letter_of(at) for at in averaged if at < MOST)
    sentences = [f"Means over all parts (projections, populations or neurons): {means}"] * bool(means)
    is_cut = any(p.is_logarithmic and any(_reaches_0(curve) for curve in p.curves) for p in panels[:MOST])
    sentences += ["Intervals that reach 0 have no lower end on a logarithmic axis"] * is_cut
    sentences += [f"Not drawn, the same at every look: {'; '.join(constant)}"] * bool(constant)
    more = "; ".join(panel.label for panel in panels[MOST:])
    sentences += [f"Not drawn, {MOST} panels are the most: {more}"] * bool(more)
    return panels[:MOST], sentences + left_out_settings(chapter, panels[:MOST])


def left_out_settings(chapter: Chapter, panels: list[Panel]) -> list[str]:
    """Sentences: settings without results, beyond the most that are drawn, and without a mean."""
    unfinished = sum(len(setting.runs) - len(setting.finished) for setting in chapter.settings)
    n_beyond = len([setting for setting in chapter.settings if setting.finished]) - len(chapter.drawn)
    ragged = {curve.setting.number for panel in panels for curve in panel.curves if curve.mean is None}
    sentences = [f"Left out, not finished: {unfinished} run{'s' * (unfinished > 1)}"] * (unfinished > 0)
    sentences += [f"Left out, beyond the first {MOST_DRAWN} settings: {n_beyond}"] * (n_beyond > 0)
    without = "; ".join(setting.label for setting in chapter.drawn if setting.number in ragged)
    return sentences + [f"No mean, seeds were looked at after different presentations: {without}"] * bool(without)


def letter_of(at: int) -> str:
    """What the panel at a place, from 0 on, is called."""
    return ascii_uppercase[at]


def _reaches_0(curve):
    return curve.low is not None and bool(np.any(curve.low <= 0))


def _place(name):
    return next((at for at, word in enumerate(ORDER) if word in name), len(ORDER))

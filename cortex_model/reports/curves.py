"""What was measured, as curves over presentations for each setting, and as numbers at the end."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cortex_model.analysis.learning_curves import mean_and_interval
from cortex_model.reports.settings import Chapter, Setting, interval_text
from cortex_model.reports.words import measure_words

#: Instead of one part of a measure: the mean of all.
MEAN = "mean over parts"
#: Measures that only say when it was looked.
TIMES = ("wake_presentations", "sleep_presentations", "presentations")
#: Angles that are drawn -> what V is compared with.
ANGLES = {
    "alignment_angle_to_pseudoinverse_degrees": "W⁺",
    "alignment_angle_to_transpose_degrees": "Wᵀ",
    "alignment_angle_to_fixed_point_degrees": "the fixed point of sleep",
}
#: Factor between the largest and the smallest number of a panel from which on its scale is logarithmic.
SPAN = 5
#: Panels of angles, and rows of the table of final numbers.
MOST_PANELS, MOST_ROWS = 18, 80


@dataclass(frozen=True)
class Curve:
    """A measure of one setting.

    Attributes
    ----------
    setting : Setting
    over, values : list of ndarray, shape (n_looks,)
        One of each a seed.
    mean, low, high : ndarray, shape (n_looks,), or None
        Mean over seeds and its 95 % interval (`mean_and_interval`), where all seeds were looked at equally often.
    """

    setting: Setting
    over: list[np.ndarray]
    values: list[np.ndarray]
    mean: np.ndarray | None = None
    low: np.ndarray | None = None
    high: np.ndarray | None = None

    @property
    def end(self) -> float:
        """Mean over seeds of the last finite numbers."""
        finite = [each[np.isfinite(each)] for each in self.values]
        return float(np.mean([each[-1] for each in finite if len(each)]))


@dataclass(frozen=True)
class Panel:
    """Curves of all settings.

    Attributes
    ----------
    title, over_label, label : str
    curves : list of Curve
    limits : tuple of float or None
        Of the values.
    """

    title: str
    over_label: str
    label: str
    curves: list[Curve]
    limits: tuple[float, float] | None = None

    @property
    def is_logarithmic(self) -> bool:
        """Whether the numbers are above 0 and of different orders of magnitude."""
        values = np.concatenate([each for curve in self.curves for each in curve.values])
        values = values[np.isfinite(values)]
        return self.limits is None and len(values) > 0 and values.min() > 0 and values.max() > SPAN * values.min()

    @property
    def said(self) -> str:
        """What it shows, in words: for those who do not see it."""
        lasts = [curve.end for curve in self.curves]
        ends = ", ".join(f"{c.setting.letter} {last:.4g}" for c, last in zip(self.curves, lasts, strict=True))
        return f"{self.title} against {self.over_label}; mean over seeds at the end: {ends}."


def curve_of(setting: Setting, measure: str, part: Any = None) -> Curve | None:
    """A measure, or one part of it, or the `MEAN` of its parts, of the runs of a setting that have it."""
    over, values = [], []
    for run in setting.finished:
        if measure in run.measures:
            its, _, parts = run.measures[measure]
            if (its.ndim == 1) != (part is None) or (part is not None and part not in [*parts, MEAN]):
                continue
            its = its if part is None else its.mean(axis=1) if part is MEAN else its[:, parts.index(part)]
            if len(its) == len(run.over):
                over.append(run.over)
                values.append(np.where(np.isfinite(its), its, np.nan))
    if not any(np.isfinite(each).any() for each in values):
        return None
    if any(not np.array_equal(each, over[0]) for each in over):
        return Curve(setting, over, values)
    return Curve(setting, over, values, *mean_and_interval(values))


def learning_panels(chapter: Chapter) -> list[Panel]:
    """A panel for each measure that is one number a look."""
    panels = []
    for name, unit in measured(chapter, 1):
        curves = [curve for setting in chapter.drawn if (curve := curve_of(setting, name))]
        if name not in TIMES and curves:
            words = measure_words(name, unit)
            panels.append(Panel(words[:1].upper() + words[1:], over_label(curves), words, curves))
    return panels


def angle_panels(chapter: Chapter) -> dict[str, list[Panel]]:
    """Projection -> a panel for each kind of angle: those of V to what it could become."""
    panels: dict[str, list[Panel]] = {}
    parts = sorted({part for run in chapter.runs for name in ANGLES if name in run.measures
                    for part in run.measures[name][2]}, key=str)  # fmt: skip
    for part in parts:
        for name, other in ANGLES.items():
            curves = [curve for setting in chapter.drawn if (curve := curve_of(setting, name, part))]
            if curves and sum(map(len, panels.values())) < MOST_PANELS:
                title = f"V{subscript(part)} to {other.replace('W', f'W{subscript(part)}')}"
                most = max(float(np.nanmax(each)) for curve in curves for each in curve.values)
                limits = (0.0, min(max(90.0, 1.02 * most), 180.0))
                panels.setdefault(f"V{subscript(part)}", []).append(
                    Panel(title, over_label(curves), "angle (degrees)", curves, limits)
                )
    return panels


def subscript(part: Any) -> str:
    """The l of V_l below the line."""
    return str(part).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))


def measured(chapter: Chapter, ndim: int) -> dict[tuple[str, str], None]:
    """Measures, with their units, that are one number a look (1), or one a look and part (2)."""
    return dict.fromkeys(
        (name, unit) for setting in chapter.settings for run in setting.finished
        for name, (values, unit, _) in run.measures.items() if values.ndim == ndim
    )  # fmt: skip


def over_label(curves: list[Curve]) -> str:
    """Against what curves are drawn."""
    return curves[0].setting.finished[0].over_what


def missing_means(panels: list[Panel]) -> list[str]:
    """Letters of the settings whose seeds were looked at differently, so that no mean is drawn."""
    return sorted({curve.setting.letter for panel in panels for curve in panel.curves if curve.mean is None})


@dataclass
class FinalNumbers:
    """The last look, setting by setting.

    Attributes
    ----------
    rows : list of (str, list of str)
        Measure, with its part, and a text for each setting that is drawn.
    n_left_out : int
        Rows beyond `MOST_ROWS`.
    """

    rows: list[tuple[str, list[str]]] = field(default_factory=list)
    n_left_out: int = 0


def final_numbers(chapter: Chapter) -> FinalNumbers:
    """Every measure at the last look: mean over seeds and its interval."""
    keys = [(name, unit, None) for name, unit in measured(chapter, 1) if name not in TIMES]
    for name, unit in measured(chapter, 2):
        parts = dict.fromkeys(part for run in chapter.runs if name in run.measures for part in run.measures[name][2])
        keys += [(name, unit, part) for part in parts]
    table = FinalNumbers(n_left_out=max(0, len(keys) - MOST_ROWS))
    for name, unit, part in keys[:MOST_ROWS]:
        curves = [curve_of(setting, name, part) for setting in chapter.drawn]
        texts = ["" if curve is None else interval_text([each[-1] for each in curve.values]) for curve in curves]
        table.rows.append((measure_words(name, unit) + ("" if part is None else f", l = {part}"), texts))
    return table

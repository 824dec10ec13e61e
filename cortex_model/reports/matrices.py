"""The final weights as pictures: W, V and what V could become, side by side, every so many rows and columns of them."""

from dataclasses import dataclass

import numpy as np

from cortex_model.reports.curves import subscript
from cortex_model.reports.settings import Chapter, Setting

#: Rows and columns that are shown; of a larger matrix every second, third ... one.
MOST_SHOWN = (120, 240)
#: Neurons of the smaller population up to which a pseudoinverse is computed, and projections that are shown.
LARGEST_INVERTED, MOST_PROJECTIONS = 1024, 6
#: Part of the numbers, in percent, that the colours reach.
WITHIN = 99.0


@dataclass(frozen=True)
class Matrix:
    """A matrix with a row for each neuron of population l and a column for each of population l-1.

    Attributes
    ----------
    title : str
    shown : ndarray
        The rows and columns that are shown.
    shape : tuple of int
        Of all.
    steps : tuple of int
        Every so-manieth row and column is shown.
    limit : float
        Blue to red are -limit to limit.
    """

    title: str
    shown: np.ndarray
    shape: tuple[int, int]
    steps: tuple[int, int]
    limit: float


@dataclass(frozen=True)
class WeightPicture:
    """One pair of projections of one setting.

    Attributes
    ----------
    setting : Setting
    level : int
        l of W_l.
    seed : int
        Of the run whose weights they are.
    matrices : list of Matrix
    """

    setting: Setting
    level: int
    seed: int
    matrices: list[Matrix]

    @property
    def said(self) -> str:
        """What is shown, and at which scale."""
        first = self.matrices[0]
        steps = [f"every {_nth(step)} {what}" for step, what in zip(first.steps, ("row", "column"), strict=True)
                 if step > 1]  # fmt: skip
        titles = ", ".join(matrix.title for matrix in self.matrices)
        return f"{titles}: {first.shape[0]} × {first.shape[1]}, {' and '.join(steps) or 'all rows and columns'} shown"


def weight_pictures(chapter: Chapter) -> list[WeightPicture]:
    """Those of the first run of each setting that keeps weights."""
    pictures = []
    for setting in chapter.drawn:
        run = next((run for run in setting.finished if run.weights is not None), None)
        for level in sorted(run.weights.forward)[:MOST_PROJECTIONS] if run else ():
            pictures.append(WeightPicture(setting, level, run.seed, _of(run.weights, level)))
    return pictures


def _of(weights, level):
    forward, l = weights.forward[level].astype(float), subscript(level)
    limits = [_limit(forward)]
    arrays = {f"W{l}": forward}
    feedback = weights.feedback.get(level)
    if feedback is not None and feedback.shape == forward.shape[::-1]:
        arrays[f"V{l}ᵀ"] = feedback.T.astype(float)
        limits += [_limit(feedback)] * 2
        if min(forward.shape) <= LARGEST_INVERTED:
            arrays[f"(W{l}⁺)ᵀ"] = np.linalg.pinv(forward).T
    return [_thinned(title, array, limit) for (title, array), limit in zip(arrays.items(), limits, strict=False)]


def _limit(array):
    return float(np.percentile(np.abs(array), WITHIN)) or 1.0


def _thinned(title, array, limit):
    steps = tuple(-(-n // most) for n, most in zip(array.shape, MOST_SHOWN, strict=True))
    return Matrix(title, array[:: steps[0], :: steps[1]], array.shape, steps, limit)


def _nth(step):
    return f"{step}{ {2: 'nd', 3: 'rd'}.get(step, 'th') }"

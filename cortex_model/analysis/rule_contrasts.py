"""Learning rules compared by how near their hierarchies are to a recording: means over seeds, paired differences.

Every run is compared with the same resamples of stimuli and subjects (or units), and the seeds of two rules are those
of the same initial weights, so that differences are paired in both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from cortex_model.errors import RunError


class Estimate(NamedTuple):
    """A mean and its 95 % interval."""

    mean: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Whether zero lies outside the interval."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True, eq=False)
class ScoresOfRows:
    """Scores of some rows in several runs that differ in their seed.

    Attributes
    ----------
    scores : ndarray, shape (n_seeds,)
    resampled : ndarray, shape (n_seeds, n_resamples)
    """

    scores: np.ndarray
    resampled: np.ndarray

    def minus(self, other: ScoresOfRows) -> ScoresOfRows:
        """Differences, paired by seed and by resample.

        Raises
        ------
        RunError
            If there are not as many seeds and resamples.
        """
        if self.resampled.shape != other.resampled.shape:
            raise RunError(
                f"rule_contrasts: must have as many seeds and resamples for both (got {self.resampled.shape} and "
                f"{other.resampled.shape}); make the missing runs."
            )
        return ScoresOfRows(self.scores - other.scores, self.resampled - other.resampled)

    def estimate(self, seed: int = 0) -> Estimate:
        """Mean over seeds; its interval over resampled seeds and the resamples of the recording together."""
        n_seeds, n_resamples = self.resampled.shape
        drawn = np.random.default_rng(seed).integers(n_seeds, size=(n_resamples, n_seeds))
        means = self.resampled[drawn, np.arange(n_resamples)[:, None]].mean(axis=1)
        low, high = np.nanquantile(means, (0.025, 0.975))
        return Estimate(float(self.scores.mean()), float(low), float(high))


@dataclass(frozen=True, eq=False)
class ScoresOfUnits:
    """Scores of each unit, averaged over some rows, in several runs that differ in their seed.

    Attributes
    ----------
    values : ndarray, shape (n_seeds, n_units)
    """

    values: np.ndarray

    def minus(self, other: ScoresOfUnits) -> ScoresOfUnits:
        """Differences, paired by seed and by unit.

        Raises
        ------
        RunError
            If there are not as many seeds and units.
        """
        if self.values.shape != other.values.shape:
            raise RunError(
                f"rule_contrasts: must have as many seeds and units for both (got {self.values.shape} and "
                f"{other.values.shape}); make the missing runs."
            )
        return ScoresOfUnits(self.values - other.values)

    def estimate(self, seed: int = 0, n_resamples: int = 1000) -> Estimate:
        """Median over units of means over seeds; its interval over resampled seeds and units together."""
        n_seeds, n_units = self.values.shape
        generator = np.random.default_rng(seed)
        seeds = generator.integers(n_seeds, size=(n_resamples, n_seeds))
        units = generator.integers(n_units, size=(n_resamples, 1, n_units))
        medians = np.median(self.values[seeds[..., None], units].mean(axis=1), axis=1)
        low, high = np.quantile(medians, (0.025, 0.975))
        return Estimate(float(np.median(self.values.mean(axis=0))), float(low), float(high))


def scores_to_subtract(measures: Sequence, prefix: str, names: Sequence[str]) -> ScoresOfRows | ScoresOfUnits:
    """What the difference of two rules is taken of: single units where there are any, else scores and resamples."""
    if f"{prefix}_rdm" in measures[0]:
        return scores_of_rows(measures, prefix, names)
    values = [each[f"{prefix}_values"].values[_places(each, prefix, names)].mean(axis=0) for each in measures]
    return ScoresOfUnits(np.array(values))


def _places(measures, prefix: str, names: Sequence[str]) -> list[int]:
    known = [str(name) for name in measures[f"{prefix}_row_name"].values]
    return [known.index(name) for name in names]


def scores_of_rows(measures: Sequence, prefix: str, names: Sequence[str]) -> ScoresOfRows:
    """Scores of the rows of these names, averaged over them, in each run.

    Parameters
    ----------
    measures : sequence of xarray.Dataset
        Of the runs, one a seed, with the arrays of `Comparison.as_arrays`.
    prefix : str
        Of the recording's arrays.
    names : sequence of str
        Such as ``["population 1"]``; several are averaged.
    """
    scores, resampled = [], []
    for each in measures:
        at = _places(each, prefix, names)
        scores.append(each[f"{prefix}_score"].values[at].mean())
        resampled.append(each[f"{prefix}_resampled"].values[at].mean(axis=0))
    return ScoresOfRows(np.array(scores), np.array(resampled, float))

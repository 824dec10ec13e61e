"""Differences of rules are paired by seed and resample, and their intervals are as wide as both make them."""

import numpy as np
import pytest

from cortex_model.analysis.rule_contrasts import Estimate, ScoresOfRows, ScoresOfUnits
from cortex_model.errors import RunError

GENERATOR = np.random.default_rng(0)
SHARED = GENERATOR.normal(size=400)


def scores(means, shared=0.1, own=0.001):
    means = np.asarray(means, float)
    return ScoresOfRows(means, means[:, None] + shared * SHARED + own * GENERATOR.normal(size=(len(means), 400)))


def test_what_resamples_share_cancels_in_a_difference():
    one, other = scores([0.30, 0.31, 0.29]), scores([0.20, 0.21, 0.19])
    assert one.estimate().low < 0.20 < other.estimate().high
    difference = one.minus(other).estimate()
    assert difference.mean == pytest.approx(0.1) and difference.excludes_zero
    assert difference.high - difference.low < 0.01


def test_seeds_that_disagree_widen_the_interval():
    one, other = scores([0.3, 0.1, 0.2]), scores([0.2, 0.2, 0.2])
    difference = one.minus(other).estimate()
    assert not difference.excludes_zero and difference.high - difference.low > 0.1
    assert difference == one.minus(other).estimate(), "the same seed draws the same"


def test_units_are_paired():
    """Units differ far more than rules do: only their differences tell."""
    units = GENERATOR.normal(0.4, 0.3, (1, 50))
    one = ScoresOfUnits(units + 0.02 + 0.01 * GENERATOR.normal(size=(3, 50)))
    other = ScoresOfUnits(units + 0.01 * GENERATOR.normal(size=(3, 50)))
    assert one.estimate().low < other.estimate().mean < one.estimate().high
    difference = one.minus(other).estimate()
    assert difference.excludes_zero and difference.mean == pytest.approx(0.02, abs=0.005)
    assert not other.minus(ScoresOfUnits(other.values[:, ::-1])).estimate().excludes_zero
    with pytest.raises(RunError, match="must have as many seeds and units for both"):
        one.minus(ScoresOfUnits(units))


def test_rows_of_other_runs_are_not_subtracted():
    with pytest.raises(RunError, match="must have as many seeds and resamples for both"):
        scores([0.1, 0.2]).minus(scores([0.1]))


def test_zero_lies_outside_or_not():
    assert Estimate(0.1, 0.05, 0.2).excludes_zero and Estimate(-0.1, -0.2, -0.05).excludes_zero
    assert not Estimate(0.1, -0.05, 0.2).excludes_zero

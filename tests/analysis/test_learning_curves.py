"""Means, intervals and levels over seeds."""

import numpy as np
import pytest
from scipy import stats

from cortex_model.analysis.learning_curves import (
    bootstrap_interval,
    grouped,
    learning_curve,
    mean_and_interval,
    meaning_of_bands,
    presentations_to_level,
    straightness,
    with_interval,
)
from cortex_model.errors import RunError
from cortex_model.runs.directory import RunDirectory
from cortex_model.system.arrays import write_arrays


def directory(parent, rule, seed, errors, looks=(0, 10, 20), damping=0.0, **later):
    """A run directory with nothing in it but what learning curves read."""
    parameters = {"learning_rule": rule, "damping": damping, **later}
    description = {"protocol": "p", "protocol_file": "p", "device": "d", "parameters": parameters, "seed": seed}
    made = RunDirectory.created(parent / f"{rule}-{damping}-{seed}", description)
    arrays = {"error": (["look"], np.array(errors), "percent"), "n": (["look"], np.array(looks), "1")}
    arrays["angle"] = (["look", "layer"], np.array([errors, errors]).T + [0.0, 2.0], "degree")
    write_arrays(made.path / "measures.nc", arrays, {})
    made.conclude({}, {})
    return made


def test_interval_is_students():
    values = np.random.default_rng(0).normal(size=(6, 3))
    mean, low, high = mean_and_interval(values)
    for k in range(3):
        expected = stats.ttest_1samp(values[:, k], 0).confidence_interval(0.95)
        assert (low[k], high[k]) == pytest.approx((expected.low, expected.high))
    np.testing.assert_allclose(mean, values.mean(axis=0))


def test_interval_covers_the_truth_as_often_as_it_says():
    draws = np.random.default_rng(1).normal(size=(5, 4000))
    _, low, high = mean_and_interval(draws)
    assert np.mean((low < 0) & (high > 0)) == pytest.approx(0.95, abs=0.015)


def test_one_seed_has_no_interval():
    mean, low, high = mean_and_interval([[3.0]])
    assert mean == 3 and np.isnan(low) and np.isnan(high)
    assert with_interval([3.0]) == "3"
    assert with_interval([1.0, 3.0], ".1f") == "2.0 [-10.7, 14.7], t(1)"


def test_interval_of_what_cannot_be_negative_is_cut_and_says_its_degrees_of_freedom():
    mean, low, high = mean_and_interval([[1.0], [2.0], [9.0]], least=0)
    _, below_zero, same_high = mean_and_interval([[1.0], [2.0], [9.0]])
    assert below_zero < 0 == low and high == same_high
    assert with_interval([1.0, 2.0, 9.0], ".0f", least=0) == f"4 [0, {high[0]:.0f}], t(2)"
    assert (
        meaning_of_bands([3, 5, 3, 1])
        == "mean and 95 % interval over seeds (n = 1, no interval, n = 3, t(2), n = 5, t(4))"
    )


@pytest.mark.parametrize(
    ("errors", "level", "expected"),
    [([90, 50, 10], 10, 200), ([90, 50, 10], 70, 50), ([90, 50, 10], 30, 150), ([5, 4, 3], 10, 0)],
)
def test_presentations_to_level(errors, level, expected):
    assert presentations_to_level(np.array([0, 100, 200]), np.array(errors), level) == pytest.approx(expected)


def test_level_never_reached_is_nan():
    assert np.isnan(presentations_to_level(np.array([0, 100]), np.array([90, 20]), 10))


def test_straightness_tells_an_exponential_from_a_power():
    x = np.arange(1, 1000.0)
    assert straightness(x, np.exp(-x / 30), 1e-12, 1e-2) == pytest.approx(1)
    assert straightness(x, x**-4.0, 1e-12, 1e-2) < 0.9
    assert np.isnan(straightness(x, x * 0 + 1, 1e-12, 1e-2))


def test_curve_over_seeds(tmp_path):
    runs = [directory(tmp_path, "reciprocal", seed, [90.0, 40.0 + seed, 10.0 * seed]) for seed in range(3)]
    curve = learning_curve(runs, "error", "n")
    assert curve["over"].tolist() == [0, 10, 20]
    assert curve["values"].shape == (3, 3)
    assert curve["mean"].tolist() == [90, 41, 10]
    assert learning_curve(runs, "angle", "n")["mean"].tolist() == [91, 42, 11], "mean over layers"


def test_runs_are_grouped_by_parameters(tmp_path):
    runs = [directory(tmp_path, rule, 0, [1.0, 2.0, 3.0], damping=d) for rule, d in (("a", 0), ("a", 1), ("b", 0))]
    assert list(grouped(runs, "learning_rule")) == [("a",), ("b",)]
    assert [len(group) for group in grouped(runs, "learning_rule").values()] == [2, 1]
    assert list(grouped(runs, "learning_rule", "damping")) == [("a", 0), ("a", 1), ("b", 0)]


def test_a_run_made_before_a_parameter_existed_belongs_to_later_ones(tmp_path):
    runs = [directory(tmp_path, "a", 0, [1.0, 2.0, 3.0]), directory(tmp_path, "a", 1, [3.0, 4.0, 5.0], later=1)]
    for order in (runs, runs[::-1]):
        assert learning_curve(order, "error", "n")["mean"].tolist() == [2, 3, 4]
    runs.append(directory(tmp_path, "a", 2, [3.0, 4.0, 5.0], later=2))
    with pytest.raises(RunError, match=r"a-0.0-2: must have the later of a-0.0-1 \(got 2 and 1\)"):
        learning_curve(runs, "error", "n")


def test_runs_that_do_not_belong_together_are_refused(tmp_path):
    runs = [directory(tmp_path, "a", 0, [1.0, 2.0, 3.0], damping=d) for d in (0, 1)]
    with pytest.raises(RunError, match=r"a-1-0: must have the damping of a-0-0 \(got 1 and 0\)"):
        learning_curve(runs, "error", "n")
    with pytest.raises(RunError, match="must hold the measure loss"):
        learning_curve(runs[:1], "loss", "n")
    with pytest.raises(RunError, match="must be a run with the parameter epochs"):
        grouped(runs, "epochs")


def test_bootstrap_interval_is_that_of_all_resamples():
    low, high = bootstrap_interval([0.0, 1.0])
    assert (low, high) == (0.0, 1.0), "the four resamples have the means 0, 1/2, 1/2, 1"
    assert np.isnan(bootstrap_interval([3.0])).all()
    values = np.random.default_rng(1).normal(5, 2, 40)
    low, high = bootstrap_interval(values)
    expected = stats.bootstrap((values,), np.mean, method="percentile", rng=2).confidence_interval
    np.testing.assert_allclose([low, high], expected, atol=0.05)


def test_bootstrap_of_five_seeds_holds_the_mean_too_seldom_and_students_interval_does_not():
    rng, n_trials = np.random.default_rng(0), 1000
    held = {"bootstrap": 0, "student": 0}
    for _ in range(n_trials):
        values = rng.normal(size=5)
        low, high = bootstrap_interval(values)
        held["bootstrap"] += low <= 0 <= high
        _, low, high = mean_and_interval(values)
        held["student"] += low <= 0 <= high
    assert 0.78 < held["bootstrap"] / n_trials < 0.88
    assert 0.93 < held["student"] / n_trials < 0.97

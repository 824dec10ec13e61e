"""Decoding finds a latency that was planted, and nothing where nothing is."""

import numpy as np
import pytest

from cortex_model.analysis.decoding import (
    accuracy,
    decoded_in_time,
    latency,
    latency_where_held,
    order_of_latencies,
    predictions,
    shuffled_labels,
    threshold,
)
from cortex_model.errors import ParameterError

N_STIMULI, N_TIMES, N_NEURONS = 200, 30, 12
TIMES = np.arange(N_TIMES) * 2.0
LABELS = np.arange(N_STIMULI) % 4
FEATURE = np.arange(N_STIMULI) // 4 % 2 == 0


def planted(category_from, feature_from, seed=0, codes=0):
    """Rates that hold the category from one time on and a feature from another; noise-free before."""
    rng = np.random.default_rng([codes, 7])
    of_class, of_feature = rng.standard_normal((4, N_NEURONS)), rng.standard_normal(N_NEURONS)
    rates = 0.01 * np.random.default_rng(seed).standard_normal((N_STIMULI, N_TIMES, N_NEURONS))
    rates[:, category_from:] += of_class[LABELS][:, None]
    rates[:, feature_from:] += np.where(FEATURE, 1, -1)[:, None, None] * of_feature
    return rates


def decoded(rates, **changes):
    options = {"fitted_to": "perception", "noise": 1.0, "seed": 0, "n_shuffles": 200} | changes
    return decoded_in_time(rates, LABELS, {"feature": FEATURE}, TIMES, **options)


# ---------------------------------------------------------------------- a planted latency
def test_planted_latencies_are_found():
    """Medians over seeds, because one time course of twenty may alarm too early."""
    latencies = []
    for seed in range(5):
        rates = {
            "perception": {0: planted(3, 8, seed), 1: planted(10, 14, seed, codes=1)},
            "recall": {0: planted(20, 25, 10 + seed), 1: planted(12, 28, 10 + seed, codes=1)},
        }
        its = decoded(rates, seed=seed)
        assert its["accuracy"].shape == (2, 2, 2, N_TIMES)
        latencies.append(its["latency"])
    expected = 2.0 * np.array([[[3, 10], [8, 14]], [[20, 12], [25, 28]]])
    np.testing.assert_allclose(np.median(latencies, axis=0), expected, atol=2)
    assert [order_of_latencies(row[0]) for row in np.median(latencies, axis=0)] == [1.0, -1.0]


def test_another_code_is_not_read():
    """The same information in another population's code: what a decoder fitted anew would find."""
    rates = {"perception": {0: planted(0, 0)}, "recall": {0: planted(0, 0, 1, codes=5)}}
    its = decoded(rates)
    assert its["accuracy"][0].mean() > 0.8
    anew = decoded({"perception": rates["recall"]})
    assert anew["accuracy"].mean() > 0.8, "it is there"
    own, other = its["accuracy"][0, 0, 0].mean(), its["accuracy"][1, 0, 0].mean()
    assert other < 0.6 < own


def test_nothing_is_found_in_noise():
    noise = {"perception": {0: planted(0, 0)}, "recall": {0: planted(N_TIMES, N_TIMES, 1)}}
    its = decoded(noise)
    assert np.isnan(its["latency"][1]).all()
    assert its["accuracy"][1, 0].mean() == pytest.approx(0.25, abs=0.04)
    assert its["accuracy"][1, 1].mean() == pytest.approx(0.5, abs=0.05)


def test_labels_that_were_shuffled_stay_at_chance():
    shuffled = shuffled_labels(LABELS, 1, 3)[0]
    rates = planted(0, 0) + np.random.default_rng(1).standard_normal((N_STIMULI, N_TIMES, N_NEURONS))
    read = predictions(rates[:, -1], {"perception": rates}, shuffled)["perception"]
    assert accuracy(read, shuffled).max() < 0.4
    assert accuracy(predictions(rates[:, -1], {"p": rates}, LABELS)["p"], LABELS).min() > 0.6


def alarms(limit_of, n=200):
    """Time courses of ``n``, of predictions that know nothing, in which something is found."""
    rng, found = np.random.default_rng(0), 0
    for seed in range(n):
        read = rng.integers(0, 4, (N_TIMES, N_STIMULI))
        limit = limit_of(accuracy(read, shuffled_labels(LABELS, 200, seed)))
        found += not np.isnan(latency(TIMES, accuracy(read, LABELS), limit))
    return found


def test_false_alarms_are_as_rare_as_promised():
    assert 2 <= alarms(threshold) <= 20, "one of twenty, however many times there are"


def test_a_threshold_for_each_time_alone_would_alarm_far_too_often():
    """Broken on purpose: the largest accuracy over time is not taken."""
    assert alarms(lambda shuffled: float(np.quantile(shuffled, 0.95))) > 100


def test_decoders_never_see_what_they_are_tested_on():
    """With as many neurons as stimuli a decoder fits anything; held-out stimuli show that it learned nothing."""
    rates = np.random.default_rng(0).standard_normal((N_STIMULI, 1, 400))
    read = predictions(rates[:, 0], {"p": rates}, LABELS)["p"]
    assert accuracy(read, LABELS)[0] < 0.4


# ---------------------------------------------------------------------- its parts
def test_shuffles_keep_groups():
    within = shuffled_labels(FEATURE, 50, 0, within=LABELS)
    assert within.shape == (50, N_STIMULI) and len({row.tobytes() for row in within}) == 50
    for label in range(4):
        assert set(within[:, label == LABELS].sum(axis=1)) == {FEATURE[label == LABELS].sum()}
    free = shuffled_labels(FEATURE, 50, 0)
    assert len(set(free[:, LABELS == 0].sum(axis=1))) > 1


def test_latency_is_the_first_time_above():
    assert latency(TIMES, [0.1, 0.3, 0.2, 0.4], 0.25) == TIMES[1]
    assert latency(TIMES, [0.1, 0.25, 0.2], 0.2) == TIMES[1]
    assert np.isnan(latency(TIMES, [0.1, 0.25], 0.25)), "to exceed is not to equal"


@pytest.mark.parametrize(
    ("latencies", "order"),
    [([1, 2, 5], 1.0), ([9, 4, 3], -1.0), ([np.nan, 8, 3], -1.0), ([1, 3, 2], 1 / 3)],
)
def test_order_of_latencies(latencies, order):
    assert order_of_latencies(np.array(latencies, float)) == pytest.approx(order)


def test_latencies_where_each_kind_is_held_best():
    accuracies = np.zeros((2, 2, 4, 20))
    accuracies[0, 0, 2, -10:], accuracies[0, 1, 1, -10:] = 0.9, 0.8
    accuracies[0, :, 0] = accuracies[0, :, 3] = 1  # held by stimulus or answer: not looked at
    accuracies[0, 0, 1, :10] = 1  # before the end
    latencies = np.arange(16.0).reshape(2, 2, 4)
    its = latency_where_held({"accuracy": accuracies, "latency": latencies}, [1, 2])
    np.testing.assert_array_equal(
        its, [[latencies[0, 0, 2], latencies[0, 1, 1]], [latencies[1, 0, 2], latencies[1, 1, 1]]]
    )


@pytest.mark.parametrize("latencies", [[np.nan, np.nan, 3], [np.nan] * 3, [2, 2, np.nan]])
def test_no_order_without_two_different_latencies(latencies):
    assert np.isnan(order_of_latencies(np.array(latencies, float)))


def test_too_few_stimuli_are_refused():
    with pytest.raises(ParameterError, match=r"at least two classes of at least 5 stimuli each \(got 4 with 2"):
        predictions(np.zeros((8, 3)), {}, np.arange(8) % 4)

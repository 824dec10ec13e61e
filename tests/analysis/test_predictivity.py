"""Predictivity against responses that are made of the rates, reliability against what noise leaves, and V4."""

import numpy as np
import pytest

from cortex_model.analysis.gabor_energies import gabor_energies
from cortex_model.analysis.predictivity import (
    PREDICTIVITY_METRICS,
    correlations,
    predictivity,
    resampled_medians,
    split_half_reliability,
)
from cortex_model.errors import ParameterError

N_STIMULI, N_FEATURES, N_UNITS = 120, 30, 8
GENERATOR = np.random.default_rng(0)
RATES = GENERATOR.normal(2, 3, (N_STIMULI, N_FEATURES))
SIGNAL = GENERATOR.normal(size=(N_UNITS, N_FEATURES)) @ RATES.T


def noisy(n_repeats, deviation, generator=GENERATOR):
    return SIGNAL[..., None] + deviation * SIGNAL.std() * generator.normal(size=(N_UNITS, N_STIMULI, n_repeats))


@pytest.mark.parametrize("metric", PREDICTIVITY_METRICS)
def test_responses_made_of_the_rates_are_predicted(metric):
    assert predictivity(RATES, SIGNAL, metric).min() > 0.99


@pytest.mark.parametrize("metric", PREDICTIVITY_METRICS)
def test_shuffled_stimuli_are_not_predicted(metric):
    """A fit that saw the images that it predicts would do well here too."""
    shuffled = RATES[np.random.default_rng(1).permutation(N_STIMULI)]
    assert abs(np.median(predictivity(shuffled, SIGNAL, metric))) < 0.15


def test_prediction_is_of_images_that_were_not_fitted():
    many = np.random.default_rng(2).normal(size=(60, 400))
    responses = np.random.default_rng(3).normal(size=(5, 60))
    fitted = np.linalg.lstsq(many, responses.T, rcond=None)[0]
    np.testing.assert_allclose(many @ fitted, responses.T, atol=1e-8)
    assert np.abs(predictivity(many, responses)).max() < 0.4


@pytest.mark.parametrize("metric", PREDICTIVITY_METRICS)
def test_rates_of_low_rank_predict_as_well_as_what_they_are_made_of(metric):
    """Reconstructions are: a hundred neurons that hold ten numbers."""
    few = RATES[:, :6]
    many = few @ np.random.default_rng(8).normal(size=(6, 100))
    responses = SIGNAL + SIGNAL.std() * np.random.default_rng(9).normal(size=SIGNAL.shape)
    np.testing.assert_allclose(predictivity(many, responses, metric), predictivity(few, responses, metric), atol=0.1)


def test_same_seed_same_parts():
    one = predictivity(RATES[:, :5], SIGNAL, seed=1)
    np.testing.assert_array_equal(one, predictivity(RATES[:, :5], SIGNAL, seed=1))
    assert not np.array_equal(one, predictivity(RATES[:, :5], SIGNAL, seed=2))


@pytest.mark.parametrize(("n_repeats", "deviation"), [(2, 0.5), (6, 1.0), (9, 1.5)])
def test_reliability_is_the_part_of_variance_that_is_signal(n_repeats, deviation):
    """Spearman-Brown: var(signal) / (var(signal) + var(noise) / n), of the repeats that two equal halves hold."""
    large = np.random.default_rng(4)
    signal = large.normal(size=(20, 4000, 1))
    responses = signal + deviation * large.normal(size=(20, 4000, n_repeats))
    expected = 1 / (1 + deviation**2 / (2 * (n_repeats // 2)))
    found = split_half_reliability(responses, n_halves=10)
    assert found.mean() == pytest.approx(expected, abs=0.01)


def test_missing_repeats_are_left_out():
    responses = noisy(8, 0.8, np.random.default_rng(5))
    padded = np.concatenate([responses, np.full((N_UNITS, N_STIMULI, 3), np.nan)], axis=2)
    order = np.random.default_rng(6).permutation(11)
    found = split_half_reliability(padded[:, :, order]), split_half_reliability(responses)
    np.testing.assert_allclose(*found, atol=0.03)
    zeros = np.where(np.isnan(padded), 0.0, padded)
    assert np.abs(split_half_reliability(zeros) - found[1]).max() > 0.05, "zeros in their place would show"


def test_correction_restores_what_noise_took():
    """r / sqrt(reliability) of noisy responses is near r of the signal."""
    few = RATES[:, :12]
    responses = noisy(6, 1.0, np.random.default_rng(7))
    raw = predictivity(few, responses.mean(axis=2))
    corrected = raw / np.sqrt(split_half_reliability(responses))
    true = predictivity(few, SIGNAL)
    assert abs(np.median(corrected - true)) < 0.05 < np.median(true - raw)


def test_medians_are_resampled_alike_for_all():
    values = np.arange(9.0)
    medians = resampled_medians(values, 500, seed=1)
    np.testing.assert_array_equal(medians + 1, resampled_medians(values + 1, 500, seed=1))
    assert medians.min() < 4 < medians.max() and abs(medians.mean() - 4) < 0.3


def test_correlations_of_what_is_constant_are_zero():
    np.testing.assert_allclose(
        correlations(np.array([[1.0, 2, 4], [3, 3, 3]]), np.array([[2.0, 4, 8], [1, 2, 3]])), (1, 0)
    )


def test_what_is_refused():
    with pytest.raises(ParameterError, match=r"metric: must be one of ridge, pls \(got 'lasso'\)"):
        predictivity(RATES, SIGNAL, "lasso")
    with pytest.raises(ParameterError, match=r"stimuli: must be at least 10 \(got 8\); use RSA"):
        predictivity(RATES[:8], SIGNAL[:, :8])
    with pytest.raises(ParameterError, match=r"must have two repeats of each stimulus \(got 1\)"):
        split_half_reliability(SIGNAL[..., None])


# ---------------------------------------------------------------------- the published files
def test_v4_as_published(recorded):
    recording = recorded("v4")
    assert recording.responses.shape == (50, 640, 10) and recording.has_repeats
    assert (recording.n_repeats.min(), recording.n_repeats.max()) == (6, 10)
    assert np.median(split_half_reliability(recording.responses)) == pytest.approx(0.751, abs=0.01)


@pytest.mark.slow
def test_a_plain_image_baseline_predicts_v4_and_a_shuffled_one_does_not(recorded):
    recording = recorded("v4")
    energies = gabor_energies(recording.images)
    order = np.random.default_rng(0).permutation(len(energies))
    assert np.median(predictivity(energies, recording.mean_responses)) > 0.35
    assert np.median(predictivity(energies[order], recording.mean_responses)) < 0.05

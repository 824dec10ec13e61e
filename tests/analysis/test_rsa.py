"""Likeness of RDMs against what can be worked out by hand, the published numbers, and shuffled stimuli."""

import numpy as np
import pytest
from scipy.stats import kendalltau, rankdata, spearmanr

from cortex_model.analysis.rsa import RSA_METRICS, correlation_rdm, likeness, noise_ceiling
from cortex_model.errors import ParameterError

GENERATOR = np.random.default_rng(0)
N = 20
SIGNAL = GENERATOR.normal(size=(N, 15))
SUBJECTS = np.stack([correlation_rdm(SIGNAL + 0.7 * GENERATOR.normal(size=SIGNAL.shape)) for _ in range(4)])
CANDIDATES = np.stack([correlation_rdm(SIGNAL), correlation_rdm(GENERATOR.normal(size=SIGNAL.shape))])
UPPER = np.triu_indices(N, 1)


def upper(rdms):
    return np.stack([rdm[UPPER] for rdm in rdms])


def test_the_rdm_of_a_population_is_one_less_the_correlation():
    np.testing.assert_allclose(CANDIDATES[0], 1 - np.corrcoef(SIGNAL), atol=1e-12)
    assert (np.diag(CANDIDATES[0]) == 0).all() and np.array_equal(CANDIDATES[0], CANDIDATES[0].T)
    silent = SIGNAL.copy()
    silent[3] = 0.25
    assert np.isnan(correlation_rdm(silent)[3]).all() and np.isfinite(correlation_rdm(silent)[0, 1])


@pytest.mark.parametrize(("metric", "by_hand"), [("spearman", spearmanr), ("kendall_tau_a", kendalltau)])
def test_scores_are_those_of_scipy(metric, by_hand):
    """Without ties tau-a is tau-b."""
    found = likeness(CANDIDATES, SUBJECTS, metric, 2)
    expected = [[by_hand(a, b).statistic for b in upper(SUBJECTS)] for a in upper(CANDIDATES)]
    np.testing.assert_allclose(found.by_subject, expected, atol=1e-12)
    np.testing.assert_allclose(found.scores, np.mean(expected, axis=1), atol=1e-12)


@pytest.mark.parametrize("metric", RSA_METRICS)
def test_the_signal_is_found_and_is_lost_where_stimuli_are_shuffled(metric):
    order = np.random.default_rng(1).permutation(N)
    shuffled = CANDIDATES[0][np.ix_(order, order)]
    good, bad, other = likeness(np.stack([CANDIDATES[0], shuffled, CANDIDATES[1]]), SUBJECTS, metric, 2).scores
    lower, highest = noise_ceiling(SUBJECTS, metric)
    assert lower < highest and good > lower
    assert good > bad + 0.2 and abs(bad - other) < 0.15


def test_a_subject_is_as_like_to_itself_as_can_be():
    for metric in RSA_METRICS:
        np.testing.assert_allclose(np.diag(likeness(SUBJECTS, SUBJECTS, metric, 1).by_subject), 1)


def test_the_ceiling_by_hand():
    ranks = np.stack([rankdata(v) for v in upper(SUBJECTS)])
    lows = [np.corrcoef(ranks[k], np.delete(ranks, k, 0).mean(axis=0))[0, 1] for k in range(4)]
    highs = [np.corrcoef(ranks[k], ranks.mean(axis=0))[0, 1] for k in range(4)]
    np.testing.assert_allclose(noise_ceiling(SUBJECTS), (np.mean(lows), np.mean(highs)), atol=1e-12)
    assert noise_ceiling(SUBJECTS[:1]) is None
    best = likeness(np.concatenate([SUBJECTS.mean(axis=0)[None], CANDIDATES]), SUBJECTS, "spearman", 1).scores
    assert (best <= np.mean(highs) + 1e-12).all()


def test_the_bootstrap_is_repeatable_paired_and_covers_the_score():
    one, same = (likeness(CANDIDATES, SUBJECTS, "spearman", 60, seed=3) for _ in range(2))
    np.testing.assert_array_equal(one.resampled, same.resampled)
    alone = likeness(CANDIDATES[:1], SUBJECTS, "spearman", 60, seed=3)
    np.testing.assert_allclose(alone.resampled[:, 0], one.resampled[:, 0], atol=1e-12)
    assert not np.array_equal(likeness(CANDIDATES, SUBJECTS, "spearman", 60, seed=4).resampled, one.resampled)
    low, high = one.intervals[0]
    assert low < one.scores[0] < high and 0.02 < high - low < 0.6


def test_a_resample_leaves_out_pairs_of_one_stimulus_and_weighs_subjects():
    """By hand: the first resample of a seed."""
    generator = np.random.default_rng(7)
    stimuli, chosen = generator.integers(N, size=N), generator.integers(4, size=4)
    rows, columns = np.triu_indices(N, 1)
    kept = stimuli[rows] != stimuli[columns]
    pairs = stimuli[rows][kept], stimuli[columns][kept]
    expected = np.mean([spearmanr(CANDIDATES[0][pairs], SUBJECTS[k][pairs]).statistic for k in chosen])
    assert likeness(CANDIDATES, SUBJECTS, "spearman", 1, seed=7).resampled[0, 0] == pytest.approx(expected, abs=1e-12)


def test_an_undefined_rdm_has_no_score_and_does_not_touch_the_others():
    broken = CANDIDATES[0].copy()
    broken[3, :] = broken[:, 3] = np.nan
    found = likeness(np.stack([broken, CANDIDATES[0]]), SUBJECTS, "spearman", 3)
    assert np.isnan(found.scores[0]) and found.scores[1] == likeness(CANDIDATES[:1], SUBJECTS, n_resamples=3).scores[0]


def test_what_is_refused():
    with pytest.raises(ParameterError, match=r"metric: must be one of spearman, .* \(got 'pearson'\)"):
        likeness(CANDIDATES, SUBJECTS, "pearson")
    with pytest.raises(ParameterError, match="n_resamples: must be at least 1"):
        likeness(CANDIDATES, SUBJECTS, n_resamples=0)


# ---------------------------------------------------------------------- the published files
def test_noise_ceiling_of_human_it(recorded):
    recording = recorded("human_it")
    assert recording.rdms.shape == (4, 92, 92)
    np.testing.assert_allclose(noise_ceiling(recording.rdms), (0.377, 0.672), atol=0.005)
    np.testing.assert_allclose(noise_ceiling(recorded("judgements").rdms), (0.554, 0.620), atol=0.005)


#: Published RDM -> its likeness to mean human IT and to monkey IT.
MARKS = {"HMAX": (0.222, 0.245), "animacy": (0.588, 0.453), "V1": (0.039, 0.074), "EVA": (0.354, 0.094)}


@pytest.mark.parametrize("model", MARKS)
def test_published_models_against_human_and_monkey_it(model, recorded):
    for name, expected in zip(("human_it_mean", "monkey_it"), MARKS[model], strict=True):
        recording = recorded(name)
        score = likeness(recording.models[model][None], recording.rdms, "spearman", 1).scores[0]
        assert score == pytest.approx(expected, abs=0.005)


def test_human_against_monkey_it(recorded):
    human, monkey = recorded("human_it_mean"), recorded("monkey_it")
    assert likeness(human.rdms, monkey.rdms, "spearman", 1).scores[0] == pytest.approx(0.439, abs=0.005)
    assert human.models["monkey IT"] == pytest.approx(monkey.rdms[0])
    order = np.random.default_rng(0).permutation(92)
    shuffled = human.rdms[:, order][:, :, order]
    assert abs(likeness(shuffled, monkey.rdms, "spearman", 1).scores[0]) < 0.1


def test_sessions_average_to_what_is_published(recorded):
    both, one, two = (recorded(name).rdms for name in ("human_it", "human_it:1", "human_it:2"))
    np.testing.assert_allclose((one + two) / 2, both, atol=1e-6)
    same = likeness(both.mean(axis=0)[None], recorded("human_it_mean").rdms, "spearman", 1).scores[0]
    assert same == pytest.approx(1, abs=1e-3)
    within = np.diag(likeness(one, two, "spearman", 1).by_subject)
    np.testing.assert_allclose(within, (0.277, 0.095, 0.382, 0.120), atol=0.005)

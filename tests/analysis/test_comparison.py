"""A hierarchy beside a recording: which rows there are, what they hold, and that seeds decide everything."""

import dataclasses
import json

import numpy as np
import pytest

from cortex_model import datasets
from cortex_model.analysis.comparison import METRICS, compare, default_metric, prefix_of
from cortex_model.analysis.rsa import correlation_rdm
from cortex_model.analysis.shown_images import population_rates, prepared
from cortex_model.datasets import RDMRecording, ResponseRecording
from cortex_model.errors import ParameterError
from cortex_model.protocol import load_protocol
from cortex_model.weights import initial_weights

P = load_protocol("wake_sleep_classification").parameters().with_overrides({"layer_sizes": (64, 12, 8, 10)})
WEIGHTS, START = initial_weights(P, 5), initial_weights(P, 0)
RDMS, RESPONSES = (datasets.load_recording(f"synthetic_{kind}") for kind in ("rdms", "responses"))


def compared(recording, metric, **more):
    return compare(WEIGHTS, START, P, recording, metric, **({"n_resamples": 20} | more))


def test_rows_of_a_comparison_of_rdms():
    comparison = compared(RDMS, "spearman")
    assert [row.name for row in comparison.rows] == [
        "population 1", "population 2", "population 3", "reconstruction of population 1",
        "reconstruction of population 2", "untrained, population 1", "untrained, population 2",
        "untrained, population 3", "pixels (the input)", "Gabor energies",
    ]  # fmt: skip
    low, high = comparison.noise_ceiling
    assert 0 < low < high <= 1
    for row in comparison.rows:
        assert row.values.shape == (3,) and row.resampled.shape == (20,)
        assert row.score == pytest.approx(row.values.mean())
        assert row.interval == pytest.approx(tuple(np.quantile(row.resampled, (0.025, 0.975))))


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_rows_that_a_uniform_image_leaves_undefined_are_named():
    """Pixels and Gabor filters answer it alike everywhere: their rows have no score, and the note says why."""
    images = [np.full_like(RDMS.images[0], 200), *RDMS.images[1:]]
    comparison = compared(dataclasses.replace(RDMS, images=images), "spearman")
    first = RDMS.stimulus_names[0]
    (note,) = [note for note in comparison.notes if note.startswith("Undefined")]
    assert note == f"Undefined, because all units answer {first} alike: pixels (the input); Gabor energies."
    assert [row.name for row in comparison.rows if np.isnan(row.score)] == ["pixels (the input)", "Gabor energies"]
    assert f"Images of one grey level or colour: {first}." in comparison.notes


def test_a_row_is_the_population_that_it_names():
    stimuli, _ = prepared(RDMS.images, P)
    rates = population_rates(WEIGHTS, P, stimuli)
    comparison = compared(RDMS, "spearman")
    np.testing.assert_allclose(comparison.row("population 2").rdm, correlation_rdm(rates[2]))
    np.testing.assert_allclose(comparison.row("pixels (the input)").rdm, correlation_rdm(stimuli))
    untrained = population_rates(START, P, stimuli)
    np.testing.assert_allclose(comparison.row("untrained, population 3").rdm, correlation_rdm(untrained[3]))
    assert comparison.row("untrained, population 3").score != comparison.row("population 3").score


def test_a_hierarchy_beside_its_own_rdm_is_alike():
    stimuli, _ = prepared(RDMS.images, P)
    own = correlation_rdm(population_rates(WEIGHTS, P, stimuli)[1])[None]
    recording = RDMRecording("own", RDMS.images, RDMS.stimulus_names, ("it",), own, {"itself": own[0]})
    comparison = compared(recording, "spearman")
    assert comparison.noise_ceiling is None and comparison.as_json()["noise_ceiling"] == [None, None]
    assert comparison.row("population 1").score == pytest.approx(1)
    assert comparison.row("itself").kind == "published" and comparison.row("itself").score == pytest.approx(1)
    assert comparison.row("population 2").score < 0.999


def test_images_in_another_order_lose_the_score():
    stimuli, _ = prepared(RDMS.images, P)
    own = correlation_rdm(population_rates(WEIGHTS, P, stimuli)[1])[None]
    order = np.random.default_rng(0).permutation(RDMS.n_stimuli)
    moved = [RDMS.images[k] for k in order]
    comparison = compared(RDMRecording("own", moved, RDMS.stimulus_names, ("it",), own), "spearman")
    assert abs(comparison.row("population 1").score) < 0.3


def test_units_made_of_a_population_are_predicted_from_it():
    stimuli, _ = prepared(RDMS.images, P)
    rates = population_rates(WEIGHTS, P, stimuli)[2]
    generator = np.random.default_rng(1)
    signal = (rates @ generator.normal(size=(8, 5))).T
    responses = signal[..., None] + 0.3 * signal.std() * generator.normal(size=(5, RDMS.n_stimuli, 6))
    recording = ResponseRecording("own", RDMS.images, RDMS.stimulus_names, tuple("abcde"), responses)
    comparison = compared(recording, "ridge")
    best = comparison.row("population 2")
    others = [row.score for row in comparison.rows if row.kind in ("untrained", "baseline", "shuffled")]
    assert best.score > 0.95 and max(others) < best.score - 0.1, "other weights and the images tell less"
    assert comparison.noise_ceiling == (1.0, 1.0) and comparison.reliability.shape == (5,)
    assert comparison.uncorrected(best) < best.score
    shuffled = [row.score for row in comparison.rows if row.kind == "shuffled"]
    assert len(shuffled) == 5 and max(np.abs(shuffled)) < 0.4


def test_without_repeats_nothing_is_corrected():
    once = ResponseRecording("once", RDMS.images, RDMS.stimulus_names, RESPONSES.units, RESPONSES.responses[:, :, :1])
    comparison = compared(once, "ridge")
    assert comparison.noise_ceiling is None and comparison.reliability is None
    assert "uncorrected" not in comparison.as_json()["rows"][0]
    assert any("not corrected" in note for note in comparison.notes)


@pytest.mark.parametrize("metric", METRICS)
def test_same_seed_same_numbers_as_json(metric):
    one, same = (compared(RESPONSES, metric, n_resamples=3, seed=2).as_json() for _ in range(2))
    assert json.dumps(one) == json.dumps(same)
    assert list(one) == ["recording", "metric", "noise_ceiling", "rows", "notes"]
    assert all(set(row) >= {"name", "score", "interval"} for row in one["rows"])
    assert compared(RESPONSES, metric, n_resamples=3, seed=3).as_json() != one


def test_arrays_of_a_run_directory_are_those_of_the_comparison():
    comparison = compared(RDMS, "spearman")
    arrays = comparison.as_arrays("mine")
    assert list(arrays["mine_row_name"][1]) == [row.name for row in comparison.rows]
    np.testing.assert_array_equal(arrays["mine_score"][1], [row.score for row in comparison.rows])
    assert arrays["mine_rdm"][1].shape == (10, 40, 40)
    assert comparison.in_short("mine")["mine_population"] == [round(row.score, 6) for row in comparison.rows[:3]]


def test_what_is_refused():
    with pytest.raises(ParameterError, match=r"--metric: must be one of spearman, kendall_tau_a, .* \(got 'rho'\)"):
        compared(RDMS, "rho")
    with pytest.raises(ParameterError, match=r"for a recording of RDMs \(got 'ridge', which needs responses\)"):
        compared(RDMS, "ridge")
    assert (default_metric(RDMS), default_metric(RESPONSES)) == ("spearman", "ridge")


def test_a_recording_without_any_reliable_unit_is_refused():
    halves = np.random.default_rng(0).normal(size=(2, RDMS.n_stimuli, 1))
    unreliable = np.concatenate([halves, 0.001 - halves], axis=2)
    recording = ResponseRecording("noise", RDMS.images, RDMS.stimulus_names, ("a", "b"), unreliable + 1e-3 * halves)
    with pytest.raises(ParameterError, match=r"noise.responses: must be reliable in at least one unit"):
        compared(recording, "ridge")


def test_names_begin_names_of_arrays():
    named = ResponseRecording("v4:1-a", RDMS.images, RDMS.stimulus_names, RESPONSES.units, RESPONSES.responses)
    assert prefix_of(named) == "v4_1_a"

"""Digits, learned in wake and sleep: information climbs in perception, descends in recall, and needs the learned V."""

import json

import numpy as np
import pytest

from cortex_model.analysis.decoding import INFORMATION, order_of_latencies
from cortex_model.errors import ParameterError
from cortex_model.protocol import protocol_folder
from cortex_model.runs.directory import RunDirectory
from cortex_model.system.arrays import read_arrays
from cortex_model.system.sources import load_module

NAME = "perception_and_recall"
MODULE = load_module(protocol_folder() / f"{NAME}.py")


@pytest.fixture
def run(tiny_summary):
    """A small hierarchy that has learned the digits; all tests share it."""
    return RunDirectory(tiny_summary(NAME)["run_dir"])


def decoding(run):
    return read_arrays(run.path / MODULE.DECODING)


# ---------------------------------------------------------------------- what is claimed
@pytest.mark.slow
def test_category_climbs_in_perception_and_descends_in_recall(run):
    summary = run.summary()
    assert summary["final_test_error_percent"] < 15
    assert summary["order_perception_category"] == 1
    assert summary["order_recall_category"] < 0
    assert summary["order_perception_low_level"] == 1


def test_shuffled_feedback_recalls_nothing(run):
    """Broken on purpose: the same values of V in another order. One false alarm in twenty is allowed for."""
    decoded, at = decoding(run), MODULE.CONDITIONS.index("recall_with_shuffled_feedback")
    latencies = decoded["latency_ms"].values[at, 0, :-1]
    assert np.isnan(latencies).sum() >= len(latencies) - 1
    assert np.isnan(order_of_latencies(latencies))
    learned = decoded["latency_ms"].values[at - 1, 0, :-1]
    assert (~np.isnan(learned)).sum() >= 2


def test_sleep_improves_reconstruction(run):
    images, after = read_arrays(run.path / MODULE.IMAGES), run.measures()["reconstruction_error"].values[-1]
    assert (after < images["reconstruction_error_before"].values).all()
    assert (after < 1).all() and (images["reconstruction_error_before"].values > 1).all()


# ---------------------------------------------------------------------- what is kept
def test_run_keeps_what_it_decoded(run):
    summary, decoded = run.summary(), decoding(run)
    json.dumps(summary, allow_nan=False)
    assert decoded["accuracy"].shape == (3, 2, 3, 40)
    assert decoded.attrs["conditions"].split(", ") == list(MODULE.CONDITIONS)
    assert ((decoded["accuracy"] >= 0) & (decoded["accuracy"] <= 1)).all()
    for row, condition in enumerate(MODULE.CONDITIONS):
        for column, information in enumerate(INFORMATION):
            told = [np.nan if v is None else v for v in summary[f"latency_{condition}_{information}_ms"]]
            np.testing.assert_array_equal(told, decoded["latency_ms"].values[row, column])
            its, limit = decoded["accuracy"].values[row, column], decoded["threshold"].values[row, column]
            for population, latency in enumerate(told):
                above = its[population] > limit[population]
                assert above.any() != np.isnan(latency)
                if above.any():
                    assert decoded["time_ms"].values[above.argmax()] == latency


def test_run_keeps_images(run):
    images = read_arrays(run.path / MODULE.IMAGES)
    assert images["stimulus"].shape == (10, 64)
    assert images["before"].shape == images["after"].shape == (2, 10, 64)
    assert not np.allclose(images["before"], images["after"])


def test_held_populations_are_held(run):
    """At once there is what is given: the image in perception, the answer in recall."""
    decoded = decoding(run)["accuracy"].values
    recall = MODULE.CONDITIONS.index("recall")
    assert decoded[0, 0, 0, 0] > 0.5
    assert decoded[0, 0, -1, 0] < 0.3 and decoded[recall, 0, 0, 0] < 0.3


# ---------------------------------------------------------------------- targets, mistakes
def test_targets_with_features_say_class_and_halves():
    from cortex_model import datasets

    images = datasets.load("digits").test
    its = MODULE.targets(images, 10, "class_and_features")
    assert its.shape == (360, 16)
    np.testing.assert_array_equal(its[:, :10], MODULE.targets(images, 10, "class"))
    for first in (10, 12, 14):
        assert set(its[:, first : first + 2].sum(axis=1)) == {1}
        assert its[:, first].mean() == pytest.approx(0.5, abs=0.03)


def test_sizes_must_fit_the_targets(made):
    with pytest.raises(ParameterError, match=r"end with 16 targets .* set layer_sizes=64,8,10,16"):
        made(NAME, layer_sizes="64,8,10")


def test_spikes_are_refused_at_once(made):
    """Before, such a run learned in spikes and was then measured, and recalled, by the theory of rates."""
    sentence = r"^Parameters\.dynamics: must be settled or leaky .*\(got spiking\).*; trace a run .*traces\.perception"
    with pytest.raises(ParameterError, match=sentence):
        made(NAME, dynamics="spiking", batch_size=1)

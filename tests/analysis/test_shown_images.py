"""Images as a hierarchy sees them: the same as in training, the rates those of the simulator."""

import numpy as np
import pytest

from cortex_model import datasets
from cortex_model.analysis.gabor_energies import N_ORIENTATIONS, N_PLACES, SIDE, WAVELENGTHS, gabor_energies
from cortex_model.analysis.shown_images import population_rates, prepared, reconstructions, resized
from cortex_model.errors import RunError
from cortex_model.parameters import SleepWakeParameters
from cortex_model.protocol import load_protocol
from cortex_model.runs.directory import RunDirectory
from cortex_model.runs.running import start
from cortex_model.weights import initial_weights

DIGITS = load_protocol("wake_sleep_classification").parameters()
GENERATOR = np.random.default_rng(0)


def test_resizing_averages_areas():
    image = GENERATOR.integers(0, 256, (8, 12, 3), dtype=np.uint8)
    expected = image.astype(float).reshape(4, 2, 4, 3, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(resized([image], 4, 4, is_coloured=True)[0], expected, atol=1e-3)
    assert resized([image, image[:3, :5]], 4, 6, is_coloured=True).shape == (2, 4, 6, 3)


def test_grey_is_luminance_and_grey_images_have_three_equal_planes():
    image = GENERATOR.integers(0, 256, (4, 4, 3), dtype=np.uint8)
    grey = resized([image], 4, 4, is_coloured=False)[0]
    np.testing.assert_allclose(grey, image @ np.array([0.299, 0.587, 0.114]), atol=1e-3)
    coloured = resized([image[..., 0]], 4, 4, is_coloured=True)[0]
    np.testing.assert_array_equal(coloured, np.repeat(image[..., :1], 3, axis=2))


@pytest.mark.parametrize("scaling", ["unit", "signed", "standardised"])
def test_images_of_the_dataset_become_its_stimuli(scaling):
    """Digits have values up to 16: shown as ordinary images up to 255 they are the stimuli of training again."""
    data = datasets.load("digits")
    p = DIGITS.with_overrides({"stimulus_scaling": scaling})
    images = [np.rint(image * (255 / 16)).astype(np.uint8) for image in data.test.images[:20]]
    stimuli, sentence = prepared(images, p)
    expected = data.stimuli(scaling)[1][:20]
    assert np.abs(stimuli - expected).max() <= 0.04 * np.ptp(expected) / 16 * 1.01
    assert "resized to 8 x 8 in grey" in sentence and f"digits ({scaling}" in sentence


def test_planes_are_in_the_order_of_cifar(monkeypatch):
    """Red, green and blue one after another, as in `ImageSet.pixels`."""
    p = DIGITS.with_overrides({"dataset": "cifar10", "stimulus_scaling": "unit", "layer_sizes": (3072, 5, 10)})
    images = GENERATOR.integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    stimuli, _ = prepared(list(images), p)
    expected = datasets.ImageSet(images, np.zeros(3, np.int32), 255).pixels / 255
    np.testing.assert_allclose(stimuli, expected, atol=1e-6)


def test_a_run_without_images_is_refused():
    with pytest.raises(RunError, match=r"RUN_DIR: must be a run that learned from .* \(got one of SleepWakeParam"):
        prepared([np.zeros((4, 4), np.uint8)], SleepWakeParameters())


def test_rates_are_those_of_the_simulator(tmp_path):
    """The error that the simulator measured at the end of a run is that of the rates that the theory gives."""
    protocol = load_protocol("wake_sleep_classification")
    p = protocol.parameters().with_overrides(protocol.tiny | {"dtype": "float64"})
    directory = RunDirectory(start(protocol.name, p, 0, "runtime", tmp_path)["run_dir"])
    data, weights = datasets.load("digits"), directory.weights()
    top = population_rates(weights, p, data.stimuli(p.stimulus_scaling)[1])[p.n_layers]
    error = 100 * np.mean(top.argmax(axis=1) != data.test.labels)
    assert error == pytest.approx(directory.summary()["final_test_error_percent"], abs=1e-3)
    np.testing.assert_allclose(top.sum(axis=1), 1)


def test_reconstructions_are_what_feedback_makes_of_the_drive():
    p = DIGITS.with_overrides({"layer_sizes": (64, 6, 5, 10)})
    start = p.with_overrides({"learning_rule": "exact_pseudoinverse"})
    weights, stimuli = initial_weights(start, 0), GENERATOR.normal(size=(7, 64))
    rates, found = population_rates(weights, p, stimuli), reconstructions(weights, p, stimuli)
    assert list(found) == [1, 2] and found[1].shape == rates[1].shape
    w = weights.astype(float)
    projected = (w.feedback[2] @ w.forward[2] @ rates[1].T).T
    np.testing.assert_allclose(found[1], projected, atol=1e-6)
    with_input = p.with_overrides({"feedback_to_input": True})
    assert list(reconstructions(initial_weights(with_input, 0), with_input, stimuli)) == [0, 1, 2]
    from_top = p.with_overrides({"learning_rule": "direct_feedback"})
    assert reconstructions(initial_weights(from_top, 0), from_top, stimuli) == {}


# ---------------------------------------------------------------------- Gabor energies
def grating(orientation, wavelength):
    y, x = np.mgrid[:SIDE, :SIDE]
    angle = np.pi * orientation / N_ORIENTATIONS
    wave = np.cos(2 * np.pi * (x * np.cos(angle) + y * np.sin(angle)) / wavelength)
    return np.rint(128 + 100 * wave).astype(np.uint8)


@pytest.mark.parametrize("orientation", range(N_ORIENTATIONS))
@pytest.mark.parametrize("wavelength", WAVELENGTHS[:3])
def test_a_grating_drives_the_filter_of_its_orientation_and_wavelength(orientation, wavelength):
    energies = gabor_energies([grating(orientation, wavelength)])
    by_filter = energies.reshape(len(WAVELENGTHS), N_ORIENTATIONS, N_PLACES**2).mean(axis=2)
    best = np.unravel_index(by_filter.argmax(), by_filter.shape)
    assert best == (WAVELENGTHS.index(wavelength), orientation)


def test_energies_do_not_see_the_phase_of_a_grating():
    image = grating(0, 8)
    one, other = gabor_energies([image, np.roll(image, 2, axis=1)])
    assert np.corrcoef(one, other)[0, 1] > 0.99


def test_energies_are_local():
    image = np.full((SIDE, SIDE), 128, np.uint8)
    image[:16, :16] = grating(2, 4)[:16, :16]
    by_place = gabor_energies([image]).reshape(len(WAVELENGTHS), N_ORIENTATIONS, N_PLACES, N_PLACES)[0, 2]
    assert by_place[:2, :2].min() > 10 * by_place[4:, 4:].max()


def test_a_run_that_learned_from_no_dataset_has_no_images():
    """Also where its parameters have data of another kind, such as sequences."""
    p = load_protocol("hippocampal_replay").parameters()
    with pytest.raises(RunError, match="images"):
        prepared(np.zeros((2, 8, 8)), p)

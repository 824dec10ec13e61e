"""Small made-up datasets and recordings for tests and first looks, without any file."""

from __future__ import annotations

import numpy as np

from cortex_model.datasets.images import Dataset, ImageSet
from cortex_model.datasets.recordings import RDMRecording, ResponseRecording
from cortex_model.errors import ParameterError

MAX_VALUE = 255
CENTRE_DEVIATION = 40.0
NOISE_DEVIATION = 25.0


def synthetic_classes(n_inputs: int, n_classes: int, n_train: int, n_test: int, seed: int) -> Dataset:
    """Draw a dataset of Gaussian clusters, one cluster for each class.

    x = clip(round(c_k + n), 0, 255), c_k ~ N(127.5, 40^2), n ~ N(0, 25^2)

    where

    - x are the pixel values of an image of class k,
    - c_k is the centre of the class, drawn once, every pixel by itself,
    - n is the noise of the image, every pixel by itself.

    Two centres lie about 57 sqrt(n_inputs) apart, noise along the line between them has deviation 25: with
    ten inputs or more the classes hardly overlap.

    Parameters
    ----------
    n_inputs : int
        Pixels of an image; the images are one pixel high.
    n_classes : int
        Number of classes; each occurs equally often, up to one image.
    n_train, n_test : int
        Number of training and of test images.
    seed : int
        The same seed gives the same dataset.

    Returns
    -------
    Dataset
        Named ``"synthetic"``; images of shape (n, 1, n_inputs), uint8.

    Raises
    ------
    ParameterError
        If a count is not positive or the seed is negative.
    """
    counts = {"n_inputs": n_inputs, "n_classes": n_classes, "n_train": n_train, "n_test": n_test}
    for name, count in counts.items():
        if count < 1:
            raise ParameterError(f"synthetic_classes.{name}: must be at least 1 (got {count}); choose more.")
    if seed < 0:
        raise ParameterError(f"synthetic_classes.seed: must not be negative (got {seed}); choose 0 or more.")
    generator = np.random.default_rng(seed)
    centres = generator.normal(MAX_VALUE / 2, CENTRE_DEVIATION, (n_classes, n_inputs))

    def draw(n_stimuli: int) -> ImageSet:
        labels = generator.permutation(np.arange(n_stimuli, dtype=np.int32) % n_classes)
        values = generator.normal(centres[labels], NOISE_DEVIATION)
        images = np.clip(np.rint(values), 0, MAX_VALUE).astype(np.uint8)
        return ImageSet(images.reshape(n_stimuli, 1, n_inputs), labels, MAX_VALUE)

    class_names = tuple(f"class {k}" for k in range(n_classes))
    return Dataset("synthetic", draw(n_train), draw(n_test), n_classes, class_names)


N_STIMULI, N_UNITS, N_REPEATS, SIDE = 40, 12, 6, 16
SYNTHETIC_NOTE = "The recording is made up; it says nothing about a brain."


def synthetic_responses(_: str = "") -> ResponseRecording:
    """Units that respond to random images by a random linear map of their pixels, with noise from repeat to repeat."""
    generator, images = _images()
    pixels = np.stack(images).reshape(N_STIMULI, -1) / MAX_VALUE
    signal = generator.normal(size=(N_UNITS, pixels.shape[1])) @ (pixels - pixels.mean(axis=0)).T
    noise = signal.std() * generator.normal(size=(*signal.shape, N_REPEATS))
    units = tuple(f"unit {k + 1}" for k in range(N_UNITS))
    return ResponseRecording(
        "synthetic_responses", images, _stimulus_names(), units, signal[..., None] + noise, (SYNTHETIC_NOTE,)
    )


def synthetic_rdms(_: str = "") -> RDMRecording:
    """Three subjects, each with the RDM (1 - r) of the units of `synthetic_responses` in two repeats of its own."""
    recording = synthetic_responses()
    means = [recording.responses[:, :, [2 * k, 2 * k + 1]].mean(axis=2).T for k in range(N_REPEATS // 2)]
    rdms = np.stack([1 - np.corrcoef(mean) for mean in means])
    rdms = (rdms + rdms.transpose(0, 2, 1)) / 2
    for rdm in rdms:
        np.fill_diagonal(rdm, 0.0)
    subjects = tuple(f"subject {k + 1}" for k in range(len(rdms)))
    names = recording.stimulus_names
    return RDMRecording("synthetic_rdms", recording.images, names, subjects, rdms, {}, (SYNTHETIC_NOTE,))


def _images() -> tuple[np.random.Generator, list[np.ndarray]]:
    """Coloured noise, each image with a brightness of its own, and the generator that goes on."""
    generator = np.random.default_rng(0)
    brightness = generator.uniform(60, 190, (N_STIMULI, 1, 1, 3))
    values = brightness + generator.normal(0, 30, (N_STIMULI, SIDE, SIDE, 3))
    return generator, list(np.clip(values, 0, MAX_VALUE).astype(np.uint8))


def _stimulus_names() -> tuple[str, ...]:
    return tuple(f"stimulus {k + 1:02d}" for k in range(N_STIMULI))

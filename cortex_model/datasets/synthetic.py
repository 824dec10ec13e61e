"""A small made-up dataset for tests and examples, without any file."""

from __future__ import annotations

import numpy as np

from cortex_model.datasets.images import Dataset, ImageSet
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

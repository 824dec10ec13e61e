"""Labelled images, and how their pixels become stimuli: plain values, no files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cortex_model.datasets.user_files import must_hold
from cortex_model.errors import ParameterError


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Images, or other stimuli, and their labels or target rates.

    Parameters
    ----------
    images : ndarray
        Images of uint8, shape (n_stimuli, height, width) or (n_stimuli, height, width, channels), or stimuli of one's
        own, float64 of shape (n_stimuli, n_elements); values ``min_value`` ... ``max_value``.
    labels : ndarray of int32, shape (n_stimuli,)
        The class of each image, 0 ... n_classes - 1; zeros where there are target rates.
    max_value : float
        The largest pixel value that can occur (16 for scikit-learn's digits, else 255).
    min_value : float
        The smallest.
    targets : ndarray, shape (n_stimuli, n_targets), optional
        Target rates, where there are no classes.
    """

    images: np.ndarray
    labels: np.ndarray
    max_value: float
    min_value: float = 0
    targets: np.ndarray | None = None

    @property
    def n_stimuli(self) -> int:
        """Number of images."""
        return len(self.images)

    @property
    def n_pixels(self) -> int:
        """Number of pixel values of one image, all colours together."""
        return int(np.prod(self.images.shape[1:]))

    @property
    def pixels(self) -> np.ndarray:
        """The pixel values as rows, shape (n_stimuli, n_pixels).

        Row by row from the top; of a colour image the planes one after another (red, green, blue), which is
        the order of the CIFAR files.
        """
        planes = np.moveaxis(self.images, -1, 1) if self.images.ndim == 4 else self.images
        return planes.reshape(self.n_stimuli, self.n_pixels)

    def subset(self, indices: np.ndarray) -> ImageSet:
        """Return the images with these indices, in this order.

        Parameters
        ----------
        indices : array of int, shape (n,), or of bool, shape (n_stimuli,)
            Which images; one may occur several times.

        Raises
        ------
        ParameterError
            If the indices do not fit.
        """
        chosen = np.asarray(indices)
        try:
            if chosen.ndim == 1:
                targets = None if self.targets is None else self.targets[chosen]
                return ImageSet(self.images[chosen], self.labels[chosen], self.max_value, self.min_value, targets)
            got = f"shape {chosen.shape}"
        except IndexError as error:
            got = str(error)
        raise ParameterError(
            f"ImageSet.subset.indices: must be one row of integers below {self.n_stimuli} or of "
            f"{self.n_stimuli} booleans (got {got}); leave out what is not there."
        )


Numbers = tuple[float | np.ndarray, float | np.ndarray]


def _mean_and_deviation(pixels: np.ndarray, low: float, high: float) -> Numbers:
    """One mean and one standard deviation over all values; of images from exact integer sums, in little memory."""
    if pixels.dtype != np.uint8:
        return float(pixels.mean()), float(pixels.std())
    mean = pixels.sum(dtype=np.uint64) / pixels.size
    mean_square = np.square(pixels, dtype=np.uint16).sum(dtype=np.uint64) / pixels.size
    return float(mean), float(np.sqrt(mean_square - mean**2))


def _each_mean_and_deviation(pixels: np.ndarray, low: float, high: float) -> Numbers:
    """Mean and standard deviation of each element; 1 for elements that do not vary."""
    mean, deviation = pixels.mean(axis=0, dtype=float), pixels.std(axis=0, dtype=float)
    return mean, np.where(deviation > 0, deviation, 1.0)


SCALINGS: dict[str, Callable[[np.ndarray, float, float], Numbers]] = {
    "unit": lambda _, low, high: (low, float(high - low)),
    "signed": lambda _, low, high: ((low + high) / 2, (high - low) / 2),
    "standardised": _mean_and_deviation,
    "standardised_each": _each_mean_and_deviation,
    "none": lambda _, low, high: (0.0, 1.0),
}
"""Scalings by name: a function of (training pixels, lowest and highest value) that returns (offset, divisor).

A stimulus is s = (x - offset) / divisor, where x are the pixel values: ``unit`` lies in [0, 1], ``signed`` in
[-1, 1], ``standardised`` has mean 0 and deviation 1 over all values of all training images together,
``standardised_each`` for each pixel alone, and ``none`` takes them as they are.
"""


@dataclass(frozen=True, eq=False)
class Dataset:
    """A training and a test set of the same classes.

    Parameters
    ----------
    name : str
        The name in `DATASETS`, or ``"synthetic"``.
    train, test : ImageSet
        The images to learn from, and the images to be tested on.
    n_classes : int
        Number of classes.
    class_names : tuple of str
        Their names, in the order of the labels; none where there are target rates.
    notes : tuple of str
        What was guessed of data of one's own.
    """

    name: str
    train: ImageSet
    test: ImageSet
    n_classes: int
    class_names: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def targets(self) -> tuple[np.ndarray, np.ndarray]:
        """Target rates for training and test: of classes 1 for the stimulus's own and 0 for the others."""
        parts = self.train, self.test
        must_hold(8.0 * self.n_classes * sum(part.n_stimuli for part in parts), f"targets of {self.name}")
        code = np.eye(self.n_classes, dtype=bool)
        return tuple(code[part.labels].astype(float) if self.n_classes else part.targets for part in parts)

    def stimuli(self, scaling: str, dtype: str = "float64") -> tuple[np.ndarray, np.ndarray]:
        """Scale the images into stimuli, s = (x - offset) / divisor.

        Offset and divisor come from `SCALINGS` and the training images only; the test images are scaled
        with the same two numbers.

        Parameters
        ----------
        scaling : str
            A key of `SCALINGS`.
        dtype : str
            ``"float64"`` or ``"float32"``.

        Returns
        -------
        train_stimuli, test_stimuli : ndarray, shapes (n_train, n_pixels) and (n_test, n_pixels)
            Dimensionless; the pixels in the order of `ImageSet.pixels`.

        Raises
        ------
        ParameterError
            If there is no such scaling or floating-point type, or if all training pixels are equal and
            ``"standardised"`` is asked for.
        """
        if scaling not in SCALINGS:
            raise ParameterError(
                f"Dataset.stimuli.scaling: must be one of {', '.join(SCALINGS)} (got {scaling!r}); choose one of these."
            )
        if str(dtype) not in ("float64", "float32"):
            raise ParameterError(
                f"Dataset.stimuli.dtype: must be 'float64' or 'float32' (got {dtype!r}); choose one of these."
            )
        n_numbers = self.train.n_pixels * (self.train.n_stimuli + self.test.n_stimuli)
        must_hold(2.0 * n_numbers * np.dtype(dtype).itemsize, f"stimuli of {self.name}")  # scaled, and handed over
        offset, divisor = SCALINGS[scaling](self.train.pixels, self.train.min_value, self.train.max_value)
        if np.any(divisor == 0):
            raise ParameterError(
                f"Dataset.stimuli.scaling: {scaling!r} must have training pixels that differ (got {offset:g} "
                "everywhere); choose 'unit' or 'signed'."
            )
        return tuple(_scaled(images.pixels, offset, divisor, dtype) for images in (self.train, self.test))


def _scaled(pixels: np.ndarray, offset: float | np.ndarray, divisor: float | np.ndarray, dtype: str) -> np.ndarray:
    stimuli = pixels.astype(dtype)
    stimuli -= offset
    stimuli /= divisor
    return stimuli

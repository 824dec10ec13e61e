"""Labelled images, and how their pixels become stimuli: plain values, no files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cortex_model.errors import ParameterError


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Images and their labels.

    Parameters
    ----------
    images : ndarray of uint8, shape (n_stimuli, height, width) or (n_stimuli, height, width, channels)
        Pixel values, 0 ... ``max_value``.
    labels : ndarray of int32, shape (n_stimuli,)
        The class of each image, 0 ... n_classes - 1.
    max_value : int
        The largest pixel value that can occur (16 for scikit-learn's digits, else 255).
    """

    images: np.ndarray
    labels: np.ndarray
    max_value: int

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
        """The pixel values as rows, uint8, shape (n_stimuli, n_pixels).

        Row by row from the top; of a colour image the planes one after another (red, green, blue), which is
        the order of the CIFAR files.
        """
        planes = self.images if self.images.ndim == 3 else np.moveaxis(self.images, -1, 1)
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
                return ImageSet(self.images[chosen], self.labels[chosen], self.max_value)
            got = f"shape {chosen.shape}"
        except IndexError as error:
            got = str(error)
        raise ParameterError(
            f"ImageSet.subset.indices: must be one row of integers below {self.n_stimuli} or of "
            f"{self.n_stimuli} booleans (got {got}); leave out what is not there."
        )


def _mean_and_deviation(pixels: np.ndarray, _: int) -> tuple[float, float]:
    """One mean and one standard deviation over all values, from exact integer sums, in little memory."""
    mean = pixels.sum(dtype=np.uint64) / pixels.size
    mean_square = np.square(pixels, dtype=np.uint16).sum(dtype=np.uint64) / pixels.size
    return float(mean), float(np.sqrt(mean_square - mean**2))


SCALINGS: dict[str, Callable[[np.ndarray, int], tuple[float, float]]] = {
    "unit": lambda _, max_value: (0.0, float(max_value)),
    "signed": lambda _, max_value: (max_value / 2, max_value / 2),
    "standardised": _mean_and_deviation,
}
"""Scalings by name: a function of (training pixels, max_value) that returns (offset, divisor).

A stimulus is s = (x - offset) / divisor, where x are the pixel values: ``unit`` lies in [0, 1], ``signed`` in
[-1, 1], and ``standardised`` has mean 0 and deviation 1 over all values of all training images together.
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
        Their names, in the order of the labels.
    """

    name: str
    train: ImageSet
    test: ImageSet
    n_classes: int
    class_names: tuple[str, ...]

    def stimuli(self, scaling: str, dtype: str = "float64") -> tuple[np.ndarray, np.ndarray]:
        """Scale the images into stimuli, s = (x - offset) / divisor.

        Offset and divisor come from `SCALINGS` and the training images only; the test images are scaled
        with the same two numbers.

        Parameters
        ----------
        scaling : str
            A key of `SCALINGS`: ``"unit"``, ``"signed"`` or ``"standardised"``.
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
        offset, divisor = SCALINGS[scaling](self.train.pixels, self.train.max_value)
        if divisor == 0:
            raise ParameterError(
                f"Dataset.stimuli.scaling: {scaling!r} must have training pixels that differ (got {offset:g} "
                "everywhere); choose 'unit' or 'signed'."
            )
        return tuple(_scaled(images.pixels, offset, divisor, dtype) for images in (self.train, self.test))


def _scaled(pixels: np.ndarray, offset: float, divisor: float, dtype: str) -> np.ndarray:
    stimuli = pixels.astype(dtype)
    stimuli -= offset
    stimuli /= divisor
    return stimuli

"""Low-level features of images of single shapes, and stimuli labelled by them within each class."""

import numpy as np

from cortex_model.errors import ParameterError


def low_level_features(images: np.ndarray) -> dict[str, np.ndarray]:
    """Features that say how a shape is drawn, and not what it is; moments are those of its ink.

        ink        mean pixel value: how thick the stroke is
        slant      -mu_xy / mu_yy: how far it leans to the right for each step up
        width      sqrt(mu_xx / mu_yy): how wide it is for its height

    where mu are central second moments, x to the right and y downwards.

    Parameters
    ----------
    images : ndarray, shape (n_stimuli, height, width)
        Ink is light: larger is more.

    Returns
    -------
    features : dict of ndarray, shape (n_stimuli,)

    Raises
    ------
    ParameterError
        If images have colours, or one has no ink.
    """
    if images.ndim != 3:
        raise ParameterError(
            f"low_level_features.images: must be grey images (got shape {images.shape}); choose mnist or digits."
        )
    ink = images.astype(float)
    total = ink.sum(axis=(1, 2))
    if (total <= 0).any():
        raise ParameterError(
            f"low_level_features.images: must all have ink (got none in image {int(np.argmin(total))}); leave it out."
        )
    y, x = np.indices(images.shape[1:])

    def mean(values):
        return (ink * values).sum(axis=(1, 2)) / total

    mean_x, mean_y = mean(x), mean(y)
    mu_xx, mu_yy = mean(x * x) - mean_x**2, mean(y * y) - mean_y**2
    mu_xy = mean(x * y) - mean_x * mean_y
    floor = np.finfo(float).tiny
    return {
        "ink": ink.mean(axis=(1, 2)),
        "slant": -mu_xy / np.maximum(mu_yy, floor),
        "width": np.sqrt(np.maximum(mu_xx, 0) / np.maximum(mu_yy, floor)),
    }


def above_class_median(values: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Whether each value lies above the median of its class: half of every class, so it says nothing of the class.

    Parameters
    ----------
    values, labels : ndarray, shape (n_stimuli,)

    Returns
    -------
    ndarray of bool, shape (n_stimuli,)
    """
    medians = {label: np.median(values[labels == label]) for label in np.unique(labels)}
    return values > np.array([medians[label] for label in labels])

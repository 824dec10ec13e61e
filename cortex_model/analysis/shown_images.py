"""Any images shown to a hierarchy that learned from others: how they are prepared, and what its populations answer.

The rates come from the NumPy theory (`theory.rate_network`), which the simulator equals to rounding: nothing learns
here and there is no time, so no device is needed.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from cortex_model import theory
from cortex_model.datasets import DATASETS, SCALINGS
from cortex_model.datasets.pictures import as_8_bits
from cortex_model.errors import RunError, in_short
from cortex_model.reference.hierarchy import presented
from cortex_model.weights import Weights

#: Luminance of red, green and blue (ITU-R BT.601), as Pillow weighs them.
LUMINANCE = (0.299, 0.587, 0.114)


def resized(images: Sequence[np.ndarray], height: int, width: int, is_coloured: bool) -> np.ndarray:
    """Images at one size, by averaging areas; grey by luminance, or colour from grey by repetition.

    Parameters
    ----------
    images : sequence of ndarray of uint8 or uint16, each of shape (h, w) or (h, w, 3)
        Levels of 16 bits are divided by 257.
    height, width : int
        An image of another shape is stretched.
    is_coloured : bool

    Returns
    -------
    ndarray, shape (n, height, width) or (n, height, width, 3)
        0 ... 255, not rounded.
    """
    from PIL import Image

    def planes(image):
        if not is_coloured and image.ndim == 3:
            return [image.astype(np.float32) @ np.array(LUMINANCE, np.float32)]
        return [image] if image.ndim == 2 else np.moveaxis(image, -1, 0)

    def at_size(plane):
        picture = Image.fromarray(np.ascontiguousarray(plane, np.float32))
        return np.asarray(picture.resize((width, height), Image.Resampling.BOX))

    shown = [[at_size(plane) for plane in planes(as_8_bits(image))] for image in images]
    if not is_coloured:
        return np.array([each[0] for each in shown], float)
    return np.array([each if len(each) == 3 else each * 3 for each in shown], float).transpose(0, 2, 3, 1)


def prepared(images: Sequence[np.ndarray], parameters: Any) -> tuple[np.ndarray, str]:
    """Images as stimuli for a hierarchy: resized to its training images, scaled with the same two numbers.

        s = (x max_value / 255 - offset) / divisor

    where x are pixel values and offset and divisor are those of training (`datasets.images.SCALINGS`).

    Parameters
    ----------
    images : sequence of ndarray of uint8
    parameters : Parameters
        Of the run: its dataset, scaling and validation images.

    Returns
    -------
    stimuli : ndarray, shape (n, n_0)
    sentence : str
        What was done.

    Raises
    ------
    RunError
        If the hierarchy did not learn from images.
    """
    shape, max_value = _of_training(parameters)
    scaling = getattr(parameters, "stimulus_scaling", None)
    if shape is None or scaling not in SCALINGS or parameters.layer_sizes[0] != math.prod(shape):
        dataset = getattr(parameters, "dataset", None)
        raise RunError(
            f"RUN_DIR: must be a run that learned from images of {', '.join(DATASETS)}, or of your own (got one of "
            f"{type(parameters).__name__}, with {in_short(dataset) if dataset else 'no dataset'}); give one of "
            "wake_sleep_classification or wake_sleep_autoencoding."
        )
    height, width, *channels = shape
    offset, divisor = _scaling_of_training(parameters)
    pixels = resized(images, height, width, bool(channels)) * (max_value / 255)
    rows = np.moveaxis(pixels, -1, 1) if channels else pixels
    kind = "colour" if channels else "grey"
    said = f"offset {offset:.4g}, divisor {divisor:.4g}" if np.ndim(offset) == 0 else "each pixel by its own"
    sentence = (
        f"Images resized to {height} x {width} in {kind} by averaging areas, scaled as in training on "
        f"{parameters.dataset_name} ({scaling}: {said})."
    )
    return (rows.reshape(len(images), -1) - offset) / divisor, sentence


def _of_training(parameters):
    """Shape and largest value of the images that a run learned from; None where they were no images."""
    dataset = getattr(parameters, "dataset", None)
    if dataset in DATASETS:
        return DATASETS[dataset].image_shape, DATASETS[dataset].max_value
    images = parameters.data().train.images if hasattr(parameters, "dataset_name") else np.zeros(0)
    return (images.shape[1:], 255) if images.dtype == np.uint8 else (None, 0)


@functools.lru_cache(maxsize=8)
def _scaling_of_training(parameters):
    """Offset and divisor; the training images are loaded, once, only for the scalings that depend on them."""
    is_needed = "standardised" in parameters.stimulus_scaling
    pixels = parameters.data().train.pixels if is_needed else np.zeros((0, 0), np.uint8)
    return SCALINGS[parameters.stimulus_scaling](pixels, 0, _of_training(parameters)[1])


def population_rates(weights: Weights, parameters: Any, stimuli: np.ndarray) -> dict[int, np.ndarray]:
    """Rates h_l of every population above the input, l = 1 ... L; in spikes, counts as parts of the most there can be.

    Parameters
    ----------
    weights : Weights
    parameters : HierarchyParameters
    stimuli : ndarray, shape (n, n_0)

    Returns
    -------
    rates : dict of int to ndarray, shape (n, n_l)
    """
    if parameters.dynamics == "spiking":
        found = presented(parameters, weights, "evaluation", stimuli, "rate")
        return {level: rates for level, rates in found.items() if level > 0}
    w = weights.astype(float)
    _, rates = theory.hierarchy_response(w.forward, w.biases, stimuli.T, parameters.nonlinearity, parameters.top)
    return {level: rates[level].T for level in rates if level > 0}


def reconstructions(weights: Weights, parameters: Any, stimuli: np.ndarray) -> dict[int, np.ndarray]:
    """What feedback makes of the lower rates: r_{l-1} = V_l a_l, for each V_l from the next population.

    In spikes it is the apical potential at the end of a presentation in which feedback cells repeat what is sent up.

    Returns
    -------
    reconstructed : dict of int to ndarray, shape (n, n_{l-1})
        By l - 1; empty where feedback comes from the top population.
    """
    if parameters.feedback_from_top:
        return {}
    if parameters.dynamics == "spiking":
        return presented(parameters, weights, "perception", stimuli, "apical_drive")
    w = weights.astype(float)
    drives, _ = theory.hierarchy_response(w.forward, w.biases, stimuli.T, parameters.nonlinearity, parameters.top)
    return {level - 1: theory.reconstruction(w.feedback[level], drives[level]).T for level in sorted(w.feedback)}

"""How widely activity is spread over a circular axis, such as visual angle: numbers, no plots."""

import numpy as np

from cortex_model.errors import ParameterError


def aligned_mean(responses: np.ndarray) -> np.ndarray:
    """Responses to stimuli around a circle, each turned to its stimulus, and averaged.

    Parameters
    ----------
    responses : ndarray, shape (n_neurons, n_stimuli)
        Column j is the response to the stimulus at the angle of neuron j; as many stimuli as neurons.

    Returns
    -------
    ndarray, shape (n_neurons,)
        The mean over stimuli of the response at each distance from the stimulus; distance 0 in the middle, at
        n_neurons // 2.

    Raises
    ------
    ParameterError
        If there is not one stimulus for each neuron.
    """
    n, n_stimuli = responses.shape
    if n != n_stimuli:
        raise ParameterError(
            f"aligned_mean.responses: must have one column for each neuron (got shape {responses.shape}); "
            "show a stimulus at the angle of every neuron."
        )
    rows = (np.arange(n)[:, None] + np.arange(n) - n // 2) % n
    return responses[rows, np.arange(n)].mean(axis=1)


def tuning_width(response: np.ndarray, circle: float = 360.0) -> float:
    """Full width at half maximum of a response over a circle, in the units of ``circle``.

    From the largest response one walks to both sides until the response first is at half of it or below; between
    two neurons a straight line is drawn. Responses are measured from 0, not from their smallest value.

    Parameters
    ----------
    response : ndarray, shape (n_neurons,)
        Of neurons evenly spaced around the circle.
    circle : float
        The way around: 360 degrees.

    Returns
    -------
    float
        ``circle`` for a response that is not tuned: it is nowhere positive, or nowhere falls to half of its maximum.
    """
    response = np.asarray(response, float)
    n, peak = len(response), response.max()
    if peak <= 0 or response.min() > peak / 2:
        return float(circle)
    centred = np.roll(response, -int(response.argmax()))
    return float(circle / n * (_steps_to_half(centred) + _steps_to_half(np.roll(centred[::-1], 1))))


def _steps_to_half(response):
    """Neurons, and a part of the last step, from the maximum at 0 to where the response first is at half of it."""
    half = response[0] / 2
    after = int(np.flatnonzero(response <= half)[0])
    return after - 1 + (response[after - 1] - half) / (response[after - 1] - response[after])

"""Recirculation as published: two populations, logistic rates and biases (Hinton & McClelland, 1988).

Source: G. E. Hinton and J. L. McClelland, "Learning representations by recirculation", Neural Information
Processing Systems (AIP), 1988. It learns from data, not from noise; its linear form on noise is the sleep
rule `hinton_mcclelland` in `sleep_rules`.
"""

from collections.abc import Sequence

import numpy as np

from cortex_model.errors import ParameterError
from cortex_model.theory.rate_network import layer_response


def hinton_mcclelland_update(
    forward_weights: np.ndarray,
    feedback_weights: np.ndarray,
    hidden_bias: np.ndarray,
    visible_bias: np.ndarray,
    stimuli: np.ndarray,
    regression: float = 0.75,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the increments of one sweep over the stimuli as a batch, without the learning rate.

        h(1) = sigma(W y(0) + b_h)
        y(2) = r y(0) + (1 - r) sigma(V h(1) + b_y)
        h(3) = r h(1) + (1 - r) sigma(W y(2) + b_h)
        dV = sum [y(0) - y(2)] h(1)^T,    dW = sum [h(1) - h(3)] y(2)^T

    where y are visible and h hidden rates at four moments, sigma is the logistic function, r the regression,
    b_h and b_y the biases (whose presynaptic rate is 1), and the sum runs over the stimuli.

    Parameters
    ----------
    forward_weights : ndarray, shape (n_hidden, n_visible)
        W.
    feedback_weights : ndarray, shape (n_visible, n_hidden)
        V.
    hidden_bias, visible_bias : ndarray, shape (n_hidden,) and (n_visible,)
    stimuli : ndarray, shape (n_visible, n_stimuli)
        y(0), as columns.
    regression : float

    Returns
    -------
    forward, feedback, hidden, visible : ndarray
        dW, dV and the increments of the two biases.
    """
    r = regression
    y0 = stimuli
    _, h1 = layer_response(forward_weights, y0, hidden_bias, "sigmoid")
    y2 = r * y0 + (1 - r) * layer_response(feedback_weights, h1, visible_bias, "sigmoid")[1]
    h3 = r * h1 + (1 - r) * layer_response(forward_weights, y2, hidden_bias, "sigmoid")[1]
    visible, hidden = y0 - y2, h1 - h3
    return hidden @ y2.T, visible @ h1.T, hidden.sum(axis=1), visible.sum(axis=1)


def encoder_updates(
    seed: int | Sequence[int],
    n_visible: int = 4,
    n_hidden: int = 2,
    learning_rate: float = 20.0,
    regression: float = 0.75,
    criterion: float = 0.1,
    max_updates: int = 5000,
) -> int:
    """Count the updates until recirculation has learned the encoder problem.

    The one-hot vectors are reconstructed through fewer hidden units. Weights and biases start uniformly
    in [-0.5, 0.5]; one update is one sweep over all vectors; the squared error of sigma(V h(1) + b_y) is
    summed over units and vectors. Published: 48 updates on average for 4-2-4; here 43 over 300 seeds, with a
    standard error of 1.3 (the publication does not give the range of its start).

    Parameters
    ----------
    seed : int or sequence of int
        Seed of the start.
    n_visible, n_hidden : int
        4 and 2 in the publication.
    learning_rate, regression : float
        20 and 0.75 in the publication.
    criterion : float
        Learned when the summed squared error is below this.
    max_updates : int

    Returns
    -------
    int

    Raises
    ------
    ParameterError
        If it is not learned within `max_updates`.
    """
    generator = np.random.default_rng(seed)
    shapes = ((n_hidden, n_visible), (n_visible, n_hidden), (n_hidden,), (n_visible,))
    W, V, hidden_bias, visible_bias = (generator.uniform(-0.5, 0.5, shape) for shape in shapes)
    stimuli = np.eye(n_visible)
    for n_updates in range(max_updates + 1):
        _, hidden = layer_response(W, stimuli, hidden_bias, "sigmoid")
        _, visible = layer_response(V, hidden, visible_bias, "sigmoid")
        if np.sum((stimuli - visible) ** 2) < criterion:
            return n_updates
        increments = hinton_mcclelland_update(W, V, hidden_bias, visible_bias, stimuli, regression)
        W, V, hidden_bias, visible_bias = (
            value + learning_rate * increment
            for value, increment in zip((W, V, hidden_bias, visible_bias), increments, strict=True)
        )
    raise ParameterError(
        f"encoder_updates.max_updates: must be enough to learn the encoder (got {max_updates} with seed "
        f"{seed}); allow more updates or choose a smaller learning_rate."
    )

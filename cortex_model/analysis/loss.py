"""How far the top population is from what it should be."""

import numpy as np

from cortex_model import theory
from cortex_model.weights import Weights


def mean_loss(weights: Weights, stimuli: np.ndarray, targets: np.ndarray, parameters) -> float:
    """Loss of the top population, mean over stimuli.

    Parameters
    ----------
    weights : Weights
    stimuli, targets : ndarray, shape (n_stimuli, n_0) and (n_stimuli, n_L)
    parameters : SleepWakeParameters
        ``nonlinearity`` and ``top``, which decides the loss: `theory.output_loss`.

    Returns
    -------
    float
    """
    p = parameters
    _, rates = theory.hierarchy_response(weights.forward, weights.biases, stimuli.T, p.nonlinearity, p.top)
    return theory.output_loss(rates[max(rates)].astype(float), targets.T, p.top) / len(stimuli)

"""What feedback makes of the rates above: reconstruction by one projection, recall through several, settled."""

from collections.abc import Mapping

import numpy as np

from cortex_model import theory
from cortex_model.weights import Weights


def settled_recall(
    feedback: Mapping[int, np.ndarray], rates: np.ndarray, level: int, nonlinearity: str
) -> dict[int, np.ndarray]:
    """Rates of the populations below ``level`` while that one is held: h_{l-1} = sigma(V_l h_l), the input linear.

    What `cortex_model.theory.leaky_recall` relaxes to.

    Parameters
    ----------
    feedback : dict of ndarray
        V_l, for l = 1 ... level.
    rates : ndarray, shape (n_level,) or (n_level, n_stimuli)
    level : int
    nonlinearity : str

    Returns
    -------
    rates : dict of ndarray
        l -> rates, for l = 0 ... level.
    """
    recalled = {level: rates}
    for l in range(level, 0, -1):
        recalled[l - 1] = theory.recall(feedback[l], recalled[l], nonlinearity if l > 1 else "linear")
    return dict(sorted(recalled.items()))


def reconstruction_measures(
    weights: Weights, stimuli: np.ndarray, nonlinearity: str, top: str, gain: float = 1.0
) -> dict[str, list]:
    """How much of the rates below is in what feedback sends, over stimuli.

    Parameters
    ----------
    weights : Weights
        With V_1.
    stimuli : ndarray, shape (n_stimuli, n_0)
    nonlinearity, top : str
    gain : float
        g, by which sleep makes V larger than what reconstructs best.

    Returns
    -------
    measures : dict
        ``reconstruction_error`` and ``reconstruction_explained_variance``: of r_{l-1} = V_l a_l / g (a_l without the
        bias) against h_{l-1}, one number a feedback projection, lowest first. ``recall_error`` and
        ``recall_explained_variance``: of `settled_recall` at the input from each population above, against the
        stimulus.
    """
    forward, biases, feedback = ({l: a.astype(float) for l, a in part.items()} for part in
                                 (weights.forward, weights.biases, weights.feedback))  # fmt: skip
    stimuli = np.asarray(stimuli, float).T
    drives, rates = theory.hierarchy_response(forward, biases, stimuli, nonlinearity, top)
    pairs = {l: theory.reconstruction(feedback[l] / gain, drives[l] - biases[l][:, None]) for l in sorted(feedback)}
    recalled = [settled_recall(feedback, rates[l], l, nonlinearity)[0] for l in sorted(feedback)]
    return {
        "reconstruction_error": [theory.relative_error(r, rates[l - 1]) for l, r in pairs.items()],
        "reconstruction_explained_variance": [theory.explained_variance(r, rates[l - 1]) for l, r in pairs.items()],
        "recall_error": [theory.relative_error(r, stimuli) for r in recalled],
        "recall_explained_variance": [theory.explained_variance(r, stimuli) for r in recalled],
    }


def shuffled_feedback(weights: Weights, seed: int) -> Weights:
    """The weights with the entries of every V_l in a random order: their values are left, what they learned is not."""
    rng = np.random.default_rng(seed)
    feedback = {l: rng.permutation(v.ravel()).reshape(v.shape) for l, v in weights.feedback.items()}
    return Weights(weights.forward, weights.biases, feedback)

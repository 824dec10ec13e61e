"""How well a sequence is replayed: correlation with what would have come, and which place is decoded. No plots."""

import numpy as np

#: What is measured of a replay -> (unit, dimension).
REPLAY_MEASURES = {
    "replay_correlation": ("1", None),
    "replay_correlation_min": ("1", None),
    "replay_decoded_percent": ("percent", None),
}


def replay_correlations(replayed: np.ndarray, states: np.ndarray) -> np.ndarray:
    """Pearson's correlation over neurons of each replayed state with each state of a sequence.

    Parameters
    ----------
    replayed : ndarray, shape (n_steps, n_neurons)
    states : ndarray, shape (n_states, n_neurons)

    Returns
    -------
    correlations : ndarray, shape (n_steps, n_states)
        0 where one of both does not vary.
    """
    one, other = (rows - rows.mean(axis=1, keepdims=True) for rows in (replayed, states))
    lengths = np.linalg.norm(one, axis=1)[:, None] * np.linalg.norm(other, axis=1)
    return np.divide(one @ other.T, lengths, out=np.zeros(lengths.shape), where=lengths > 0)


def replay_measures(replayed: np.ndarray, states: np.ndarray, follows: np.ndarray) -> dict[str, float]:
    """How well sequences are replayed.

    Parameters
    ----------
    replayed : ndarray, shape (n_sequences, n_steps, n_neurons)
    states : ndarray, shape (n_sequences, length, n_neurons)
    follows : ndarray of int, shape (n_steps,)
        Which state of its sequence should be replayed in each step.

    Returns
    -------
    measures : dict of float
        Correlation with that state, its mean and its minimum over steps and sequences; and percentage of steps in
        which it is alike at all, and no state of any sequence is more so.
    """
    known = states.reshape(-1, states.shape[2])
    own, best = [], []
    for nth, steps in enumerate(replayed):
        all_of_them = replay_correlations(steps, known)
        own.append(all_of_them[np.arange(len(steps)), nth * states.shape[1] + follows])
        best.append(all_of_them.max(axis=1))
    own, best = np.array(own), np.array(best)
    return {
        "replay_correlation": float(own.mean()),
        "replay_correlation_min": float(own.min()),
        "replay_decoded_percent": 100.0 * float(np.mean((own > 0) & (own >= best - 1e-12))),
    }


def prediction_losses(predicted: np.ndarray, present: np.ndarray, following: np.ndarray) -> dict[str, float]:
    """Mean squared error of what is predicted, and of the guess that nothing changes; rows of shape (n, n_neurons)."""
    return {
        "prediction_loss": float(np.square(following - predicted).mean()),
        "persistence_loss": float(np.square(following - present).mean()),
    }

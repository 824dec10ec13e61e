"""What the host does between presentations, as a rule declares it: NumPy on the matrices of one level."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np

from cortex_model.language.moments import Host
from cortex_model.language.statements import written_by
from cortex_model.state.philox import index_of, standard_normal

#: `cortex_model.language.statements.HOST_FUNCTIONS`, but for ``normal``. Inverses are formed in double precision.
FUNCTIONS = {name: getattr(np, name) for name in ("sign", "abs", "sqrt", "transpose")} | {
    "pinv": lambda matrix: np.linalg.pinv(matrix.astype(float)),
    "norm": np.linalg.norm,
    "std": lambda matrix: float(matrix.std()),
    "perturbed": lambda matrix, *others: perturbed(matrix.astype(float), *others),
    "silenced": lambda matrix, *others: silenced(matrix, *others),
    "shuffled": lambda matrix, draws: shuffled(matrix, draws),
}


def done_by_host(
    host: Host, level: int, matrices: Mapping[str, np.ndarray], values: Mapping[str, float], seed: int, at: int
) -> dict[str, Any]:
    """What a moment of the host assigns at one level.

    Parameters
    ----------
    host : Host
    level : int
    matrices : dict of ndarray
        Projection -> its weights at that level, shape (n_post, n_pre).
    values : dict of float
        The numbers of the rule.
    seed, at : int
        Of the run, and the presentation before which it happens; they decide ``normal``.

    Returns
    -------
    assigned : dict
        Projection -> matrix, or what the rule remembers -> number.
    """

    def normal(matrix):
        index = level if host.projection == "V" else index_of(host.projection, level)
        return standard_normal(seed, "feedback_noise", index, matrix.shape, at)

    seen = {**FUNCTIONS, "normal": normal, **values, **matrices}
    exec(_compiled(host.code), seen)
    return {name: seen[name] for name in written_by(host.code)}


@cache
def _compiled(code):
    return compile(code.strip(), "host", "exec")


def perturbed(feedback: np.ndarray, noise: np.ndarray, deviation: float, n_levels: int) -> np.ndarray:
    """Feedback weights that are not quite what was learned.

        V + deviation noise,    then rounded to n_levels levels, evenly spaced from -max|V| to max|V|

    Parameters
    ----------
    feedback : ndarray
        V.
    noise : ndarray, of the same shape
        Standard normal numbers.
    deviation : float
    n_levels : int
        0: nothing is rounded.

    Returns
    -------
    ndarray, of the same shape
    """
    V = feedback + deviation * noise
    largest = np.abs(V).max()
    if n_levels == 0 or largest == 0:
        return V
    step = 2 * largest / (n_levels - 1)
    return np.round((V + largest) / step) * step - largest


def silenced(weights: np.ndarray, draws: np.ndarray, part: float) -> np.ndarray:
    """Weights of which a part is 0: those with the smallest draws, rounded to a whole number of synapses.

    Parameters
    ----------
    weights, draws : ndarray, of the same shape
    part : float
        From 0 to 1.

    Returns
    -------
    ndarray, of the same shape
    """
    left = weights.copy()
    left.flat[np.argsort(draws, axis=None)[: round(part * weights.size)]] = 0
    return left


def shuffled(weights: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """The same weights in other places: in the order of the draws.

    Parameters
    ----------
    weights, draws : ndarray, of the same shape

    Returns
    -------
    ndarray, of the same shape
    """
    return weights.ravel()[np.argsort(draws, axis=None)].reshape(weights.shape)

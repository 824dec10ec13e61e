"""The forward sweep of a hierarchy of rate populations, its output error, and what feedback reconstructs.

Populations are numbered l = 0 (input) ... L (top). Dictionaries are keyed by l: `forward[l]` is the
forward projection l-1 -> l, `feedback[l]` the reciprocal projection l -> l-1. Every function takes one
stimulus as a vector or several as columns.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from cortex_model.errors import ParameterError


class Nonlinearity(NamedTuple):
    """A rate function sigma(a), its slope sigma'(a), and its inverse sigma^-1(h) where one exists."""

    rate: Callable[[np.ndarray], np.ndarray]
    slope: Callable[[np.ndarray], np.ndarray]
    inverse: Callable[[np.ndarray], np.ndarray] | None


def _sigmoid(a):
    return np.exp(-np.logaddexp(0.0, -a))


def _softmax(a):
    raised = np.exp(a - np.max(a, axis=0))
    return raised / np.sum(raised, axis=0)


NONLINEARITIES = {
    "linear": Nonlinearity(lambda a: a, np.ones_like, lambda h: h),
    "threshold_linear": Nonlinearity(lambda a: np.maximum(a, 0.0), lambda a: np.where(a > 0, 1.0, 0.0), None),
    "tanh": Nonlinearity(np.tanh, lambda a: 1 - np.tanh(a) ** 2, np.arctanh),
    "sigmoid": Nonlinearity(_sigmoid, lambda a: _sigmoid(a) * _sigmoid(-a), lambda h: np.log(h) - np.log1p(-h)),
    "softplus": Nonlinearity(lambda a: np.logaddexp(0.0, a), _sigmoid, lambda h: h + np.log(-np.expm1(-h))),
}
"""Rates of the populations below the top. `threshold_linear` has slope 0 at and below the threshold."""

TOP_RATES = {"linear": lambda a: a, "sigmoid": _sigmoid, "softmax": _softmax}
"""Rates of the top population. `softmax` normalises over the population, for each stimulus alone."""


def choice(table, name, where):
    """Return `table[name]`.

    Raises
    ------
    ParameterError
        If `name` is not in the table.
    """
    if name not in table:
        raise ParameterError(f"{where}: must be one of {', '.join(table)} (got {name!r}); choose one of them.")
    return table[name]


def layer_response(
    weights: np.ndarray, rates: np.ndarray, bias: np.ndarray | None = None, nonlinearity: str = "tanh"
) -> tuple[np.ndarray, np.ndarray]:
    """Respond to the rates of the population below.

        a_l = W_l h_{l-1} + b_l,    h_l = sigma(a_l)

    where a is the basal drive, h the rate, W the forward weights, b the bias.

    The paper has no bias; here there is one, because the networks it is compared with have one.

    Parameters
    ----------
    weights : ndarray, shape (n_l, n_{l-1})
        W_l.
    rates : ndarray, shape (n_{l-1},) or (n_{l-1}, n_stimuli)
        h_{l-1}.
    bias : ndarray, shape (n_l,), optional
        b_l.
    nonlinearity : str
        A name in `NONLINEARITIES`, or, for the top population, in `TOP_RATES`.

    Returns
    -------
    basal_drive, rate : ndarray, shape (n_l,) or (n_l, n_stimuli)

    Raises
    ------
    ParameterError
        If the nonlinearity has no such name.
    """
    rate_functions = TOP_RATES | {name: entry.rate for name, entry in NONLINEARITIES.items()}
    rate_function = choice(rate_functions, nonlinearity, "layer_response.nonlinearity")
    basal_drive = weights @ rates
    if bias is not None:
        basal_drive = basal_drive + bias.reshape((-1,) + (1,) * (rates.ndim - 1))
    return basal_drive, rate_function(basal_drive)


def hierarchy_response(
    forward: Mapping[int, np.ndarray],
    biases: Mapping[int, np.ndarray] | None,
    stimulus: np.ndarray,
    nonlinearity: str = "tanh",
    top: str = "softmax",
) -> tuple[dict[int, np.ndarray], dict[int, np.ndarray]]:
    """Respond to a stimulus, population by population (`layer_response` for l = 1 ... L).

    Parameters
    ----------
    forward : dict of ndarray
        W_l, shape (n_l, n_{l-1}), for l = 1 ... L.
    biases : dict of ndarray or None
        b_l, shape (n_l,).
    stimulus : ndarray, shape (n_0,) or (n_0, n_stimuli)
        The rates of the input population.
    nonlinearity, top : str
        Names in `NONLINEARITIES` (for 1 ... L-1) and in `TOP_RATES` (for L).

    Returns
    -------
    basal_drives, rates : dict of ndarray
        a_l for l = 1 ... L and h_l for l = 0 ... L; h_0 is the stimulus.

    Raises
    ------
    ParameterError
        If `nonlinearity` or `top` has no such name.
    """
    choice(NONLINEARITIES, nonlinearity, "hierarchy_response.nonlinearity")
    choice(TOP_RATES, top, "hierarchy_response.top")
    n_layers = max(forward)
    basal_drives, rates = {}, {0: stimulus}
    for l in range(1, n_layers + 1):
        bias = None if biases is None else biases[l]
        name = top if l == n_layers else nonlinearity
        basal_drives[l], rates[l] = layer_response(forward[l], rates[l - 1], bias, name)
    return basal_drives, rates


def output_error(rate: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return the output error e = h_L - h_L*, where h_L is the rate of the top population, h_L* its target.

    Shapes: all (n_L,) or (n_L, n_stimuli). It is the gradient of `output_loss` with respect to a_L.
    """
    return rate - target


def output_loss(rate: np.ndarray, target: np.ndarray, top: str = "softmax") -> float:
    """Return the loss whose gradient with respect to the top basal drive a_L is the output error.

        linear:   |h - t|^2 / 2
        sigmoid:  - sum_k t_k log h_k + (1 - t_k) log(1 - h_k)
        softmax:  - sum_k t_k log h_k

    where h is the top rate and t its target; softmax targets must sum to 1 for each stimulus.

    Parameters
    ----------
    rate, target : ndarray, shape (n_L,) or (n_L, n_stimuli)
    top : str
        A name in `TOP_RATES`.

    Returns
    -------
    float
        Summed over units and stimuli, in nats for the cross-entropies.

    Raises
    ------
    ParameterError
        If `top` has no such name.
    """
    losses = {
        "linear": lambda: 0.5 * np.sum((rate - target) ** 2),
        "sigmoid": lambda: -np.sum(_x_log_y(target, rate) + _x_log_y(1 - target, 1 - rate)),
        "softmax": lambda: -np.sum(_x_log_y(target, rate)),
    }
    return float(choice(losses, top, "output_loss.top")())


def _x_log_y(x, y):
    return x * np.log(np.where(x == 0, 1.0, y))


def reconstruction(feedback_weights: np.ndarray, basal_drive: np.ndarray) -> np.ndarray:
    """Reconstruct the rates below from the basal drive: r_{l-1} = V_l a_l.

    where V_l, shape (n_{l-1}, n_l), are the feedback weights and a_l the basal drive (or sigma^-1(h_l) less
    the bias, where sigma has an inverse). With V_l = W_l^+ and no bias, r is the projection of h_{l-1}
    on the row space of W_l: all that population l can know about it.
    """
    return feedback_weights @ basal_drive


def recall(feedback_weights: np.ndarray, rate: np.ndarray, nonlinearity: str = "tanh") -> np.ndarray:
    """Recall the rates below from the rates above: h_{l-1} = sigma(V_l h_l).

    where V_l, shape (n_{l-1}, n_l), are the feedback weights and sigma is named by `nonlinearity`.

    Raises
    ------
    ParameterError
        If the nonlinearity has no such name.
    """
    return choice(NONLINEARITIES, nonlinearity, "recall.nonlinearity").rate(feedback_weights @ rate)


def relative_error(reconstructed: np.ndarray, rates: np.ndarray) -> float:
    """Return |r - h| / |h| over all units and stimuli, where r reconstructs the rates h.

    Not to be confused with `relative_distance`, which compares weight matrices. nan if h is all zero.
    """
    size = np.linalg.norm(rates)
    return float(np.linalg.norm(reconstructed - rates) / size) if size > 0 else float("nan")


def explained_variance(reconstructed: np.ndarray, rates: np.ndarray) -> float:
    """Return 1 - |r - h|^2 / |h - mean h|^2, where r reconstructs the rates h.

    The mean is over stimuli, for each unit alone: 1 is perfect, 0 is what the mean rates would reach.

    Parameters
    ----------
    reconstructed, rates : ndarray, shape (n, n_stimuli)

    Returns
    -------
    float
        nan if the rates do not vary over stimuli.

    Raises
    ------
    ParameterError
        If the rates are not columns of several stimuli.
    """
    if rates.ndim != 2 or rates.shape[1] < 2:
        raise ParameterError(
            "explained_variance.rates: must hold at least two stimuli as columns "
            f"(got shape {rates.shape}); stack the rates of several presentations."
        )
    variance = np.sum((rates - rates.mean(axis=1, keepdims=True)) ** 2)
    return float(1 - np.sum((reconstructed - rates) ** 2) / variance) if variance > 0 else float("nan")

"""When what can be decoded from a population: cross-validated decoders, label shuffles, latencies. No plots.

A decoder is fitted to rates that have settled and applied to rates at every time of another presentation of other
stimuli: information counts where it is there in the population's own code. A decoder that is fitted anew to each
condition would find it behind any mixing of rates, however they were shuffled.
"""

import numpy as np
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline

from cortex_model.errors import ParameterError

#: What is decoded: the class; low-level features within classes.
INFORMATION = ("category", "low_level")
#: Principal components that a decoder sees.
N_COMPONENTS = 60


def predictions(
    settled: np.ndarray, traces: dict[str, np.ndarray], labels: np.ndarray, n_folds: int = 5
) -> dict[str, np.ndarray]:
    """Labels as a linear decoder reads them from rates over time, cross-validated over stimuli.

    In each fold a linear discriminant with shrunken covariance (Ledoit & Wolf 2004) is fitted to the first
    `N_COMPONENTS` principal components of the settled rates of the other folds. From the rates at each time, the mean
    over stimuli at that time is taken away first; so from the settled ones.

    Parameters
    ----------
    settled : ndarray, shape (n_stimuli, n_neurons)
        What decoders are fitted to.
    traces : dict of ndarray, shape (n_stimuli, n_times, n_neurons)
        Condition -> what they are applied to; the same stimuli in the same order.
    labels : ndarray, shape (n_stimuli,)

    Returns
    -------
    predicted : dict of ndarray, shape (n_times, n_stimuli)

    Raises
    ------
    ParameterError
        If a class has fewer stimuli than there are folds, or there is only one class.
    """
    classes, counts = np.unique(labels, return_counts=True)
    if len(classes) < 2 or counts.min() < n_folds:
        raise ParameterError(
            f"predictions.labels: must have at least two classes of at least {n_folds} stimuli each "
            f"(got {len(classes)} with {counts.min()} at least); show more stimuli or take fewer folds."
        )
    predicted = {name: np.empty((trace.shape[1], len(labels)), labels.dtype) for name, trace in traces.items()}
    folds = StratifiedKFold(n_folds, shuffle=True, random_state=0)
    settled = settled - settled.mean(axis=0)
    for fitted, held_out in folds.split(settled, labels):
        components = PCA(min(N_COMPONENTS, settled.shape[1], len(fitted)), svd_solver="full")
        discriminant = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
        decoder = make_pipeline(components, discriminant).fit(settled[fitted], labels[fitted])
        for name, trace in traces.items():
            centred = (trace - trace.mean(axis=0))[held_out]
            read = decoder.predict(centred.reshape(-1, trace.shape[2]))
            predicted[name][:, held_out] = read.reshape(len(held_out), -1).T
    return predicted


def shuffled_labels(labels: np.ndarray, n_shuffles: int, seed: int, within: np.ndarray | None = None) -> np.ndarray:
    """Labels in random orders, shape (n_shuffles, n_stimuli); with ``within``, only among stimuli that share it."""
    rng = np.random.default_rng(seed)
    within = np.zeros(len(labels), int) if within is None else within
    shuffled = np.tile(labels, (n_shuffles, 1))
    for group in np.unique(within):
        its = np.flatnonzero(within == group)
        shuffled[:, its] = rng.permuted(np.tile(labels[its], (n_shuffles, 1)), axis=1)
    return shuffled


def accuracy(predicted: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Part of the stimuli whose label is read correctly.

    Parameters
    ----------
    predicted : ndarray, shape (n_times, n_stimuli)
    labels : ndarray, shape (n_stimuli,) or (n_shuffles, n_stimuli)

    Returns
    -------
    ndarray, shape (n_times,) or (n_shuffles, n_times)
    """
    return (predicted == labels[..., None, :]).mean(axis=-1)


def threshold(shuffled: np.ndarray, level: float = 0.05) -> float:
    """The accuracy that label shuffles exceed anywhere in time with a probability of at most ``level``.

    The largest accuracy over all times is taken of each shuffle, and of these the ``1 - level`` quantile (Nichols &
    Holmes 2002, Human Brain Mapping 15:1): one number for all times, so the error is ``level`` for a whole time
    course, however many times it has, and nothing need persist.

    Parameters
    ----------
    shuffled : ndarray, shape (n_shuffles, n_times)
    """
    return float(np.quantile(shuffled.max(axis=-1), 1 - level, method="higher"))


def latency(times: np.ndarray, accuracies: np.ndarray, threshold: float) -> float:
    """The first time at which the accuracy exceeds the threshold; NaN if it never does."""
    above = np.flatnonzero(np.asarray(accuracies) > threshold)
    return float(times[above[0]]) if len(above) else float("nan")


def decoded_in_time(
    rates: dict[str, dict[int, np.ndarray]],
    labels: np.ndarray,
    features: dict[str, np.ndarray],
    times: np.ndarray,
    *,
    fitted_to: str,
    noise: float,
    seed: int,
    n_shuffles: int = 500,
) -> dict[str, np.ndarray]:
    """Category and low-level information in every population at every time, in every condition.

    Decoders are fitted to the last time of one condition, with measurement noise as everywhere.

    Parameters
    ----------
    rates : dict of dict of ndarray, shape (n_stimuli, n_times, n_neurons)
        Condition -> population -> rates.
    labels : ndarray, shape (n_stimuli,)
        The category.
    features : dict of ndarray of bool, shape (n_stimuli,)
        Low-level features, each of which splits every category in halves; their accuracies are averaged.
    times : ndarray, shape (n_times,)
    fitted_to : str
        The condition whose end decoders are fitted to.
    noise : float
        Deviation of the noise, relative to that of the rates there, which is the root of their mean variance.
    seed, n_shuffles : int

    Returns
    -------
    decoded : dict of ndarray
        ``accuracy``, shape (n_conditions, 2, n_populations, n_times); ``threshold`` and ``latency``, without the last.
        The second axis is `INFORMATION`.
    """
    rng = np.random.default_rng(seed)
    orders = [shuffled_labels(labels, n_shuffles, seed)]
    orders += [shuffled_labels(values, n_shuffles, seed, within=labels) for values in features.values()]
    populations = list(rates[fitted_to])
    shape = len(rates), len(INFORMATION), len(populations)
    decoded = {"accuracy": np.empty((*shape, len(times))), "threshold": np.empty(shape), "latency": np.empty(shape)}
    for column, population in enumerate(populations):
        deviation = noise * np.sqrt(rates[fitted_to][population][:, -1].var(axis=0).mean())
        traces = {name: its[population] + deviation * rng.standard_normal(its[population].shape, np.float32)
                  for name, its in rates.items()}  # fmt: skip
        read = [predictions(traces[fitted_to][:, -1], traces, its) for its in (labels, *features.values())]
        for row, name in enumerate(traces):
            true = [accuracy(p[name], its) for p, its in zip(read, (labels, *features.values()), strict=True)]
            chance = [accuracy(p[name], its) for p, its in zip(read, orders, strict=True)]
            for kind, part in enumerate((slice(0, 1), slice(1, None))):
                accuracies, limit = np.mean(true[part], axis=0), threshold(np.mean(chance[part], axis=0))
                decoded["accuracy"][row, kind, column] = accuracies
                decoded["threshold"][row, kind, column] = limit
                decoded["latency"][row, kind, column] = latency(times, accuracies, limit)
    return decoded


def latency_where_held(decoded: dict[str, np.ndarray], populations: list[int], last: int = 10) -> np.ndarray:
    """Latency of each kind of information at the population that holds it best at the end of perception.

    As a recording of all populations at once would find it, which is dominated by where there is most to be read.

    Parameters
    ----------
    decoded : dict of ndarray
        Of `decoded_in_time`; the first condition is perception.
    populations : list of int
        Among which to look.
    last : int
        Times over which the accuracy in perception is averaged.

    Returns
    -------
    ndarray, shape (n_conditions, 2)
    """
    held = decoded["accuracy"][0][:, populations, -last:].mean(axis=-1).argmax(axis=1)
    return np.stack([decoded["latency"][:, kind, populations[at]] for kind, at in enumerate(held)], axis=1)


def order_of_latencies(latencies: np.ndarray) -> float:
    """Kendall's tau-b of latency and level: 1 where information climbs, -1 where it descends.

    Parameters
    ----------
    latencies : ndarray, shape (n_populations,)
        From the lowest population to the highest; NaN where information never appears.

    Returns
    -------
    float
        Over populations that have a latency; NaN where there are fewer than two, or all are the same.
    """
    from scipy.stats import kendalltau

    seen = np.flatnonzero(~np.isnan(latencies))
    if len(seen) < 2 or len(set(latencies[seen])) < 2:
        return float("nan")
    return float(kendalltau(seen, latencies[seen]).statistic)

"""Learning curves over seeds: mean, interval, and how many presentations a level takes."""

import itertools
from collections import defaultdict
from collections.abc import Iterable

import numpy as np
from scipy.stats import t as student

from cortex_model.errors import RunError
from cortex_model.runs.directory import RunDirectory


def grouped(directories: Iterable[RunDirectory], *parameters: str) -> dict[tuple, list[RunDirectory]]:
    """Run directories by the values of some parameters, in the order in which the values appear.

    Raises
    ------
    RunError
        If a run has no such parameter.
    """
    groups = defaultdict(list)
    for directory in directories:
        given = directory.description()["parameters"]
        missing = [name for name in parameters if name not in given]
        if missing:
            raise RunError(
                f"{directory.path.name}: must be a run with the parameter {missing[0]} (got none); leave it out."
            )
        groups[tuple(given[name] for name in parameters)].append(directory)
    return dict(groups)


def learning_curve(directories: list[RunDirectory], measure: str, over: str) -> dict[str, np.ndarray]:
    """One measure against another, over runs that differ in their seed; averaged over what else it has.

    Parameters
    ----------
    directories : list of RunDirectory
        Finished runs of one setting. A parameter that one of them does not have, because it was made before there
        was such a parameter, is not compared.
    measure, over : str
        Names in ``measures.nc``: what is shown, and against what (``wake_presentations``).

    Returns
    -------
    curve : dict
        ``over``, shape (n_looks,), the mean where seeds differ in it (spikes sent); ``values``, shape (n_seeds,
        n_looks), averaged over feedback projections where the measure has a number for each; ``mean``, ``low`` and
        ``high`` of `mean_and_interval`, shape (n_looks,).

    Raises
    ------
    RunError
        If a run has no such measure, or the runs differ in more than their seed.
    """
    check_same_parameters(directories)
    rows, places = [], []
    for directory in directories:
        measures = directory.measures()
        for name in (measure, over):
            if name not in measures:
                raise RunError(f"{directory.path.name}: must hold the measure {name} (got none); run it anew.")
        rows.append(measures[measure].mean([*measures[measure].dims[1:]]).values)
        places.append(measures[over].values)
    mean, low, high = mean_and_interval(rows)
    is_same = all(np.array_equal(places[0], each) for each in places)
    return {
        "over": places[0] if is_same else np.mean(places, axis=0),
        "values": np.array(rows),
        "mean": mean,
        "low": low,
        "high": high,
    }


def check_same_parameters(directories: Iterable[RunDirectory], only: Iterable[str] = ()) -> None:
    """Raise unless runs have the same parameters: all of them, or only those that are named.

    A parameter that a run does not have, because it was made before there was such a parameter, is not compared.

    Raises
    ------
    RunError
        With the first parameter that differs, and both values.
    """
    known: dict = {}
    for directory in directories:
        given = directory.description()["parameters"]
        for name in [name for name in given if name in only or not only]:
            first, before = known.setdefault(name, (directory, given[name]))
            if before != given[name]:
                raise RunError(
                    f"{directory.path.name}: must have the {name} of {first.path.name} "
                    f"(got {shown(given[name])} and {shown(before)}); draw runs with the same {name}."
                )


def shown(value) -> str:
    """The value of a parameter as it is typed."""
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def mean_and_interval(
    values: np.ndarray, confidence: float = 0.95, least: float = -np.inf
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean over seeds, and its interval by Student's t.

        mean -+ t_{n-1} s / sqrt(n)

    where n is the number of seeds and s their standard deviation (n - 1 in the denominator). Student's t, not a
    bootstrap, because with the three to ten seeds of a simulation a bootstrap interval is far too narrow. With
    one seed there is no interval: low and high are NaN.

    Parameters
    ----------
    values : ndarray, shape (n_seeds, ...)
    confidence : float
    least : float
        What the quantity cannot be below, where the interval is cut: 0 for a count, a time or an error.

    Returns
    -------
    mean, low, high : ndarray, shape (...)
    """
    values = np.asarray(values, float)
    n, mean = len(values), np.mean(values, axis=0)
    if n == 1:
        return mean, np.full_like(mean, np.nan), np.full_like(mean, np.nan)
    half = student.ppf(0.5 + confidence / 2, n - 1) * np.std(values, axis=0, ddof=1) / np.sqrt(n)
    return mean, np.maximum(mean - half, least), mean + half


def bootstrap_interval(values: np.ndarray, confidence: float = 0.95) -> tuple[float, float]:
    """Interval of the mean over seeds by the percentile bootstrap, over all n^n resamples where they are few.

    With few seeds it is too narrow (for 5 it holds the true mean about 83 times in 100, not 95), which is why
    figures and tables show `mean_and_interval`; it is kept beside that in every table's CSV.

    Parameters
    ----------
    values : ndarray, shape (n_seeds,)
    confidence : float

    Returns
    -------
    low, high : float
        NaN for one seed.

    Notes
    -----
    Source: B. Efron, "Bootstrap methods: another look at the jackknife", Annals of Statistics 7 (1979).
    """
    values = np.asarray(values, float)
    n = len(values)
    if n == 1:
        return float("nan"), float("nan")
    if n <= 6:
        resampled = values[np.array(list(itertools.product(range(n), repeat=n)))]
    else:
        resampled = np.random.default_rng(0).choice(values, (20_000, n))
    edges = 50 * (1 - confidence), 50 * (1 + confidence)
    low, high = np.percentile(resampled.mean(axis=1), edges, method="inverted_cdf")
    return float(low), float(high)


def presentations_to_level(presentations: np.ndarray, errors: np.ndarray, level: float) -> float:
    """Presentations after which the error first is at ``level`` or below; NaN if it never is.

    Between the last look above the level and the first one that is not, a straight line is drawn.

    Parameters
    ----------
    presentations, errors : ndarray, shape (n_looks,)
    level : float
    """
    reached = np.flatnonzero(np.asarray(errors) <= level)
    if len(reached) == 0:
        return float("nan")
    after = reached[0]
    if after == 0:
        return float(presentations[0])
    before = after - 1
    return float(np.interp(-level, -errors[[before, after]], presentations[[before, after]]))


def with_interval(values: np.ndarray, form: str = ".3g", least: float = -np.inf) -> str:
    """Numbers of several seeds as text; the mean alone for one seed.

    ``mean [low, high], t(2)``: `mean_and_interval`, and the degrees of freedom of its Student's t, which are few.
    """
    mean, low, high = mean_and_interval(values, least=least)
    if len(values) == 1:
        return f"{mean:{form}}"
    return f"{mean:{form}} [{low:{form}}, {high:{form}}], {students_t(len(values))}"


def students_t(n_seeds: int) -> str:
    """What the interval over so many seeds is made with: ``t(2)`` for three, Student's t with 2 degrees of freedom."""
    return f"t({n_seeds - 1})"


def meaning_of_bands(n_seeds: Iterable[int]) -> str:
    """What a band or a bar shows, for the numbers of seeds that a figure has."""
    kinds = ", ".join(f"n = {n}, {students_t(n)}" if n > 1 else "n = 1, no interval" for n in sorted(set(n_seeds)))
    return f"mean and 95 % interval over seeds ({kinds})"


def straightness(presentations: np.ndarray, distances: np.ndarray, low: float, high: float) -> float:
    """R^2 of a straight line through log(distance) against presentations, between two distances.

    1 for an exponential. NaN where fewer than three looks lie between ``low`` and ``high``.
    """
    inside = (np.asarray(distances) > low) & (np.asarray(distances) < high)
    if inside.sum() < 3:
        return float("nan")
    return float(np.corrcoef(presentations[inside], np.log(distances[inside]))[0, 1] ** 2)

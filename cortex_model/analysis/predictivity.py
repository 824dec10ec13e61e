"""Neural predictivity: how well a population's rates predict recorded units on images that the fit has not seen.

Yamins et al. (2014) PNAS 111:8619. For each unit, a linear map from the rates is fitted on four fifths of the images
and predicts the other fifth; the score is Pearson's r between predicted and recorded, averaged over the five parts, and
divided by what the recording's own noise allows,

    r / sqrt(reliability),    reliability = 2 r_h / (1 + r_h)

where r_h correlates the means over two halves of the repeats (Spearman-Brown).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from cortex_model.errors import ParameterError

N_FOLDS = 5
N_HALVES = 100
RIDGE_PENALTIES = np.logspace(-1, 6, 15)
PLS_COMPONENTS = 25


def _ridge(rates: np.ndarray):
    from sklearn.linear_model import RidgeCV

    return RidgeCV(RIDGE_PENALTIES, alpha_per_target=True)


def _pls(rates: np.ndarray):
    from sklearn.cross_decomposition import PLSRegression

    # Beyond the rank of the rates components are rounding errors: a reconstruction has the rank of what is above it.
    return PLSRegression(max(1, min(PLS_COMPONENTS, int(np.linalg.matrix_rank(rates)))), scale=False)


#: Metric -> rates to be fitted -> a regression. The ridge's penalty is chosen within the training images, by leaving
#: one out, for each unit; partial least squares has 25 components, as in Yamins et al., or as many as the rates' rank.
PREDICTIVITY_METRICS: dict[str, Callable] = {"ridge": _ridge, "pls": _pls}


def predictivity(rates: np.ndarray, responses: np.ndarray, metric: str = "ridge", seed: int = 0) -> np.ndarray:
    """Cross-validated correlation of each unit with what the rates predict of it; not corrected for noise.

    Parameters
    ----------
    rates : ndarray, shape (n_stimuli, n_features)
        Standardised on the training images of each part.
    responses : ndarray, shape (n_units, n_stimuli)
        Means over repeats.
    metric : str
        A key of `PREDICTIVITY_METRICS`.
    seed : int
        Of the parts into which images are divided.

    Returns
    -------
    r : ndarray, shape (n_units,)
        0 in a part where the prediction, or the response, does not vary.

    Raises
    ------
    ParameterError
        For an unknown metric, or fewer than ten images.
    """
    from sklearn.model_selection import KFold
    from sklearn.preprocessing import StandardScaler

    if metric not in PREDICTIVITY_METRICS:
        known = ", ".join(PREDICTIVITY_METRICS)
        raise ParameterError(f"metric: must be one of {known} (got {metric!r}); choose one of them.")
    n_stimuli = len(rates)
    if n_stimuli < 2 * N_FOLDS:
        raise ParameterError(
            f"predictivity.stimuli: must be at least {2 * N_FOLDS} (got {n_stimuli}); use RSA for so few images."
        )
    parts = []
    for fitted, held_out in KFold(N_FOLDS, shuffle=True, random_state=seed).split(rates):
        scaler = StandardScaler().fit(rates[fitted])
        known = scaler.transform(rates[fitted])
        model = PREDICTIVITY_METRICS[metric](known)
        model.fit(known, responses[:, fitted].T)
        predicted = np.asarray(model.predict(scaler.transform(rates[held_out]))).reshape(len(held_out), -1)
        parts.append(correlations(predicted.T, responses[:, held_out]))
    return np.mean(parts, axis=0)


def split_half_reliability(responses: np.ndarray, seed: int = 0, n_halves: int = N_HALVES) -> np.ndarray:
    """Reliability of the mean response of each unit: Spearman-Brown, averaged over random halves.

    The repeats of each stimulus are divided into two halves of equal size; of an odd number one is left out.

    Parameters
    ----------
    responses : ndarray, shape (n_units, n_stimuli, n_repeats)
        NaN for missing repeats.
    seed : int
    n_halves : int
        Random divisions.

    Returns
    -------
    reliability : ndarray, shape (n_units,)

    Raises
    ------
    ParameterError
        If some stimulus has fewer than two repeats.
    """
    n_repeats = (~np.isnan(responses)).sum(axis=2)
    if n_repeats.min() < 2:
        raise ParameterError(
            f"split_half_reliability.responses: must have two repeats of each stimulus (got {n_repeats.min()}); "
            "leave the scores uncorrected."
        )
    generator, halves = np.random.default_rng(seed), n_repeats[..., None] // 2
    corrected = []
    for _ in range(n_halves):
        order = np.where(np.isnan(responses), 2.0, generator.random(responses.shape)).argsort(axis=2).argsort(axis=2)
        first = np.where(order < halves, responses, 0.0).sum(axis=2) / halves[..., 0]
        second = np.where((order >= halves) & (order < 2 * halves), responses, 0.0).sum(axis=2) / halves[..., 0]
        r = correlations(first, second)
        corrected.append(2 * r / (1 + r))
    return np.mean(corrected, axis=0)


def correlations(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Pearson's r of each row of one with that of the other; 0 where one of them is constant."""
    one, other = (rows - rows.mean(axis=1, keepdims=True) for rows in (one, other))
    scale = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    return np.where(scale > 1e-12, (one * other).sum(axis=1) / np.where(scale > 1e-12, scale, 1.0), 0.0)


def resampled_medians(values: np.ndarray, n_resamples: int = 1000, seed: int = 0) -> np.ndarray:
    """Medians over units drawn with replacement, shape (n_resamples,); the same seed draws the same units."""
    drawn = np.random.default_rng(seed).integers(len(values), size=(n_resamples, len(values)))
    return np.median(values[drawn], axis=1)

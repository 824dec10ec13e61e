"""Representational similarity analysis (RSA) through rsatoolbox: RDMs, their likeness, noise ceiling, intervals.

Kriegeskorte, Mur & Bandettini (2008) Front. Syst. Neurosci. 2:4; Nili et al. (2014) PLoS Comput. Biol. 10:e1003553;
Schuett et al. (2023) eLife 12:e82566.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cortex_model.errors import ParameterError

#: Metric -> its name in rsatoolbox. The corrected cosine is whitened by the covariance of an RDM's entries.
RSA_METRICS = {"spearman": "spearman", "kendall_tau_a": "tau-a", "corrected_cosine": "cosine_cov"}
#: Resamples unless another number is given; the corrected cosine takes twenty times longer than Spearman's rho.
DEFAULT_RESAMPLES = {"spearman": 1000, "kendall_tau_a": 300, "corrected_cosine": 100}


@dataclass(frozen=True, eq=False)
class Likeness:
    """How alike RDMs are to those of subjects.

    Attributes
    ----------
    by_subject : ndarray, shape (n_rows, n_subjects)
    resampled : ndarray, shape (n_resamples, n_rows)
        Means over resampled subjects, on resampled stimuli.
    """

    by_subject: np.ndarray
    resampled: np.ndarray

    @property
    def scores(self) -> np.ndarray:
        """Means over subjects, shape (n_rows,)."""
        return self.by_subject.mean(axis=1)

    @property
    def intervals(self) -> np.ndarray:
        """95 % of the resamples, shape (n_rows, 2); NaN for a row without any."""
        bounds = np.full((self.resampled.shape[1], 2), np.nan)
        defined = ~np.isnan(self.resampled).all(axis=0)
        bounds[defined] = np.nanquantile(self.resampled[:, defined], (0.025, 0.975), axis=0).T
        return bounds


def correlation_rdm(rates: np.ndarray) -> np.ndarray:
    """The RDM of a population: 1 - r, where r is Pearson's correlation of two stimuli over its units.

    Parameters
    ----------
    rates : ndarray, shape (n_stimuli, n_units)

    Returns
    -------
    rdm : ndarray, shape (n_stimuli, n_stimuli)
        NaN for a stimulus that all units answer alike.
    """
    deviations = rates - rates.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(deviations, axis=1)
    lengths[lengths <= 1e-12 * np.abs(rates).max(initial=0)] = np.nan
    unit_vectors = deviations / lengths[:, None]
    rdm = 1 - unit_vectors @ unit_vectors.T
    rdm = (rdm + rdm.T) / 2
    np.fill_diagonal(rdm, np.where(np.isnan(lengths), np.nan, 0.0))
    return rdm


def rdms_of(matrices: np.ndarray):
    """Square matrices as the RDMs of rsatoolbox."""
    from rsatoolbox.rdm import RDMs

    return RDMs(np.ascontiguousarray(matrices, float))


def noise_ceiling(rdms: np.ndarray, metric: str = "spearman") -> tuple[float, float] | None:
    """How alike an RDM can be to those of subjects, given how they differ (Nili et al. 2014).

    Lower: each subject against the mean of the others; upper: against the mean of all; both averaged over subjects.
    For Spearman's rho the RDMs are ranked and their mean is taken as it is: no other RDM correlates better with the
    ranks of all. (rsatoolbox ranks the mean once more, which for human IT gives 0.372 to 0.666, here 0.377 to 0.672.)
    For the other metrics the mean is that of rsatoolbox.

    Parameters
    ----------
    rdms : ndarray, shape (n_subjects, n_stimuli, n_stimuli)
    metric : str
        A key of `RSA_METRICS`.

    Returns
    -------
    lower, upper : float
        Or None for a single subject.
    """
    from rsatoolbox.inference import boot_noise_ceiling
    from rsatoolbox.rdm.transform import rank_transform

    method, measured = checked_metric(metric), rdms_of(rdms)
    if len(rdms) < 2:
        return None
    if method == "spearman":
        method, measured = "corr", rank_transform(measured)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Noise ceiling for tau based on averaged ranks")
        lower, upper = boot_noise_ceiling(measured, method)
    return float(lower), float(upper)


def likeness(
    candidates: np.ndarray,
    rdms: np.ndarray,
    metric: str = "spearman",
    n_resamples: int | None = None,
    seed: int = 0,
    report: Callable[[int, int, str], None] = lambda *_: None,
) -> Likeness:
    """How alike each candidate is to the RDMs of the subjects, with a bootstrap over stimuli and subjects.

    A resample draws stimuli, and subjects if there are several, with replacement; pairs of one and the same stimulus
    are left out. The same seed draws the same resamples, whatever the candidates: their differences are paired. Both
    at once make intervals that are rather too wide than too narrow (Schuett et al. 2023).

    Parameters
    ----------
    candidates : ndarray, shape (n_rows, n_stimuli, n_stimuli)
    rdms : ndarray, shape (n_subjects, n_stimuli, n_stimuli)
    metric : str
        A key of `RSA_METRICS`.
    n_resamples : int, optional
        As in `DEFAULT_RESAMPLES` unless given.
    seed : int
    report : callable, optional
        (resamples done, in all, what is going on) -> None.

    Returns
    -------
    Likeness
        NaN for a candidate with an undefined dissimilarity.

    Raises
    ------
    ParameterError
        For an unknown metric or a count below 1.
    """
    from rsatoolbox.rdm import compare

    method = checked_metric(metric)
    n_resamples = DEFAULT_RESAMPLES[metric] if n_resamples is None else n_resamples
    if n_resamples < 1:
        raise ParameterError(f"likeness.n_resamples: must be at least 1 (got {n_resamples}); take 1000.")
    defined = np.isfinite(candidates).all(axis=(1, 2))
    by_subject = np.full((len(candidates), len(rdms)), np.nan)
    resampled = np.full((n_resamples, len(candidates)), np.nan)
    if not defined.any():
        return Likeness(by_subject, resampled)
    rows, subjects = rdms_of(candidates[defined]), rdms_of(rdms)
    by_subject[defined] = compare(rows, subjects, method)
    generator = np.random.default_rng(seed)
    n_subjects, n_stimuli = len(rdms), rdms.shape[1]
    for n in range(n_resamples):
        stimuli = generator.integers(n_stimuli, size=n_stimuli)
        chosen = generator.integers(n_subjects, size=n_subjects)
        if len(np.unique(stimuli)) > 2:
            drawn, counts = np.unique(chosen, return_counts=True)
            likely = compare(
                rows.subsample_pattern("index", stimuli),
                subjects.subset("index", drawn).subsample_pattern("index", stimuli),
                method,
            )
            resampled[n, defined] = likely @ counts / n_subjects
        report(n + 1, n_resamples, metric)
    return Likeness(by_subject, resampled)


def checked_metric(metric: str) -> str:
    """The metric's name in rsatoolbox.

    Raises
    ------
    ParameterError
        If there is no such metric.
    """
    if metric not in RSA_METRICS:
        raise ParameterError(f"metric: must be one of {', '.join(RSA_METRICS)} (got {metric!r}); choose one of them.")
    return RSA_METRICS[metric]

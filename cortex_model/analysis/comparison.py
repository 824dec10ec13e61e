"""A trained hierarchy beside a recording: every population, what feedback reconstructs, and baselines, in one table.

The recording's images are shown to the hierarchy (`shown_images`); with RDMs the answer is how alike the populations'
RDMs are (`rsa`), with responses how well the populations' rates predict each unit (`predictivity`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from cortex_model.analysis import predictivity as predicting
from cortex_model.analysis import rsa
from cortex_model.analysis.gabor_energies import gabor_energies
from cortex_model.analysis.shown_images import population_rates, prepared, reconstructions
from cortex_model.datasets import RDMRecording, Recording
from cortex_model.errors import ParameterError
from cortex_model.weights import Weights

METRICS = (*rsa.RSA_METRICS, *predicting.PREDICTIVITY_METRICS)
KINDS = ("population", "reconstruction", "untrained", "baseline", "published", "shuffled")
Report = Callable[[int, int, str], None]


@dataclass(frozen=True, eq=False)
class Row:
    """One line of a comparison.

    Attributes
    ----------
    name : str
    kind : {"population", "reconstruction", "untrained", "baseline", "published", "shuffled"}
    score : float
    interval : tuple of float
        95 %, by bootstrap.
    values : ndarray, shape (n_subjects,) or (n_units,)
        Of which the score is the mean, or the median.
    resampled : ndarray, shape (n_resamples,)
        Scores of the resamples, the same ones in every row.
    rdm : ndarray, optional, shape (n_stimuli, n_stimuli)
    """

    name: str
    kind: str
    score: float
    interval: tuple[float, float]
    values: np.ndarray
    resampled: np.ndarray
    rdm: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Comparison:
    """What was compared with what.

    Attributes
    ----------
    recording, metric : str
    noise_ceiling : tuple of float or None
        Lower and upper; None where a recording does not tell it.
    rows : list of Row
    notes : tuple of str
        How images were prepared, and what else a reader must know.
    value_names : tuple of str
        Names of subjects or units.
    reliability : ndarray or None
        Of each unit, where responses were corrected.
    measured : ndarray or None
        The recording's RDM, averaged over subjects.
    """

    recording: str
    metric: str
    noise_ceiling: tuple[float, float] | None
    rows: list[Row]
    notes: tuple[str, ...]
    value_names: tuple[str, ...]
    reliability: np.ndarray | None = None
    measured: np.ndarray | None = None

    def row(self, name: str) -> Row:
        """The row of that name."""
        return next(row for row in self.rows if row.name == name)

    def uncorrected(self, row: Row) -> float:
        """The median of r itself, where scores are corrected by the reliability of units."""
        return float(np.median(row.values * np.sqrt(self.reliability)))

    def as_arrays(self, prefix: str) -> dict[str, tuple]:
        """Everything but the notes as run directories keep it: name -> (dimensions, values, unit)."""
        row, value, name = f"{prefix}_row", f"{prefix}_value", f"{prefix}_"
        arrays = {
            "row_name": ([row], np.array([each.name for each in self.rows]), "name"),
            "row_kind": ([row], np.array([each.kind for each in self.rows]), "name"),
            "value_name": ([value], np.array(self.value_names), "name"),
            "score": ([row], np.array([each.score for each in self.rows]), "1"),
            "interval": ([row, "bound"], np.array([each.interval for each in self.rows]), "1"),
            "values": ([row, value], np.array([each.values for each in self.rows]), "1"),
            "resampled": ([row, "resample"], np.array([each.resampled for each in self.rows], np.float32), "1"),
            "noise_ceiling": (["bound"], np.array(self.noise_ceiling or (np.nan, np.nan)), "1"),
        }
        if self.reliability is not None:
            arrays["reliability"] = ([value], self.reliability, "1")
        pair = [f"{prefix}_stimulus", f"{prefix}_other_stimulus"]
        if self.measured is not None:
            arrays["measured_rdm"] = (pair, self.measured.astype(np.float32), "1")
            arrays["rdm"] = ([row, *pair], np.array([each.rdm for each in self.rows], np.float32), "1")
        return {name + key: array for key, array in arrays.items()}

    def in_short(self, prefix: str) -> dict[str, Any]:
        """Scores by kind of row, and the noise ceiling, as a summary keeps them."""
        kinds = {kind: [_plain(row.score) for row in self.rows if row.kind == kind] for kind in KINDS}
        ceiling = {"noise_ceiling": [_plain(each) for each in self.noise_ceiling]} if self.noise_ceiling else {}
        return {f"{prefix}_{name}": scores for name, scores in (kinds | ceiling).items() if scores}

    def as_json(self) -> dict[str, Any]:
        """``recording metric noise_ceiling rows notes``, of plain numbers; undefined ones are None."""
        rows = [
            {"name": row.name, "score": _plain(row.score), "interval": [_plain(each) for each in row.interval]}
            | ({} if self.reliability is None else {"uncorrected": _plain(self.uncorrected(row))})
            for row in self.rows
        ]
        ceiling = [_plain(each) for each in self.noise_ceiling or (np.nan, np.nan)]
        head = {"recording": self.recording, "metric": self.metric, "noise_ceiling": ceiling}
        return head | {"rows": rows, "notes": list(self.notes)}


def prefix_of(recording: Recording) -> str:
    """A recording's name as the beginning of names of arrays."""
    return re.sub(r"\W+", "_", recording.name)


def default_metric(recording: Recording) -> str:
    """``spearman`` for RDMs, ``ridge`` for responses."""
    return "spearman" if isinstance(recording, RDMRecording) else "ridge"


def compare(
    weights: Weights,
    start: Weights,
    parameters: Any,
    recording: Recording,
    metric: str,
    n_resamples: int | None = None,
    seed: int = 0,
    report: Report = lambda *_: None,
) -> Comparison:
    """Compare a hierarchy with a recording.

    Parameters
    ----------
    weights : Weights
        After learning.
    start : Weights
        With which learning began: the untrained hierarchy.
    parameters : SleepWakeParameters
        Of the run; with a dataset of images.
    recording : RDMRecording or ResponseRecording
        Responses are compared by RSA too, through the RDM of their means (1 - r over units).
    metric : str
        A name in `METRICS`.
    n_resamples : int, optional
        Of the bootstrap; by metric unless given.
    seed : int
        Of resamples, of the parts of cross-validation, of halves, and of the shuffled control.
    report : callable, optional

    Returns
    -------
    Comparison

    Raises
    ------
    ParameterError
        For an unknown metric, or predictivity of RDMs, which hold no responses.
    """
    if metric not in METRICS:
        raise ParameterError(f"--metric: must be one of {', '.join(METRICS)} (got {metric!r}); choose one of them.")
    if metric not in rsa.RSA_METRICS and isinstance(recording, RDMRecording):
        raise ParameterError(
            f"--metric: must be one of {', '.join(rsa.RSA_METRICS)} for a recording of RDMs "
            f"(got {metric!r}, which needs responses); choose one of them."
        )
    representations, sentence = representations_of(weights, start, parameters, recording)
    notes = (sentence, *recording.notes)
    if metric in rsa.RSA_METRICS:
        return _by_rsa(recording, metric, representations, notes, n_resamples, seed, report)
    return _by_predictivity(recording, metric, representations, notes, n_resamples, seed, report)


def representations_of(weights: Weights, start: Weights, parameters: Any, recording: Recording):
    """Kind and rates of everything that is compared, by name, and how the images were prepared.

    Returns
    -------
    representations : dict of str to (str, ndarray of shape (n_stimuli, n_units))
    sentence : str
    """
    p = parameters
    stimuli, sentence = prepared(recording.images, p)
    shown = {f"population {k}": ("population", h) for k, h in population_rates(weights, p, stimuli).items()}
    shown |= {
        f"reconstruction of population {k}" if k else "reconstruction of the input": ("reconstruction", r)
        for k, r in reconstructions(weights, p, stimuli).items()
    }
    shown |= {f"untrained, population {k}": ("untrained", h) for k, h in population_rates(start, p, stimuli).items()}
    shown |= {
        "pixels (the input)": ("baseline", stimuli),
        "Gabor energies": ("baseline", gabor_energies(recording.images)),
    }
    return shown, sentence


def _by_rsa(recording, metric, representations, notes, n_resamples, seed, report) -> Comparison:
    """RDMs of everything, and of the recording; how alike."""
    if isinstance(recording, RDMRecording):
        measured, subjects, published = recording.rdms, recording.subjects, recording.models
    else:
        measured, subjects = rsa.correlation_rdm(recording.mean_responses.T)[None], ("mean responses",)
        published = {}
        notes += (f"The recording's RDM is 1 - r over {len(recording.units)} units, of means over repeats.",)
    rdms = {name: (kind, rsa.correlation_rdm(rates)) for name, (kind, rates) in representations.items()}
    notes += _undefined(rdms, recording.stimulus_names)
    rdms |= {name: ("published", rdm) for name, rdm in published.items()}
    found = rsa.likeness(np.stack([rdm for _, rdm in rdms.values()]), measured, metric, n_resamples, seed, report)
    rows = [
        Row(name, kind, float(score), tuple(map(float, interval)), values, resampled, rdm)
        for (name, (kind, rdm)), score, interval, values, resampled in zip(
            rdms.items(), found.scores, found.intervals, found.by_subject, found.resampled.T, strict=True
        )
    ]
    resampled = "stimuli and subjects" if len(measured) > 1 else "stimuli"
    notes += (f"RDMs are 1 - r over units; intervals: 95 % of {len(found.resampled)} resamples of {resampled}.",)
    ceiling = rsa.noise_ceiling(measured, metric)
    return Comparison(recording.name, metric, ceiling, rows, notes, tuple(subjects), None, measured.mean(axis=0))


def _undefined(rdms: dict[str, tuple[str, np.ndarray]], names: tuple[str, ...]) -> tuple[str, ...]:
    """Which rows have no score, and the stimuli that all their units answer alike."""
    found = {}
    for row, (_, rdm) in rdms.items():
        if blank := tuple(name for name, alike in zip(names, np.isnan(np.diag(rdm)), strict=True) if alike):
            found.setdefault(blank, []).append(row)
    return tuple(
        f"Undefined, because all units answer {', '.join(blank)} alike: {'; '.join(rows)}."
        for blank, rows in found.items()
    )


def _by_predictivity(recording, metric, representations, notes, n_resamples, seed, report) -> Comparison:
    """Each unit predicted from everything, corrected by its reliability where there are repeats."""
    responses, reliability, kept = recording.mean_responses, None, np.ones(len(recording.units), bool)
    if recording.has_repeats:
        reliability = predicting.split_half_reliability(recording.responses, seed)
        kept = reliability > 0
        notes += (
            "Scores are medians over units of r / sqrt(reliability); split-half reliability, Spearman-Brown, has the "
            f"median {np.median(reliability):.3f}; {int((~kept).sum())} units without any were left out.",
        )
    else:
        notes += ("Scores are medians over units of r, not corrected: there are too few repeats to split in halves.",)
    if not kept.any():
        raise ParameterError(
            f"{recording.name}.responses: must be reliable in at least one unit (got none); check the repeats."
        )
    order = np.random.default_rng(seed).permutation(recording.n_stimuli)
    asked = dict(representations)
    for name, (kind, rates) in representations.items():
        if kind in ("population", "baseline"):
            asked[f"{name}, shuffled"] = ("shuffled", rates[order])
    divisor = 1.0 if reliability is None else np.sqrt(reliability[kept])
    rows, n_resamples = [], 1000 if n_resamples is None else n_resamples
    for n, (name, (kind, rates)) in enumerate(asked.items()):
        report(n, len(asked), name)
        values = predicting.predictivity(rates, responses[kept], metric, seed) / divisor
        resampled = predicting.resampled_medians(values, n_resamples, seed)
        interval = tuple(map(float, np.quantile(resampled, (0.025, 0.975))))
        rows.append(Row(name, kind, float(np.median(values)), interval, values, resampled))
    report(len(asked), len(asked), metric)
    notes += (f"Five-fold cross-validation; intervals: 95 % of {n_resamples} resamples of units.",)
    units = tuple(unit for unit, keep in zip(recording.units, kept, strict=True) if keep)
    ceiling = None if reliability is None else (1.0, 1.0)
    return Comparison(
        recording.name, metric, ceiling, rows, notes, units, None if reliability is None else reliability[kept]
    )


def _plain(number: float) -> float | None:
    return round(float(number), 6) if np.isfinite(number) else None

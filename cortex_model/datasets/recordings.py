"""Recordings of brains that saw images: dissimilarities or responses, checked when they are made; no files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from cortex_model.errors import DatasetError

FEWEST_STIMULI = 4
#: Two entries of an RDM that must be equal may differ by this part of the largest one.
SYMMETRY_TOLERANCE = 1e-5


@dataclass(frozen=True, eq=False)
class RDMRecording:
    """Representational dissimilarity matrices (RDMs) of one or many subjects.

    Parameters
    ----------
    name : str
    images : sequence of ndarray of uint8, each of shape (height, width) or (height, width, 3)
        What the subjects saw, in the order of the RDMs; sizes may differ.
    stimulus_names : tuple of str
    subjects : tuple of str
    rdms : ndarray, shape (n_subjects, n_stimuli, n_stimuli)
        Symmetric, zero on the diagonal; any measure of dissimilarity.
    models : dict of str to ndarray, shape (n_stimuli, n_stimuli)
        RDMs that were published beside these.
    notes : tuple of str
        What whoever reads a result must know, such as that a file had no checksum.

    Raises
    ------
    DatasetError
        If shapes do not fit, an RDM is not symmetric, not zero on its diagonal, constant or not finite, or if names
        of stimuli occur twice.
    """

    name: str
    images: Sequence[np.ndarray]
    stimulus_names: tuple[str, ...]
    subjects: tuple[str, ...]
    rdms: np.ndarray
    models: dict[str, np.ndarray] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __post_init__(self):
        rdms, where = self.rdms, f"{self.name}.rdms"
        if rdms.ndim != 3 or rdms.shape[1] != rdms.shape[2] or not len(rdms):
            raise _misfit(where, "have shape (subjects, stimuli, stimuli)", f"{rdms.shape}", "transpose or stack them")
        check_stimuli(self.name, self.images, self.stimulus_names, rdms.shape[1])
        if len(self.subjects) != len(rdms):
            raise _misfit(
                f"{self.name}.subjects", f"name {len(rdms)} subjects", str(len(self.subjects)), "name each RDM's once"
            )
        for subject, rdm in zip(self.subjects, rdms, strict=True):
            check_rdm(f"{where} of {subject}", rdm, self.stimulus_names)
        for model, rdm in self.models.items():
            if rdm.shape != rdms.shape[1:]:
                raise _misfit(f"{self.name}.models.{model}", f"have shape {rdms.shape[1:]}", f"{rdm.shape}", "mend it")
            check_rdm(f"{self.name}.models.{model}", rdm, self.stimulus_names)

    @property
    def n_stimuli(self) -> int:
        """Number of stimuli."""
        return len(self.stimulus_names)


@dataclass(frozen=True, eq=False)
class ResponseRecording:
    """Responses of recorded units to images, with or without repeats.

    Parameters
    ----------
    name : str
    images : sequence of ndarray of uint8, each of shape (height, width) or (height, width, 3)
        In the order of the responses; sizes may differ.
    stimulus_names : tuple of str
    units : tuple of str
    responses : ndarray, shape (n_units, n_stimuli, n_repeats)
        Spike counts, rates or any other number; NaN where a stimulus had fewer repeats.
    notes : tuple of str

    Raises
    ------
    DatasetError
        If shapes do not fit, a unit has no response to a stimulus, responds to all alike, or if names of stimuli
        occur twice.
    """

    name: str
    images: Sequence[np.ndarray]
    stimulus_names: tuple[str, ...]
    units: tuple[str, ...]
    responses: np.ndarray
    notes: tuple[str, ...] = ()

    def __post_init__(self):
        responses, where = self.responses, f"{self.name}.responses"
        if responses.ndim != 3 or 0 in responses.shape:
            raise _misfit(
                where,
                "have shape (units, stimuli) or (units, stimuli, repeats)",
                f"{responses.shape}",
                "transpose them",
            )
        check_stimuli(self.name, self.images, self.stimulus_names, responses.shape[1])
        if len(self.units) != len(responses):
            raise _misfit(f"{self.name}.units", f"name {len(responses)} units", str(len(self.units)), "name each once")
        if np.isinf(responses).any():
            raise _misfit(where, "hold finite numbers, or NaN for missing repeats", "infinity", "mend them")
        silent = np.argwhere(np.isnan(responses).all(axis=2))
        if len(silent):
            unit, stimulus = silent[0]
            raise _misfit(
                where,
                "hold at least one repeat of each stimulus for each unit",
                f"none of {self.units[unit]} to {self.stimulus_names[stimulus]}",
                "leave out the unit or the stimulus",
            )
        constant = np.flatnonzero(np.ptp(self.mean_responses, axis=1) == 0)
        if len(constant):
            got = f"{self.units[constant[0]]} alike to all"
            raise _misfit(where, "differ between stimuli for each unit", got, "leave out that unit")

    @property
    def n_stimuli(self) -> int:
        """Number of stimuli."""
        return len(self.stimulus_names)

    @property
    def n_repeats(self) -> np.ndarray:
        """Repeats of each stimulus for each unit, shape (n_units, n_stimuli)."""
        return (~np.isnan(self.responses)).sum(axis=2)

    @property
    def has_repeats(self) -> bool:
        """Whether each unit has at least two repeats of each stimulus, so that it can be split in halves."""
        return bool(self.n_repeats.min() >= 2)

    @property
    def mean_responses(self) -> np.ndarray:
        """Responses averaged over repeats, shape (n_units, n_stimuli)."""
        return np.nanmean(self.responses, axis=2)


Recording = RDMRecording | ResponseRecording


def check_stimuli(name: str, images: Sequence, names: Sequence[str], n_stimuli: int) -> None:
    """See that there is one image and one name for each stimulus.

    Raises
    ------
    DatasetError
        If it is not so, a name occurs twice, or there are fewer than four stimuli.
    """
    counts = {"images": len(images), "stimulus_names": len(names)}
    for what, count in counts.items():
        if count != n_stimuli:
            raise _misfit(
                f"{name}.{what}",
                f"be {n_stimuli}, one for each stimulus of the recording",
                str(count),
                "give the images of the recording, no more and no fewer, or name the stimuli in the recording",
            )
    if n_stimuli < FEWEST_STIMULI:
        raise _misfit(f"{name}.stimuli", f"be at least {FEWEST_STIMULI}", str(n_stimuli), "record more")
    if twice := sorted({each for each in names if list(names).count(each) > 1}):
        raise _misfit(f"{name}.stimulus_names", "each occur once", f"{twice[0]!r} more than once", "rename or average")
    for image, each in zip(images, names, strict=True):
        is_image = image.dtype == np.uint8 and (image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 3))
        if not is_image:
            got = f"{image.dtype} of shape {image.shape} for {each}"
            raise _misfit(f"{name}.images", "be uint8, (height, width) or (height, width, 3)", got, "convert them")


def check_rdm(where: str, rdm: np.ndarray, names: Sequence[str]) -> None:
    """See that a square matrix is one of dissimilarities.

    Raises
    ------
    DatasetError
        If it is not finite, not symmetric, not zero on the diagonal, or constant.
    """
    if not np.isfinite(rdm).all():
        row, column = np.argwhere(~np.isfinite(rdm))[0]
        got = f"{rdm[row, column]} for {names[row]} and {names[column]}"
        raise _misfit(where, "hold a finite dissimilarity for each pair", got, "leave out those stimuli")
    allowed = SYMMETRY_TOLERANCE * np.abs(rdm).max()
    row, column = np.unravel_index(np.abs(rdm - rdm.T).argmax(), rdm.shape)
    if abs(rdm[row, column] - rdm[column, row]) > allowed:
        got = f"{rdm[row, column]:g} and {rdm[column, row]:g} for {names[row]} and {names[column]}"
        raise _misfit(where, "be symmetric", got, "average it with its transpose, or correct it")
    worst = int(np.abs(np.diag(rdm)).argmax())
    if abs(rdm[worst, worst]) > allowed:
        got = f"{rdm[worst, worst]:g} for {names[worst]}"
        raise _misfit(where, "be zero on the diagonal", got, "give dissimilarities, such as 1 - r, not similarities")
    upper = rdm[np.triu_indices(len(rdm), 1)]
    if np.ptp(upper) == 0:
        raise _misfit(where, "differ between pairs", f"{upper[0]:g} for all", "check where it comes from")


def _misfit(where: str, must: str, got: str, advice: str) -> DatasetError:
    return DatasetError(f"{where}: must {must} (got {got}); {advice}.")

"""Recordings of brains that saw images: dissimilarities or responses, checked when they are made; no files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from cortex_model.datasets.user_files import misfit

FEWEST_STIMULI = 4
#: Two entries of an RDM that must be equal may differ by this part of the largest one.
SYMMETRY_TOLERANCE = 1e-5
#: Larger numbers overflow where they are squared or summed.
LARGEST = 1e100


@dataclass(frozen=True, eq=False)
class RDMRecording:
    """Representational dissimilarity matrices (RDMs) of one or many subjects.

    Parameters
    ----------
    name : str
    images : sequence of ndarray of uint8 or uint16, each of shape (height, width) or (height, width, 3)
        What the subjects saw, in the order of the RDMs; sizes may differ.
    stimulus_names : tuple of str
    subjects : tuple of str
    rdms : ndarray, shape (n_subjects, n_stimuli, n_stimuli)
        Symmetric, zero on the diagonal (NaN there is taken as 0, with a note); any measure of dissimilarity.
    models : dict of str to ndarray, shape (n_stimuli, n_stimuli)
        RDMs that were published beside these.
    notes : tuple of str
        What whoever reads a result must know, such as that a file had no checksum.

    Raises
    ------
    DatasetError
        If shapes do not fit, an RDM is not symmetric, not zero on its diagonal, constant, not finite or huge, or if
        names of stimuli occur twice.
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
            raise misfit(where, "have shape (subjects, stimuli, stimuli)", f"{rdms.shape}", "transpose or stack them")
        check_stimuli(self.name, self.images, self.stimulus_names, rdms.shape[1])
        if len(self.subjects) != len(rdms):
            raise misfit(
                f"{self.name}.subjects", f"name {len(rdms)} subjects", str(len(self.subjects)), "name each RDM's once"
            )
        for model, rdm in self.models.items():
            if rdm.shape != rdms.shape[1:]:
                raise misfit(f"{self.name}.models.{model}", f"have shape {rdms.shape[1:]}", f"{rdm.shape}", "mend it")
        models = {model: with_zero_diagonal(rdm) for model, rdm in self.models.items()}
        measured = with_zero_diagonal(rdms)
        for subject, rdm in zip(self.subjects, measured, strict=True):
            check_rdm(f"{where} of {subject}", rdm, self.stimulus_names)
        for model, rdm in models.items():
            check_rdm(f"{self.name}.models.{model}", rdm, self.stimulus_names)
        is_changed = measured is not rdms or any(models[model] is not rdm for model, rdm in self.models.items())
        notes = (*self.notes, *notes_on_levels(self.images, self.stimulus_names))
        notes += ("NaN on the diagonal of RDMs was taken as 0.",) if is_changed else ()
        for name, value in (("rdms", measured), ("models", models), ("notes", notes)):
            object.__setattr__(self, name, value)

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
    images : sequence of ndarray of uint8 or uint16, each of shape (height, width) or (height, width, 3)
        In the order of the responses; sizes may differ.
    stimulus_names : tuple of str
    units : tuple of str
    responses : ndarray, shape (n_units, n_stimuli, n_repeats)
        Spike counts, rates or any other number; NaN where a stimulus had fewer repeats.
    notes : tuple of str

    Raises
    ------
    DatasetError
        If shapes do not fit, a unit has no response to a stimulus or an infinite or huge one, responds to all alike,
        or if names of stimuli occur twice.
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
            raise misfit(
                where,
                "have shape (units, stimuli) or (units, stimuli, repeats)",
                f"{responses.shape}",
                "transpose them",
            )
        check_stimuli(self.name, self.images, self.stimulus_names, responses.shape[1])
        if len(self.units) != len(responses):
            raise misfit(f"{self.name}.units", f"name {len(responses)} units", str(len(self.units)), "name each once")
        if np.isinf(responses).any():
            raise misfit(where, "hold finite numbers, or NaN for missing repeats", "infinity", "mend them")
        check_size(where, responses)
        silent = np.argwhere(np.isnan(responses).all(axis=2))
        if len(silent):
            unit, stimulus = silent[0]
            raise misfit(
                where,
                "hold at least one repeat of each stimulus for each unit",
                f"none of {self.units[unit]} to {self.stimulus_names[stimulus]}",
                "leave out the unit or the stimulus",
            )
        constant = np.flatnonzero(np.ptp(self.mean_responses, axis=1) == 0)
        if len(constant):
            got = f"{self.units[constant[0]]} alike to all"
            raise misfit(where, "differ between stimuli for each unit", got, "leave out that unit")
        object.__setattr__(self, "notes", (*self.notes, *notes_on_levels(self.images, self.stimulus_names)))

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
            raise misfit(
                f"{name}.{what}",
                f"be {n_stimuli}, one for each stimulus of the recording",
                str(count),
                "give the images of the recording, no more and no fewer, or name the stimuli in the recording",
            )
    if n_stimuli < FEWEST_STIMULI:
        raise misfit(f"{name}.stimuli", f"be at least {FEWEST_STIMULI}", str(n_stimuli), "record more")
    if twice := sorted({each for each in names if list(names).count(each) > 1}):
        raise misfit(f"{name}.stimulus_names", "each occur once", f"{twice[0]!r} more than once", "rename or average")
    for image, each in zip(images, names, strict=True):
        is_image = image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 3)
        if not (is_image and image.size and image.dtype in (np.uint8, np.uint16)):
            got = f"{image.dtype} of shape {image.shape} for {each}"
            must = "be uint8 or uint16, (height, width) or (height, width, 3)"
            raise misfit(f"{name}.images", must, got, "convert them")


def notes_on_levels(images: Sequence[np.ndarray], names: Sequence[str]) -> tuple[str, ...]:
    """What a reader must know of the levels of images: which have one only, and how bright those of 16 bits are."""
    notes = ()
    if blank := [name for name, image in zip(names, images, strict=True) if (image == image[0, 0]).all()]:
        notes += (f"Images of one grey level or colour: {', '.join(blank)}.",)
    if deep := [image.max() for image in images if image.dtype == np.uint16]:
        notes += (f"The brightest level of images of 16 bits is {max(deep)} of 65535.",)
    return notes


def with_zero_diagonal(rdms: np.ndarray) -> np.ndarray:
    """RDMs with 0 where their diagonals are NaN; the same array where they are not."""
    diagonal = np.eye(rdms.shape[-1], dtype=bool) & np.isnan(rdms)
    return np.where(diagonal, 0.0, rdms) if diagonal.any() else rdms


def check_size(where: str, array: np.ndarray) -> None:
    """See that numbers are not so large that they overflow.

    Raises
    ------
    DatasetError
        If one is.
    """
    if (largest := np.nanmax(np.abs(array), initial=0)) > LARGEST:
        raise misfit(where, f"hold numbers below {LARGEST:g} in size", f"{largest:g}", "change their unit")


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
        raise misfit(where, "hold a finite dissimilarity for each pair", got, "leave out those stimuli")
    check_size(where, rdm)
    allowed = SYMMETRY_TOLERANCE * np.abs(rdm).max()
    row, column = np.unravel_index(np.abs(rdm - rdm.T).argmax(), rdm.shape)
    if abs(rdm[row, column] - rdm[column, row]) > allowed:
        got = f"{rdm[row, column]:g} and {rdm[column, row]:g} for {names[row]} and {names[column]}"
        raise misfit(where, "be symmetric", got, "average it with its transpose, or correct it")
    worst = int(np.abs(np.diag(rdm)).argmax())
    if abs(rdm[worst, worst]) > allowed:
        got = f"{rdm[worst, worst]:g} for {names[worst]}"
        raise misfit(where, "be zero on the diagonal", got, "give dissimilarities, such as 1 - r, not similarities")
    upper = rdm[np.triu_indices(len(rdm), 1)]
    if np.ptp(upper) == 0:
        raise misfit(where, "differ between pairs", f"{upper[0]:g} for all", "check where it comes from")

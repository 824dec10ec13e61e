"""Which axis of an array is which, where a file does not say it: the number of stimuli decides, or a sentence asks."""

from __future__ import annotations

import numpy as np

from cortex_model.datasets.recordings import FEWEST_STIMULI, SYMMETRY_TOLERANCE
from cortex_model.datasets.user_files import misfit

RDM_SHAPES = "(n, n), (subjects, n, n), (n, n, subjects) or condensed (subjects, n(n-1)/2)"
RESPONSE_SHAPES = "(units, stimuli) or (units, stimuli, repeats)"


def rdms_of(where: str, array: np.ndarray, n_stimuli: int) -> tuple[np.ndarray, tuple[str, ...]]:
    """RDMs of shape (subjects, n, n) from any of the shapes that a file may have, and what was guessed.

    Raises
    ------
    DatasetError
        If it is none of them, or several.
    """
    readings = _rdm_readings(array)
    if not readings:
        raise misfit(where, f"have shape {RDM_SHAPES}", array.shape, "reshape it")
    fitting = {name: rdms for name, rdms in readings.items() if rdms.shape[1] == n_stimuli}
    if len(fitting) > 1:
        fitting = {name: rdms for name, rdms in fitting.items() if _are_symmetric(rdms)} or fitting
    found = [*(fitting or readings).items()]
    if len(fitting) > 1 and any(not np.array_equal(found[0][1], rdms, equal_nan=True) for _, rdms in found[1:]):
        must = f"tell subjects from stimuli or pairs, with {n_stimuli} stimuli"
        got = f"{array.shape}, which may be {' or '.join(fitting)}"
        raise misfit(where, must, got, "give one file a subject, or NetCDF, which names dimensions")
    name, rdms = found[0]
    notes = (f"{where}, of shape {array.shape}, was read as {name}.",) if len(readings) > 1 and fitting else ()
    mirrored = np.stack([_mirrored(rdm) for rdm in rdms]) if len(rdms) else rdms
    if not np.array_equal(mirrored, rdms, equal_nan=True):
        notes += (f"{where} holds one triangle only: it was mirrored.",)
    return mirrored, notes


def responses_of(
    where: str, array: np.ndarray, n_stimuli: int, are_axes_named: bool
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Responses of shape (units, stimuli, repeats), and what was guessed.

    Raises
    ------
    DatasetError
        If it is another shape, or an RDM.
    """
    notes, shape = (), array.shape
    if array.ndim not in (2, 3) or 0 in shape:
        raise misfit(where, f"have shape {RESPONSE_SHAPES}", shape, "reshape it")
    if array.ndim == 2 and shape[0] == shape[1] and _are_symmetric(array[None]) and np.any(array != array[0, 0]):
        got = f"a symmetric matrix of shape {shape} that is zero on its diagonal"
        raise misfit(where, "be responses", got, "give kind rdm")
    if not are_axes_named and n_stimuli in shape:
        if shape[1] != n_stimuli and array.ndim == 2:
            array = array.T
            notes = (f"{where}, of shape {shape}, was transposed, because there are {n_stimuli} stimuli.",)
        elif shape[1] != n_stimuli:
            got = f"{shape} and {n_stimuli} stimuli"
            raise misfit(where, "have shape (units, stimuli, repeats)", got, "transpose it")
        elif shape.count(n_stimuli) > 1:
            read = RESPONSE_SHAPES.split(" or ")[array.ndim - 2]
            notes = (f"{where}, of shape {shape}, was read as {read}: several axes are as long as the stimuli.",)
    return array.reshape(*array.shape[:2], -1), notes


def _rdm_readings(array: np.ndarray) -> dict[str, np.ndarray]:
    """Every meaning that a shape may have, the usual one first."""
    readings = {}
    if array.ndim == 2 and array.shape[0] == array.shape[1]:
        readings["(n, n)"] = array[None]
    if array.ndim == 3 and array.shape[1] == array.shape[2]:
        readings["(subjects, n, n)"] = array
    if array.ndim == 3 and array.shape[0] == array.shape[1]:
        readings["(n, n, subjects)"] = np.moveaxis(array, 2, 0)
    condensed = {"(subjects, pairs)": np.atleast_2d(array), "(pairs, subjects)": np.atleast_2d(array).T}
    for name, vectors in condensed.items() if array.ndim in (1, 2) else ():
        n = round((1 + np.sqrt(1 + 8 * vectors.shape[1])) / 2)
        if (
            n >= FEWEST_STIMULI
            and n * (n - 1) // 2 == vectors.shape[1]
            and (array.ndim == 2 or name == "(subjects, pairs)")
        ):
            readings[name] = _uncondensed(vectors, n)
    return readings


def _uncondensed(vectors: np.ndarray, n: int) -> np.ndarray:
    """Square matrices from their upper triangles, row by row."""
    rows, columns = np.triu_indices(n, 1)
    rdms = np.zeros((len(vectors), n, n))
    rdms[:, rows, columns] = rdms[:, columns, rows] = vectors
    return rdms


def _are_symmetric(rdms: np.ndarray) -> bool:
    """Whether matrices are symmetric, and zero or undefined on their diagonals."""
    with np.errstate(all="ignore"):
        allowed = SYMMETRY_TOLERANCE * np.nanmax(np.abs(rdms), initial=0)
        differ = np.abs(rdms - rdms.transpose(0, 2, 1)) > allowed
        return not differ.any() and not (np.abs(np.diagonal(rdms, axis1=1, axis2=2)) > allowed).any()


def _mirrored(rdm: np.ndarray) -> np.ndarray:
    """A matrix with one triangle from the other where it has none of its own."""
    lower = np.tril_indices(len(rdm), -1)
    for empty, full in ((rdm, rdm.T), (rdm.T, rdm)):
        if len(lower[0]) and np.isnan(empty[lower]).all() and not np.isnan(full[lower]).any():
            whole = np.array(empty)
            whole[lower] = full[lower]
            return whole if empty is rdm else whole.T
    return rdm

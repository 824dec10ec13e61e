"""What a user hands over: rows of stimuli, labels or target rates, and numbers of presentations."""

from typing import Any

import numpy as np

from cortex_model.errors import ParameterError
from cortex_model.parameters import LARGEST, checked_number
from cortex_model.schedule.stimuli import checked_rows, one_hot


def stimuli_of(X: Any, n: int, where: str, dtype: str = "float64") -> np.ndarray:
    """Stimuli as rows, shape (n_stimuli, n).

    Raises
    ------
    ParameterError
        For another shape, no row at all, or numbers that are not finite.
    """
    rows = checked_rows(where, "stimuli", X, n, dtype)
    if not len(rows):
        raise ParameterError(f"{where}: stimuli must be at least one row (got none); give some.")
    return rows


def targets_of(y: Any, n: int, n_stimuli: int, where: str, dtype: str = "float64") -> np.ndarray:
    """Target rates, shape (n_stimuli, n), of labels (one number a stimulus, from 0 on) or of target rates.

    Raises
    ------
    ParameterError
        If they are neither, or not as many as the stimuli.
    """
    given = np.asarray(y)
    if given.ndim == 1:
        given = one_hot(y, n) if n > 1 else given[:, None]
    rows = checked_rows(where, "targets", given, n, dtype)
    if len(rows) != n_stimuli:
        raise ParameterError(
            f"{where}: labels or targets must be as many as the stimuli (got {len(rows)} for {n_stimuli} stimuli); "
            "give each stimulus its own."
        )
    return rows


def count(number: Any, where: str, what: str) -> int:
    """A number of presentations or epochs, at least 1."""
    return checked_number(where, number, LARGEST, what)

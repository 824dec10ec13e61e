"""What wake and evaluation present: rows of stimuli, each with its target."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from cortex_model.errors import ParameterError, in_short
from cortex_model.parameters import checked_number
from cortex_model.system.memory import must_fit

#: More classes than any one-hot code of them would fit into memory.
MOST_CLASSES = 1_000_000


@dataclass(frozen=True)
class Stimuli:
    """What wake and evaluation present.

    Attributes
    ----------
    wake, evaluation : tuple of ndarray
        (stimuli, targets): shapes (n_stimuli, n_0) and (n_stimuli, n_L).
    """

    wake: tuple[np.ndarray, np.ndarray] | None = None
    evaluation: tuple[np.ndarray, np.ndarray] | None = None

    def checked(self, layer_sizes: tuple[int, ...], dtype: str = "float64") -> "Stimuli":
        """These stimuli as arrays, if they fit a hierarchy.

        Parameters
        ----------
        layer_sizes : tuple of int
        dtype : str
            Precision of the hierarchy, which must be able to hold every number.

        Raises
        ------
        ParameterError
            Where stimuli and targets are not equally many rows of finite numbers, one for each neuron of the input
            population, or of the top one.
        """
        return Stimuli(*(_checked_pair(phase, getattr(self, phase), layer_sizes, dtype)
                         for phase in ("wake", "evaluation")))  # fmt: skip


def _checked_pair(phase, given, layer_sizes, dtype):
    if given is None:
        return None
    if not isinstance(given, tuple | list) or len(given) != 2:
        got = f"{len(given)} of them" if isinstance(given, tuple | list) else type(given).__name__
        raise ParameterError(
            f"Stimuli.{phase}: must be a pair of arrays, (stimuli, targets) (got {got}); give both in one tuple."
        )
    stimuli = checked_rows(f"Stimuli.{phase}", "stimuli", given[0], layer_sizes[0], dtype)
    targets = checked_rows(f"Stimuli.{phase}", "targets", given[1], layer_sizes[-1], dtype)
    if len(stimuli) != len(targets):
        raise ParameterError(
            f"Stimuli.{phase}: stimuli and targets must be equally many, row by row (got {len(stimuli)} stimuli and "
            f"{len(targets)} targets); give each stimulus its target."
        )
    return stimuli, targets


def checked_rows(where: str, what: str, given: Any, n: int, dtype: str) -> np.ndarray:
    """Stimuli or targets as an array, if they are rows of ``n`` finite numbers that ``dtype`` can hold.

    Raises
    ------
    ParameterError
        If they are not.
    """
    try:
        rows = np.asarray(given)
    except ValueError:
        rows = np.array(None)  # rows of different lengths
    if rows.dtype.kind not in "biuf" or np.ma.is_masked(given):
        got = "masked elements" if np.ma.is_masked(given) else f"{type(given).__name__} of {rows.dtype}"
        raise ParameterError(f"{where}: {what} must be an array of real numbers (got {got}); convert it.")
    if rows.ndim != 2:
        more = "one_hot makes targets of labels" if what == "targets" and rows.ndim == 1 else "reshape it"
        raise ParameterError(
            f"{where}: {what} must have two dimensions, (n_stimuli, {n}), one row a stimulus "
            f"(got shape {rows.shape}); {more}."
        )
    if rows.shape[1] != n:
        more = "transpose it: a stimulus is a row" if len(rows) == n else "change layer_sizes or the dataset"
        raise ParameterError(
            f"{where}: {what} must have {n} elements, one for each neuron of the "
            f"{'input' if what == 'stimuli' else 'top'} population (got {rows.shape[1]}); {more}."
        )
    limit = np.finfo(dtype).max
    if rows.size and not (rows.min() >= -limit and rows.max() <= limit):
        row, element = np.argwhere(~(np.abs(rows) <= limit))[0]
        value, named = rows[row, element], "stimulus" if what == "stimuli" else "the target of stimulus"
        more = f"{dtype} cannot hold it; rescale it" if np.isfinite(value) else "check its source"
        got = "NaN" if np.isnan(value) else f"{value:g}"
        raise ParameterError(
            f"{where}: {named} {row} must hold finite numbers (got {got} at element {element}); {more}."
        )
    return rows


def one_hot(labels: Any, n_classes: int) -> np.ndarray:
    """Labels as target rates: 1 for the class, 0 for the others.

    Parameters
    ----------
    labels : array_like, shape (n_stimuli,)
        Whole numbers, 0 for the first class.
    n_classes : int

    Returns
    -------
    targets : ndarray, shape (n_stimuli, n_classes)

    Raises
    ------
    ParameterError
        For a label that is none of 0 ... n_classes - 1.
    """
    n_classes = checked_number("one_hot.n_classes", n_classes, MOST_CLASSES)
    if np.ma.is_masked(labels):
        raise ParameterError("one_hot.labels: must be known for every stimulus (got masked ones); leave those out.")
    given, all_of_them = np.asarray(labels), f"whole numbers from 0 to {n_classes - 1}"
    if given.ndim != 1:
        raise ParameterError(
            f"one_hot.labels: must have one dimension, a label for each stimulus (got shape {given.shape}); "
            "flatten it with numpy.ravel."
        )
    is_number = given.dtype.kind in "biuf"
    wrong = ~np.isin(given, np.arange(n_classes)) if is_number else np.ones(len(given), bool)
    if wrong.any():
        at = int(wrong.argmax())
        more = f"give the number of each class, of {n_classes}"
        if is_number and given.min() == 1 and given.max() == n_classes:
            more = "subtract 1, because these labels count from 1, as MATLAB does"
        elif is_number and given[at] == n_classes:
            more = "subtract 1 if the labels count from 1, as MATLAB does"
        got = f"{given[at]:g}" if is_number else in_short(given.tolist()[at])
        raise ParameterError(f"one_hot.labels: must be {all_of_them} (got {got} for stimulus {at}); {more}.")
    must_fit(8.0 * n_classes * len(given), "one_hot", "give fewer labels, or classes that are fewer")
    targets = np.zeros((len(given), n_classes))
    targets[np.arange(len(given)), given.astype(np.int64)] = 1
    return targets

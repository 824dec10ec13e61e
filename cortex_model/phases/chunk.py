"""One chunk of a schedule as the arrays that a device is handed."""

from dataclasses import dataclass

import numpy as np

from cortex_model.equations import GATES
from cortex_model.errors import ParameterError
from cortex_model.phases.schedule import DESCENDING, EVALUATION, KINDS, RETURNING, WAKE, Schedule


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

    def checked(self, layer_sizes: tuple[int, ...]) -> "Stimuli":
        """These stimuli, if they fit a hierarchy.

        Raises
        ------
        ParameterError
            Where the number of stimulus elements or target elements is not that of the populations.
        """
        for phase in ("wake", "evaluation"):
            for what, array, n in zip(
                ("stimuli", "targets"), getattr(self, phase) or (), (layer_sizes[0], layer_sizes[-1]), strict=False
            ):
                if array.shape[1] != n:
                    raise ParameterError(
                        f"Stimuli.{phase}: {what} must have {n} elements, one for each neuron of the "
                        f"{'input' if what == 'stimuli' else 'top'} population (got {array.shape[1]}); "
                        "change layer_sizes or the dataset."
                    )
        return self


def one_hot(labels: np.ndarray, n_classes: int) -> np.ndarray:
    """Labels as target rates: 1 for the class, 0 for the others; shape (n_stimuli, n_classes)."""
    return np.eye(n_classes)[labels]


def chunk_arrays(schedule: Schedule, first: int, last: int, stimuli: Stimuli, parameters) -> dict[str, np.ndarray]:
    """Arrays for slots ``first`` ... ``last - 1``: schedule columns, and the rows of stimuli and targets they show.

    Returns
    -------
    arrays : dict
        ``schedule.*`` of length ``chunk_presentations`` (unused slots are closed), ``stimuli.rate``,
        ``targets.rate``, and the numbers ``now.slot``, ``now.n_slots``, ``now.first_slot``.
    """
    capacity, sizes = parameters.chunk_presentations, parameters.layer_sizes
    kind, stimulus = schedule.kind[first:last], schedule.stimulus[first:last]
    n = last - first
    shown, evaluated = np.flatnonzero(stimulus >= 0), np.flatnonzero(kind == EVALUATION)

    def column(values, at=slice(0, n)):
        padded = np.zeros(capacity, np.int32)
        padded[at] = values
        return padded

    arrays = {
        "schedule.presentation": column(schedule.presentation[first:last]),
        "schedule.descending": column(np.isin(kind, (DESCENDING, RETURNING))),
        "schedule.stimulus_row": column(np.arange(len(shown)), shown),
        "schedule.readout_row": column(np.arange(len(evaluated)), evaluated),
    }
    for gate in GATES:
        is_open = np.array([gate in schedule.gates.get(k, ()) for k in range(len(KINDS))])
        arrays[f"schedule.{gate}"] = column(is_open[kind])
    for name, part, size in (("stimuli", 0, sizes[0]), ("targets", 1, sizes[-1])):
        rows = np.zeros((capacity, size), parameters.dtype)
        for phase, value in (("wake", WAKE), ("evaluation", EVALUATION)):
            mask = kind[shown] == value
            if mask.any():
                rows[: len(shown)][mask] = getattr(stimuli, phase)[part][stimulus[shown[mask]]]
        arrays[f"{name}.rate"] = rows.ravel()
    return arrays | {"now.slot": 0, "now.n_slots": n, "now.first_slot": first}

"""One chunk of a schedule as the arrays that a device is handed."""

import numpy as np

from cortex_model.equations import gates_of
from cortex_model.phases.ensemble import Ensemble
from cortex_model.phases.kinds import DESCENDING, RETURNING, SHOWN
from cortex_model.phases.stimuli import Stimuli, one_hot

__all__ = ["Stimuli", "answers", "chunk_arrays", "one_hot", "stimulus_arrays"]


def stimulus_arrays(stimuli: Stimuli, parameters) -> dict[str, np.ndarray]:
    """Everything that can be shown, once for all chunks: the stimuli of wake, then those of evaluation.

    Returns
    -------
    arrays : dict
        ``stimuli.rate`` and ``targets.rate``, row by row; one silent row where there is nothing to show.
    """
    arrays = {}
    for part, (name, size) in enumerate(
        (("stimuli", parameters.layer_sizes[0]), ("targets", parameters.layer_sizes[-1]))
    ):
        given = [phase[part] for phase in (stimuli.wake, stimuli.evaluation) if phase is not None]
        arrays[f"{name}.rate"] = np.concatenate([*given] or [np.zeros((1, size))]).astype(parameters.dtype, copy=False)
    return arrays


def chunk_arrays(ensemble: Ensemble, first: int, last: int, stimuli: Stimuli, parameters) -> dict[str, np.ndarray]:
    """Arrays for slots ``first`` ... ``last - 1``: columns of the schedule, and which rows each network shows.

    Returns
    -------
    arrays : dict
        ``schedule.*`` with one row a slot (``stimulus_row``: one for each network and stimulus of a batch), room for
        what is answered in evaluation (``readout.rate``), and where the chunk begins and ends.
    """
    schedule, n_networks = ensemble.schedule, len(ensemble.schedules)
    kind, n = schedule.kind[first:last], last - first
    is_answered = schedule.gate("record_gate")[first:last]
    n_wake = 0 if stimuli.wake is None else len(stimuli.wake[0])
    rows = ensemble.stimulus(first, last) + n_wake * np.isin(kind, SHOWN["evaluation"])[:, None, None]
    arrays = {
        "schedule.presentation": schedule.presentation[first:last],
        "schedule.descending": np.isin(kind, (DESCENDING, RETURNING)),
        "schedule.readout_row": np.maximum(np.cumsum(is_answered) - 1, 0),
        "schedule.stimulus_row": np.maximum(rows, 0),
    }
    for gate in gates_of(parameters.dynamics):
        arrays[f"schedule.{gate}"] = schedule.gate(gate)[first:last]
    n_answers = max(is_answered.sum(), 1) * n_networks * parameters.batch_size * parameters.layer_sizes[-1]
    arrays["readout.rate"] = np.zeros(n_answers, parameters.dtype)
    return arrays | {"now.slot": 0, "now.n_slots": n, "now.first_slot": first}


def answers(readout: np.ndarray, ensemble: Ensemble, first: int, last: int, parameters) -> list[np.ndarray]:
    """What each network's top population answered in the evaluation slots of a chunk, shape (n_evaluated, n_L)."""
    slots = np.flatnonzero(ensemble.schedule.gate("record_gate")[first:last])
    shape = (-1, len(ensemble.schedules), parameters.batch_size, parameters.layer_sizes[-1])
    rates, shown = readout.reshape(shape)[: len(slots)], ensemble.stimulus(first, last)[slots] >= 0
    return [rates[:, network][shown[:, network]] for network in range(len(ensemble.schedules))]

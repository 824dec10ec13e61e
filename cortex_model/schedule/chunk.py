"""One chunk of a schedule as the arrays that a device is handed."""

import numpy as np

from cortex_model.schedule.declared import ANSWER_GATE, SHOWN
from cortex_model.schedule.ensemble import Ensemble
from cortex_model.schedule.presentations import PHASES
from cortex_model.schedule.stimuli import Stimuli


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
    """Arrays for presentations ``first`` ... ``last - 1``: columns of the schedule, and what each network shows.

    Returns
    -------
    arrays : dict
        ``schedule.*`` with one row a slot (``stimulus_row`` and ``presentation``: one for each network and stimulus of
        a batch), room for what is answered in evaluation (``readout.rate``), and where the chunk begins and ends.
    """
    schedule, n_networks, size = ensemble.schedule, len(ensemble.schedules), parameters.batch_size
    presentation, _ = schedule.places_of_slots(first, last)
    at, phase = presentation - first, schedule.phase[presentation]
    is_answered = schedule.opened(ANSWER_GATE, first, last)
    n_wake = 0 if stimuli.wake is None else len(stimuli.wake[0])
    later = [number for number, name in enumerate(PHASES) if SHOWN.get(name) == "evaluation"]
    rows = ensemble.stimulus(first, last)[at] + n_wake * np.isin(phase, later)[:, None, None]
    numbers = ensemble.presentation(first, last)[at][:, :, None] + np.arange(size)
    arrays = {
        "schedule.readout_row": np.maximum(np.cumsum(is_answered) - 1, 0),
        "schedule.stimulus_row": np.maximum(rows, 0),
        "schedule.presentation": numbers,
    }
    if ensemble.declared.reads_age:
        arrays["schedule.age"] = ensemble.ages(first, last)[at][:, :, None] + np.arange(size)
    for gate in ensemble.declared.gates:
        arrays[f"schedule.{gate}"] = schedule.opened(gate, first, last)
    if n_networks > 1:
        for gate in ensemble.declared.own_gates:
            arrays[f"schedule.{own(gate)}"] = ensemble.opens_own(gate, first, last)
    for (_, _, level), name in ensemble.declared.events_counted.items():
        arrays[f"population_{level}.{name}"] = np.zeros(n_networks * size * parameters.layer_sizes[level], np.int32)
    n_answers = max(is_answered.sum(), 1) * n_networks * size * parameters.layer_sizes[-1]
    arrays["readout.rate"] = np.zeros(n_answers, parameters.dtype)
    now = {"now.slot": 0, "now.n_slots": len(presentation), "now.first_slot": schedule.n_slots_before(first)}
    return arrays | now


def own(gate: str) -> str:
    """Name of the variable that says, network by network, whether what a gate opens is the network's own."""
    return f"{gate.removesuffix('_gate')}_own"


def answers(readout: np.ndarray, ensemble: Ensemble, first: int, last: int, parameters) -> list[np.ndarray]:
    """What each network's top population answered in the evaluations of a chunk, shape (n_evaluated, n_L)."""
    schedule, networks = ensemble.schedule, range(len(ensemble.schedules))
    is_answered = schedule.opened(ANSWER_GATE, first, last)
    slots = np.flatnonzero(is_answered)
    shape = (-1, len(networks), parameters.batch_size, parameters.layer_sizes[-1])
    rates = readout.reshape(shape)[: len(slots)]
    at = schedule.places_of_slots(first, last)[0][slots] - first
    is_shown = ensemble.stimulus(first, last)[at] >= 0
    if len(networks) > 1:
        for network in networks:
            is_shown[:, network] &= ensemble.answers(network, first, last)[:, None]
    return [rates[:, network][is_shown[:, network]] for network in networks]

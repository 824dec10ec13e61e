"""Presentations that are traced: perception, recall, replay, and spikes of any phase."""

from typing import Any

import numpy as np

from cortex_model.errors import ParameterError, in_short
from cortex_model.language.sequence import repeats_of
from cortex_model.parameters import HierarchyParameters, checked_number
from cortex_model.schedule import EVALUATION, PERCEPTION, PHASES, RECALL, SLEEP, WAKE, Stimuli, declared
from cortex_model.traces.recording import CELLS, Shown, n_steps_of, recorded
from cortex_model.weights import Weights

#: Variable -> what it is, in files; of rates nothing more need be said.
MEANS = {
    "trace": "low-pass filtered forward spikes of both signs; 1: one spike of an ON cell each refractory period",
    **{f"{event}s": f"spikes of {cell} cells in the time step that ends then; 1: of the ON cell, -1: of the OFF cell, "
       "0: none" for event, cell in CELLS.items()},
}  # fmt: skip
#: More presentations of sleep than anybody looks at.
MOST_PRESENTATIONS = 100_000


def perception(
    parameters: HierarchyParameters,
    weights: Weights,
    stimuli: np.ndarray,
    *,
    device: str | None = None,
    codegen_target: str = "numpy",
):
    """Show stimuli for ``presentation_ms`` each, from rest, and trace every population.

    Parameters
    ----------
    parameters : HierarchyParameters
        With ``dynamics`` leaky or spiking. ``batch_size`` says how many stimuli are shown side by side: a matter of
        speed.
    weights : Weights
        Nothing learns.
    stimuli : ndarray, shape (n_stimuli, n_0)
        Held at the input population from the beginning.
    device : str, optional
        The fastest that can run here, unless given.
    codegen_target : {"numpy", "cython"}
        What the runtime device generates.

    Returns
    -------
    dataset : xarray.Dataset
        ``rate_l`` for every population l, and ``apical_drive_l`` (what feedback says of it, V_{l+1} h_{l+1}) for every
        one that feedback reaches; dimensions (stimulus, time, neuron_l). ``time`` is in seconds, the end of each step.
        In spikes, ``trace_l`` (low-pass filtered forward spikes) instead of rates, and the spikes: see `spikes`.

    Raises
    ------
    ParameterError
        In the settled mode, or for stimuli that do not fit.
    """
    shown = _rows(stimuli, parameters.layer_sizes[0], "perception.stimuli")
    return _traced(parameters, weights, shown, None, PERCEPTION, device, codegen_target)


def recall(
    parameters: HierarchyParameters,
    weights: Weights,
    top_states: np.ndarray,
    *,
    device: str | None = None,
    codegen_target: str = "numpy",
):
    """Give the top population states for ``presentation_ms`` each, from rest elsewhere, and trace every population.

    Parameters
    ----------
    parameters, weights, device, codegen_target
        See `perception`. Activity reaches the input where ``feedback_to_input`` is true.
    top_states : ndarray, shape (n_stimuli, n_L)
        What the top population sends from the beginning: rates, or drives.

    Returns
    -------
    dataset : xarray.Dataset
        As of `perception`.

    Raises
    ------
    ParameterError
        In the settled mode, for states that do not fit, or where there is no feedback.
    """
    if not parameters.feedback_layers:
        raise ParameterError(
            "recall.parameters: must have feedback projections (got layer_sizes "
            f"{','.join(map(str, parameters.layer_sizes))} without); set feedback_to_input=true."
        )
    shown = _rows(top_states, parameters.layer_sizes[-1], "recall.top_states")
    return _traced(parameters, weights, None, shown, RECALL, device, codegen_target)


def _rows(rows, n, where):
    rows = np.asarray(rows, float)
    if rows.ndim != 2 or rows.shape[1] != n or len(rows) == 0:
        raise ParameterError(
            f"{where}: must have shape (n_stimuli, {n}), one row a stimulus (got {rows.shape}); reshape it."
        )
    if not np.isfinite(rows).all():
        raise ParameterError(f"{where}: must hold finite numbers (got NaN or infinity); check its source.")
    return rows


def replay(
    parameters: HierarchyParameters,
    weights: Weights,
    cues: np.ndarray,
    *,
    device: str | None = None,
    codegen_target: str = "numpy",
):
    """Show each cue once, let the network go on by itself in a closed loop, and record every population step by step.

    Parameters
    ----------
    parameters : HierarchyParameters
        Of a learning rule that learns sequences, with ``dynamics="settled"``; ``replay_steps`` says how many steps.
    weights, device, codegen_target
        See `perception`.
    cues : ndarray, shape (n_cues, n_0)

    Returns
    -------
    dataset : xarray.Dataset
        ``rate_l`` for every population l, dimensions (stimulus, step, neuron_l), at the end of each step; that of the
        top one is what is predicted.

    Raises
    ------
    ParameterError
        For another learning rule, or cues that do not fit.
    """
    import xarray

    p, recall_of = parameters, declared(parameters).rule.phases.get("recall", ())
    if p.takes_time or not list(repeats_of(recall_of)):
        raise ParameterError(
            f"replay.parameters: must have a learning rule that repeats something in recall (got {p.learning_rule}); "
            "choose one that learns sequences."
        )
    shown = _rows(cues, p.layer_sizes[0], "replay.cues"), np.zeros((len(cues), p.layer_sizes[-1]))
    n_steps, variables = len(declared(p).slots("recall")), {level: ["rate"] for level in range(p.n_layers + 1)}
    dataset = xarray.Dataset(
        coords={"stimulus": np.arange(len(cues)), "step": np.arange(1, n_steps + 1)}, attrs={"description": "replay"}
    )
    of_cues = Shown(RECALL, len(cues), Stimuli(evaluation=shown), variables)
    return _filled(dataset, "step", recorded(p, weights, of_cues, device, codegen_target))


def spikes(
    parameters: HierarchyParameters,
    weights: Weights,
    phase: str,
    stimuli: np.ndarray | None = None,
    targets: np.ndarray | None = None,
    *,
    n_presentations: int = 1,
    seed: int = 0,
    device: str | None = None,
    codegen_target: str = "numpy",
):
    """Record every spike of presentations of one phase, such as a wake and a sleep presentation for a raster.

    Parameters
    ----------
    parameters : HierarchyParameters
        With ``dynamics="spiking"``.
    weights : Weights
        Each presentation begins with them; what it changes in them is not kept.
    phase : {"wake", "sleep", "evaluation", "perception", "recall"}
    stimuli : ndarray, shape (n_stimuli, n_0), optional
        Of all phases but sleep and recall.
    targets : ndarray, shape (n_stimuli, n_L), optional
        Of wake, and of recall: what the top population is to send.
    n_presentations : int
        Of sleep, where nothing is shown.
    seed : int
        Of noise, and of the phases at which cells begin.
    device, codegen_target
        See `perception`.

    Returns
    -------
    dataset : xarray.Dataset
        ``spikes_l``, of forward cells, and ``feedback_spikes_l``, of population l: 1 where the ON cell of a neuron
        sends a spike in a step, -1 where the OFF cell does, else 0; dimensions (stimulus, time, neuron_l). ``time`` is
        in seconds, the end of each step.

    Raises
    ------
    ParameterError
        For other dynamics, a phase that the learning rule does not have, or rows that do not fit.
    """
    p = parameters
    if p.dynamics != "spiking":
        raise ParameterError(
            f"Parameters.dynamics: must be spiking where spikes are recorded (got {p.dynamics}); set dynamics=spiking."
        )
    if phase not in declared(p).phases:
        raise ParameterError(
            f"spikes.phase: must be a phase of learning_rule {p.learning_rule} in spikes, "
            f"{', '.join(declared(p).phases)} (got {in_short(phase)}); choose one."
        )
    number, n = PHASES.index(phase), checked_number("spikes.n_presentations", n_presentations, MOST_PRESENTATIONS)
    rows = [_rows_of_phase(number, without, given, size, f"spikes.{name}") for name, given, size, without in (
        ("stimuli", stimuli, p.layer_sizes[0], (SLEEP, RECALL)),
        ("targets", targets, p.layer_sizes[-1], (SLEEP, EVALUATION, PERCEPTION)),
    )]  # fmt: skip
    n = n if number == SLEEP else max(len(its) for its in rows if its is not None)
    return _in_time(p, weights, Shown(number, n, _pair(p, n, number, *rows), {}, True, seed), device, codegen_target)


def _rows_of_phase(phase, without, rows, n, where):
    """Rows that a phase shows, where it shows them; None where it shows none."""
    if (rows is None) != (phase in without):
        must = "be given" if rows is None else "be left out"
        got, do = ("none", "give one row a stimulus") if rows is None else (np.shape(rows), "leave them out")
        raise ParameterError(f"{where}: must {must} in {PHASES[phase]} (got {got}); {do}.")
    return None if rows is None else _rows(rows, n, where)


def _traced(p, weights, stimuli, states, phase, device, codegen_target):
    if not p.takes_time:
        raise ParameterError(
            "Parameters.dynamics: must be leaky or spiking to be traced in time (got settled); set dynamics=leaky."
        )
    is_spiking = p.dynamics == "spiking"
    n = len(states if stimuli is None else stimuli)
    filtered = ["trace"] if is_spiking else ["rate"]
    reached = {l for l in range(len(p.layer_sizes)) if l + 1 in p.feedback_layers}
    variables = {l: [*filtered, "apical_drive"] if l in reached else filtered for l in range(len(p.layer_sizes))}
    shown = Shown(phase, n, _pair(p, n, phase, stimuli, states), variables, is_spiking)
    return _in_time(p, weights, shown, device, codegen_target)


def _pair(p, n, phase, stimuli, targets):
    """What a schedule of one phase shows; zeros where nothing is given."""
    pair = tuple(np.zeros((n, size)) if rows is None else rows
                 for rows, size in ((stimuli, p.layer_sizes[0]), (targets, p.layer_sizes[-1])))  # fmt: skip
    return Stimuli(wake=pair) if phase == WAKE else Stimuli(evaluation=pair)


def _in_time(p, weights, shown, device, codegen_target):
    """What is recorded, with the end of each time step."""
    import xarray

    time = np.arange(1, n_steps_of(p, shown.phase) + 1) * p.time_step_ms / 1000
    dataset = xarray.Dataset(
        coords={"stimulus": np.arange(shown.n), "time": ("time", time, {"units": "s"})},
        attrs={"description": PHASES[shown.phase], "time_step_ms": p.time_step_ms},
    )
    return _filled(dataset, "time", recorded(p, weights, shown, device, codegen_target))


def _filled(dataset, steps, arrays):
    """A dataset with what was recorded."""
    for name, values in arrays.items():
        variable, _, level = name.rpartition("_")
        attributes: dict[str, Any] = {"units": "1"} | ({"long_name": MEANS[variable]} if variable in MEANS else {})
        dataset[name] = ("stimulus", steps, f"neuron_{level}"), values, attributes
    return dataset

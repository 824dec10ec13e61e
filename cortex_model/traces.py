"""Perception and recall of a hierarchy in time, and replay, traced: rates of every population, stimulus by stimulus.

Perception holds a stimulus at the input and lets activity climb; recall holds a state at the top and lets activity
descend the feedback projections, h_{l-1} -> sigma(V_l h_l) (`cortex_model.theory.leaky`). Both need the leaky mode.
Replay shows a cue and then lets a network that has learned sequences go on by itself, in settled steps.
"""

from pathlib import Path
from typing import Any

import numpy as np

from cortex_model.devices.availability import default_device
from cortex_model.devices.simulation import Simulation
from cortex_model.errors import ParameterError
from cortex_model.language.sequence import repeats_of
from cortex_model.parameters import HierarchyParameters
from cortex_model.schedule import PERCEPTION, PHASES, RECALL, Stimuli, declared, trace_schedule
from cortex_model.system.arrays import read_arrays, write_netcdf
from cortex_model.system.memory import must_fit, product
from cortex_model.weights import Weights

#: What one chunk may record, in bytes.
CHUNK_BYTES = 2**28


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
        With ``dynamics="leaky"``. ``batch_size`` says how many stimuli are shown side by side: a matter of speed.
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

    Raises
    ------
    ParameterError
        Outside the leaky mode, or for stimuli that do not fit.
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
        Outside the leaky mode, for states that do not fit, or where there is no feedback.
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
    if p.is_leaky or not list(repeats_of(recall_of)):
        raise ParameterError(
            f"replay.parameters: must have a learning rule that repeats something in recall (got {p.learning_rule}); "
            "choose one that learns sequences."
        )
    shown = _rows(cues, p.layer_sizes[0], "replay.cues"), np.zeros((len(cues), p.layer_sizes[-1]))
    n_steps, variables = len(declared(p).slots("recall")), {level: ["rate"] for level in range(p.n_layers + 1)}
    dataset = xarray.Dataset(
        coords={"stimulus": np.arange(len(cues)), "step": np.arange(1, n_steps + 1)}, attrs={"description": "replay"}
    )
    for name, values in _recorded(p, weights, shown, RECALL, device, codegen_target, n_steps, variables).items():
        dataset[name] = ("stimulus", "step", f"neuron_{name.rpartition('_')[2]}"), values, {"units": "1"}
    return dataset


def check_traces(parameters: HierarchyParameters, n_stimuli: int, n_steps: int) -> None:
    """Refuse traces that memory does not hold: two variables of every neuron in every step.

    Raises
    ------
    ParameterError
        With the number of bytes.
    """
    p = parameters
    n_bytes = product(2 * n_stimuli, n_steps, sum(p.layer_sizes), np.dtype(p.dtype).itemsize)
    must_fit(n_bytes, "traces", f"trace fewer than {n_stimuli} stimuli, or fewer than {n_steps} steps of each")


def _traced(p, weights, stimuli, states, phase, device, codegen_target):
    import xarray

    if not p.is_leaky:
        raise ParameterError(
            "Parameters.dynamics: must be leaky to be traced in time (got settled); set dynamics=leaky."
        )
    n_stimuli = len(states if stimuli is None else stimuli)
    sizes = p.layer_sizes
    shown = tuple(np.zeros((n_stimuli, n)) if rows is None else rows
                  for rows, n in ((stimuli, sizes[0]), (states, sizes[-1])))  # fmt: skip
    variables = {l: ["rate", "apical_drive"] if l + 1 in p.feedback_layers else ["rate"] for l in range(len(sizes))}
    dataset = xarray.Dataset(
        coords={
            "stimulus": np.arange(n_stimuli),
            "time": ("time", np.arange(1, p.n_steps + 1) * p.time_step_ms / 1000, {"units": "s"}),
        },
        attrs={"description": PHASES[phase], "time_step_ms": p.time_step_ms},
    )
    for name, values in _recorded(p, weights, shown, phase, device, codegen_target, p.n_steps, variables).items():
        dataset[name] = ("stimulus", "time", f"neuron_{name.rpartition('_')[2]}"), values, {"units": "1"}
    return dataset


def _recorded(p, weights, shown, phase, device, codegen_target, n_steps, variables):
    """Name_l -> what variables of populations are in each slot of a phase, shape (n_stimuli, n_steps, n_l)."""
    check_traces(p, len(shown[0]), n_steps)
    recorded_bytes = 2 * p.batch_size * n_steps * sum(p.layer_sizes) * np.dtype(p.dtype).itemsize
    p = p.model_copy(update={"chunk_presentations": max(1, CHUNK_BYTES // recorded_bytes)})
    simulation, n_stimuli = Simulation(p, device or default_device(), codegen_target), len(shown[0])
    monitors = {
        (level, name): simulation.hierarchy.record(level, name, f"{PHASES[phase]}_gate")
        for level, names in variables.items()
        for name in names
    }
    simulation.run(trace_schedule(p, n_stimuli, phase), Stimuli(evaluation=shown), weights)
    found = {}
    for (level, name), monitor in monitors.items():
        n = p.layer_sizes[level]
        values = simulation.recorded(monitor)[name].reshape(p.batch_size, n, -1, n_steps)
        values = values.transpose(2, 0, 3, 1).reshape(-1, n_steps, n)[:n_stimuli]
        found[f"{name}_{level}"] = np.ascontiguousarray(values)
    return found


# ---------------------------------------------------------------------- files and other formats
def write_traces(dataset: Any, path: Path | str) -> None:
    """Write traces as NetCDF, with ``time`` in seconds."""
    write_netcdf(Path(path), dataset)


def read_traces(path: Path | str):
    """Traces that `write_traces` has written: an xarray.Dataset.

    Raises
    ------
    RunError
        If the file is missing or damaged.
    """
    return read_arrays(Path(path))


def to_neo(dataset: Any):
    """Traces as Neo objects: a Block with one Segment a stimulus, and in it one AnalogSignal a population and variable.

    Parameters
    ----------
    dataset : xarray.Dataset
        Of `perception` or `recall`.

    Returns
    -------
    block : neo.Block
        Signals have shape (time, neuron) and the names of the dataset's variables; they begin with its first ``time``.

    Raises
    ------
    ParameterError
        Where Neo is not installed.
    """
    try:
        import neo
        import quantities
    except ImportError:
        raise ParameterError(
            "to_neo: must find the package neo (got none); install it: pip install 'cortex-model[neo]'."
        ) from None
    block = neo.Block(name=dataset.attrs.get("description"))
    period = dataset.attrs["time_step_ms"] / 1000 * quantities.s
    start = float(dataset["time"][0]) * quantities.s
    for stimulus in dataset["stimulus"].values:
        segment = neo.Segment(name=f"stimulus {stimulus}", index=int(stimulus))
        for name, values in dataset.sel(stimulus=stimulus).data_vars.items():
            signal = neo.AnalogSignal(
                values.values, units=quantities.dimensionless, sampling_period=period, t_start=start, name=name
            )
            segment.analogsignals.append(signal)
        block.segments.append(segment)
    return block

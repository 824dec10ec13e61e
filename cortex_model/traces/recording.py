"""What is recorded of presentations of one phase: variables of populations, step by step, and spikes."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from cortex_model.devices.availability import default_device
from cortex_model.devices.simulation import Simulation
from cortex_model.language.moments import Fire
from cortex_model.parameters import HierarchyParameters
from cortex_model.schedule import PHASES, SLEEP, WAKE, Stimuli, declared, trace_schedule
from cortex_model.schedule.presentations import ByFunction
from cortex_model.system.memory import must_fit, product
from cortex_model.weights import Weights

#: What one chunk may record, in bytes.
CHUNK_BYTES = 2**28
#: Event -> what says of which sign a spike was; where a population has no such variable, spikes have one sign.
SIGNS = {"spike": "impulse", "feedback_spike": "feedback_impulse"}
#: Event -> what spikes of its cells are called in full.
CELLS = {"spike": "forward", "feedback_spike": "feedback"}


@dataclass(frozen=True)
class Shown:
    """Presentations of one phase that are recorded.

    Attributes
    ----------
    phase : int
    n : int
        How many stimuli.
    stimuli : Stimuli
    variables : dict of int to list of str
        Population -> the variables that are recorded of it, in each step.
    has_spikes : bool
        Whether its events are.
    seed : int
        Of noise, and of the phases at which cells begin.
    """

    phase: int
    n: int
    stimuli: Stimuli
    variables: dict[int, list[str]] = field(default_factory=dict)
    has_spikes: bool = False
    seed: int = 0


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


def n_steps_of(parameters: HierarchyParameters, phase: int) -> int:
    """Time steps of a presentation: slots up to the last one in which neurons can send spikes, else all."""
    own = declared(parameters)
    slots, gates = own.slots(PHASES[phase]), own.ordering.gates
    fire = {gate for event, gate in gates.items() if isinstance(event.moment, Fire)}
    return max((step for step, slot in enumerate(slots, 1) if slot & fire), default=len(slots))


def recorded(
    parameters: HierarchyParameters, weights: Weights, shown: Shown, device: str | None, codegen_target: str
) -> dict[str, np.ndarray]:
    """Name_l -> what is recorded of population l, shape (n_stimuli, n_steps, n_l); of spikes the sign, as int8.

    Every presentation of a phase that learns begins with the same weights, and those given stay as they are.
    """
    p, name, size = parameters, PHASES[shown.phase], parameters.batch_size
    n_slots, n_steps = len(declared(p).slots(name)), n_steps_of(p, shown.phase)
    check_traces(p, shown.n, n_steps)
    weights.check(p)
    stimuli = shown.stimuli.checked(p.layer_sizes, p.dtype)
    recorded_bytes = 2 * size * n_steps * sum(p.layer_sizes) * np.dtype(p.dtype).itemsize
    changed: dict[str, Any] = {"chunk_presentations": max(1, CHUNK_BYTES // recorded_bytes)}
    p = p.model_copy(update=changed | ({"interventions": ()} if hasattr(p, "interventions") else {}))
    simulation = Simulation(p, device or default_device(), codegen_target)
    traced = {
        (level, variable): simulation.hierarchy.record(level, variable, f"{name}_gate")
        for level, variables in shown.variables.items()
        for variable in variables
    }
    events = _event_monitors(simulation.hierarchy, p) if shown.has_spikes else {}
    schedule = trace_schedule(p, shown.n, shown.phase)
    if shown.phase in (WAKE, SLEEP):
        anew = {ByFunction(lambda _: weights): np.arange(1, len(schedule))}
        schedule = replace(schedule, interventions={**schedule.interventions, **anew})
    simulation.run(schedule, stimuli, weights, {"noise_seed": shown.seed})
    found = {}
    for (level, variable), monitor in traced.items():
        values = simulation.recorded(monitor)[variable].reshape(size, p.layer_sizes[level], -1, n_slots)
        values = values.transpose(2, 0, 3, 1).reshape(-1, n_slots, p.layer_sizes[level])[: shown.n, :n_steps]
        found[f"{variable}_{level}"] = np.ascontiguousarray(values)
    for (level, event), monitor in events.items():
        its = simulation.recorded(monitor)
        slot = np.rint(1000 * its["t"] / p.time_step_ms).astype(np.int64)
        batch, neuron = np.divmod(its["i"], p.layer_sizes[level])
        spikes = np.zeros((len(schedule) * size, n_steps, p.layer_sizes[level]), np.int8)
        signs = its.get(SIGNS.get(event, ""), np.ones(len(slot)))
        spikes[slot // n_slots * size + batch, slot % n_slots, neuron] = np.sign(signs)
        found[f"{event}s_{level}"] = spikes[: shown.n]
    return found


def _event_monitors(hierarchy, p):
    """(population, event) -> its monitor, forward spikes of all populations first."""
    placed = declared(p).placed
    found = {(l, event): SIGNS.get(event) for l in range(p.n_layers + 1) for event in placed.events_of(l)}
    ordered = sorted(found, key=lambda key: (key[1] != "spike", key[1], key[0]))
    return {
        (l, event): hierarchy.record_events(l, event, *{found[l, event]} & {*placed.variables(l)})
        for l, event in ordered
    }

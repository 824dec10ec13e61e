"""A hierarchy on a device: build, run a schedule in chunks, look in between."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from cortex_model.devices import program as standalone
from cortex_model.devices.arrays import gain_arrays, state_names, weight_arrays, weights_of
from cortex_model.equations import NUMBERS
from cortex_model.errors import DeviceError, DivergenceError
from cortex_model.parameters import HierarchyParameters
from cortex_model.phases.chunk import Stimuli, chunk_arrays
from cortex_model.phases.schedule import EVALUATION, Schedule
from cortex_model.weights import Weights, refreshed

DEVICES = ("runtime", "cpp_standalone", "cuda_standalone")
CODEGEN_TARGETS = ("numpy", "cython")


@dataclass
class Stop:
    """What is seen from outside between two chunks.

    Attributes
    ----------
    first, last : int
        The chunk held slots ``first`` ... ``last - 1``.
    weights : Weights
        As they are now; a callback may replace them.
    gains : dict of int to float
        By how much the feedback V_l is multiplied in wake; a callback may replace them.
    rates : ndarray, shape (n_evaluated, n_L)
        Rates of the top population in the chunk's evaluation slots, in their order.
    seconds : float
        Duration of the chunk's loop.
    """

    first: int
    last: int
    weights: Weights
    gains: dict[int, float]
    rates: np.ndarray
    seconds: float


class Simulation:
    """A hierarchy on one device.

    Parameters
    ----------
    parameters : HierarchyParameters
    device : {"cpp_standalone", "runtime"}
    codegen_target : {"numpy", "cython"}
        What the runtime device generates.

    Notes
    -----
    `hierarchy` is built when it is first asked for. On cpp_standalone a run that finds its compiled program
    asks for neither: it does not load Brian2. One process holds one simulation at a time.

    Examples
    --------
    >>> simulation = Simulation(HierarchyParameters(layer_sizes=(64, 32, 10)))      # doctest: +SKIP
    >>> simulation.hierarchy.forward[1]                                             # doctest: +SKIP
    >>> for stop in simulation.run(schedule, stimuli, weights, numbers): ...        # doctest: +SKIP
    """

    def __init__(self, parameters: HierarchyParameters, device: str = "cpp_standalone", codegen_target: str = "numpy"):
        if device not in DEVICES:
            raise DeviceError(f"Simulation.device: must be one of {', '.join(DEVICES)} (got {device!r}).")
        if codegen_target not in CODEGEN_TARGETS:
            raise DeviceError(
                f"Simulation.codegen_target: must be one of {', '.join(CODEGEN_TARGETS)} (got {codegen_target!r})."
            )
        self.parameters, self.device, self.codegen_target = parameters, device, codegen_target
        self._hierarchy = self._program = None
        self._carried_state: dict[str, np.ndarray] = {}
        self._recorded: dict[str, list[np.ndarray]] = {}

    # ------------------------------------------------------------------ build
    @property
    def hierarchy(self):
        """The Brian2 objects; built, on this simulation's device, when first asked for."""
        if self._hierarchy is None:
            from cortex_model.devices.session import new_hierarchy

            self._hierarchy = new_hierarchy(self.parameters, self.device, self.codegen_target)
            self._hierarchy.is_built = self._program is not None
        return self._hierarchy

    @property
    def key(self) -> str:
        """A hash of what decides the bits of a result besides the numbers of a run."""
        key = standalone.source_key if self.device == "runtime" else standalone.program_key
        return key(self.parameters.structure())

    def build(self) -> None:
        """Compile the program (cpp_standalone) unless one with the same content is there already.

        Raises
        ------
        DeviceError
            Without a compiler, or for a network_operation on a standalone device.
        """
        if self.device == "runtime" or self._program is not None:
            return

        def generate(folder):
            from cortex_model.devices.session import generate

            return generate(self.hierarchy, folder)

        if self._hierarchy is not None and self._hierarchy.foreign:
            from cortex_model.devices.session import generate_extended

            key, generate = generate_extended(self.hierarchy)
        else:
            key = self.key
        self._program = standalone.Program(standalone.build(standalone.program_cache() / key, generate))
        if self._hierarchy is not None:
            self._hierarchy.is_built = True

    # ------------------------------------------------------------------ run
    def run(
        self,
        schedule: Schedule,
        stimuli: Stimuli,
        weights: Weights,
        numbers: dict[str, Any],
        *,
        first_slot: int = 0,
        at_stop: Callable[[Stop], None] | None = None,
        gains: dict[int, float] | None = None,
    ) -> Stop:
        """Run a schedule in chunks.

        Parameters
        ----------
        schedule : Schedule
        stimuli : Stimuli
        weights : Weights
            As they are before ``first_slot``.
        numbers : dict
            ``noise_seed`` and the numbers of `cortex_model.equations.NUMBERS`.
        first_slot : int
            Where to begin; a stop of the schedule, so that an interrupted run can go on.
        at_stop : callable, optional
            Called between two chunks, before the first and after the last, with a `Stop` that it may change.
        gains : dict, optional
            Feedback gains in wake, l -> number; 1 unless given.

        Returns
        -------
        stop : Stop
            After the last slot.

        Raises
        ------
        DivergenceError
            If a weight is no longer a finite number.
        """
        stimuli = stimuli.checked(self.parameters.layer_sizes)
        stops = schedule.stops(self.parameters.chunk_presentations)
        stops = stops[stops >= first_slot]
        self._no_network_operations()
        self.build()
        unity = dict.fromkeys(self.parameters.feedback_layers, 1.0)
        nothing = np.zeros((0, self.parameters.layer_sizes[-1]), self.parameters.dtype)
        stop = Stop(first_slot, first_slot, weights.astype(self.parameters.dtype), gains or unity, nothing, 0.0)
        if at_stop is not None:
            at_stop(stop)
        constants = {f"now.{name}": numbers.get(name, 0.0) for name in (*NUMBERS, "noise_seed")}

        def chunk(index):
            """Everything that the device is handed for chunk ``index``."""
            if stops[index] in schedule.updates:
                stop.weights, stop.gains = refreshed(stop.weights, stop.gains, schedule.refreshes)
            arrays = chunk_arrays(schedule, stops[index], stops[index + 1], stimuli, self.parameters)
            return constants | arrays | weight_arrays(stop.weights) | gain_arrays(stop.gains)

        def finish(index, arrays, seconds):
            """What is seen after chunk ``index``."""
            nonlocal stop
            first, last = int(stops[index]), int(stops[index + 1])
            n_evaluated = int((schedule.kind[first:last] == EVALUATION).sum())
            rates = arrays["readout.rate"].reshape(-1, self.parameters.layer_sizes[-1])[:n_evaluated]
            before, stop = (
                stop,
                Stop(first, last, weights_of(arrays, self.parameters), stop.gains, rates.copy(), seconds),
            )
            self._check_finite(stop, schedule, before.weights, numbers)
            if at_stop is not None:
                at_stop(stop)

        n_chunks = len(stops) - 1
        if n_chunks > 0:
            (self._run_program if self._program else self._run_live)(n_chunks, chunk, finish)
        return stop

    def _run_program(self, n_chunks, chunk, finish):
        carried, monitored = self._carried(), self._monitored()
        for index in range(n_chunks):
            read = [*state_names(self.parameters), "readout.rate", *carried, *monitored]
            arrays, seconds = self._program(chunk(index) | self._carried_state, read)
            self._carried_state = {name: arrays[name] for name in carried}
            for name in monitored:
                self._recorded.setdefault(name, []).append(arrays[name])
            finish(index, arrays, seconds)

    def _run_live(self, n_chunks, chunk, finish):
        from cortex_model.devices.session import run_live

        run_live(self.hierarchy, n_chunks, chunk, finish, [*state_names(self.parameters), "readout.rate"])

    # ------------------------------------------------------------------ foreign objects
    def _carried(self):
        """Arrays besides the weights that go from chunk to chunk where a user's objects may see them."""
        if self._hierarchy is None or not self._hierarchy.foreign:
            return []
        handed = {*state_names(self.parameters), *gain_arrays(dict.fromkeys(self.parameters.feedback_layers))}
        return [
            name
            for name, array in self._program.arrays.items()
            if array["role"] == "foreign"
            or (array["role"] == "model" and name.startswith("population_") and name not in handed)
        ]

    def _monitored(self):
        return [name for name, array in self._program.arrays.items() if array["role"] == "monitor"]

    def recorded(self, monitor) -> dict[str, np.ndarray]:
        """What a monitor that was added to the hierarchy has recorded, over all chunks.

        Parameters
        ----------
        monitor : StateMonitor, SpikeMonitor or PopulationRateMonitor

        Returns
        -------
        arrays : dict
            ``t`` in seconds, shape (n_times,), and each recorded variable: of a StateMonitor with shape
            (n_recorded, n_times), of the others one value an event or a step.
        """
        from brian2 import StateMonitor

        has_traces = isinstance(monitor, StateMonitor)
        names = monitor.record_variables if has_traces else [n for n in ("i", "rate") if n in monitor.variables]
        arrays = {"t": self._recorded_values(monitor, "t")}
        for name in names:
            values = self._recorded_values(monitor, name)
            arrays[name] = values.reshape(-1, len(monitor.record)).T if has_traces else values
        return arrays

    def _recorded_values(self, monitor, name):
        if self.device == "runtime":
            return np.array(monitor.variables[name].get_value())
        return np.concatenate(self._recorded.get(f"{monitor.name}.{name}", [np.zeros(0)]))

    # ------------------------------------------------------------------ what must hold
    def _no_network_operations(self):
        if self.device != "runtime" and self._hierarchy is not None and self._hierarchy.network_operations:
            name = self._hierarchy.network_operations[0].name
            raise DeviceError(
                f"{self.device}.{name}: must not hold a network_operation, because a compiled program cannot call "
                "Python (got one); use device='runtime' or write it with run_regularly."
            )

    def _check_finite(self, stop, schedule, before, numbers):
        """Refuse weights that are not finite; ``before`` are the last ones that were."""
        name = stop.weights.first_not_finite()
        if name is None:
            return
        lower = "learning_rate"
        bounds = [("sleep_learning_rate", "V", before.forward)]
        bounds += [("forward_sleep_learning_rate", "W", before.feedback)]
        for number, letter, partners in bounds:
            for level in self.parameters.feedback_layers:
                power = 1.0 if self.parameters.sleep_normalisation else np.sum(partners[level].astype(float) ** 2)
                is_open = schedule.gate(f"{'feedback' if letter == 'V' else 'forward'}_update_gate").any()
                if is_open and numbers.get(number, 0) * (power + numbers.get("damping", 0)) >= 2:
                    name, lower = f"{letter}_{level}", number
        direction = "feedback" if name[0] == "V" else "forward"
        raise DivergenceError(
            f"Simulation.{direction}_{name[2:]}: {name} must stay finite (got NaN or infinity between presentations "
            f"{schedule.presentation[stop.first]} and {schedule.presentation[stop.last - 1]}); lower {lower} "
            f"from {numbers.get(lower, 0):g}; the last good checkpoint is kept."
        )

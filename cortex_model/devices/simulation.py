"""A hierarchy on a device: build, run a schedule in chunks, look in between."""

from collections.abc import Callable
from typing import Any

import numpy as np

from cortex_model.devices import program as standalone
from cortex_model.devices.arrays import gain_arrays, state_names, weight_arrays, weights_of
from cortex_model.devices.lanes import Lane, Member, Stop
from cortex_model.equations import numbers_of
from cortex_model.errors import DeviceError, ParameterError
from cortex_model.parameters import HierarchyParameters
from cortex_model.phases.chunk import Stimuli, answers, chunk_arrays, stimulus_arrays
from cortex_model.phases.ensemble import Ensemble
from cortex_model.phases.presentable import check_schedule, check_shown
from cortex_model.phases.schedule import Schedule
from cortex_model.weights import Weights

__all__ = ["Member", "Simulation", "Stop"]

DEVICES = ("runtime", "cpp_standalone", "cuda_standalone")
CODEGEN_TARGETS = ("numpy", "cython")


class Simulation:
    """A hierarchy on one device.

    Parameters
    ----------
    parameters : HierarchyParameters
    device : {"cpp_standalone", "cuda_standalone", "runtime"}
    codegen_target : {"numpy", "cython"}
        What the runtime device generates.
    ensemble_size : int
        How many networks run side by side (`run_ensemble`); more than one needs dense projections.

    Notes
    -----
    `hierarchy` is built when it is first asked for. On standalone devices a run that finds its compiled program
    asks for neither: it does not load Brian2. One process holds one simulation at a time.

    Examples
    --------
    >>> simulation = Simulation(HierarchyParameters(layer_sizes=(64, 32, 10)))      # doctest: +SKIP
    >>> simulation.hierarchy.forward[1]                                             # doctest: +SKIP
    >>> for stop in simulation.run(schedule, stimuli, weights, numbers): ...        # doctest: +SKIP
    """

    def __init__(
        self,
        parameters: HierarchyParameters,
        device: str = "cpp_standalone",
        codegen_target: str = "numpy",
        ensemble_size: int = 1,
    ):
        if device not in DEVICES:
            raise DeviceError(f"Simulation.device: must be one of {', '.join(DEVICES)} (got {device!r}).")
        if codegen_target not in CODEGEN_TARGETS:
            raise DeviceError(
                f"Simulation.codegen_target: must be one of {', '.join(CODEGEN_TARGETS)} (got {codegen_target!r})."
            )
        if ensemble_size > 1 and not parameters.dense:
            raise DeviceError(
                f"Simulation.ensemble_size: must be 1 where dense is false (got {ensemble_size}); set dense=true."
            )
        self.parameters, self.device, self.codegen_target = parameters, device, codegen_target
        self.ensemble_size = ensemble_size
        self._hierarchy = self._program = None
        self._built_with: dict[str, Any] = {}
        self._recorded: dict[str, list[np.ndarray]] = {}
        self._next_presentation = 0

    # ------------------------------------------------------------------ build
    @property
    def hierarchy(self):
        """The Brian2 objects; built, on this simulation's device, when first asked for."""
        if self._hierarchy is None:
            from cortex_model.devices.session import new_hierarchy

            self._hierarchy = new_hierarchy(self.parameters, self.device, self.codegen_target, self.ensemble_size)
            self._hierarchy.is_built = self._program is not None
        return self._hierarchy

    @property
    def key(self) -> str:
        """A hash of what decides the bits of a result besides the numbers of a run."""
        return self._key(1)

    def _key(self, ensemble_size):
        contents = self.parameters.structure(), ensemble_size
        if self.device == "runtime":
            return standalone.source_key(*contents)
        return standalone.program_key(*contents, device=self.device)

    def build(self) -> None:
        """Compile the program (standalone devices) unless one with the same content is there already.

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
            from cortex_model.devices.names import names_of_caller
            from cortex_model.devices.session import generate_extended

            names = names_of_caller()
            key, generate = generate_extended(self.hierarchy, names)
            self._built_with = dict(names.used)
        else:
            key = self._key(self.ensemble_size)
        directory = standalone.build(standalone.program_cache() / key, generate, self.device)
        self._program = standalone.Program(directory, self.device)
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
        first_presentation: int | None = None,
    ) -> Stop:
        """Run a schedule in chunks.

        Parameters
        ----------
        schedule : Schedule
        stimuli : Stimuli
        weights : Weights
            As they are before ``first_slot``.
        numbers : dict
            ``noise_seed`` (0 unless given) and the numbers of `cortex_model.equations.NUMBERS`, which holds their
            defaults.
        first_slot : int
            Where to begin; a stop of the schedule, so that an interrupted run can go on.
        at_stop : callable, optional
            Called between two chunks, before the first and after the last, with a `Stop` that it may change.
        gains : dict, optional
            Feedback gains in wake, l -> number; 1 unless given.
        first_presentation : int, optional
            Added to the numbers of the schedule's presentations, which decide their noise. Unless given, a schedule
            goes on from the last one that this simulation ran to its end; one that begins at a later slot keeps its
            numbers.

        Returns
        -------
        stop : Stop
            After the last slot.

        Raises
        ------
        ParameterError, DeviceError
            Before anything is built, for what does not fit (`checked`).
        DivergenceError
            If a weight is no longer a finite number.
        """
        if first_presentation is None:
            first_presentation = 0 if first_slot else self._next_presentation
        schedule = schedule.counted_from(first_presentation)
        return self.run_member(Member(schedule, weights, numbers, first_slot, at_stop, gains), stimuli)

    def run_member(self, member: Member, stimuli: Stimuli) -> Stop:
        """Run one network, as its schedule says; see `run`."""
        (outcome,) = self.run_ensemble([member], stimuli)
        if isinstance(outcome, Exception):
            raise outcome
        self._next_presentation = member.schedule.next_presentation
        return outcome

    def run_ensemble(self, members: list[Member], stimuli: Stimuli) -> list[Stop | Exception]:
        """Run ``ensemble_size`` networks side by side, in chunks.

        Parameters
        ----------
        members : list of Member
            Their schedules must fit together (`cortex_model.phases.ensemble`).
        stimuli : Stimuli
            The same for all.

        Returns
        -------
        outcomes : list
            For each network the `Stop` after its last slot, or what its callback or its weights raised; one that
            failed does not stop the others.

        Raises
        ------
        ParameterError, DeviceError
            Before anything is built, for what does not fit (`checked`).
        """
        stimuli = self.checked(members, stimuli)
        with np.errstate(over="ignore", invalid="ignore"):  # what outgrows its precision is said in a DivergenceError
            return self._run_checked(members, stimuli)

    def _run_checked(self, members, stimuli):
        defaults = self._default_numbers()
        ensemble = Ensemble([member.schedule for member in members])
        starts = [int(ensemble.boundaries[e][member.first_slot]) for e, member in enumerate(members)]
        stops = ensemble.schedule.stops(self.parameters.chunk_slots)
        stops = np.unique(np.concatenate([stops, starts]))
        stops = stops[stops >= min(starts)]
        self._no_network_operations()
        self.build()
        lanes = [Lane(member, self.parameters, start) for member, start in zip(members, starts, strict=True)]
        constants = {
            f"networks.{name}": np.array([member.numbers.get(name, default) for member in members])
            for name, default in defaults.items()
        }
        constants |= stimulus_arrays(stimuli, self.parameters)
        is_handed = False
        for lane in lanes:
            lane.begin(stops[0])

        def chunk(index):
            """Everything that the device is handed for chunk ``index`` and does not have already."""
            nonlocal is_handed
            changed = [lane.is_handed_over(stops[index]) for lane in lanes]
            arrays = chunk_arrays(ensemble, stops[index], stops[index + 1], stimuli, self.parameters)
            if not is_handed:
                arrays |= constants
            if not is_handed or any(changed):
                arrays |= weight_arrays([lane.stop.weights for lane in lanes], self.parameters)
                arrays |= gain_arrays([lane.stop.gains for lane in lanes]) if lanes[0].stop.gains else {}
            is_handed = True
            return arrays

        def finish(index, arrays, seconds):
            """What is seen after chunk ``index``."""
            first, last = int(stops[index]), int(stops[index + 1])
            rates = answers(arrays["readout.rate"], ensemble, first, last, self.parameters)
            weights = weights_of(arrays, self.parameters, len(lanes))
            for network, lane in enumerate(lanes):
                lane.advance(ensemble.position(network, last), weights[network], rates[network], seconds / len(lanes))
                if last == lane.start:
                    lane.begin(last)
            raise_where_all_failed()

        def raise_where_all_failed():
            if all(lane.failure for lane in lanes):
                raise lanes[0].failure

        n_chunks = len(stops) - 1
        try:
            raise_where_all_failed()
            if n_chunks > 0:
                (self._run_program if self._program else self._run_live)(n_chunks, chunk, finish)
        except Exception:
            if not all(lane.failure for lane in lanes):
                raise
        return [lane.failure or lane.stop for lane in lanes]

    def checked(self, members: list[Member], stimuli: Stimuli) -> Stimuli:
        """Stimuli as arrays, once all that is to be run is known to be whole; nothing is built before.

        Parameters
        ----------
        members, stimuli
            As for `run_ensemble`.

        Raises
        ------
        ParameterError
            For stimuli, schedules or weights that do not fit the hierarchy or each other.
        DeviceError
            For numbers that no equation knows, or another number of networks than ``ensemble_size``.
        """
        p = self.parameters
        if len(members) != self.ensemble_size:
            raise DeviceError(
                f"Simulation.run_ensemble: must get {self.ensemble_size} networks, as many as ensemble_size "
                f"(got {len(members)}); change one of them."
            )
        stimuli, known = stimuli.checked(p.layer_sizes, p.dtype), self._default_numbers()
        for member in members:
            check_schedule(member.schedule, p)
            check_shown(member.schedule, stimuli)
            member.weights.check(p)
            if unknown := sorted(set(member.numbers) - set(known)):
                raise DeviceError(
                    f"Simulation.run: numbers must be among {', '.join(sorted(known))} (got {unknown[0]!r}); "
                    "correct its name."
                )
            if member.gains and sorted(member.gains) != p.feedback_layers:
                raise ParameterError(
                    f"Simulation.run: gains must be given for the feedback projections {p.feedback_layers} "
                    f"(got {sorted(member.gains)}); give each one."
                )
        return stimuli

    def _default_numbers(self):
        defaults = numbers_of(self.parameters.dynamics) | {"noise_seed": 0}
        return defaults | ({"relaxation": self.parameters.relaxation} if self.parameters.is_leaky else {})

    def _run_program(self, n_chunks, chunk, finish):
        if self._built_with:
            from cortex_model.devices.names import check_unchanged, names_of_caller

            check_unchanged(self.hierarchy, self._built_with, names_of_caller())
        monitored = self._monitored()
        read = [*state_names(self.parameters).values(), "readout.rate", *monitored]
        try:
            for index in range(n_chunks):
                self._program.set(chunk(index))
                seconds = self._program.run()
                arrays = self._program.get(read)
                for name in monitored:
                    self._recorded.setdefault(name, []).append(arrays[name])
                    empty = self._program.arrays[name]["size"] or 0
                    self._program.set({name: np.zeros(empty)})
                finish(index, arrays, seconds)
        except BaseException:
            self._program.stop()
            raise

    def _run_live(self, n_chunks, chunk, finish):
        from cortex_model.devices.names import names_of_caller
        from cortex_model.devices.session import run_live

        read = [*state_names(self.parameters).values(), "readout.rate"]
        run_live(self.hierarchy, n_chunks, chunk, finish, read, names_of_caller())

    # ------------------------------------------------------------------ foreign objects
    def _monitored(self):
        arrays = self._program.arrays.items()
        return [
            name
            for name, array in arrays
            if array["role"] == "monitor" and (array["size"] is None or name[-2:] == ".N")
        ]

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

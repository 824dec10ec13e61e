"""A hierarchy on a device: build, run a schedule in chunks, look in between."""

from collections.abc import Callable
from typing import Any

import numpy as np

from cortex_model.devices import program as standalone
from cortex_model.devices.arrays import arrays_read
from cortex_model.devices.chunks import Chunks
from cortex_model.devices.networks import NetworkRun, State
from cortex_model.devices.recordings import monitored_arrays, recorded
from cortex_model.devices.room import check_room
from cortex_model.errors import DeviceError, ParameterError
from cortex_model.parameters import HierarchyParameters
from cortex_model.parameters.numbers import numbers_of_rules
from cortex_model.schedule.checks import check_schedule, check_shown
from cortex_model.schedule.declared import declared, program_structure
from cortex_model.schedule.presentations import Schedule
from cortex_model.schedule.stimuli import Stimuli
from cortex_model.weights import Weights

__all__ = ["NetworkRun", "Simulation", "State"]

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
    >>> state = simulation.run(schedule, stimuli, weights, numbers)                 # doctest: +SKIP
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
        contents = program_structure(self.parameters), ensemble_size
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
        directory = standalone.build(key, generate, self.device)
        self._program = standalone.Program(directory, self.device)
        if self._hierarchy is not None:
            self._hierarchy.is_built = True

    # ------------------------------------------------------------------ run
    def run(
        self,
        schedule: Schedule,
        stimuli: Stimuli,
        weights: Weights,
        numbers: dict[str, Any] | None = None,
        *,
        n_done: int = 0,
        callback: Callable[[State], None] | None = None,
        remembered: dict[str, float] | None = None,
        first_presentation: int | None = None,
    ) -> State:
        """Run a schedule in chunks.

        Parameters
        ----------
        schedule : Schedule
        stimuli : Stimuli
        weights : Weights
            As they are before presentation ``n_done``.
        numbers : dict, optional
            ``noise_seed`` (0 unless given), and numbers of the learning rule that are not those of the parameters.
        n_done : int
            How many presentations of the schedule are done already, so that an interrupted run can go on.
        callback : callable, optional
            Called between two chunks, before the first and after the last, with a `State` that it may change.
        remembered : dict, optional
            What the rule remembers besides weights (`State`); as at the start unless given.
        first_presentation : int, optional
            Added to the numbers of the schedule's presentations, which decide their noise. Unless given, a schedule
            goes on from the last one that this simulation ran to its end; one of which something is done keeps its
            numbers.

        Returns
        -------
        state : State
            After the last presentation.

        Raises
        ------
        ParameterError, DeviceError
            Before anything is built, for what does not fit (`checked`).
        DivergenceError
            If a weight is no longer a finite number.
        """
        if first_presentation is None:
            first_presentation = 0 if n_done else self._next_presentation
        schedule = schedule.counted_from(first_presentation)
        return self.run_network(NetworkRun(schedule, weights, numbers or {}, n_done, callback, remembered), stimuli)

    def run_network(self, run: NetworkRun, stimuli: Stimuli) -> State:
        """Run one network, as its schedule says; see `run`."""
        (outcome,) = self.run_ensemble([run], stimuli)
        if isinstance(outcome, Exception):
            raise outcome
        self._next_presentation = run.schedule.next_presentation
        return outcome

    def run_ensemble(self, runs: list[NetworkRun], stimuli: Stimuli) -> list[State | Exception]:
        """Run ``ensemble_size`` networks side by side, in chunks.

        Parameters
        ----------
        runs : list of NetworkRun
            Their schedules must fit together (`cortex_model.schedule.ensemble`).
        stimuli : Stimuli
            The same for all.

        Returns
        -------
        outcomes : list
            For each network the `State` after its last presentation, or what its callback or its weights raised; one
            that failed does not stop the others.

        Raises
        ------
        ParameterError, DeviceError
            Before anything is built, for what does not fit (`checked`).
        """
        stimuli = self.checked(runs, stimuli)
        self._no_network_operations()
        with np.errstate(over="ignore", invalid="ignore"):  # what outgrows its precision is said in a DivergenceError
            chunks = Chunks(runs, stimuli, self.parameters, self.known_numbers)
            self.build()
            return chunks.run(self._run_program if self._program else self._run_live)

    def checked(self, runs: list[NetworkRun], stimuli: Stimuli) -> Stimuli:
        """Stimuli as arrays, once all that is to be run is known to be whole; nothing is built before.

        Raises
        ------
        ParameterError
            For stimuli, schedules or weights that do not fit the hierarchy or each other, or memory.
        DeviceError
            For numbers that no equation knows, or another number of networks than ``ensemble_size``.
        """
        p = self.parameters
        if len(runs) != self.ensemble_size:
            raise DeviceError(
                f"Simulation.run_ensemble: must get {self.ensemble_size} networks, as many as ensemble_size "
                f"(got {len(runs)}); change one of them."
            )
        check_room(p, len(runs), runs[0].schedule)
        stimuli, known = stimuli.checked(p.layer_sizes, p.dtype), self.known_numbers
        for run in runs:
            check_schedule(run.schedule, p)
            check_shown(run.schedule, stimuli)
            run.weights.check(p)
            if unknown := sorted(set(run.numbers) - set(known)):
                raise DeviceError(
                    f"Simulation.run: numbers must be among {', '.join(sorted(known))} (got {unknown[0]!r}); "
                    "correct its name."
                )
            if unknown := sorted(set(run.remembered or {}) - set(declared(p).remembered)):
                raise ParameterError(
                    f"Simulation.run: remembered must be among {', '.join(declared(p).remembered) or 'nothing'} "
                    f"(got {unknown[0]!r}); correct its name."
                )
        return stimuli

    @property
    def known_numbers(self) -> dict[str, float]:
        """Every number that equations, or the host, may read; each as the parameters have it, else 0."""
        own = declared(self.parameters)
        names = [*own.numbers, *own.rule.numbers, *numbers_of_rules()]  # networks of an ensemble may have other rules
        numbers = dict.fromkeys(names, 0.0) | self.parameters.rule_values
        return {"noise_seed": 0} | numbers

    def _run_program(self, n_chunks, chunk, finish):
        if self._built_with:
            from cortex_model.devices.names import check_unchanged, names_of_caller

            check_unchanged(self.hierarchy, self._built_with, names_of_caller())
        monitored = monitored_arrays(self._program.arrays)
        read = [*arrays_read(declared(self.parameters)), *monitored]
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
        from cortex_model.devices.live import run_live
        from cortex_model.devices.names import names_of_caller

        read = arrays_read(declared(self.parameters))
        run_live(self.hierarchy, n_chunks, chunk, finish, read, names_of_caller())

    def recorded(self, monitor) -> dict[str, np.ndarray]:
        """What a monitor that was added to the hierarchy has recorded, over all chunks; see `recordings.recorded`."""
        return recorded(monitor, None if self.device == "runtime" else self._recorded)

    # ------------------------------------------------------------------ what must hold
    def _no_network_operations(self):
        if self.device != "runtime" and self._hierarchy is not None and self._hierarchy.network_operations:
            name = self._hierarchy.network_operations[0].name
            raise DeviceError(
                f"{self.device}.{name}: must not hold a network_operation, because a compiled program cannot call "
                "Python (got one); use device='runtime' or write it with run_regularly."
            )

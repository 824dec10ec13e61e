"""`Cortex`: a hierarchy that sleeps, wakes and answers, call by call."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from cortex_model.devices.availability import check_device
from cortex_model.devices.simulation import Simulation, State
from cortex_model.errors import ParameterError
from cortex_model.interactive.answers import Answers
from cortex_model.interactive.devices import device_for, simulation_for
from cortex_model.interactive.freezing import Freezing
from cortex_model.interactive.given import count, stimuli_of, targets_of
from cortex_model.interactive.projections import Projections
from cortex_model.interactive.saving import Kept
from cortex_model.parameters import SleepWakeParameters, checked_seed
from cortex_model.parameters.sleep_wake import check_task
from cortex_model.rules.own import short
from cortex_model.runs.run import run_numbers
from cortex_model.schedule import Schedule, Stimuli, declared, sleep_schedule, wake_sleep_schedule
from cortex_model.state.kept import kept_in
from cortex_model.state.philox import order_of_stimuli
from cortex_model.system.progress import progress_bar
from cortex_model.weights import Weights, initial_weights

#: Presentations (or batches) between two steps of a progress bar.
CHUNK_PRESENTATIONS = 1000


class Cortex(Answers, Freezing, Kept):
    """A hierarchy of populations with reciprocal feedback, to be taught and asked call by call.

    Parameters
    ----------
    layer_sizes : sequence of int
        Neurons in each population, input first.
    learning_rule : str, Path or Rule
        The name of a shipped rule, a file that declares one, or a `cortex_model.language.Rule`.
    seed : int
        Of weights, noise and the order of stimuli.
    device : str, optional
        ``"runtime"``, ``"cpp_standalone"`` or ``"cuda_standalone"``. Unless given, calls run on the runtime device
        until one would take it longer than compiling a program (`cortex_model.interactive.devices`); from that call
        on they run on ``cpp_standalone``, where there is a compiler. `device` and `history` say which.
    weights : Weights, optional
        Instead of those that are drawn at the start.
    **parameters
        Any other parameter of `cortex_model.parameters.SleepWakeParameters`, numbers of the rule among them:
        ``learning_rate=0.01, nonlinearity="threshold_linear", batch_size=20``.

    Attributes
    ----------
    parameters : SleepWakeParameters
    W, V, b : Projections
        Level -> weights in the paper's orientation, (postsynaptic, presynaptic). They can be read, written into and
        assigned between two calls: ``cortex.V[2][:, 3] = 0`` silences what neuron 3 of population 2 sends back.
    remembered : dict of float
        What the rule remembers besides weights.
    n_presented : int
        Presentations so far, of wake and sleep, by which noise is numbered.
    n_epochs : int
        Epochs of wake so far, by which orders of stimuli are numbered.
    begun : dict of int
        Presentations of ``wake`` and of ``sleep`` of what it started from.
    history : list of dict
        Each call that changed something: what, how many presentations, on which device.

    Raises
    ------
    ParameterError
        For an unknown parameter, a value out of range, or one that the rule does not read.

    Notes
    -----
    Learning happens on the device. Questions (`rates`, `predict`, `score`, `reconstruct`, `recall`, `angles`) change
    nothing and are answered by the interpreter of the rule's declaration, in double precision, with the weights as they
    are: what a device gives, to rounding (``cortex-model check`` compares the two).

    Noise and orders of stimuli go on from call to call, so that the same calls give the same bits, and two calls of
    ``sleep(500)`` are one of ``sleep(1000)``.

    Examples
    --------
    >>> import numpy as np
    >>> from cortex_model import Cortex
    >>> cortex = Cortex((4, 3, 2), seed=1, device="runtime")
    >>> cortex
    Cortex(4-3-2, reciprocal, seed 1): nothing presented yet, on runtime
    >>> cortex.V[2].shape
    (3, 2)
    """

    def __init__(
        self,
        layer_sizes: Any,
        learning_rule: Any = "reciprocal",
        *,
        seed: int = 0,
        device: str | None = None,
        weights: Weights | None = None,
        **parameters: Any,
    ):
        check_task(SleepWakeParameters.read("learning_rule", learning_rule), "targets", "Cortex")
        asked = {"layer_sizes": layer_sizes, "learning_rule": learning_rule, **parameters}
        chosen = SleepWakeParameters().with_overrides({"chunk_presentations": CHUNK_PRESENTATIONS} | asked)
        chosen.check_asked(asked)
        self._begin(chosen, seed, device, weights)

    def _begin(self, parameters, seed, device, weights):
        self.seed = checked_seed(seed, "Cortex.seed")
        if device is not None:
            check_device(device)
        self.device, self._is_device_given = device or "runtime", device is not None
        check_task(parameters.learning_rule, "targets", "Cortex")
        if parameters.interventions:
            raise ParameterError(
                f"Cortex.interventions: must be left out (got {parameters.interventions[0]!r}); change W, V and b, "
                "freeze and release between two calls."
            )
        kept = kept_in(parameters.start_from)  # taken over here, once
        self.parameters = parameters.with_overrides({"start_from": ""})
        self._weights = self._own(initial_weights(parameters, self.seed) if weights is None else weights)
        self.remembered: dict[str, float] = dict(kept.remembered)
        self.n_presented, self.n_epochs = kept.counts["n_presented"], kept.counts["n_epochs"]
        self.begun = {phase: kept.counts[phase] for phase in ("wake", "sleep")}
        self.history: list[dict[str, Any]] = []
        self._simulation: Simulation | None = None
        self.W, self.V, self.b = (Projections(name, self) for name in "WVb")

    # ------------------------------------------------------------------ learning
    def sleep(self, n_presentations: int) -> "Cortex":
        """Sleep: noise takes the place of stimuli, and synapses change as the rule has it.

        Parameters
        ----------
        n_presentations : int
            Noise patterns; rounded up to whole batches.

        Returns
        -------
        cortex : Cortex
            Itself, so that calls can follow each other.

        Raises
        ------
        ParameterError
            For a rule that does not sleep.
        DivergenceError
            If a weight is no longer a finite number; the weights stay as they were when they last all were.
        """
        n = count(n_presentations, "Cortex.sleep", "presentations")
        schedule = sleep_schedule(self.parameters, n, n)
        self._learn("sleep", schedule, Stimuli(), {})
        return self

    def wake(self, X: Any, y: Any, *, epochs: int = 1, sleep_per_wake: float | None = None) -> "Cortex":
        """Wake: stimuli go up, the error at the top comes down, and every synapse changes by what it can see.

        Parameters
        ----------
        X : array_like, shape (n_stimuli, n_0)
            A stimulus a row.
        y : array_like, shape (n_stimuli,) or (n_stimuli, n_L)
            Labels, whole numbers from 0 on; or target rates of the top population.
        epochs : int
            Times that every stimulus is shown, each time in a new order.
        sleep_per_wake : float, optional
            Sleep presentations after each wake presentation; the parameter of that name unless given. 0: none.

        Returns
        -------
        cortex : Cortex
            Itself.

        Raises
        ------
        ParameterError
            For stimuli or targets that do not fit the hierarchy.
        DivergenceError
            See `sleep`.
        """
        p, (n_in, *_, n_top) = self.parameters, self.parameters.layer_sizes
        X = stimuli_of(X, n_in, "Cortex.wake", p.dtype)
        y = targets_of(y, n_top, len(X), "Cortex.wake", p.dtype)
        epochs = count(epochs, "Cortex.wake", "epochs")
        given = {} if sleep_per_wake is None else {"sleep_per_wake": sleep_per_wake}
        asked = p.with_overrides({"sleep_before_presentations": 0, **given})
        first = self.n_epochs
        schedule = wake_sleep_schedule(
            asked, lambda epoch: order_of_stimuli(self.seed, first + epoch, len(X)), len(X), epochs * len(X), 0, 0
        )
        shown = {"n_stimuli": len(X), "epochs": epochs, "sleep_per_wake": asked.sleep_per_wake}
        self._learn("wake", schedule, Stimuli((X, y)), shown)
        return self

    def _learn(self, what: str, schedule: Schedule, stimuli: Stimuli, shown: Mapping[str, Any]):
        """Run a schedule from the weights as they are; what each chunk made of them is kept as soon as it is there."""
        self._weights.check(self.parameters)
        if not self._is_device_given:
            self._go_to(device_for(schedule, self.parameters, self.device))
        schedule = replace(schedule.counted_from(self.n_presented), first_ages=self.learned)
        begun, n_wake = self.n_epochs, len(stimuli.wake[0]) if stimuli.wake else 1
        entry = {"what": what, **shown, "wake": 0, "sleep": 0, "device": self.device}
        total = schedule.n_presentations()

        def callback(state: State):
            if state.first == state.last:
                return
            if not entry["wake"] + entry["sleep"]:
                self.history.append(entry)
            entry.update({phase: schedule.n_presentations(phase, state.last) for phase in ("wake", "sleep")})
            self._weights, self.remembered = self._own(state.weights), dict(state.remembered)
            self.n_presented = schedule.first_presentation + state.last * schedule.batch_size
            self.n_epochs = begun + (entry["wake"] // n_wake if stimuli.wake else 0)
            report(schedule.n_presentations(place=state.last), total, f"on {self.device}")

        with progress_bar(what) as report, threadpool_limits(1):
            is_new = self.device != "runtime" and self.simulation._program is None
            report(0, total, f"compiling for {self.device}" if is_new else f"on {self.device}")
            self.simulation.run(
                schedule, stimuli, self._weights, run_numbers(self.parameters, self.seed),
                callback=callback, remembered=declared(self.parameters).remembered | self.remembered,
                first_presentation=0,
            )  # fmt: skip

    @property
    def learned(self) -> dict[str, int]:
        """Presentations of ``wake`` and of ``sleep`` so far, with those of what it started from."""
        return {phase: n + sum(entry[phase] for entry in self.history) for phase, n in self.begun.items()}

    def _own(self, weights):
        """Weights of one's own, which can be written into, in the precision of the hierarchy."""
        weights.check(self.parameters)
        return Weights.from_named({n: np.array(a, self.parameters.dtype) for n, a in weights.named().items()})

    # ------------------------------------------------------------------ device and Brian2
    def _go_to(self, device):
        if device != self.device:
            self.device, self._simulation = device, None

    @property
    def simulation(self) -> Simulation:
        """What runs the calls on the present device; shared with others of its structure until it is extended."""
        return self._simulation or simulation_for(self.parameters, self.device)

    @property
    def hierarchy(self) -> Any:
        """The Brian2 objects: ``print`` them, add groups and monitors of your own before the first call.

        Asked for, the device stays as it is now, because the objects are made for it.
        """
        self._is_device_given = True
        if self._simulation is None:
            self._simulation = Simulation(self.parameters, self.device, self.parameters.codegen_target)
        return self._simulation.hierarchy

    def recorded(self, monitor: Any) -> dict[str, np.ndarray]:
        """What a monitor that was added to `hierarchy` has recorded, over all calls."""
        return self.simulation.recorded(monitor)

    # ------------------------------------------------------------------ keeping
    @property
    def weights(self) -> Weights:
        """All that learns, as a copy."""
        return self._own(self._weights)

    def __getstate__(self) -> dict[str, Any]:
        """For other processes (joblib): without what runs the calls, which is made anew."""
        return {**self.__dict__, "_simulation": None}

    def __repr__(self) -> str:
        p = self.parameters
        n = {phase: sum(entry[phase] for entry in self.history) for phase in ("wake", "sleep")}
        counts = [f"{number} {phase}" for phase, number in n.items() if number]
        so_far = f"{' and '.join(counts)} presentations" if counts else "nothing presented yet"
        sizes = "-".join(map(str, p.layer_sizes))
        return f"Cortex({sizes}, {short(p.learning_rule)}, seed {self.seed}): {so_far}, on {self.device}"

"""One run of a protocol, and how it simulates into its directory."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from cortex_model.devices.simulation import NetworkRun, Simulation, State
from cortex_model.errors import ParameterError, in_short
from cortex_model.language.options import RELATIVE_RATE
from cortex_model.parameters import content_hash
from cortex_model.runs.checkpoint import SENT, Checkpoint, joined
from cortex_model.runs.directory import RunDirectory
from cortex_model.runs.recording import check_recorded, record
from cortex_model.runs.states import COMPILING, PROGRAM_READY
from cortex_model.schedule import EVALUATION, Schedule, Stimuli, declared
from cortex_model.state.kept import COUNTS, kept_in
from cortex_model.state.philox import order_of_stimuli
from cortex_model.weights import Weights, initial_weights


@dataclass
class Run:
    """One run of a protocol: parameters, seed, device and directory, and how to simulate into it.

    Attributes
    ----------
    parameters : Parameters
    seed : int
    device : str
    directory : RunDirectory
    report : callable
        (presentations done, presentations in all, what is going on) -> None; draws the progress bar.
    weights, measures, looks
        What it ends with, and the presentations of wake and sleep before each look: `simulate` fills them in; a
        protocol that simulates nothing sets them itself.
    shared : SharedProgram, optional
        Where it meets the runs with which it shares a program (`cortex_model.runs.together`).
    n_simulations, n_presented, n_learned : int
        Simulations so far, the presentations in them, and those of wake and sleep alone.
    interventions : list of (callable, int)
        See `intervene`.
    ended, remembered : dict
        Where it is after its simulations so far (`cortex_model.state.kept.Kept`).
    recorded : dict of str to str
        Name of each recording so far -> key of its simulation.
    """

    parameters: Any
    seed: int
    device: str
    directory: RunDirectory
    report: Callable[[int, int, str], None] = lambda done, total, text: None
    weights: Weights | None = None
    measures: dict[str, tuple] = field(default_factory=dict)
    looks: np.ndarray | None = None
    warnings: list[str] = field(default_factory=list)
    shared: Any = None
    n_simulations: int = 0
    n_presented: int = 0
    n_learned: int = 0
    interventions: list[tuple[Callable, int]] = field(default_factory=list)
    ended: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTS, 0))
    remembered: dict[str, float] = field(default_factory=dict)
    recorded: dict[str, str] = field(default_factory=dict)

    def __post_init__(self):
        kept = kept_in(getattr(self.parameters, "start_from", ""))
        self.ended = dict(kept.counts)
        self.remembered = dict(kept.remembered) | self._relative_rates()
        self.n_learned = kept.counts["wake"] + kept.counts["sleep"]

    def _relative_rates(self):
        p = self.parameters
        if not getattr(p, "has_relative_rates", False):
            return {}
        return {name: rate for name, rate in declared(p).remembered.items() if name.startswith(RELATIVE_RATE)}

    def intervene(self, function: Callable[[Weights], Weights | None], at: int) -> None:
        """Let a function change the weights while the next simulations learn.

        Parameters
        ----------
        function : callable
            Is given the weights, which it may write into (``weights.feedback[2][:, :3] = 0``); it may return others.
            A run that is resumed calls it again if it had been stopped there: what it does must follow from the
            weights, and from parameters and the seed of the run.
        at : int
            After how many presentations, as for the parameter ``interventions``: of each simulation, and of a run that
            goes on (``resume --set``) from its own beginning.
        """
        self.interventions.append((function, at))

    def order_of_epoch(self, n_stimuli: int) -> Callable[[int], np.ndarray]:
        """Epoch -> the order of the stimuli in it.

        It goes on where the run was that this one starts from, also within an epoch (the last batch of a run is filled
        from the next one), if that run had as many stimuli.
        """
        counts = kept_in(getattr(self.parameters, "start_from", "")).counts
        is_alike = counts["wake"] // n_stimuli == counts["n_epochs"]
        first, within = divmod(counts["wake"], n_stimuli) if is_alike else (counts["n_epochs"], 0)

        def order(epoch):
            two = [order_of_stimuli(self.seed, first + epoch + n, n_stimuli) for n in range(1 + (within > 0))]
            return np.concatenate(two)[within : within + n_stimuli]

        return order

    def simulate(
        self,
        schedule: Schedule,
        stimuli: Stimuli,
        weights: Weights,
        measure: Callable[[int, Weights, np.ndarray], dict[str, Any]],
        described: dict[str, tuple[str, str | None]],
    ) -> float:
        """Run a schedule with checkpoints, from the last one on if there is one.

        A protocol may do so any number of times. Presentations are counted on from one simulation to the next, so that
        each sees noise of its own, and the rows of the next follow those of the one before.

        Parameters
        ----------
        schedule : Schedule
        stimuli : Stimuli
        weights : Weights
            At the start.
        measure : callable
            (place, weights, rates of the top population since the last time) -> name -> number or vector; called at
            each place of the schedule that is to be measured: after so many presentations (or batches). The rows are
            kept in `measures`, the final weights in `weights`; where neurons send spikes, their number so far is
            measured, too.
        described : dict
            Measure -> (unit, name of its dimension or None for a single number).

        Returns
        -------
        seconds : float
            Duration of the simulation loop alone.
        """
        simulation, schedule = self._checked(schedule, stimuli, weights)
        p = self.parameters
        key = content_hash(simulation.key, self._description(schedule, stimuli, weights))
        file = self.directory.checkpoint(self.n_simulations)
        kept = Checkpoint.read(file, key, self.warn)
        remembered = self.remembered if self.n_simulations == 1 else self._relative_rates()
        here = kept or Checkpoint(weights, dict(remembered) or None, events=_no_events(p))
        described = described | dict.fromkeys(here.events, ("events", "population")) | {SENT: ("spikes", None)}
        measured, first = set(schedule.measured.tolist()), here.n_done
        total = schedule.n_presentations()
        self.report(0, total, "compiling" if self.device != "runtime" else "preparing")
        if self.shared is None:
            self._build(simulation)

        def callback(state: State):
            if state.first == state.last and (kept is not None or state.last not in measured):
                return
            here.n_done, here.seconds = state.last, here.seconds + state.seconds
            here.count(state.events, len(p.layer_sizes))
            if len(state.rates):
                here.answers.append(state.rates)
            if state.last in measured:
                shown = np.concatenate(here.answers) if here.answers else state.rates
                here.add_row(here.events_so_far() | measure(state.last, state.weights, shown), described)
                self._record(schedule, stimuli, state, key)
                here.answers = []
            here.weights, here.remembered = state.weights, state.remembered
            here.write(file, key)
            self.report(schedule.n_presentations(place=state.last), total, _phase_at(schedule, state.last))

        self.directory.log(f"simulation {self.n_simulations}, presentations {first} to {len(schedule)}")
        network = NetworkRun(schedule, here.weights, run_numbers(p, self.seed), first, callback, here.remembered)
        if self.shared is None:
            last = simulation.run_network(network, stimuli)
        else:
            last = self.shared.simulate(network, stimuli, p)
        self.weights = last.weights
        self.measures = joined(self.measures, here.rows, described)
        self._count_looks(schedule, key)
        self._count_ended(schedule, stimuli, last.remembered)
        return here.seconds

    def _checked(self, schedule, stimuli, weights):
        """The next simulation and its schedule, counted on from the last one, if all that is to be run is whole."""
        _check_kinds(schedule, stimuli, weights)
        p = self.parameters
        for function, at in self.interventions:
            schedule = schedule.intervening(function, at)
        simulation = Simulation(p, self.device, getattr(p, "codegen_target", "numpy"))
        schedule = schedule.counted_from(self.n_presented if self.n_simulations else self._first(schedule))
        schedule = replace(schedule, first_ages={phase: self.ended[phase] for phase in ("wake", "sleep")})
        simulation.checked([NetworkRun(schedule, weights)], stimuli)
        check_recorded(p, len(schedule.measured))
        self.n_simulations += 1
        self.n_presented = schedule.next_presentation
        if self.n_simulations == 1:
            self._keep_start(weights)
        return simulation, schedule

    def _record(self, schedule, stimuli, state, key):
        """Keep what the parameters name, if anything, as it is at this look."""
        if getattr(self.parameters, "record", ()):
            look = self.n_learned + sum(schedule.n_presentations(phase, state.last) for phase in ("wake", "sleep"))
            shown = stimuli.evaluation[0] if stimuli.evaluation else None
            name = self._name_of_record(state.last)
            record(self.directory.path, name, key, look, state.weights, shown, self.parameters)

    def _name_of_record(self, place):
        return f"{self.n_simulations:03}_{place:012}"

    def _build(self, simulation):
        started = time.perf_counter()
        if self.device != "runtime":
            self.directory.log(COMPILING)
        simulation.build()
        self.directory.log(f"{PROGRAM_READY} {time.perf_counter() - started:.1f} s")

    def warn(self, sentence: str) -> None:
        """Say once, in the log and beside the progress bar, that something is not as it should be."""
        if sentence not in self.warnings:
            self.warnings.append(sentence)
            self.directory.log(f"warning: {sentence}")

    def _count_looks(self, schedule, key):
        """Add the looks: the presentations of wake and sleep before each, without evaluations; what is recorded."""
        if getattr(self.parameters, "record", ()):
            self.recorded |= {self._name_of_record(place): key for place in np.unique(schedule.measured)}
        earlier = [] if self.looks is None else self.looks
        places = [*np.unique(schedule.measured), None]
        *now, n_now = [sum(schedule.n_presentations(phase, at) for phase in ("wake", "sleep")) for at in places]
        self.looks = np.array([*earlier, *(n + self.n_learned for n in now)], int)
        self.n_learned += n_now

    def _count_ended(self, schedule, stimuli, remembered):
        n = {phase: schedule.n_presentations(phase) for phase in ("wake", "sleep")}
        n["n_epochs"] = n["wake"] // max(len(stimuli.wake[0]) if stimuli.wake else 1, 1)
        self.ended = {name: self.ended[name] + n.get(name, 0) for name in COUNTS} | {"n_presented": self.n_presented}
        self.remembered = dict(remembered)

    def _first(self, schedule):
        """Number of the first presentation: what learns first follows the last one that this run goes on from."""
        done = self.ended["n_presented"]
        n_before = int(np.argmax(schedule.phase != EVALUATION)) * schedule.batch_size
        return done - n_before if done >= n_before else done

    def _keep_start(self, weights):
        """Keep the weights with which the run begins, where they are not those that parameters and seed say."""
        p = self.parameters
        drawn = initial_weights(p, self.seed)
        if getattr(p, "start_from", "") or weights.astype(p.dtype).sha256 != drawn.sha256:
            self.directory.write_start(weights.astype(p.dtype))

    def _description(self, schedule, stimuli, weights):
        arrays = [schedule.phase, schedule.presentation, schedule.stimulus, schedule.measured]
        arrays += schedule.interventions.values()
        arrays += [array for phase in (stimuli.wake, stimuli.evaluation) for array in phase or ()]
        digest = hashlib.sha256()
        for array in arrays:
            digest.update(f"{np.shape(array)}".encode())
            digest.update(np.ascontiguousarray(array))
        parameters = self.parameters.model_dump(mode="json")
        slots = {phase: [sorted(slot) for slot in slots] for phase, slots in schedule.slots.items()}
        hosts = [f"{host.code} {host.levels}".strip() for host in schedule.interventions]
        return [parameters, self.seed, self.device, digest.hexdigest(), slots, hosts, weights.sha256]


def _check_kinds(schedule, stimuli, weights):
    """Refuse what a protocol cannot have meant."""
    kinds = ("schedule", schedule, Schedule), ("stimuli", stimuli, Stimuli), ("weights", weights, Weights)
    for name, given, kind in kinds:
        if not isinstance(given, kind):
            raise ParameterError(
                f"Run.simulate: {name} must be a {kind.__module__}.{kind.__name__} (got {in_short(given)}); "
                "see the examples of protocols/README.md."
            )


def _no_events(p):
    """``spikes_in_wake``, and the like -> how many there have been in each population before the beginning."""
    return {name: np.zeros(len(p.layer_sizes), np.int64) for name in declared(p).events_counted.values()}


def run_numbers(p: Any, seed: int) -> dict[str, Any]:
    """The numbers that equations see: those of the learning rule, and the seed of the noise."""
    return {"noise_seed": seed, **p.rule_values}


def _phase_at(schedule, place):
    phase = schedule.phase[min(place, len(schedule) - 1)]
    return "evaluation" if phase == EVALUATION else "wake and sleep"

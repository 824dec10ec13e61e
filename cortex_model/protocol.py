"""Protocols: an experiment as a question, its parameters and a procedure; and one run of it."""

import difflib
import hashlib
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from cortex_model.checkpoint import Checkpoint, joined
from cortex_model.devices.simulation import NetworkRun, Simulation, State
from cortex_model.errors import ParameterError, RunError, in_short
from cortex_model.parameters import Parameters, content_hash
from cortex_model.results import COMPILING, PROGRAM_READY, PROTOCOL_FILES, RULE_FILES, RunDirectory
from cortex_model.rules import own
from cortex_model.schedule import EVALUATION, Schedule, Stimuli
from cortex_model.sources import OwnCode, load_module, package_folder
from cortex_model.weights import Weights, initial_weights


@dataclass(frozen=True)
class Protocol:
    """An experiment.

    Attributes
    ----------
    name : str
        As on the command line.
    question : str
        What it asks, in one sentence.
    parameters : type of Parameters
        Its parameters, with their defaults.
    run : callable
        `Run` -> summary: the procedure.
    tiny : dict
        Overrides with which it runs within seconds, for tests and first looks.
    code : OwnCode, optional
        The file that defines it and those it imports, where it is a user's; filled in by `load_protocol`.
    """

    name: str
    question: str
    parameters: type[Parameters]
    run: Callable[["Run"], dict[str, Any]]
    tiny: dict[str, Any] = field(default_factory=dict)
    code: OwnCode | None = None

    def __post_init__(self):
        is_model = isinstance(self.parameters, type) and issubclass(self.parameters, Parameters)
        for where, is_right, must, got in (
            ("name", isinstance(self.name, str) and re.fullmatch(r"\w[\w.-]{0,99}", self.name),
             "at most 100 letters, digits, _, - and ., because folders are named by it", self.name),
            ("parameters", is_model, "a class of cortex_model.parameters.Parameters", self.parameters),
            ("run", callable(self.run), "a function of a Run", self.run),
        ):  # fmt: skip
            if not is_right:
                raise ParameterError(f"Protocol.{where}: must be {must} (got {in_short(got)}); correct it.")

    def run_name(self, parameters: Parameters, seed: int, device: str) -> str:
        """Name of a run directory: protocol, hash of the parameters and of a user's own files, seed and device."""
        its = parameters.content_hash
        if self.code is not None:
            its = content_hash(its, self.code.sha256s())
        return f"{self.name}-{its}-seed{seed}-{device}"


def protocol_folder() -> Path:
    """Folder of the protocols that come with the package."""
    return package_folder("protocols")


def protocol_names() -> list[str]:
    """Names of the protocols that come with the package."""
    return sorted(path.stem for path in protocol_folder().glob("[a-z]*.py"))


def load_protocol(name_or_file: str) -> Protocol:
    """The protocol of that name, or the one that a file defines as ``PROTOCOL``.

    Raises
    ------
    ParameterError
        If there is no such protocol, or the file defines none.
    """
    name_or_file = str(name_or_file)
    path = Path(name_or_file)
    if path.suffix != ".py":
        path = protocol_folder() / f"{name_or_file}.py"
    if not path.is_file():
        nearest = difflib.get_close_matches(name_or_file, protocol_names(), n=1, cutoff=0.3)
        hint = f"did you mean {nearest[0]}?" if nearest else f"known are {', '.join(protocol_names())}."
        raise ParameterError(f"PROTOCOL: must be a protocol's name or file (got {in_short(name_or_file)}); {hint}")
    if path.resolve().parent == protocol_folder().resolve():
        return _defined(load_module(path), path)
    return _own_protocol(OwnCode.read(path))


def protocol_of(directory: RunDirectory) -> Protocol:
    """The protocol of a run; a user's own is the one with which the run began, whatever has become of its file.

    Raises
    ------
    RunError
        If the run directory does not hold it.
    """
    given = directory.description()
    kept = given.get("protocol_files")
    if not kept:
        if str(given["protocol_file"]).endswith(".py"):
            raise RunError(
                f"{directory.path}: must hold the file of its protocol (got none, from a version that kept none); "
                f"run {given['protocol_file']} again."
            )
        return load_protocol(given["protocol"])
    origin = Path(given["protocol_file"])
    code = OwnCode.read(directory.path / PROTOCOL_FILES / origin.name, origin)
    _check_kept(code, kept, directory.path / PROTOCOL_FILES, origin)
    return _own_protocol(code)


def rule_code(parameters: Parameters) -> OwnCode | None:
    """The file that declares the learning rule, and those it imports, where it is a user's."""
    learning_rule = getattr(parameters, "learning_rule", "")
    return own.own_rule(learning_rule).code if own.is_own(learning_rule) else None


def parameters_of(directory: RunDirectory) -> Parameters:
    """The parameters of a run; a user's own learning rule is the one with which the run began.

    Raises
    ------
    RunError
        If the run directory does not hold the rule.
    """
    given = directory.description()
    if kept := given.get("rule_files"):
        origin = Path(str(given["parameters"]["learning_rule"]).partition("#")[0])
        code = OwnCode.read(directory.path / RULE_FILES / origin.name, origin)
        _check_kept(code, kept, directory.path / RULE_FILES, origin)
        own.remember(code)
    return protocol_of(directory).parameters().with_overrides(given["parameters"])


def _check_kept(code, kept, folder, origin):
    """Refuse files that are not those with which a run began."""
    if code.sha256s() != kept:
        changed = next(n for n in sorted(kept.keys() | code.files) if code.sha256s().get(n) != kept.get(n))
        raise RunError(
            f"{folder / changed}: must be what the run began with (got another content); put it back, or run {origin} "
            "anew."
        )


def _own_protocol(code: OwnCode) -> Protocol:
    return replace(_defined(code.load(), code.origin), code=code)


def _defined(module: Any, path: Path) -> Protocol:
    if not isinstance(getattr(module, "PROTOCOL", None), Protocol):
        raise ParameterError(
            f"{path}: must define PROTOCOL, a cortex_model.protocol.Protocol (got none); see protocols/README.md."
        )
    return module.PROTOCOL


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
        Where it meets the runs with which it shares a program (`cortex_model.ensembles`).
    n_simulations, n_presented, n_learned : int
        Simulations so far, the presentations in them, and those of wake and sleep alone.
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
            kept in `measures`, the final weights in `weights`.
        described : dict
            Measure -> (unit, name of its dimension or None for a single number).

        Returns
        -------
        seconds : float
            Duration of the simulation loop alone.
        """
        _check_kinds(schedule, stimuli, weights)
        p = self.parameters
        simulation = Simulation(p, self.device, getattr(p, "codegen_target", "numpy"))
        schedule = schedule.counted_from(self.n_presented)
        simulation.checked([NetworkRun(schedule, weights)], stimuli)
        self.n_simulations += 1
        self.n_presented = schedule.next_presentation
        if self.n_simulations == 1:
            self._keep_start(weights)
        key = content_hash(simulation.key, self._description(schedule, stimuli, weights))
        file = self.directory.checkpoint(self.n_simulations)
        kept = Checkpoint.read(file, key)
        here = kept or Checkpoint(weights)
        measured, first = set(schedule.measured.tolist()), here.n_done
        total = schedule.n_presentations()
        self.report(0, total, "compiling" if self.device != "runtime" else "preparing")
        if self.shared is None:
            self._build(simulation)

        def callback(state: State):
            if state.first == state.last and (kept is not None or state.last not in measured):
                return
            here.n_done, here.seconds = state.last, here.seconds + state.seconds
            if len(state.rates):
                here.answers.append(state.rates)
            if state.last in measured:
                shown = np.concatenate(here.answers) if here.answers else state.rates
                here.add_row(measure(state.last, state.weights, shown), described)
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
        self._count_looks(schedule)
        return here.seconds

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

    def _count_looks(self, schedule):
        """Add the presentations of wake and sleep before each look; evaluations are not counted."""
        earlier = [] if self.looks is None else self.looks
        places = [*np.unique(schedule.measured), None]
        *now, n_now = [sum(schedule.n_presentations(phase, at) for phase in ("wake", "sleep")) for at in places]
        self.looks = np.array([*earlier, *(n + self.n_learned for n in now)], int)
        self.n_learned += n_now

    def _keep_start(self, weights):
        """Keep the weights with which the run begins, where they are not those that parameters and seed say."""
        p = self.parameters
        drawn = initial_weights(p, self.seed)
        if weights.astype(p.dtype).sha256 != drawn.sha256:
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
        hosts = [host.code for host in schedule.interventions]
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


def run_numbers(p: Any, seed: int) -> dict[str, Any]:
    """The numbers that equations see: those of the learning rule, and the seed of the noise."""
    return {"noise_seed": seed, **p.rule_values}


def _phase_at(schedule, place):
    phase = schedule.phase[min(place, len(schedule) - 1)]
    return "evaluation" if phase == EVALUATION else "wake and sleep"

"""Protocols: an experiment as a question, its parameters and a procedure; and one run of it."""

import difflib
import hashlib
import importlib.util
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from cortex_model.devices.simulation import Member, Simulation, Stop
from cortex_model.errors import ParameterError, in_short
from cortex_model.failures import raised_by
from cortex_model.parameters import Parameters, content_hash
from cortex_model.phases.chunk import Stimuli
from cortex_model.phases.schedule import EVALUATION, LEARNING_RULES, Schedule
from cortex_model.results import RunDirectory
from cortex_model.weights import Weights


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
    """

    name: str
    question: str
    parameters: type[Parameters]
    run: Callable[["Run"], dict[str, Any]]
    tiny: dict[str, Any] = field(default_factory=dict)


def protocol_folder() -> Path:
    """Folder of the protocols that come with the package."""
    inside = Path(__file__).parent / "protocols"
    return inside if inside.is_dir() else Path(__file__).parents[1] / "protocols"


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
    module = load_module(path)
    if not isinstance(getattr(module, "PROTOCOL", None), Protocol):
        raise ParameterError(
            f"{path}: must define PROTOCOL, a cortex_model.protocol.Protocol (got none); see protocols/README.md."
        )
    return module.PROTOCOL


def load_module(path: Path):
    """A Python file as a module.

    Raises
    ------
    ParameterError
        If the file is not Python that runs.
    """
    spec = importlib.util.spec_from_file_location(f"cortex_model_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise ParameterError(raised_by(error, path)) from error
    return module


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
    shared : SharedProgram, optional
        Where it meets the runs with which it shares a program (`cortex_model.ensembles`).
    """

    parameters: Any
    seed: int
    device: str
    directory: RunDirectory
    report: Callable[[int, int, str], None] = lambda done, total, text: None
    weights: Weights | None = None
    measures: dict[str, tuple] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    shared: Any = None

    def simulate(
        self,
        schedule: Schedule,
        stimuli: Stimuli,
        weights: Weights,
        measure: Callable[[int, Weights, np.ndarray], dict[str, Any]],
        described: dict[str, tuple[str, str | None]],
    ) -> float:
        """Run a schedule with checkpoints, from the last one on if there is one.

        Parameters
        ----------
        schedule : Schedule
        stimuli : Stimuli
        weights : Weights
            At the start.
        measure : callable
            (slot, weights, rates of the top population since the last look) -> name -> number or vector; called at
            each look of the schedule. The rows are kept in `measures`, the final weights in `weights`.
        described : dict
            Measure -> (unit, name of its dimension or None for a single number).

        Returns
        -------
        seconds : float
            Duration of the simulation loop alone.
        """
        p = self.parameters
        simulation = Simulation(p, self.device, getattr(p, "codegen_target", "numpy"))
        key = content_hash(simulation.key, self._description(schedule))
        kept = self.directory.read_checkpoint(key)
        position, rows, answers, gains = {"slot": 0, "seconds": 0.0}, {}, [], None
        if kept is not None:
            position, weights, others = kept
            gains = {int(name[5:]): float(v) for name, v in others.items() if name.startswith("gain_")}
            rows = {name[4:]: list(v) for name, v in others.items() if name.startswith("row_")}
            answers = [others["answers"]] if "answers" in others else []
        looks, first = set(schedule.looks.tolist()), position["slot"]
        numbers = run_numbers(p, self.seed)
        total = schedule.n_presentations()
        self.report(0, total, "compiling" if self.device != "runtime" else "preparing")
        started = time.perf_counter()
        if self.shared is None:
            simulation.build()
            self.directory.log(f"program ready after {time.perf_counter() - started:.1f} s")

        def at_stop(stop: Stop):
            nonlocal answers
            at_start = stop.first == stop.last
            if at_start and (kept is not None or stop.last not in looks):
                return
            position["seconds"] += stop.seconds
            if len(stop.rates):
                answers.append(stop.rates)
            if stop.last in looks:
                shown = np.concatenate(answers) if answers else stop.rates
                for name, value in measure(stop.last, stop.weights, shown).items():
                    rows.setdefault(name, []).append(value)
                answers = []
            others = {f"gain_{level}": gain for level, gain in stop.gains.items()}
            others |= {f"row_{name}": np.asarray(values) for name, values in rows.items()}
            if answers:
                others["answers"] = np.concatenate(answers)
            self.directory.write_checkpoint(key, position | {"slot": stop.last}, stop.weights, others)
            self.report(schedule.n_presentations(slot=stop.last), total, _phase_at(schedule, stop.last))

        self.directory.log(f"slots {first} to {schedule.n_slots}")
        if self.shared is None:
            last = simulation.run(schedule, stimuli, weights, numbers, first_slot=first, at_stop=at_stop, gains=gains)
        else:
            last = self.shared.simulate(Member(schedule, weights, numbers, first, at_stop, gains), stimuli, p)
        self.weights = last.weights
        for name, values in rows.items():
            values = np.asarray(values)
            unit, dimension = described[name]
            self.measures[name] = (["look", dimension] if dimension else ["look"], values, unit)
        return position["seconds"]

    def warn(self, sentence: str) -> None:
        """Say once, in the log and beside the progress bar, that something is not as it should be."""
        if sentence not in self.warnings:
            self.warnings.append(sentence)
            self.directory.log(f"warning: {sentence}")

    def _description(self, schedule):
        arrays = (schedule.kind, schedule.presentation, schedule.stimulus, schedule.looks, schedule.updates)
        digest = hashlib.sha256(b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)).hexdigest()
        return [self.parameters.model_dump(mode="json"), self.seed, self.device, digest]


def run_numbers(p: Any, seed: int) -> dict[str, Any]:
    """The numbers that equations see, from parameters and seed; steps that the rule does not take are 0."""
    rule = LEARNING_RULES[p.learning_rule]
    follows = "transposed_update_gate" in rule.wake_gates
    in_time = {"relaxation": p.relaxation} if p.is_leaky else {}
    return {
        "noise_seed": seed,
        "learning_rate": p.learning_rate,
        "transposed_learning_rate": p.learning_rate if follows else 0.0,
        "sleep_learning_rate": p.sleep_learning_rate if rule.sleeps else 0.0,
        "forward_sleep_learning_rate": p.forward_sleep_learning_rate if rule.sleeps and rule.reconstructs else 0.0,
        "decay_rate": p.weight_decay if "weight_decay_gate" in rule.wake_gates else 0.0,
        "damping": p.damping,
        "noise_gain": p.noise_gain,
        "reconstruction": float(rule.reconstructs),
        "regression": p.regression,
        "slope_cutoff": p.slope_cutoff,
        **in_time,
    }


def _phase_at(schedule, slot):
    kind = schedule.kind[min(slot, schedule.n_slots - 1)]
    return "evaluation" if kind == EVALUATION else "wake and sleep"

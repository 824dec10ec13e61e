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
from filelock import FileLock, Timeout

from cortex_model.devices.simulation import Simulation, Stop
from cortex_model.errors import ParameterError, RunError
from cortex_model.parameters import Parameters, content_hash
from cortex_model.phases.chunk import Stimuli
from cortex_model.phases.schedule import EVALUATION, Schedule
from cortex_model.provenance import provenance
from cortex_model.results import PROVENANCE, RunDirectory, run_name
from cortex_model.storage import read_json, write_json
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
    path = Path(name_or_file)
    if path.suffix != ".py":
        path = protocol_folder() / f"{name_or_file}.py"
    if not path.is_file():
        nearest = difflib.get_close_matches(name_or_file, protocol_names(), n=1, cutoff=0.3)
        hint = f"did you mean {nearest[0]}?" if nearest else f"known are {', '.join(protocol_names())}."
        raise ParameterError(f"PROTOCOL: must be a protocol's name or file (got {name_or_file!r}); {hint}")
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
    except Exception as error:
        got = f"{type(error).__name__}: {error}"
        raise ParameterError(f"{path}: must be Python that can be loaded (got {got}); mend it.") from None
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
    """

    parameters: Any
    seed: int
    device: str
    directory: RunDirectory
    report: Callable[[int, int, str], None] = lambda done, total, text: None
    weights: Weights | None = None
    measures: dict[str, tuple] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

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
        last = simulation.run(schedule, stimuli, weights, numbers, first_slot=first, at_stop=at_stop, gains=gains)
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
    """The numbers that equations see, from parameters and seed."""
    return {
        "noise_seed": seed,
        "learning_rate": p.learning_rate,
        "sleep_learning_rate": p.sleep_learning_rate,
        "forward_sleep_learning_rate": p.forward_sleep_learning_rate,
        "damping": p.damping,
        "noise_gain": p.noise_gain,
        "regression": p.regression,
        "slope_cutoff": p.slope_cutoff,
    }


def _phase_at(schedule, slot):
    kind = schedule.kind[min(slot, schedule.n_slots - 1)]
    return "evaluation" if kind == EVALUATION else "wake and sleep"


# ---------------------------------------------------------------------- making and resuming runs
def start(
    protocol: str,
    parameters: Any,
    seed: int,
    device: str,
    parent: Path,
    report: Callable[[int, int, str], None] | None = None,
    again: bool = False,
) -> dict[str, Any]:
    """Make a run of a protocol, or go on with it, or return the summary of the finished one.

    Parameters
    ----------
    protocol : str
        Name or file.
    parameters : Parameters
    seed : int
    device : str
    parent : Path
        Folder below which the run directory is made.
    report : callable, optional
        Draws the progress bar.
    again : bool
        Whether to forget what is there and start anew.

    Returns
    -------
    summary : dict
    """
    loaded = load_protocol(protocol)
    file = str(Path(protocol).resolve()) if Path(protocol).suffix == ".py" else loaded.name
    description = {
        "protocol": loaded.name,
        "protocol_file": file,
        "device": device,
        "seed": seed,
        "parameters": parameters.model_dump(mode="json"),
    }
    directory = RunDirectory.created(parent, description, run_name(loaded.name, parameters, seed, device))
    return carry_out(loaded, parameters, seed, device, directory, report, again)


def resume(path: Path, report: Callable[[int, int, str], None] | None = None) -> dict[str, Any]:
    """Go on with an interrupted run; the summary of a finished one.

    Raises
    ------
    RunError
        If there is no such run directory.
    """
    directory = RunDirectory.opened(path)
    given = directory.description()
    loaded = load_protocol(given["protocol_file"])
    parameters = loaded.parameters().with_overrides(given["parameters"])
    return carry_out(loaded, parameters, given["seed"], given["device"], directory, report)


def carry_out(loaded, parameters, seed, device, directory, report=None, again=False) -> dict[str, Any]:
    """Run a protocol into its directory, from the last checkpoint on."""
    try:
        with FileLock(directory.path / ".lock", timeout=0):
            if again:
                directory.clear()
            if directory.has_finished:
                return directory.summary()
            origin = provenance(device, seed)
            if (directory.path / PROVENANCE).exists():
                origin = read_json(directory.path / PROVENANCE)
                origin["resumed"].append(time.strftime("%Y-%m-%dT%H:%M:%S%z"))
            write_json(directory.path / PROVENANCE, origin)
            run = Run(parameters, seed, device, directory, report or (lambda *_: None))
            try:
                summary = loaded.run(run)
            except BaseException as error:
                directory.log(f"stopped: {type(error).__name__}: {error}")
                error.add_note(str(directory.path))
                raise
            write_json(directory.path / PROVENANCE, origin | {"finished": time.strftime("%Y-%m-%dT%H:%M:%S%z")})
            summary = {
                "run_dir": str(directory.path),
                "device": device,
                "seed": seed,
                **summary,
                "warnings": run.warnings,
            }
            directory.finish(run.weights, run.measures, summary)
            directory.log("finished")
            return summary
    except Timeout:
        raise RunError(
            f"{directory.path}: must not be in use by another process (got a locked folder); wait for that run to end."
        ) from None

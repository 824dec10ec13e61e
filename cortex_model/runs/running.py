"""Making runs, going on with them: one process at a time, each finished run once."""

import os
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from cortex_model.devices.program import program_cache
from cortex_model.errors import RunError, in_short
from cortex_model.parameters import SleepWakeParameters, checked_seed
from cortex_model.parameters.interventions import in_force_after
from cortex_model.runs.directory import PROTOCOL_FILES, RULE_FILES, RunDirectory
from cortex_model.runs.locking import held
from cortex_model.runs.protocol import load_protocol, parameters_of, protocol_of, rule_code
from cortex_model.runs.provenance import made_by_other_sources, origin_of
from cortex_model.runs.run import Run
from cortex_model.state.kept import PROVENANCE
from cortex_model.system.failures import raised_by
from cortex_model.system.storage import SHA256, clear_parts, plain, write_json

#: What keeps the linear algebra of a process to one thread, where there is a process for each core.
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")


def start(
    protocol: str,
    parameters: Any,
    seed: int,
    device: str,
    parent: Path,
    report: Callable[[int, int, str], None] | None = None,
    again: bool = False,
    shared: Any = None,
    is_held: bool = False,
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
    shared : SharedProgram, optional
        Where it meets the runs with which it shares a program (`cortex_model.runs.together`).
    is_held : bool
        Whether this process holds the run directory already; otherwise it waits for others that make the run.

    Returns
    -------
    summary : dict
    """
    loaded = load_protocol(protocol)
    code, of_rule = loaded.code, rule_code(parameters)
    description = {
        "protocol": loaded.name,
        "protocol_file": str(code.path) if code else loaded.name,
        "protocol_files": code.sha256s() if code else {},
        "rule_files": of_rule.sha256s() if of_rule else {},
        "device": device,
        "seed": seed,
        "parameters": parameters.model_dump(mode="json"),
    }
    folders = {PROTOCOL_FILES: code, RULE_FILES: of_rule}
    files = {f"{folder}/{n}": text for folder, its in folders.items() if its for n, text in its.files.items()}
    path = Path(parent) / loaded.run_name(parameters, seed, device)
    with nullcontext() if is_held else held(path, waits=shared is None):
        directory = RunDirectory.created(path, description, files, again)
        return carry_out(loaded, parameters, seed, device, directory, report, shared)


def resume(
    path: Path,
    report: Callable[[int, int, str], None] | None = None,
    again: bool = False,
    run_code: bool = False,
) -> dict[str, Any]:
    """Go on with an interrupted run; the summary of a finished one.

    Parameters
    ----------
    path : Path
    report : callable, optional
    again : bool
        Whether to forget what is there and start anew.
    run_code : bool
        Whether to run a user's own files that the run directory keeps also where it belongs to another user; they
        must in any case be those with which the run began.

    Raises
    ------
    RunError
        If there is no such run directory, or it is not what it says.
    """
    directory = RunDirectory(path) if again else RunDirectory.opened(path)
    with held(path):
        given = directory.description()
        loaded, parameters = protocol_of(directory, run_code), parameters_of(directory, run_code)
        checked_seed(given["seed"], f"{path}: seed")
        if not directory.has_finished and loaded.run_name(parameters, given["seed"], given["device"]) != given["name"]:
            raise RunError(
                f"{path}: must be a run whose name today's cortex-model gives to its parameters and files (got "
                "another: from an earlier version, or edited); give the command that began it."
            )
        if again:
            directory.clear()
        return carry_out(loaded, parameters, given["seed"], given["device"], directory, report)


def beside(run: Run, protocol: str) -> RunDirectory:
    """The finished run of another protocol with the same parameters, seed and device, in the same folder.

    It is made, or gone on with, where it is not there; so runs of several protocols can share one training.

    Parameters
    ----------
    run : Run
        Whose parameters are at least those of the other protocol.
    protocol : str
        Name of the other protocol.
    """
    if load_protocol(protocol).code is not None:
        raise RunError(
            f"running.beside: must name a protocol that comes with the package (got {protocol!r}, whose code would not "
            "be part of this run's name); import what it does from your own protocol file."
        )
    fields = load_protocol(protocol).parameters.model_fields
    given = {name: value for name, value in run.parameters.model_dump(mode="json").items() if name in fields}
    parameters = load_protocol(protocol).parameters().with_overrides(given)
    folder = run.directory.path.parent
    try:
        summary = start(protocol, parameters, run.seed, run.device, folder, run.report, shared=run.shared)
        if other := summary.get("made_by_other_sources"):
            run.warn(f"{summary['run_dir']}: {other}")
    except BaseException as error:
        error.__notes__ = []  # it is this run that is resumed
        raise
    return RunDirectory(folder / load_protocol(protocol).run_name(parameters, run.seed, run.device))


def carry_out(loaded, parameters, seed, device, directory, report=None, shared=None) -> dict[str, Any]:
    """Run a protocol into its directory, which this process holds, from the last checkpoint on."""
    if directory.has_finished:
        directory.check(by_content=True)
        directory.clear_parts()
        return directory.summary() | made_by_other_sources(directory)
    clear_parts(directory.path)
    directory.clear_results()
    run = Run(parameters, seed, device, directory, report or (lambda *_: None), shared=shared)
    origin = origin_of(run)
    write_json(directory.path / PROVENANCE, origin)
    try:
        with loaded.code.importable() if loaded.code else nullcontext(), threadpool_limits(1):
            summary = _summary(loaded, run)  # with one thread: sums over several end in other bits
    except BaseException as error:
        with suppress(OSError, RunError):  # the disk may be full, or gone: what failed first is what is said
            directory.log(f"stopped: {type(error).__name__}: {error}")
        error.add_note(str(directory.path))
        raise
    summary = {"run_dir": str(directory.path), "device": device, "seed": seed, **summary, "warnings": run.warnings}
    directory.finish(run.weights, run.measures, run.looks, run.ended, run.remembered, run.recorded)
    directory.conclude(summary, origin | {"finished": time.strftime("%Y-%m-%dT%H:%M:%S%z")})
    directory.log("finished")
    return summary


def go_on(
    path: Path,
    overrides: dict[str, Any],
    report: Callable[[int, int, str], None] | None = None,
    run_code: bool = False,
) -> dict[str, Any]:
    """Make a run that begins where a finished one ended: the same protocol, parameters, seed and device, but for some.

    Parameters
    ----------
    path : Path
        The finished run; it stays as it is.
    overrides : dict
        Parameters of the new run: its ``epochs`` are more epochs. It does not sleep before the first stimulus again,
        nor repeat interventions, unless that is among them; what was frozen at the end stays so. Blocks of sleep, and
        what the host does every so many presentations, are counted from its own beginning on; where they divide what
        came before, and evaluations once an epoch or at numbers that do, its bits are those of one longer run. A
        protocol of one's own that calls `Run.intervene` does so again.
    report : callable, optional
    run_code : bool
        See `resume`.

    Returns
    -------
    summary : dict
        Of the new run, in the folder in which the finished one lies.

    Raises
    ------
    RunError
        If the run has not finished.
    """
    directory = RunDirectory.opened(path)
    if not directory.has_finished:
        raise RunError(
            f"{path}: must be a run that has finished (got one that is {directory.state}); resume it without --set."
        )
    given, before = directory.description(), parameters_of(directory, run_code)
    again = _not_again(before)
    parameters = before.with_overrides(again | overrides | {"start_from": str(directory.path)})
    parameters.check_asked(overrides)
    kept = given.get("protocol_files")
    protocol = directory.path / PROTOCOL_FILES / Path(given["protocol_file"]).name if kept else given["protocol"]
    return start(str(protocol), parameters, given["seed"], given["device"], directory.path.parent, report)


def _not_again(p):
    """Parameters of a run that goes on where one with these has ended, besides those that are asked for."""
    if not isinstance(p, SleepWakeParameters):
        return {}
    rates = in_force_after(p.relative_learning_rates, p.interventions, p.rule, p.n_layers)
    return {"sleep_before_presentations": 0, "interventions": (), "relative_learning_rates": rates}


def _summary(loaded, run):
    """What a protocol returns, if a summary can hold it."""
    try:
        summary = loaded.run(run)
    except SystemExit as error:
        raise RunError(raised_by(error)) from error
    if not isinstance(summary, dict):
        raise RunError(
            f"{loaded.name}.run: must return a dictionary, its summary (got {in_short(summary)}); end it with "
            "`return {...}`."
        )
    if taken := sorted({"run_dir", "device", "seed", "warnings", SHA256} & summary.keys()):
        raise RunError(
            f"{loaded.name}.run: must return a summary without {taken[0]!r}, which every summary has already "
            f"(got {in_short(summary[taken[0]])}); rename it."
        )
    return plain(summary, f"the summary of {loaded.name}")


def child_environment() -> dict[str, str]:
    """What children are given as environment; where Python may not keep bytecode, it may in the cache of programs.

    Dozens of processes that each compile the same thousand modules would spend most of their time on it.
    """
    given = dict(os.environ)
    if sys.dont_write_bytecode:
        given.pop("PYTHONDONTWRITEBYTECODE", None)
        given["PYTHONPYCACHEPREFIX"] = str(program_cache().parent / "bytecode")
    return given

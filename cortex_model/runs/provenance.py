"""Where a run's numbers come from."""

import contextlib
import os
import platform
import subprocess
import sys
import time
import warnings
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import cortex_model
from cortex_model.devices.program import compiler_used
from cortex_model.errors import CortexModelWarning, RunError
from cortex_model.runs.directory import RunDirectory
from cortex_model.state.kept import PROVENANCE
from cortex_model.system.sources import package_sha256, path_and_hash
from cortex_model.system.storage import read_json

PACKAGES = ("brian2", "brian2cuda", "numpy", "scipy", "xarray", "pydantic", "scikit-learn")


def provenance(device: str, seed: int, codegen_target: str = "numpy") -> dict[str, Any]:
    """Where a run's numbers come from: versions, sources, commit, compiler and its flags, processor, time."""
    versions = {"cortex-model": cortex_model.__version__, "python": platform.python_version()}
    for package in PACKAGES:
        with contextlib.suppress(PackageNotFoundError):
            versions[package] = version(package)
    return {
        "device": device,
        "seed": seed,
        "versions": versions,
        "sources_sha256": package_sha256(),
        "git_commit": _output("git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"),
        "compiler": compiler_used(device, codegen_target),
        "processor": f"{platform.machine()}, {os.cpu_count()} cores",
        "system": platform.platform(),
        "command": " ".join(["cortex-model", *sys.argv[1:]]),
        "started": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "resumed": [],
    }


def other_sources(origin: dict[str, Any]) -> str:
    """When, and by which version, a run was made, if not by these sources of the package; else nothing."""
    if origin.get("sources_sha256") == package_sha256():
        return ""
    when = str(origin.get("finished") or origin.get("started") or "at an unknown time")[:19].replace("T", " ")
    versions = origin.get("versions")
    version_then = versions.get("cortex-model") if isinstance(versions, dict) else None
    return f"{when} by cortex-model {version_then or 'of an unknown version'}"


def origin_of(run: Any) -> dict[str, Any]:
    """Where a run's numbers come from; where it goes on, from where it began, and a warning if that is elsewhere."""
    now = provenance(run.device, run.seed, getattr(run.parameters, "codegen_target", "numpy"))
    now["started_from"] = _started_from(run.parameters)
    origin = run.directory.provenance()
    if not origin:
        return now
    resumed = {"at": now["started"], "sources_sha256": now["sources_sha256"], "compiler": now["compiler"]}
    if other := other_sources(origin):
        run.warn(f"begun {other}, whose sources were others than those it goes on with; --again makes it anew")
    earlier = origin.get("resumed") if isinstance(origin.get("resumed"), list) else []
    begun = {name: value for name, value in origin.items() if name not in ("finished", "files")}
    return begun | {"resumed": [*earlier, resumed]}


def _started_from(parameters):
    """The runs that this one goes on from, the last one first: each its name and hash."""
    start_from = getattr(parameters, "start_from", "")
    if not start_from:
        return []
    file = Path(path_and_hash(start_from)[0]) / PROVENANCE
    earlier = read_json(file).get("started_from", []) if file.is_file() else []
    return [start_from, *earlier]


def made_by_other_sources(directory: RunDirectory) -> dict[str, str]:
    """An entry for the summary of a finished run that other sources of this package made; empty where these did."""
    if not (other := _made_otherwise(directory)):
        return {}
    return {"made_by_other_sources": f"made {other}, whose sources were others than today's; --again makes it anew"}


def damage(directory: RunDirectory) -> str:
    """What is wrong with a finished run, in a sentence; nothing where all is there."""
    try:
        directory.check()
    except RunError as error:
        return str(error)
    return ""


def _made_otherwise(directory):
    """When, and by which version, a run was made, if not by these sources; also where nothing says who made it."""
    return other_sources(directory.provenance())


def mind_other_sources(directories: list[RunDirectory], again: bool) -> None:
    """Of many runs, forget those that other sources of this package made (``again``), or count them in a warning.

    Those that are damaged are forgotten, too; whoever reads them says so otherwise.
    """
    finished = {directory.path: directory for directory in directories if directory.has_finished}.values()
    damaged = [directory for directory in finished if damage(directory)]
    others = [directory for directory in finished if directory not in damaged and _made_otherwise(directory)]
    if again:
        others += damaged
        for directory in others:
            directory.clear()
    elif others:
        sentence = (
            f"{len(others)} of {len(finished)} finished runs were made by other sources of cortex-model than today's "
            f"(the first {_made_otherwise(others[0])}); --again makes them anew."
        )
        warnings.warn(CortexModelWarning(sentence), stacklevel=3)


def _output(*command):
    """First line that a command prints, or an empty text where it cannot be run."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.split("\n")[0] if done.returncode == 0 else ""

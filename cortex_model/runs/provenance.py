"""Where a run's numbers come from."""

import contextlib
import os
import platform
import subprocess
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import cortex_model
from cortex_model.devices.program import compiler_used
from cortex_model.system.sources import package_sha256

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


def _output(*command):
    """First line that a command prints, or an empty text where it cannot be run."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.split("\n")[0] if done.returncode == 0 else ""

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

PACKAGES = ("brian2", "brian2cuda", "numpy", "scipy", "xarray", "pydantic", "scikit-learn")


def provenance(device: str, seed: int) -> dict[str, Any]:
    """Where a run's numbers come from: versions, commit, compiler, processor, time."""
    versions = {"cortex-model": cortex_model.__version__, "python": platform.python_version()}
    for package in PACKAGES:
        with contextlib.suppress(PackageNotFoundError):
            versions[package] = version(package)
    return {
        "device": device,
        "seed": seed,
        "versions": versions,
        "git_commit": _output("git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"),
        "compiler": _output("g++", "--version"),
        "processor": f"{platform.machine()}, {os.cpu_count()} cores",
        "system": platform.platform(),
        "command": " ".join(["cortex-model", *sys.argv[1:]]),
        "started": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "resumed": [],
    }


def _output(*command):
    """First line that a command prints, or an empty text where it cannot be run."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.split("\n")[0] if done.returncode == 0 else ""

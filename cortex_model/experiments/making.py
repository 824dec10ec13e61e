"""Runs that figures need, and how they are made: one process each, as many at once as there are cores."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cortex_model.errors import RunError
from cortex_model.parameters import Parameters
from cortex_model.runs.directory import RunDirectory
from cortex_model.runs.protocol import load_protocol
from cortex_model.runs.running import ONE_THREAD, child_environment
from cortex_model.schedule.declared import program_structure

Report = Callable[[int, int, str], None]


@dataclass(frozen=True)
class RunRequest:
    """A run that a figure needs.

    Attributes
    ----------
    protocol : str
    overrides : dict
        Parameters that differ from the protocol's defaults.
    seed : int
    """

    protocol: str
    overrides: dict[str, Any]
    seed: int

    def parameters(self) -> Parameters:
        """All parameters of the run."""
        return load_protocol(self.protocol).parameters().with_overrides(self.overrides)

    def name(self, device: str) -> str:
        """Name of its run directory."""
        return load_protocol(self.protocol).run_name(self.parameters(), self.seed, device)

    def command(self, device: str, runs: Path) -> list[str]:
        """The command line that makes it, as a person would type it."""
        sets = [part for name, value in self.overrides.items() for part in ("--set", f"{name}={_text(value)}")]
        options = ["--seed", str(self.seed), "--device", device, "--out", str(runs), "--json"]
        return [sys.executable, "-m", "cortex_model", "run", self.protocol, *sets, *options]


def make_runs(requests: list[RunRequest], runs: Path, device: str, report: Report = lambda *_: None) -> None:
    """Make the runs that are not there, one process each, as many at once as there are cores.

    Raises
    ------
    RunError
        If a run fails; the others are ended, finished ones are kept.
    """
    wanted = {request.name(device): request for request in requests}
    missing = [request for name, request in wanted.items() if not RunDirectory(runs / name).has_finished]
    waiting, running = programs_first(missing), {}
    n_cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        while waiting or running:
            while waiting and len(running) < n_cores:
                request = waiting.pop(0)
                complaints = tempfile.TemporaryFile("w+")  # noqa: SIM115
                command = request.command(device, runs)
                environment = child_environment() | ONE_THREAD
                child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=complaints, env=environment)
                running[child] = request, complaints
            report(len(missing) - len(waiting) - len(running), len(missing), _doing(running))
            time.sleep(0.05)
            for child in [child for child in running if child.poll() is not None]:
                request, complaints = running.pop(child)
                _check(child.returncode, request, complaints)
        report(len(missing), len(missing), "drawing")
    finally:
        for child in running:
            child.terminate()
        for child in running:
            child.wait()


def programs_first(requests: list[RunRequest]) -> list[RunRequest]:
    """The requests in an order in which different programs are compiled at once, the largest first.

    One request of each distinct program comes first; the others, which only run, follow as they were.
    """
    first = {}
    for request in requests:
        first.setdefault(json.dumps(program_structure(request.parameters())), request)
    leading = sorted(first.values(), key=lambda request: -request.parameters().n_layers)
    return leading + [request for request in requests if not any(request is other for other in leading)]


def _check(status, request, complaints):
    """Raise if a run failed, with its own last sentence."""
    with complaints:
        if status == 0:
            return
        complaints.seek(0)
        last = (complaints.read().strip().split("\n") or [""])[-1] or f"exit status {status}"
    raise RunError(f"{request.protocol}, seed {request.seed}: must finish (got: {last})")


def _doing(running):
    return ", ".join(sorted({request.protocol for request, _ in running.values()}))


def _text(value):
    return ",".join(map(str, value)) if isinstance(value, tuple | list) else str(value)

"""What the tests of the benchmark share: simulations without a process of their own, and one tiny benchmark."""

import io
import json
import subprocess
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from types import SimpleNamespace

import pytest

from cortex_model.benchmark import with_simulation
from cortex_model.benchmark.report import benchmark


def run_here(command, **options):
    """`subprocess.run`, but that a simulation, whose process would first have to load Brian2, is run in this one."""
    if command[1:3] != ["-m", "cortex_model.benchmark.with_simulation"]:
        return subprocess.run(command, **options)
    said = io.StringIO()
    with redirect_stdout(said):
        with_simulation.main(Path(command[3]), json.loads(command[4]))
    return SimpleNamespace(returncode=0, stdout=said.getvalue(), stderr="")


@contextmanager
def in_this_process():
    with pytest.MonkeyPatch.context() as patch:
        its = SimpleNamespace(run=run_here, Popen=subprocess.Popen, DEVNULL=subprocess.DEVNULL)
        patch.setattr("cortex_model.benchmark.measuring.subprocess", its)
        yield patch


@pytest.fixture
def simulated_here():
    """What is measured of a simulation is measured in this process."""
    with in_this_process():
        yield


@pytest.fixture(scope="session")
def said():
    """What the tiny benchmark reported on its way: (done, total, text)."""
    return []


@pytest.fixture(scope="session")
def result(said, only_rules):
    """A tiny benchmark on one device that needs no compiler; of the memory, only the caches."""
    options = {"devices": ["runtime/numpy"], "repetitions": 1, "seconds": 0.001, "has_memory": False}
    with in_this_process() as patch, only_rules("random_feedback"):
        patch.setattr("cortex_model.benchmark.bandwidth.cache_bytes", lambda: {"L1": 2**15, "L2": 2**20})
        return benchmark(["6,5,4,3"], "4", **options, report=lambda *its: said.append(its))

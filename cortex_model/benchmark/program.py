"""What a user waits for besides the loop: building a program, chunks, a second run."""

import subprocess
import sys
import time

import numpy as np

from cortex_model.benchmark.contenders import Contender
from cortex_model.benchmark.marks import LARGE
from cortex_model.benchmark.measuring import measure
from cortex_model.benchmark.problem import Problem
from cortex_model.errors import DeviceError
from cortex_model.parameters import HierarchyParameters
from cortex_model.system.cache import scratch

#: A run of a tiny hierarchy, whose first presentation comes before its end.
RUN = ["run", "wake_sleep_classification", "--set", "layer_sizes=64,8,6,10", "--set", "epochs=1", "--again"]
N_CHUNKS = 4


def program_seconds(sizes: tuple[int, ...] = LARGE) -> dict[str, float]:
    """Seconds that go by outside the loop on cpp_standalone.

    Parameters
    ----------
    sizes : tuple of int
        Of the hierarchy that is built and run in chunks.

    Returns
    -------
    seconds : dict
        ``build_seconds``: from the Brian2 objects to the compiled program, in an empty cache;
        ``seconds_between_chunks``: median over chunks of what is not the loop;
        ``second_run_seconds``: the whole command of a tiny run whose program is compiled, so more than the time to
        its first presentation.

    Raises
    ------
    DeviceError
        If one of them fails.
    """
    capacity = HierarchyParameters().chunk_presentations
    problem = Problem(sizes, n_stimuli=capacity)
    with scratch() as folder:
        problem.write(folder)
        cache = {"CORTEX_MODEL_CACHE": str(folder / "cache")}
        contender = Contender("dense", "cpp_standalone")
        told = measure(contender, problem, folder, N_CHUNKS * capacity, environment=cache).told
        seconds = [_seconds(folder) for _ in range(2)][-1]
    return {
        "build_seconds": round(told["build_seconds"], 2),
        "seconds_between_chunks": round(float(np.median(told["between_chunks"])), 3),
        "second_run_seconds": round(seconds, 2),
    }


def _seconds(folder):
    """Duration of the tiny run, from the command to its end."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "cortex_model", *RUN, "--out", str(folder / "runs")]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise DeviceError(f"benchmark.program: {' '.join(RUN)} must finish (got: {done.stderr.strip()}).")
    return time.perf_counter() - started

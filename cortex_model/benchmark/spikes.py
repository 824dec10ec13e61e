"""Spikes with plasticity: dense projections beside stock Brian2, in C++ programs that differ in nothing else."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from cortex_model.benchmark.marks import SMALL
from cortex_model.benchmark.measuring import MEMORY_SIZES, Report, peak_bytes
from cortex_model.errors import DeviceError
from cortex_model.runs.running import ONE_THREAD
from cortex_model.system.cache import scratch

KINDS = ("dense", "stock")
MILLISECONDS = 1000
#: How far the number of spikes may be from stock's: a rounding can move a spike by a time step.
TOLERANCE = 0.01


def compare_spikes(
    sizes: tuple[int, ...] = SMALL,
    dtype: str = "float32",
    repetitions: int = 5,
    report: Report = lambda text: None,
    milliseconds: int = MILLISECONDS,
    memory_sizes: tuple = MEMORY_SIZES,
) -> list[dict[str, Any]]:
    """Measure both kinds of the network of `cortex_model.benchmark.with_spikes`, one repetition after the other.

    Parameters
    ----------
    sizes : tuple of int
        Neurons in each group, one synapse from each neuron to each of the next group.
    dtype : {"float32", "float64"}
    repetitions : int
    report : callable
        Called with what is going on.
    milliseconds : int
        What is simulated, in time steps of 1 ms.
    memory_sizes : tuple
        Sizes of two networks whose difference in memory is that of their synapses; none: it is not measured.

    Returns
    -------
    rows : list of dict
        One a kind: median and interquartile range of microseconds of the loop a time step, bytes a synapse, spikes.

    Raises
    ------
    DeviceError
        If a program fails, or the two do not send the same spikes.
    """
    with scratch() as folder:
        spikes, seconds = {}, {kind: [] for kind in KINDS}
        for kind in KINDS:
            report(f"spikes: {kind}, building")
            spikes[kind] = _built(folder / kind, kind, sizes, dtype, milliseconds)
        if not abs(spikes["dense"] - spikes["stock"]) <= TOLERANCE * spikes["stock"]:
            raise DeviceError(
                f"benchmark.spikes: dense must send as many spikes as stock (got {spikes['dense']} and "
                f"{spikes['stock']}); compare the two before their times."
            )
        for _ in range(repetitions):
            for kind in KINDS:
                report(f"spikes: {kind}")
                seconds[kind].append(_loop_seconds(folder / kind))
    rows = []
    for kind in KINDS:
        report(f"memory of spikes: {kind}")
        low, median, high = np.percentile(1e6 * np.array(seconds[kind]) / milliseconds, (25, 50, 75))
        rows.append({
            "implementation": kind, "device": "cpp_standalone", "sizes": list(sizes), "dtype": dtype,
            "microseconds_per_time_step": round(float(median), 3), "spread_microseconds": round(float(high - low), 3),
            "bytes_per_synapse": _bytes_per_synapse(kind, dtype, memory_sizes) if memory_sizes else None,
            "spikes": spikes[kind], "repetitions": repetitions,
        })  # fmt: skip
    return rows


def _built(folder, kind, sizes, dtype, milliseconds):
    """Compile a program into a folder; how many spikes it sends."""
    job = {"sizes": list(sizes), "dense": kind == "dense", "dtype": dtype, "milliseconds": milliseconds}
    command = [sys.executable, "-m", "cortex_model.benchmark.with_spikes", str(folder), json.dumps(job)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        last = (done.stderr or done.stdout).strip().split("\n")[-1] or f"exit status {done.returncode}"
        raise DeviceError(f"benchmark.spikes: {kind} must be built and finish on cpp_standalone (got: {last}).")
    return json.loads(done.stdout.strip().split("\n")[-1])["spikes"]


def _loop_seconds(folder: Path):
    subprocess.run(["./main"], cwd=folder, check=True, capture_output=True, env=os.environ | ONE_THREAD)
    return float((folder / "results" / "last_run_info.txt").read_text().split()[0])


def _bytes_per_synapse(kind, dtype, memory_sizes):
    """Peak memory of a program of one time step, per synapse: a large network's less a tiny one's."""
    peaks = []
    for sizes in memory_sizes:
        with scratch() as folder:
            _built(folder / kind, kind, sizes, dtype, 1)
            peaks.append(peak_bytes(["./main"], folder=folder / kind))
    if None in peaks:
        return None
    n_synapses = [sum(early * later for early, later in zip(its, its[1:], strict=False)) for its in memory_sizes]
    return round((peaks[0] - peaks[1]) / (n_synapses[0] - n_synapses[1]), 2)

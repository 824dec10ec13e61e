"""How fast this machine's memory is, level by level, and what that allows a presentation to take at best."""

import re
import subprocess
from pathlib import Path
from typing import Any

import numpy as np

from cortex_model.benchmark.compiled import compiled
from cortex_model.benchmark.problem import Problem

CACHES = Path("/sys/devices/system/cpu/cpu0/cache")
UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30}
#: Bytes beyond the last cache that are tried where its size is not known.
UNKNOWN_CACHE = 2**27


def cache_bytes(folder: Path = CACHES) -> dict[str, int]:
    """Level (``"L1"``) -> bytes, of the caches that hold data; empty where the system does not say."""
    levels = {}
    for cache in sorted(folder.glob("index*")):
        kind, level, size = ((cache / name).read_text().strip() for name in ("type", "level", "size"))
        number, unit = re.fullmatch(r"(\d+)([KMG]?)", size).groups()
        if kind != "Instruction":
            levels[f"L{level}"] = int(number) * UNITS[unit]
    return levels


def measured_bandwidth() -> list[dict[str, Any]]:
    """Run ``bandwidth.cpp`` up to four times the last cache's size: rows of `parsed`."""
    caches = cache_bytes()
    largest = min(4 * max(caches.values(), default=UNKNOWN_CACHE), 2**31)
    out = subprocess.run([str(compiled("bandwidth")), str(largest)], capture_output=True, text=True, check=True)
    return parsed(out.stdout, caches)


def parsed(text: str, caches: dict[str, int]) -> list[dict[str, Any]]:
    """What ``bandwidth.cpp`` prints as rows.

    Parameters
    ----------
    text : str
        A line for each working set: bytes, gigabytes per second read, gigabytes per second read and written.
    caches : dict
        Level -> bytes.

    Returns
    -------
    rows : list of dict
        ``working_set_bytes``, ``level`` (the first that holds it), ``read_gigabytes_per_second``,
        ``update_gigabytes_per_second``.
    """
    rows = []
    for line in text.splitlines():
        n_bytes, read, update = line.split()
        level = next((name for name, size in sorted(caches.items()) if int(n_bytes) <= size), "memory")
        rates = {"read_gigabytes_per_second": float(read), "update_gigabytes_per_second": float(update)}
        rows.append({"working_set_bytes": int(n_bytes), "level": level, **rates})
    return rows


def limit_microseconds(problem: Problem, bandwidth: list[dict[str, Any]]) -> float:
    """The least time in which the weights of one presentation can go through a processor.

    Sums read each weight once, forward and feedback; the update reads and writes each forward weight once more:

        time = (forward + feedback) / read + 2 forward / update

    where forward and feedback are bytes of weights, and read and update the bandwidths measured for a working set as
    large as all weights (interpolated over the logarithm of its size).

    Parameters
    ----------
    problem : Problem
        All weights must be visited: stimuli without zeros, one at a time.
    bandwidth : list of dict
        Rows of `parsed`.
    """
    forward, feedback = (n * np.dtype(problem.dtype).itemsize for n in problem.synapses())
    sizes = np.log([row["working_set_bytes"] for row in bandwidth])
    read, update = (
        np.interp(np.log(forward + feedback), sizes, [row[f"{what}_gigabytes_per_second"] for row in bandwidth])
        for what in ("read", "update")
    )
    return float((forward + feedback) / read + 2 * forward / update) / 1e3

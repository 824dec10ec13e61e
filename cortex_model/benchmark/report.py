"""The benchmark as one call: every implementation on every problem, memory, bandwidth, and what follows from them."""

import contextlib
import os
import platform
import shutil
import subprocess
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from cortex_model import __version__
from cortex_model.benchmark.bandwidth import cache_bytes, limit_microseconds, measured_bandwidth
from cortex_model.benchmark.contenders import Contender, checked_devices, others, simulators
from cortex_model.benchmark.contenders import ensembles as in_ensembles
from cortex_model.benchmark.marks import BYTES, LARGE, LIMIT, SMALL, marks
from cortex_model.benchmark.measuring import bytes_per_synapse, compare
from cortex_model.benchmark.problem import Problem, problems_of
from cortex_model.benchmark.program import program_seconds
from cortex_model.benchmark.spikes import compare_spikes
from cortex_model.devices.compilation import COMPILER_FLAGS, compiler_version
from cortex_model.errors import ParameterError
from cortex_model.parameters import HierarchyParameters

#: Widths of the hierarchies width-width-10 over which the figure is drawn.
WIDTHS = tuple(2**power for power in range(6, 14))
#: Repetitions of each width, where there are many.
WIDTH_REPETITIONS = 3
#: Networks in one program, beside one.
ENSEMBLES = (2, 4, 8, 16, 32, 64)


def benchmark(
    sizes: list[str] | None = None,
    widths: str | None = None,
    ensembles: str | None = None,
    devices: list[str] | None = None,
    *,
    dtype: str = "float32",
    repetitions: int = 5,
    seconds: float = 0.3,
    pytorch_python: str | None = None,
    has_memory: bool = True,
    report: Callable[[int, int, str], None] = lambda done, total, text: None,
) -> dict[str, Any]:
    """Measure dense and stock projections beside PyTorch, NumPy and a plain C++ loop.

    Parameters
    ----------
    sizes : list of str, optional
        Layer sizes such as ``"784,256,10"``; unless given, those that the marks are about, and all widths.
    widths : str, optional
        Widths such as ``"64,128"`` of hierarchies width-width-10, measured without the runtime device.
    ensembles : str, optional
        Numbers such as ``"2,8"`` of networks in one program, measured with the first of the sizes.
    devices : list of str, optional
        Of `cortex_model.benchmark.contenders.DEVICES`; unless given, all that can run here.
    dtype : {"float32", "float64"}
    repetitions : int
        Of each measurement, interleaved with those of the others.
    seconds : float
        About how long the loop of one repetition lasts.
    pytorch_python : str, optional
        An interpreter that has PyTorch; unless given, this one if it has.
    has_memory : bool
        Whether bytes per synapse are measured.
    report : callable, optional
        (processes done, about how many in all, what is going on) -> None.

    Returns
    -------
    result : dict
        ``rows``, ``marks``, ``spikes`` (rows of `cortex_model.benchmark.spikes`), ``bandwidth``,
        ``bandwidth_limit_microseconds`` (sizes -> microseconds), ``program``, ``machine``, ``skipped`` (sentences).

    Raises
    ------
    ParameterError
        For sizes, widths or numbers that make no sense.
    DeviceError
        For a device that is unknown or cannot run.
    """
    if repetitions < 1 or not seconds > 0:
        raise ParameterError(
            "benchmark.repetitions: must be at least 1, of more than 0 seconds "
            f"(got {repetitions} of {seconds:g} s); raise them."
        )
    dtype = HierarchyParameters().with_overrides({"dtype": dtype}).dtype
    devices = checked_devices(devices)
    chosen = [_layer_sizes(text) for text in sizes or []] or ([] if widths else [SMALL, LARGE])
    is_whole = not (sizes or widths or ensembles)
    squares = [(width, width, 10) for width in _numbers("--widths", widths, WIDTHS if is_whole else ())]
    counts = _numbers("--ensembles", ensembles, ENSEMBLES if is_whole else ())
    alternatives, skipped = others(pytorch_python)
    everyone = [*alternatives, *simulators(devices)]
    fast = [its for its in everyone if not its.device.startswith("runtime")]
    problems = problems_of(chosen, dtype)
    if any(its[0] == 784 for its in chosen) and not any(problem.data == "mnist" for problem in problems):
        skipped.append("MNIST: not on this machine; `cortex-model datasets fetch mnist` gets it.")
    plan = [(problem, everyone, repetitions) for problem in problems]
    if problems:
        plan[0] = (problems[0], [*everyone, *in_ensembles(devices, counts)], repetitions)
    plan += [(Problem(its, dtype=dtype), fast, min(repetitions, WIDTH_REPETITIONS)) for its in squares]
    done, total = 0, has_memory * len(everyone) + sum(len(those) * (1 + n) for _, those, n in plan)

    def tell(text):
        nonlocal done
        report(done, total, text)
        done += 1

    bandwidth = measured_bandwidth() if shutil.which("g++") else []
    memory = {}
    for its in everyone if has_memory else ():
        tell(f"memory of {its.implementation} on {its.device}")
        memory[its] = bytes_per_synapse(its, dtype)
    rows, limits = _compared(plan, seconds, bandwidth, memory, tell)
    say, is_compiled = partial(report, total, total), is_whole and "cpp_standalone" in devices
    spikes, program = _of_programs(dtype, repetitions, say) if is_compiled else ([], {})
    say("done")
    return {
        "rows": rows,
        "marks": marks(rows, program, spikes),
        "spikes": spikes,
        "bandwidth": bandwidth,
        LIMIT: limits,
        "program": program,
        "machine": machine(everyone),
        "skipped": skipped,
    }


def _compared(plan, seconds, bandwidth, memory, tell):
    """All rows of a plan, and the limit of bandwidth for each problem."""
    rows, limits = [], {}
    for problem, those, n in plan:
        limits[problem.name] = round(limit_microseconds(problem, bandwidth), 3) if bandwidth else None
        for its, row in zip(those, compare(problem, those, n, seconds, tell), strict=True):
            is_bound = problem.data == "random" and its.batch == its.ensemble == 1
            rows.append(row | {BYTES: memory.get(its), LIMIT: limits[problem.name] if is_bound else None})
    return rows, limits


def _of_programs(dtype, repetitions, say):
    """What is measured of whole C++ programs: spikes, and what a user waits for besides the loop."""
    spikes = compare_spikes(SMALL, dtype, repetitions, say)
    say("building")
    return spikes, program_seconds()


def machine(contenders: list[Contender]) -> dict[str, Any]:
    """Processor, cores, caches, compiler and versions."""
    processor = platform.processor()
    with contextlib.suppress(OSError, StopIteration):
        lines = Path("/proc/cpuinfo").read_text().split("\n")
        processor = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    versions = {"cortex-model": __version__, "python": platform.python_version()}
    versions |= {package: version(package) for package in ("brian2", "numpy")}
    pytorch = next((its for its in contenders if its.implementation == "PyTorch"), None)
    if pytorch:
        command = [pytorch.python, "-c", "import torch; print(torch.__version__)"]
        versions["PyTorch"] = subprocess.run(command, capture_output=True, text=True).stdout.strip()
    return {
        "processor": processor,
        "cores": os.cpu_count(),
        "cache_bytes": cache_bytes(),
        "compiler": compiler_version() if shutil.which("g++") else None,
        "compiler_flags": " ".join(COMPILER_FLAGS),
        "versions": versions,
    }


def _layer_sizes(text):
    return HierarchyParameters().with_overrides({"layer_sizes": text}).layer_sizes


def _numbers(option, text, otherwise):
    if text is None:
        return otherwise
    try:
        numbers = [int(part) for part in text.split(",")]
    except ValueError:
        numbers = [0]
    if min(numbers) < 1:
        raise ParameterError(
            f"{option}: must be whole numbers from 1 up, separated by commas (got {text!r}); write for example 64,256."
        )
    return numbers

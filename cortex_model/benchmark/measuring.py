"""Interleaved repetitions, each in a process of its own with one thread; medians and spread."""

import json
import os
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from cortex_model.benchmark.contenders import Contender
from cortex_model.benchmark.problem import Problem
from cortex_model.errors import DeviceError
from cortex_model.runs.running import ONE_THREAD
from cortex_model.system.cache import scratch

#: Presentations of the first, untimed run, in batches, after which all must hold the same weights.
FIRST_BATCHES = 16
#: How far the change of a weight may be from NumPy's, as a fraction of the largest change of its matrix: sums run in
#: another order, and a change is some ten thousand roundings of its weight.
TOLERANCES = {"float32": 1e-2, "float64": 1e-9}
#: Sizes of the pair of problems whose difference in memory is that of their synapses.
MEMORY_SIZES = ((3072, 1024), (48, 16))

Report = Callable[[str], None]


class Measurement(NamedTuple):
    """What one process told, how long it lasted from its start to its end, and how much it did."""

    told: dict[str, Any]
    process_seconds: float
    n_presentations: int


def measure(
    contender: Contender,
    problem: Problem,
    folder: Path,
    n_presentations: int,
    result: Path | None = None,
    environment: Mapping[str, str] = ONE_THREAD,
) -> Measurement:
    """Let a contender do ``n_presentations`` of the problem that was written into ``folder``.

    Raises
    ------
    DeviceError
        If it fails; the message ends in its last line.
    """
    command = contender.command(problem, folder, n_presentations, result)
    started = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | environment)
    seconds = time.perf_counter() - started
    if done.returncode:
        last = (done.stderr or done.stdout).strip().split("\n")[-1] or f"exit status {done.returncode}"
        raise DeviceError(
            f"benchmark.{contender.implementation}: {problem.name} must finish on {contender.device} (got: {last})."
        )
    told = json.loads(done.stdout.strip().split("\n")[-1])
    return Measurement(told, seconds, told.get("n_presentations", n_presentations))


def compare(
    problem: Problem, contenders: list[Contender], repetitions: int, seconds: float, report: Report
) -> list[dict[str, Any]]:
    """Measure all contenders on one problem, one repetition of each after the other.

    Parameters
    ----------
    problem : Problem
    contenders : list of Contender
        One of them NumPy, with every ``batch`` that occurs: the others must end with its weights.
    repetitions : int
    seconds : float
        About how long the loop of a repetition lasts.
    report : callable
        Called with what is going on before each process.

    Returns
    -------
    rows : list of dict
        One a contender: median and interquartile range of microseconds a presentation, of the loop alone and of the
        whole process, where a presentation is one stimulus shown to one network.

    Raises
    ------
    DeviceError
        If one fails, or does something else than NumPy.
    """
    timed = {contender: [] for contender in contenders}
    with scratch() as folder:
        problem.write(folder)
        for contender in sorted(contenders, key=lambda c: c.implementation != "NumPy"):
            report(f"{problem.name}: {contender.implementation}, first run")
            n = FIRST_BATCHES * contender.batch
            timed[contender].append(measure(contender, problem, folder, n, _made(folder, contender)))
        differences = {contender: _difference(problem, folder, contender) for contender in contenders}
        for _ in range(repetitions):
            for contender, before in timed.items():
                report(f"{problem.name}: {contender.implementation} on {contender.device}")
                n = _count(problem, contender, before[-1], seconds)
                before.append(measure(contender, problem, folder, n))
    return [
        contender.described
        | {"dtype": problem.dtype, "sizes": list(problem.layer_sizes), "data": problem.data}
        | _statistics(measurements[1:], contender.ensemble)
        | {"difference_from_numpy": differences[contender]}
        for contender, measurements in timed.items()
    ]


def _count(problem, contender, last, seconds):
    """Presentations, in whole batches, whose loop lasts about as long as asked for, going by the last measurement."""
    n_batches = seconds / last.told["seconds"] * last.n_presentations / contender.batch
    most = 50 * problem.n_stimuli // contender.batch
    return int(np.clip(n_batches, min(FIRST_BATCHES, most), most)) * contender.batch


def _statistics(measurements, ensemble):
    loops, processes = (
        [1e6 * seconds / its.n_presentations / ensemble for its, seconds in zip(measurements, durations, strict=True)]
        for durations in ([its.told["seconds"] for its in measurements], [its.process_seconds for its in measurements])
    )
    low, median, high = np.percentile(loops, (25, 50, 75))
    return {
        "microseconds_per_presentation": round(float(median), 3),
        "spread_microseconds": round(float(high - low), 3),
        "process_microseconds_per_presentation": round(float(np.median(processes)), 3),
        "presentations": sorted(its.n_presentations for its in measurements)[len(measurements) // 2],
        "repetitions": len(measurements),
    }


def _made(folder, contender):
    """Folder for the weights of a contender's first run."""
    its = contender.described
    made = folder / "-".join(str(value).replace("/", "-") for value in its.values())
    made.mkdir(exist_ok=True)
    return made


def _difference(problem, folder, contender):
    """Largest distance of a change from NumPy's, as a fraction of the largest change in its matrix."""
    reference, worst = Contender("NumPy", batch=contender.batch), 0.0
    for path in sorted(_made(folder, reference).glob("*.bin")):
        at_first = np.load(folder / f"{path.stem}.npy").ravel()
        expected, got = (
            np.fromfile(_made(folder, its) / path.name, problem.dtype) - at_first for its in (reference, contender)
        )
        worst = max(worst, float(np.abs(got - expected).max() / np.abs(expected).max()))
    if not worst <= TOLERANCES[problem.dtype]:
        raise DeviceError(
            f"benchmark.{contender.implementation}: on {contender.device}, weights of {problem.name} must change as "
            f"NumPy's do (got a relative difference of {worst:.1e}); compare the two before their times."
        )
    return float(f"{worst:.1e}")


# ---------------------------------------------------------------------- memory
def bytes_per_synapse(contender: Contender, dtype: str, sizes: tuple = MEMORY_SIZES) -> float | None:
    """Peak resident memory of the process that runs the loop, per synapse: a large network's less a tiny one's.

    Returns
    -------
    bytes : float or None
        None where the system does not tell the memory of a process (it has no ``/proc``).
    """
    problems, peaks = [Problem(its, dtype=dtype, n_stimuli=max(contender.batch, 8)) for its in sizes], []
    for problem in problems:
        with scratch() as folder:
            problem.write(folder)
            measure(contender, problem, folder, problem.n_stimuli)  # compiles what there is to compile
            command = contender.command(problem, folder, problem.n_stimuli)
            peaks.append(peak_bytes(command, "main" if contender.device.endswith("standalone") else None))
    if None in peaks:
        return None
    large, tiny = problems
    return round((peaks[0] - peaks[1]) / (large.n_synapses - tiny.n_synapses), 2)


def peak_bytes(command: list[str], program: str | None = None, folder: Path | None = None) -> int | None:
    """Largest resident memory of a process, or of its child named ``program``, asked for every millisecond.

    Parameters
    ----------
    command : list of str
    program : str, optional
    folder : Path, optional
        In which the process runs.

    Returns
    -------
    bytes : int or None
        None where the system does not tell the memory of a process.
    """
    peak = None
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=os.environ | ONE_THREAD, cwd=folder)
    while process.poll() is None:
        for pid in [process.pid] if program is None else _children(process.pid):
            status = _status(pid)
            if "VmHWM" in status and status["Name"] == (program or status["Name"]):
                peak = max(peak or 0, 1024 * int(status["VmHWM"].split()[0]))
        time.sleep(0.001)
    return peak


def _children(pid):
    try:
        threads = [task / "children" for task in Path(f"/proc/{pid}/task").iterdir()]
        return [child for of_thread in threads for child in of_thread.read_text().split()]
    except OSError:
        return []


def _status(pid):
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return {}
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}

"""Who takes part: each implementation, on each device, as the command that measures it in a process of its own."""

import importlib.util
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cortex_model.benchmark.compiled import compiled
from cortex_model.benchmark.problem import Problem
from cortex_model.devices.availability import check_device, device_states
from cortex_model.errors import DeviceError

HERE = Path(__file__).parent
#: Device, with what the runtime device generates -> the device that must be able to run, and what it needs besides.
DEVICES = {
    "cpp_standalone": ("cpp_standalone",),
    "cuda_standalone": ("cuda_standalone",),
    "runtime/cython": ("runtime", "cpp_standalone"),
    "runtime/numpy": ("runtime",),
}
#: Stimuli that PyTorch and NumPy are given at a time, besides one.
BATCH = 128


@dataclass(frozen=True)
class Contender:
    """One way to do a presentation.

    Attributes
    ----------
    implementation : {"dense", "stock", "C++ loop", "PyTorch", "NumPy"}
    device : str
        A key of `DEVICES`, or ``"cpu"``.
    batch : int
        Stimuli that are presented at a time.
    ensemble : int
        Networks in one program.
    python : str
        Interpreter that runs it.
    """

    implementation: str
    device: str = "cpu"
    batch: int = 1
    ensemble: int = 1
    python: str = sys.executable

    def command(self, problem: Problem, folder: Path, n_presentations: int, result: Path | None = None) -> list[str]:
        """The command that does a problem of ``folder`` and prints a JSON object with the ``seconds`` of its loop."""
        if self.implementation == "C++ loop":
            numbers = n_presentations, problem.n_stimuli, problem.learning_rate, result or "-", *problem.layer_sizes
            return [str(compiled("plain_loop", problem.dtype)), str(folder), *map(str, numbers)]
        job = {"n_presentations": n_presentations, "result": result and str(result), "device": self.device}
        job |= {"batch": self.batch, "ensemble": self.ensemble, "dense": self.implementation == "dense"}
        scripts = {"NumPy": [str(HERE / "with_numpy.py")], "PyTorch": [str(HERE / "with_pytorch.py")]}
        script = scripts.get(self.implementation, ["-m", "cortex_model.benchmark.with_simulation"])
        return [self.python, *script, str(folder), json.dumps(job)]

    @property
    def described(self) -> dict[str, Any]:
        """Its columns of a row."""
        return {name: getattr(self, name) for name in ("implementation", "device", "batch", "ensemble")}


def simulators(devices: list[str]) -> list[Contender]:
    """Dense and stock projections on each device, the dense ones in batches too."""
    dense = [Contender("dense", device, batch) for device in devices for batch in (1, BATCH)]
    return dense + [Contender("stock", device) for device in devices]


def ensembles(devices: list[str], counts: list[int]) -> list[Contender]:
    """So many networks in one program, on each standalone device."""
    standalone = [device for device in devices if device.endswith("standalone")]
    return [Contender("dense", device, ensemble=count) for device in standalone for count in counts]


def others(pytorch_python: str | None) -> tuple[list[Contender], list[str]]:
    """What a user would write instead, and a sentence for each that is not installed.

    Raises
    ------
    DeviceError
        If ``pytorch_python`` is given and has no PyTorch.
    """
    found, skipped = [Contender("NumPy"), Contender("NumPy", batch=BATCH)], []
    if shutil.which("g++"):
        found.append(Contender("C++ loop"))
    else:
        skipped.append("C++ loop and bandwidth: no compiler g++ on PATH.")
    python = pytorch_python or (sys.executable if importlib.util.find_spec("torch") else None)
    if python is None:
        skipped.append("PyTorch: not installed here; --pytorch-python names an interpreter that has it.")
    elif pytorch_python and not _can_import(pytorch_python, "torch, numpy"):
        raise DeviceError(
            f"--pytorch-python: must be a Python with torch and numpy (got {pytorch_python!r}); install them there."
        )
    else:
        found += [Contender("PyTorch", batch=batch, python=python) for batch in (1, BATCH)]
    return found, skipped


def checked_devices(names: list[str] | None) -> list[str]:
    """The devices to measure: those asked for, or all that can run here; ``runtime`` stands for both its targets.

    Raises
    ------
    DeviceError
        If one is unknown or cannot run.
    """
    if names is None:
        can_run = {state.device for state in device_states() if state.can_run}
        return [device for device, needed in DEVICES.items() if can_run.issuperset(needed)]
    chosen = [device for name in names for device in DEVICES if name in (device, device.partition("/")[0])]
    unknown = [name for name in names if not any(name in (d, d.partition("/")[0]) for d in DEVICES)]
    if unknown:
        raise DeviceError(f"--devices: must be of {', '.join(DEVICES)} (got {unknown[0]!r}); choose one of them.")
    for device in chosen:
        for needed in DEVICES[device]:
            check_device(needed)
    return list(dict.fromkeys(chosen))


def _can_import(python, names):
    try:
        return subprocess.run([python, "-c", f"import {names}"], capture_output=True).returncode == 0
    except OSError:
        return False

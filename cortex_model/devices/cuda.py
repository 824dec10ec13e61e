"""cuda_standalone: what a program on a GPU needs besides its sources - card, compiler, flags, headers."""

import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from cortex_model.devices.compilation import compiler_environment, failed
from cortex_model.errors import DeviceError

#: Without Brian2CUDA's -use_fast_math, whose tanh is approximate and whose small numbers are 0.
FLAGS = ["-w", "-O3", "-std=c++17", "-rdc=true", "-I."]
#: Where there is no GPU, programs are still compiled, for this compute capability (H100).
DEFAULT_CAPABILITY = 9.0
#: Brian2CUDA includes these, for random numbers that we do not draw; ours declare what it names, and nothing else.
UNUSED_HEADERS = ("curand.h", "curand_kernel.h")
#: Templates whose code objects count from the beginning of a run.
MONITORS = ("statemonitor", "spikemonitor", "ratemonitor")
#: What a program consists of besides its code objects.
HEADERS = ["objects.h", "run.h", "brianlib/common_math.h", "brianlib/cuda_utils.h", "brianlib/stdint_compat.h"]
SYSTEM_HEADERS = ["chrono", "cmath", "ctime", "iostream", "fstream", "stdint.h", "stdio.h"]
#: How the name of a source begins that does something after a run.
AFTER_RUN = "after_run_"
STOCK_SOURCES = ["objects.cu", "network.cu", "rand.cu", "run.cu", "main.cu"]


class Card(NamedTuple):
    """The first GPU."""

    name: str
    capability: float
    driver: float


def answer(*command: str) -> str:
    """What a command prints; nothing where it is missing or fails."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return ""


def card() -> Card | None:
    """The first GPU, and the version of CUDA that its driver supports; None where no GPU answers."""
    listed = answer("nvidia-smi", "--query-gpu=name,compute_cap", "--format=csv,noheader").strip()
    supported = re.search(r"CUDA(?: UMD)? Version: *(\d+\.\d+)", answer("nvidia-smi"))
    if not listed or not supported:
        return None
    name, capability = listed.split("\n")[0].rsplit(", ", 1)
    return Card(name, float(capability), float(supported[1]))


def toolkit() -> str:
    """Release of NVIDIA's compiler (``"13.0"``); empty where it is missing."""
    release = re.search(r"release (\d+\.\d+)", answer("nvcc", "--version"))
    return release[1] if release else ""


def found_and_missing() -> tuple[list[str], list[str]]:
    """What programs on a GPU need: what of it this machine has, and what is missing with how to get it."""
    gpu, release, found, missing = card(), toolkit(), [], []
    for what, is_there, how in (
        ("brian2cuda", find_spec("brian2cuda"), "pip install 'cortex-model[cuda]'"),
        (f"nvcc {release}", release, "install NVIDIA's CUDA toolkit and put its bin folder on PATH"),
        ("g++", shutil.which("g++"), "nvcc hands it the host's code; Debian: apt install g++"),
        (gpu.name if gpu else "GPU", gpu, "nvidia-smi must list one; install NVIDIA's driver, or use another machine"),
    ):
        found += [what] if is_there else []
        missing += [] if is_there else [f"no {what.strip()} ({how})"]
    if gpu and release and int(gpu.driver) < int(float(release)):
        missing.append(
            f"a driver for CUDA {release} (this one supports {gpu.driver}: "
            f"update it, or install the CUDA {int(gpu.driver)} toolkit)"
        )
    if gpu and release and _architecture(gpu.capability, "compute") not in answer("nvcc", "--list-gpu-arch").split():
        missing.append(f"nvcc for compute capability {gpu.capability} (not {release}: install another toolkit)")
    return found, missing


def _architecture(capability, kind="sm"):
    return f"{kind}_{round(10 * capability)}"


def compiler() -> list[str]:
    """The compiler's version and the flags that name a program.

    Raises
    ------
    DeviceError
        If there is no nvcc.
    """
    if not toolkit():
        raise DeviceError(
            "cuda_standalone: must find NVIDIA's compiler nvcc on PATH (got none); see `cortex-model devices`, "
            "or use another device."
        )
    gpu = card()
    architecture = _architecture(gpu.capability if gpu else DEFAULT_CAPABILITY)
    return [answer("nvcc", "--version"), *FLAGS, f"-arch={architecture}"]


def set_preferences() -> None:
    """Let Brian2CUDA generate sources for the card there is, or for none."""
    from brian2 import prefs

    backend, gpu, nvcc = prefs.devices.cuda_standalone.cuda_backend, card(), shutil.which("nvcc")
    backend.detect_gpus, backend.gpu_id, backend.detect_cuda = False, 0, False
    backend.compute_capability = gpu.capability if gpu else DEFAULT_CAPABILITY
    backend.cuda_runtime_version = float(toolkit() or 0)
    backend.cuda_path = str(Path(nvcc).parents[1]) if nvcc else ""
    backend.extra_compile_args_nvcc = FLAGS[:1]
    prefs.devices.cuda_standalone.use_atomics = False  # it adds in any order, by a class of code objects of its own


def check_generated(device) -> None:
    """Refuse what has no meaning in a program that is told to run again and again.

    Raises
    ------
    DeviceError
        For monitors and for Brian2's own random numbers.
    """
    for code in device.code_objects.values():
        what = "have monitors" if code.template_name in MONITORS else ""
        if code.needs_curand_states or any(code.rng_calls.values()):
            what = "draw Brian2's random numbers (but noise of cortex_model.network.noise)"
        if what:
            raise DeviceError(
                f"cuda_standalone.{code.owner.name}: must not {what}, since they would start anew with each chunk "
                f"(got {code.name}); use another device."
            )


def compile_program(folder: Path) -> None:
    """Compile the sources in ``folder`` to the program ``main``.

    Raises
    ------
    DeviceError
        If the compiler fails; the message ends in its last lines.

    Notes
    -----
    All of them are one translation unit, each code object in a namespace of its own: of the 7 s that nvcc takes for
    one of some 40 sources it spends nearly all on headers; together they take 16 s.
    """
    for header in UNUSED_HEADERS:
        shutil.copy(Path(__file__).with_name("curand_unused.h"), folder / header)
    includes = [f"#include <{header}>" for header in SYSTEM_HEADERS]
    includes += [f'#include "{name}"' for name in (*HEADERS, *STOCK_SOURCES)]
    names = sorted(path.stem for path in (folder / "code_objects").glob("*.cu"))
    units = [_in_namespace(name) for name in sorted(names, key=lambda name: name.startswith(AFTER_RUN))]
    (folder / "program.cu").write_text("\n".join(includes + units))
    command = ["nvcc", *compiler()[1:], "program.cu", "-o", "main"]
    made = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=compiler_environment(folder))
    if made.returncode:
        raise failed("cuda_standalone", made.stderr or made.stdout)


def _in_namespace(name):
    """One code object's source: its file-wide names would clash with those of others.

    What it does after a run calls its own kernels, and so comes later, in the same namespace.
    """
    function = name if name.startswith(("before_run_", AFTER_RUN)) else f"run_{name}"
    space = f"in_{name.removeprefix(AFTER_RUN)}"
    return (
        f'#include "code_objects/{name}.h"\nnamespace {space}\n{{\n#include "code_objects/{name}.cu"\n}}\n'
        f"void _{function}() {{ {space}::_{function}(); }}\n"
    )

"""The C++ programs of the benchmark, compiled like every program of the simulator."""

import subprocess
from pathlib import Path

from cortex_model.devices.compilation import COMPILER_FLAGS, compiler_command
from cortex_model.devices.program import program_cache, program_key
from cortex_model.errors import DeviceError

#: The C++ type of a dtype.
NUMBERS = {"float32": "float", "float64": "double"}


def compiled(name: str, dtype: str = "float32") -> Path:
    """The program of ``NAME.cpp``, which lies here; compiled with `COMPILER_FLAGS` unless it is there already.

    Parameters
    ----------
    name : {"plain_loop", "bandwidth"}
    dtype : {"float32", "float64"}

    Raises
    ------
    DeviceError
        Without a compiler, or if it fails.
    """
    source = Path(__file__).with_name(f"{name}.cpp")
    program = program_cache() / f"{name}-{program_key(source.read_text(), dtype)}"
    if not program.exists():
        program.parent.mkdir(parents=True, exist_ok=True)
        part = program.with_suffix(".part")
        command = [*compiler_command(), *COMPILER_FLAGS, f"-DNUMBER={NUMBERS[dtype]}", str(source), "-o", str(part)]
        made = subprocess.run(command, capture_output=True, text=True)
        if made.returncode:
            last = " | ".join(made.stderr.strip().split("\n")[-3:])
            raise DeviceError(f"benchmark.{name}: the compiler must accept {source} (got: {last}).")
        part.rename(program)
    return program

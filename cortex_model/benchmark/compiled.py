"""The C++ programs of the benchmark, compiled like every program of the simulator."""

import subprocess
from pathlib import Path

from cortex_model.devices.compilation import COMPILER_FLAGS, compiler_command, compiler_environment, failed
from cortex_model.devices.program import program_cache, program_key
from cortex_model.system.cache import scratch

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
        with scratch() as folder:
            part = folder / name
            command = [*compiler_command(), *COMPILER_FLAGS, f"-DNUMBER={NUMBERS[dtype]}", str(source), "-o", str(part)]
            made = subprocess.run(command, capture_output=True, text=True, env=compiler_environment(folder))
            if made.returncode:
                raise failed(f"benchmark.{name}", made.stderr)
            part.rename(program)
    return program

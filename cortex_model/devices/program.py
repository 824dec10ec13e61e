"""cpp_standalone: a program compiled once, then run again and again with other numbers.

Learning rates, weights, schedule and stimuli are arguments of the compiled program, so a second run needs
neither a compiler nor Brian2: only the program and the manifest of its arrays.
"""

import contextlib
import hashlib
import json
import os
import platform
import shutil
import subprocess
import tempfile
from importlib.metadata import version
from pathlib import Path

import numpy as np
from filelock import FileLock
from platformdirs import user_cache_path

from cortex_model.errors import DeviceError
from cortex_model.parameters import content_hash

MANIFEST = "manifest.json"
#: No -ffast-math: sums keep their order, and a run gives the same bits wherever it is cut into chunks.
COMPILER_FLAGS = ["-w", "-O3", "-march=native", "-std=c++11", "-fno-math-errno", "-fno-trapping-math"]
#: Headers that every code object parses; precompiled, they take a tenth of the time.
HEADERS = ["objects.h", "brianlib/common_math.h", "brianlib/stdint_compat.h"]
SYSTEM_HEADERS = ["chrono", "cmath", "ctime", "iostream", "fstream", "climits"]


def program_cache() -> Path:
    """Folder of compiled programs: ``CORTEX_MODEL_CACHE`` or the user's cache folder."""
    return Path(os.environ.get("CORTEX_MODEL_CACHE") or user_cache_path("cortex-model")) / "programs"


def compiler_version() -> str:
    """First line of ``g++ --version``.

    Raises
    ------
    DeviceError
        If there is no C++ compiler.
    """
    try:
        return subprocess.run(["g++", "--version"], capture_output=True, text=True, check=True).stdout.split("\n")[0]
    except (OSError, subprocess.CalledProcessError):
        raise DeviceError(
            "cpp_standalone: must find the C++ compiler g++ on PATH (got none); "
            "install it (Debian: apt install g++ make) or use --device runtime."
        ) from None


def source_key(*contents) -> str:
    """A hash of ``contents``, of the sources that make a simulation, and of the versions they run with."""
    package = Path(__file__).parents[1]
    sources = [package / "equations.py", package / "philox.py", *sorted(package.glob("network/*.py"))]
    sources += [package / "devices" / name for name in ("gates.py", "program.py", "session.py")]
    sources += sorted(p for p in (package / "devices" / "dense").rglob("*.*") if p.suffix != ".pyc")
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
    return content_hash(*contents, digest, version("brian2"), np.__version__)


def program_key(*contents) -> str:
    """Name of a program: `source_key`, the compiler, its flags and the processor it compiles for."""
    cpu = platform.processor()
    with contextlib.suppress(OSError, StopIteration):
        cpu = next(line for line in Path("/proc/cpuinfo").read_text().split("\n") if line.startswith(("flags", "Feat")))
    return content_hash(source_key(*contents), compiler_version(), COMPILER_FLAGS, platform.machine(), cpu)


def build(directory: Path, generate) -> Path:
    """Compile a program into ``directory`` unless it is there already.

    Parameters
    ----------
    directory : Path
        Named by `program_key`; appears only when the build is complete.
    generate : callable
        Folder -> manifest: writes the sources and says where each array is kept.

    Raises
    ------
    DeviceError
        If the compiler fails; the message ends in its last lines.
    """
    if (directory / MANIFEST).exists():
        return directory
    directory.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{directory}.lock"):
        if (directory / MANIFEST).exists():
            return directory
        part = directory.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        manifest = generate(part)
        (part / "precompiled.h").write_text(
            "".join(f'#include "{header}"\n' for header in HEADERS)
            + "".join(f"#include <{header}>\n" for header in SYSTEM_HEADERS)
        )
        (part / "make.deps").touch()  # a fresh folder needs no dependencies between files
        _make(part, "precompiled.h.gch", "precompiled.h.gch: precompiled.h ; $(CXX) $(CXXFLAGS) -x c++-header $< -o $@")
        _make(part, "main", "%.o: CXXFLAGS += -include precompiled.h")
        for left_over in [part / "precompiled.h.gch", *part.rglob("*.o")]:
            left_over.unlink()
        (part / MANIFEST).write_text(json.dumps(manifest, indent=1))
        shutil.rmtree(directory, ignore_errors=True)
        part.rename(directory)
    return directory


def _make(folder, target, rule):
    n_jobs = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    command = ["make", "-s", f"-j{n_jobs}", target, "--eval", rule]
    try:
        made = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    except OSError:
        raise DeviceError(
            "cpp_standalone: must find make on PATH (got none); install it or use --device runtime."
        ) from None
    if made.returncode:
        last = " | ".join(made.stderr.strip().split("\n")[-3:])
        raise DeviceError(f"cpp_standalone: the compiler must accept the generated sources in {folder} (got: {last}).")


class Program:
    """A compiled program and its manifest.

    Attributes
    ----------
    arrays : dict
        Name (``"forward_1.weight"``) -> its file, dtype and size.
    """

    def __init__(self, directory: Path):
        self.directory = Path(directory)
        self.arrays = json.loads((self.directory / MANIFEST).read_text())

    def __call__(self, values: dict, read: list[str]) -> tuple[dict[str, np.ndarray], float]:
        """Run the program once.

        Parameters
        ----------
        values : dict
            Array name -> number or array; sizes are checked.
        read : list of str
            Names of the arrays to return.

        Returns
        -------
        arrays : dict
            Name -> values after the last slot.
        seconds : float
            Duration of the loop alone.

        Raises
        ------
        DeviceError
            If a size is wrong, or the program fails or complains.
        """
        with tempfile.TemporaryDirectory(prefix="cortex-model-") as folder:
            arguments = [self._argument(name, value, folder) for name, value in values.items()]
            command = [str(self.directory / "main"), "--results_dir", folder + "/", *arguments]
            run = subprocess.Popen(command, cwd=self.directory, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   text=True, start_new_session=True)  # fmt: skip
            try:
                out, complaint = run.communicate()
            except BaseException:
                run.kill()
                run.wait()
                raise
            if run.returncode or complaint:
                reason = (complaint or out).strip().split("\n")[-1] or f"exit status {run.returncode}"
                raise DeviceError(f"cpp_standalone: the program must finish without complaint (got: {reason}).")
            arrays = {name: self._read(name, folder) for name in read}
            seconds = float((Path(folder) / "last_run_info.txt").read_text().split()[0])
        return arrays, seconds

    def _argument(self, name, value, folder):
        dtype, size = np.dtype(self.arrays[name]["dtype"]), self.arrays[name]["size"]
        if np.size(value) == 1 and size == 1:
            return f"{name}={dtype.type(np.asarray(value).item()).item()!r}"
        values = np.asarray(value, dtype)
        if size is not None and values.size != size:
            raise DeviceError(f"cpp_standalone.{name}: must hold {size} values (got {values.size}).")
        path = Path(folder) / f"{name}.in"
        values.tofile(path)
        return f"{name}={path}"

    def _read(self, name, folder):
        return np.fromfile(Path(folder) / self.arrays[name]["file"], self.arrays[name]["dtype"])

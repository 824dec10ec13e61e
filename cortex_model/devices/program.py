"""cpp_standalone and cuda_standalone: a program compiled once, then run again and again with other numbers.

Learning rates, weights, schedule and stimuli are arguments of the compiled program, so a second run needs
neither a compiler nor Brian2: only the program and the manifest of its arrays.
"""

import contextlib
import hashlib
import json
import os
import platform
import shlex
import shutil
import subprocess
import warnings
import weakref
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock

from cortex_model.devices import cuda
from cortex_model.devices.compilation import (
    COMPILER_FLAGS,
    compile_program,
    compiler_command,
    compiler_version,
    search_paths,
)
from cortex_model.errors import CortexModelWarning, DeviceError
from cortex_model.parameters import content_hash
from cortex_model.system.cache import cache_folder, scratch, unnamed_file
from cortex_model.system.failures import NO_ROOM
from cortex_model.system.sources import sha256_of_file

#: The program itself, and what is known of it.
MAIN, MANIFEST = "main", "manifest.json"


def program_cache() -> Path:
    """Folder of compiled programs."""
    return cache_folder("programs")


def cython_cache() -> Path:
    """Folder of what the runtime device compiles: one for each compiler, flags and processor."""
    name = content_hash(compiler_version(), COMPILER_FLAGS, search_paths(), _processor())
    return cache_folder("cython", name)


def source_key(*contents) -> str:
    """A hash of ``contents``, of the sources that make a simulation, and of their versions."""
    package = Path(__file__).parents[1]
    sources = [package / "weights.py"]
    folders = [package / name for name in ("language", "state", "network", "devices", "schedule")]
    sources += sorted(path for folder in folders for path in folder.rglob("*.*") if path.suffix != ".pyc")
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
    versions = version("brian2"), np.__version__
    return content_hash(*contents, digest, *versions)


def program_key(*contents, device: str = "cpp_standalone") -> str:
    """Name of a program: `source_key`, the compiler, its flags and the processor or card it compiles for."""
    if device == "cuda_standalone":
        return content_hash(source_key(*contents), compiler_version(["g++"]), search_paths(), cuda.compiler())
    return content_hash(
        source_key(*contents), compiler_version(), COMPILER_FLAGS, search_paths(), platform.machine(), _processor()
    )


def compiler_used(device: str, codegen_target: str) -> dict[str, Any]:
    """Which compiler makes the code of a run, with which flags; empty where none does."""
    if device == "runtime" and codegen_target == "numpy":
        return {}
    if device == "cuda_standalone":
        nvcc_version, *flags = cuda.compiler()
        return {"command": "nvcc", "version": nvcc_version.strip().split("\n")[-1], "flags": flags} | _searched()
    command, flags = shlex.join(compiler_command()), COMPILER_FLAGS
    return {"command": command, "version": compiler_version(), "flags": flags} | _searched()


def _searched():
    return {"search_paths": search_paths()} if search_paths() else {}


def _processor():
    """What -march=native stands for."""
    with contextlib.suppress(OSError, StopIteration):
        lines = Path("/proc/cpuinfo").read_text().split("\n")
        return next(line for line in lines if line.startswith(("flags", "Feat")))
    return platform.processor()


def build(key: str, generate, device: str = "cpp_standalone") -> Path:
    """Compile a program unless it is in the cache already.

    Parameters
    ----------
    key : str
        Its name, by `program_key`.
    generate : callable
        Folder -> arrays of the program: writes the sources and says what each array is.
    device : {"cpp_standalone", "cuda_standalone"}

    Returns
    -------
    directory : Path
        It appears only when the build is complete; one that is not as it was compiled is replaced, with a warning.

    Raises
    ------
    DeviceError
        If the compiler fails; the message ends in its last lines.
    """
    directory = program_cache() / key
    if directory.is_dir():
        cache_folder("programs", key)  # which nobody else can write either
    if not fault(directory):
        return directory
    with FileLock(f"{directory}.lock"):
        if not (got := fault(directory)):
            return directory
        if directory.exists():
            sentence = f"{directory}: must be as it was compiled (got {got}); it is compiled anew."
            warnings.warn(CortexModelWarning(sentence), stacklevel=2)
        with scratch() as folder, _room_in(folder.parent):
            part = folder / "program"
            arrays = generate(part)
            {"cpp_standalone": compile_program, "cuda_standalone": cuda.compile_program}[device](part)
            manifest = {"sha256": sha256_of_file(part / MAIN), "arrays": arrays}
            (part / MANIFEST).write_text(json.dumps(manifest, indent=1))
            part.chmod(0o700)
            shutil.rmtree(directory, ignore_errors=True)
            part.rename(directory)
    return directory


@contextlib.contextmanager
def _room_in(folder):
    """Name the folder in an error of a full disk, which names none where what was written does not fit."""
    try:
        yield
    except OSError as error:
        if error.errno in NO_ROOM and error.filename is None:
            error.filename = str(folder)
        raise


def fault(directory: Path) -> str:
    """In which way a program is not as it was compiled; empty where it is."""
    try:
        manifest = json.loads((directory / MANIFEST).read_text())
        if any({"dtype", "size", "role"} - set(array) for array in manifest["arrays"].values()):
            return f"a {MANIFEST} that lacks something"
        return "" if sha256_of_file(directory / MAIN) == manifest["sha256"] else f"another SHA-256 of {MAIN}"
    except OSError as error:
        return f"{Path(error.filename or MANIFEST).name}: {error.strerror}"
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return f"a damaged {MANIFEST}"


class Program:
    """A compiled program that stays: it is told arrays, run, and asked for arrays (see ``conversation.h``).

    Attributes
    ----------
    arrays : dict
        Name (``"W_1.weight"``) -> its dtype and size (None: any).

    Notes
    -----
    Its process starts with the first command and ends with this object, or with the process that made it.
    """

    def __init__(self, directory: Path, device: str = "cpp_standalone"):
        self.directory, self.device = Path(directory), device
        self.arrays = json.loads((self.directory / MANIFEST).read_text())["arrays"]
        self._process = self._complaints = None

    def set(self, values: dict) -> None:
        """Hand over arrays.

        Parameters
        ----------
        values : dict
            Array name -> number or array.

        Raises
        ------
        DeviceError
            If a size is wrong, or the program has failed.
        """
        for name, value in values.items():
            dtype, size = np.dtype(self.arrays[name]["dtype"]), self.arrays[name]["size"]
            array = np.ascontiguousarray(value, dtype).reshape(-1)
            if size is not None and array.size != size:
                raise DeviceError(f"{self.device}.{name}: must hold {size} values (got {array.size}).")
            self._say(f"set {name} {array.nbytes}", array)

    def run(self) -> float:
        """Let it run; returns the seconds that its loop took."""
        self._say("run")
        seconds = float(self._hear())
        if os.fstat(self._complaints.fileno()).st_size:
            self._fail()
        return seconds

    def get(self, names: list[str]) -> dict[str, np.ndarray]:
        """Ask for arrays: name -> values, flat."""
        arrays = {}
        for name in names:
            self._say(f"get {name}")
            array = np.empty(
                int(self._hear()) // np.dtype(self.arrays[name]["dtype"]).itemsize, self.arrays[name]["dtype"]
            )
            bytes_ = memoryview(array).cast("B")
            if len(bytes_) and self._process.stdout.readinto(bytes_) != len(bytes_):
                self._fail()
            arrays[name] = array
        return arrays

    def stop(self) -> None:
        """End its process, whatever it is doing; the next command starts another."""
        if self._process is not None:
            self._ended()
        self._process = None

    def _started(self):
        if self._process is None:
            if got := fault(self.directory):
                raise DeviceError(
                    f"{self.device}: must find the program as it was compiled in {self.directory} (got {got}); run or "
                    "resume again: it is compiled anew."
                )
            self._complaints = unnamed_file()  # lives as long as the process
            try:
                self._process = subprocess.Popen(
                    [str(self.directory / MAIN)], cwd=self.directory, start_new_session=True,
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._complaints,
                )  # fmt: skip
            except OSError as error:
                raise DeviceError(
                    f"{self.device}: must be able to execute the program that it compiled, {self.directory / MAIN} "
                    f"(got: {error.strerror}); set CORTEX_MODEL_CACHE to a folder in which you may write and run "
                    "programs, or use --device runtime."
                ) from None
            self._ended = weakref.finalize(self, _end, self._process)
        return self._process

    def _say(self, line, array=None):
        process = self._started()
        try:
            process.stdin.write(line.encode() + b"\n")
            if array is not None:
                process.stdin.write(memoryview(array).cast("B"))
            if array is None:
                process.stdin.flush()
        except BrokenPipeError:
            self._fail()

    def _hear(self):
        return self._process.stdout.readline() or self._fail()

    def _fail(self):
        """Say why the program is no use any more."""
        process = self._process
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        process.wait()
        self._complaints.seek(0)
        complaint = self._complaints.read().decode(errors="replace").strip().split("\n")[-1]
        self.stop()
        raise DeviceError(
            f"{self.device}: the program must finish without complaint "
            f"(got: {complaint or f'exit status {process.returncode}'})."
        )


def _end(process):
    process.kill()
    for pipe in (process.stdin, process.stdout):
        with contextlib.suppress(BrokenPipeError):
            pipe.close()
    process.wait()

"""Compiling the sources that Brian2 generates for cpp_standalone, which is most of the time before a first run."""

import errno
import os
import platform
import re
import shlex
import signal
import subprocess
from collections import defaultdict
from collections.abc import Sequence
from itertools import batched
from pathlib import Path

from cortex_model.errors import DeviceError
from cortex_model.system.cache import cache_path
from cortex_model.system.failures import NO_ROOM

#: No -ffast-math: sums keep their order, and a run gives the same bits wherever it is cut into chunks. No
#: -fno-trapping-math either: with it, gcc 12.2 forms wrong sums where it vectorises over networks of odd sizes.
COMPILER_FLAGS = ["-w", "-O3", "-march=native", "-std=c++11", "-fno-math-errno"]
if platform.machine() in ("x86_64", "AMD64"):
    COMPILER_FLAGS.append("-mprefer-vector-width=512")  # gcc's own choice is 256, where there are 512
#: Variables of the environment that change what a compiler finds; they are part of a program's key.
SEARCH_PATHS = ("CPATH", "CPLUS_INCLUDE_PATH", "LIBRARY_PATH", "COMPILER_PATH", "GCC_EXEC_PREFIX")
#: Those with which make or setuptools would change our flags; compilers do not see them.
FLAGS_OF_ENVIRONMENT = ("CFLAGS", "CXXFLAGS", "CPPFLAGS", "LDFLAGS", "MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES")
CHANGED_FOR_COMPILERS = (*FLAGS_OF_ENVIRONMENT, "TMPDIR", "LC_ALL")
#: What a compiler says that cannot write.
OF_THE_DISK = (*NO_ROOM, errno.EROFS, errno.EIO)
#: Headers that every code object parses; precompiled, they take a tenth of the time.
HEADERS = ["objects.h", "brianlib/common_math.h", "brianlib/stdint_compat.h"]
SYSTEM_HEADERS = ["chrono", "cmath", "ctime", "iostream", "fstream", "climits"]
#: Sources that allocate, hand over and wait, and compute nothing: they are one unit, and hardly optimised. Not at all
#: would take longer, because a unit that is not optimised cannot use a precompiled header that is.
BOOKKEEPING = ["main.cpp", "objects.cpp", "network.cpp", "run.cpp", "synapses_classes.cpp", "brianlib/spikequeue.cpp"]
#: Functions with some lines for every array, for arguments and at the end of a program; ours have neither.
NEVER_CALLED = ("set_variable_by_name", "_write_arrays", "_dealloc_arrays")
#: What Brian2 writes at the top of a code object, before and after the functions that many of them share.
SHARED, OWN = "////// SUPPORT CODE ///////", "////// HASH DEFINES ///////"
#: Code objects that are compiled together: enough of them that what they share costs little.
MOST_TOGETHER = 24


def compiler_command() -> list[str]:
    """The C++ compiler that is used: what ``CXX`` names, or g++."""
    try:
        return shlex.split(os.environ.get("CXX", "")) or ["g++"]
    except ValueError as error:
        raise DeviceError(f"CXX: must name a C++ compiler (got {os.environ['CXX']!r}: {error}); unset it.") from None


def compiler_version(command: Sequence[str] = ()) -> str:
    """First line of what the compiler prints with ``--version``.

    Raises
    ------
    DeviceError
        If there is no C++ compiler.
    """
    command = list(command) or compiler_command()
    try:
        done = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        named = "that CXX names" if os.environ.get("CXX") else "g++ on PATH"
        raise DeviceError(
            f"cpp_standalone: must find the C++ compiler {named} (got none with {command[0]!r}); "
            "install it (Debian: apt install g++ make), change CXX or use --device runtime."
        ) from None
    if not any(character.isdigit() for character in done.stdout):
        raise DeviceError(f"CXX: must name a C++ compiler (got {command[0]!r}, which says no version); unset it.")
    return done.stdout.split("\n")[0]


def search_paths() -> dict[str, str]:
    """Variables of the environment that change what a compiler finds, where they are set."""
    return {name: os.environ[name] for name in SEARCH_PATHS if os.environ.get(name)}


def compiler_environment(folder: Path) -> dict[str, str]:
    """The environment of a compiler: flags of nobody else, temporary files in ``folder``, complaints in English."""
    environment = {name: value for name, value in os.environ.items() if name not in CHANGED_FOR_COMPILERS}
    return environment | {"TMPDIR": str(folder), "LC_ALL": "C"}


def failed(device: str, complaints: str) -> DeviceError | OSError:
    """What to raise when a compiler failed with these complaints: an error of the disk, where it is to blame."""
    for number in OF_THE_DISK:
        if os.strerror(number) in complaints:
            return OSError(number, os.strerror(number), str(cache_path()))
    if signal.strsignal(signal.SIGXFSZ) in complaints:
        return OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(cache_path()))
    last = " | ".join(complaints.strip().split("\n")[-3:])
    return DeviceError(
        f"{device}: the compiler must accept the generated sources (got: {last}); see `cortex-model devices`, or use "
        "another device."
    )


def compile_program(folder: Path) -> None:
    """Make ``main`` from the sources in a folder.

    Raises
    ------
    DeviceError
        If the compiler fails or is not there; the message ends in its last lines.
    """
    (folder / "precompiled.h").write_text(
        "".join(f'#include "{header}"\n' for header in HEADERS)
        + "".join(f"#include <{header}>\n" for header in SYSTEM_HEADERS)
    )
    (folder / "make.deps").touch()  # a fresh folder needs no dependencies between files
    together = join_code_objects(folder)
    bookkeeping = [folder / name for name in BOOKKEEPING if (folder / name).exists()]
    (folder / "bookkeeping.cpp").write_text("".join(f'#include "{path.relative_to(folder)}"\n' for path in bookkeeping))
    joined = {path for paths in [bookkeeping, *together.values()] for path in paths}
    sources = [path for path in sorted(folder.rglob("*.cpp")) if path not in joined]
    objects = " ".join(str(path.relative_to(folder).with_suffix(".o")) for path in sources)
    _make(folder, ["precompiled.h.gch: precompiled.h ; $(CXX) $(CXXFLAGS) -x c++-header $< -o $@"], "precompiled.h.gch")
    rules = ["%.o: CXXFLAGS += -include precompiled.h", "bookkeeping.o: CXXFLAGS += -O1"]
    _make(folder, rules, "main", f"OBJS={objects}")
    for left_over in [folder / "precompiled.h.gch", folder / "bookkeeping.cpp", *folder.rglob("*.o"), *together]:
        left_over.unlink()


def without_bodies(text: str, functions: Sequence[str] = NEVER_CALLED) -> str:
    """Sources in which these functions, which return nothing, do nothing."""
    for name in functions:
        text = re.sub(rf"(?ms)^(void (?:brian::)?{name}\([^)]*\)\s*\{{).*?^\}}", r"\1}", text)
    return text


def join_code_objects(folder: Path) -> dict[Path, list[Path]]:
    """Write files that hold many code objects each: file -> the sources that it holds.

    Only sources that share their first lines to the letter and define no macro of their own are joined; those lines
    stand once in each file. The functions are the same, and so are their results.
    """
    alike = defaultdict(list)
    for source in sorted((folder / "code_objects").glob("*.cpp")):
        text = source.read_text()
        if text.count(SHARED) == text.count(OWN) == 1:
            includes, rest = text.split(SHARED)
            shared, own = rest.split(OWN)
            if "#define" not in own:
                alike[shared].append((source, includes, own))
    together: dict[Path, list[Path]] = {}
    for shared, members in alike.items():
        n_together = min(MOST_TOGETHER, max(2, -(-len(members) // _n_jobs())))
        for part in batched(members, n_together):
            if len(part) > 1:
                file = folder / f"together_{len(together)}.cpp"
                sources, includes, own = zip(*part, strict=True)
                file.write_text("".join(includes) + shared + "".join(own))
                together[file] = list(sources)
    return together


def _n_jobs():
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _make(folder, rules, *goals):
    command = ["make", "-s", f"-j{_n_jobs()}", *goals, f"CXX={shlex.join(compiler_command())}"]
    command += [part for rule in rules for part in ("--eval", rule)]
    try:
        made = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=compiler_environment(folder))
    except FileNotFoundError as error:
        if error.filename != "make":
            raise
        raise DeviceError(
            "cpp_standalone: must find make on PATH (got none); install it or use --device runtime."
        ) from None
    if made.returncode:
        raise failed("cpp_standalone", made.stderr)

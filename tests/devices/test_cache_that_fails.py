"""A cache that is full, read-only or gone: one sentence that says what failed first, and nothing left half-made."""

import errno
import os
import shutil
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from unittest.mock import Mock

import pytest
from brian2.core.base import BrianObjectException

from cortex_model.devices import compilation
from cortex_model.devices import program as standalone
from cortex_model.devices.names import explained
from cortex_model.devices.runtime_compiler import compiling
from cortex_model.errors import DeviceError
from cortex_model.system.failures import MISTAKE, told

ARRAYS = {"now.slot": {"dtype": "<i4", "size": 1, "role": "model"}}
FULL = os.strerror(errno.ENOSPC)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("CORTEX_MODEL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(compilation, "SYSTEM_HEADERS", [])
    return tmp_path / "cache"


@pytest.fixture
def complaining(tmp_path, monkeypatch):
    """Words -> a compiler that says its version, and these when it is to compile."""

    def make(words):
        compiler = tmp_path / "compiler"
        compiler.write_text(f'#!/bin/sh\n[ "$1" = --version ] && exec g++ --version\necho "{words}" >&2; exit 1\n')
        compiler.chmod(0o755)
        for variable in ("CC", "CXX"):
            monkeypatch.setenv(variable, str(compiler))
        return compiler

    return make


def sources(folder, text="int main() { return 0; }", then=lambda: None):
    """A program that takes no time to compile."""
    (folder / "brianlib").mkdir(parents=True)
    for header in compilation.HEADERS:
        (folder / header).touch()
    (folder / "main.cpp").write_text(text)
    (folder / "makefile").write_text("CXX = g++\nmain: main.o ; $(CXX) main.o -o main\n")
    then()
    return ARRAYS


def sentence_of(call, *arguments):
    with pytest.raises((DeviceError, OSError)) as raised:
        call(*arguments)
    sentence, status = told(raised.value)
    assert status == MISTAKE and "\n" not in sentence
    return sentence


def nothing_half_made(cache):
    return not [path for path in cache.rglob("*") if path.suffix != ".lock" and path.parent != cache]


# ---------------------------------------------------------------------- full
@pytest.mark.compiler
@pytest.mark.parametrize(
    "words",
    [
        f"cc1plus: fatal error: error writing to /x/cc.s: {FULL}",
        "as: x.o: Disk quota exceeded",
        "make: *** File size limit exceeded",
    ],
)
def test_a_disk_that_is_full_while_compiling(words, cache, complaining):
    complaining(words)
    sentence = sentence_of(standalone.build, "abc", sources)
    assert sentence.startswith(f"{cache}: must have room on its disk (got: ") and "CORTEX_MODEL_CACHE" in sentence
    assert nothing_half_made(cache)


@pytest.mark.compiler
def test_files_that_may_not_become_as_large_as_a_program(cache):
    """The compiler is killed by a signal of the system."""
    code = (
        "import resource, sys\nfrom cortex_model.devices import program\n"
        "from cortex_model.system.failures import told\n"
        "from tests.devices.test_cache_that_fails import sources\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))\n"
        "try: program.build('abc', sources)\n"
        "except Exception as error: print(*told(error))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert done.stdout.startswith(f"{cache}: must have room on its disk (got: File too large)"), done
    assert done.stdout.strip().endswith(" 2") and nothing_half_made(cache)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_is_full_before_compiling_names_the_cache(number, cache, monkeypatch):
    """What does not fit is said when a file is closed, without its name."""
    monkeypatch.setattr(standalone, "compile_program", Mock(side_effect=OSError(number, os.strerror(number))))
    sentence = sentence_of(standalone.build, "abc", sources)
    assert sentence.startswith(f"{cache / 'temporary'}: must have room on its disk (got: {os.strerror(number)})")
    assert nothing_half_made(cache)


def test_a_full_disk_and_a_mistake_are_told_apart_on_the_runtime_device(cache, capfd):
    def compile_and_say(words):
        with compiling():
            assert os.environ["TMPDIR"] == tempfile.gettempdir() and cache in Path(tempfile.gettempdir()).parents
            subprocess.run(["sh", "-c", f"echo '{words}' >&2; echo else"])
            raise ValueError("command g++ failed")

    environment, folder = dict(os.environ), tempfile.gettempdir()
    assert sentence_of(compile_and_say, f"ld: {FULL}").startswith(f"{cache}: must have room on its disk")
    assert sentence_of(compile_and_say, "x.cpp: error: y").startswith(
        "runtime: the compiler must accept the generated sources (got: x.cpp: error: y | else); see"
    )
    assert (dict(os.environ), tempfile.gettempdir()) == (environment, folder)
    assert capfd.readouterr() == ("", "") and nothing_half_made(cache)


# ---------------------------------------------------------------------- not writable
def test_a_lock_that_cannot_be_made(cache):
    standalone.program_cache().joinpath("abc.lock").mkdir()
    assert sentence_of(standalone.build, "abc", sources).startswith(f"{cache}/programs/abc.lock: must be in a folder")


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES])
def test_a_cache_that_cannot_be_written(number, cache, monkeypatch):
    file = cache / "programs" / "abc.lock"
    standalone.program_cache()
    monkeypatch.setattr(os, "open", Mock(side_effect=OSError(number, os.strerror(number), str(file))))
    sentence = sentence_of(standalone.build, "abc", sources)
    assert sentence.startswith(f"{file}: must be in a folder that can be written (got: {os.strerror(number)})")


# ---------------------------------------------------------------------- gone
@pytest.mark.compiler
def test_a_cache_that_is_removed_while_it_is_compiled_into(cache):
    sentence = sentence_of(standalone.build, "abc", partial(sources, then=lambda: shutil.rmtree(cache)))
    assert sentence.startswith(str(cache)) and f"(got: {os.strerror(errno.ENOENT)})" in sentence
    assert not cache.exists() or nothing_half_made(cache)


#: It answers as programs do: how long it ran, until nobody asks.
PATIENT = (
    '#include <stdio.h>\nint main() { char line[99]; while (fgets(line, 99, stdin)) { puts("0.5"); fflush(stdout); } }'
)


@pytest.mark.compiler
def test_a_cache_that_is_removed_while_a_program_runs(cache):
    """It goes on; what cannot be started any more is said, and the next build makes it anew."""
    program = standalone.Program(standalone.build("abc", partial(sources, text=PATIENT)))
    assert program.run() == 0.5
    shutil.rmtree(cache)
    assert program.run() == 0.5
    program.stop()
    sentence = sentence_of(program.run)
    assert sentence.startswith(
        f"cpp_standalone: must find the program as it was compiled in {cache}/programs/abc (got m"
    )
    assert standalone.Program(standalone.build("abc", partial(sources, text=PATIENT))).run() == 0.5


# ---------------------------------------------------------------------- what Brian2 makes of it
def wrapped(error):
    """As Brian2 raises it, of the object whose code could not be made."""
    try:
        raise BrianObjectException(
            "An error occurred when preparing an object.", Mock(_creation_stack="", _full_creation_stack="")
        ) from error
    except BrianObjectException as raised:
        return raised


def test_what_failed_first_is_said_and_not_what_brian2_makes_of_it(cache, tmp_path):
    for error in (OSError(errno.ENOSPC, FULL), DeviceError("x"), ImportError("x: failed to map segment", path="/x")):
        assert explained(wrapped(wrapped(error))) is error
    module = cache / "cython" / "half.so"
    module.parent.mkdir(parents=True)
    module.write_text("half")
    error = explained(wrapped(ImportError(f"{module}: file too short", path=str(module))))
    assert str(error).startswith(f"{module}: must be whole (got: {module}: file too short)") and not module.exists()

"""The compiler of the runtime device: setuptools starts it within this process, for the code objects of Cython."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from brian2.codegen import cpp_prefs
from brian2.codegen.runtime.cython_rt import extension_manager

from cortex_model.devices.compilation import CHANGED_FOR_COMPILERS, compiler_environment, failed
from cortex_model.system.cache import scratch


def compile_as_here() -> None:
    """Let Brian2 compile as here from now on.

    On every device it would try each flag first, with files in the temporary folder, and leave out what the compiler
    does not know; here that is an error. On the runtime device it would keep what compilers print in files.
    """
    cpp_prefs.has_flag = lambda compiler, flag: True
    extension_manager.std_silent = compiling


@contextmanager
def compiling(alwaysprint: bool = False) -> Iterator[None]:
    """While this lasts, setuptools' compiler sees no flags of the environment, leaves no files and prints nothing.

    Parameters
    ----------
    alwaysprint : bool
        For Brian2, in the place of whose ``std_silent`` it stands; nothing here prints.

    Raises
    ------
    DeviceError
        If it fails; the message ends in the last lines of what it would have printed.
    """
    theirs = {name: os.environ.pop(name) for name in CHANGED_FOR_COMPILERS if name in os.environ}
    temporary, outer = tempfile.tempdir, (os.dup(1), os.dup(2))
    try:
        with scratch() as folder, open(folder / "printed", "w+", errors="replace") as printed:
            os.environ.update(compiler_environment(folder))
            tempfile.tempdir = str(folder)
            for number, stream in enumerate((sys.stdout, sys.stderr), 1):
                stream.flush()
                os.dup2(printed.fileno(), number)
            try:
                yield
            except OSError:
                raise
            except Exception as error:
                printed.seek(0)
                raise failed("runtime", printed.read().strip() or str(error)) from error
    finally:
        for number, stream in enumerate(outer, 1):
            os.dup2(stream, number)
            os.close(stream)
        tempfile.tempdir = temporary
        for name in CHANGED_FOR_COMPILERS:
            os.environ.pop(name, None)
        os.environ.update(theirs)

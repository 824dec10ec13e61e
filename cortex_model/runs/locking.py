"""One process at a time makes a run; others wait for it."""

import fcntl
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from cortex_model.errors import CortexModelWarning, RunError
from cortex_model.system.storage import check_regular

LOCK = ".lock"
#: Seconds between two looks at whether another process has left a run directory.
PERIOD = 0.1


@contextmanager
def held(path: Path, waits: bool = True) -> Iterator[None]:
    """Hold a run directory, which is made if it is not there.

    Parameters
    ----------
    path : Path
    waits : bool
        Whether to wait while another process holds it.

    Raises
    ------
    RunError
        If it cannot be held: another process does, and ``waits`` is false; or no file can be made in it.

    Warns
    -----
    CortexModelWarning
        While another process holds it.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        check_regular(path / LOCK)
        lock = FileLock(path / LOCK)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            _say(path, waits)
            lock.acquire(poll_interval=PERIOD)
    except OSError as error:
        raise RunError(
            f"{path}: must be a folder that can be written (got: {error.strerror or error}); give another one with "
            "--out, or free space and resume."
        ) from None
    try:
        yield
    finally:
        lock.release()


def _say(path, waits):
    if not waits:
        raise RunError(
            f"{path}: must not be in use by another process (got a locked folder); wait for that run to end, and give "
            "the same command again."
        )
    sentence = f"{path}: another process is making this run; waiting until it ends."
    warnings.warn(CortexModelWarning(sentence), stacklevel=4)


def is_held(path: Path) -> bool:
    """Whether a process holds a run directory; nothing is written to find out.

    Raises
    ------
    RunError
        If its lock is no file.
    """
    check_regular(path / LOCK)
    try:
        file = os.open(path / LOCK, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(file)
    return False

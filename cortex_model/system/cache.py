"""The cache: a folder of what can be made again, such as compiled programs, into which nobody else can write."""

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

from filelock import FileLock, Timeout
from platformdirs import user_cache_path

from cortex_model.errors import DeviceError


def cache_path() -> Path:
    """Where the cache is: what ``CORTEX_MODEL_CACHE`` names, or the user's own; it need not be there."""
    return Path(os.environ.get("CORTEX_MODEL_CACHE") or user_cache_path("cortex-model")).expanduser().absolute()


def cache_folder(*names: str) -> Path:
    """The cache, or a folder below it: made where it is missing, and for nobody else.

    Raises
    ------
    DeviceError
        If somebody else can write there.

    Notes
    -----
    What lies in the cache is run, so whoever writes into it runs programs as its user. It must therefore belong to the
    user, or to root, who needs no cache for that; neither its group nor others may write into it, or into any folder
    on the way to what is asked for - except below a folder that they cannot even enter. Whether the members of a group
    are trusted is for the user to say, with ``chmod``. Of the folders above, one that everybody can write is refused
    unless it is sticky, as ``/tmp`` is: the cache could be exchanged between this look and a program's start. One that
    a group can write is not, since groups share folders on clusters, and what its members could put in the cache's
    place belongs to them, and is refused.
    """
    folder = cache_path()
    folder.parent.mkdir(parents=True, exist_ok=True)
    _check_parents(folder)
    is_closed = False
    for name in ("", *names):
        folder = folder / name
        folder.mkdir(mode=0o700, exist_ok=True)
        is_closed = is_closed or _is_closed(folder)
    return folder


def _check_parents(folder):
    for parent in folder.resolve().parents:
        mode = parent.stat().st_mode
        if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
            raise DeviceError(
                f"{folder}: must be below folders that not everybody can write, because programs in it are run (got "
                f"{parent}, mode {stat.S_IMODE(mode):o}); `chmod o-w {parent}`, or set CORTEX_MODEL_CACHE to another "
                "folder."
            )


def _is_closed(folder):
    """Whether others cannot even enter a folder; refused where they can write into it."""
    state = folder.stat()
    if state.st_uid not in (os.geteuid(), 0):
        raise DeviceError(
            f"{folder}: must belong to the user who runs programs in it (got user {state.st_uid}, and not "
            f"{os.geteuid()}); set CORTEX_MODEL_CACHE to a folder of your own."
        )
    if state.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise DeviceError(
            f"{folder}: must be a folder that nobody else can write, because programs in it are run (got mode "
            f"{stat.S_IMODE(state.st_mode):o}); `chmod 700 {folder}` if you know who wrote what is in it, else remove "
            "it, or set CORTEX_MODEL_CACHE to a folder of your own."
        )
    return not state.st_mode & (stat.S_IXGRP | stat.S_IXOTH)


@contextmanager
def scratch() -> Iterator[Path]:
    """An empty folder in the cache for files that nobody needs afterwards, such as a compiler's.

    It is removed at the end. A process that is killed leaves it, without the lock on it; whoever asks for such a
    folder next removes it.
    """
    parent = cache_folder("temporary")
    for lock_file in parent.glob("*.lock"):
        with suppress(Timeout, OSError), FileLock(lock_file, timeout=0):
            _remove(lock_file)
    lock_file = parent / f"{uuid4().hex}.lock"
    with FileLock(lock_file):
        try:
            folder = lock_file.with_suffix("")
            folder.mkdir(mode=0o700)
            yield folder
        finally:
            _remove(lock_file)


def unnamed_file(mode: str = "w+b") -> IO[Any]:
    """A file in the cache that has no name and so is never left there; `tempfile` alone tries folders out."""
    return tempfile.TemporaryFile(mode, dir=cache_folder("temporary"))


def _remove(lock_file):
    shutil.rmtree(lock_file.with_suffix(""), ignore_errors=True)
    lock_file.unlink(missing_ok=True)

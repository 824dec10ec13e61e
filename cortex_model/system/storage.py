"""Files that appear whole or not at all; JSON holds the SHA-256 of all else in it."""

import contextlib
import hashlib
import itertools
import json
import os
import shutil
import stat
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import numpy as np

from cortex_model.errors import RunError, in_short

#: The name under which files hold the SHA-256 of all else in them.
SHA256 = "sha256"
#: What a file is called until it is whole, after its own name.
PART = ".part"
ANEW = "put it back, or make the run anew: `cortex-model resume RUN_DIR --again`, or the command that began it."
_COUNTER = itertools.count()


def write_whole(path: Path, write, previous: Path | None = None) -> None:
    """Let ``write`` make a file beside ``path``, then put it there in one move; nothing is left where that fails.

    Parameters
    ----------
    path : Path
    write : callable
        Is given the path of the file that it makes.
    previous : Path, optional
        Where to keep what is at ``path`` now.
    """
    part = path.with_name(f"{path.name}.{os.getpid()}-{next(_COUNTER)}{PART}")
    try:
        write(part)
        with open(part, "rb") as file:
            os.fsync(file.fileno())
        if previous is not None and path.exists():
            path.replace(previous)
        part.replace(path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        if isinstance(error, OSError):  # the file that is meant, and not the one that was made beside it
            error.filename, error.filename2 = str(path), None
        raise


def clear_parts(folder: Path) -> None:
    """Remove what processes that were killed while they wrote have left in a folder that nobody else writes into."""
    for part in files_in(folder, f"*{PART}"):
        part.unlink(missing_ok=True)


def forget(path: Path) -> None:
    """Remove a file, a link, or a folder with all that is in it, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def files_in(folder: Path, pattern: str) -> list[Path]:
    """What a folder holds of a pattern, by name; unlike with `Path.glob`, one that cannot be read is an error."""
    names = os.listdir(folder) if folder.exists() else []
    return [folder / name for name in sorted(names) if fnmatch(name, pattern)]


def sha256_of(content: dict[str, Any]) -> str:
    """SHA-256 of a dictionary as canonical JSON."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a JSON file, whole or not at all, with the SHA-256 of the rest as its last value."""
    text = json.dumps(content | {SHA256: sha256_of(content)}, indent=2) + "\n"
    write_whole(path, lambda part: part.write_text(text, encoding="utf-8"))


def plain(content: Any, where: str) -> Any:
    """What JSON can hold, with NumPy's numbers and arrays as Python's numbers and lists.

    Raises
    ------
    RunError
        For anything else.
    """

    def of_numpy(value):
        if isinstance(value, np.generic | np.ndarray):
            return value.tolist()
        raise TypeError(f"{in_short(value)}, a {type(value).__name__}")

    try:
        return json.loads(json.dumps(content, default=of_numpy))
    except (TypeError, ValueError, RecursionError) as error:
        raise RunError(
            f"{where}: must hold numbers, texts, lists and dictionaries of them, by name (got {error}); convert it."
        ) from None


def check_regular(path: Path, may_be_link: bool = False) -> None:
    """Refuse what is there and is a folder, a pipe or a device, and a link unless ``may_be_link``.

    Raises
    ------
    RunError
    """
    if os.path.lexists(path) and not stat.S_ISREG((path.stat() if may_be_link else path.lstat()).st_mode):
        raise RunError(f"{path}: must be a file (got a folder, a link or a device); remove it.")


def read_regular(path: Path) -> bytes:
    """The content of a file that is no folder, no link and no pipe.

    Raises
    ------
    RunError
        If it is missing, something else, or cannot be read.
    """
    try:
        check_regular(path)
        return path.read_bytes()
    except FileNotFoundError:
        raise RunError(f"{path.parent}: must hold {path.name} (got none); give a whole run directory.") from None
    except OSError as error:
        raise RunError(f"{path}: must be a file that can be read (got: {error.strerror or error}).") from None


def user_name(number: int) -> str:
    """The name of a user of this machine, or the number where there is none."""
    import pwd

    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"the user {number}"


def read_json(path: Path, remedy: str = ANEW, **kinds: type) -> dict[str, Any]:
    """Read what `write_json` wrote; ``remedy`` ends the sentence where that cannot be.

    Raises
    ------
    RunError
        If it is missing, not JSON, lacks a value of its kind for one of ``kinds``, or is not what was written.
    """
    try:
        content = json.loads(read_regular(path))
        got = "" if isinstance(content, dict) else in_short(content)
        for name, kind in kinds.items() if not got else ():
            if not isinstance(content.get(name), kind):
                got = f"{in_short(content.get(name))} for {name!r}"
        if got:
            raise RunError(f"{path}: must hold values by name (got {got}); {remedy}")
        said = content.pop(SHA256, "none, from an earlier version or edited")
        if said != sha256_of(content):
            raise RunError(
                f"{path}: must be as it was written, with the SHA-256 {in_short(said)} (got another); {remedy}"
            )
        return content
    except (ValueError, RecursionError) as error:  # of JSON, of UTF-8, of numbers that are too long
        raise RunError(f"{path}: must be JSON (got: {error}); {remedy}") from None

"""Files that a user hands over: found, read whole, decoded. Whatever is wrong is one sentence of one line."""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cortex_model.errors import DatasetError
from cortex_model.system.memory import must_fit

#: Characters that are quoted of what was got: libraries quote whole arrays.
LONGEST = 300


def misfit(where: object, must: str, got: object, advice: str) -> DatasetError:
    """What does not fit, as an error in the form of all sentences here, on one line and printable."""
    said = str(got)
    said = said if len(said) <= LONGEST else f"{said[:LONGEST]} ..."
    sentence = " ".join(f"{where}: must {must} (got {said}); {advice}.".split())
    return DatasetError("".join(each if each.isprintable() else repr(each)[1:-1] for each in sentence))


def located(path: str | os.PathLike) -> Path:
    """The path with ``~`` replaced where that is known."""
    return Path(os.path.expanduser(path))


def must_hold(n_bytes: float, where: object, advice: str = "give a smaller one, or parts of it") -> None:
    """Refuse what a file declares to hold, where memory would not.

    Raises
    ------
    DatasetError
        If it is more than what is free.
    """
    must_fit(n_bytes, str(where), advice, DatasetError)


def content_of(path: Path, where: str, at_most: float = math.inf) -> bytes:
    """All bytes of a file, as many as it has when it is opened; pipes, devices and sockets are never opened.

    Parameters
    ----------
    path : Path
    where : str
        What to call it where there is none.
    at_most : float
        Bytes that it may have.

    Raises
    ------
    DatasetError
        If there is nothing, a folder, or something that cannot be read, is empty, or is too large.
    """
    if os.path.isdir(path):
        raise misfit(where, "be a file", f"{path}, which is a folder", "name the file in it")
    if not os.path.exists(path):
        raise misfit(where, "be a file", f"nothing at {path}", "correct the path")
    if not os.path.isfile(path):
        raise misfit(where, "be a file", f"{path}, which is neither file nor folder", "correct the path")
    try:
        size = os.stat(path).st_size
        if size > at_most:
            raise misfit(path, f"have at most {at_most} bytes", size, "give another file")
        must_hold(size, path)
        with open(path, "rb") as file:
            content = file.read(size)
    except OSError as error:
        got = f"{path}: {error.strerror or error}"
        raise misfit(where, "be a file that can be read", got, "change its permissions, or copy it") from None
    if not content:
        raise misfit(path, "hold something", "0 bytes", "save it again")
    return content


@contextmanager
def decoding(where: object, what: str, advice: str = "save it again") -> Iterator[None]:
    """Turn whatever a library raises at the content of a file into one sentence; what it warns of is left aside.

    Libraries that decode files raise anything at damaged ones: KeyError, struct.error, MemoryError ...

    Raises
    ------
    DatasetError
        Saying that ``where`` must be ``what``.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except DatasetError:
        raise
    except Exception as error:
        raise misfit(where, f"be {what}", str(error) or type(error).__name__, advice) from None

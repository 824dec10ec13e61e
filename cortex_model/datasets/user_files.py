"""Files that a user hands over: found, read whole, decoded. Whatever is wrong is one sentence of one line."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cortex_model.errors import DatasetError

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


def content_of(path: Path, where: str) -> bytes:
    """All bytes of a file.

    Raises
    ------
    DatasetError
        If there is nothing, a folder, or something that cannot be read or is empty.
    """
    if os.path.isdir(path):
        raise misfit(where, "be a file", f"{path}, which is a folder", "name the file in it")
    if not os.path.exists(path):
        raise misfit(where, "be a file", f"nothing at {path}", "correct the path")
    if not os.path.isfile(path):
        raise misfit(where, "be a file", f"{path}, which is neither file nor folder", "correct the path")
    try:
        content = Path(path).read_bytes()
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

"""Names of stimuli, subjects and units: one form, whichever program wrote them.

A name is text in Unicode's composed form (NFC; the file systems of macOS give the decomposed one), without white space
or zero bytes at its ends. Bytes are UTF-8, or else Windows-1252. What would move the cursor, colour a terminal or turn
the direction of writing is shown as Python escapes it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from cortex_model.datasets.user_files import misfit
from cortex_model.errors import literal

#: Characters of a name in the name of a file.
LONGEST = 100
#: Endings of files that are images.
ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff")


def decoded_text(content: bytes) -> str:
    """Bytes as text: UTF-8, or else Windows-1252, or else Latin-1, which knows every byte."""
    for encoding in ("utf-8", "cp1252"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return content.decode("latin-1")


def as_name(value: Any, where: str = "names") -> str:
    """One name, from text, bytes, a number (3.0 is "3"), or an array that holds one of these.

    Raises
    ------
    DatasetError
        If it is something else.
    """
    if isinstance(value, np.ndarray):
        if value.size == 1:
            return as_name(value.ravel()[0], where)
        if value.size == 0:
            return ""
    if isinstance(value, str):
        text = value if value.isprintable() else _without_surrogates(value)
    elif isinstance(value, bytes):
        text = decoded_text(value)
    elif isinstance(value, bool | np.bool_) or not isinstance(value, int | float | np.number) or value != value:
        raise misfit(where, "be texts", f"{type(value).__name__}", "save them as texts, in MATLAB as a cell array")
    else:
        text = str(int(value)) if float(value).is_integer() else str(value)
    return literal(unicodedata.normalize("NFC", text).strip().strip("\0").strip())


def _without_surrogates(text: str) -> str:
    """A text in which bytes that were not UTF-8, of a file's name, stand as surrogates."""
    try:
        return decoded_text(text.encode("utf-8", "surrogateescape"))
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode("utf-8")


def as_names(values: Any, where: str = "names") -> tuple[str, ...] | None:
    """Names from a list or an array of texts, bytes, numbers or cells; None where there are none.

    Raises
    ------
    DatasetError
        If they are not texts, or a table of texts.
    """
    if values is None:
        return None
    array = values if isinstance(values, np.ndarray) else np.array([*values], object)
    if array.ndim == 2 and array.dtype in (np.dtype("S1"), np.dtype("U1")):  # a table of characters
        return tuple(as_name(b"".join(row) if array.dtype.kind == "S" else "".join(row), where) for row in array)
    if sum(length > 1 for length in array.shape) > 1:
        raise misfit(where, "be a list of names", f"shape {array.shape}", "save them as one row")
    return tuple(as_name(value, where) for value in array.ravel().tolist())


def key_of(name: str) -> str:
    """A name without the folders and the ending of an image file."""
    last = re.split(r"[\\/]", name)[-1]
    ending = next((each for each in ENDINGS if last.lower().endswith(each) and len(last) > len(each)), "")
    return last[: len(last) - len(ending)]


def as_file_name(name: str) -> str:
    """A name as a part of a file's name: letters, digits, points and dashes, none of them leading, and not too long."""
    return re.sub(r"[^\w.+-]+", "_", name).lstrip("._-")[:LONGEST] or "unnamed"


def are_counted(names: Iterable[str] | None) -> bool:
    """Whether names are 0, 1, 2 ... or 1, 2, 3 ..., which programs make up where there are none."""
    names = list(names or ())
    return bool(names) and names in ([str(k) for k in range(len(names))], [str(k + 1) for k in range(len(names))])


def first_difference(one: Sequence[str], other: Sequence[str]) -> tuple[str, str] | None:
    """The first pair of names that differ; None where the shorter is a part of the longer."""
    return next(((a, b) for a, b in zip(one, other, strict=False) if a != b), None)

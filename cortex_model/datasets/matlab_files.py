"""MATLAB files, seen to be whole before SciPy reads them: its C code crashes at damaged ones.

A file of version 5 to 7 is a header of 128 bytes and elements of (type, number of bytes, content), some compressed. An
array is an element of elements: its class, its dimensions, its name, and its numbers, texts or cells. What is checked
are the types and counts of these.
"""

from __future__ import annotations

import io
import math
import struct
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

from cortex_model.datasets.user_files import content_of, decoding, misfit, must_hold
from cortex_model.system.memory import product

HEADER, TAG = 128, 8
INT8, INT32, UINT32, MATRIX, COMPRESSED, UTF8 = 1, 5, 6, 14, 15, 16
#: Type of numbers -> bytes of each.
NUMBERS = {1: 1, 2: 1, 3: 2, 4: 2, 5: 4, 6: 4, 7: 4, 9: 8, 12: 8, 13: 8}
TEXTS = (1, 2, 4, 16, 17, 18)
CELL, CHAR, NUMERIC, OPAQUE = 1, 4, range(6, 16), 17
DOUBLE = 9
#: Characters that a text without any in the file may be said to have: MATLAB writes blanks so.
FEW = 1000
#: Variables that name the axes of others.
NAMING = ("stimuli", "subjects", "units")
_HDF5 = b"\x89HDF"


class _Variable(NamedTuple):
    """The name of an array, whether it is one of numbers, texts or cells, and what it takes in memory."""

    name: str
    is_array: bool
    room: float


def read_matlab(path: Path) -> dict[str, np.ndarray]:
    """Arrays of numbers, texts and cells by name, of versions 4 to 7.

    Raises
    ------
    DatasetError
        If it is none, of version 7.3, damaged, or keeps names in a string array, a table or a structure.
    """
    from scipy.io import loadmat, whosmat

    content, what = content_of(path, "data"), "a MATLAB file"
    if _HDF5 in (content[:4], content[512:516]):
        raise misfit(path, "be a MATLAB file of version 7 or earlier", "version 7.3", "save it with -v7")
    names = None
    if 0 not in content[:4]:  # a zero byte there is version 4
        with decoding(path, what):
            variables = _variables(content, path)
        if other := [each.name for each in variables if each.name in NAMING and not each.is_array]:
            got = "a string array, a table or a structure"
            raise misfit(f"{path}.{other[0]}", "be a cell array of texts", got, "save cellstr of it")
        names = [each.name for each in variables if each.is_array]
    else:
        with decoding(path, what):
            found = whosmat(io.BytesIO(content))
        names = [name for name, _, kind in found if kind != "sparse"]
        must_hold(sum(product(*shape, NUMBERS[DOUBLE]) for _, shape, _ in found), path)
    with decoding(path, what):
        loaded = loadmat(io.BytesIO(content), variable_names=names)
    return {name: value for name, value in loaded.items() if isinstance(value, np.ndarray)}


def _variables(content: bytes, path: Path) -> list[_Variable]:
    """The variables of a file of version 5 to 7, each seen to be whole; ValueError where one is not.

    What is compressed declares its size in its first bytes, and is unpacked as far as that.
    """
    order = {b"IM": "<", b"MI": ">"}.get(content[HEADER - 2 : HEADER])
    if order is None:
        raise ValueError("no header")
    found, room = [], 0.0
    for kind, body in _elements(memoryview(content)[HEADER:], order):
        n = 0
        if kind == COMPRESSED:
            n = struct.unpack_from(f"{order}II", zlib.decompressobj().decompress(body, TAG))[1] + TAG
            must_hold(room + 2 * n, path)
        inner = _elements(memoryview(_unpacked(body, n)), order) if n else [(kind, body)]
        for variable in (_checked(each, order) for each in inner):
            found.append(variable)
            room += variable.room
            must_hold(room, path)
    return found


def _unpacked(body, n):
    """The first ``n`` bytes of what is compressed; ValueError where there are more or fewer."""
    unpacking = zlib.decompressobj()
    unpacked = unpacking.decompress(body, n)
    if len(unpacked) < n or unpacking.decompress(unpacking.unconsumed_tail, 1):
        raise ValueError(f"a compressed element of other than {n} bytes")
    return unpacked


def _elements(data: memoryview, order: str) -> list[tuple[int, memoryview]]:
    """Type and content of each element; those of up to four bytes are packed into eight."""
    found, place = [], 0
    while place < len(data):
        kind, n = struct.unpack_from(f"{order}II", data, place)
        is_small = kind >> 16
        kind, n, start = (kind & 0xFFFF, kind >> 16, place + 4) if is_small else (kind, n, place + 8)
        if n > (4 if is_small else len(data) - start):
            raise ValueError(f"an element of {n} bytes where there are fewer")
        found.append((kind, data[start : start + n]))
        place = place + 8 if is_small else start + (n if kind == COMPRESSED else -(-n // 8) * 8)
    return found


def _checked(element: tuple[int, memoryview], order: str) -> _Variable:
    """See that an element is an array with all that its class and dimensions say."""
    parts = _elements(element[1], order)
    if element[0] != MATRIX or len(parts) < 3 or parts[0][0] != UINT32 or len(parts[0][1]) != 8:
        raise ValueError("an element that is no array")
    flags = struct.unpack(f"{order}I", parts[0][1][:4])[0]
    array_class, is_complex = flags & 0xFF, bool(flags & 0x800)
    if array_class == OPAQUE:
        return _Variable(bytes(parts[1][1]).decode(), False, 0)
    (_, dimensions), (name_kind, name) = parts[1:3]
    shape = struct.unpack(f"{order}{len(dimensions) // 4}i", dimensions)
    if parts[1][0] != INT32 or len(shape) < 2 or min(shape) < 0 or name_kind not in (INT8, UTF8):
        raise ValueError(f"an array of dimensions {shape[:9]}")
    size, data = math.prod(shape), parts[3:]
    is_whole, room = True, 0.0
    if array_class in NUMERIC:
        counts = [len(body) / NUMBERS.get(kind, math.inf) for kind, body in data]
        is_whole, room = counts == [size] * (1 + is_complex), 2.0 * size * NUMBERS[DOUBLE]
    elif array_class == CHAR:
        is_whole, room = len(data) == 1 and data[0][0] in TEXTS, 4.0 * size
        is_whole = is_whole and size <= max(len(data[0][1]), FEW)
    elif array_class == CELL:
        inner = [_checked(each, order) for each in data if each[1]] if len(data) == size else []
        is_whole = len(data) == size and all(each.is_array for each in inner)
        room = 8.0 * size + sum(each.room for each in inner)
    if not is_whole:
        raise ValueError(f"{len(data)} parts where an array of class {array_class} and shape {shape[:9]} has others")
    return _Variable(bytes(name).decode(), array_class in (CELL, CHAR, *NUMERIC), room)

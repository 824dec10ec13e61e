"""NumPy's files, .npy and .npz, whose headers are looked at before room is made for what they declare."""

from __future__ import annotations

import io
import zipfile
from typing import BinaryIO

import numpy as np

from cortex_model.datasets.user_files import decoding, misfit, must_hold
from cortex_model.system.memory import product

#: Bytes of one number as it is worked with.
DOUBLE = 8
_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def read_numpy(content: bytes, where: object) -> dict[str, np.ndarray]:
    """Arrays by name; of an .npy file one without a name. Nothing is unpickled.

    Raises
    ------
    DatasetError
        If it is neither, or declares more than it has or than memory holds.
    """
    what = "an .npz or .npy file without pickles"
    if not content.startswith(b"PK"):
        with decoding(where, what):
            must_hold(_room(io.BytesIO(content), len(content), where), where)
            return {"": np.load(io.BytesIO(content), allow_pickle=False)}
    with decoding(where, what):
        archive = zipfile.ZipFile(io.BytesIO(content))
        entries = {each.filename.removesuffix(".npy"): each for each in archive.infolist() if _is_array(each)}
    rooms = [_of_member(archive, each, f"{where}.{name}", _room) for name, each in entries.items()]
    must_hold(sum(rooms), where)
    return {name: _of_member(archive, each, f"{where}.{name}", _array) for name, each in entries.items()}


def _of_member(archive, entry, where, read):
    """What ``read`` makes of one array of an archive."""
    advice = "save numbers as numbers, and names by np.array(names, str)"
    with decoding(where, "an array without pickles", advice), archive.open(entry) as member:
        return read(member, entry.file_size, where)


def _array(file: BinaryIO, n_bytes: int, where: object) -> np.ndarray:
    return np.lib.format.read_array(file, allow_pickle=False)


def _is_array(entry: zipfile.ZipInfo) -> bool:
    return entry.filename.endswith(".npy")


def _room(file: BinaryIO, n_bytes: int, where: object) -> float:
    """Bytes that an array takes as it is in the file, and once more as doubles, by its header."""
    version = np.lib.format.read_magic(file)
    if version not in _HEADERS:
        raise misfit(where, "have a header of version 1 or 2", version, "save it again")
    shape, _, dtype = _HEADERS[version](file)
    if dtype.hasobject:
        return 0.0  # NumPy refuses it
    if product(*shape, dtype.itemsize) > n_bytes:
        raise misfit(where, f"hold the shape {shape} that it declares", f"{n_bytes} bytes", "save it again")
    return product(*shape, dtype.itemsize + DOUBLE)

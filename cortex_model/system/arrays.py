"""Arrays as NetCDF, or, to go on from, as NumPy's NPZ, which holds the SHA-256 of all else in it."""

import hashlib
import io
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from cortex_model.errors import RunError, in_short
from cortex_model.system.sources import sha256 as sha256_of
from cortex_model.system.storage import ANEW, SHA256, check_regular, write_whole

#: What NumPy raises at an NPZ file that is not what was written.
OF_DAMAGE = (
    OSError, ValueError, EOFError, KeyError, RuntimeError, MemoryError, OverflowError, TypeError, AttributeError,
    SyntaxError, struct.error, zipfile.BadZipFile, zlib.error,
)  # fmt: skip


def write_arrays(path: Path, arrays: dict[str, tuple], attributes: dict[str, Any]) -> None:
    """Write named arrays as NetCDF.

    Parameters
    ----------
    path : Path
    arrays : dict
        Name -> (dimension names, values, unit, or nothing for a number of something).
    attributes : dict
        Numbers and texts about all of them.
    """
    import h5netcdf  # and not xarray, which takes several times as long to load as a small run takes

    arrays = {name: storable(name, *given) for name, given in arrays.items()}
    sizes = {dim: n for dims, values, _ in arrays.values() for dim, n in zip(dims, values.shape, strict=True)}
    for name, (dims, values, _) in arrays.items():
        if [sizes[dim] for dim in dims] != list(values.shape):
            raise RunError(
                f"{path.name}: dimensions must have one size each (got {dict(zip(dims, values.shape, strict=True))} in "
                f"{name!r} beside {sizes}); rename one."
            )
    content = io.BytesIO()
    with h5netcdf.File(content, "w") as file:
        file.dimensions = sizes
        file.attrs.update(attributes)
        for name, (dims, values, unit) in arrays.items():
            is_text = values.dtype.kind in "OU"
            kind = h5netcdf.core.h5py.string_dtype() if is_text else np.int8 if values.dtype == bool else values.dtype
            variable = file.create_variable(name, tuple(dims), kind, values.astype(kind))
            if unit:
                variable.attrs["units"] = unit
            if values.dtype == bool:
                variable.attrs["dtype"] = "bool"  # by which xarray gives them back as what they are
    write_whole(path, lambda part: part.write_bytes(content.getvalue()))


def storable(name: Any, dims: Any, values: Any, unit: str) -> tuple[list[str], np.ndarray, str]:
    """A named array, if NetCDF can hold it so that other programs read it.

    Raises
    ------
    RunError
        If it cannot.
    """
    try:
        array = np.asarray(values)
    except ValueError:  # rows of several lengths
        array = np.asarray(None)
    is_text = array.dtype.kind in "OU" and all(isinstance(each, str) and "\0" not in each for each in array.flat)
    is_number = array.dtype.kind in "biu" or array.dtype in (np.float32, np.float64)
    named = isinstance(name, str) and name and "/" not in name
    dims = [dims] if isinstance(dims, str) else list(dims)
    if not named or not (is_text or is_number) or len(set(dims)) != len(dims) or len(dims) != array.ndim:
        raise RunError(
            f"{name!r}: must be a name without slash, of different dimensions, as many as the values have, with values "
            f"that are numbers, truth values or texts (got dimensions {dims} for {array.ndim}, of type {array.dtype}); "
            "correct it."
        )
    return dims, array, unit


def write_netcdf(path: Path, dataset: Any) -> None:
    """Write an xarray.Dataset as NetCDF; made in memory, because HDF5 ends the process where a disk becomes full."""
    content = io.BytesIO()
    dataset.to_netcdf(content, engine="h5netcdf")
    write_whole(path, lambda part: part.write_bytes(content.getvalue()))


def read_arrays(path: Path, sha256: str | None = None):
    """Read a NetCDF file into memory: an xarray.Dataset.

    Parameters
    ----------
    path : Path
    sha256 : str, optional
        Of the file, as it was written.

    Raises
    ------
    RunError
        If it is missing, damaged, or another one.
    """
    import xarray

    try:
        check_regular(path, may_be_link=True)
        content = path.read_bytes()
        if sha256 is not None and sha256_of(content) != sha256:
            raise RunError(f"{path}: must be as it was written, with the SHA-256 {sha256[:12]} (got another); {ANEW}")
        _check_self_contained(path, content)
        with xarray.open_dataset(
            io.BytesIO(content), engine="h5netcdf", decode_times=False, phony_dims="sort"
        ) as dataset:
            return dataset.load()
    except FileNotFoundError:
        raise RunError(f"{path.parent}: must hold {path.name} (got none); run or resume it first.") from None
    except (OSError, ValueError, KeyError, RuntimeError, MemoryError, RecursionError) as error:
        raise RunError(f"{path}: must be a whole NetCDF file (got: {error}); {ANEW}") from None


def _check_self_contained(path, content):
    """Refuse HDF5 whose arrays lie in other files."""
    import h5py

    with h5py.File(io.BytesIO(content), "r") as file:
        for name in file:
            link = file.get(name, getlink=True)
            array = file[name] if isinstance(link, h5py.HardLink) else None
            if array is None or (isinstance(array, h5py.Dataset) and (array.external or array.is_virtual)):
                raise RunError(f"{path}: must hold its arrays itself (got {in_short(name)}, which is elsewhere).")


def write_npz(path: Path, arrays: dict[str, Any], previous: Path | None = None) -> None:
    """Write named arrays, numbers and texts as NPZ, which takes much less time to write than NetCDF.

    ``previous`` as for `write_whole`.
    """
    arrays = {name: np.asarray(array) for name, array in arrays.items()}

    def write(part):
        with open(part, "wb") as file:
            np.savez(file, **arrays, **{SHA256: np.array(_sha256_of_arrays(arrays))})

    write_whole(path, write, previous)


def read_npz(path: Path) -> dict[str, np.ndarray]:
    """What `write_npz` wrote.

    Raises
    ------
    RunError
        If it is damaged.
    """
    try:
        check_regular(path)
        with np.load(path, allow_pickle=False) as kept:
            arrays = dict(kept)
        if arrays.pop(SHA256).item() != _sha256_of_arrays(arrays):
            raise ValueError("another SHA-256 than the one that it holds")
        return arrays
    except OF_DAMAGE as error:
        raise RunError(f"{path}: must be a whole NPZ file, as it was written (got: {error}); {ANEW}") from None


def _sha256_of_arrays(arrays):
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {array.dtype.str} {array.shape} ".encode())
        digest.update(array.view(np.uint8).reshape(-1) if array.size else b"")
    return digest.hexdigest()

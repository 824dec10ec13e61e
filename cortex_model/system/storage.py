"""Files that appear whole or not at all: JSON; arrays as NetCDF, or, to go on from, as NumPy's NPZ."""

import io
import json
import os
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from cortex_model.errors import RunError, in_short


def write_whole(path: Path, write) -> None:
    """Let ``write`` make a file beside ``path``, then put it there in one move; nothing is left where that fails."""
    part = path.with_name(path.name + ".part")
    try:
        write(part)
        with open(part, "rb") as file:
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a JSON file, whole or not at all."""
    write_whole(path, lambda part: part.write_text(json.dumps(content, indent=2) + "\n"))


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


def read_json(path: Path, **kinds: type) -> dict[str, Any]:
    """Read a JSON file that holds values by name.

    Raises
    ------
    RunError
        If it is missing, not JSON, or lacks a value of its kind for one of ``kinds``.
    """
    try:
        content = json.loads(path.read_text())
        got = "" if isinstance(content, dict) else in_short(content)
        for name, kind in kinds.items() if not got else ():
            if not isinstance(content.get(name), kind):
                got = f"{in_short(content.get(name))} for {name!r}"
        if got:
            raise RunError(f"{path}: must hold values by name (got {got}); the run must be made anew.")
        return content
    except FileNotFoundError:
        raise RunError(f"{path.parent}: must hold {path.name} (got none); give a run directory.") from None
    except (ValueError, RecursionError) as error:  # of JSON, of UTF-8, of numbers that are too long
        raise RunError(f"{path}: must be JSON (got: {error}); the run must be made anew.") from None


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


def read_arrays(path: Path):
    """Read a NetCDF file of a run into memory: an xarray.Dataset.

    Raises
    ------
    RunError
        If it is missing or damaged.
    """
    import xarray

    try:
        with xarray.open_dataset(path, engine="h5netcdf") as dataset:
            return dataset.load()
    except FileNotFoundError:
        raise RunError(f"{path.parent}: must hold {path.name} (got none); run or resume it first.") from None
    except (OSError, ValueError, KeyError) as error:
        raise RunError(f"{path}: must be a whole NetCDF file (got: {error}); the run must be made anew.") from None


def write_npz(path: Path, arrays: dict[str, Any]) -> None:
    """Write named arrays, numbers and texts as NPZ, which takes much less time to write than NetCDF."""

    def write(part):
        with open(part, "wb") as file:
            np.savez(file, **arrays)

    write_whole(path, write)


def read_npz(path: Path) -> dict[str, np.ndarray]:
    """What `write_npz` wrote.

    Raises
    ------
    RunError
        If it is damaged.
    """
    try:
        with np.load(path) as arrays:
            return dict(arrays)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise RunError(f"{path}: must be a whole NPZ file (got: {error}); the run must be made anew.") from None

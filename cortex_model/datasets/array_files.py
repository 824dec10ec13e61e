"""Arrays with the names of their axes, from the formats that laboratories keep: .npz, .npy, .mat, .csv, NetCDF.

Nothing here is unpickled. What each format must hold stands in ``recording_files``.
"""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from cortex_model.errors import DatasetError


class Named(NamedTuple):
    """An array, the names of its stimuli, and those of its subjects or units (None where the file has none)."""

    array: np.ndarray
    stimuli: tuple[str, ...] | None
    rows: tuple[str, ...] | None


@dataclass(frozen=True)
class Reader:
    """How one format is read.

    Attributes
    ----------
    arrays : callable
        path -> name -> array, for formats that hold several.
    read : callable
        (path, variable, kind) -> `Named`.
    """

    arrays: Callable[[Path], dict[str, np.ndarray]]
    read: Callable[[Path, str, str], Named]

    def __call__(self, path: Path, variable: str, kind: str) -> Named:
        """Read one array."""
        named = self.read(path, variable, kind)
        if named.array.dtype.kind not in "fiub":
            got = f"{named.array.dtype}, shape {named.array.shape}"
            raise DatasetError(f"{path}.{variable}: must hold numbers (got {got}); convert it.")
        return named._replace(array=np.asarray(named.array, float))

    def names(self, path: Path) -> tuple[str, ...]:
        """Names of the arrays in a file."""
        return tuple(self.arrays(path))


def _npz(path: Path) -> dict[str, np.ndarray]:
    try:
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return {"": loaded}
        with loaded:
            return {name: loaded[name] for name in loaded}
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise _unreadable(path, "an .npz or .npy file without pickles", error) from None


def _mat(path: Path) -> dict[str, np.ndarray]:
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    try:
        loaded = loadmat(path, squeeze_me=True)
    except NotImplementedError:
        raise _unreadable(path, "a MATLAB file of version 7 or earlier", "version 7.3; save it with -v7") from None
    except (ValueError, OSError, TypeError, MatReadError) as error:
        raise _unreadable(path, "a MATLAB file", error) from None
    return {name: np.asarray(value) for name, value in loaded.items() if not name.startswith("__")}


def _from_arrays(arrays: Callable[[Path], dict[str, np.ndarray]]) -> Reader:
    def read(path: Path, variable: str, kind: str) -> Named:
        found = arrays(path)
        if set(found) == {""}:
            return Named(found[""], None, None)
        if variable not in found:
            raise _without(path, variable, found)
        rows = found.get("subjects" if kind == "rdm" else "units")
        return Named(found[variable], _names(found.get("stimuli")), _names(rows))

    return Reader(arrays, read)


def _read_csv(path: Path, variable: str, kind: str) -> Named:
    with open(path, newline="", encoding="utf-8-sig") as file:
        rows = [[cell.strip() for cell in row] for row in csv.reader(file) if any(cell.strip() for cell in row)]
    if not rows or len({len(row) for row in rows}) > 1:
        lengths = sorted({len(row) for row in rows})
        raise _unreadable(
            path, "a table whose rows are equally long", f"rows of {lengths} cells" if rows else "nothing"
        )
    stimuli = names = None
    if any(not _is_number(cell) for cell in rows[0][1:]):
        stimuli, names = tuple(rows[0][1:]), tuple(row[0] for row in rows[1:])
        rows = [row[1:] for row in rows[1:]]
    try:
        array = np.array([[float(cell or "nan") for cell in row] for row in rows])
    except ValueError as error:
        raise _unreadable(path, "a table of numbers with names only in its first row and column", error) from None
    if kind == "rdm" and names is not None:
        if names != stimuli:
            pairs = zip(names, stimuli, strict=False)
            differs = next((f"row {a!r} beside column {b!r}" for a, b in pairs if a != b), "different lengths")
            raise DatasetError(
                f"{path}: must name rows and columns in the same order (got {differs}); reorder the rows."
            )
        names = (path.stem,)
    return Named(array, stimuli, names)


def _netcdf(path: Path):
    import xarray

    try:
        with xarray.open_dataset(path, engine="h5netcdf") as dataset:
            return dataset.load()
    except (OSError, ValueError, KeyError) as error:
        raise _unreadable(path, "a NetCDF file", error) from None


def _read_netcdf(path: Path, variable: str, kind: str) -> Named:
    dataset = _netcdf(path)
    if variable not in dataset:
        raise _without(path, variable, dataset.data_vars)
    array = dataset[variable]
    first, last = ("subject", None) if kind == "rdm" else ("unit", "repeat")
    others = [name for name in array.dims if name not in (first, "stimulus", last)]
    order = [first, "stimulus", *others] if kind == "rdm" else [first, "stimulus", last, *others]
    order = [name for name in order if name in array.dims]
    if "stimulus" not in array.dims or len(others) != (kind == "rdm") or (kind != "rdm" and first not in array.dims):
        wanted = "(subject,) stimulus and one more" if kind == "rdm" else "unit, stimulus and (repeat)"
        got = ", ".join(map(str, array.dims))
        raise DatasetError(f"{path}.{variable}: must have the dimensions {wanted} (got {got}); rename them.")
    coordinates = {name: _names(array[name].values) for name in (first, "stimulus", *others) if name in array.coords}
    for other in others:
        if coordinates.get(other, coordinates.get("stimulus")) != coordinates.get("stimulus"):
            raise DatasetError(
                f"{path}.{variable}: must name the stimuli alike along stimulus and {other} (got two orders); reorder."
            )
    return Named(array.transpose(*order).values, coordinates.get("stimulus"), coordinates.get(first))


READERS: dict[str, Reader] = {
    ".npz": _from_arrays(_npz),
    ".npy": _from_arrays(_npz),
    ".mat": _from_arrays(_mat),
    ".csv": Reader(lambda path: {}, _read_csv),
    ".nc": Reader(lambda path: dict(_netcdf(path).data_vars), _read_netcdf),
}
"""Ending -> how such a file is read."""


def _names(values) -> tuple[str, ...] | None:
    return None if values is None else tuple(str(value).strip() for value in np.atleast_1d(values).ravel())


def _is_number(text: str) -> bool:
    try:
        float(text or "nan")
    except ValueError:
        return False
    return True


def _unreadable(path: Path, what: str, got: object) -> DatasetError:
    return DatasetError(f"{path}: must be {what} (got: {got}); save it again.")


def _without(path: Path, variable: str, found) -> DatasetError:
    return DatasetError(
        f"{path}: must hold an array {variable!r} (got {', '.join(map(str, found)) or 'none'}); "
        "rename it, or name yours as variable."
    )

"""Arrays with the names of their axes, from the formats that laboratories keep: .npz, .npy, .mat, tables, NetCDF.

Nothing here is unpickled. What each format must hold stands in ``recording_files``; tables are read by ``tables``.
"""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from cortex_model.datasets.matlab_files import read_matlab
from cortex_model.datasets.numpy_files import read_numpy
from cortex_model.datasets.stimulus_names import as_name, as_names, first_difference
from cortex_model.datasets.tables import Guide, read_table
from cortex_model.datasets.user_files import content_of, decoding, misfit, must_hold
from cortex_model.errors import DatasetError

#: A program of its own, which loads nothing of this package.
VETTING, VETTING_SECONDS = str(Path(__file__).with_name("hdf5_vetting.py")), 60


class Named(NamedTuple):
    """An array and the names of its axes.

    Attributes
    ----------
    array : ndarray
    stimuli, rows : tuple of str or None
        Names of the stimuli, and of the subjects or units; None where the file has none.
    notes : tuple of str
        What was guessed.
    are_axes_named : bool
        Whether the file says which axis is which.
    """

    array: np.ndarray
    stimuli: tuple[str, ...] | None
    rows: tuple[str, ...] | None
    notes: tuple[str, ...] = ()
    are_axes_named: bool = False


class Reader(NamedTuple):
    """How one format is read.

    Attributes
    ----------
    arrays : callable
        path -> name -> array, for formats that hold several; empty for those that hold one.
    read : callable
        (path, variable, guide) -> `Named`.
    """

    arrays: Callable[[Path], dict[str, Any]]
    read: Callable[[Path, str, Guide], Named]

    def __call__(self, path: Path, variable: str, guide: Guide) -> Named:
        """Read one array.

        Raises
        ------
        DatasetError
            If it cannot be read or holds no numbers.
        """
        named = self.read(path, variable, guide)
        if named.array.dtype.kind not in "fiub":
            got = f"{named.array.dtype}, shape {named.array.shape}"
            raise misfit(f"{path}.{variable}", "hold numbers", got, "convert it")
        return named._replace(array=np.asarray(named.array, float))


def _npz(path: Path) -> dict[str, np.ndarray]:
    return read_numpy(content_of(path, "data"), path)


def _from_arrays(arrays: Callable[[Path], dict[str, np.ndarray]]) -> Reader:
    def read(path: Path, variable: str, guide: Guide) -> Named:
        found = arrays(path)
        if set(found) == {""}:
            return Named(found[""], None, None)
        if variable not in found:
            raise _without(path, variable, found)
        rows = "subjects" if guide.kind == "rdm" else "units"
        names = {name: as_names(found.get(name), f"{path}.{name}") for name in ("stimuli", rows)}
        return Named(found[variable], names["stimuli"], names[rows])

    return Reader(arrays, read)


def _read_table(path: Path, variable: str, guide: Guide) -> Named:
    array, columns, rows, notes = read_table(content_of(path, "data"), path, guide)
    if guide.kind == "responses":
        named = Named(array, columns, rows, notes, bool(columns and rows))
        return _transposed(named, path) if _has_stimuli_below(named, guide) else named
    if array.shape[0] != array.shape[1]:
        return Named(array, None, rows, notes)
    if columns and rows and columns != rows:
        differs = first_difference(rows, columns)
        got = f"row {differs[0]!r} beside column {differs[1]!r}"
        raise misfit(path, "name rows and columns in the same order", got, "reorder the rows")
    return Named(array, columns or rows, (as_name(path.stem),), notes)


def _has_stimuli_below(named: Named, guide: Guide) -> bool:
    """Whether each row is a stimulus: by the names of images, or by their number."""
    across, below = (bool(names) and set(names) <= guide.names for names in (named.stimuli, named.rows))
    if across or below:
        return below and not across
    n_units, n_stimuli = named.array.shape
    return n_units == guide.n_stimuli != n_stimuli


def _transposed(named: Named, path: Path) -> Named:
    notes = (*named.notes, f"Each row of {path} is a stimulus: the table was transposed.")
    return Named(named.array.T, named.rows, named.stimuli, notes, named.are_axes_named)


def _netcdf(path: Path):
    """A dataset of NetCDF 3 or 4; times stay numbers."""
    import xarray

    content = content_of(path, "data")
    is_classic = content.startswith(b"CDF")
    if not is_classic:
        _vet(path)
    with decoding(path, "a NetCDF file"):
        engine = "scipy" if is_classic else "h5netcdf"
        with xarray.open_dataset(io.BytesIO(content), engine=engine, decode_times=False) as dataset:
            return dataset.load()


def _vet(path: Path) -> None:
    """See in a process of its own that a NetCDF 4 file opens: at damaged ones the HDF5 library may crash or never end.

    Raises
    ------
    DatasetError
        If it does not open, or not within `VETTING_SECONDS`, has parts in other files, or more than memory holds.
    """
    command = [sys.executable, "-P", VETTING, str(path)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=VETTING_SECONDS)
    except subprocess.TimeoutExpired:
        raise misfit(path, "be a NetCDF file", "one whose structure has no end", "save it again") from None
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["the HDF5 library crashed at it"])[-1]
        raise misfit(path, "be a NetCDF file that holds all that it names", reason, "save it again")
    must_hold(float(done.stdout), path)


def _read_netcdf(path: Path, variable: str, guide: Guide) -> Named:
    dataset = _netcdf(path)
    if variable not in dataset:
        raise _without(path, variable, dataset.data_vars)
    array, is_rdm = dataset[variable], guide.kind == "rdm"
    first, last = ("subject", None) if is_rdm else ("unit", "repeat")
    others = [name for name in array.dims if name not in (first, "stimulus", last)]
    order = [first, "stimulus", *others] if is_rdm else [first, "stimulus", last, *others]
    order = [name for name in order if name in array.dims]
    if "stimulus" not in array.dims or len(others) != is_rdm or (not is_rdm and first not in array.dims):
        wanted = "(subject,) stimulus and one more" if is_rdm else "unit, stimulus and (repeat)"
        got = ", ".join(map(str, array.dims))
        raise misfit(f"{path}.{variable}", f"have the dimensions {wanted}", got, "rename them")
    named = [name for name in (first, "stimulus", *others) if name in array.coords]
    coordinates = {name: as_names(array[name].values, f"{path}.{name}") for name in named}
    for other in others:
        if coordinates.get(other, coordinates.get("stimulus")) != coordinates.get("stimulus"):
            must = f"name the stimuli alike along stimulus and {other}"
            raise misfit(f"{path}.{variable}", must, "two orders", "reorder")
    values = array.transpose(*order).values
    return Named(values, coordinates.get("stimulus"), coordinates.get(first), are_axes_named=True)


_TABLE = Reader(lambda path: {}, _read_table)
READERS: dict[str, Reader] = {
    ".npz": _from_arrays(_npz),
    ".npy": _from_arrays(_npz),
    ".mat": _from_arrays(read_matlab),
    ".csv": _TABLE,
    ".tsv": _TABLE,
    ".txt": _TABLE,
    ".nc": Reader(lambda path: dict(_netcdf(path).data_vars), _read_netcdf),
}
"""Ending -> how such a file is read."""


def _without(path: Path, variable: str, found: Iterable[Any]) -> DatasetError:
    got = ", ".join(map(str, found)) or "none"
    return misfit(path, f"hold an array {variable!r}", got, "rename it, or name yours as variable")

"""A recording of your own: data file, stimuli, and a small TOML file that says which is which.

``recording.toml``::

    name = "my IT"                # as it will be called
    kind = "rdm"                  # or "responses"
    data = "rdms.npz"             # or a list of files, one a subject, each with one RDM
    stimuli = "images"            # folder, .zip or .npz of the images
    variable = "rdms"             # optional: the array in the data file; "rdms" or "responses" unless given
    names = ["face 1", "cup"]     # optional: the stimuli in the order of the data, if the data file does not say it

Paths are relative to the TOML file. What the data file holds:

===========  ==================================================================================================
``.npz``     ``rdms`` of shape (n, n) or (subjects, n, n), or condensed, (n(n-1)/2,) or (subjects, n(n-1)/2); or
             ``responses`` of shape (units, stimuli) or (units, stimuli, repeats). Optional: ``stimuli`` (names of
             the stimuli), ``subjects``, ``units``. ``.npy``: the array alone
``.mat``     the same names; RDMs of several subjects may also stand last, (n, n, subjects), as is usual in MATLAB
``.csv``     one RDM: a square table; or responses without repeats: a row a unit, a column a stimulus. The first row
             may name the stimuli; then the first column names them too (RDM), or the units (responses)
``.nc``      ``rdms`` with the dimensions (subject,) stimulus and one more, whose name is free; or ``responses`` with
             unit, stimulus and (repeat), in any order. Coordinates ``stimulus``, ``subject``, ``unit`` are names
===========  ==================================================================================================

Missing repeats are NaN. Where the data name their stimuli, images are found by name, whatever their order; where they
do not, image k belongs to stimulus k: then the order is on you.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from cortex_model.datasets.array_files import READERS, Named
from cortex_model.datasets.published_recordings import PUBLISHED, PublishedRecording
from cortex_model.datasets.recordings import RDMRecording, Recording, ResponseRecording
from cortex_model.datasets.registry import find_source
from cortex_model.datasets.stimulus_images import read_images
from cortex_model.datasets.synthetic import synthetic_rdms, synthetic_responses
from cortex_model.errors import DatasetError

#: Name -> recording, the published ones and those that are made up.
NAMED = PUBLISHED | {
    "synthetic_rdms": PublishedRecording("", synthetic_rdms, "RDMs of three made-up subjects, 40 images"),
    "synthetic_responses": PublishedRecording("", synthetic_responses, "12 made-up units, 40 images, 6 repeats"),
}
#: Kind -> name of its array unless another is given.
KINDS = {"rdm": "rdms", "responses": "responses"}


@dataclass(frozen=True)
class RecordingFiles:
    """Where a recording of one's own is, as in ``recording.toml``; see the top of this file."""

    name: str
    kind: str
    data: tuple[Path, ...]
    stimuli: Path
    variable: str = ""
    names: tuple[str, ...] = ()


def load_recording(
    name_or_file: str, stimuli: str | None = None, kind: str | None = None, variable: str | None = None
) -> Recording:
    """A published recording by name, or one of one's own from its file.

    Parameters
    ----------
    name_or_file : str
        A name in `PUBLISHED`, such as ``"human_it"`` or ``"v4:190923"``; a ``.toml`` file; or a data file.
    stimuli : str, optional
        The images, where a data file is named; or others than those that the TOML file names.
    kind : {"rdm", "responses"}, optional
        What a data file holds; unless given, what it has an array of that name of.
    variable : str, optional
        Name of the array in the data file.

    Raises
    ------
    DatasetError
        With one sentence, for whatever is missing or does not fit.
    """
    path = Path(name_or_file).expanduser()
    if path.suffix.lower() not in (".toml", *READERS):
        name, _, rest = str(name_or_file).partition(":")
        return find_source(name, NAMED, "--with").read(rest)
    if not path.is_file():
        raise DatasetError(
            f"--with: must be a recording's name or a file (got {path}, which is not there); correct it."
        )
    if path.suffix.lower() == ".toml":
        files = read_description(path)
        files = replace(files, stimuli=Path(stimuli).expanduser()) if stimuli else files
        files = replace(files, kind=kind or files.kind, variable=variable or files.variable)
    elif not stimuli:
        raise DatasetError(
            f"--stimuli: must be given with a data file (got only {path}); name the folder of its images."
        )
    else:
        files = RecordingFiles(path.stem, kind or _kind_of(path, variable), (path,), Path(stimuli).expanduser())
        files = replace(files, variable=variable or "")
    return assembled(files)


def read_description(path: Path) -> RecordingFiles:
    """A ``recording.toml``; see the top of this file.

    Raises
    ------
    DatasetError
        If it is not TOML, or lacks something, or has something that is not known.
    """
    try:
        given: dict[str, Any] = tomllib.loads(Path(path).read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path}: must be TOML (got: {error}); correct it.") from None
    known = ("name", "kind", "data", "stimuli", "variable", "names")
    if unknown := [key for key in given if key not in known]:
        raise DatasetError(f"{path}.{unknown[0]}: must be one of {', '.join(known)}; rename or remove it.")
    if missing := [key for key in ("kind", "data", "stimuli") if key not in given]:
        raise DatasetError(f"{path}.{missing[0]}: must be given (got only {', '.join(given) or 'nothing'}); add it.")
    data = given["data"] if isinstance(given["data"], list) else [given["data"]]
    folder = Path(path).parent
    return RecordingFiles(
        name=str(given.get("name", Path(path).stem)),
        kind=str(given["kind"]),
        data=tuple(folder / Path(str(each)).expanduser() for each in data),
        stimuli=folder / Path(str(given["stimuli"])).expanduser(),
        variable=str(given.get("variable", "")),
        names=tuple(map(str, given.get("names", ()))),
    )


def assembled(files: RecordingFiles) -> Recording:
    """The recording that files hold.

    Raises
    ------
    DatasetError
        If something is missing or does not fit.
    """
    if files.kind not in KINDS:
        raise DatasetError(f"{files.name}.kind: must be one of {', '.join(KINDS)} (got {files.kind!r}); choose one.")
    if not files.data:
        raise DatasetError(f"{files.name}.data: must name at least one file (got none); add it.")
    tables = [_read(path, files.kind, files.variable) for path in files.data]
    table = tables[0] if len(tables) == 1 else _stacked(files, tables)
    names, images, note = matched(files, table)
    notes = ("The recording is the user's own: nothing verified its files.", note)
    if files.kind == "rdm":
        rdms = square(f"{files.name}.rdms", table.array)
        subjects = table.rows or tuple(f"subject {k + 1}" for k in range(len(rdms)))
        return RDMRecording(files.name, images, names, subjects, rdms, {}, notes)
    responses = table.array[..., None] if table.array.ndim == 2 else table.array
    units = table.rows or tuple(f"unit {k + 1}" for k in range(len(responses)))
    return ResponseRecording(files.name, images, names, units, responses, notes)


def square(where: str, array: np.ndarray) -> np.ndarray:
    """RDMs of shape (subjects, n, n) from any of the shapes that a file may have.

    Raises
    ------
    DatasetError
        If it is none of them.
    """
    from scipy.spatial.distance import squareform

    shape = array.shape
    if array.ndim in (1, 2) and not (array.ndim == 2 and shape[0] == shape[1]):
        n = int((1 + np.sqrt(1 + 8 * shape[-1])) / 2)
        if n * (n - 1) // 2 == shape[-1]:
            return np.stack([squareform(vector) for vector in np.atleast_2d(array)])
    if array.ndim == 2 and shape[0] == shape[1]:
        return array[None]
    if array.ndim == 3 and shape[1] == shape[2]:
        return array
    if array.ndim == 3 and shape[0] == shape[1]:
        return np.moveaxis(array, 2, 0)
    raise DatasetError(
        f"{where}: must have shape (n, n), (subjects, n, n), (n, n, subjects) or condensed (subjects, n(n-1)/2) "
        f"(got {shape}); reshape it."
    )


def matched(files: RecordingFiles, table: Named) -> tuple[tuple[str, ...], list[np.ndarray], str]:
    """Names and images in the order of the data, and a sentence about how they were matched.

    Raises
    ------
    DatasetError
        If an image is missing, or the data name stimuli and the images have no names.
    """
    stimuli, wanted = read_images(files.stimuli), files.names or table.stimuli
    if files.names and table.stimuli and files.names != table.stimuli:
        differs = next((pair for pair in zip(files.names, table.stimuli, strict=False) if pair[0] != pair[1]), None)
        got = f"{differs[0]!r} where the data have {differs[1]!r}" if differs else f"{len(files.names)} names"
        raise DatasetError(
            f"{files.name}.names: must be those of the data file, in the same order (got {got}); leave them out."
        )
    if not wanted or stimuli.names is None:
        names = wanted or stimuli.names or tuple(f"stimulus {k + 1}" for k in range(len(stimuli.images)))
        if wanted and len(wanted) != len(stimuli.images):
            raise DatasetError(
                f"{files.name}.stimuli: must be as many images as stimuli are named, {len(wanted)} "
                f"(got {len(stimuli.images)}); add or remove some."
            )
        return names, stimuli.images, "Stimuli were matched by order: image k belongs to row k of the data."
    by_name = dict(zip(stimuli.names, stimuli.images, strict=True))
    by_name |= {Path(name).stem: image for name, image in by_name.items() if Path(name).stem not in by_name}
    found = [name if name in by_name else Path(name).stem for name in wanted]
    if missing := [name for name, key in zip(wanted, found, strict=True) if key not in by_name]:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise DatasetError(
            f"{files.name}.stimuli: must hold an image for each stimulus that the data name "
            f"(got none for {missing[0]!r}{more}); add it to {files.stimuli}, or rename it."
        )
    moved = " and put into the order of the data" if tuple(found) != stimuli.names[: len(found)] else ""
    return tuple(wanted), [by_name[key] for key in found], f"Stimuli were matched by name{moved}."


def _read(path: Path, kind: str, variable: str) -> Named:
    """The array of one file with whatever names it has."""
    if not path.is_file():
        raise DatasetError(f"data: must be a file (got nothing at {path}); correct the path.")
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise DatasetError(f"data: must end in one of {', '.join(READERS)} (got {path}); convert it.")
    return reader(path, variable or KINDS[kind], kind)


def _stacked(files: RecordingFiles, tables: list[Named]) -> Named:
    """One RDM a file, one file a subject; all must name their stimuli in one order."""
    if files.kind != "rdm":
        raise DatasetError(f"{files.name}.data: must be one file of responses (got {len(tables)}); join them.")
    rdms = [square(f"{path.name}.rdms", table.array) for path, table in zip(files.data, tables, strict=True)]
    for path, rdm, table in zip(files.data, rdms, tables, strict=True):
        if len(rdm) != 1 or rdm.shape != rdms[0].shape:
            raise DatasetError(
                f"{path}: must hold one RDM of shape {rdms[0].shape[1:]}, as the first file (got {rdm.shape}); mend it."
            )
        if table.stimuli != tables[0].stimuli:
            pairs = zip(tables[0].stimuli or (), table.stimuli or (), strict=False)
            differs = next((f"{b!r} where it has {a!r}" for a, b in pairs if a != b), "other names")
            raise DatasetError(
                f"{path}: must name the stimuli in the order of {files.data[0].name} (got {differs}); reorder its rows "
                "and columns."
            )
    return Named(np.concatenate(rdms), tables[0].stimuli, tuple(path.stem for path in files.data))


def _kind_of(path: Path, variable: str | None) -> str:
    """What a data file holds, where its arrays say it by their names."""
    names = READERS[path.suffix.lower()].names(path) if not variable else ()
    for kind, array in KINDS.items():
        if array in names:
            return kind
    raise DatasetError(f"--kind: must be given, rdm or responses (got a file that does not say it, {path}); add it.")

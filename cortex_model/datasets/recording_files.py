"""A recording of your own: data file, stimuli, and a small TOML file that says which is which.

``recording.toml``::

    name = "my IT"                # as it will be called
    kind = "rdm"                  # or "responses"
    data = "rdms.npz"             # or a list of files, one a subject, each with one RDM
    stimuli = "images"            # folder, .zip, .npz or .npy of the images
    variable = "rdms"             # optional: the array in the data file; "rdms" or "responses" unless given
    names = ["face 1", "cup"]     # optional: the stimuli in the order of the data, if the data file does not say it

Paths are relative to the TOML file. What the data file holds:

===========  ==================================================================================================
``.npz``     ``rdms`` of shape (n, n) or (subjects, n, n), or condensed, (n(n-1)/2,) or (subjects, n(n-1)/2); or
             ``responses`` of shape (units, stimuli) or (units, stimuli, repeats). Optional: ``stimuli`` (names of
             the stimuli), ``subjects``, ``units``. ``.npy``: the array alone
``.mat``     the same names; RDMs of several subjects may also stand last, (n, n, subjects), as is usual in MATLAB
``.csv``     or ``.tsv``, ``.txt``. One RDM: a square table; or responses without repeats: a row a unit, a column a
             stimulus. The first row and the first column may be names, see ``tables``
``.nc``      ``rdms`` with the dimensions (subject,) stimulus and one more, whose name is free; or ``responses`` with
             unit, stimulus and (repeat), in any order. Coordinates ``stimulus``, ``subject``, ``unit`` are names
===========  ==================================================================================================

Missing repeats are NaN. Where the data name their stimuli, images are found by name, whatever their order; where they
do not, image k belongs to stimulus k: then the order is on you, and a note names the first and the last pair. Which
axis is which, where the file does not say it, is decided by the number of stimuli (``array_shapes``).
"""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from cortex_model.datasets.array_files import READERS, Named
from cortex_model.datasets.array_shapes import rdms_of, responses_of
from cortex_model.datasets.matching import agreed_names, matched
from cortex_model.datasets.published_recordings import PUBLISHED, PublishedRecording
from cortex_model.datasets.recordings import RDMRecording, Recording, ResponseRecording
from cortex_model.datasets.registry import find_source
from cortex_model.datasets.stimulus_images import read_images
from cortex_model.datasets.stimulus_names import as_name, as_names, first_difference
from cortex_model.datasets.synthetic import synthetic_rdms, synthetic_responses
from cortex_model.datasets.tables import Guide
from cortex_model.datasets.user_files import content_of, decoding, located, misfit

#: Name -> recording, the published ones and those that are made up.
NAMED = PUBLISHED | {
    "synthetic_rdms": PublishedRecording("", synthetic_rdms, "RDMs of three made-up subjects, 40 images"),
    "synthetic_responses": PublishedRecording("", synthetic_responses, "12 made-up units, 40 images, 6 repeats"),
}
#: Bytes that a description may have, and a key of more parts than it may.
LARGEST = 2**20
MANY_PARTS = re.compile(r"""(\.[ \t]*([\w-]+|"[^"\n]*"|'[^'\n]*')[ \t]*){50}""")
#: Kind -> name of its array unless another is given.
KINDS = {"rdm": "rdms", "responses": "responses"}
#: Key of a description -> whether it may be a list.
DESCRIBED = {"name": False, "kind": False, "data": True, "stimuli": False, "variable": False, "names": True}


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
    name, _, rest = str(name_or_file).partition(":")
    path = located(name_or_file)
    if path.suffix.lower() not in (".toml", *READERS):
        if name not in NAMED and (path.suffix or os.sep in str(path) or os.path.exists(path)):
            must = f"be a recording's name or a file that ends in one of .toml, {', '.join(READERS)}"
            raise misfit("--with", must, path, "save it as one of these")
        recording = find_source(name, NAMED, "--with")
        if given := next((each for each in (stimuli, kind, variable) if each), None):
            must = "stand without --stimuli, --kind and --variable, which are for files of one's own"
            raise misfit(f"--with {name}", must, given, "leave them out")
        return recording.read(rest)
    if not os.path.exists(path):
        raise misfit("--with", "be a recording's name or a file", f"{path}, which is not there", "correct it")
    if path.suffix.lower() == ".toml":
        files = read_description(path)
        files = replace(files, stimuli=located(stimuli)) if stimuli else files
        files = replace(files, kind=kind or files.kind, variable=variable or files.variable)
    elif not stimuli:
        raise misfit("--stimuli", "be given with a data file", f"only {path}", "name the folder of its images")
    else:
        files = RecordingFiles(as_name(path.stem), kind or _kind_of(path, variable), (path,), located(stimuli))
        files = replace(files, variable=variable or "")
    return assembled(files)


def read_description(path: Path) -> RecordingFiles:
    """A ``recording.toml``; see the top of this file.

    Raises
    ------
    DatasetError
        If it is not TOML, or lacks something, or has something that is not known.
    """
    path = Path(path)
    with decoding(path, "TOML", "correct it"):
        text = content_of(path, "--with", LARGEST).decode("utf-8-sig")
        if MANY_PARTS.search(text):  # tomllib takes a time that grows with the square of their number
            raise ValueError("a key of very many parts")
        given: dict[str, Any] = tomllib.loads(text)
    if unknown := [key for key in given if key not in DESCRIBED]:
        raise misfit(f"{path}.{unknown[0]}", f"be one of {', '.join(DESCRIBED)}", "a key that is none", "rename it")
    if missing := [key for key in ("kind", "data", "stimuli") if key not in given]:
        got = f"only {', '.join(given) or 'nothing'}"
        raise misfit(f"{path}.{missing[0]}", "be given", got, "add it")
    for key, value in given.items():
        if not (isinstance(value, str) or (DESCRIBED[key] and isinstance(value, list))):
            must = "be a text" + (" or a list" if DESCRIBED[key] else "") + " in quotes"
            raise misfit(f"{path}.{key}", must, type(value).__name__, "correct it")
    data = given["data"] if isinstance(given["data"], list) else [given["data"]]
    if not all(isinstance(each, str) for each in data):
        raise misfit(f"{path}.data", "be names of files in quotes", "something else", "correct it")
    names = given.get("names", [])
    if isinstance(names, str):
        raise misfit(f"{path}.names", "be a list of texts", "one text", "give one name a stimulus")
    return RecordingFiles(
        name=as_name(given.get("name", path.stem)),
        kind=given["kind"],
        data=tuple(path.parent / located(each) for each in data),
        stimuli=path.parent / located(given["stimuli"]),
        variable=given.get("variable", ""),
        names=as_names(names, f"{path}.names"),
    )


def assembled(files: RecordingFiles) -> Recording:
    """The recording that files hold.

    Raises
    ------
    DatasetError
        If something is missing or does not fit.
    """
    if files.kind not in KINDS:
        raise misfit(f"{files.name}.kind", f"be one of {', '.join(KINDS)}", f"{files.kind!r}", "choose one")
    if not files.data:
        raise misfit(f"{files.name}.data", "name at least one file", "none", "add it")
    shown = read_images(files.stimuli)
    guide = Guide(files.kind, len(files.names or shown.images), frozenset(files.names or shown.names or ()))
    tables = [_read(path, files.variable, guide) for path in files.data]
    table = tables[0] if len(tables) == 1 else _stacked(files, tables)
    wanted = agreed_names(files.name, files.names, table.stimuli)
    names, images, notes = matched(files.name, wanted, shown, files.stimuli)
    notes = ("The recording is the user's own: nothing verified its files.", *notes, *shown.notes, *table.notes)
    if files.kind == "rdm":
        rdms, guessed = rdms_of(f"{files.name}.rdms", table.array, len(names))
        _check_names(files, wanted, rdms.shape[1])
        subjects = table.rows or tuple(f"subject {k + 1}" for k in range(len(rdms)))
        return RDMRecording(files.name, images, names, subjects, rdms, {}, notes + guessed)
    responses, guessed = responses_of(f"{files.name}.responses", table.array, len(names), table.are_axes_named)
    _check_names(files, wanted, responses.shape[1])
    units = table.rows or tuple(f"unit {k + 1}" for k in range(len(responses)))
    return ResponseRecording(files.name, images, names, units, responses, notes + guessed)


def _check_names(files: RecordingFiles, names: tuple[str, ...] | None, n_stimuli: int) -> None:
    """See that names, where there are any, are as many as the stimuli of the array."""
    if names and len(names) != n_stimuli:
        must = f"name {n_stimuli} stimuli, as {KINDS[files.kind]} have"
        raise misfit(f"{files.name}.stimuli", must, f"{len(names)} names", "give each its name")


def _read(path: Path, variable: str, guide: Guide) -> Named:
    """The array of one file with whatever names it has."""
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise misfit("data", f"end in one of {', '.join(READERS)}", path, "convert it")
    return reader(path, variable or KINDS[guide.kind], guide)


def _stacked(files: RecordingFiles, tables: list[Named]) -> Named:
    """One RDM a file, one file a subject; all must name their stimuli in one order."""
    if files.kind != "rdm":
        raise misfit(f"{files.name}.data", "be one file of responses", len(tables), "join them")
    n_stimuli = len(tables[0].stimuli or tables[0].array)
    read = [rdms_of(f"{p.name}.rdms", t.array, n_stimuli) for p, t in zip(files.data, tables, strict=True)]
    rdms = [each for each, _ in read]
    for path, rdm, table in zip(files.data, rdms, tables, strict=True):
        if len(rdm) != 1 or rdm.shape != rdms[0].shape:
            must = f"hold one RDM of shape {rdms[0].shape[1:]}, as the first file"
            raise misfit(path, must, rdm.shape, "mend it")
        if table.stimuli != tables[0].stimuli:
            differs = first_difference(tables[0].stimuli or (), table.stimuli or ())
            got = f"{differs[1]!r} where it has {differs[0]!r}" if differs else "other names"
            must = f"name the stimuli in the order of {files.data[0].name}"
            raise misfit(path, must, got, "reorder its rows and columns")
    notes = tuple(note for table, (_, guessed) in zip(tables, read, strict=True) for note in (*table.notes, *guessed))
    return Named(np.concatenate(rdms), tables[0].stimuli, tuple(as_name(path.stem) for path in files.data), notes)


def _kind_of(path: Path, variable: str | None) -> str:
    """What a data file holds, where its arrays say it by their names."""
    names = READERS[path.suffix.lower()].arrays(path) if not variable else ()
    for kind, array in KINDS.items():
        if array in names:
            return kind
    raise misfit("--kind", "be given, rdm or responses", f"a file that does not say it, {path}", "add it")

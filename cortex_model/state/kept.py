"""Where a hierarchy was when it was kept: what a run, or a `Cortex`, goes on from.

Kept is a NetCDF file: a variable for each array of weights, and the attribute ``ended``, JSON of what else goes on.
"""

import hashlib
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from cortex_model.errors import RunError, in_short
from cortex_model.language.options import RELATIVE_RATE
from cortex_model.system.arrays import read_arrays
from cortex_model.system.sources import path_and_hash
from cortex_model.system.storage import ANEW, read_json

#: The files of a run directory that hold the final weights, the SHA-256 of all that the run ended with, and, when it
#: has finished, its summary.
WEIGHTS, PROVENANCE, SUMMARY = "weights.nc", "provenance.json", "summary.json"
#: Digits of the hash in a name.
N_DIGITS = 12
#: What is counted: presentations, by which noise is numbered; epochs, by which orders of stimuli are; wake and sleep.
COUNTS = ("n_presented", "n_epochs", "wake", "sleep")


@dataclass(frozen=True)
class Kept:
    """Where a hierarchy was.

    Attributes
    ----------
    arrays : dict of str to ndarray
        Weights by name (`cortex_model.weights.Weights.named`).
    counts : dict of str to int
        How much it had done, by `COUNTS`; zeros in files of version 0.1.0.
    remembered : dict of str to float
        What the rule remembers besides weights.
    """

    arrays: dict[str, np.ndarray]
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTS, 0))
    remembered: dict[str, float] = field(default_factory=dict)

    @property
    def content_hash(self) -> str:
        """Twelve digits of the SHA-256 of all of it."""
        digest = hashlib.sha256(json.dumps([self.counts, self.remembered], sort_keys=True).encode())
        for name, array in self.arrays.items():
            digest.update(f"{name} {array.shape} {array.dtype}".encode() + np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()[:N_DIGITS]


def attribute(counts: dict[str, int], remembered: dict[str, float]) -> str:
    """The attribute ``ended`` of a file; factors on learning rates are parameters of whatever goes on."""
    its_own = {name: value for name, value in remembered.items() if not name.startswith(RELATIVE_RATE)}
    return json.dumps(counts | {"remembered": its_own})


def file_hashes(path: Path) -> dict[str, str]:
    """File -> its SHA-256, of all that a finished run ended with.

    Raises
    ------
    RunError
        If its provenance does not say so.
    """
    files = read_json(path / PROVENANCE).get("files")
    if not isinstance(files, dict) or not all(isinstance(sha256, str) for sha256 in files.values()):
        raise RunError(f"{path / PROVENANCE}: must hold the SHA-256 of every file of a finished run (got none); {ANEW}")
    return files


def read_result(path: Path, name: str):
    """Arrays that a finished run ended with, as they were written: an xarray.Dataset.

    Raises
    ------
    RunError
        If the run has no such file, or it is missing, damaged or another one.
    """
    hashes = file_hashes(path)
    if name not in hashes:
        raise RunError(f"{path}: must be a run that keeps {name} (got none); give another run.")
    return read_arrays(path / name, hashes[name])


def read_kept(path: Path) -> Kept:
    """What a run directory, or a file of `Cortex.save`, keeps.

    Raises
    ------
    RunError
        If it is neither, has not finished, or is damaged.
    """
    file = path / WEIGHTS if path.is_dir() else path
    if not file.is_file() or (path.is_dir() and not (path / SUMMARY).exists()):
        got = "one without final weights" if path.is_dir() else "nothing there"
        raise RunError(
            f"{path}: must be the directory of a finished run, or a file that Cortex.save wrote (got {got}); finish "
            "the run, or correct the path."
        )
    dataset = read_result(path, WEIGHTS) if path.is_dir() else read_arrays(file)
    try:
        ended = json.loads(dataset.attrs.get("ended", "{}"))
        counts = {name: int(ended.get(name, 0)) for name in COUNTS}
        remembered = {str(name): float(value) for name, value in ended.get("remembered", {}).items()}
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise RunError(f"{file}: must say where it ended (got: {error}); {ANEW}") from None
    arrays = {str(name): array.values for name, array in dataset.items()}
    for name, array in arrays.items():
        if not re.fullmatch(r"[A-Za-z]\w*_\d{1,4}", name) or array.dtype.kind != "f":
            raise RunError(
                f"{file}: must hold weights, such as W_1 and b_1, of real numbers (got {in_short(name)} of type "
                f"{array.dtype}); give another file."
            )
    return Kept(arrays, counts, remembered)


_KNOWN: dict[str, Kept] = {}


def named(start_from: Any) -> str:
    """The full name, ``path#hash``.

    What has a hash already must still be that, if it is still there: a finished run can be read without it.

    Raises
    ------
    RunError
        If nothing is kept there, or something else than its name says.
    """
    text = str(start_from)
    path, digest = path_and_hash(text)
    if text in _KNOWN or (digest and not Path(path).exists()):
        return text
    kept = read_kept(Path(path).expanduser())
    if digest and kept.content_hash != digest:
        raise RunError(
            f"{path}: must hold what it held, of the hash {digest} (got {kept.content_hash}); put it back, or give its "
            "name without the hash."
        )
    full = f"{Path(path).expanduser().resolve()}#{kept.content_hash}"
    _KNOWN[full] = kept
    return full


def kept_in(start_from: str) -> Kept:
    """What is kept under a name, and nothing under no name; see `named` for the errors."""
    if not start_from:
        return Kept({})
    name = named(start_from)
    return _KNOWN[name] if name in _KNOWN else read_kept(Path(path_and_hash(name)[0]))  # the latter says what lacks

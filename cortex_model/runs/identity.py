"""What a run directory is: what its files say, and that they say the same as its name."""

import re
from pathlib import Path
from typing import Any

from cortex_model.errors import RunError, in_short
from cortex_model.state.kept import PROVENANCE, SUMMARY, file_hashes
from cortex_model.system.sources import path_and_hash, sha256_of_file
from cortex_model.system.storage import ANEW, check_regular, files_in, read_json, sha256_of

PARAMETERS = "parameters.json"
#: Protocol, hash of parameters and of a user's own files, seed and device.
NAME = re.compile(r"(.+)-([0-9a-f]{12})-seed(\d+)-(\w+)", re.ASCII)

#: What to do where ``resume --again`` could not know what to make.
REMEDY = "put it back, or give the command that began the run again, with --again."


def described(path: Path) -> dict[str, Any]:
    """What ``parameters.json`` of a run directory says.

    Raises
    ------
    RunError
        If it is damaged, does not agree with itself, or the folder bears the name of another run. A folder that was
        renamed to what is no run's name claims nothing.
    """
    file = path / PARAMETERS
    given = read_json(file, REMEDY, name=str, protocol=str, protocol_file=str, device=str, seed=int, parameters=dict)
    parts, here = NAME.fullmatch(given["name"]), path.resolve().name
    if parts and (parts[1], parts[3], parts[4]) != (given["protocol"], str(given["seed"]), given["device"]):
        raise RunError(
            f"{file}: name must be of its protocol, seed and device (got {in_short(given['name'])} beside "
            f"{given['protocol']}, {given['seed']} and {given['device']}); {ANEW}"
        )
    if NAME.fullmatch(here) and given["name"] not in here:
        raise RunError(
            f"{file}: must belong to the run that its folder is named after (got {given['name']}); put back what was "
            "here, or rename the folder."
        )
    return given


def check_same(path: Path, found: dict[str, Any], asked: dict[str, Any]) -> None:
    """Refuse a directory that holds another run than the one that is asked for by its name."""
    pairs = [(name, found.get(name), asked[name]) for name in ("protocol", "seed", "device") if name in asked]
    of, wanted = found["parameters"], asked.get("parameters", {})
    pairs += [(name, of[name], wanted[name]) for name in sorted(of.keys() & wanted.keys())]
    for name, its, other in pairs:
        if _without_path(its) != _without_path(other):
            raise RunError(
                f"{path / PARAMETERS}: {name} must be {in_short(other)}, as the name of the folder says (got "
                f"{in_short(its)}, of another run); move the folder away, or make the run anew with --again."
            )


def _without_path(value):
    """A value in which what a run starts from, a file or a folder, is named by its content alone."""
    return (path_and_hash(value)[1] if isinstance(value, str) else "") or value


def hashes(path: Path, summary: dict[str, Any]) -> dict[str, str]:
    """File -> its SHA-256, of everything that a run ends with; of JSON that of its content."""
    found = {PARAMETERS: sha256_of(read_json(path / PARAMETERS)), SUMMARY: sha256_of(summary)}
    for file in files_in(path, "*.nc"):
        check_regular(file, may_be_link=True)
        found[file.name] = sha256_of_file(file)
    return found


def check_whole(path: Path, by_content: bool = False) -> None:
    """Refuse the directory of a finished run in which a file is missing, or is another run's.

    Parameters
    ----------
    path : Path
    by_content : bool
        Whether to read all of every file; those of arrays are in any case checked when they are read.

    Raises
    ------
    RunError
        With the name of the file.
    """
    for name, sha256 in file_hashes(path).items():
        file = path / name
        if name in (PARAMETERS, SUMMARY):
            is_same = sha256_of(read_json(file)) == sha256
        else:
            is_same = file.is_file() and (not by_content or sha256_of_file(file) == sha256)
        if not is_same:
            got = "another" if file.is_file() else "none"
            raise RunError(f"{file}: must be what the run ended with, as {PROVENANCE} says (got {got}); {ANEW}")

"""Protocols: an experiment as a question, its parameters and a procedure."""

import difflib
import os
import re
import stat
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from cortex_model.errors import ParameterError, RunError, in_short
from cortex_model.parameters import Parameters, content_hash
from cortex_model.rules import own
from cortex_model.runs.directory import PARAMETERS, PROTOCOL_FILES, RULE_FILES, RunDirectory
from cortex_model.system.sources import OwnCode, load_module, package_folder, path_and_hash
from cortex_model.system.storage import user_name


@dataclass(frozen=True)
class Protocol:
    """An experiment.

    Attributes
    ----------
    name : str
        As on the command line.
    question : str
        What it asks, in one sentence.
    parameters : type of Parameters
        Its parameters, with their defaults.
    run : callable
        `Run` -> summary: the procedure.
    tiny : dict
        Overrides with which it runs within seconds, for tests and first looks.
    code : OwnCode, optional
        The file that defines it and those it imports, where it is a user's; filled in by `load_protocol`.
    """

    name: str
    question: str
    parameters: type[Parameters]
    run: Callable[[Any], dict[str, Any]]
    tiny: dict[str, Any] = field(default_factory=dict)
    code: OwnCode | None = None

    def __post_init__(self):
        is_model = isinstance(self.parameters, type) and issubclass(self.parameters, Parameters)
        for where, is_right, must, got in (
            ("name", isinstance(self.name, str) and re.fullmatch(r"\w[\w.-]{0,99}", self.name),
             "at most 100 letters, digits, _, - and ., because folders are named by it", self.name),
            ("parameters", is_model, "a class of cortex_model.parameters.Parameters", self.parameters),
            ("run", callable(self.run), "a function of a Run", self.run),
        ):  # fmt: skip
            if not is_right:
                raise ParameterError(f"Protocol.{where}: must be {must} (got {in_short(got)}); correct it.")

    def run_name(self, parameters: Parameters, seed: int, device: str) -> str:
        """Name of a run directory: protocol, hash of the parameters and of a user's own files, seed and device."""
        its = parameters.content_hash
        if self.code is not None:
            its = content_hash(its, self.code.sha256s())
        return f"{self.name}-{its}-seed{seed}-{device}"


def protocol_folder() -> Path:
    """Folder of the protocols that come with the package."""
    return package_folder("protocols")


def protocol_names() -> list[str]:
    """Names of the protocols that come with the package."""
    return sorted(path.stem for path in protocol_folder().glob("[a-z]*.py"))


def load_protocol(name_or_file: str) -> Protocol:
    """The protocol of that name, or the one that a file defines as ``PROTOCOL``.

    Raises
    ------
    ParameterError
        If there is no such protocol, or the file defines none.
    """
    name_or_file = str(name_or_file)
    path = Path(name_or_file)
    if path.suffix != ".py":
        path = protocol_folder() / f"{name_or_file}.py"
    if not path.is_file():
        nearest = difflib.get_close_matches(name_or_file, protocol_names(), n=1, cutoff=0.3)
        hint = f"did you mean {nearest[0]}?" if nearest else f"known are {', '.join(protocol_names())}."
        raise ParameterError(f"PROTOCOL: must be a protocol's name or file (got {in_short(name_or_file)}); {hint}")
    if path.resolve().parent == protocol_folder().resolve():
        return _shipped(path, path.read_bytes())
    return _own_protocol(OwnCode.read(path))


def protocol_of(directory: RunDirectory, run_code: bool = False) -> Protocol:
    """The protocol of a run; a user's own is the one with which the run began, whatever has become of its file.

    Parameters
    ----------
    directory : RunDirectory
    run_code : bool
        Whether to run files of a user's own also where another user owns the directory.

    Raises
    ------
    RunError
        If the run directory does not hold it, or files that may not be run.
    """
    given = directory.description()
    kept = given.get("protocol_files")
    if not kept:
        if str(given["protocol_file"]).endswith(".py"):
            raise RunError(
                f"{directory.path}: must hold the file of its protocol (got none, from a version that kept none); "
                f"run {given['protocol_file']} again."
            )
        if given["protocol"] not in protocol_names():
            raise RunError(
                f"{directory.path}: must be of a protocol that comes with the package, or hold the file of its own "
                f"(got {in_short(given['protocol'])}); run it again."
            )
        return load_protocol(given["protocol"])
    return _own_protocol(_kept_code(directory.path / PROTOCOL_FILES, given["protocol_file"], kept, run_code))


def rule_code(parameters: Parameters) -> OwnCode | None:
    """The file that declares the learning rule, and those it imports, where it is a user's."""
    learning_rule = getattr(parameters, "learning_rule", "")
    return own.own_rule(learning_rule).code if own.is_own(learning_rule) else None


def parameters_of(directory: RunDirectory, run_code: bool = False) -> Parameters:
    """The parameters of a run; a user's own learning rule is the one with which the run began.

    Parameters
    ----------
    directory : RunDirectory
    run_code : bool
        See `protocol_of`.

    Raises
    ------
    RunError
        If the run directory does not hold the rule, or files that may not be run.
    """
    given = directory.description()
    rule = str(given["parameters"].get("learning_rule", ""))
    if kept := given.get("rule_files"):
        code = _kept_code(directory.path / RULE_FILES, path_and_hash(rule)[0], kept, run_code)
        if own.remember(code).name != rule:
            raise RunError(f"{directory.path}: must hold the rule {in_short(rule)} (got another); put it back.")
    elif own.is_own(rule):
        raise RunError(f"{directory.path}: must hold the file of its rule {in_short(rule)} (got none); run it again.")
    return protocol_of(directory, run_code).parameters().with_overrides(given["parameters"])


def _kept_code(folder, origin, kept, run_code):
    """A user's own files in a run directory, if they are those with which the run began, and its user's."""
    origin = Path(origin)
    if not run_code:
        for path in (folder.parent.resolve(), folder.parent / PARAMETERS, folder, folder / origin.name):
            _check_yours(path)
    code = OwnCode.read(folder / origin.name, origin)
    for name in () if run_code else code.files:
        _check_yours(folder / name)
    _check_kept(code, kept, folder, origin)
    return code


def _check_yours(path):
    """Refuse what another user owns, what everybody can write, and links to what may be elsewhere.

    The members of a group are not suspected: on many machines every file of a user is writable for his own group.
    """
    if not os.path.lexists(path):
        return  # reading it says so
    state = path.lstat()
    got = "" if state.st_uid == os.geteuid() else f"what belongs to {user_name(state.st_uid)}"
    got = "what everybody can write" if not got and state.st_mode & stat.S_IWOTH else got
    got = "a link" if stat.S_ISLNK(state.st_mode) else got
    if got:
        raise RunError(
            f"{path}: must belong to you alone, because Python files of this run would be run (got {got}); read them, "
            "then say --run-code (in Python: run_code=True)."
        )


def _check_kept(code, kept, folder, origin):
    """Refuse files that are not those with which a run began."""
    if code.sha256s() != kept:
        changed = next(n for n in sorted(kept.keys() | code.files) if code.sha256s().get(n) != kept.get(n))
        raise RunError(
            f"{folder / changed}: must be what the run began with (got another content); put it back, or run {origin} "
            "anew."
        )


def _own_protocol(code: OwnCode) -> Protocol:
    return replace(_defined(code.load(), code.origin), code=code)


@lru_cache(maxsize=32)
def _shipped(path: Path, content: bytes) -> Protocol:
    """Made once: the models of its parameters take longer than all the rest of a small question."""
    return _defined(load_module(path, content=content), path)


def _defined(module: Any, path: Path) -> Protocol:
    if not isinstance(getattr(module, "PROTOCOL", None), Protocol):
        raise ParameterError(
            f"{path}: must define PROTOCOL, a cortex_model.protocol.Protocol (got none); see protocols/README.md."
        )
    return module.PROTOCOL

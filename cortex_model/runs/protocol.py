"""Protocols: an experiment as a question, its parameters and a procedure."""

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from cortex_model.errors import ParameterError, RunError, in_short
from cortex_model.parameters import Parameters, content_hash
from cortex_model.rules import own
from cortex_model.runs.directory import PROTOCOL_FILES, RULE_FILES, RunDirectory
from cortex_model.system.sources import OwnCode, load_module, package_folder


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


def protocol_of(directory: RunDirectory) -> Protocol:
    """The protocol of a run; a user's own is the one with which the run began, whatever has become of its file.

    Raises
    ------
    RunError
        If the run directory does not hold it.
    """
    given = directory.description()
    kept = given.get("protocol_files")
    if not kept:
        if str(given["protocol_file"]).endswith(".py"):
            raise RunError(
                f"{directory.path}: must hold the file of its protocol (got none, from a version that kept none); "
                f"run {given['protocol_file']} again."
            )
        return load_protocol(given["protocol"])
    origin = Path(given["protocol_file"])
    code = OwnCode.read(directory.path / PROTOCOL_FILES / origin.name, origin)
    _check_kept(code, kept, directory.path / PROTOCOL_FILES, origin)
    return _own_protocol(code)


def rule_code(parameters: Parameters) -> OwnCode | None:
    """The file that declares the learning rule, and those it imports, where it is a user's."""
    learning_rule = getattr(parameters, "learning_rule", "")
    return own.own_rule(learning_rule).code if own.is_own(learning_rule) else None


def parameters_of(directory: RunDirectory) -> Parameters:
    """The parameters of a run; a user's own learning rule is the one with which the run began.

    Raises
    ------
    RunError
        If the run directory does not hold the rule.
    """
    given = directory.description()
    if kept := given.get("rule_files"):
        origin = Path(str(given["parameters"]["learning_rule"]).partition("#")[0])
        code = OwnCode.read(directory.path / RULE_FILES / origin.name, origin)
        _check_kept(code, kept, directory.path / RULE_FILES, origin)
        own.remember(code)
    return protocol_of(directory).parameters().with_overrides(given["parameters"])


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

"""A learning rule of one's own: a Python file that defines ``RULE``, and may define ``NONLINEARITY`` and ``ORACLE``.

A file is named ``path#hash``: the hash is of its content and of what it imports from its folder. So what decides a
result is in the value of the parameter ``learning_rule``, and a changed file is another rule.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cortex_model.errors import ParameterError, RuleError, in_short
from cortex_model.language import nonlinearities
from cortex_model.language.nonlinearities import Nonlinearity
from cortex_model.language.rule import Rule
from cortex_model.language.soundness import checked
from cortex_model.language.statements import FUNCTIONS, expression, functions, names
from cortex_model.system.cache import cache_folder
from cortex_model.system.sources import OwnCode, path_and_hash, sha256
from cortex_model.system.storage import write_whole
from cortex_model.theory import rate_network

#: Digits of the hash in a name.
N_DIGITS = 12


@dataclass(frozen=True)
class OwnRule:
    """What a file declares.

    Attributes
    ----------
    name : str
        ``path#hash``.
    rule : Rule
    nonlinearity : str
        Name of the row that the file defines as ``NONLINEARITY = (rate, slope)``; empty where it defines none.
    oracle : callable or None
        ``ORACLE``: the same rule once more in NumPy, written without looking at the declaration
        (`cortex_model.experiments.checking`).
    code : OwnCode
    """

    name: str
    rule: Rule
    nonlinearity: str
    oracle: Callable[..., Any] | None
    code: OwnCode


_KNOWN: dict[str, OwnRule] = {}


def is_own(learning_rule: Any) -> bool:
    """Whether a value of ``learning_rule`` names a file, or is a rule itself."""
    return isinstance(learning_rule, Rule) or path_and_hash(learning_rule)[0].endswith(".py")


def short(learning_rule: str) -> str:
    """The value without its folder: what decides a result."""
    return learning_rule.replace("\\", "/").rsplit("/", 1)[-1] if is_own(learning_rule) else learning_rule


def named(learning_rule: str | Path | Rule) -> str:
    """The full name of a file: ``my_rule.py`` is read, and what has a hash already must be known, or still be that.

    A `Rule` that was made in Python is written into a file of the cache folder, from which other processes can read it.

    Raises
    ------
    RuleError
        If the file is not there, is not Python that runs, declares no rule, or one that does not hold together; or if
        it is another one than its name says.
    """
    if isinstance(learning_rule, Rule):
        learning_rule = str(written(learning_rule))
    learning_rule = str(learning_rule)
    path, digest = path_and_hash(learning_rule)
    if learning_rule in _KNOWN:
        return learning_rule
    if not Path(path).is_file():
        raise RuleError(f"learning_rule: must be a file that is there (got {path!r}); check its name.")
    code = OwnCode.read(Path(path))
    if digest and digest != (got := _digest(code)):
        raise RuleError(
            f"learning_rule: {path} must be what it was, of the hash {digest} (got {got}); put it back, or give its "
            "name without the hash."
        )
    return remember(code).name


def is_there(learning_rule: str) -> bool:
    """Whether a rule is known by its full name, or the file of that name is still what it was."""
    try:
        return named(learning_rule) == learning_rule
    except RuleError:
        return False


def remember(code: OwnCode) -> OwnRule:
    """What a file declares, known by its name from now on."""
    name = f"{code.origin}#{_digest(code)}"
    if name not in _KNOWN:
        _KNOWN[name] = _declared(code, name)
    return _KNOWN[name]


def _digest(code):
    """What a name ends with: digits of the SHA-256 of all its files."""
    return sha256("\n".join(f"{name} {its}" for name, its in code.sha256s().items()).encode())[:N_DIGITS]


def written(rule: Rule) -> Path:
    """The file of the cache folder that declares a rule which was made in Python."""
    text = f'"""A rule that was made in Python."""\n\nfrom cortex_model.language import *\n\nRULE = {rule!r}\n'
    name = re.sub(r"\W", "_", rule.name)
    file = cache_folder("rules", sha256(text.encode())[:N_DIGITS]) / f"{name}.py"
    if not file.exists():
        write_whole(file, lambda part: part.write_text(text))
    return file


def own_rule(learning_rule: str) -> OwnRule:
    """What the file of that name declares; see `named` for the errors."""
    return _KNOWN[named(learning_rule)]


def _declared(code, name):
    file = code.origin
    try:
        module = code.load()
    except ParameterError as error:
        raise RuleError(str(error)) from None
    rule = getattr(module, "RULE", None)
    if not isinstance(rule, Rule):
        raise RuleError(
            f"{file}: must define RULE, a cortex_model.language.Rule (got {_said(rule)}); write RULE = Rule(...)."
        )
    oracle = getattr(module, "ORACLE", None)
    if oracle is not None and not callable(oracle):
        raise RuleError(
            f"{file}: ORACLE must be a function (got {_said(oracle)}); define it with def, or leave it out."
        )
    row = getattr(module, "NONLINEARITY", None)
    nonlinearity = "" if row is None else _remembered_row(checked_row(row, f"{file}: NONLINEARITY"), file.stem)
    return OwnRule(name, checked(rule), nonlinearity, oracle, code)


def _remembered_row(row, stem):
    """The name of a row that is known to declarations, and to theory, from now on."""
    name = f"{stem}_{sha256(repr(tuple(row)).encode())[:N_DIGITS]}"
    nonlinearities.NONLINEARITIES[name] = row
    known = {each: getattr(np, each) for each in FUNCTIONS if each != "int"}
    known["int"] = lambda x: np.asarray(x).astype(int)

    def rate(drive):
        return eval(row.rate, {"__builtins__": {}, **known, "drive": drive}) + 0.0 * drive

    def slope(drive):
        return eval(row.slope, {"__builtins__": {}, **known, "drive": drive, "rate": rate(drive)}) + 0.0 * drive

    rate_network.NONLINEARITIES[name] = rate_network.Nonlinearity(rate, slope, None)
    return name


def checked_row(row: Any, where: str) -> Nonlinearity:
    """A nonlinearity of one's own, if it is a rate and a slope that every device can compute.

    Raises
    ------
    RuleError
        If it is not.
    """
    is_pair = isinstance(row, tuple | list) and len(row) == 2 and all(isinstance(text, str) for text in row)
    if not is_pair:
        raise RuleError(
            f"{where} must be two strings, a rate of drive and a slope of drive and rate (got {_said(row)}); write "
            "for example ('tanh(drive)', '1 - rate*rate')."
        )
    own = Nonlinearity(*row)
    for text, known in ((own.rate, {"drive"}), (own.slope, {"drive", "rate"})):
        tree = expression(text)
        if unknown := (names(tree) - known) | (functions(tree) - set(FUNCTIONS)):
            raise RuleError(
                f"{where} must be of {' and '.join(sorted(known))} and of functions that every device has (got "
                f"{sorted(unknown)[0]!r} in {text!r}); known functions are {', '.join(FUNCTIONS)}."
            )
    return own


def _said(value):
    return "none" if value is None else in_short(value)

"""A learning rule of one's own: a Python file that defines ``RULE``, and may define ``NONLINEARITY`` and ``ORACLE``."""

import hashlib
import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from cortex_model.errors import RuleError
from cortex_model.language.nonlinearities import Nonlinearity
from cortex_model.language.rule import Rule
from cortex_model.language.soundness import checked
from cortex_model.language.statements import FUNCTIONS, expression, functions, names


class Loaded(NamedTuple):
    """What a file declares.

    Attributes
    ----------
    rule : Rule
    nonlinearity : Nonlinearity or None
        ``NONLINEARITY = (rate, slope)``: a row of one's own.
    oracle : callable or None
        ``ORACLE``: the same rule once more in NumPy, written without looking at the declaration.
    source : str
        The text of the file.
    """

    rule: Rule
    nonlinearity: Nonlinearity | None
    oracle: Callable[..., Any] | None
    source: str

    @property
    def sha256(self) -> str:
        """SHA-256 of the source."""
        return hashlib.sha256(self.source.encode()).hexdigest()


def load_rule(path: str | Path, layer_sizes: tuple[int, ...] = (7, 5, 6, 4)) -> Loaded:
    """The rule that a file declares, if it is sound.

    Parameters
    ----------
    path : str or Path
    layer_sizes : sequence of int
        The hierarchy in which it is to be.

    Raises
    ------
    RuleError
        If the file is not there, is not Python that runs, declares no rule, or one that does not hold together.
    """
    path = Path(path)
    if not path.is_file():
        raise RuleError(f"learning_rule: must be a file that is there (got {str(path)!r}); check its name.")
    source = path.read_text(encoding="utf-8")
    module = _module(path, source)
    rule = getattr(module, "RULE", None)
    if not isinstance(rule, Rule):
        raise RuleError(
            f"{path}: must define RULE, a cortex_model.language.Rule (got {_said(rule)}); write RULE = Rule(...)."
        )
    oracle = getattr(module, "ORACLE", None)
    if oracle is not None and not callable(oracle):
        raise RuleError(
            f"{path}: ORACLE must be a function (got {_said(oracle)}); define it with def, or leave it out."
        )
    row = getattr(module, "NONLINEARITY", None)
    nonlinearity = None if row is None else checked_row(row, f"{path}: NONLINEARITY")
    return Loaded(checked(rule, layer_sizes), nonlinearity, oracle, source)


def _module(path: Path, source: str) -> ModuleType:
    """The file as a module; where it goes wrong, the line that does."""
    spec = importlib.util.spec_from_loader(f"learning_rule_{path.stem}", loader=None, origin=str(path))
    module = importlib.util.module_from_spec(spec)
    module.__file__ = str(path)
    try:
        exec(compile(source, str(path), "exec"), module.__dict__)
    except Exception as error:
        raise RuleError(
            f"{path}: must be Python that runs (got {type(error).__name__}{_line(error, path)}: {error}); mend it."
        ) from None
    return module


def _line(error, path):
    """The line of the file in which an error came up."""
    at = error.lineno if isinstance(error, SyntaxError) else None
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            at = trace.tb_lineno
        trace = trace.tb_next
    return f" in line {at}" if at else ""


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
    return "none" if value is None else repr(value)[:80]

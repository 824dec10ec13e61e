"""The exceptions a user may catch.

Every message is one clear sentence: where, what must hold, what was got, what to do.
"""

import reprlib
import unicodedata

#: Categories of characters: controls, halves of surrogates, ends of lines and of paragraphs, turns of direction.
SHAPELESS = ("Cc", "Cs", "Zl", "Zp", "Cf")


class _Short(reprlib.Repr):
    """A repr that stays short: of an array its shape and type, of a long text or list its ends."""

    def __init__(self):
        super().__init__(
            maxlevel=3, maxtuple=12, maxlist=12, maxset=6, maxdict=4, maxlong=30, maxstring=80, maxother=80
        )

    def repr1(self, x, level):
        """See `reprlib.Repr`; NumPy's numbers are shown as Python's, and what cannot be shown by its type."""
        try:
            shape, dtype = getattr(x, "shape", None), getattr(x, "dtype", None)
            if dtype is not None and isinstance(shape, tuple):
                return f"an array of shape {shape} and type {dtype}" if shape else repr(x.item())
            return super().repr1(x, level)
        except Exception:
            return f"a {type(x).__name__}"


def in_short(value: object) -> str:
    """A value as a sentence shows it after "got": never an array whole, never more than a line."""
    text = _Short().repr(value)
    return text if len(text) <= 240 else f"{text[:120]} ... {text[-120:]}"


def literal(text: object, kept: str = "") -> str:
    """A text whose characters without a shape stand as Python escapes them: they would move a cursor, or colour it.

    Parameters
    ----------
    text : object
    kept : str
        Controls that stay what they are.
    """
    return "".join(
        each if each.isprintable() or each in kept or unicodedata.category(each) not in SHAPELESS else repr(each)[1:-1]
        for each in str(text)
    )


class CortexModelError(Exception):
    """Any mistake or failure that cortex-model explains in a sentence."""


class ParameterError(CortexModelError, ValueError):
    """A parameter, an override or a matrix that does not fit."""


class RuleError(ParameterError):
    """A learning rule whose declaration does not hold together, or a number that it does not have."""


class ConditionError(CortexModelError, ValueError):
    """A condition of a theorem that does not hold for the given matrices."""


class DatasetError(CortexModelError):
    """A dataset that is missing, cannot be fetched, or is not what its checksum says."""


class DeviceError(CortexModelError):
    """A device that is not there, or something that it cannot run."""


class RunError(CortexModelError):
    """A run directory that is missing, incomplete, or belongs to another run."""


class DivergenceError(CortexModelError):
    """Weights that are no longer finite numbers."""


class CortexModelWarning(UserWarning):
    """Something that stops nothing, but that decides what a result is worth."""

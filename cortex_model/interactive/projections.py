"""The weights of one kind of projection, level by level, to be read and written between two calls."""

from collections.abc import Iterator, MutableMapping
from typing import Any

import numpy as np

from cortex_model.errors import ParameterError

#: Name -> the part of `Weights` that holds them.
KINDS = {"W": "forward", "V": "feedback", "b": "biases"}


class Projections(MutableMapping):
    """W, V or b of a hierarchy: level -> matrix, shape (n_post, n_pre), or vector.

    What is written into a matrix, or assigned in its place, is what the next call begins with.

    Parameters
    ----------
    name : str
        ``"W"``, ``"V"`` or ``"b"``.
    cortex : Cortex
        Whose they are.
    """

    def __init__(self, name: str, cortex: Any):
        self._name, self._cortex = name, cortex

    def _arrays(self):
        return getattr(self._cortex._weights, KINDS[self._name])

    def __getitem__(self, level: int) -> np.ndarray:
        arrays = self._arrays()
        if level not in arrays:
            there = f"1 of {', '.join(map(str, sorted(arrays)))}" if arrays else "left out, for the rule has none"
            raise ParameterError(f"Cortex.{self._name}: level must be {there} (got {level!r}).")
        return arrays[level]

    def __setitem__(self, level: int, matrix: Any) -> None:
        now = self[level]
        try:
            given = np.asarray(matrix, float)
        except (TypeError, ValueError):
            given = np.full(0, np.nan)
        if given.shape != now.shape or not np.isfinite(given).all():
            got = f"shape {given.shape}" if given.shape != now.shape else "NaN or infinity"
            raise ParameterError(
                f"Cortex.{self._name}[{level}]: must be finite numbers of shape {now.shape}, "
                f"{'one a neuron' if now.ndim == 1 else '(postsynaptic, presynaptic)'} (got {got})."
            )
        now[...] = given

    def __delitem__(self, level: int) -> None:
        raise ParameterError(
            f"Cortex.{self._name}[{level}]: must stay (got del); write Cortex.{self._name}[{level}][:] = 0 to silence "
            "a projection."
        )

    def __iter__(self) -> Iterator[int]:
        return iter(sorted(self._arrays()))

    def __len__(self) -> int:
        return len(self._arrays())

    def __repr__(self) -> str:
        shapes = (f"{level}: {self[level].shape}" for level in self)
        return f"{self._name} {{{', '.join(shapes)}}}"

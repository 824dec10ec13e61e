"""Sequences of states of entorhinal cortex: laps on a ring of place fields, random patterns, or a file of one's own.

A file holds an array ``sequences`` of shape (n_sequences, length, n_neurons), or ``stimuli`` (or ``X``) of shape
(length, n_neurons), one state a row (.npz, .npy, .mat, .nc); or is a table of such rows with a name for each column
(.csv, .tsv). It is named ``path#hash``, as data of one's own are (`cortex_model.datasets.own_data`).
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from pydantic_core import PydanticCustomError

from cortex_model.datasets.array_files import READERS
from cortex_model.datasets.own_data import ARRAYS, STIMULI, TABLES, is_own, named
from cortex_model.datasets.tables import frame_of
from cortex_model.datasets.user_files import misfit
from cortex_model.errors import DatasetError
from cortex_model.system.sources import path_and_hash

#: Sequences that are drawn.
KINDS = ("ring", "patterns")
#: Largest rate of a place field before tanh; rate of a neuron in a random pattern.
PEAK, PATTERN_RATE = 2.0, 0.8


class Sequences(NamedTuple):
    """States in their order.

    Attributes
    ----------
    states : ndarray, shape (n_sequences, length, n_neurons)
    is_closed : bool
        Whether the first state follows the last one.
    """

    states: np.ndarray
    is_closed: bool

    @property
    def pairs(self) -> tuple[np.ndarray, np.ndarray]:
        """Each state and the one that follows it, sequence by sequence; shapes (n_pairs, n_neurons)."""
        followed = self.states if self.is_closed else self.states[:, :-1]
        after = np.roll(self.states, -1, axis=1) if self.is_closed else self.states[:, 1:]
        return tuple(rows.reshape(-1, rows.shape[2]) for rows in (followed, after))

    def following(self, n_steps: int) -> np.ndarray:
        """Places 1, 2 ... ``n_steps`` steps after the first state; round and round where the sequence is closed."""
        return np.arange(1, n_steps + 1) % self.states.shape[1]

    def with_noise(self, deviation: float, rng: np.random.Generator) -> "Sequences":
        """The same sequences, with Gaussian noise in every rate."""
        return self._replace(states=self.states + deviation * rng.normal(size=self.states.shape))


def ring(n_neurons: int, length: int, width: float, rng: np.random.Generator) -> np.ndarray:
    """One lap on a ring, a place a step; shape (length, n_neurons).

        h_i(t) = tanh(2 exp(-d_i(t)^2 / (2 width^2)))

    where d_i(t) is the distance on the ring, of circumference 1, between place t and the centre of the field of neuron
    i; centres lie evenly, in random order.
    """
    centres, places = rng.permutation(n_neurons) / n_neurons, np.arange(length) / length
    distance = np.abs(places[:, None] - centres)
    distance = np.minimum(distance, 1 - distance)
    return np.tanh(PEAK * np.exp(-(distance**2) / (2 * width**2)))


def patterns(n_neurons: int, length: int, rng: np.random.Generator) -> np.ndarray:
    """Random patterns, each rate 0.8 or -0.8; shape (length, n_neurons)."""
    return PATTERN_RATE * np.sign(rng.normal(size=(length, n_neurons)))


def drawn(kind: str, n_sequences: int, length: int, n_neurons: int, seed: int, width: float, overlap: float):
    """Sequences of a kind, ``ring`` or ``patterns``.

    Parameters
    ----------
    overlap : float
        The part of each sequence, in its middle, in which all go through the states of the first one.
    """
    rng = np.random.default_rng(seed)
    states = [
        ring(n_neurons, length, width, rng) if kind == "ring" else patterns(n_neurons, length, rng)
        for _ in range(n_sequences)
    ]
    n_shared = round(overlap * length)
    first = (length - n_shared) // 2
    for each in states[1:]:
        each[first : first + n_shared] = states[0][first : first + n_shared]
    return Sequences(np.array(states), kind == "ring")


def known(name: str) -> str:
    """A kind of sequences, or the full name of a file; as pydantic asks for it, with its kinds of errors."""
    if name in KINDS:
        return name
    if not is_own(name):
        raise PydanticCustomError("choice", "no such sequences")
    try:
        return named(name)
    except DatasetError as error:
        raise ValueError(str(error).removeprefix("dataset").lstrip(": ")) from None


def load_sequences(name: str) -> Sequences:
    """Sequences of a file.

    Raises
    ------
    DatasetError
        If it holds none, or rates that tanh does not reach.
    """
    path = Path(path_and_hash(named(name))[0])
    where, kind = f"sequences {path}", path.suffix.lower()
    if kind in TABLES:
        found = frame_of(path).to_numpy()
    elif kind in (*ARRAYS, ".npy"):
        arrays = READERS[kind].arrays(path)
        known = [each for each in ("sequences", *STIMULI, *arrays) if each in arrays]
        if not known:
            raise misfit(where, "hold an array sequences", "none", "save it under that name")
        found = np.asarray(arrays[known[0]])
    else:
        raise misfit(where, f"be one of {', '.join((*ARRAYS, '.npy', *TABLES))}", path.name, "convert it")
    if found.dtype.kind not in "buif" or found.ndim not in (2, 3) or found.shape[-2] < 2:
        must, got = "be numbers, a state a row, of two states or more", f"{found.dtype}, shape {found.shape}"
        raise misfit(where, must, got, "mend it")
    states = found.astype(float).reshape(-1, *found.shape[-2:])
    if not (np.abs(states) < 1).all():
        got = f"up to {np.abs(states).max():g}"
        raise misfit(where, "hold rates between -1 and 1, which tanh can predict", got, "rescale them")
    return Sequences(states, False)

"""The arrays of a schedule, filled piece by piece: a long one takes hardly more memory while it is made than after."""

from collections.abc import Callable

import numpy as np

from cortex_model.errors import ParameterError
from cortex_model.schedule.presentations import EVALUATION, LARGEST, SLEEP, WAKE
from cortex_model.system.memory import must_fit


class Filling:
    """A schedule of known length, in the making.

    Parameters
    ----------
    n, size : int
        Presentations, and stimuli in each.

    Attributes
    ----------
    phase, stimulus, measured
        As in a `Schedule`; sleep where nothing else was put.
    """

    def __init__(self, n: int, size: int):
        self.phase, self.stimulus = np.full(n, SLEEP, np.int8), np.full((n, size), -1, np.int32)
        self.measured: list[int] = []
        self._at = 0

    def look(self, rows: np.ndarray) -> None:
        """An evaluation, after which something is measured."""
        self.show(EVALUATION, np.arange(len(rows)), rows, len(rows))
        self.measured.append(self._at)

    def sleep(self, n: int) -> None:
        """Nothing but sleep."""
        self._at += n

    def show(self, phase: int, places: np.ndarray, rows: np.ndarray, n: int) -> None:
        """Rows at places among the next ``n`` presentations; sleep at the others."""
        self.phase[self._at + places], self.stimulus[self._at + places] = phase, rows
        self._at += n

    def wake(self, rows: np.ndarray, n_slept: np.ndarray) -> None:
        """Wake, and after each presentation of it so many of sleep."""
        places = np.arange(len(rows)) + np.cumsum(n_slept) - n_slept
        self.show(WAKE, places, rows, len(rows) + int(n_slept.sum()))


class Order:
    """Rows of the stimuli that wake shows, epoch by epoch.

    Parameters
    ----------
    order_of_epoch : callable
        Epoch -> permutation of the stimuli.
    n_stimuli : int
    """

    def __init__(self, order_of_epoch: Callable[[int], np.ndarray], n_stimuli: int):
        self.order_of_epoch, self.n_stimuli = order_of_epoch, n_stimuli
        self._epoch, self._left = 0, np.zeros(0, np.int64)

    def next(self, n: int) -> np.ndarray:
        """The next ``n`` rows.

        Raises
        ------
        ParameterError
            If what an epoch shows is no permutation.
        """
        pieces = [self._left]
        while (n_there := sum(map(len, pieces))) < n:
            pieces.append(self._rows())
        rows = np.concatenate(pieces) if n_there else self._left
        self._left = rows[n:]
        return rows[:n]

    def _rows(self):
        rows = np.asarray(self.order_of_epoch(self._epoch))
        if rows.dtype.kind in "iu" and rows.size and (rows.min() < 0 or rows.max() >= 2**31):
            raise ParameterError(
                "wake_sleep_schedule.order_of_epoch: must return rows of the stimuli, from 0 on (got rows from "
                f"{rows.min()} to {rows.max()} for epoch {self._epoch}); return a permutation of them."
            )
        if rows.dtype.kind not in "iu" or rows.ndim != 1 or len(rows) != self.n_stimuli:
            raise ParameterError(
                f"wake_sleep_schedule.order_of_epoch: must return n_stimuli ({self.n_stimuli}) whole numbers, rows of "
                f"the stimuli (got {rows.dtype} of shape {rows.shape} for epoch {self._epoch}); return a permutation "
                "of them."
            )
        self._epoch += 1
        return rows


def check_length(parts: dict[str, float], size: int) -> None:
    """Refuse a schedule that cannot be numbered, or that no memory holds.

    Parameters
    ----------
    parts : dict of str to float
        What would make each part of the presentations fewer -> how many they are.
    size : int
        Stimuli in each.

    Raises
    ------
    ParameterError
        Before anything is made; what takes most is to be made less.
    """
    n, advice = float(sum(parts.values())), max(parts, key=parts.get)
    if not n * size <= LARGEST:
        raise ParameterError(
            f"Schedule: must hold at most {LARGEST} presentations, because noise is numbered in 32 bits "
            f"(got {n * size:.3g}); {advice}."
        )
    # a phase, rows, and numbers for a while
    must_fit(n * (1 + 4 * size + 4), "Schedule", f"{advice}, for {n:.3g} presentations are too many")

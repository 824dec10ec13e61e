"""Where one simulation of a run is, and what it has measured: all that is needed to go on to the same bits."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from cortex_model.errors import RunError, in_short
from cortex_model.system.arrays import read_npz, write_npz
from cortex_model.system.storage import ANEW
from cortex_model.weights import Weights

#: Measure of all spikes that have been sent while something could be learned.
SENT = "spikes_sent"


@dataclass
class Checkpoint:
    """Where a simulation is.

    Attributes
    ----------
    weights : Weights
    remembered : dict of str to float, optional
        What the rule remembers besides weights (`cortex_model.devices.networks.State`).
    n_done : int
        How many presentations of the schedule are done.
    seconds : float
        Duration of the simulation loop so far.
    rows : dict of str to list
        Measure -> its value at each look so far.
    answers : list of ndarray
        Rates of the top population since the last look.
    events : dict of ndarray
        ``spikes_in_wake``, and the like: how many there have been so far in each population.
    """

    weights: Weights
    remembered: dict[str, float] | None = None
    n_done: int = 0
    seconds: float = 0.0
    rows: dict[str, list] = field(default_factory=dict)
    answers: list[np.ndarray] = field(default_factory=list)
    events: dict[str, np.ndarray] = field(default_factory=dict)

    def count(self, events: dict[str, np.ndarray], n_populations: int) -> None:
        """Add the events of a chunk (`cortex_model.devices.networks.State`)."""
        for name, counts in events.items():
            kind, _, level = name.rpartition("_")
            self.events.setdefault(kind, np.zeros(n_populations, np.int64))[int(level)] += counts.sum()

    def events_so_far(self) -> dict[str, Any]:
        """Those of each population, and the sum of all in wake and sleep (`SENT`); empty where there are none."""
        learning = [counts.sum() for name, counts in self.events.items() if name.endswith(("_in_wake", "_in_sleep"))]
        own = {name: counts.copy() for name, counts in self.events.items()}
        return own | {SENT: int(sum(learning))} if own else {}

    def add_row(self, values: dict[str, Any], described: dict[str, tuple]) -> None:
        """Keep what was measured at a look.

        Raises
        ------
        RunError
            If it has other names than at the look before, or names without a unit.
        """
        if not isinstance(values, dict):
            raise RunError(
                f"Run.simulate: measure must return a dictionary, name -> number or vector (got {in_short(values)}); "
                "end it with `return {...}`."
            )
        if missing := sorted(set(values) - set(described)):
            raise RunError(
                f"Run.simulate: described must hold the unit of every measure (got none of {missing[0]!r}); "
                f"add {missing[0]!r}: ('1', None)."
            )
        if self.rows and set(values) != set(self.rows):
            other = sorted(set(values) ^ set(self.rows))[0]
            raise RunError(
                f"Run.simulate: measure must return the same names at every look (got {other!r} at some only); "
                "return NaN where there is nothing to measure."
            )
        for name, value in values.items():
            array, so_far = np.asarray(value), self.rows.setdefault(name, [])
            must = "a number" if described[name][1] is None else f"a vector over {described[name][1]}"
            is_fitting = array.dtype.kind in "biuf" and array.ndim == (described[name][1] is not None)
            if not is_fitting or (so_far and np.shape(so_far[0]) != array.shape):
                raise RunError(
                    f"Run.simulate: measure must return {must} for {name!r}, as long at every look (got "
                    f"{in_short(value)}); return NaN where there is nothing to measure."
                )
            so_far.append(value)

    def write(self, path: Path, key: str) -> None:
        """Keep it in a file, under the key of its simulation; what was kept there before stays, in another."""
        others: dict[str, Any] = {"at_key": key, "at_presentation": self.n_done, "at_seconds": self.seconds}
        others |= {f"remembered_{name}": value for name, value in (self.remembered or {}).items()}
        others |= {f"row_{name}": np.asarray(values) for name, values in self.rows.items()}
        others |= {f"events_{name}": counts for name, counts in self.events.items()}
        if self.answers:
            others["answers"] = np.concatenate(self.answers)
        write_npz(
            path, {f"weights_{name}": array for name, array in self.weights.named().items()} | others, before(path)
        )

    @classmethod
    def read(cls, path: Path, key: str, warn: Callable[[str], None]) -> "Checkpoint | None":
        """What `write` kept, or None where there is nothing yet.

        Parameters
        ----------
        path : Path
        key : str
        warn : callable
            Is told where the last checkpoint is damaged, so that the run goes on from the one before.

        Raises
        ------
        RunError
            If both are damaged, or it was written by a simulation with another key.
        """
        files = [file for file in (path, before(path)) if file.exists()]
        if not files:
            return None
        try:
            kept = read_npz(files[0])
        except RunError as error:
            if len(files) == 1:
                raise
            kept = read_npz(files[1])
            warn(f"went on from the checkpoint before the last one: {error}")
        if not {"at_key", "at_presentation", "at_seconds"} <= kept.keys():
            raise RunError(f"{files[0]}: must be a checkpoint (got {', '.join(kept)}); {ANEW}")
        if kept["at_key"].item() != key:
            raise RunError(
                f"{path}: must belong to this program, schedule, stimuli, parameters and starting weights (got another "
                "simulation's, from other versions or a protocol that does not do the same each time); "
                "give the command that began it again, with --again."
            )
        weights = {name[8:]: array for name, array in kept.items() if name.startswith("weights_")}
        return cls(
            Weights.from_named(weights),
            {name[11:]: float(value) for name, value in kept.items() if name.startswith("remembered_")} or None,
            int(kept["at_presentation"]),
            float(kept["at_seconds"]),
            {name[4:]: list(values) for name, values in kept.items() if name.startswith("row_")},
            [kept["answers"]] if "answers" in kept else [],
            {name[7:]: counts for name, counts in kept.items() if name.startswith("events_")},
        )


def before(path: Path) -> Path:
    """Where the checkpoint before that at ``path`` is kept."""
    return path.with_name(f"{path.stem}_before{path.suffix}")


def joined(earlier: dict[str, tuple], rows: dict[str, list], described: dict[str, tuple]) -> dict[str, tuple]:
    """Measures with the rows of one more simulation behind them.

    Parameters
    ----------
    earlier : dict
        Measure -> (dimensions, values, unit), of the simulations before.
    rows : dict
        Measure -> its value at each look of this one.
    described : dict
        Measure -> (unit, name of its dimension or None for a single number).

    Returns
    -------
    dict
        As ``earlier``; NaN where a simulation did not measure what another did.
    """
    if not rows:
        return earlier
    looks = {name: its for name, its in earlier.items() if list(its[0])[:1] == ["look"]}
    n_before = max((len(values) for _, values, _ in looks.values()), default=0)
    n_now = len(next(iter(rows.values())))
    measures = dict(earlier)
    for name in [*looks, *(name for name in rows if name not in looks)]:
        unit, dimension = described[name] if name in rows else (looks[name][2], None)
        now = np.asarray(rows[name]) if name in rows else _nothing(n_now, looks[name][1])
        if not n_before:
            values = now
        else:
            values = np.concatenate([looks[name][1] if name in looks else _nothing(n_before, now), now])
        dims = looks[name][0] if name in looks else ["look", dimension] if dimension else ["look"]
        measures[name] = (dims, values, unit)
    return measures


def _nothing(n: int, like: np.ndarray) -> np.ndarray:
    return np.full((n, *np.shape(like)[1:]), np.nan)

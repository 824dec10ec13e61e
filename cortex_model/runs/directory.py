"""Run directories: the only thing that passes from a simulation to a figure.

=====================  ==========================================================================
``parameters.json``    protocol, its file, device, seed, every parameter
``provenance.json``    versions, git commit, compiler, processor, times, resumptions; SHA-256 of every file
``protocol/``          a user's own protocol file, and the files that it imports from its folder
``learning_rule/``     the same of a user's own learning rule
``checkpoint_N.npz``   where the N-th simulation is, and, in another file, was; until the run has finished
``start.nc``           the weights at the start, where parameters and seed do not say them
``weights.nc``         the final weights, paper's orientation, named dimensions
``measures.nc``        what was measured, one row a look
``recordings.nc``      weights and rates that were recorded (parameter ``record``); until then ``recordings/``
``summary.json``       the numbers that matter; its presence means that the run has finished
``run.log``            what happened, with times
=====================  ==========================================================================

Every file appears whole or not at all, so a run that is killed at any moment can go on.
"""

import time
from collections.abc import Mapping
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any

from cortex_model.errors import RunError
from cortex_model.runs import identity, recording
from cortex_model.runs.arrays import check_measures, coordinates, read_weights, weight_arrays
from cortex_model.runs.identity import PARAMETERS
from cortex_model.runs.states import CHECKPOINTS, LOG, state_of
from cortex_model.state.kept import PROVENANCE, SUMMARY, WEIGHTS, Kept, attribute, read_kept, read_result
from cortex_model.system.arrays import write_arrays
from cortex_model.system.storage import check_regular, clear_parts, files_in, forget, read_json, write_json, write_whole
from cortex_model.weights import Weights

PROTOCOL_FILES, RULE_FILES = "protocol", "learning_rule"
START, MEASURES = "start.nc", "measures.nc"


class RunDirectory:
    """One run's folder.

    Parameters
    ----------
    path : Path
        The folder; need not exist yet.
    """

    def __init__(self, path: Path):
        self.path = Path(path)

    @classmethod
    def opened(cls, path: Path) -> "RunDirectory":
        """An existing run directory, if it is what it says (`cortex_model.runs.identity`).

        Raises
        ------
        RunError
            If there is none, or its files are not those of one run.
        """
        if not Path(path).is_dir():
            raise RunError(f"{path}: must be a run directory (got nothing there); see `cortex-model runs`.")
        directory = cls(path)
        directory.check()
        return directory

    @classmethod
    def created(
        cls, path: Path, description: dict[str, Any], files: Mapping[str, bytes] | None = None, again: bool = False
    ) -> "RunDirectory":
        """The run directory at ``path``, which this process holds (`cortex_model.runs.locking.held`).

        Parameters
        ----------
        path : Path
        description : dict
            What ``parameters.json`` holds, but for the name of the folder.
        files : mapping, optional
            The user's own files that define the protocol, or the learning rule: path within the folder -> content.
        again : bool
            Whether to forget what is there.

        Raises
        ------
        RunError
            If it holds another run than its name says.
        """
        directory = cls(path)
        directory.path.mkdir(parents=True, exist_ok=True)
        if again:
            directory.clear()
        elif (directory.path / PARAMETERS).exists():
            identity.check_same(directory.path, directory.description(), description)
            return directory
        for file, content in (files or {}).items():
            kept = directory.path / file
            kept.parent.mkdir(parents=True, exist_ok=True)
            write_whole(kept, lambda part, content=content: part.write_bytes(content))
        write_json(directory.path / PARAMETERS, description | {"name": directory.path.name})
        return directory

    def check(self, by_content: bool = False) -> None:
        """Refuse a directory that is not what it says; of a finished run also one that lacks a file.

        Parameters
        ----------
        by_content : bool
            See `cortex_model.runs.identity.check_whole`.
        """
        self.description()
        if self.has_finished:
            identity.check_whole(self.path, by_content)

    def description(self) -> dict[str, Any]:
        """Protocol, device, seed and parameters, as given."""
        return identity.described(self.path)

    @property
    def parameters(self) -> dict[str, Any]:
        """Every parameter, by name, as it was given."""
        return self.description()["parameters"]

    def __repr__(self) -> str:
        return f"RunDirectory({str(self.path)!r})"

    def _repr_html_(self) -> str:
        """A table in a notebook: what was chosen, where it comes from, what came out."""
        from cortex_model.runs.listing import shown

        rows = ((name, value if isinstance(value, str) else ", ".join(map(str, value))) for name, value in
                shown(self).items())  # fmt: skip
        cells = "".join(f"<tr><th>{escape(name)}</th><td>{escape(text)}</td></tr>" for name, text in rows)
        return f"<table>{cells}</table>"

    @property
    def has_finished(self) -> bool:
        """Whether the run reached its end."""
        return (self.path / SUMMARY).exists()

    @property
    def state(self) -> str:
        """``finished``, ``running``, ``not started``, ``refused``, ``interrupted [while compiling]``."""
        return state_of(self.path)

    def summary(self) -> dict[str, Any]:
        """The numbers that matter."""
        return read_json(self.path / SUMMARY)

    def provenance(self) -> dict[str, Any]:
        """Where its numbers come from; empty where it has not started."""
        return read_json(self.path / PROVENANCE) if (self.path / PROVENANCE).exists() else {}

    def measures(self):
        """What was measured, one row a look: an xarray.Dataset.

        Coordinates (not in runs of version 0.1.0): ``look`` counts the presentations of wake and sleep before a row;
        those of ``feedback_projection``, ``forward_projection``, ``population`` and ``hidden_population`` are the l of
        V_l, W_l and h_l.
        """
        return self.arrays(MEASURES)

    def arrays(self, name: str):
        """A NetCDF file that the finished run has written, checked by its SHA-256: an xarray.Dataset."""
        files = [self.path / name, self.path / PROVENANCE]
        states = [file.stat() if file.exists() else None for file in files]
        key = tuple(state and (state.st_ino, state.st_mtime_ns, state.st_size) for state in states)
        return _arrays(self.path, name, key).copy(deep=True)

    def recordings(self):
        """What the parameter ``record`` named, at each look: an xarray.Dataset; of an unfinished run so far.

        ``rate_1`` has dimensions look, stimulus (its row among those evaluated) and neuron_1; ``V_2`` look, V_2_post
        and V_2_pre. ``look`` counts the presentations of wake and sleep before it.
        """
        if self.has_finished and (self.path / recording.FILE).exists():
            return self.arrays(recording.FILE)
        return recording.so_far(self.path)

    def weights(self) -> Weights:
        """The final weights."""
        return read_weights(read_result(self.path, WEIGHTS))

    def kept(self) -> Kept:
        """Where the run ended, for what goes on from it.

        Returns
        -------
        kept : Kept
        """
        return read_kept(self.path)

    def clear(self) -> None:
        """Forget everything that was run, so that the run starts anew."""
        for name in (SUMMARY, PROVENANCE, LOG):
            forget(self.path / name)
        self.clear_results()
        self.clear_parts()

    def clear_results(self) -> None:
        """Forget the arrays of an unfinished run: whatever goes on writes all of them again."""
        for file in files_in(self.path, "*.nc"):
            forget(file)

    def clear_parts(self) -> None:
        """Forget what only an unfinished run needs, and what was being written when it was killed."""
        recording.clear_parts(self.path)
        clear_parts(self.path)
        for path in files_in(self.path, CHECKPOINTS):
            forget(path)

    def log(self, message: str) -> None:
        """Append a line to the log."""
        check_regular(self.path / LOG)
        with open(self.path / LOG, "a", encoding="utf-8") as file:
            file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {message}\n")

    # ------------------------------------------------------------------ while it runs
    def checkpoint(self, n: int) -> Path:
        """File that holds where the ``n``-th simulation of the run is, counted from 1."""
        return self.path / CHECKPOINTS.replace("*", str(n))

    def write_start(self, weights: Weights) -> None:
        """Keep the weights with which the run begins."""
        write_arrays(self.path / START, weight_arrays(weights), {"description": "weights at the start"})

    def start(self) -> Weights | None:
        """The weights with which a finished run began; None where they are those that parameters and seed say."""
        return read_weights(read_result(self.path, START)) if (self.path / START).exists() else None

    def finish(
        self,
        weights: Weights | None,
        measures: dict[str, tuple],
        looks: Any = None,
        ended: dict[str, int] | None = None,
        remembered: dict[str, float] | None = None,
        recorded: dict[str, str] | None = None,
    ) -> None:
        """Write what was learned and measured.

        Parameters
        ----------
        weights : Weights or None
        measures : dict
            Name -> (dimension names, values, unit).
        looks : ndarray, optional
            Presentations of wake and sleep before each look.
        ended, remembered : dict, optional
            See `cortex_model.state.kept.Kept`.
        recorded : dict, optional
            See `cortex_model.runs.recording.finish`.
        """
        check_measures(measures)
        if weights is not None:
            described = {"description": "weights after the run", "ended": attribute(ended or {}, remembered or {})}
            write_arrays(self.path / WEIGHTS, weight_arrays(weights), described)
        write_arrays(
            self.path / MEASURES, coordinates(measures, weights, looks) | measures, {"description": "one row a look"}
        )
        recording.finish(self.path, recorded or {})

    def conclude(self, summary: dict[str, Any], origin: dict[str, Any]) -> None:
        """Write where the results come from and the SHA-256 of each file; the summary last of all.

        Parameters
        ----------
        summary : dict
        origin : dict
            What ``provenance.json`` holds besides.
        """
        write_json(self.path / PROVENANCE, origin | {"files": identity.hashes(self.path, summary)})
        write_json(self.path / SUMMARY, summary)
        self.clear_parts()


@lru_cache(maxsize=256)
def _arrays(path, name, _state):
    """Read once as long as the files stay as they are: a figure looks at them many times."""
    return read_result(path, name)


def find_runs(folder: Path) -> list[RunDirectory]:
    """Run directories in and below a folder, sorted by name.

    Raises
    ------
    RunError
        If the folder does not exist.
    """
    if not Path(folder).is_dir():
        raise RunError(f"{folder}: must be a folder of run directories (got nothing there); give another one.")
    return [RunDirectory(path.parent) for path in sorted(Path(folder).rglob(PARAMETERS))]

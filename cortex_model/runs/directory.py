"""Run directories: the only thing that passes from a simulation to a figure.

=====================  ==========================================================================
``parameters.json``    protocol, its file, device, seed, every parameter
``provenance.json``    versions, git commit, compiler, processor, times, resumptions
``protocol/``          a user's own protocol file, and the files that it imports from its folder
``learning_rule/``     the same of a user's own learning rule
``checkpoint_N.npz``   where the N-th simulation is, its weights and measures; until the run has finished
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

from cortex_model.errors import RunError, in_short
from cortex_model.runs import recording
from cortex_model.runs.arrays import check_measures, coordinates, read_weights, weight_arrays
from cortex_model.state.kept import WEIGHTS, Kept, attribute, read_kept
from cortex_model.system.sources import without_folder
from cortex_model.system.storage import read_arrays, read_json, write_arrays, write_json, write_whole
from cortex_model.weights import Weights

PARAMETERS, PROVENANCE, SUMMARY = "parameters.json", "provenance.json", "summary.json"
PROTOCOL_FILES, RULE_FILES, CHECKPOINTS = "protocol", "learning_rule", "checkpoint_*.npz"
START, MEASURES, LOG = "start.nc", "measures.nc", "run.log"
#: What ends a run whose parameters or data do not fit: it cannot be gone on with.
REFUSALS = ("ParameterError", "DatasetError", "RuleError")
#: Lines of the log between which a program is compiled.
COMPILING, PROGRAM_READY = "compiling a program", "program ready after"


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
        """An existing run directory.

        Raises
        ------
        RunError
            If there is none.
        """
        if not Path(path).is_dir():
            raise RunError(f"{path}: must be a run directory (got nothing there); see `cortex-model runs`.")
        directory = cls(path)
        directory.description()
        return directory

    @classmethod
    def created(
        cls,
        parent: Path,
        description: dict[str, Any],
        name: str,
        files: Mapping[str, bytes] | None = None,
        again: bool = False,
    ) -> "RunDirectory":
        """The run directory ``name`` below ``parent``, made if it is not there.

        Parameters
        ----------
        parent : Path
        description : dict
            What ``parameters.json`` holds.
        name : str
        files : mapping, optional
            The user's own files that define the protocol, or the learning rule: path within the folder -> content.
        again : bool
            Whether to write over what it says of itself.

        Raises
        ------
        RunError
            If the folder cannot be written, or holds another run than its name says.
        """
        directory = cls(Path(parent) / name)
        try:
            directory.path.mkdir(parents=True, exist_ok=True)
            is_new = again or not (directory.path / PARAMETERS).exists()
            if is_new:
                for file, content in (files or {}).items():
                    path = directory.path / file
                    path.parent.mkdir(parents=True, exist_ok=True)
                    write_whole(path, lambda part, content=content: part.write_bytes(content))
                write_json(directory.path / PARAMETERS, description)
        except OSError as error:
            raise RunError(
                f"{directory.path}: must be a folder that can be written (got: {error.strerror}); "
                "give another one with --out."
            ) from None
        if not is_new:
            directory._check_is(description)
        return directory

    def _check_is(self, asked: dict[str, Any]) -> None:
        """Refuse a directory that holds another run than the one that is asked for by its name."""
        found = self.description()
        pairs = [(name, found.get(name), asked[name]) for name in ("protocol", "seed", "device") if name in asked]
        of, wanted = found["parameters"], asked.get("parameters", {})
        pairs += [(name, of[name], wanted[name]) for name in sorted(of.keys() & wanted.keys())]
        for name, its, other in pairs:
            if without_folder(its) != without_folder(other):
                raise RunError(
                    f"{self.path / PARAMETERS}: {name} must be {in_short(other)}, as the name of the folder says (got "
                    f"{in_short(its)}, of another run); move the folder away, or make the run anew with --again."
                )

    def description(self) -> dict[str, Any]:
        """Protocol, device, seed and parameters, as given."""
        return read_json(self.path / PARAMETERS, protocol=str, protocol_file=str, device=str, seed=int, parameters=dict)

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
        if self.has_finished:
            return "finished"
        if is_locked(self.path):
            return "running"
        if not (self.path / PROVENANCE).exists():
            return "not started"
        lines = (self.path / LOG).read_text().split("\n") if (self.path / LOG).exists() else []
        last = next((line for line in reversed(lines) if line), "")
        if any(f"stopped: {kind}" in last for kind in REFUSALS) and not any(self.path.glob(CHECKPOINTS)):
            return "refused"
        builds = [line for line in lines if COMPILING in line or PROGRAM_READY in line]
        return "interrupted while compiling" if builds and COMPILING in builds[-1] else "interrupted"

    def summary(self) -> dict[str, Any]:
        """The numbers that matter."""
        return read_json(self.path / SUMMARY)

    def measures(self):
        """What was measured, one row a look: an xarray.Dataset.

        Coordinates (not in runs of version 0.1.0): ``look`` counts the presentations of wake and sleep before a row;
        those of ``feedback_projection``, ``forward_projection``, ``population`` and ``hidden_population`` are the l of
        V_l, W_l and h_l.
        """
        path = self.path / MEASURES
        state = path.stat() if path.exists() else None
        return _measures(path, state and (state.st_ino, state.st_mtime_ns, state.st_size)).copy(deep=True)

    def recordings(self):
        """What the parameter ``record`` named, at each look: an xarray.Dataset; of an unfinished run so far.

        ``rate_1`` has dimensions look, stimulus (its row among those evaluated) and neuron_1; ``V_2`` look, V_2_post
        and V_2_pre. ``look`` counts the presentations of wake and sleep before it.
        """
        return recording.gathered(self.path)

    def weights(self) -> Weights:
        """The final weights."""
        return read_weights(read_arrays(self.path / WEIGHTS))

    def kept(self) -> Kept:
        """Where the run ended, for what goes on from it.

        Returns
        -------
        kept : Kept
        """
        return read_kept(self.path)

    def clear(self) -> None:
        """Forget everything that was run, so that the run starts anew."""
        recording.clear(self.path)
        for name in (SUMMARY, START, WEIGHTS, MEASURES, PROVENANCE, LOG):
            (self.path / name).unlink(missing_ok=True)
        self._forget_checkpoints()

    def log(self, message: str) -> None:
        """Append a line to the log."""
        with open(self.path / LOG, "a") as file:
            file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {message}\n")

    # ------------------------------------------------------------------ while it runs
    def checkpoint(self, n: int) -> Path:
        """File that holds where the ``n``-th simulation of the run is, counted from 1."""
        return self.path / CHECKPOINTS.replace("*", str(n))

    def _forget_checkpoints(self):
        for path in self.path.glob(CHECKPOINTS):
            path.unlink(missing_ok=True)

    def write_start(self, weights: Weights) -> None:
        """Keep the weights with which the run begins."""
        write_arrays(self.path / START, weight_arrays(weights), {"description": "weights at the start"})

    def start(self) -> Weights | None:
        """The weights with which the run began; None where they are those that parameters and seed say."""
        return read_weights(read_arrays(self.path / START)) if (self.path / START).exists() else None

    def finish(
        self,
        weights: Weights | None,
        measures: dict[str, tuple],
        summary: dict[str, Any],
        looks: Any = None,
        ended: dict[str, int] | None = None,
        remembered: dict[str, float] | None = None,
    ) -> None:
        """Write the results; the summary last of all.

        Parameters
        ----------
        weights : Weights or None
        measures : dict
            Name -> (dimension names, values, unit).
        summary : dict
        looks : ndarray, optional
            Presentations of wake and sleep before each look.
        ended, remembered : dict, optional
            See `cortex_model.state.kept.Kept`.
        """
        check_measures(measures)
        if weights is not None:
            described = {"description": "weights after the run", "ended": attribute(ended or {}, remembered or {})}
            write_arrays(self.path / WEIGHTS, weight_arrays(weights), described)
        write_arrays(
            self.path / MEASURES, coordinates(measures, weights, looks) | measures, {"description": "one row a look"}
        )
        recording.finish(self.path)
        write_json(self.path / SUMMARY, summary)
        recording.clear_parts(self.path)
        self._forget_checkpoints()


@lru_cache(maxsize=256)
def _measures(path, _state):
    """Read once as long as the file stays as it is: a figure looks at them many times."""
    return read_arrays(path)


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


def is_locked(path: Path) -> bool:
    """Whether a process holds a run directory."""
    from filelock import FileLock, Timeout

    try:
        with FileLock(Path(path) / ".lock", timeout=0):
            return False
    except (Timeout, OSError):
        return True

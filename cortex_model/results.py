"""Run directories: the only thing that passes from a simulation to a figure.

=====================  ==========================================================================
``parameters.json``    protocol, its file, device, seed, every parameter
``provenance.json``    versions, git commit, compiler, processor, times, resumptions
``checkpoint.npz``     where the run is, its weights and what it has measured; until it has finished
``weights.nc``         the final weights, paper's orientation, named dimensions
``measures.nc``        what was measured, one row a look
``summary.json``       the numbers that matter; its presence means that the run has finished
``run.log``            what happened, with times
=====================  ==========================================================================

Every file appears whole or not at all, so a run that is killed at any moment can go on.
"""

import re
import time
from pathlib import Path
from typing import Any

from cortex_model.errors import RunError
from cortex_model.storage import read_arrays, read_json, read_npz, write_arrays, write_json, write_npz
from cortex_model.weights import Weights

PARAMETERS, PROVENANCE, SUMMARY = "parameters.json", "provenance.json", "summary.json"
CHECKPOINT, WEIGHTS, MEASURES, LOG = "checkpoint.npz", "weights.nc", "measures.nc", "run.log"


def run_name(protocol: str, parameters: Any, seed: int, device: str) -> str:
    """Name of a run directory: protocol, hash of the parameters, seed and device."""
    return f"{protocol}-{parameters.content_hash}-seed{seed}-{device}"


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
    def created(cls, parent: Path, description: dict[str, Any], name: str) -> "RunDirectory":
        """The run directory ``name`` below ``parent``, made if it is not there.

        Raises
        ------
        RunError
            If the folder cannot be written.
        """
        directory = cls(Path(parent) / name)
        try:
            directory.path.mkdir(parents=True, exist_ok=True)
            if not (directory.path / PARAMETERS).exists():
                write_json(directory.path / PARAMETERS, description)
        except OSError as error:
            raise RunError(
                f"{directory.path}: must be a folder that can be written (got: {error.strerror}); "
                "give another one with --out."
            ) from None
        return directory

    def description(self) -> dict[str, Any]:
        """Protocol, device, seed and parameters, as given."""
        return read_json(self.path / PARAMETERS, protocol=str, protocol_file=str, device=str, seed=int, parameters=dict)

    @property
    def has_finished(self) -> bool:
        """Whether the run reached its end."""
        return (self.path / SUMMARY).exists()

    @property
    def state(self) -> str:
        """``finished``, ``running``, ``interrupted`` or ``not started``."""
        if self.has_finished:
            return "finished"
        if is_locked(self.path):
            return "running"
        return "interrupted" if (self.path / CHECKPOINT).exists() else "not started"

    def summary(self) -> dict[str, Any]:
        """The numbers that matter."""
        return read_json(self.path / SUMMARY)

    def measures(self):
        """What was measured, one row a look: an xarray.Dataset."""
        return read_arrays(self.path / MEASURES)

    def weights(self) -> Weights:
        """The final weights."""
        return Weights.from_named({name: array.values for name, array in read_arrays(self.path / WEIGHTS).items()})

    def clear(self) -> None:
        """Forget everything that was run, so that the run starts anew."""
        for name in (SUMMARY, CHECKPOINT, WEIGHTS, MEASURES, PROVENANCE, LOG):
            (self.path / name).unlink(missing_ok=True)

    def log(self, message: str) -> None:
        """Append a line to the log."""
        with open(self.path / LOG, "a") as file:
            file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {message}\n")

    # ------------------------------------------------------------------ checkpoint
    def write_checkpoint(self, key: str, position: dict[str, Any], weights: Weights, others: dict) -> None:
        """Keep everything that is needed to go on from here."""
        at = {f"at_{name}": value for name, value in (position | {"key": key}).items()}
        write_npz(self.path / CHECKPOINT, at | weights.named() | others)

    def read_checkpoint(self, key: str) -> tuple[dict[str, Any], Weights, dict] | None:
        """What `write_checkpoint` kept, or None where there is nothing yet.

        Raises
        ------
        RunError
            If it was written by a run with another schedule, parameters or program.
        """
        if not (self.path / CHECKPOINT).exists():
            return None
        kept = read_npz(self.path / CHECKPOINT)
        position = {name[3:]: kept.pop(name).item() for name in list(kept) if name.startswith("at_")}
        if position.pop("key") != key:
            raise RunError(
                f"{self.path}: checkpoint must belong to this program, schedule and parameters "
                f"(got one of another version); start anew with --again."
            )
        weights = {name: kept.pop(name) for name in list(kept) if re.fullmatch(r"[WbV]_\d+", name)}
        return position, Weights.from_named(weights), kept

    def finish(self, weights: Weights | None, measures: dict[str, tuple], summary: dict[str, Any]) -> None:
        """Write the results; the summary last of all."""
        if weights is not None:
            write_arrays(self.path / WEIGHTS, weight_arrays(weights), {"description": "weights after the run"})
        write_arrays(self.path / MEASURES, measures, {"description": "one row a look"})
        write_json(self.path / SUMMARY, summary)
        (self.path / CHECKPOINT).unlink(missing_ok=True)


def weight_arrays(weights: Weights) -> dict[str, tuple]:
    """Weights as named arrays with named dimensions (postsynaptic, presynaptic)."""
    arrays, top = {}, max(weights.forward)
    for name, values in weights.named().items():
        level = int(name[2:])
        post, pre = (level - 1, level) if name[0] == "V" else (level, level - 1)
        if name[0] == "V" and values.shape[1] != len(weights.forward[level]):
            pre = top
        dims = [f"neuron_{post}"] if values.ndim == 1 else [f"post_{post}", f"pre_{pre}"]
        arrays[name] = (dims, values, "1")
    return arrays


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

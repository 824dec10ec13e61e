"""Run directories as a page needs them: what can be read of each, and a sentence for what cannot.

Nothing of a run directory is executed, and a damaged part never hides the others.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from cortex_model.errors import CortexModelError, RunError
from cortex_model.parameters import content_hash
from cortex_model.runs.directory import PARAMETERS, RunDirectory, find_runs
from cortex_model.runs.listing import Listed, listing
from cortex_model.runs.protocol import protocol_names
from cortex_model.weights import Weights

#: What libraries raise at files that hold something else than was written.
OF_DAMAGE = (CortexModelError, ValueError, KeyError, TypeError, AttributeError, IndexError, OSError, RuntimeError)


@dataclass(frozen=True)
class ReadRun:
    """One run, read.

    Attributes
    ----------
    row : Listed
        Facts, parameters and summary.
    origin : dict
        What its provenance says.
    description : dict
        What ``parameters.json`` says.
    measures : dict of str to (ndarray, str, list)
        Measure -> (values, shape (n_looks,) or (n_looks, n_parts); unit; the number of each part, such as l of V_l).
    over : ndarray, shape (n_looks,)
        Presentations before each look.
    over_what : str
        Of which phase.
    weights : Weights or None
        Those at the end.
    notes : tuple of str
        What cannot be read, or not be taken as it is.
    """

    row: Listed
    origin: dict[str, Any]
    description: dict[str, Any]
    measures: dict[str, tuple[np.ndarray, str, list]] = field(default_factory=dict)
    over: np.ndarray = field(default_factory=lambda: np.zeros(0))
    over_what: str = "presentations"
    weights: Weights | None = None
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Name of its folder."""
        return self.row.directory.path.name

    @property
    def seed(self) -> int:
        """Of weights, noise and order of stimuli."""
        return self.description["seed"]

    @property
    def has_finished(self) -> bool:
        """Whether it reached its end."""
        return self.row.facts["state"] == "finished"

    @property
    def is_shipped(self) -> bool:
        """Whether its protocol comes with the package; code of others is never loaded here."""
        its = self.description
        own = its.get("protocol_files") or str(its["protocol_file"]).endswith(".py")
        return not own and its["protocol"] in protocol_names()


def read_runs(paths: Iterable[str | Path | RunDirectory]) -> tuple[list[ReadRun], list[str]]:
    """The runs of some folders, and a sentence for each that is left out or has not finished.

    Parameters
    ----------
    paths : iterable of path or RunDirectory
        Run directories, or folders that hold some.

    Returns
    -------
    runs : list of ReadRun
    sentences : list of str

    Raises
    ------
    RunError
        If nothing can be read.
    """
    found, sentences, known = [], [], {}
    errors: list[CortexModelError] = []
    directories = [each for path in paths for each in directories_in(getattr(path, "path", path))]
    for directory in {each.path.resolve(): each for each in directories}.values():
        try:
            run = read_run(directory)
        except OF_DAMAGE as error:
            errors.append(error if isinstance(error, CortexModelError) else RunError(_strange(directory, error)))
            sentences.append(f"Left out: {_without_folder(str(errors[-1]), directory)}")
            continue
        its = run.description
        key = content_hash(its["protocol"], its.get("protocol_files"), run.row.parameters, run.seed, its["device"])
        if key in known:
            sentences.append(f"Left out: {run.name}, which is the same run as {known[key]}.")
            continue
        known[key] = run.name
        found.append(run)
        sentences += [f"{run.name}: {note}" for note in run.notes]
    if not found:
        raise errors[0] if errors else RunError("report: must be given run directories (got none); name some.")
    return found, sentences


def directories_in(path: Any) -> list[RunDirectory]:
    """A run directory, or those below a folder; one that is neither is refused when it is opened."""
    path = Path(path)
    inside = [] if not path.is_dir() or (path / PARAMETERS).exists() else find_runs(path)
    return inside or [RunDirectory(path)]


def _strange(directory, error):
    return (
        f"{directory.path}: must hold what cortex-model wrote (got {type(error).__name__}: {error}); the run must be "
        "made anew."
    )


def _without_folder(sentence, directory):
    return sentence.replace(f"{directory.path.parent}/", "")


def read_run(directory: RunDirectory) -> ReadRun:
    """What can be read of one run.

    Raises
    ------
    RunError
        If it cannot be said what it is: its parameters, its provenance or its summary are damaged.
    """
    RunDirectory.opened(directory.path)
    row, origin = listing(directory), directory.provenance()
    notes: list[str] = []
    if row.facts["state"] != "finished":
        state = row.facts["state"]
        notes.append(f"has not finished ({state}), so it has no results yet; `cortex-model resume` goes on with it.")
        return ReadRun(row, origin, directory.description(), notes=tuple(notes))
    weights = _tried(lambda: _checked(directory), "its final weights", directory, notes)
    said = row.summary.get("weights_sha256")
    if weights is not None and isinstance(said, str) and said != weights.sha256:
        notes.append("its final weights are not those whose hash its summary names.")
    dataset = _tried(directory.measures, "its measures", directory, notes)
    measures = {} if dataset is None else _measures(dataset, weights)
    over_what, over = _over(measures, dataset)
    return ReadRun(row, origin, directory.description(), measures, over, over_what, weights, tuple(notes))


def _tried(read: Callable[[], Any], what: str, directory: RunDirectory, notes: list[str]) -> Any:
    try:
        return read()
    except OF_DAMAGE as error:
        notes.append(f"{what} cannot be read: {_without_folder(str(error), directory)}")
        return None


def _checked(directory):
    """The final weights, if they are those of a hierarchy; None where a protocol keeps none."""
    if not (directory.path / "weights.nc").exists():
        return None
    weights = directory.weights()
    arrays, n = weights.named(), len(weights.forward)
    is_whole = sorted(weights.forward) == list(range(1, n + 1)) and sorted(weights.biases) == list(range(1, n + 1))
    is_whole = is_whole and all(weights.forward[l].shape[1] == len(weights.forward[l - 1]) for l in range(2, n + 1))
    n_dims = {"W": (2,), "V": (2,), "b": (1,)}  # of others one, where they come from the unit that is always 1
    is_of_numbers = all(
        a.dtype.kind == "f" and a.ndim in n_dims.get(k.rpartition("_")[0], (1, 2)) for k, a in arrays.items()
    )
    if not (n and is_whole and is_of_numbers):
        raise RunError(f"{directory.path / 'weights.nc'}: must hold W_1, b_1 ... (got {', '.join(arrays) or 'none'}).")
    if name := weights.first_not_finite():
        raise RunError(f"{directory.path / 'weights.nc'}: must hold finite numbers (got NaN or infinity in {name}).")
    return weights


def _measures(dataset, weights):
    """Numbers by look, and by look and one thing more."""
    found = {}
    for name, array in dataset.data_vars.items():
        if array.dtype.kind not in "biuf" or array.dims[:1] != ("look",) or array.ndim > 2 or not len(array):
            continue
        parts = []
        if array.ndim == 2:
            dim, n = array.dims[1], array.shape[1]
            known = sorted(weights.feedback) if weights and dim == "feedback_projection" else []
            parts = array.coords[dim].values.tolist() if dim in array.coords else known
            parts = parts if len(parts) == n else list(range(1, n + 1))
        found[str(name)] = (array.values.astype(float), str(array.attrs.get("units", "1")), parts)
    return found


def _over(measures, dataset):
    """Against what a run is drawn: wake presentations, else all that there were, else numbers of looks."""
    for name in ("wake_presentations", "presentations"):
        if name in measures and measures[name][0].ndim == 1:
            return name.replace("_", " "), measures[name][0]
    n = max((len(values) for values, *_ in measures.values()), default=0)
    if dataset is not None and "look" in dataset.coords and dataset["look"].dtype.kind in "iuf":
        return "presentations", dataset["look"].values.astype(float)
    return "look", np.arange(float(n))

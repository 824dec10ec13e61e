"""A `Cortex` as one NetCDF file, and back; a finished run as a `Cortex`."""

import copy
import json
from pathlib import Path
from typing import Any

from cortex_model import __version__
from cortex_model.errors import RunError, in_short
from cortex_model.parameters import SleepWakeParameters
from cortex_model.parameters.interventions import in_force_after
from cortex_model.rules import own
from cortex_model.runs.arrays import read_weights, weight_arrays
from cortex_model.runs.directory import RunDirectory
from cortex_model.runs.protocol import parameters_of
from cortex_model.state.kept import attribute
from cortex_model.system.arrays import read_arrays, write_arrays
from cortex_model.system.cache import cache_folder
from cortex_model.system.sources import OwnCode, path_and_hash
from cortex_model.system.storage import write_whole

#: The attribute of the file that holds all that is no weight.
STATE = "cortex_model_state"


class Kept:
    """A `Cortex` that can be copied, written into a file, and taken out of a file or a run."""

    def copy(self) -> Any:
        """Another one that goes on from here by itself: a control for a lesion."""
        return self._gone_on(self.parameters, self._weights, self.seed, self.device, self._is_device_given, self._state)

    @property
    def _state(self):
        """All that goes on besides weights."""
        names = ("remembered", "n_presented", "n_epochs", "history", "begun")
        return {name: copy.deepcopy(getattr(self, name)) for name in names}

    @classmethod
    def _gone_on(cls, parameters, weights, seed, device, is_device_given, state):
        """One that goes on from where another one, or a run, was."""
        one = cls.__new__(cls)
        one._begin(parameters, seed, device if is_device_given else None, weights)
        one.device = device
        for name, value in state.items():
            setattr(one, name, value)
        return one

    def save(self, path: str | Path) -> Path:
        """Write weights, parameters and history into one NetCDF file, to go on from.

        Parameters
        ----------
        path : str or Path
            ``.nc`` is added where it has no ending.

        Returns
        -------
        path : Path
            Of the file.
        """
        return _saved(self, Path(path))

    @classmethod
    def load(cls, path: str | Path, device: str | None = None, run_code: bool = False) -> Any:
        """What `save` wrote, or the hierarchy of a finished run, to go on with.

        Parameters
        ----------
        path : str or Path
            A file, or a run directory.
        device : str, optional
            The one it was on unless given.
        run_code : bool
            Whether to run the Python file of a learning rule of one's own that the file holds, also where the file that
            it came from has changed or is not there; or that a run directory of another user keeps.

        Raises
        ------
        RunError
            If it is neither, or damaged.
        """
        path = Path(path)
        parameters, weights, kept = _of_run(path, run_code) if path.is_dir() else _of_file(path, run_code)
        is_given = device is not None or kept["is_device_given"]
        return cls._gone_on(parameters, weights, kept["seed"], device or kept["device"], is_given, kept["state"])


def _saved(cortex, path):
    path = path if path.suffix else path.with_suffix(".nc")
    learning_rule = cortex.parameters.learning_rule
    code = own.own_rule(learning_rule).code if own.is_own(learning_rule) else None
    state = {
        "version": __version__,
        "parameters": cortex.parameters.model_dump(mode="json"),
        "seed": cortex.seed,
        "device": cortex.device,
        "is_device_given": cortex._is_device_given,
        "state": cortex._state,
        "weights_sha256": cortex.weights.sha256,
        "rule_files": {name: text.decode() for name, text in code.files.items()} if code else {},
    }
    counts = {name: getattr(cortex, name) for name in ("n_presented", "n_epochs")}
    counts |= cortex.learned
    described = {"description": f"{cortex!r}", STATE: json.dumps(state)}
    described["ended"] = attribute(counts, cortex.remembered)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_arrays(path, weight_arrays(cortex.weights), described)
    except OSError as error:
        raise RunError(
            f"{path}: must be a file that can be written (got: {error.strerror}); give another one."
        ) from None
    return path


def _of_file(path, run_code):
    if not path.exists() and path.with_suffix(".nc").exists():
        path = path.with_suffix(".nc")
    if not path.exists():
        raise RunError(f"{path}: must be a file that Cortex.save wrote, or a run directory (got nothing there).")
    dataset = read_arrays(path)
    try:
        kept = json.loads(dataset.attrs[STATE])
        weights = read_weights(dataset)
    except (KeyError, ValueError) as error:
        raise RunError(f"{path}: must be a file that Cortex.save wrote (got none of its state: {error}).") from None
    if weights.sha256 != kept["weights_sha256"]:
        raise RunError(f"{path}: must hold the weights that were saved (got other numbers); the file is damaged.")
    if kept["rule_files"]:
        _remember_rule(path, kept["parameters"]["learning_rule"], kept["rule_files"], run_code)
    return SleepWakeParameters(**kept["parameters"]), weights, kept


def _remember_rule(saved, learning_rule, files, run_code):
    """Make a rule known that was saved with the weights: from its own file, or its own text, wherever that file is."""
    name, digest = path_and_hash(learning_rule)
    if own.is_there(learning_rule):
        return
    if not run_code:
        raise RunError(
            f"{saved}: must be of a learning rule whose file is there as it was (got {in_short(name)}, which is "
            "kept here and would be run); put that file back, or read this one and say run_code=True."
        )
    folder = cache_folder("rules", f"saved_{digest}")
    for file, text in files.items():
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, lambda part, text=text: part.write_text(text))
    if own.remember(OwnCode.read(folder / Path(name).name, Path(name))).name != learning_rule:
        raise RunError(f"Cortex.load: the rule {name} must be what its hash {digest} says (got another content).")


def _of_run(path, run_code):
    """Parameters, weights and all else of a finished run."""
    directory = RunDirectory.opened(path)
    if not directory.has_finished:
        raise RunError(f"{path}: must be a run that has finished (got one that is {directory.state}); resume it first.")
    description, parameters = directory.description(), parameters_of(directory, run_code)
    if not isinstance(parameters, SleepWakeParameters):
        raise RunError(f"{path}: must be a run of a hierarchy that learns (got one of {description['protocol']}).")
    fields, ended = SleepWakeParameters.of_rules([parameters.learning_rule]).model_fields, directory.kept()
    its = {name: value for name, value in parameters.model_dump(mode="json").items() if name in fields}
    its |= {"start_from": "", "interventions": ()}  # the weights are there
    its["relative_learning_rates"] = in_force_after(
        parameters.relative_learning_rates, parameters.interventions, parameters.rule, parameters.n_layers
    )
    kept = {"seed": description["seed"], "device": description["device"], "is_device_given": True}
    state = {name: ended.counts[name] for name in ("n_presented", "n_epochs")} | {"remembered": ended.remembered}
    counts = {phase: ended.counts[phase] for phase in ("wake", "sleep")}
    state["history"] = [{"what": f"run {path.name}", **counts, "device": description["device"]}]
    return SleepWakeParameters(**its), directory.weights(), kept | {"state": state}

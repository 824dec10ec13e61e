"""Weights and rates that are recorded while a run learns: a file at each look, and one of all looks at the end."""

from pathlib import Path
from typing import Any

import numpy as np

from cortex_model.errors import ParameterError, RunError
from cortex_model.parameters.recorded import read_recorded
from cortex_model.reference.hierarchy import presented
from cortex_model.system.arrays import read_npz, write_arrays, write_npz
from cortex_model.system.memory import must_fit, product
from cortex_model.system.storage import ANEW, files_in, forget
from cortex_model.weights import Weights, shapes_of

#: The folder of what was recorded so far, and the file of all that was.
FOLDER, FILE = "recordings", "recordings.nc"


def record(
    directory: Path, name: str, key: str, look: int, weights: Weights, shown: np.ndarray | None, parameters: Any
) -> None:
    """Keep what ``record`` of parameters names, as it is at one look.

    Parameters
    ----------
    directory : Path
        Of the run.
    name : str
        Of the file: they are gathered in the order of their names.
    key : str
        Of the simulation.
    look : int
        Presentations of wake and sleep so far.
    weights : Weights
    shown : ndarray, shape (n, n_0), or None
        Stimuli of evaluation.
    parameters : SleepWakeParameters

    Raises
    ------
    ParameterError
        If rates are to be recorded, and there are no such stimuli.
    """
    p, arrays = parameters, {}
    asked = read_recorded(p.record, p.rule, p.n_layers)
    if populations := [int(each.partition("_")[2]) for each in asked if each.startswith("rate_")]:
        rows = np.array(p.record_stimuli, int)
        n = 0 if shown is None else len(shown)
        if not n:
            raise ParameterError(
                f"Parameters.record: must name weights alone where no stimuli are evaluated (got "
                f"{','.join(p.record)}); leave the rates out."
            )
        if not len(rows) or rows.max() >= n:
            raise ParameterError(
                f"Parameters.record_stimuli: must be rows of the {n} stimuli that are evaluated, from 0 on (got "
                f"{','.join(map(str, rows)) or 'none'}); give others, or record weights alone."
            )
        rates = presented(p, weights, "evaluation", shown[rows], "rate")
        arrays = {"stimulus": rows} | {f"rate_{l}": rates[l] for l in populations}
    named = weights.named()
    arrays |= {each: named[each] for each in asked if each in named}
    (directory / FOLDER).mkdir(exist_ok=True)
    write_npz(directory / FOLDER / f"{name}.npz", {"look": np.array(look), "at_key": key} | arrays)


def check_recorded(parameters: Any, n_looks: int) -> None:
    """Refuse a record that memory would not hold when it is gathered.

    Raises
    ------
    ParameterError
        With the number of bytes.
    """
    p = parameters
    asked = read_recorded(getattr(p, "record", ()), p.rule, p.n_layers)
    shapes = shapes_of(p) | {f"rate_{l}": (len(p.record_stimuli), n) for l, n in enumerate(p.layer_sizes) if asked}
    n_numbers = sum(product(*shapes[name]) for name in asked)
    n_bytes = 2 * n_looks * n_numbers * np.dtype(p.dtype).itemsize  # of single looks, and of all
    must_fit(n_bytes, "Parameters.record", f"record fewer arrays, or evaluate less often than {n_looks} times")


def so_far(directory: Path) -> Any:
    """All that a run that has not finished has recorded: an xarray.Dataset over ``look``.

    Raises
    ------
    RunError
        If it has recorded nothing.
    """
    import xarray

    arrays = _arrays(directory)
    if not arrays:
        raise RunError(
            f"{directory}: must be a run that records (got one that has recorded nothing); name weights or rates in "
            "the parameter record, such as --set record=V_2,rate_1."
        )
    return xarray.Dataset(
        {name: (dims, values, {"units": unit} if unit else {}) for name, (dims, values, unit) in arrays.items()}
    )


def finish(directory: Path, recorded: dict[str, str]) -> None:
    """Put everything into one file; the files of single looks stay until the run is known to have finished.

    Parameters
    ----------
    directory : Path
    recorded : dict
        Name of each file that there must be -> key of its simulation.

    Raises
    ------
    RunError
        If one is missing, or is of another simulation.
    """
    found = {path.stem: str(_part(path)["at_key"]) for path in files_in(directory / FOLDER, "*.npz")}
    if found != recorded:
        name = sorted(found.items() ^ recorded.items())[0][0]
        raise RunError(
            f"{directory / FOLDER / name}.npz: must be what this run recorded, of every look and no other (got "
            f"{'another' if name in found else 'none'}); {ANEW}"
        )
    if arrays := _arrays(directory):
        write_arrays(directory / FILE, arrays, {"description": "recorded at each look"})


def clear_parts(directory: Path) -> None:
    """Forget the files of single looks."""
    forget(directory / FOLDER)


def _part(path):
    part = read_npz(path)
    if not {"look", "at_key"} <= part.keys():
        raise RunError(f"{path}: must hold what was recorded at a look (got {', '.join(part)}); {ANEW}")
    return part


def _arrays(directory):
    """Name -> (dimensions, values, unit) of all looks so far."""
    parts = [_part(path) for path in files_in(directory / FOLDER, "*.npz")]
    if not parts:
        return {}
    found = {"look": (["look"], np.array([int(part["look"]) for part in parts]), "presentations")}
    for name in (name for name in parts[0] if name not in ("look", "at_key")):
        if name == "stimulus":
            found[name] = (["stimulus"], parts[0][name], "")
            continue
        values = np.stack([part[name] for part in parts])
        is_rate = name.startswith("rate_")
        dims = ["stimulus", f"neuron_{name.removeprefix('rate_')}"] if is_rate else [f"{name}_post", f"{name}_pre"]
        found[name] = (["look", *dims[: values.ndim - 1]], values, "1")
    return found

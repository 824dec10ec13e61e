"""Weights and measures as named arrays with named dimensions."""

from typing import Any

import numpy as np

from cortex_model.errors import RunError, in_short
from cortex_model.system.arrays import storable
from cortex_model.weights import Weights


def read_weights(dataset: Any) -> Weights:
    """The weights in an xarray.Dataset of `weight_arrays`."""
    return Weights.from_named({name: array.values for name, array in dataset.items()})


def coordinates(measures: dict[str, tuple], weights: Weights | None, looks: Any = None) -> dict[str, tuple]:
    """Coordinates of the dimensions of measures, as far as they are known, as named arrays.

    See `RunDirectory.measures` and `RunDirectory.finish`. A protocol without a simulation says in a measure named
    ``presentations`` when it looked.
    """
    sizes = {dim: n for dims, values, _ in measures.values() for dim, n in zip(dims, np.shape(values), strict=True)}
    if looks is None and "presentations" in measures:
        looks = measures["presentations"][1]
    known = [("look", looks, "presentations")] if looks is not None else []
    if weights is not None:
        top = max(weights.forward)
        known += [("feedback_projection", sorted(weights.feedback), ""), ("forward_projection", range(1, top + 1), "")]
        known += [("hidden_population", range(1, top), "")]
        known += [("population", range(top + 1 - sizes.get("population", 0), top + 1), "")]
    return {
        dim: ([dim], np.asarray(values), unit)
        for dim, values, unit in known
        if dim not in measures and sizes.get(dim) == len(values)
    }


def check_measures(measures: dict[str, Any]) -> None:
    """Refuse measures that a file cannot hold.

    Raises
    ------
    RunError
        With the name of the measure.
    """
    for name, given in measures.items():
        if not isinstance(given, tuple) or len(given) != 3:
            raise RunError(
                f"run.measures[{name!r}]: must be (dimensions, values, unit) (got {in_short(given)}); write all three."
            )
        storable(name, *given)


def weight_arrays(weights: Weights) -> dict[str, tuple]:
    """Weights as named arrays with named dimensions (postsynaptic, presynaptic).

    Those of W and V are numbers of populations; projections that only some rules have, which may join any two
    populations, have dimensions of their own.
    """
    arrays, top = {}, max(weights.forward)
    for name, values in weights.named().items():
        level = int(name.rsplit("_", 1)[1])
        post, pre = (level - 1, level) if name[0] == "V" else (level, level - 1)
        if name[0] == "V" and values.shape[1] != len(weights.forward[level]):
            pre = top
        if name[0] not in "WbV":
            post = pre = f"of_{name}"
        dims = [f"neuron_{post}"] if values.ndim == 1 else [f"post_{post}", f"pre_{pre}"]
        arrays[name] = (dims, values, "1")
    return arrays

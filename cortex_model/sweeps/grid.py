"""The runs that a sweep asks for: every combination of values, every seed."""

import itertools
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from cortex_model.errors import ParameterError, in_short
from cortex_model.parameters import MOST_SEEDS, Parameters, checked_number, checked_seed


class Asked(NamedTuple):
    """A run that is asked for.

    Attributes
    ----------
    values : dict
        Swept parameter -> its value.
    seed : int
    parameters : Parameters or None
        All of them; None where the values do not go together.
    failure : str
        Why they do not; empty where they do.
    """

    values: dict[str, Any]
    seed: int
    parameters: Parameters | None
    failure: str

    def __str__(self) -> str:
        return " ".join(f"{name}={shown(value)}" for name, value in (self.values | {"seed": self.seed}).items())


def shown(value: Any) -> Any:
    """A value as a label: layer sizes become the text that one would type, the rest stays what it is."""
    return ",".join(map(str, value)) if isinstance(value, tuple | list) else value


def model_for(model: type[Parameters], grid: Mapping[str, Any], fixed: Mapping[str, Any]) -> type[Parameters]:
    """The class of parameters, with the numbers of learning rules of one's own that are asked for."""
    rules = _split(model, "learning_rule", grid["learning_rule"]) if "learning_rule" in grid else []
    rules += [fixed["learning_rule"]] if "learning_rule" in fixed else []
    return model.of_rules(rules) if hasattr(model, "of_rules") else model


def checked_grid(model: type[Parameters], grid: Mapping[str, Any], fixed: Iterable[str]) -> dict[str, list]:
    """Each swept parameter's values, read and checked one by one.

    Parameters
    ----------
    model : type of Parameters
    grid : dict
        Name -> values, or a text: ``value,value``, and ``64,32,10;64,16,10`` where values are lists of numbers.
    fixed : iterable of str
        Names of the parameters that all runs share.

    Raises
    ------
    ParameterError
        For an unknown parameter, one that is also fixed, or values that are none, wrong or given twice.
    """
    read = {}
    if not isinstance(grid, Mapping):
        raise ParameterError(f"--grid: must be a dictionary, name -> values (got {in_short(grid)}); write one.")
    for name, given in grid.items():
        values = [model.read(name, value) for value in _split(model, name, given)]
        if not values:
            raise ParameterError(f"--grid: {name} must have values (got none); write for example {name}=VALUE,VALUE.")
        seen = set()
        twice = [value for value in values if value in seen or seen.add(value)]
        if twice:
            raise ParameterError(f"--grid: {name} must have each value once (got {shown(twice[0])} twice); leave one.")
        if name in fixed:
            raise ParameterError(f"--grid: {name} must be either swept or set (got both); leave out one of them.")
        read[name] = values
    return read


def _split(model, name, given):
    if not isinstance(given, str):
        return list(given) if isinstance(given, Iterable) else [given]
    field = model.model_fields.get(name)
    separator = ";" if field is not None and isinstance(field.default, tuple) else ","
    return [part.strip() for part in given.split(separator)] if given else []


def checked_seeds(seeds: int | Iterable[int]) -> list[int]:
    """Seeds 0 ... n - 1 for a number, else the seeds themselves.

    Raises
    ------
    ParameterError
        If there are none, one is given twice or out of range.
    """
    if isinstance(seeds, str) or not isinstance(seeds, Iterable):
        return list(range(checked_number("--seeds", seeds, MOST_SEEDS)))
    seeds = [checked_seed(seed, "--seeds") for seed in itertools.islice(seeds, MOST_SEEDS + 1)]
    if not 1 <= len(seeds) <= MOST_SEEDS or len(set(seeds)) < len(seeds):
        got = f"{len(seeds)}, {len(set(seeds))} of them different"
        raise ParameterError(
            f"--seeds: must be at least one and at most {MOST_SEEDS}, each once (got {got}); give others."
        )
    return seeds


def asked_runs(
    model: type[Parameters], grid: Mapping[str, list], fixed: Mapping[str, Any], seeds: Iterable[int]
) -> list[Asked]:
    """Every combination of the grid's values with every seed, the seed varying fastest.

    Parameters
    ----------
    model : type of Parameters
    grid : dict
        From `checked_grid`.
    fixed : dict
        Parameters that all runs share.
    seeds : iterable of int

    Returns
    -------
    asked : list of Asked
        Combinations that the parameters' own rules forbid hold the sentence that says so.
    """
    fixed = {name: model.read(name, value) for name, value in fixed.items()}
    asked = []
    for combination in itertools.product(*grid.values()):
        values, parameters, failure = dict(zip(grid, combination, strict=True)), None, ""
        try:
            parameters = (getattr(model, "extends", None) or model)().with_overrides(fixed | values)
            if "learning_rule" not in grid:
                parameters.check_asked(fixed | values)
        except ParameterError as error:
            failure = str(error)
        asked += [Asked(values, seed, parameters, failure) for seed in seeds]
    return asked

"""What a figure says of the runs that it shows: dataset, network, rates, number of seeds, and what a band is."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from itertools import groupby
from typing import Any

from cortex_model.parameters import content_hash
from cortex_model.runs.directory import RunDirectory
from cortex_model.system.sources import without_folder

#: What a band, or a bar, is; nothing of it is said where every setting has one seed.
BANDS = "bands: 95 % interval of the mean over seeds (Student's t)"
BARS = "bars: 95 % interval of the mean over seeds (Student's t)"
#: Parameter -> how one value is said, and how several are: of runs that learn a task, of those that
#: learn sequences, and of those that only sleep.
OF_TASKS: dict[str, tuple[str, str]] = {
    "dataset": ("{}", "{}"),
    "layer_sizes": ("{}", "{}"),
    "batch_size": ("batch {}", "batches {}"),
    "learning_rate": ("learning rate {}", "learning rates {}"),
    "epochs": ("{} epochs", "{} epochs"),
}
OF_SLEEP: dict[str, tuple[str, str]] = {
    "layer_sizes": ("{}", "{}"),
    "sleep_learning_rate": ("sleep learning rate {}", "sleep learning rates {}"),
    "n_presentations": ("{} noise vectors", "{} noise vectors"),
}
OF_SEQUENCES: dict[str, tuple[str, str]] = {
    "sequences": ("{}", "{}"),
    "layer_sizes": ("{}", "{}"),
    "learning_rate": ("learning rate {}", "learning rates {}"),
    "laps": ("{} laps", "{} laps"),
}
#: Of these, what is said of rates alone; and what is said of spikes alone, of tasks and of sleep.
OF_RATES = ("batch_size", "learning_rate", "sleep_learning_rate")
OF_SPIKES: dict[str, tuple[str, str]] = {
    "top_learning_rate": ("in spikes, learning rate {} at the top", "in spikes, learning rates {} at the top"),
    "hidden_learning_rate": ("{} below", "{} below"),
}
OF_SLEEP_IN_SPIKES: dict[str, tuple[str, str]] = {
    "feedback_learning_rate": ("in spikes, learning rate of V {}", "in spikes, learning rates of V {}"),
}
#: How many values of one parameter are named, of more the first and the last; and layers of one size.
MOST_VALUES = 3


def statement(parameters: Iterable[Mapping[str, Any]], n_seeds: Iterable[int], shows: str = BANDS) -> str:
    """One line: what the runs of a figure are, from their parameters.

    Parameters
    ----------
    parameters : iterable of mapping
        Of each setting that is shown.
    n_seeds : iterable of int
        Of each setting.
    shows : str
        What lines, bands or bars are.
    """
    parameters, n_seeds = list(parameters), sorted(set(n_seeds))
    known = (("dataset", OF_TASKS), ("sequences", OF_SEQUENCES), ("", OF_SLEEP))
    facts = next(facts for name, facts in known if not name or any(name in its for its in parameters))
    if any(its.get("dynamics") == "spiking" for its in parameters):
        facts = facts | (OF_SLEEP_IN_SPIKES if facts is OF_SLEEP else OF_SPIKES)
    said = [_said(name, [its[name] for its in parameters if _means(its, name)], *forms)
            for name, forms in facts.items()]  # fmt: skip
    seeds = f"{n_seeds[0]} to {n_seeds[-1]} seeds" if len(n_seeds) > 1 else ""
    seeds = seeds or " ".join(f"{n} seed{'s' * (n != 1)}" for n in n_seeds)
    without = n_seeds == [1] and shows in (BANDS, BARS)
    return ", ".join([*filter(None, [*said, seeds]), *([] if without or not shows else [shows])])


def statement_of(directories: Iterable[RunDirectory], shows: str = BANDS) -> str:
    """The `statement` of run directories: those that differ in the seed alone are one setting."""
    given = [directory.description()["parameters"] for directory in directories]
    return statement(given, Counter(content_hash(its) for its in given).values(), shows)


def _means(its, name):
    """Whether something depends on a parameter, by the dynamics."""
    apart = OF_RATES if its.get("dynamics") == "spiking" else (*OF_SPIKES, *OF_SLEEP_IN_SPIKES)
    return name in its and name not in apart


def _said(name: str, values: list, one: str, several: str) -> str:
    order: Callable = _as_number if all(isinstance(value, int | float) for value in values) else lambda value: 0
    texts = list(dict.fromkeys(map(value_said, sorted(values, key=order))))
    if len(texts) > MOST_VALUES:
        return several.format(f"{texts[0]} to {texts[-1]}")
    *others, last = texts or [""]
    form = several if others else "1 epoch" if (name, last) == ("epochs", "1") else one
    return form.format(f"{', '.join(others)} and {last}" if others else last) if texts else ""


def _as_number(value):
    return value


def value_said(value: Any) -> str:
    """A parameter's value as figures write it: 784-4×128-10 of layers, whole numbers with commas."""
    if isinstance(value, list | tuple):
        runs = [(each, len(list(its))) for each, its in groupby(value)]
        return "-".join(f"{n}×{each}" if n > MOST_VALUES else "-".join([str(each)] * n) for each, n in runs)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:,}" if isinstance(value, int) else f"{value:g}"
    return str(without_folder(value)).partition("#")[0]

"""Runs by protocol, and those of a protocol by what differs between them: a letter and a colour each."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Any

import numpy as np

from cortex_model.analysis.learning_curves import mean_and_interval, students_t
from cortex_model.parameters import content_hash
from cortex_model.reports.reading import ReadRun
from cortex_model.reports.words import value_text
from cortex_model.runs.listing import RESULTS

#: Colours that colour-blind eyes tell apart (Okabe & Ito 2008), and the strokes of those that come round again.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#444444", "#E69F00", "#56B4E9", "#8C510A")
DASHES = ((), (6, 2), (1.5, 1.5), (6, 2, 1.5, 2))
#: Settings that are drawn.
MOST_DRAWN = 12


@dataclass(frozen=True)
class Setting:
    """Runs that differ in nothing but their seed.

    Attributes
    ----------
    number : int
        From 0 on.
    values : dict of str to str
        What differs between settings -> its value here.
    runs : list of ReadRun
        By seed.
    """

    number: int
    values: dict[str, str]
    runs: list[ReadRun]

    @property
    def letter(self) -> str:
        """What it is called in figures and tables: A, B ... Z, AA ..."""
        first, last = divmod(self.number, 26)
        return (ascii_uppercase[first - 1] if first else "") + ascii_uppercase[last]

    @property
    def label(self) -> str:
        """What is chosen in it."""
        return ", ".join(f"{name} {value or 'nothing'}" for name, value in self.values.items()) or "all runs"

    @property
    def colour(self) -> str:
        """Of its lines."""
        return COLOURS[self.number % len(COLOURS)]

    @property
    def dash(self) -> tuple[float, ...]:
        """Of its lines: lengths of strokes and gaps, nothing for a whole line."""
        return DASHES[self.number // len(COLOURS) % len(DASHES)]

    @property
    def finished(self) -> list[ReadRun]:
        """Those of its runs that have results."""
        return [run for run in self.runs if run.has_finished]

    @property
    def result(self) -> dict[str, Any]:
        """How well it went: the first of the numbers that a summary may say that; empty where there is none."""
        for name in RESULTS:
            values = [final(run.row.summary[name]) for run in self.finished if name in run.row.summary]
            if values and None not in values:
                return {"name": name.removeprefix("final_"), "values": values, "text": interval_text(values)}
        return {}


@dataclass(frozen=True)
class Chapter:
    """The runs of one protocol.

    Attributes
    ----------
    protocol : str
    differing : list of str
        Names of what is not the same in all of them: parameters, and the device.
    settings : list of Setting
    """

    protocol: str
    differing: list[str]
    settings: list[Setting]

    @property
    def runs(self) -> list[ReadRun]:
        """All of them, setting by setting."""
        return [run for setting in self.settings for run in setting.runs]

    @property
    def drawn(self) -> list[Setting]:
        """Those settings that figures show: the first ones that have results."""
        return [setting for setting in self.settings if setting.finished][:MOST_DRAWN]

    @property
    def is_shipped(self) -> bool:
        """Whether the protocol comes with the package."""
        return self.runs[0].is_shipped


def chapters_of(runs: Iterable[ReadRun]) -> list[Chapter]:
    """Runs by protocol; two protocols of the user's own are the same if their files are."""
    found = defaultdict(list)
    for run in runs:
        files = run.description.get("protocol_files") or {}
        found[run.row.facts["protocol"], content_hash(files, run.is_shipped)].append(run)
    return [_chapter(protocol, its) for (protocol, _), its in found.items()]


def _chapter(protocol, runs):
    names = dict.fromkeys(name for run in runs for name in run.row.parameters)
    valued = [run.row.parameters | {"device": run.row.facts["device"]} for run in runs]
    differing = [name for name in [*names, "device"] if len({repr(v[name]) for v in valued if name in v}) > 1]
    groups = defaultdict(list)
    for run, values in zip(runs, valued, strict=True):
        groups[tuple(value_text(values[n]) if n in values else "not known then" for n in differing)].append(run)
    settings = [
        Setting(number, dict(zip(differing, values, strict=True)), sorted(its, key=lambda run: run.seed))
        for number, (values, its) in enumerate(groups.items())
    ]
    return Chapter(protocol, differing, settings)


def final(value: Any) -> float | None:
    """The last of some numbers, or the one that there is; None for what is no number."""
    value = value[-1] if isinstance(value, list) and value else value
    try:
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
    except OverflowError:
        return None


def interval_text(values: Iterable[float], form: str = ".4g") -> str:
    """Mean and 95 % interval over seeds as text; the mean alone for one seed."""
    values = np.asarray(list(values), float)
    mean, low, high = mean_and_interval(values)
    if len(values) == 1 or not np.isfinite(low):
        return f"{mean:{form}}"
    return f"{mean:{form}} [{low:{form}}, {high:{form}}], {students_t(len(values))}"

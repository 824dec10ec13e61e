"""The progress of a sweep on standard error: a live table in a terminal, plain lines elsewhere."""

import datetime
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from cortex_model.sweeps.sweeping import STATES, Progress

#: Failures that the live table shows; all of them are in sweep.csv.
N_SHOWN = 10


@contextmanager
def progress_table(console: Console) -> Iterator[Callable[[Progress, list[int]], None]]:
    """Yields ``report(progress, changed)`` for `cortex_model.sweeps.sweeping.sweep`."""
    if not console.is_terminal:
        yield lambda progress, changed: _print_lines(console, progress, changed)
        return
    latest: list[Progress] = []
    with Live(get_renderable=lambda: _table(latest[0]) if latest else "", console=console, refresh_per_second=2):
        yield lambda progress, changed: latest.__setitem__(slice(None), [progress])


def _table(progress):
    table = Table(*STATES, "time left", box=None)
    table.add_row(*map(str, progress.counts().values()), _time_left(progress))
    failed = list(_lines(progress, [at for at, state in enumerate(progress.states) if state == "failed"]))
    more = [f"... and {len(failed) - N_SHOWN} more, all in sweep.csv"] if len(failed) > N_SHOWN else []
    return Group(table, *map(Text, failed[:N_SHOWN] + more))


def _print_lines(console, progress, changed):
    if not changed:
        return
    counts = ", ".join(f"{n} {state}" for state, n in progress.counts().items())
    for line in [*_lines(progress, changed), f"{counts}, time left {_time_left(progress)}"]:
        console.print(line, soft_wrap=True, highlight=False, markup=False)


def _lines(progress, runs):
    for at in runs:
        sentence = f": {progress.failures[at]}" if progress.failures[at] else ""
        yield f"{progress.states[at]}: {progress.asked[at]}{sentence}"


def _time_left(progress):
    seconds = progress.seconds_left()
    return "-" if seconds is None else str(datetime.timedelta(seconds=round(seconds)))

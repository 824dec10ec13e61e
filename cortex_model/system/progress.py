"""The one progress bar: in a terminal, or in a notebook; nothing where output goes to a file."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from cortex_model.errors import literal
from cortex_model.system.console import LiteralConsole

err = LiteralConsole(stderr=True)
Report = Callable[[int, int, str], None]
#: Seconds between two updates of a line in a notebook.
PERIOD = 0.2


@contextmanager
def progress_bar(what: str, counted: str = "presentations") -> Iterator[Report]:
    """A bar with rate and time left; yields ``report(done, total, text)``.

    Parameters
    ----------
    what : str
        What goes on.
    counted : str
        What is counted.
    """
    if err.is_jupyter:
        yield _notebook_line(what, counted)
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task):
            speed = task.speed or 0
            return Text(f"{speed:,.{0 if speed > 9 else 1}f} {counted}/s")

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        Rate(),
        TimeRemainingColumn(),
    )
    period = 600 if counted == "runs" else 60  # seconds over which a speed is estimated
    with Progress(*columns, console=err, disable=not err.is_terminal, speed_estimate_period=period) as progress:
        task = progress.add_task(what, total=None)

        def report(done: int, total: int, text: str = "") -> None:
            progress.update(task, completed=done, total=total, description=literal(f"{what}: {text}" if text else what))

        yield report


#: How often cells have been executed -> the line below the cell that was executed last.
_line_of_cell: dict[int, Any] = {}


def _notebook_line(what, counted):
    """A line below the cell that is written over, also by the cell's next job: no widget has to be installed for it."""
    from IPython import get_ipython
    from IPython.display import display

    class Line:
        def __init__(self, text):
            self.text = text

        def __repr__(self):
            return self.text

    shell = get_ipython()
    cell = -1 if shell is None else shell.execution_count
    handle: Any = _line_of_cell.get(cell)
    began = shown = time.perf_counter()

    def report(done: int, total: int, text: str = "") -> None:
        nonlocal handle, shown
        now = time.perf_counter()
        if handle is not None and now - shown < PERIOD and done < total:
            return
        shown, seconds = now, now - began
        left = f", {seconds * (total - done) / done:.0f} s left" if 0 < done < total else ""
        line = Line(f"{what}{f': {text}' if text else ''}: {done} of {total} {counted} in {seconds:.1f} s{left}")
        if handle is None:
            handle = display(line, display_id=True)
            _line_of_cell.clear()
            _line_of_cell[cell] = handle
        else:
            handle.update(line)

    return report

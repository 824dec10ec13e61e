"""What the command line reads and writes: texts as overrides, and tables."""

import json
import os
import sys
from pathlib import Path
from typing import Any

from rich.table import Table

from cortex_model.errors import ParameterError, RunError, in_short
from cortex_model.system.console import LiteralConsole

#: Tables keep their columns where the output is a file or a pipe.
out = LiteralConsole(width=None if sys.stdout.isatty() else 200)


def overrides(sets: list[str] | None, option: str = "--set") -> dict[str, str]:
    """Texts ``key=value`` as a dictionary.

    Raises
    ------
    ParameterError
        If one has no value.
    """
    values = {}
    for text in sets or []:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not equals or not name:
            got = in_short(text)
            raise ParameterError(f"{option}: must be key=value (got {got}); write for example {option} epochs=5.")
        if name in values and values[name] != value:
            got = f"{name}={in_short(values[name])[1:-1]} and {name}={in_short(value)[1:-1]}"
            raise ParameterError(f"{option}: must name each parameter once (got {got}); leave one, or join the two.")
        values[name] = value
    return values


def out_folder_of(text: str | Path) -> Path:
    """A folder to write into, which need not exist: it is looked at before anything is computed for it.

    Raises
    ------
    RunError
        If it, or what it would be made in, is no folder that can be written.
    """
    path = Path(text if isinstance(text, str | Path) else "").expanduser()
    try:
        nearest = next(folder for folder in (path, *path.absolute().parents) if folder.exists())
        got = "" if nearest.is_dir() else f"{nearest}, which is a file"
        got = got or ("" if os.access(nearest, os.W_OK | os.X_OK) else f"{nearest}, which cannot be written")
    except (OSError, ValueError) as error:
        got = getattr(error, "strerror", None) or str(error)
    if "\0" in str(path):
        got = "a name with a null character"
    elif not isinstance(text, str | Path) or not str(text).strip():
        got = "an empty name" if isinstance(text, str) else f"{text!r}"[:80]
    if got:
        raise RunError(f"--out: must be a folder that can be written (got {got}); give another one with --out.")
    return path


def tell(summary: dict[str, Any], as_json: bool) -> None:
    """A summary as a table, or as one line of JSON."""
    if as_json:
        print(json.dumps(summary))
        return
    table = Table("", "", box=None, show_header=False)
    for name, value in summary.items():
        try:
            shown = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        except ValueError:  # a number of more digits than Python prints
            shown = in_short(value)
        many = (
            f"{len(value)} values, last {in_short(value[-1])}" if isinstance(value, list) and value else in_short(value)
        )
        table.add_row(name, shown if len(shown) < 400 else many)
    out.print(table)


def print_rows(rows: list[dict[str, Any]], note: str = "") -> None:
    """Rows with the same keys as a table, and a note below it."""
    if not rows:
        return
    table = Table(*rows[0], box=None)
    for row in rows:
        table.add_row(*map(str, row.values()))
    out.print(table)
    if note:
        out.print(note)

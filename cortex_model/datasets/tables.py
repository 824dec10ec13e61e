"""Tables of numbers as text: .csv, .tsv, .txt, as spreadsheets, pandas, R, MATLAB and NumPy write them.

===========  ==================================================================================================
encoding     UTF-8 or UTF-16 with their marks, UTF-8, else Windows-1252
cells        separated by tabs, semicolons, commas or white space; with the first three decimal commas too, where no
             cell has a point, if commas do not separate
names        a first row and a first column that are no numbers, or are counted (0, 1, 2 ...) as pandas does
===========  ==================================================================================================

What could be meant differently is said in a note.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np

from cortex_model.datasets.stimulus_names import are_counted, as_name, decoded_text
from cortex_model.datasets.user_files import content_of, decoding, misfit, must_hold

SEPARATORS = (b",", b";", b"\t", b"|", b" ")
MISSING = ("", "nan", "na", "n/a")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?|[+-]?inf(inity)?", re.ASCII | re.IGNORECASE)
_COMMA_NUMBER = re.compile(r"[+-]?\d*,\d+(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
Cells = list[list[str]]


class Guide(NamedTuple):
    """What is known before data are read: their kind, how many images there are, and the names of these."""

    kind: str
    n_stimuli: int
    names: frozenset[str]


class Table(NamedTuple):
    """Numbers, NaN where a cell is empty, with the names of columns and rows where there are any."""

    array: np.ndarray
    columns: tuple[str, ...] | None
    rows: tuple[str, ...] | None
    notes: tuple[str, ...]


def read_table(content: bytes, where: object, guide: Guide) -> Table:
    """A table and its names.

    Raises
    ------
    DatasetError
        If it is no table of numbers.
    """
    must_hold(12 * len(content), where)  # of cells that are read by three separators
    text, notes = _decoded(content, where)
    cells, comma_notes = _cells(text, where)
    has_header, has_index = _frame(cells, guide)
    body = [row[has_index:] for row in cells[has_header:]]
    if not body or not body[0]:
        raise misfit(where, "hold numbers", "only names", "save it again")
    if other := [cell for row in body for cell in row if not _is_number(cell)]:
        must = "be a table of numbers with names only in its first row and column"
        raise misfit(where, must, f"{other[0][:40]!r}", "correct it")
    array = np.array([[np.nan if cell.lower() in MISSING else float(cell) for cell in row] for row in body])
    columns = tuple(map(as_name, cells[0][has_index:])) if has_header else None
    rows = tuple(as_name(row[0]) for row in cells[has_header:]) if has_index else None
    read = {"row": columns, "column": rows}
    numbers = [kind for kind, names in read.items() if names and any(map(_is_number, names))]
    notes += tuple(f"The first {kind} of {where} was read as names, not as data." for kind in numbers)
    return Table(array, columns, rows, notes + comma_notes)


def frame_of(path: Path):
    """A table with a name for each column, as pandas has it.

    Raises
    ------
    DatasetError
        If it is none, or would be larger than memory: rows that are shorter than the longest are filled up.
    """
    import pandas

    content = content_of(path, "dataset")
    widest = 1 + max(max(map(line.count, SEPARATORS)) for line in content.splitlines() or [b""])
    must_hold(8.0 * widest * content.count(b"\n"), path, "give fewer rows or columns")
    with decoding(path, "a table with a name for each column"):
        separator = "\t" if path.suffix.lower() == ".tsv" else _separator(content)
        return pandas.read_csv(io.BytesIO(content), sep=separator, engine="python")


def _separator(content: bytes) -> str:
    """What most often stands between the names of columns; `csv.Sniffer` may take hours to find it."""
    first = re.sub(rb'"[^"]*"', b"", next(iter(content.splitlines()), b""))
    *usual, blank = SEPARATORS
    found = max(usual, key=first.count)
    return (found if found in first or blank not in first else blank).decode()


def _decoded(content: bytes, where: object) -> tuple[str, tuple[str, ...]]:
    notes = ()
    with decoding(where, "a table of text"):
        if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            text = content.decode("utf-16")
        else:
            text = decoded_text(content.removeprefix(codecs.BOM_UTF8))
            if text.encode("utf-8", "replace") != content.removeprefix(codecs.BOM_UTF8):
                notes = (f"{where} is not UTF-8: its names were read as Windows-1252.",)
    if "\0" in text:
        raise misfit(where, "be a table of text", "zero bytes", "save it as .csv in UTF-8")
    return text, notes


def _cells(text: str, where: object) -> tuple[Cells, tuple[str, ...]]:
    """The cells, by the first separator that makes equally long rows of numbers."""
    found = []
    for separator in ("\t", ";", ",", None):
        cells = _with_corner(_split(text, separator, where))
        is_even = bool(cells) and len({len(row) for row in cells}) == 1
        points, is_comma = (cells, False) if separator == "," else _with_points(cells)
        inner = [cell for row in points[1:] for cell in row[1:]]
        if is_even and inner and all(map(_is_number, inner)):
            if mixed := [c for row in points for c in row if separator != "," and _COMMA_NUMBER.fullmatch(c)]:
                raise misfit(where, "have one decimal mark", f"{mixed[0]!r} beside points", "write points everywhere")
            if is_comma and _are_thousands(cells):
                must, got = (
                    "have decimal marks that are no marks of thousands",
                    f"commas before three digits in {where}",
                )
                raise misfit(where, must, got, "write decimal points, and no marks of thousands")
            return points, (f"Commas in {where} were read as decimal commas.",) if is_comma else ()
        found.append((is_even and len(cells[0]) > 1, separator == ",", cells))
    *_, cells = max(found, key=lambda each: each[:2])
    lengths = sorted({len(row) for row in cells})
    if len(lengths) != 1:
        got = f"rows of {lengths[:9]} cells" if cells else "nothing"
        raise misfit(where, "be a table whose rows are equally long", got, "save it again")
    return cells, ()


def _split(text: str, separator: str | None, where: object) -> Cells:
    if separator is None:
        rows = [line.split() for line in text.splitlines()]
    else:
        with decoding(where, "a table of text"):
            rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True))
    return [[cell.strip() for cell in row] for row in rows if any(cell.strip() for cell in row)]


def _with_corner(cells: Cells) -> Cells:
    """R leaves out the cell above the names of rows."""
    lengths = {len(row) for row in cells[1:]}
    return [["", *cells[0]], *cells[1:]] if cells and lengths == {len(cells[0]) + 1} else cells


def _with_points(cells: Cells) -> tuple[Cells, bool]:
    """Numbers with decimal commas as numbers with points, where no number has a point."""
    every = [cell for row in cells for cell in row]
    is_comma = any(map(_COMMA_NUMBER.fullmatch, every)) and not any("." in c and _is_number(c) for c in every)
    if not is_comma:
        return cells, False
    return [[c.replace(",", ".") if _COMMA_NUMBER.fullmatch(c) else c for c in row] for row in cells], True


def _are_thousands(cells: Cells) -> bool:
    """Whether every comma could as well part thousands: 1 to 3 digits before it, not 0 alone, and three behind."""
    with_comma = [cell for row in cells for cell in row if _COMMA_NUMBER.fullmatch(cell)]
    return all(re.fullmatch(r"[+-]?[1-9]\d{0,2},\d{3}", cell) for cell in with_comma)


def _frame(cells: Cells, guide: Guide) -> tuple[bool, bool]:
    """Whether the first row, and whether the first column, are names."""
    corner, head, side = cells[0][0], cells[0][1:], [row[0] for row in cells[1:]]
    n_rows, n_columns = len(cells), len(cells[0])
    is_another_name = as_name(corner) in guide.names or n_columns in (guide.n_stimuli, 1)
    if not _are_numbers([head]):
        return True, not _are_numbers([side]) or not corner or not is_another_name
    if not _are_numbers([side]):
        return not corner or _are_labels(head, guide), n_columns > 1
    if not _is_number(corner):
        return True, not is_another_name
    is_square = guide.kind == "rdm" and n_rows == n_columns
    if not corner:
        is_diagonal = all(cells[k][k] == "" for k in range(min(n_rows, n_columns)))
        is_data = is_diagonal and n_columns != guide.n_stimuli + 1
        is_framed = not is_data and (_are_labels(head, guide) or (is_square and head == side))
        return is_framed, is_framed
    if is_square:
        return False, False
    has_header = n_rows > 1 and _are_labels(cells[0], guide)
    fits = n_columns == guide.n_stimuli + 1 or (guide.kind == "responses" and n_rows == guide.n_stimuli)
    return has_header, not has_header and fits and _are_labels([corner, *side], guide)


def _are_labels(cells: list[str], guide: Guide) -> bool:
    """Whether numbers are names: those of images, each once, or counted, or in equal steps."""
    names = set(map(as_name, cells))
    is_each_once = len(cells) > 1 and len(names) == len(cells)
    return is_each_once and (names <= guide.names or are_counted(cells) or _are_in_equal_steps(cells))


def _are_in_equal_steps(cells: list[str]) -> bool:
    """Whether numbers are those of a scale: times, or what counts units from anywhere on."""
    if len(cells) < 4 or not all(_NUMBER.fullmatch(cell) for cell in cells):
        return False
    steps = np.diff([float(cell) for cell in cells])
    return bool(np.isfinite(steps).all() and steps[0] != 0 and np.allclose(steps, steps[0], rtol=1e-6, atol=0))


def _are_numbers(cells: Cells) -> bool:
    return all(_is_number(cell) for row in cells for cell in row)


def _is_number(cell: str) -> bool:
    return cell.lower() in MISSING or _NUMBER.fullmatch(cell) is not None

"""What a page says of a protocol, and how it writes numbers and the texts of strangers."""

import ast
import inspect
import re
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cortex_model.reports.reading import ReadRun
from cortex_model.runs.directory import PROTOCOL_FILES
from cortex_model.runs.protocol import protocol_folder

#: Characters of a value, and of a protocol's page, that are shown.
LONGEST, LONGEST_PAGE = 300, 20_000
#: A piece of a paragraph: whether it is code, and the text.
Span = tuple[bool, str]


@dataclass(frozen=True)
class ProtocolPage:
    """The page at the top of a protocol's file.

    Attributes
    ----------
    title : str
    sections : list of (str, list of list of Span)
        Heading (nothing where there is none), and its paragraphs.
    source : str
        A sentence: where it was read.
    """

    title: str
    sections: list[tuple[str, list[list[Span]]]]
    source: str


def protocol_page(run: ReadRun) -> ProtocolPage:
    """The page of a run's protocol, from the text of its file, which is parsed and never run."""
    if run.is_shipped:
        file = protocol_folder() / f"{run.description['protocol']}.py"
        return _page(file, "From the protocol that comes with the package.")
    file = run.row.directory.path / PROTOCOL_FILES / Path(str(run.description["protocol_file"])).name
    return _page(file, "A protocol of the user's own; from the copy of its file in the run directory.")


def _page(file, source):
    try:
        docstring = ast.get_docstring(ast.parse(file.read_bytes())) or ""
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return ProtocolPage("", [], f"{source} It cannot be read, so what it asks is not said here.")
    if not docstring.strip():
        return ProtocolPage("", [], f"{source} It has no page, so what it asks is not said here.")
    return ProtocolPage(*sections_of(docstring[:LONGEST_PAGE]), source)


def sections_of(docstring: str) -> tuple[str, list[tuple[str, list[list[Span]]]]]:
    """Title and sections of a docstring: a heading is a line above an indented block."""
    title, *blocks = re.split(r"\n\s*\n", inspect.cleandoc(docstring))
    sections: list[tuple[str, list[list[Span]]]] = []
    for block in blocks:
        first, *rest = block.split("\n")
        is_heading = rest and not first[:1].isspace() and all(line[:1].isspace() for line in rest)
        text = "\n".join(rest) if is_heading else block
        if is_heading or not sections:
            sections.append((first if is_heading else "", []))
        sections[-1][1].append(spans(" ".join(textwrap.dedent(text).split())))
    return " ".join(title.split()), sections


def spans(text: str) -> list[Span]:
    """A paragraph in pieces, of which those in backquotes are code."""
    pieces = re.split(r"``(.+?)``|`(.+?)`", text)
    return [(at % 3 > 0, piece) for at, piece in enumerate(pieces) if piece]


def printable(text: Any) -> str:
    """A text without what is no character to be read: controls, halves of characters, turns of direction."""
    return "".join(each if each.isprintable() or each in "\n\t" else "\ufffd" for each in str(text))


def value_text(value: Any) -> str:
    """The value of a parameter as it is typed, cut where it is long."""
    text = ",".join(map(str, value)) if isinstance(value, list | tuple) else "" if value is None else str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} ..."


def measure_words(name: str, unit: str = "") -> str:
    """A measure's name as words, with its unit where that is one."""
    words = re.sub(r"_(percent|degrees)$", "", name).replace("_", " ")
    shown = {"percent": "%", "degree": "degrees", "1": "", "": ""}.get(unit, unit)
    words = words if len(words) <= 60 else f"{words[:60]} ..."
    return printable(f"{words} ({shown[:20]})" if shown else words)


def number(value: Any, form: str = ",.6g") -> str:
    """A number as a page shows it; nothing for what is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    return f"{value:,}" if isinstance(value, int) else f"{value:{form}}"

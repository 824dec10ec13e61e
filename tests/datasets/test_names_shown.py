"""Names that users give, in whatever they stand: shown letter by letter, and harmless in names of files."""

import io

import numpy as np
import pytest

from cortex_model.cli.printing import print_rows, tell
from cortex_model.datasets.stimulus_names import as_file_name, as_name
from cortex_model.errors import DatasetError, literal
from cortex_model.system.console import LiteralConsole
from cortex_model.system.failures import told

HOSTILE = {
    "[red]IT[/red]": "[red]IT[/red]",
    "[/]": "[/]",
    ":smile:": ":smile:",
    "\x1b[31mIT\x1b[0m": r"\x1b[31mIT\x1b[0m",
    "one\ntwo": r"one\ntwo",
    "one\0two\r": r"one\x00two",
    "\u202etxt.exe": r"\u202etxt.exe",
    "caf\u00e9 \u00a0x": "caf\u00e9 \u00a0x",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_is_one_line_without_controls(name):
    assert as_name(name) == HOSTILE[name] == as_name(np.array(name))


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_printed_stands_letter_by_letter(name, capsys, monkeypatch):
    printed = io.StringIO()
    monkeypatch.setattr("cortex_model.cli.printing.out", LiteralConsole(file=printed, width=200))
    print_rows([{name: name}], note=name)
    tell({"classes": [name, "other"]}, as_json=False)
    assert printed.getvalue().count(literal(name, "\n").split("\n")[0]) == 4
    assert not {"\x1b", "\0", "\u202e"} & set(printed.getvalue())


def test_errors_hold_no_controls():
    assert told(DatasetError("data \x1b[2J: must\nbe (got \0); mend."))[0] == r"data \x1b[2J: must be (got \x00); mend."


@pytest.mark.parametrize(
    ("name", "file"),
    [("../../etc/passwd", "etc_passwd"), (".hidden", "hidden"), ("-rf *", "rf_"), ("human_it:1", "human_it_1"),
     ("\0", "unnamed"), ("a" * 300, "a" * 100), ("\u00e9t\u00e9 1.5", "\u00e9t\u00e9_1.5"), ("C:\\con|", "C_con_")],
)  # fmt: skip
def test_a_name_of_a_file_is_harmless(name, file):
    assert as_file_name(name) == file

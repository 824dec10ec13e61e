"""Tables as pandas, R, NumPy and spreadsheets write them: the numbers and names that were meant, or a sentence."""

import numpy as np
import pandas
import pytest

from cortex_model.datasets.tables import Guide, read_table
from cortex_model.errors import DatasetError

N, N_UNITS = 6, 4
NAMES = ("face", "cup", "dog", "tree", "house", "façade")
UNITS = ("u1", "u2", "u3", "u4")
RESPONSES = np.round(np.random.default_rng(0).normal(2, 1, (N_UNITS, N)), 3)
RDM = np.abs(np.subtract.outer(np.arange(N), np.arange(N))).astype(float)
"""Distances on a line: its first row is 0, 1, 2 ..., as a header of pandas is."""
COUNTED = tuple(str(k) for k in range(N))


def lines(array, columns=None, rows=None, corner="", separator=",", form="{:g}"):
    """A table as text; ``corner`` None leaves the first cell of the header out, as R does."""
    written = [[form.format(value) for value in row] for row in array]
    written = written if rows is None else [[name, *row] for name, row in zip(rows, written, strict=True)]
    head = [] if columns is None else [[*([] if rows is None or corner is None else [corner]), *columns]]
    return "\n".join(separator.join(row) for row in (*head, *written)) + "\n"


def read(text, kind="responses", names=NAMES, encoding="utf-8"):
    return read_table(text.encode(encoding), "d.csv", Guide(kind, N, frozenset(names)))


FRAME = pandas.DataFrame(RESPONSES)
#: Who wrote it -> (text, names of columns, names of rows).
RESPONSE_TABLES = {
    "plain": (lines(RESPONSES), None, None),
    "pandas": (FRAME.to_csv(), COUNTED, COUNTED[:N_UNITS]),
    "pandas without an index": (FRAME.to_csv(index=False), COUNTED, None),
    "pandas without a header": (FRAME.set_axis(UNITS).to_csv(header=False), None, UNITS),
    "pandas with an index only": (FRAME.to_csv(header=False), None, COUNTED[:N_UNITS]),
    "names": (lines(RESPONSES, NAMES, UNITS), NAMES, UNITS),
    "names of stimuli only": (lines(RESPONSES, NAMES), NAMES, None),
    "names of stimuli, numbers of units": (lines(RESPONSES, NAMES, "7924", "unit"), NAMES, tuple("7924")),
    "a corner that is no name": (lines(RESPONSES, NAMES, UNITS, "unit"), NAMES, UNITS),
    "R": (lines(RESPONSES, NAMES, UNITS, None, " "), NAMES, UNITS),
    "NumPy": (lines(RESPONSES, separator=" ", form="{:.18e}"), None, None),
    "tabs": (lines(RESPONSES, NAMES, UNITS, separator="\t"), NAMES, UNITS),
    "semicolons": (lines(RESPONSES, NAMES, UNITS, separator=";"), NAMES, UNITS),
    "decimal commas": (lines(RESPONSES, NAMES, UNITS, separator=";").replace(".", ","), NAMES, UNITS),
    "quotes": (lines(RESPONSES, [f'"{name}"' for name in NAMES], UNITS, separator=", "), NAMES, UNITS),
    "windows": (lines(RESPONSES, NAMES, UNITS).replace("\n", "\r\n"), NAMES, UNITS),
}


@pytest.mark.parametrize(("text", "columns", "rows"), RESPONSE_TABLES.values(), ids=list(RESPONSE_TABLES))
def test_responses_as_each_program_writes_them(text, columns, rows):
    table = read(text)
    np.testing.assert_allclose(table.array, RESPONSES, rtol=1e-6)
    assert (table.columns, table.rows) == (columns, rows)
    assert any("decimal commas" in note for note in table.notes) == ("," in text and ";" in text)
    counted = any(set(names or ()) & {*COUNTED, *"7924"} for names in (columns, rows))
    assert any("as names, not as data" in note for note in table.notes) == counted


RDM_FRAME = pandas.DataFrame(RDM)
#: Who wrote it -> (text, names).
RDM_TABLES = {
    "plain": (lines(RDM), None),
    "pandas": (RDM_FRAME.to_csv(), COUNTED),
    "pandas without an index": (RDM_FRAME.to_csv(index=False), COUNTED),
    "names": (lines(RDM, NAMES, NAMES), NAMES),
    "numbers as names": (lines(RDM, ("12", "7", "3", "100", "5", "9"), ("12", "7", "3", "100", "5", "9")), None),
}


@pytest.mark.parametrize(("text", "names"), RDM_TABLES.values(), ids=list(RDM_TABLES))
def test_rdms_as_each_program_writes_them(text, names):
    table = read(text, "rdm")
    np.testing.assert_array_equal(table.array, RDM)
    assert names is None or names in (table.columns, table.rows)


def test_an_empty_diagonal_is_no_header():
    gaps = np.where(np.eye(N, dtype=bool), np.nan, RDM)
    np.testing.assert_array_equal(read(lines(gaps).replace("nan", ""), "rdm").array, gaps)
    framed = lines(gaps, COUNTED, COUNTED).replace("nan", "")
    np.testing.assert_array_equal(read(framed, "rdm").array, gaps)
    missing = RESPONSES.copy()
    missing[0, 0] = np.nan
    np.testing.assert_array_equal(read(lines(missing).replace("nan", "")).array, missing)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encodings(encoding):
    table = read(lines(RESPONSES, NAMES, UNITS), encoding=encoding)
    assert table.columns == NAMES and bool(table.notes) == (encoding == "cp1252")


#: What is wrong -> (text, what the sentence says).
REFUSED = {
    "unequal rows": ("1,2,3\n1,2\n", r"rows are equally long \(got rows of \[2, 3\] cells\)"),
    "nothing": ("\n\n", r"rows are equally long \(got nothing\)"),
    "names only": (",a,b\n", r"must hold numbers \(got only names\)"),
    "text inside": (",a,b\nu,1,x\nv,1,2\n", r"only in its first row and column \(got 'x'\)"),
    "two decimal marks": ("1,5;2.5;1\n1;2;3\n", r"have one decimal mark \(got '1,5' beside points\)"),
    "zero bytes": ("1,2\0,3\n1,2,3\n", r"must be a table of text \(got zero bytes\)"),
    "an error of Excel": (lines(RESPONSES, NAMES, UNITS).replace("2", "#DIV/0!"), r"\(got '.*#DIV/0!.*'\)"),
    "underscores": ("1,1_0,3\n1,1_0,3\n4,5_0,6\n", r"names only in its first row and column \(got '1_0'\)"),
}


@pytest.mark.parametrize(("text", "sentence"), REFUSED.values(), ids=list(REFUSED))
def test_what_is_no_table(text, sentence):
    with pytest.raises(DatasetError, match=sentence):
        read(text)


# ---------------------------------------------------------------------- numbers that are names, and marks of thousands
def _responses(header=None, index=None):
    """A table of 8 units by 12 stimuli, or transposed where there is an index."""
    values = np.random.default_rng(0).normal(size=(8, 12)).round(3)
    rows = [[*map(str, row)] for row in (values.T if index else values)]
    rows = [[label, *row] for label, row in zip(index, rows, strict=True)] if index else rows
    return "\n".join(",".join(row) for row in ([header] if header else []) + rows).encode()


@pytest.mark.parametrize(
    "header",
    [
        [f"{n}.0" for n in range(12)],
        [str(n) for n in range(100, 112)],
        [str(10 * n) for n in range(12)],
        [f"{0.05 * n:.2f}" for n in range(12)],
    ],
)
def test_a_header_of_numbers_in_equal_steps_is_no_unit(header):
    table = read_table(_responses(header=header), "data.csv", Guide("responses", 12, frozenset()))
    assert table.array.shape == (8, 12)
    assert any("first row" in note for note in table.notes)


@pytest.mark.parametrize("first", [0, 1])
def test_a_counted_column_beside_rows_of_stimuli_is_no_unit(first):
    index = [str(n + first) for n in range(12)]
    table = read_table(_responses(index=index), "data.csv", Guide("responses", 12, frozenset()))
    assert table.array.shape == (12, 8)
    assert any("first column" in note for note in table.notes)


def test_marks_of_thousands_are_not_taken_for_decimal_commas():
    with pytest.raises(DatasetError, match="marks of thousands"):
        read_table(b"50,075;7,712\n12,500;3,250\n", "data.csv", Guide("responses", 2, frozenset()))
    read = read_table(b"50,075;0,712\n12,500;3,250\n", "data.csv", Guide("responses", 2, frozenset()))
    assert read.array[0, 1] == 0.712

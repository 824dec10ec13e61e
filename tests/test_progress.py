"""The line of progress in a notebook: one below each cell, however many jobs the cell has."""

from types import SimpleNamespace

import pytest

from cortex_model.system import progress


@pytest.fixture
def notebook(monkeypatch):
    """A shell of IPython that counts cells, and what has been displayed: a list of lines, as they stand at the end."""
    shown, shell = [], SimpleNamespace(execution_count=1)

    def display(line, display_id):
        shown.append(repr(line))
        at = len(shown) - 1
        return SimpleNamespace(update=lambda line: shown.__setitem__(at, repr(line)))

    IPython = pytest.importorskip("IPython", reason="needs IPython")
    monkeypatch.setattr(IPython, "get_ipython", lambda: shell)
    monkeypatch.setattr("IPython.display.display", display)
    monkeypatch.setattr(progress, "err", SimpleNamespace(is_jupyter=True))
    progress._line_of_cell.clear()
    yield shell, shown
    progress._line_of_cell.clear()


def test_jobs_of_a_cell_share_its_line(notebook):
    shell, shown = notebook
    for n in range(3):
        with progress.progress_bar(f"job {n}") as report:
            report(0, 5)
            report(5, 5)
    assert len(shown) == 1 and shown[0].startswith("job 2: 5 of 5 presentations in ")
    shell.execution_count = 2
    with progress.progress_bar("another cell") as report:
        report(1, 5, "on runtime")
    assert len(shown) == 2 and shown[1].startswith("another cell: on runtime: 1 of 5 presentations in ")
    assert shown[0].startswith("job 2"), "the line of an earlier cell stays"

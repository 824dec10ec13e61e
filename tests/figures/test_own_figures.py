"""A file with ``draw(runs, out)`` is a figure; one that is none, or fails, is named with its line."""

import re

import pytest

from cortex_model.cli import main
from cortex_model.errors import ParameterError
from cortex_model.experiments.reproduce import figure_folder, load_figure

README = (figure_folder() / "README.md").read_text()


def example():
    """The example of the page, as a file's text."""
    (text,) = [t for t in re.findall(r"```python\n(.*?)```", README, re.S) if "def draw(runs, out)" in t]
    return text


def ended(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    return stopped.value.code or 0, capsys.readouterr()


def test_the_example_of_the_page_is_drawn(runs_for, tmp_path, capsys):
    (tmp_path / "my_figure.py").write_text(example())
    runs = [str(run.path) for run in runs_for("fig2b")]
    status, said = ended(["figure", str(tmp_path / "my_figure.py"), *runs, "--out", str(tmp_path / "out")], capsys)
    assert status == 0, said.err
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"asleep.png", "asleep.pdf", "asleep.csv"}
    assert "degrees" in said.out and "random_feedback" in said.out


def test_a_file_may_import_from_its_folder_and_return_nothing(runs_for, tmp_path, capsys):
    (tmp_path / "mine.py").write_text("NAME = 'seen'\n")
    lines = ["def draw(runs, out):", "    from mine import NAME", "    (out / NAME).write_text(str(len(runs)))"]
    (tmp_path / "own.py").write_text("\n".join(lines))
    run = str(runs_for("fig1b")[0].path)
    status, said = ended(["figure", str(tmp_path / "own.py"), run, "--out", str(tmp_path / "out")], capsys)
    assert (status, said.err) == (0, "")
    assert (tmp_path / "out" / "seen").read_text() == "1"


@pytest.mark.parametrize(("text", "sentence"), [
    ("", r"own\.py: must define draw\(runs, out\), .* \(got None\); see figures/README\.md"),
    ("draw = 3", r"own\.py: must define draw\(runs, out\), .* \(got 3\)"),
    ("\ndef draw(runs):\n    pass", r"own\.py, line 2: must define draw\(runs, out\), .* \(got: too many positional"),
    ("def (:", r"own\.py, line 1: must be Python that can be loaded"),
    ("import nothing_of_this_name", r"own\.py, line 1: must run \(got ModuleNotFoundError"),
    ("def draw(runs, out):\n    return 1 / 0", r"own\.py, line 2: must run \(got ZeroDivisionError"),
    ("def draw(runs, out):\n    import numpy\n    numpy.zeros(2).reshape(3)", r"own\.py, line 3: must run \(got Val"),
    ("def draw(runs, out):\n    return 3", r"own\.py, line 1: draw must return a list of dicts .* \(got 3\)"),
    ("def draw(runs, out):\n    return [{'a': 1}, {'b': 1}]", r"line 1: draw must return a list of dicts with the"),
])  # fmt: skip
def test_a_file_that_is_no_figure_is_named_with_its_line(text, sentence, runs_for, tmp_path, capsys):
    (tmp_path / "own.py").write_text(text)
    run = str(runs_for("fig1b")[0].path)
    status, said = ended(["figure", str(tmp_path / "own.py"), run, "--out", str(tmp_path)], capsys)
    assert status == 2 and len(said.err.splitlines()) == 1
    assert re.search(sentence, said.err), said.err


def test_a_file_that_is_not_there_and_runs_that_nobody_knows():
    with pytest.raises(ParameterError, match=r"a file that is there \(got 'nowhere.py'\)"):
        load_figure("nowhere.py")


def test_reproduce_refuses_a_file(tmp_path):
    (tmp_path / "own.py").write_text(example())
    with pytest.raises(ParameterError, match="draw runs of your own with `cortex-model figure own.py RUN_DIRS`"):
        load_figure(str(tmp_path / "own.py")).requests("digits", 3)

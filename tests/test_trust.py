"""Reading never runs code; what goes on with a run runs only the files with which it began."""

import json
import os
import shutil
from pathlib import Path

import pytest

import cortex_model
from cortex_model import Cortex
from cortex_model.errors import CortexModelError, ParameterError, RunError
from cortex_model.protocol import load_protocol
from cortex_model.rules import own
from cortex_model.runs.directory import RunDirectory
from cortex_model.system import sources
from cortex_model.system.sources import OwnCode, reading

#: A line that leaves a trace where it is run.
TRACE = "import pathlib; pathlib.Path({!r}).touch()\n"
PROTOCOL = '''"""What is run?"""
from dataclasses import replace
from cortex_model.protocol import load_protocol

STOCK = load_protocol("pseudoinverse_alignment")
PROTOCOL = replace(STOCK, name="mine")
'''


@pytest.fixture
def trace(tmp_path):
    return tmp_path / "was_run"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A finished run of a protocol and of a learning rule of one's own."""
    folder = tmp_path_factory.mktemp("trust")
    shipped = Path(own.__file__).with_name("reciprocal.py").read_text()
    (folder / "rule.py").write_text(shipped)
    (folder / "mine.py").write_text(PROTOCOL)
    tiny = load_protocol("pseudoinverse_alignment").tiny
    given = {"learning_rule": str(folder / "rule.py"), "device": "runtime", "out": str(folder / "runs")}
    return cortex_model.run(str(folder / "mine.py"), **given, **tiny)


@pytest.fixture
def planted(made, trace, tmp_path, resealed, monkeypatch):
    """A copy of it whose files were exchanged for others, and whose hashes are those of the others."""
    path = Path(shutil.copytree(made.path, tmp_path / "runs" / made.path.name))
    monkeypatch.setattr(own, "_KNOWN", {})
    given = made.description()
    for folder, names in (("protocol", "protocol_files"), ("learning_rule", "rule_files")):
        for file in (path / folder).iterdir():
            file.write_text(TRACE.format(str(trace)) + file.read_text())
            given[names][file.name] = sources.sha256(file.read_bytes())
    (path / "parameters.json").write_text(json.dumps(given))
    return resealed(path).path


READERS = {
    "show": [], "runs": [], "report": [], "figure curves": [], "figure all_rules": [], "figure surpassed": [],
    "compare": ["--with", "synthetic_rdms"], "diff": [None],
}  # fmt: skip


@pytest.mark.parametrize("command", READERS)
def test_no_reader_runs_a_file_of_a_run_directory(command, planted, trace, command_line, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    more = [planted if word is None else word for word in READERS[command]]
    status, _, error = command_line(*command.split(), planted, *more)
    assert status in (0, 2) and not trace.exists()
    if command == "compare":
        assert "must not be run by what only reads runs" in error and "--run-code" in error
        command_line("compare", planted, *more, "--run-code")
        assert trace.exists(), "the trace is left where code is run"


@pytest.mark.parametrize("field", ["protocol", "learning_rule"])
def test_no_reader_runs_a_file_that_parameters_name(field, made, trace, resealed, command_line, tmp_path, monkeypatch):
    """Anywhere on the disk, as a protocol or as a rule, with its right hash."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "evil.py").write_text(TRACE.format(str(trace)) + PROTOCOL)
    path = Path(shutil.copytree(made.path, tmp_path / "runs" / "a_run"))
    given = made.description() | {"protocol_files": {}, "rule_files": {}, "name": "a_run"}
    digest = own._digest(OwnCode.read(tmp_path / "evil.py"))
    if field == "protocol":
        given |= {"protocol": str(tmp_path / "evil.py"), "protocol_file": "x"}
        given["parameters"] = given["parameters"] | {"learning_rule": "reciprocal"}
    else:
        given |= {"protocol": "pseudoinverse_alignment", "protocol_file": "pseudoinverse_alignment"}
        given["parameters"] = given["parameters"] | {"learning_rule": f"{tmp_path / 'evil.py'}#{digest}"}
    (path / "parameters.json").write_text(json.dumps(given))
    resealed(path)
    for command, more in READERS.items():
        command_line(*command.split(), path, *[path if word is None else word for word in more])
        assert not trace.exists(), command
    for go_on in (lambda: cortex_model.runs.running.resume(path), lambda: Cortex.load(path)):
        with pytest.raises(CortexModelError):
            go_on()
        assert not trace.exists()


def test_a_file_of_another_hash_than_its_name_says_is_refused_before_it_is_run(trace, tmp_path):
    (tmp_path / "rule.py").write_text(TRACE.format(str(trace)))
    with pytest.raises(ParameterError, match="must be what it was"):
        cortex_model.parameters.SleepWakeParameters(learning_rule=f"{tmp_path / 'rule.py'}#123456789abc")
    assert not trace.exists()


def test_resume_runs_what_the_run_began_with_and_nothing_else(made, trace, tmp_path, command_line, monkeypatch):
    path = Path(shutil.copytree(made.path, tmp_path / "runs" / made.path.name))
    monkeypatch.setattr(own, "_KNOWN", {})
    assert command_line("resume", path)[0] == 0
    for folder in ("protocol", "learning_rule"):
        (file,) = (path / folder).iterdir()
        whole = file.read_text()
        file.write_text(TRACE.format(str(trace)) + whole)
        status, _, error = command_line("resume", path)
        assert status == 2 and "must be what the run began with" in error and not trace.exists()
        file.write_text(whole)


def test_what_another_user_owns_is_run_only_when_told_to(made, tmp_path, command_line, monkeypatch):
    path = Path(shutil.copytree(made.path, tmp_path / "runs" / made.path.name))
    monkeypatch.setattr(own, "_KNOWN", {})
    mine = os.geteuid()
    monkeypatch.setattr("cortex_model.runs.protocol.os.geteuid", lambda: mine + 1)
    status, _, error = command_line("resume", path)
    assert status == 2 and "must belong to you alone" in error and "--run-code" in error
    with pytest.raises(RunError, match="must belong to you"):
        Cortex.load(path)
    assert command_line("resume", path, "--run-code")[0] == 0
    assert Cortex.load(path, run_code=True).weights.sha256 == RunDirectory(path).weights().sha256


def test_nothing_is_loaded_while_reading(trace, tmp_path):
    (tmp_path / "mine.py").write_text(TRACE.format(str(trace)) + PROTOCOL)
    with reading(), pytest.raises(ParameterError, match="must not be run by what only reads runs"):
        load_protocol(str(tmp_path / "mine.py"))
    assert not trace.exists()
    with reading(run_code=True):
        load_protocol(str(tmp_path / "mine.py"))
    assert trace.exists()


@pytest.mark.parametrize("harm", ["a link to a folder", "a file that everybody can write", "a folder of all"])
def test_files_that_somebody_else_can_change_are_run_only_when_told_to(harm, made, tmp_path, command_line, monkeypatch):
    path = Path(shutil.copytree(made.path, tmp_path / "runs" / made.path.name))
    monkeypatch.setattr(own, "_KNOWN", {})
    if harm == "a link to a folder":
        (path / "protocol").rename(tmp_path / "elsewhere")
        (path / "protocol").symlink_to(tmp_path / "elsewhere")
    else:
        (path / "protocol" / ("mine.py" if harm.startswith("a file") else "")).chmod(0o777)
    status, _, error = command_line("resume", path)
    assert status == 2 and "must belong to you alone" in error
    assert command_line("resume", path, "--run-code")[0] == 0

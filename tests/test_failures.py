"""No traceback reaches a user: whatever fails ends in one sentence, and what nobody foresaw in a log."""

import errno
import hashlib
import json
import os
import resource
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from cortex_model.cli import main
from cortex_model.devices.program import Program, build
from cortex_model.errors import DeviceError, ParameterError, in_short
from cortex_model.runs.directory import RunDirectory
from cortex_model.system import failures
from cortex_model.system.failures import LOG, MISTAKE, UNFORESEEN, told
from cortex_model.system.storage import read_json

TINY = ["--set", "averaged=true", "--set", "n_presentations=3", "--device", "runtime"]


@pytest.fixture
def called(tmp_path, monkeypatch, capsys):
    """Arguments -> (exit status, output, error), in an empty folder with a cache of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CORTEX_MODEL_CACHE", str(tmp_path / "cache"))

    def call(*arguments):
        with pytest.raises(SystemExit) as stopped:
            main([str(argument) for argument in arguments])
        return stopped.value.code or 0, *capsys.readouterr()

    return call


def one_sentence(error):
    assert len(error.splitlines()) == 1 and "Traceback" not in error, error
    return error


# ---------------------------------------------------------------------- a protocol of one's own
HEAD = '''
from cortex_model.parameters import SleepWakeParameters
from cortex_model.protocol import Protocol


def run(run):
    """What is tested."""
    {body}


PROTOCOL = Protocol("mine", "what?", SleepWakeParameters, run)
'''
LINE_OF_BODY = HEAD.split("\n").index("    {body}") + 1


@pytest.mark.parametrize(
    ("source", "line", "got"),
    [
        ("x = 1\ndef (:\n", 2, "SyntaxError: "),
        ("x = 1\nif x:\ny = 2\n", 3, "IndentationError: expected an indented block"),
        ("\n\nimport not_there_at_all\n", 3, "ModuleNotFoundError: No module named 'not_there_at_all'"),
        ("def f():\n    return 1 / 0\n\n\nf()\n", 2, "ZeroDivisionError: division by zero"),
        ("import numpy as np\nnp.zeros(3) @ np.zeros(4)\n", 2, "ValueError: matmul"),
        ("import sys\nsys.exit('done')\n", 2, "SystemExit: done"),
        ("raise ValueError('two\\nlines')\n", 1, "ValueError: two lines"),
        (
            "from cortex_model.parameters import SleepWakeParameters as P\nP(lr=1)\n",
            2,
            "ParameterError: Parameters.lr: must be the name of a parameter; did you mean 'learning_rate'?",
        ),
    ],
)
def test_a_protocol_that_cannot_be_loaded_is_named_with_its_line(source, line, got, called, tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(source)
    status, _, error = called("run", file)
    assert status == MISTAKE
    assert one_sentence(error).startswith(f"{file}, line {line}: must ") and f"(got {got}" in error


@pytest.mark.parametrize(
    ("body", "got"),
    [
        ("return {'x': 1 / 0}", "ZeroDivisionError: division by zero"),
        ("open('not there')", "FileNotFoundError: [Errno 2] No such file or directory: 'not there'"),
        ("import numpy as np; np.zeros((10**9, 10**9))", "MemoryError: "),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("import json; json.loads('{')", "JSONDecodeError: "),
    ],
)
def test_a_protocol_that_raises_is_named_with_its_line(body, got, called, tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(HEAD.replace("{body}", body))
    status, _, error = called("run", file, "--device", "runtime")
    assert status == MISTAKE
    assert one_sentence(error).startswith(f"{file}, line {LINE_OF_BODY}: must run (got {got}")


def test_an_error_further_down_is_put_down_to_the_line_that_led_to_it_and_kept(called, tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(HEAD.replace("{body}", "import cortex_model.weights as w; w.to_matrix(5, 2, 3)"))
    status, _, error = called("run", file, "--device", "runtime")
    (log,) = tmp_path.glob(f"runs/*/{LOG}")
    assert status == MISTAKE
    assert one_sentence(error).startswith(f"{file}, line {LINE_OF_BODY}: must run (got ValueError: ")
    assert f"the whole traceback is in {log.relative_to(tmp_path)}." in error
    assert "Traceback (most recent call last)" in log.read_text() and "in to_matrix" in log.read_text()


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("pass", "mine.run: must return a dictionary, its summary (got None)"),
        ("return [1, 2]", "mine.run: must return a dictionary, its summary (got [1, 2])"),
        ("return {'a': object()}", "the summary of mine: must hold numbers, texts, lists"),
        ("d = {}; d['a'] = d; return d", "the summary of mine: must hold numbers, texts, lists"),
    ],
)
def test_what_no_summary_can_hold(body, sentence, called, tmp_path):
    (tmp_path / "mine.py").write_text(HEAD.replace("{body}", body))
    status, _, error = called("run", "mine.py", "--device", "runtime")
    assert status == MISTAKE and sentence in one_sentence(error)


def test_numbers_of_numpy_in_a_summary_become_those_of_python(called, tmp_path):
    body = "import numpy as np; return {'a': np.float32(0.5), 'b': np.arange(3), 'c': {'d': np.int64(4)}}"
    (tmp_path / "mine.py").write_text(HEAD.replace("{body}", body))
    status, output, _ = called("run", "mine.py", "--device", "runtime", "--json")
    summary = json.loads(output)
    assert status == 0 and [summary[name] for name in "abc"] == [0.5, [0, 1, 2], {"d": 4}]
    assert read_json(tmp_path / summary["run_dir"] / "summary.json") == summary


# ---------------------------------------------------------------------- the unforeseen
def test_what_nobody_foresaw_is_one_sentence_and_a_log(called, tmp_path, monkeypatch):
    monkeypatch.setattr("cortex_model.runs.protocol.protocol_names", int)
    status, _, error = called("protocols")
    (log,) = (tmp_path / "cache" / "tracebacks").iterdir()
    assert status == UNFORESEEN
    assert one_sentence(error).startswith("cortex-model: must not fail like this (got TypeError: 'int' object is not")
    assert str(log) in error and "in runs.py, line" in error
    assert "Traceback (most recent call last)" in log.read_text()


def test_the_log_goes_elsewhere_where_the_cache_cannot_be_written(called, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("CORTEX_MODEL_CACHE", str(tmp_path / "file"))
    monkeypatch.setattr("tempfile.gettempdir", partial(str, tmp_path / "temporary"))
    monkeypatch.setattr("cortex_model.runs.protocol.protocol_names", int)
    status, _, error = called("protocols")
    (log,) = (tmp_path / "temporary").rglob("*.log")
    assert status == UNFORESEEN and str(log) in one_sentence(error)
    monkeypatch.setattr("tempfile.gettempdir", partial(str, tmp_path / "file"))
    status, _, error = called("protocols")
    assert status == UNFORESEEN and "--traceback" in one_sentence(error)


@pytest.mark.parametrize("arguments", [("--traceback", "run", "none"), ("run", "none", "--traceback")])
def test_a_traceback_is_shown_where_it_is_asked_for(arguments, called):
    status, _, error = called(*arguments)
    assert status == MISTAKE and error.startswith("Traceback (most recent call last)")
    assert error.splitlines()[-1].startswith("PROTOCOL: must be a protocol's name or file (got 'none')")


def test_usage_errors_keep_their_form(called):
    for arguments in (["run"], ["nothing"], ["run", "x", "--nothing"], ["run", "x", "--seed", "many"]):
        status, _, error = called(*arguments)
        assert status == MISTAKE and error.startswith("Usage: ") and "Traceback" not in error


# ---------------------------------------------------------------------- what the system says
def test_a_full_disk(called, tmp_path):
    """Each time after a few bytes more: checkpoint, weights, measures, provenance and summary, log."""
    status, output, _ = called("run", "pseudoinverse_alignment", *TINY, "--json")
    run_dir = tmp_path / json.loads(output)["run_dir"]
    whole = (run_dir / "weights.nc").read_bytes()
    named = set()
    for n_bytes in (60, 700, 1200, 2400, 5000, 8000, 14000):
        RunDirectory(run_dir).clear()
        with largest_file(n_bytes):
            status, _, error = called("resume", run_dir)
        assert status == MISTAKE and "must have room on its disk (got: File too large)" in one_sentence(error)
        assert "free space, then resume" in error and error.startswith(str(run_dir))
        named.add(Path(error.split(":")[0]).name)
        assert not list(run_dir.glob("*.part")) and not RunDirectory(run_dir).has_finished
    assert named == {"provenance.json", "weights.nc"}
    assert called("resume", run_dir)[0] == 0 and (run_dir / "weights.nc").read_bytes() == whole


@contextmanager
def largest_file(n_bytes):
    """While this lasts, no file can become larger."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("cache", ["file", "file/below"])
def test_a_cache_that_cannot_be_written_is_named(cache, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("CORTEX_MODEL_CACHE", str(tmp_path / cache))
    with pytest.raises(OSError) as raised:
        build("key", None)
    sentence, status = told(raised.value)
    assert status == MISTAKE and "set CORTEX_MODEL_CACHE to a folder in which you may write and run" in sentence


def test_a_program_that_may_not_be_executed(tmp_path):
    (tmp_path / "main").write_text("#!/bin/sh\n")
    sha256 = hashlib.sha256(b"#!/bin/sh\n").hexdigest()
    (tmp_path / "manifest.json").write_text(json.dumps({"arrays": {}, "sha256": sha256}))
    with pytest.raises(
        DeviceError, match=r"must be able to execute .*main \(got: Permission denied\); set CORTEX_MODEL_"
    ):
        Program(tmp_path).run()
    sentence, status = told(ImportError("x.so: failed to map segment from shared object", path="x.so"))
    assert status == MISTAKE and "set CORTEX_MODEL_CACHE" in sentence


def test_a_folder_where_a_file_should_be(called, tmp_path):
    (tmp_path / "run" / "parameters.json").mkdir(parents=True)
    status, _, error = called("resume", "run")
    assert status == MISTAKE
    assert one_sentence(error).startswith("run/parameters.json: must be a file (got a folder, a link or a device)")


@pytest.mark.parametrize("number", failures.OF_PATHS, ids=lambda number: errno.errorcode[number])
def test_every_complaint_about_a_path_names_it(number):
    sentence, status = told(OSError(number, os.strerror(number), "there/x"))
    assert status == MISTAKE and sentence.startswith("there/x: must be") and os.strerror(number) in sentence


def test_too_little_memory():
    sentence, status = told(MemoryError())
    assert status == MISTAKE and sentence.startswith("memory: must suffice (got: too little)")


def test_a_sentence_is_one_line_and_shows_no_array_whole():
    assert told(ParameterError("a:\n  b"))[0] == "a: b"
    lists = list(range(1000)), {n: n for n in range(99)}, [[1] * 99] * 99
    for value in (np.zeros((100, 100)), "x" * 1000, 10**500, object(), *lists):
        assert len(in_short(value)) < 300 and "\n" not in in_short(value)
    assert (in_short(np.float32(0.5)), in_short("a"), in_short((1, 2))) == ("0.5", "'a'", "(1, 2)")


# ---------------------------------------------------------------------- commands that list
def test_runs_of_a_folder_without_any(called, tmp_path):
    (tmp_path / "empty").mkdir()
    status, output, error = called("runs", "empty")
    assert (status, error) == (0, "")
    assert output.strip() == "empty holds no runs yet; `cortex-model run PROTOCOL --out empty` makes one."


def test_a_damaged_run_does_not_hide_the_others(called, tmp_path):
    assert called("run", "pseudoinverse_alignment", *TINY)[0] == 0
    for name, content in (("damaged", "{"), ("another", "[]"), ("third", '{"protocol": 1}')):
        (tmp_path / "runs" / name).mkdir()
        (tmp_path / "runs" / name / "parameters.json").write_text(content)
    status, output, _ = called("runs")
    assert status == 0 and "finished" in output
    assert output.count("left out: runs/") == 3 and "runs/damaged/parameters.json: must be JSON" in output


def test_parameters_of_a_protocol_and_of_a_file(called, tmp_path):
    assert (
        "learning_rule" in called("parameters")[1] and "averaged" in called("parameters", "pseudoinverse_alignment")[1]
    )
    (tmp_path / "mine.py").write_text(HEAD.replace("{body}", "return {}"))
    status, output, _ = called("parameters", "mine.py")
    assert status == 0 and "learning_rule" in output and "averaged" not in output


@pytest.mark.parametrize("command", ["figure", "reproduce"])
def test_help_names_every_figure(command, called):
    from cortex_model.experiments.reproduce import (
        experiment_names,
        figure_names,
        protocol_figure_names,
        rule_figure_names,
    )

    status, output, _ = called(command, "--help")
    assert status == 0
    for name in figure_names() + experiment_names() + protocol_figure_names() + rule_figure_names():
        assert name in output.replace("\n", " ")


OWN_DATA = '''
from cortex_model.parameters import SleepWakeParameters
from cortex_model.protocol import Protocol
from cortex_model.weights import initial_weights


class Mine(SleepWakeParameters):
    """Parameters of a protocol with data of its own."""

    dataset: str = "{dataset}"
    stimulus_scaling: str = "unit"
    layer_sizes: tuple[int, ...] = (5, 4)


def run(run):
    """Learn nothing."""
    run.weights = initial_weights(run.parameters, 0)
    return {{}}


PROTOCOL = Protocol("mine", "what?", Mine, run)
'''


@pytest.mark.parametrize("dataset", ["mine", "digits"])
def test_a_protocol_with_a_dataset_of_its_own_is_not_compared(dataset, called, tmp_path):
    (tmp_path / "mine.py").write_text(OWN_DATA.format(dataset=dataset))
    status, output, error = called("run", "mine.py", "--device", "runtime", "--json")
    assert status == 0, error
    compare = ["compare", json.loads(output)["run_dir"], "--with", "synthetic_rdms"]
    status, _, error = called(*compare)
    assert status == MISTAKE and "must not be run by what only reads runs" in one_sentence(error)
    status, _, error = called(*compare, "--run-code")
    assert status == MISTAKE and "RUN_DIR: must be a run that learned from images of digits" in one_sentence(error)

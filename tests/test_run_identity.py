"""What a result depends on is in its name or in its provenance: a protocol's files, the package's sources."""

import json
import warnings
from pathlib import Path

import numpy as np
import pytest

import cortex_model
from cortex_model.errors import CortexModelWarning, ParameterError, RunError
from cortex_model.protocol import load_protocol
from cortex_model.runs import running
from cortex_model.runs.directory import RunDirectory
from cortex_model.runs.protocol import protocol_of
from cortex_model.runs.provenance import mind_other_sources
from cortex_model.system import sources

PROTOCOL = """
from dataclasses import dataclass
from pathlib import Path
import numpy as np
from cortex_model.parameters import Parameters, parameter
from cortex_model.protocol import Protocol
{imports}

class P(Parameters):
    x: float = parameter(1.0, "a number")

def run(run):
    {more}
    return {{"answer": {answer}, "file": __file__}}

PROTOCOL = Protocol("{name}", "What?", P, run)
"""


@pytest.fixture
def protocol(tmp_path):
    """(content of the answer, imports, other files) -> a protocol's file below ``tmp_path / where``."""

    def write(answer="1", imports="", more="", name="mine", where="a", **helpers):
        folder = tmp_path / where
        folder.mkdir(exist_ok=True)
        (folder / "mine.py").write_text(PROTOCOL.format(answer=answer, imports=imports, more=more, name=name))
        for helper, content in helpers.items():
            path = folder / f"{helper.replace('__', '/')}.py"
            path.parent.mkdir(exist_ok=True)
            path.write_text(content)
        return str(folder / "mine.py")

    return write


@pytest.fixture
def answer(tmp_path):
    def run(file):
        directory = cortex_model.run(file, device="runtime", out=str(tmp_path / "runs"))
        return directory.summary()["answer"], directory

    return run


def test_a_changed_protocol_file_is_another_run(protocol, answer):
    first, old = answer(protocol("1"))
    assert answer(protocol("1"))[1].path == old.path
    second, new = answer(protocol("2"))
    assert (first, second) == (1, 2)
    assert new.path != old.path


@pytest.mark.parametrize(
    ("imports", "more", "name"),
    [
        ("import helper", "", "helper.VALUE"),
        ("from helper import VALUE", "", "VALUE"),
        ("", "from helper import VALUE", "VALUE"),
        ("import package.helper", "", "package.helper.VALUE"),
        ("from package import helper", "", "helper.VALUE"),
        ("from package.relative import VALUE", "", "VALUE"),
        ("import outer", "", "outer.helper.VALUE"),
        ("from folder import helper", "", "helper.VALUE"),
    ],
)
def test_a_changed_file_that_the_protocol_imports_is_another_run(protocol, answer, imports, more, name):
    found = {}
    for value in (1, 2, 1):
        given = f"VALUE = {value}"
        helpers = {"helper": given, "outer": "import helper", "package__helper": given, "folder__helper": given}
        helpers |= {"package____init__": "", "package__relative": "from .helper import VALUE"}
        got, directory = answer(protocol(name, imports, more, **helpers))
        assert got == value
        found.setdefault(value, set()).add(directory.path)
    assert len(found[1]) == len(found[2]) == 1
    assert found[1] != found[2]


def test_what_a_protocol_does_not_import_is_no_part_of_its_name(protocol, answer):
    _, old = answer(protocol("1", other="VALUE = 1"))
    _, new = answer(protocol("1", other="VALUE = 2"))
    assert old.path == new.path


def test_two_files_with_one_protocol_name_share_no_run(protocol, answer):
    (one, its), (two, others) = answer(protocol("1", where="a")), answer(protocol("2", where="b"))
    assert (one, two) == (1, 2)
    assert its.path != others.path


def test_helpers_of_the_same_name_in_two_folders_are_kept_apart(protocol):
    """Also where the second is loaded before the first runs, and imports only then."""
    loaded = [
        load_protocol(protocol("VALUE", "", "from helper import VALUE", where=where, helper=f"VALUE = {value}"))
        for where, value in (("a", 1), ("b", 2))
    ]
    answers = []
    for each in loaded:
        with each.code.importable():
            answers.append(each.run(None)["answer"])
    assert answers == [1, 2]


def test_the_run_directory_keeps_the_files_and_their_hashes(protocol, answer):
    _, directory = answer(protocol("helper.VALUE", "import helper", helper="VALUE = 3"))
    kept = directory.description()["protocol_files"]
    assert set(kept) == {"mine.py", "helper.py"}
    for name, digest in kept.items():
        assert sources.sha256((directory.path / "protocol" / name).read_bytes()) == digest


def interrupted(file, tmp_path):
    """A run that stops before its end."""
    loaded = load_protocol(file)
    with pytest.raises(KeyboardInterrupt):
        running.start(file, loaded.parameters(), 0, "runtime", tmp_path / "runs")
    (path,) = (tmp_path / "runs").iterdir()
    return path


STOP_ONCE = """
    if not (run.directory.path / "stopped").exists():
        (run.directory.path / "stopped").touch()
        raise KeyboardInterrupt
"""


def test_resume_runs_what_was_begun(protocol, tmp_path):
    file = protocol("helper.VALUE", "import helper", STOP_ONCE.strip(), helper="VALUE = 1")
    path = interrupted(file, tmp_path)
    protocol("'changed'", where="a", helper="VALUE = 2")
    summary = running.resume(path)
    assert summary["answer"] == 1
    assert summary["file"] == file  # data beside the original file are still found
    Path(file).unlink()
    assert protocol_of(RunDirectory(path)).name == "mine"


def test_a_kept_file_that_was_changed_is_refused(protocol, tmp_path):
    path = interrupted(protocol("1", more=STOP_ONCE.strip()), tmp_path)
    kept = path / "protocol" / "mine.py"
    kept.write_text(kept.read_text().replace('"answer": 1', '"answer": 2'))
    with pytest.raises(RunError, match="must be what the run began with"):
        running.resume(path)


def test_a_run_of_a_version_that_kept_no_files_says_so(protocol, tmp_path, resealed):
    path = interrupted(protocol("1", more=STOP_ONCE.strip()), tmp_path)
    given = json.loads((path / "parameters.json").read_text())
    del given["protocol_files"]
    (path / "parameters.json").write_text(json.dumps(given))
    resealed(path)
    with pytest.raises(RunError, match="must hold the file of its protocol"):
        running.resume(path)


def test_a_protocol_file_is_read_once_and_what_was_read_is_run(protocol, tmp_path):
    """A file that changes after it was loaded does not change the run."""
    file = protocol("helper.VALUE", "", "import helper", helper="VALUE = 1")
    loaded = load_protocol(file)
    protocol("helper.VALUE", "", "import helper", helper="VALUE = 2")
    with loaded.code.importable():
        assert loaded.run(None)["answer"] == 1


def test_an_unreadable_file_of_a_protocol_gets_a_sentence(protocol, tmp_path, monkeypatch):
    file = protocol("1", "import helper", helper="")
    read = Path.read_bytes

    def read_bytes(path):
        if path.name == "helper.py":
            raise PermissionError(13, "Permission denied")
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", read_bytes)
    with pytest.raises(ParameterError, match="helper.py: must be a file that can be read .got: Permission denied"):
        load_protocol(file)


# ---------------------------------------------------------------------- the package's own sources
TINY = {"averaged": True, "n_presentations": 30, "look_every_presentations": 10}


@pytest.fixture
def finished(tmp_path):
    """A finished run that these sources made, and how to ask for it again."""

    def run(**more):
        return cortex_model.run("pseudoinverse_alignment", device="runtime", out=str(tmp_path), **TINY, **more)

    directory = run()
    return directory, run


@pytest.fixture
def other_sources(monkeypatch):
    def pretend():
        monkeypatch.setattr("cortex_model.runs.provenance.package_sha256", lambda: "0" * 64)

    return pretend


def test_the_hash_of_the_package_is_that_of_every_source(tmp_path, monkeypatch):
    package = tmp_path / "cortex_model"
    for name in ("network/a.py", "devices/b.h", "protocols/c.py"):
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text("1")
    monkeypatch.setattr(sources, "PACKAGE", package)
    found = {sources.package_sha256.__wrapped__()}
    for path in sorted(package.rglob("*.*")):
        path.write_text("2")
        found.add(sources.package_sha256.__wrapped__())
    (package / "notes.txt").write_text("3")
    found.add(sources.package_sha256.__wrapped__())
    assert len(found) == 4


def test_every_kind_of_file_that_the_package_is_made_of_is_hashed():
    """But pages of text and their looks, and what Python and editors leave."""
    folders = (sources.PACKAGE, sources.package_folder("protocols"))
    kinds = {path.suffix for folder in folders for path in folder.rglob("*.*") if "__pycache__" not in path.parts}
    assert kinds - {".md", ".ipynb", ".html", ".css"} == set(sources.SUFFIXES)


def test_a_finished_run_without_provenance_is_damaged_and_made_anew_where_that_is_asked(finished):
    directory, _ = finished
    (directory.path / "provenance.json").unlink()
    mind_other_sources([directory], again=False)
    with pytest.raises(RunError, match="must hold provenance.json"):
        RunDirectory.opened(directory.path)
    mind_other_sources([directory], again=True)
    assert not directory.has_finished


def test_a_finished_run_of_these_sources_is_silent(finished):
    _, run = finished
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run()


def test_a_finished_run_of_other_sources_says_when_and_by_which_version(finished, other_sources, capsys):
    directory, run = finished
    finish = json.loads((directory.path / "provenance.json").read_text())["finished"][:10]
    other_sources()
    with pytest.warns(CortexModelWarning, match=rf"{finish} .* by cortex-model 0\.1\.0.*--again makes it anew"):
        run()
    arguments = ["pseudoinverse_alignment", "--device", "runtime", "--out", str(directory.path.parent), "--json"]
    arguments += [part for name, value in TINY.items() for part in ("--set", f"{name}={value}")]
    from typer.testing import CliRunner

    from cortex_model.cli import app

    told = json.loads(CliRunner().invoke(app, ["run", *arguments]).stdout.strip().split("\n")[-1])
    assert "--again makes it anew" in told["made_by_other_sources"]


def test_again_makes_it_anew(finished, other_sources):
    directory, run = finished
    other_sources()
    run(again=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run()


@pytest.mark.parametrize("again", [False, True])
def test_many_runs_are_counted_in_one_line(again, finished, other_sources):
    directory, run = finished
    both = [directory, run(seed=1)]
    other_sources()
    if again:
        mind_other_sources(both, again=True)
        assert [each.has_finished for each in both] == [False, False]
    else:
        with pytest.warns(CortexModelWarning, match="^2 of 2 finished runs were made by other sources") as caught:
            mind_other_sources([*both, both[0]], again=False)
        assert len(caught) == 1


def test_sweep_and_reproduce_count_them(tmp_path, other_sources, monkeypatch):
    from cortex_model.experiments import reproduce

    minded = []
    for module in ("cortex_model.experiments.reproduce", "cortex_model.sweeps.sweeping"):
        monkeypatch.setattr(f"{module}.mind_other_sources", lambda runs, again: minded.append((len(runs), again)))
    monkeypatch.setattr("cortex_model.sweeps.cluster.handed_out", lambda *_: [])
    with pytest.raises(RunError):
        monkeypatch.setattr(reproduce, "make_runs", lambda *_: None)
        reproduce.reproduce("fig1a", "digits", 1, tmp_path, "runtime", lambda *_: None, again=True)
    swept = cortex_model.sweep("pseudoinverse_alignment", {"damping": [0.0, 0.1]}, device="runtime", out=str(tmp_path))
    assert swept["failure"].str.contains("interrupted").all(), "nothing was run"
    assert [again for _, again in minded] == [True, False]
    assert all(n > 0 for n, _ in minded)


def test_a_run_that_goes_on_with_other_sources_warns(protocol, tmp_path, other_sources):
    path = interrupted(protocol("1", more=STOP_ONCE.strip()), tmp_path)
    other_sources()
    summary = running.resume(path)
    assert any("whose sources were others" in sentence for sentence in summary["warnings"])
    (resumed,) = json.loads((path / "provenance.json").read_text())["resumed"]
    assert resumed["sources_sha256"] == "0" * 64


def test_provenance_says_which_compiler_made_the_code():
    from cortex_model.devices.compilation import COMPILER_FLAGS
    from cortex_model.runs.provenance import provenance

    assert provenance("runtime", 0)["compiler"] == {}
    used = provenance("cpp_standalone", 0)["compiler"]
    assert used["flags"] == COMPILER_FLAGS
    assert np.all([used["command"], used["version"]])


def test_a_run_uses_one_thread_whatever_it_finds(protocol, answer):
    """Linear algebra over several threads ends in other bits, by the number of cores."""
    import threadpoolctl

    most = "max([1, *(pool['num_threads'] for pool in threadpoolctl.threadpool_info())])"
    with threadpoolctl.threadpool_limits(2):
        assert answer(protocol(most, "import threadpoolctl"))[0] == 1
        assert max(pool["num_threads"] for pool in threadpoolctl.threadpool_info()) == 2


# ---------------------------------------------------------------------- what a name cannot say
@pytest.mark.parametrize("how", ["importlib.import_module('hidden')", "__import__('hidden')"])
def test_a_module_that_comes_in_without_an_import_statement_is_refused(protocol, tmp_path, monkeypatch, how):
    monkeypatch.syspath_prepend(str(tmp_path / "a"))  # as in a notebook of that folder
    file = protocol(f"{how}.VALUE", "import importlib", hidden="VALUE = 1")
    with pytest.raises(ParameterError, match="must import hidden.py by an import statement"):
        cortex_model.run(file, device="runtime", out=str(tmp_path / "runs"))


def test_the_code_of_another_protocol_of_ones_own_is_refused(protocol, tmp_path):
    other = protocol("1", where="b", name="inner")
    more = f"from cortex_model.runs.running import beside; beside(run, {other!r})"
    with pytest.raises(RunError, match="must name a protocol that comes with the package"):
        cortex_model.run(protocol("1", more=more), device="runtime", out=str(tmp_path / "runs"))


@pytest.mark.parametrize(("name", "value"), [("seed", 5), ("parameters", {"x": 2.0})])
def test_a_directory_of_another_run_than_its_name_says_is_refused(protocol, answer, tmp_path, resealed, name, value):
    file = protocol("1")
    _, directory = answer(file)
    given = directory.description()
    (directory.path / "parameters.json").write_text(json.dumps(given | {name: value}))
    of_name = "name must be of its protocol" if name == "seed" else "x must be 1.0, as the name of the folder says"
    for sentence in ("must be as it was written", of_name):
        with pytest.raises(RunError, match=sentence):
            answer(file)
        resealed(directory.path)
    again = cortex_model.run(file, device="runtime", out=str(tmp_path / "runs"), again=True)
    assert again.description() == given


@pytest.mark.parametrize("key", ["run_dir", "seed", "device", "warnings"])
def test_a_summary_cannot_say_otherwise_where_it_came_from(protocol, answer, key):
    file = protocol("1")
    text = Path(file).read_text().replace('{"answer": 1', '{"' + key + '": 1, "answer": 1')
    Path(file).write_text(text)
    with pytest.raises(RunError, match=f"must return a summary without '{key}'"):
        answer(file)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"name": "../evil"}, "Protocol.name: must be at most 100 letters"),
        ({"name": 5}, "Protocol.name"),
        ({"name": ""}, "Protocol.name"),
        ({"parameters": int}, "Protocol.parameters: must be a class"),
        ({"run": 5}, "Protocol.run: must be a function"),
    ],
)
def test_a_protocol_is_checked_when_it_is_declared(change, sentence):
    from cortex_model.parameters import Parameters
    from cortex_model.protocol import Protocol

    with pytest.raises(ParameterError, match=sentence):
        Protocol(**{"name": "mine", "question": "What?", "parameters": Parameters, "run": print} | change)


def test_one_run_given_twice_is_no_second_seed(protocol, answer):
    from cortex_model.experiments.reproduce import runs_of

    _, directory = answer(protocol("1"))
    with pytest.raises(RunError, match="must be given each run once"):
        runs_of([directory, RunDirectory(directory.path)], "mine", "figure")


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"a": None}, "must return a number for 'a'"),
        ({"a": "text"}, "must return a number for 'a'"),
        ({"a": [1.0, 2.0]}, "must return a number for 'a'"),
        ({"v": 1.0}, "must return a vector over layer for 'v'"),
        ({"v": [1.0]}, "as long at every look"),
        (None, "must return a dictionary"),
        ({"other": 1.0}, "must hold the unit of every measure"),
        ({}, "must return the same names at every look"),
    ],
)
def test_what_a_measure_returns_is_checked_at_its_look(values, sentence):
    from cortex_model.runs.checkpoint import Checkpoint

    described = {"a": ("1", None), "v": ("1", "layer")}
    here = Checkpoint(None)
    if "look" in sentence:  # which was the second
        here.add_row({"a": 1.0, "v": [1.0, 2.0]}, described)
        values = values and {"a": 1.0} | values
    with pytest.raises(RunError, match=sentence):
        here.add_row(values, described)


def test_a_compiler_that_is_none_is_refused(monkeypatch):
    from cortex_model.devices.availability import device_states
    from cortex_model.devices.compilation import compiler_command, compiler_version
    from cortex_model.errors import DeviceError

    for named in ('"', "sh -c :"):
        monkeypatch.setenv("CXX", named)
        with pytest.raises(DeviceError, match="CXX: must name a C"):
            compiler_version(compiler_command())
        assert [state.can_run for state in device_states()][1] is False


@pytest.mark.parametrize("kept", [{"versions": [1]}, {"sources_sha256": 5, "versions": None}])
def test_a_damaged_provenance_counts_as_other_sources(kept):
    from cortex_model.runs.provenance import other_sources

    assert "of an unknown version" in other_sources(kept)


@pytest.mark.parametrize("at", range(3))
def test_what_a_simulation_is_handed_is_checked_by_kind(tmp_path, at):
    from cortex_model.parameters import SleepWakeParameters
    from cortex_model.protocol import Run
    from cortex_model.schedule import Stimuli, sleep_schedule
    from cortex_model.weights import initial_weights

    p = SleepWakeParameters(layer_sizes=(4, 3, 2))
    given = [sleep_schedule(p, 2, 1), Stimuli(), initial_weights(p, 0)]
    name = ("schedule", "stimuli", "weights")[at]
    with pytest.raises(ParameterError, match=f"Run.simulate: {name} must be a cortex_model"):
        given[at] = 5
        Run(p, 0, "runtime", RunDirectory(tmp_path)).simulate(*given, lambda *_: {}, {})


@pytest.mark.parametrize("out", [None, 5, "", "a\0b"])
def test_a_folder_that_is_none_gets_a_sentence_in_python(out):
    with pytest.raises(RunError, match="--out: must be a folder that can be written"):
        cortex_model.run("pseudoinverse_alignment", device="runtime", out=out, averaged=True)
    with pytest.raises(RunError, match="--out: must be a folder that can be written"):
        cortex_model.sweep("pseudoinverse_alignment", {"damping": [0.0]}, device="runtime", out=out, averaged=True)

"""Files that are not what was written: a sentence, and never another experiment's numbers."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

import cortex_model
from cortex_model.errors import CortexModelError, RunError
from cortex_model.protocol import load_protocol
from cortex_model.runs import running
from cortex_model.runs.checkpoint import Checkpoint, before
from cortex_model.runs.directory import RunDirectory
from cortex_model.sweeps import child
from cortex_model.system.arrays import write_npz
from cortex_model.system.storage import read_json, write_json

PROTOCOL = "pseudoinverse_alignment"
#: The files that a finished run must have.
FINAL = ("parameters.json", "provenance.json", "summary.json", "weights.nc", "measures.nc")


@pytest.fixture(scope="module")
def settings():
    return dict(load_protocol(PROTOCOL).tiny)


@pytest.fixture(scope="module")
def made(settings, tmp_path_factory):
    """Two finished runs of two seeds."""
    folder = tmp_path_factory.mktemp("made")
    return [cortex_model.run(PROTOCOL, seed=n, device="runtime", out=str(folder), **settings) for n in (0, 1)]


@pytest.fixture
def copied(made, tmp_path):
    """Copies of them, which a test may damage."""
    return [RunDirectory(shutil.copytree(run.path, tmp_path / "runs" / run.path.name)) for run in made]


@pytest.fixture
def again(settings, tmp_path):
    """Give the command that made the first of them, again."""

    def run(**more):
        return cortex_model.run(PROTOCOL, seed=0, device="runtime", out=str(tmp_path / "runs"), **settings, **more)

    return run


class Stopped(BaseException):
    """What ends a run in a test."""


def flipped(path, bit):
    """Flip a bit of a file."""
    content = bytearray(path.read_bytes())
    content[bit // 8] ^= 1 << bit % 8
    path.write_bytes(content)


# ---------------------------------------------------------------------- one bit
@pytest.mark.parametrize("name", FINAL)
def test_no_flipped_bit_of_a_final_file_gives_other_numbers(name, copied, again):
    """What is read is what was written, or there is a sentence; at 40 places of the file."""
    run, whole = copied[0], (copied[0].path / name).read_bytes()
    expected = run.summary(), run.weights().sha256, run.measures()
    n_said = 0
    for bit in np.linspace(0, 8 * len(whole) - 1, 40).astype(int):
        flipped(run.path / name, int(bit))
        try:
            its = again()
            got = its.summary(), its.weights().sha256, its.measures()
        except RunError as error:
            n_said += 1
            assert str(run.path) in str(error)
        else:
            assert got[:2] == expected[:2] and got[2].identical(expected[2])
        (run.path / name).write_bytes(whole)
    assert n_said >= (40 if name.endswith(".nc") else 30)
    assert again().summary() == expected[0]


def test_without_the_hash_a_flipped_bit_would_be_believed(copied, monkeypatch):
    """The claim above fails where the hash of weights is not looked at."""
    run = copied[0]
    first = next(iter(run.weights().feedback.values()))
    where = (run.path / "weights.nc").read_bytes().find(first.tobytes()[:16])
    assert where > 0
    flipped(run.path / "weights.nc", 8 * where + 6)
    with pytest.raises(RunError, match="weights.nc: must be as it was written"):
        run.weights()
    read = cortex_model.state.kept.read_arrays
    monkeypatch.setattr("cortex_model.state.kept.read_arrays", lambda path, sha256=None: read(path))
    assert not np.array_equal(next(iter(run.weights().feedback.values())), first)


@pytest.mark.parametrize("name", FINAL)
def test_a_finished_run_without_one_of_its_files_says_so(name, copied, command_line):
    run = copied[0]
    (run.path / name).unlink()
    if name == "summary.json":
        assert run.state == "interrupted"
        return
    for command in ("show", "resume", "figure curves"):
        status, _, error = command_line(*command.split(), run.path)
        assert status == 2 and f"{run.path}" in error and name in error, command
    status, said, _ = command_line("runs", run.path.parent)
    assert status == 0 and copied[1].path.name[:40] in said
    assert (f"left out: {run.path}" in said) == (name != "parameters.json"), "without parameters it is no run"


def test_anew_is_how_it_says(copied, command_line, again):
    run, expected = copied[0], copied[0].weights().sha256
    flipped(run.path / "weights.nc", 9000)
    _, _, error = command_line("resume", run.path)
    assert "`cortex-model resume RUN_DIR --again`" in error
    status, _, _ = command_line("resume", run.path, "--again")
    assert status == 0 and run.weights().sha256 == expected
    status, _, error = command_line("resume", run.path, "--again", "--set", "epochs=1")
    assert status == 2 and "either --set or --again" in error


# ---------------------------------------------------------------------- whose it is
@pytest.mark.parametrize("name", FINAL)
def test_a_file_of_another_run_is_refused(name, copied, again):
    """Each of them is whole; they do not belong together."""
    run, other = copied
    shutil.copyfile(other.path / name, run.path / name)
    with pytest.raises(RunError, match=name if name != "provenance.json" else "parameters.json"):
        again().measures()
    for read in (run.weights, run.measures, lambda: RunDirectory.opened(run.path)):
        if name in ("weights.nc", "measures.nc") and name[:4] not in getattr(read, "__name__", "open"):
            continue
        with pytest.raises(RunError):
            RunDirectory.opened(run.path)
            read()


def test_a_folder_that_bears_the_name_of_another_run_is_refused(copied):
    run, other = copied
    shutil.rmtree(other.path)
    run.path.rename(other.path)
    with pytest.raises(RunError, match="must belong to the run that its folder is named after"):
        RunDirectory.opened(other.path)


def test_a_folder_may_be_renamed_to_what_is_no_run(copied):
    renamed = copied[0].path.rename(copied[0].path.parent / "the best one")
    assert RunDirectory.opened(renamed).weights().sha256 == copied[0].__class__(renamed).weights().sha256


def test_edited_parameters_are_noticed_by_every_reader(copied, command_line, tmp_path):
    run = copied[0]
    text = (run.path / "parameters.json").read_text()
    (run.path / "parameters.json").write_text(text.replace('"damping": 0.0', '"damping": 1.0'))
    assert text != (run.path / "parameters.json").read_text()
    for command in ("show", "resume", "report", "figure curves", "diff", "compare"):
        more = [copied[1].path] if command == "diff" else ["--with", "synthetic_rdms"] if command == "compare" else []
        status, _, error = command_line(*command.split(), run.path, *more)
        assert status == 2 and "parameters.json: must be as it was written" in error, command


# ---------------------------------------------------------------------- checkpoints
@pytest.fixture
def stopped(settings, tmp_path, monkeypatch):
    """A run that was stopped after three checkpoints, and the bits that it would have had."""
    write, n = Checkpoint.write, []

    def stop(self, path, key):
        write(self, path, key)
        n.append(path)
        if len(n) == 3:
            raise Stopped

    with monkeypatch.context() as patch, pytest.raises(Stopped):
        patch.setattr(Checkpoint, "write", stop)
        cortex_model.run(PROTOCOL, seed=0, device="runtime", out=str(tmp_path / "runs"), **settings)
    (path,) = (tmp_path / "runs").iterdir()
    return path


def test_a_damaged_checkpoint_is_said_and_the_one_before_gives_the_same_bits(stopped, made):
    whole = (stopped / "checkpoint_1.npz").read_bytes()
    assert before(stopped / "checkpoint_1.npz").exists()
    for bit in np.linspace(0, 8 * len(whole) - 1, 5).astype(int):
        copy = Path(shutil.copytree(stopped, stopped.parent / f"at-{bit}" / stopped.name))
        flipped(copy / "checkpoint_1.npz", int(bit))
        summary = running.resume(copy)
        assert summary["weights_sha256"] == made[0].summary()["weights_sha256"]
        assert RunDirectory(copy).measures().identical(made[0].measures())
        if summary["warnings"]:
            assert summary["warnings"][0].startswith("went on from the checkpoint before the last one")
            assert "warning: went on from" in (copy / "run.log").read_text()
    assert not list(copy.glob("*.npz"))


def test_a_well_formed_checkpoint_that_was_edited_is_refused(stopped):
    file = stopped / "checkpoint_1.npz"
    with np.load(file) as kept:
        arrays = dict(kept)
    (name,) = [name for name in arrays if name.startswith("weights_V")]
    arrays[name] = arrays[name] * 2
    for path in (file, before(file)):
        np.savez(path, **arrays)
    with pytest.raises(RunError, match=r"as it was written .*another SHA-256.*--again"):
        running.resume(stopped)
    assert running.resume(stopped, again=True)["warnings"] == []


def test_what_is_left_beside_a_summary_goes(copied, again):
    run = copied[0]
    for name in ("checkpoint_1.npz", "checkpoint_1_before.npz", "weights.nc.123-4.part", "recordings/001.npz"):
        (run.path / name).parent.mkdir(exist_ok=True)
        (run.path / name).write_bytes(b"left")
    again()
    left = {path.name for path in run.path.iterdir()} - set(FINAL) - {"run.log", ".lock", "start.nc"}
    assert not left


# ---------------------------------------------------------------------- one of many
@pytest.mark.parametrize("content", ["", "[]", "5", '{"name": 1}', '{"a": ' * 5000, '"\\ud800"', "{}", "\x00"])
@pytest.mark.parametrize("name", ["parameters.json", "provenance.json", "summary.json"])
def test_json_that_is_none_or_lacks_something(name, content, copied, command_line):
    (copied[0].path / name).write_text(content)
    status, said, error = command_line("runs", copied[0].path.parent)
    assert (status, error) == (0, "") and said.count("left out: ") == 1 and name in said
    assert copied[1].path.name[:40] in said


@pytest.mark.parametrize("name", ["parameters.json", "provenance.json", "summary.json", ".lock", "run.log"])
@pytest.mark.parametrize("kind", ["folder", "link", "pipe"])
def test_what_is_no_file_gets_its_sentence(name, kind, copied, command_line, tmp_path):
    run, target = copied[0], tmp_path / "elsewhere"
    if name in (".lock", "run.log"):
        (run.path / "summary.json").unlink()
    (run.path / name).unlink(missing_ok=True)
    target.write_text("mine")
    {"folder": Path.mkdir, "link": lambda path: path.symlink_to(target), "pipe": os.mkfifo}[kind](run.path / name)
    status, said, error = command_line("runs", run.path.parent)
    assert (status, error) == (0, "") and said.count("left out: ") == 1
    assert "must be a file (got a folder, a link or a device)" in said and copied[1].path.name[:40] in said
    status, _, error = command_line("resume", run.path)
    assert status == 2 and len(error.strip().split("\n")) == 1 and name in error
    assert target.read_text() == "mine"


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.nc")
    with pytest.raises(RunError, match="must be a file"):
        cortex_model.Cortex.load(tmp_path / "pipe.nc")
    with pytest.raises(CortexModelError, match="must be"):
        cortex_model.parameters.SleepWakeParameters(start_from=str(tmp_path / "pipe.nc"))


def test_a_sweep_says_which_of_its_runs_is_damaged_and_makes_it_anew(settings, tmp_path, monkeypatch):
    monkeypatch.setattr("cortex_model.sweeps.cluster.handed_out", in_this_process)
    given = {"grid": {"damping": [0.0, 0.5]}, "device": "runtime", "out": str(tmp_path), "workers": 1}
    fixed = {name: value for name, value in settings.items() if name != "damping"}
    whole = cortex_model.sweep(PROTOCOL, **given, **fixed)
    file = tmp_path / whole["run"].values[0, 0] / "summary.json"
    file.write_text(file.read_text().replace('"seed": 0', '"seed": 1'))
    swept = cortex_model.sweep(PROTOCOL, **given, **fixed)
    assert "summary.json: must be as it was written" in swept["failure"].values[0, 0]
    assert swept["failure"].values[1, 0] == ""
    swept = cortex_model.sweep(PROTOCOL, again=True, **given, **fixed)
    assert (swept["failure"].values == "").all() and swept["run"].equals(whole["run"])


def in_this_process(jobs, *_):
    """Carry jobs out one after the other."""
    for at, job in enumerate(jobs):
        yield at, None
        yield at, child.carry_out(json.loads(json.dumps(job)))


def test_json_holds_the_hash_of_the_rest(tmp_path):
    write_json(tmp_path / "a.json", {"b": 1, "a": [1.5, "é"]})
    assert read_json(tmp_path / "a.json") == {"b": 1, "a": [1.5, "é"]}
    kept = json.loads((tmp_path / "a.json").read_text())
    (tmp_path / "a.json").write_text(json.dumps(dict(reversed(kept.items()))))
    assert read_json(tmp_path / "a.json") == {"a": [1.5, "é"], "b": 1}, "the order of names says nothing"
    del kept["sha256"]
    (tmp_path / "a.json").write_text(json.dumps(kept))
    with pytest.raises(RunError, match="with the SHA-256 'none, from an earlier version or edited'"):
        read_json(tmp_path / "a.json")


# ---------------------------------------------------------------------- what lies beside, or elsewhere
@pytest.fixture
def recording(tmp_path, monkeypatch):
    """A run that records, was stopped after its second checkpoint, and the summary of the same in one go."""
    given = dict(load_protocol("wake_sleep_classification").tiny) | {"record": "V_2"}
    whole = cortex_model.run("wake_sleep_classification", device="runtime", out=str(tmp_path / "whole"), **given)
    write, n = Checkpoint.write, []

    def stop(self, path, key):
        write(self, path, key)
        n.append(path)
        if len(n) == 2:
            raise Stopped

    with monkeypatch.context() as patch, pytest.raises(Stopped):
        patch.setattr(Checkpoint, "write", stop)
        cortex_model.run("wake_sleep_classification", device="runtime", out=str(tmp_path / "half"), **given)
    (path,) = (tmp_path / "half").iterdir()
    return path, whole


def test_recordings_are_those_of_this_run_and_of_every_look(recording):
    path, whole = recording
    first, *_ = sorted((path / "recordings").iterdir())
    kept = first.read_bytes()
    with np.load(first) as its:
        other = {name: array for name, array in its.items() if name != "sha256"}

    def exchanged():
        write_npz(first, other | {"at_key": "of another run"})

    def added():
        (first.parent / "002_000000000001.npz").write_bytes(kept)

    for harm in (exchanged, added, first.unlink):
        copy = Path(shutil.copytree(path, path.parent.parent / harm.__name__ / path.name))
        harm()
        with pytest.raises(RunError, match="must be what this run recorded, of every look and no other"):
            running.resume(path)
        shutil.rmtree(path)
        shutil.copytree(copy, path)
    assert running.resume(path)["weights_sha256"] == whole.summary()["weights_sha256"]
    assert RunDirectory(path).recordings().identical(whole.recordings())


def test_arrays_that_lie_beside_an_unfinished_run_are_no_part_of_it(stopped, made):
    shutil.copyfile(made[1].path / "weights.nc", stopped / "start.nc")
    shutil.copyfile(made[1].path / "measures.nc", stopped / "recordings.nc")
    running.resume(stopped)
    ended = {path.name for path in stopped.glob("*.nc")}
    assert ended == {path.name for path in made[0].path.glob("*.nc")}
    assert RunDirectory(stopped).weights().sha256 == made[0].weights().sha256


@pytest.mark.parametrize("name", ["checkpoint_1.npz", "measures.nc", "another.nc"])
def test_pipes_in_an_unfinished_run_are_not_waited_for(name, stopped, made):
    for file in stopped.glob("checkpoint_1*" if name == "checkpoint_1.npz" else name):
        file.unlink()
    os.mkfifo(stopped / name)
    if name == "checkpoint_1.npz":
        with pytest.raises(RunError, match="must be a file"):
            running.resume(stopped)
    else:
        assert running.resume(stopped)["weights_sha256"] == made[0].summary()["weights_sha256"]


def test_a_checkpoint_that_is_something_else_is_refused(recording):
    path, _ = recording
    part = next((path / "recordings").iterdir())
    for file in path.glob("checkpoint_1*"):
        shutil.copyfile(part, file)
    with pytest.raises(RunError, match="must be a checkpoint"):
        running.resume(path)


def test_a_damaged_parameters_file_says_what_helps(copied, again):
    (copied[0].path / "parameters.json").write_text("{}")
    with pytest.raises(RunError, match="give the command that began the run again, with --again"):
        running.resume(copied[0].path, again=True)
    (copied[0].path / "weights.nc").unlink()
    (copied[0].path / "weights.nc").mkdir()
    assert again(again=True).weights().named()


@pytest.mark.parametrize("name", ["old_{}", "{}2", "{}_old", "{}.bak"])
def test_a_copy_may_be_called_like_its_run_and_more(name, copied):
    run = copied[0]
    renamed = run.path.rename(run.path.parent / name.format(run.path.name))
    assert RunDirectory.opened(renamed).summary() == copied[0].__class__(renamed).summary()


def test_a_run_may_start_from_a_folder_that_was_renamed(copied, settings, tmp_path):
    given = {"device": "runtime", "out": str(tmp_path / "on"), **settings}
    first = cortex_model.run(PROTOCOL, start_from=str(copied[0].path), **given)
    renamed = copied[0].path.rename(tmp_path / "has # in it")
    assert cortex_model.run(PROTOCOL, start_from=str(renamed), **given).path == first.path


def test_hdf5_whose_arrays_are_elsewhere_is_refused(copied, tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "w.nc", "w") as file:
        file.create_dataset("b_1", (4,), "f8", external=[(str(tmp_path / "elsewhere"), 0, 32)])
    with pytest.raises(CortexModelError, match="must hold its arrays itself"):
        cortex_model.parameters.SleepWakeParameters(start_from=str(tmp_path / "w.nc"))
    with h5py.File(tmp_path / "c.nc", "w") as file:
        file["b_1"] = np.zeros(3, complex)
    with pytest.raises(CortexModelError, match=r"must be|must hold weights"):
        cortex_model.parameters.SleepWakeParameters(start_from=str(tmp_path / "c.nc"))


@pytest.mark.parametrize("value", [None, "text", [], {}, [[1], [2]], 10**400])
def test_a_strange_number_in_a_summary_hides_no_other_run(value, copied, resealed, command_line):
    run = copied[0]
    summary = run.summary() | {"final_test_error_percent": value}
    (run.path / "summary.json").write_text(json.dumps(summary))
    resealed(run.path)
    for command in (["runs", run.path.parent], ["runs", run.path.parent, "--sort", "final_test_error_percent"],
                    ["show", run.path], ["diff", run.path, copied[1].path], ["resume", run.path]):  # fmt: skip
        status, said, error = command_line(*command)
        assert (status, error) == (0, "") and said

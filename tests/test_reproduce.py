"""Runs that are missing are made, once, side by side; figures are found by name."""

import subprocess
import sys
import time
from dataclasses import dataclass

import pytest

from cortex_model.errors import ParameterError, RunError
from cortex_model.experiments import making as module
from cortex_model.experiments.making import RunRequest, make_runs, programs_first
from cortex_model.experiments.reproduce import load_figure, reproduce
from cortex_model.protocol import load_protocol
from cortex_model.runs.directory import RunDirectory
from cortex_model.runs.running import start

#: Runs that need no device: averaged, a few steps.
QUICK = {"averaged": True, "layer_sizes": (4, 4), "n_presentations": 20, "look_every_presentations": 10}


def quick(seed, **more):
    return RunRequest("pseudoinverse_alignment", QUICK | more, seed)


@dataclass(frozen=True)
class Scripted(RunRequest):
    """A run whose process is a line of Python."""

    script: str = ""

    def command(self, device, runs):
        return [sys.executable, "-c", self.script]


def scripted(seed, script):
    return Scripted("pseudoinverse_alignment", QUICK, seed, script)


# ---------------------------------------------------------------------- figures by name
def test_unknown_figure_names_the_nearest():
    with pytest.raises(ParameterError, match=r"must be a figure's name \(got 'fig1c'\); did you mean fig1[ab]\?"):
        load_figure("fig1c")


def test_figure_that_needs_no_run_is_drawn_at_once(tmp_path):
    rows = reproduce("fig2a", "digits", 1, tmp_path, "runtime", lambda *_: None)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fig2a.csv", "fig2a.pdf", "fig2a.png"]
    assert all(list(row) == ["figure", "quantity", "simulated", "paper", "source"] for row in rows)


def test_unknown_dataset_is_refused_before_anything_runs(tmp_path):
    with pytest.raises(ParameterError, match="fig2b.dataset"):
        reproduce("all", "imagenet", 1, tmp_path, "runtime", lambda *_: None)
    assert list(tmp_path.iterdir()) == []


# ---------------------------------------------------------------------- making runs
def test_run_made_by_a_child_is_the_one_that_was_asked_for(tmp_path):
    requests, seen = [quick(0), quick(1, damping=0.25)], []
    make_runs(requests, tmp_path, "runtime", lambda *what: seen.append(what))
    for request in requests:
        directory = RunDirectory(tmp_path / request.name("runtime"))
        assert directory.has_finished
        parameters = load_protocol(request.protocol).parameters().with_overrides(directory.description()["parameters"])
        assert parameters.model_dump() == request.parameters().model_dump()
    assert seen[0][:2] == (0, 2) and seen[-1][:2] == (2, 2)
    assert [done for done, _, _ in seen] == sorted(done for done, _, _ in seen)


def test_finished_runs_are_not_made_again(tmp_path, monkeypatch):
    start("pseudoinverse_alignment", quick(0).parameters(), 0, "runtime", tmp_path)
    monkeypatch.setattr(subprocess, "Popen", None)
    make_runs([quick(0), quick(0)], tmp_path, "runtime")
    with pytest.raises(TypeError):
        make_runs([quick(1)], tmp_path, "runtime")


def test_run_that_fails_says_why_and_ends_the_others(tmp_path, monkeypatch):
    monkeypatch.setattr(module.os, "sched_getaffinity", lambda _: {0, 1}, raising=False)
    mark = tmp_path / "mark"
    slow = scripted(1, f"import time, pathlib; time.sleep(3); pathlib.Path({str(mark)!r}).touch()")
    wrong = quick(2, learning_rule="hinton_mcclelland")
    began = time.monotonic()
    with pytest.raises(RunError, match=r"pseudoinverse_alignment, seed 0: must finish \(got: no luck\)"):
        make_runs([scripted(0, "import sys; sys.exit('no luck')"), slow], tmp_path, "runtime")
    assert time.monotonic() - began < 2.5
    with pytest.raises(RunError, match="averaged: must be false unless learning_rule is reciprocal"):
        make_runs([wrong], tmp_path, "runtime")
    time.sleep(max(0, began + 3.5 - time.monotonic()))
    assert not mark.exists(), "the slow one was ended"


def test_interruption_ends_the_children(tmp_path):
    mark = tmp_path / "mark"
    slow = scripted(0, f"import time, pathlib; time.sleep(1.5); pathlib.Path({str(mark)!r}).touch()")

    def report(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_runs([slow], tmp_path, "runtime", report)
    time.sleep(2)
    assert not mark.exists()


def test_no_more_children_than_cores(tmp_path, monkeypatch):
    monkeypatch.setattr(module.os, "sched_getaffinity", lambda _: {0, 1}, raising=False)
    running = []

    def report(done, total, text):
        started = len(list(tmp_path.glob("started*")))
        running.append(started - done)

    requests = [
        scripted(
            seed, f"import time, pathlib; pathlib.Path({str(tmp_path)!r}, 'started{seed}').touch(); time.sleep(0.3)"
        )
        for seed in range(5)
    ]
    make_runs(requests, tmp_path, "runtime", report)
    assert max(running) == 2
    assert len(list(tmp_path.glob("started*"))) == 5


def test_different_programs_come_first_the_largest_before():
    def classify(seed, **more):
        return RunRequest("wake_sleep_classification", more, seed)

    small = [quick(seed) for seed in range(2)]
    large = [classify(seed, layer_sizes=(64, 9, 8, 10)) for seed in range(2)]
    assert programs_first(small + large) == [large[0], small[0], small[1], large[1]]


def test_command_is_one_that_can_be_typed(tmp_path):
    command = RunRequest("wake_sleep_classification", {"layer_sizes": (64, 32, 10), "damping": 0.5}, 3).command(
        "cpp_standalone", tmp_path
    )
    assert command[1:5] == ["-m", "cortex_model", "run", "wake_sleep_classification"]
    assert " ".join(command[5:]) == (
        f"--set layer_sizes=64,32,10 --set damping=0.5 --seed 3 --device cpp_standalone --out {tmp_path} --json"
    )

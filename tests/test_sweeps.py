"""A sweep on a real cluster: the results of single runs, whatever dies, fails or was there already."""

import ast
import asyncio
import csv
import inspect
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
import xarray
from distributed import LocalCluster
from typer.testing import CliRunner

import cortex_model
from cortex_model.cli import app
from cortex_model.devices.availability import default_device
from cortex_model.errors import CortexModelWarning, ParameterError
from cortex_model.protocol import load_protocol
from cortex_model.runs.directory import RunDirectory, find_runs
from cortex_model.sweeps import processes
from cortex_model.sweeps.grid import asked_runs, checked_grid
from cortex_model.sweeps.scheduler import client_of
from cortex_model.sweeps.sweeping import Progress
from cortex_model.sweeps.sweeping import sweep as make
from cortex_model.system.arrays import read_npz

PROTOCOL = "wake_sleep_classification"
PAGE = (Path(__file__).parents[1] / "protocols" / "README.md").read_text()
#: Without a compiler all of this is slower, and the same.
DEVICE = default_device()
#: The network of `tiny`, which learns the embedded digits within a second.
TINY = load_protocol(PROTOCOL).tiny | {"learning_rate": 0.05}
#: Words, and numbers of looks, so that shorter runs have to be filled; seeds.
GRID, N_SEEDS = {"learning_rule": ["reciprocal"], "evaluate_every_presentations": [0, 500]}, 2
#: A pair of populations in sleep, which needs no images: one that needs no device either, and one of many checkpoints.
PAIR = "pseudoinverse_alignment"
AVERAGED = {"averaged": True, "layer_sizes": (4, 4), "n_presentations": 60}
SLOW = load_protocol(PAIR).tiny | {"n_presentations": 4000, "chunk_presentations": 10}


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """A sweep by the processes of this machine, the runs of both seeds in one program: folder and dataset."""
    folder = tmp_path_factory.mktemp("swept")
    dataset = cortex_model.sweep(
        PROTOCOL, GRID, seeds=N_SEEDS, device=DEVICE, out=folder, workers=2, ensemble_size=N_SEEDS, **TINY
    )
    return folder, dataset


def alone(folder, seed=0, protocol=PROTOCOL, **overrides):
    return cortex_model.run(protocol, seed=seed, device=DEVICE, out=folder, **overrides)


def same(one: RunDirectory, other: RunDirectory) -> bool:
    """Whether two runs, made apart, have the same weights and measures."""
    assert one.path != other.path
    return one.summary()["weights_sha256"] == other.summary()["weights_sha256"] and (
        one.measures().equals(other.measures())
    )


# ---------------------------------------------------------------------- results
@pytest.mark.slow
def test_the_dataset_holds_what_single_runs_measure(swept, tmp_path):
    folder, dataset = swept
    assert list(dataset["test_error_percent"].dims) == [*GRID, "seed", "look"]
    assert (dataset["failure"] == "").all()
    at = {"learning_rule": "reciprocal", "evaluate_every_presentations": 0, "seed": 1}
    cell, single = dataset.sel(at), alone(tmp_path, **TINY | at)
    assert single.path.name == cell["run"].item()
    for name, expected in single.measures().items():
        n_looks = expected.sizes["look"]
        np.testing.assert_allclose(cell[name].values[:n_looks], expected.values, rtol=1e-5, atol=1e-5)
        assert np.isnan(cell[name].values[n_looks:]).all()
        assert dataset[name].attrs["units"] == expected.attrs["units"]
    assert cell["final_test_error_percent"] == pytest.approx(single.summary()["final_test_error_percent"])
    lengths = np.isfinite(dataset["test_error_percent"]).sum("look")
    assert lengths.sel(evaluate_every_presentations=0).max() < lengths.sel(evaluate_every_presentations=500).min()


def test_the_dataset_and_the_table_are_kept(swept):
    folder, dataset = swept
    with xarray.open_dataset(folder / "sweep.nc", engine="h5netcdf") as kept:
        xarray.testing.assert_equal(kept.load(), dataset)
    with open(folder / "sweep.csv") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == dataset["run"].size
    assert {row["state"] for row in rows} == {"finished"}
    assert (
        {row["run"] for row in rows} == {run.path.name for run in find_runs(folder)} == set(dataset["run"].values.flat)
    )


def test_a_finished_run_is_not_repeated(swept):
    folder, dataset = swept
    reports = []
    again = make(
        PROTOCOL, GRID, TINY, N_SEEDS, DEVICE, folder, scheduler="tcp://127.0.0.1:1",
        report=lambda progress, changed: reports.append((progress.counts(), len(changed))),
    )  # fmt: skip
    assert reports == [({"waiting": 0, "running": 0, "finished": 4, "failed": 0}, 4)]
    xarray.testing.assert_equal(again, dataset)


def test_a_scheduler_elsewhere_is_given_only_what_is_missing(tmp_path):
    one = alone(tmp_path / "swept", protocol=PAIR, **AVERAGED, damping=0.1)
    written = (one.path / "provenance.json").stat().st_mtime_ns
    with LocalCluster(n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None) as cluster:
        dataset = cortex_model.sweep(
            PAIR, {"damping": [0.1]}, seeds=[0, 3], device=DEVICE, out=tmp_path / "swept",
            scheduler=cluster.scheduler_address, **AVERAGED,
        )  # fmt: skip
    assert dataset["failure"].values.tolist() == [["", ""]]
    assert (one.path / "provenance.json").stat().st_mtime_ns == written
    swept = RunDirectory.opened(tmp_path / "swept" / dataset["run"].sel(seed=3).item())
    assert same(swept, alone(tmp_path / "alone", 3, protocol=PAIR, **AVERAGED, damping=0.1))


def test_nobody_else_can_reach_a_sweep_on_this_machine(tmp_path):
    """While its runs are made, no process of it listens anywhere: neither to a port nor to a named socket."""
    before, listening = _sockets(), []

    def look(progress, changed):
        if "running" in progress.states:
            listening.extend(_sockets() - before)

    dataset = make(PAIR, {"damping": [0.1, 0.2]}, AVERAGED, 1, "runtime", tmp_path, workers=2, report=look)
    assert not dataset["failure"].values.any()
    assert not listening


def _sockets():
    """(process, address) of everything that this process and its children listen to."""
    this = psutil.Process()
    everywhere = [(each.pid, of) for each in (this, *this.children(True)) for of in each.net_connections("all")]
    return {(pid, str(of.laddr)) for pid, of in everywhere if of.laddr and not of.raddr and of.status != "ESTABLISHED"}


# ---------------------------------------------------------------------- what goes wrong
@pytest.mark.slow
def test_a_process_that_is_killed_loses_nothing(tmp_path):
    """Its run goes on from the last checkpoint, with the results of a run that nothing befell."""
    killed = []

    def kill(progress, changed):
        if progress.states == ["running"] and not killed:
            killed.append(process_of_the_run(tmp_path / "killed"))
            killed[0].kill()

    dataset = make(PAIR, {"damping": [0.1]}, SLOW, 1, DEVICE, tmp_path / "killed", workers=1, report=kill)
    assert killed
    (run,) = find_runs(tmp_path / "killed")
    assert dataset["failure"].item() == ""
    log = (run.path / "run.log").read_text()
    starts = [int(first) for first in re.findall(r"presentations (\d+) to", log)]
    assert starts[0] == 0
    assert starts[-1] > 0  # it went on where it was
    assert same(run, alone(tmp_path / "alone", protocol=PAIR, damping=0.1, **SLOW))


def process_of_the_run(folder):
    """The process that makes the run below a folder, once there is a checkpoint to go on from."""
    wait_for_a_checkpoint(folder)
    children = psutil.Process().children(recursive=True)
    (child,) = [child for child in children if "cortex_model.sweeps.child" in child.cmdline()]
    return child


def wait_for_a_checkpoint(folder):
    deadline = time.monotonic() + 180
    while not any(read_npz(path)["at_presentation"] > 0 for path in folder.glob("*/checkpoint_1.npz")):
        assert time.monotonic() < deadline, "no checkpoint"
        time.sleep(0.02)


def test_a_run_that_fails_leaves_its_sentence_and_does_not_stop_the_others(typed, tmp_path):
    command = ["sweep", PAIR, "--device", DEVICE, "--out", str(tmp_path), "--workers", "1", *typed(AVERAGED)]
    done = CliRunner().invoke(app, [*command, "--grid", "sleep_learning_rate=0.02,50", "--grid", "damping=1,0.1"])
    assert done.exit_code == 1, done.output
    assert "4 runs, 3 failed" in done.stdout
    lines = done.stderr.split("\n")
    assert lines[0].startswith("failed: sleep_learning_rate=0.02 damping=1.0 seed=0: Parameters: reciprocal: forward_s")
    assert next(at for at, line in enumerate(lines) if "running" in line.split(":")[0]) > 1  # said before any starts
    with xarray.open_dataset(tmp_path / "sweep.nc") as dataset:
        failure = dataset["failure"].squeeze("seed")
        assert failure.sel(sleep_learning_rate=0.02, damping=0.1) == ""
        assert "must stay finite" in failure.sel(sleep_learning_rate=50, damping=0.1).item()
        assert failure.sel(damping=1).str.contains("because both weights would vanish").all()
        assert np.isfinite(dataset["distance_feedback"]).any("look").sum() == 1
    with open(tmp_path / "sweep.csv") as file:
        rows = list(csv.DictReader(file))
    assert [row["state"] for row in rows] == ["failed", "finished", "failed", "failed"]
    assert [bool(row["failure"]) for row in rows] == [True, False, True, True]


@pytest.mark.slow
def test_an_interruption_ends_every_process_and_says_how_to_go_on(typed, tmp_path):
    sets = typed(SLOW | {"n_presentations": 100_000})
    options = ["--device", DEVICE, "--out", str(tmp_path), "--workers", "1"]
    command = [sys.executable, "-m", "cortex_model", "sweep", PAIR, "--grid", "damping=0.1,0.2", *sets, *options]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    wait_for_a_checkpoint(tmp_path)
    others = psutil.Process(process.pid).children(recursive=True)
    assert any("cortex_model.sweeps.child" in other.cmdline() for other in others)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert said.strip().endswith("the same command goes on.")
    assert "Traceback" not in said
    assert not psutil.wait_procs(others, timeout=10)[1]
    assert {run.state for run in find_runs(tmp_path)} == {"interrupted"}
    with xarray.open_dataset(tmp_path / "sweep.nc") as dataset:
        assert dataset["failure"].str.contains("interrupted").all()


def test_a_script_needs_no_main_guard(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        f"import cortex_model\n"
        f"dataset = cortex_model.sweep({PAIR!r}, {{'damping': [0.1, 0.2]}}, device={DEVICE!r}, out={str(tmp_path)!r},\n"
        f"                             **{AVERAGED!r})\n"
        f"print((dataset['failure'] == '').sum().item())\n"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True)
    assert done.stdout.strip() == "2", done.stderr


# ---------------------------------------------------------------------- the grid
BAD = {
    "an unknown parameter": ({"dampin": [1]}, {}, {}, "did you mean 'damping'?"),
    "no values": ({"damping": []}, {}, {}, "--grid: damping must have values (got none)"),
    "a value that is empty": ({"damping": "1,,2"}, {}, {}, "damping: must be a number at least 0 (got '')"),
    "a value out of range": ({"damping": [1, -1]}, {}, {}, "damping: must be a number at least 0 (got -1)"),
    "a value twice": ({"damping": "1,1.0"}, {}, {}, "damping must have each value once (got 1.0 twice)"),
    "sizes twice": ({"layer_sizes": "64,5,10;64,5,10"}, {}, {}, "(got 64,5,10 twice)"),
    "a parameter both swept and set": ({"damping": [1]}, {"damping": 2}, {}, "must be either swept or set"),
    "an unknown parameter that is set": ({}, {"dampin": 2}, {}, "did you mean 'damping'?"),
    "no seed": ({}, {}, {"seeds": 0}, "--seeds: must be a whole number from 1"),
    "a seed twice": ({}, {}, {"seeds": [1, 1]}, "--seeds: must be at least one and at most"),
    "no worker": ({}, {}, {"workers": 0}, "--workers: must be a whole number from 1"),
    "an empty ensemble": ({}, {}, {"ensemble_size": 0}, "--ensemble-size: must be a whole number from 1"),
    "no scheduler's address": ({}, {}, {"scheduler": "nowhere://"}, "--scheduler: must be the address of a dask sched"),
}


@pytest.mark.parametrize("wrong", BAD)
def test_a_wrong_grid_gets_one_sentence_before_anything_starts(wrong, tmp_path):
    grid, fixed, options, sentence = BAD[wrong]
    with pytest.raises(ParameterError, match=re.escape(sentence)):
        make(PROTOCOL, grid, fixed, device=DEVICE, out=tmp_path, **options)
    assert not find_runs(tmp_path)


def test_a_parameter_swept_twice_is_refused():
    done = CliRunner().invoke(app, ["sweep", PROTOCOL, "--grid", "damping=1", "--grid", "damping=2"])
    assert isinstance(done.exception, ParameterError)
    assert str(done.exception).startswith("--grid: must name each parameter once (got damping=1 and damping=2)")


def test_the_grid_is_read_as_the_parameters_are():
    model = load_protocol(PROTOCOL).parameters
    grid = checked_grid(model, {"layer_sizes": "64,6,10; 64,7,10", "biases": "true,false", "damping": 2}, {})
    assert grid == {"layer_sizes": [(64, 6, 10), (64, 7, 10)], "biases": [True, False], "damping": [2.0]}
    asked = asked_runs(model, grid, {"epochs": "3"}, [0, 4])
    assert [str(run) for run in asked[:3]] == [
        "layer_sizes=64,6,10 biases=True damping=2.0 seed=0",
        "layer_sizes=64,6,10 biases=True damping=2.0 seed=4",
        "layer_sizes=64,6,10 biases=False damping=2.0 seed=0",
    ]
    assert {run.parameters.epochs for run in asked} == {3}
    progress = Progress(asked, ["finished"] * 2 + ["waiting"] * 6, [""] * 8)
    assert progress.seconds_left() is None  # nothing was run yet: those two were there
    progress.states[2] = "finished"
    progress.began -= 10
    assert progress.seconds_left() == pytest.approx(50, rel=0.1)


# ---------------------------------------------------------------------- notebooks
def test_a_scheduler_is_reached_from_within_an_event_loop():
    """As in a cell of a notebook; and one that is nowhere is still refused in a sentence."""

    async def cell(scheduler):
        with client_of(scheduler) as client:
            return client.scheduler_info()["address"]

    with LocalCluster(n_workers=0, processes=False, dashboard_address=None) as cluster:
        assert asyncio.run(cell(cluster.scheduler_address)) == cluster.scheduler_address
        with client_of(cluster.scheduler_address) as client:
            assert client.scheduler_info()["address"] == cluster.scheduler_address
    with pytest.raises(ParameterError, match="must be the address of a dask scheduler that answers"):
        asyncio.run(cell("nowhere://"))


# ---------------------------------------------------------------------- SLURM
def test_the_script_for_slurm_uses_what_there_is():
    """Every option that it names is one of dask-jobqueue's and of `cortex_model.sweep`; the job starts workers."""
    dask_jobqueue = pytest.importorskip(
        "dask_jobqueue", reason="needs dask-jobqueue (pip install 'cortex-model[slurm]')"
    )
    (script,) = [block for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if "SLURMCluster" in block]
    calls = {ast.unparse(node.func): node for node in ast.walk(ast.parse(script)) if isinstance(node, ast.Call)}
    inspect.signature(cortex_model.sweep).bind(
        *calls["cortex_model.sweep"].args, **{word.arg: word.value for word in calls["cortex_model.sweep"].keywords}
    )
    given = {word.arg: ast.literal_eval(word.value) for word in calls["SLURMCluster"].keywords}
    with dask_jobqueue.SLURMCluster(**given, scheduler_options={"dashboard_address": None}) as cluster:
        job = cluster.job_script()
    assert "#SBATCH" in job
    assert f"--nworkers {given['processes']}" in job
    assert "--nthreads 1" in job
    scale = calls["cluster.scale"]
    inspect.signature(cluster.scale).bind(*scale.args, **{word.arg: word.value for word in scale.keywords})
    assert json.dumps(ast.unparse(calls["cortex_model.sweep"])).count("cluster.scheduler_address") == 1


def test_two_lines_that_come_at_once_are_both_read(monkeypatch):
    """A warning just before the answer: a pipe looks empty once a buffer has taken in both."""
    says = 'print("\\"first\\"\\n[\\"second\\"]", flush=True); import time; time.sleep(60)'
    popen = subprocess.Popen

    def started(_, **options):
        return popen([sys.executable, "-c", says], **{**options, "env": None})

    monkeypatch.setattr("cortex_model.sweeps.processes.subprocess.Popen", started)
    began = time.monotonic()
    with pytest.warns(CortexModelWarning, match="first"):
        assert processes.carried_out({}, lambda: time.monotonic() < began + 20) == ["second"]
    child = processes._IDLE.pop()
    child.process.kill()
    child.end()

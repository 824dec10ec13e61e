"""The cache: whose it is, what is in it only for a while, and that nothing is left anywhere else after a kill."""

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from filelock import FileLock

from cortex_model.devices.program import build, cython_cache, program_cache
from cortex_model.errors import DeviceError
from cortex_model.system.cache import cache_folder, scratch
from cortex_model.system.failures import MISTAKE, told


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Where the cache is to be; not there yet."""
    monkeypatch.setenv("CORTEX_MODEL_CACHE", str(tmp_path / "below" / "cache"))
    return tmp_path / "below" / "cache"


# ---------------------------------------------------------------------- whose it is
def test_the_cache_is_made_for_nobody_else(cache):
    before = os.umask(0o002)
    try:
        assert cache_folder("programs") == cache / "programs"
    finally:
        os.umask(before)
    assert [stat.S_IMODE(folder.stat().st_mode) for folder in (cache, cache / "programs")] == [0o700, 0o700]


@pytest.mark.parametrize(
    ("names", "mode"),
    [
        ((), 0o777),
        ((), 0o770),
        ((), 0o1777),
        (("programs",), 0o757),
        (("programs",), 0o775),
        (("programs", "abc"), 0o777),
    ],
)
def test_a_cache_that_others_can_write_is_refused(names, mode, cache):
    """Also where the folder itself is right and one below it is not."""
    cache_folder("programs", "abc")
    for folder in (cache, cache / "programs"):
        folder.chmod(0o755)
    cache.joinpath(*names).chmod(mode)
    with pytest.raises(DeviceError) as raised:
        build("abc", None)
    folder = cache.joinpath(*names)
    sentence, status = told(raised.value)
    assert status == MISTAKE and sentence.startswith(f"{folder}: must be a folder that nobody else can write")
    assert f"(got mode {mode:o}); `chmod 700 {folder}`" in sentence and "CORTEX_MODEL_CACHE" in sentence
    cache.chmod(0o700)  # what is below is out of the reach of others then
    assert cache_folder("programs", "abc") == cache / "programs" / "abc"


def test_a_cache_of_another_user_is_refused(cache, monkeypatch):
    cache_folder()
    this, other = os.geteuid(), 4321
    if this == 0:
        os.chown(cache, other, -1)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: other)
    with pytest.raises(DeviceError, match=rf"^{cache}: must belong to the user .*\(got user \d+, and not \d+\)"):
        program_cache()


def test_a_parent_that_everybody_can_write_is_refused_unless_it_is_sticky(cache):
    cache_folder()
    for mode, is_right in ((0o777, False), (0o1777, True), (0o775, True)):
        cache.parent.chmod(mode)
        if is_right:
            assert cache_folder() == cache
        else:
            with pytest.raises(DeviceError, match=rf"^{cache}: must be below .*\(got {cache.parent}, mode 777\)"):
                cache_folder()


@pytest.mark.compiler
@pytest.mark.parametrize("arguments", [[], ["--set", "codegen_target=cython", "--device", "runtime"]])
def test_no_program_is_run_from_a_cache_that_others_can_write(arguments, cache, tmp_path, command_line):
    cache.mkdir(parents=True)
    cache.chmod(0o777)
    command = ["run", "pseudoinverse_alignment", "--set", "layer_sizes=4,4", "--out", tmp_path / "runs", *arguments]
    status, _, error = command_line(*command)
    assert status == MISTAKE and error.startswith(f"{cache}: must be a folder that nobody else can write")
    assert len(error.splitlines()) == 1 and not list(cache.iterdir())


def test_whatever_is_run_from_the_cache_asks_for_it(cache, monkeypatch):
    """Programs, modules of Cython, rules, bytecode; a log of what nobody foresaw goes elsewhere."""
    from cortex_model.rules import own, shipped
    from cortex_model.runs.running import child_environment
    from cortex_model.system.failures import logged

    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setattr("cortex_model.devices.program.compiler_version", str)
    cache_folder().chmod(0o777)
    rule = shipped()["reciprocal"]
    for asks in (program_cache, cython_cache, child_environment, lambda: build("abc", None), lambda: own.written(rule)):
        with pytest.raises(DeviceError, match="must be a folder that nobody else can write"):
            asks()
    assert not Path(logged(ValueError("x"))).is_relative_to(cache)


# ---------------------------------------------------------------------- for a while
def test_what_a_killed_process_left_is_removed_by_the_next(cache):
    with scratch() as folder:
        (folder / "file").touch()
        assert folder.parent == cache / "temporary"
        left = folder.parent / "left"
        left.mkdir()
        left.with_suffix(".lock").touch()
        held = folder.parent / "held"
        held.mkdir()
        with FileLock(held.with_suffix(".lock")), scratch() as other:
            assert {path.name for path in folder.parent.iterdir() if path.is_dir()} == {
                "held", folder.name, other.name,
            }  # fmt: skip
    with scratch() as folder:
        assert [path.name for path in folder.parent.iterdir() if path.is_dir()] == [folder.name]
    assert not list(folder.parent.iterdir())


def test_nothing_is_left_where_something_fails(cache):
    with pytest.raises(KeyboardInterrupt), scratch() as folder:
        (folder / "file").touch()
        raise KeyboardInterrupt
    assert not list(folder.parent.iterdir())


# ---------------------------------------------------------------------- after a kill
#: A compiler that says its version, and is killed before it has compiled anything.
COMPILER = """#!/bin/sh
[ "$1" = --version ] && exec {compiler} --version
mktemp "${{TMPDIR:-/tmp}}/ccXXXXXX.s"
sleep 60
"""


@pytest.fixture
def places(cache, tmp_path, monkeypatch):
    """An empty temporary folder and an empty working folder."""
    for name, variable in (("temporary", "TMPDIR"), ("working", None)):
        (tmp_path / name).mkdir()
        if variable:
            monkeypatch.setenv(variable, str(tmp_path / name))
    (tmp_path / "g++").write_text(COMPILER.format(compiler=shutil.which("g++")))
    (tmp_path / "g++").chmod(0o755)
    monkeypatch.setenv("CXX", str(tmp_path / "g++"))
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    return tmp_path / "temporary", tmp_path / "working"


def killed_when(is_time, *arguments, working):
    """Start a process and kill it, and all that it started, when it is time."""
    process = subprocess.Popen(
        [sys.executable, *arguments], cwd=working, start_new_session=True, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 30
    while not is_time():
        if process.poll() is not None or time.monotonic() > deadline:
            os.killpg(process.pid, signal.SIGKILL)
            pytest.fail(process.stderr.read())
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    process.stderr.close()


@pytest.mark.compiler
@pytest.mark.parametrize(("moment", "n"), [("programs/*.lock", 1), ("temporary/*/program/cc*.s", 2)])
def test_after_a_kill_nothing_is_left_of_a_sweep(moment, n, places, cache):
    """But the runs that were asked for, and in the cache what the next build removes; sources made, or compiling."""
    temporary, working = places
    grid = ["--grid", "layer_sizes=4,4;5,5", "--workers", "2", "--device", "cpp_standalone"]

    def is_time():
        return len(list(cache.glob(moment))) >= n

    killed_when(is_time, "-m", "cortex_model", "sweep", "pseudoinverse_alignment", *grid, working=working)
    assert not list(temporary.iterdir())
    assert [path.name for path in working.iterdir()] == ["runs"]
    assert not [path for path in (cache / "programs").iterdir() if path.suffix != ".lock"]
    left, deadline = ["not known yet"], time.monotonic() + 10
    while left:
        assert time.monotonic() < deadline, "the children end with the sweep, and free what they left"
        with scratch() as folder:
            left = [path for path in folder.parent.iterdir() if path.is_dir() and path != folder]


#: A run that waits until a file is gone, then fails.
RUN = """
import sys, tempfile, time
from pathlib import Path
from cortex_model.devices.simulation import Simulation
from cortex_model.parameters import SleepWakeParameters
from cortex_model.schedule import Stimuli, sleep_schedule
from cortex_model.weights import initial_weights

hook = sys.excepthook
p = SleepWakeParameters(layer_sizes=(4, 3))
simulation = Simulation(p, "runtime")
simulation.run(sleep_schedule(p, 3, 3), Stimuli(), initial_weights(p, 0), {"sleep_learning_rate": 0.01})
assert "brian2" in sys.modules and sys.excepthook is hook
Path(sys.argv[1]).touch()
while Path(sys.argv[1]).exists():
    time.sleep(0.01)
1 / 0
"""


def test_a_run_on_the_runtime_device_leaves_nothing_and_brian2_has_no_last_words(places, tmp_path):
    """While it lives, it has nothing in the temporary folder that could be left there."""
    temporary, working = places
    mark = tmp_path / "mark"
    process = subprocess.Popen([sys.executable, "-c", RUN, mark], cwd=working, stderr=subprocess.PIPE, text=True)
    while not mark.exists():
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.02)
    assert not list(temporary.iterdir()) and not list(working.iterdir())
    mark.unlink()
    _, said = process.communicate(timeout=30)
    assert process.returncode == 1
    assert said.strip().endswith("ZeroDivisionError: division by zero") and "unexpected error" not in said
    assert not list(temporary.iterdir()) and not list(working.iterdir())


def test_brian2_has_no_last_words_where_a_script_loads_it_first():
    """An error of this package says itself what to do, and nobody should report it to Brian2."""
    code = "import brian2\nfrom cortex_model.devices.simulation import Simulation\nSimulation(None, 'nothing')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr.splitlines()[-1].startswith("cortex_model.errors.DeviceError: Simulation.device: must be one of")
    assert "unexpected error" not in done.stderr


def test_sources_of_objects_of_ones_own_are_kept_nowhere(places, cache, alone):
    """They are generated to name their program."""
    from brian2 import NeuronGroup

    from cortex_model.devices.names import Names
    from cortex_model.devices.session import generate_extended, new_hierarchy
    from cortex_model.parameters import SleepWakeParameters

    alone("reciprocal")
    temporary, _ = places
    hierarchy = new_hierarchy(SleepWakeParameters(layer_sizes=(4, 3)), "cpp_standalone")
    hierarchy.add(NeuronGroup(2, "x : 1"))
    tempfile.tempdir, kept = str(temporary), tempfile.tempdir
    try:
        _, place = generate_extended(hierarchy, Names({}))
    finally:
        tempfile.tempdir = kept
    assert not list(temporary.iterdir()) and not list((cache / "temporary").iterdir())
    arrays = place(cache / "placed")
    assert "W_1.weight" in arrays and (cache / "placed" / "main.cpp").exists() and json.dumps(arrays)

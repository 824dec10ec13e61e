"""A run that is killed at any moment goes on to the same weights."""

import json
import signal
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from cortex_model.devices.program import Program
from cortex_model.devices.simulation import Simulation
from cortex_model.parameters import SleepWakeParameters
from cortex_model.runs.checkpoint import Checkpoint
from cortex_model.runs.directory import RunDirectory
from cortex_model.runs.run import Run
from cortex_model.schedule import Stimuli, wake_sleep_schedule
from cortex_model.system.arrays import read_npz, write_npz
from cortex_model.weights import initial_weights

#: Beside the tiny parameters: sleep before wake, evaluations, and the host in between; a few chunks of each.
SETTING = {
    "chunk_presentations": 20, "evaluate_every_presentations": 700, "sleep_before_presentations": 900,
    "forward_sleep_learning_rate": 1e-4, "damping": 0.5, "feedback_gain": "norm_matched",
    "gain_update_presentations": 300,
}  # fmt: skip

#: Where the process kills itself: name -> Python that makes it so, before the command line starts.
KILLS = {
    "while compiling": """
from cortex_model.devices.simulation import Simulation
Simulation.build = lambda *_: die()
""",
    "in the first chunk": """
from cortex_model.devices.program import Program
Program.run = lambda *_: die()
""",
    "in sleep": """
from cortex_model.devices.program import Program
hand_over = Program.set
def set_(self, values):
    if values["now.first_slot"] > 0 and values["schedule.sleep_gate"].all():
        die(values["now.first_slot"])
    return hand_over(self, values)
Program.set = set_
""",
    "in evaluation": """
from cortex_model.devices.program import Program
hand_over = Program.set
def set_(self, values):
    if values["now.first_slot"] > 100 and values["schedule.answer_gate"].any():
        die(values["now.first_slot"])
    return hand_over(self, values)
Program.set = set_
""",
    "while a checkpoint is written": """
from cortex_model.runs import states
from cortex_model.system import arrays
n_written = 0
def write_whole(path, write, previous=None):
    global n_written
    part = path.with_name(path.name + ".part")
    write(part)
    n_written += path.match(states.CHECKPOINTS)
    if n_written == 4:
        os.truncate(part, os.path.getsize(part) // 2)
        die()
    part.replace(path)
arrays.write_whole = write_whole
""",
}
INTERRUPTED = """
from cortex_model.runs.checkpoint import Checkpoint
written, n_written = Checkpoint.write, 0
def write(*arguments):
    global n_written
    written(*arguments)
    n_written += 1
    if n_written == 3:
        os.kill(os.getpid(), {number})
Checkpoint.write = write
"""
#: Loads everything once, then makes a child for each line that it reads; answers with how the child ended.
PARENT = """
import json, os, signal, sys
import brian2, h5netcdf, xarray
import cortex_model.devices.session
from cortex_model import datasets
from cortex_model.cli import main
datasets.load("digits")
def die(said=None):
    print(said, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
for line in sys.stdin:
    arguments, patch, output, error = json.loads(line)
    child = os.fork()
    if child == 0:
        sys.stdin.close()
        for number, path in ((1, output), (2, error)):
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), number)
        exec(patch, globals())
        main(arguments)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@pytest.fixture(scope="module")
def apart(tmp_path_factory):
    """(arguments, Python before them) -> how the command line ended in a process of its own."""
    process = subprocess.Popen([sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    folder = tmp_path_factory.mktemp("said")

    def call(arguments, patch):
        paths = [folder / name for name in ("output", "error")]
        for path in paths:
            path.unlink(missing_ok=True)
        print(json.dumps([arguments, patch, *map(str, paths)]), file=process.stdin, flush=True)
        status = int(process.stdout.readline())
        return SimpleNamespace(returncode=status, stdout=paths[0].read_text(), stderr=paths[1].read_text())

    yield call
    process.stdin.close()
    process.wait(timeout=10)


@pytest.fixture(scope="module")
def arguments(tiny, typed):
    """(folder, device, more parameters) -> the words of a run."""

    def words(folder, device="cpp_standalone", **more):
        sets = typed(tiny | SETTING | more)
        where = ["--device", device, "--out", str(folder)]
        return ["run", "wake_sleep_classification", *sets, "--seed", "3", *where, "--json"]

    return words


def summary_of(called):
    status, output, error = called
    assert status == 0, error
    return json.loads(output.strip().split("\n")[-1])


@pytest.fixture
def uninterrupted(arguments, command_line, tmp_path_factory, request):
    """The same run, never killed: its summary."""
    kept = request.config.stash.setdefault(WHOLE, {})

    def summary(device):
        if device not in kept:
            kept[device] = summary_of(command_line(*arguments(tmp_path_factory.mktemp("whole"), device)))
        return kept[device]

    return summary


WHOLE = pytest.StashKey()


@pytest.fixture
def chunks(monkeypatch):
    """The first slot of each chunk that a compiled program is handed from now on."""
    seen, hand_over = [], Program.set

    def set_(self, values):
        if "now.first_slot" in values:
            seen.append(int(values["now.first_slot"]))
        return hand_over(self, values)

    monkeypatch.setattr(Program, "set", set_)
    return seen


class Stopped(BaseException):
    pass


def only_run(folder):
    (path,) = (path for path in folder.iterdir() if path.name.startswith("wake_sleep"))
    return path


@pytest.mark.compiler
@pytest.mark.slow
@pytest.mark.parametrize("moment", KILLS)
def test_a_run_killed_and_resumed_ends_with_the_same_weights(
    moment, uninterrupted, arguments, apart, command_line, chunks, tmp_path
):
    expected = uninterrupted("cpp_standalone")
    chunks.clear()
    killed = apart(arguments(tmp_path), KILLS[moment])
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    run_dir = only_run(tmp_path)
    assert not (run_dir / "summary.json").exists()
    assert RunDirectory(run_dir).state.startswith("interrupted")
    resumed = summary_of(command_line("resume", run_dir, "--json"))
    for name in ("weights_sha256", "test_error_percent", "evaluated_at_presentations"):
        assert resumed[name] == expected[name]
    assert RunDirectory(run_dir).summary() == resumed
    if moment in ("in sleep", "in evaluation"):
        assert chunks[0] == int(killed.stdout), "it goes on at the chunk in which it was killed, and not before"
    else:
        assert (chunks[0] > 0) == (moment == "while a checkpoint is written")


@pytest.mark.compiler
@pytest.mark.slow
def test_a_finished_run_is_not_run_again_unless_asked(arguments, command_line, monkeypatch, tmp_path):
    done = summary_of(command_line(*arguments(tmp_path)))

    def refuse(*_, **__):
        raise Stopped

    monkeypatch.setattr(Simulation, "run_network", refuse)
    assert summary_of(command_line(*arguments(tmp_path))) == done
    with pytest.raises(Stopped):
        command_line(*arguments(tmp_path), "--again")


@pytest.mark.parametrize(
    ("how", "device"),
    [
        (signal.SIGINT, "runtime"),
        pytest.param(signal.SIGTERM, "cpp_standalone", marks=[pytest.mark.compiler, pytest.mark.slow]),
    ],
)
def test_an_interrupted_run_says_how_to_go_on(how, device, uninterrupted, arguments, apart, command_line, tmp_path):
    stopped = apart(arguments(tmp_path, device), INTERRUPTED.format(number=int(how)))
    assert stopped.returncode == 130
    assert "resume" in stopped.stderr
    assert "Traceback" not in stopped.stderr
    run_dir = only_run(tmp_path)
    assert read_npz(run_dir / "checkpoint_1.npz")["at_presentation"] > 0
    resumed = summary_of(command_line("resume", run_dir, "--json"))
    assert resumed["weights_sha256"] == uninterrupted(device)["weights_sha256"]


@pytest.mark.compiler
@pytest.mark.slow
def test_a_checkpoint_of_other_parameters_is_refused(arguments, command_line, monkeypatch, chunks, resealed, tmp_path):
    monkeypatch.setattr(Program, "get", interrupt_after(3, chunks))
    with pytest.raises(Stopped):
        command_line(*arguments(tmp_path))
    run_dir = only_run(tmp_path)
    whole = (run_dir / "parameters.json").read_bytes()
    given = json.loads(whole)
    given["parameters"]["learning_rate"] = 0.5
    (run_dir / "parameters.json").write_text(json.dumps(given))
    resealed(run_dir)
    status, _, error = command_line("resume", run_dir)
    assert status == 2
    assert "must be a run whose name today's cortex-model gives to its parameters and files" in error
    checkpoint = run_dir / "checkpoint_1.npz"
    kept = read_npz(checkpoint)
    write_npz(checkpoint, kept | {"at_key": "another"})
    status, _, error = command_line(*arguments(tmp_path))
    assert status == 2 and "parameters.json: learning_rate must be" in error
    (run_dir / "parameters.json").write_bytes(whole)
    status, _, error = command_line("resume", run_dir)
    assert status == 2 and "must belong to this program, schedule, stimuli, parameters" in error


def interrupt_after(n, chunks, get=Program.get):
    """`Program.get` that interrupts once so many chunks were handed over."""

    def interrupting(self, names):
        if len(chunks) >= n:
            raise Stopped
        return get(self, names)

    return interrupting


@pytest.mark.compiler
@pytest.mark.slow
def test_diverging_weights_stop_the_run_and_leave_the_last_good_checkpoint(arguments, command_line, tmp_path):
    status, _, error = command_line(*arguments(tmp_path, sleep_learning_rate=5))
    assert status == 2
    assert "V_2" in error
    assert "must stay finite" in error
    assert "between presentations" in error
    assert "lower sleep_learning_rate" in error
    run_dir = only_run(tmp_path)
    assert (run_dir / "checkpoint_1.npz").exists()
    assert RunDirectory(run_dir).state == "interrupted"


@pytest.mark.compiler
@pytest.mark.slow
def test_diverging_forward_weights_name_the_learning_rate(arguments, command_line, tmp_path):
    status, _, error = command_line(*arguments(tmp_path, learning_rate=1e30, sleep_learning_rate=1e-5))
    assert status == 2
    assert "must stay finite" in error
    assert "lower learning_rate" in error


# ---------------------------------------------------------------------- spikes
SPIKING = {
    "dynamics": "spiking", "layer_sizes": (7, 5, 4, 3), "firing_threshold": 0.2, "sleep_amplitude": 2.0,
    "presentation_ms": 16.0, "feedback_onset_ms": 8.0, "sleep_ms": 14.0, "sleep_onset_ms": 6.0, "dtype": "float64",
    "annealing_presentations": 5.0,
}  # fmt: skip


def learned_in_spikes(folder, **options):
    """A run of a few presentations of wake, each with its sleep, on the runtime device; it may be there already."""
    p = SleepWakeParameters(**SPIKING | options)
    rng = np.random.default_rng(0)
    shown = rng.normal(size=(6, 7)), np.eye(3)[rng.integers(0, 3, 6)]
    schedule = wake_sleep_schedule(p, lambda _: np.arange(6), 6, 6, 2, 2)
    folder.mkdir(exist_ok=True)
    run = Run(p, 5, "runtime", RunDirectory(folder))
    run.simulate(schedule, Stimuli(shown, shown), initial_weights(p, 5), lambda *_: {}, {})
    return run.weights.sha256, {name: np.asarray(values) for name, (_, values, _) in run.measures.items()}


def test_spikes_and_their_counts_are_the_same_however_a_run_is_cut(only_rules, monkeypatch, tmp_path):
    with only_rules("reciprocal"):
        expected, measures = learned_in_spikes(tmp_path / "whole", chunk_presentations=100)
        write, written = Checkpoint.write, []

        def write_and_stop(self, *arguments):
            write(self, *arguments)
            written.append(self.n_done)
            if len(written) == 4:
                raise Stopped

        with monkeypatch.context() as patch:
            patch.setattr(Checkpoint, "write", write_and_stop)
            with pytest.raises(Stopped):
                learned_in_spikes(tmp_path / "cut", chunk_presentations=3)
        assert 0 < written[-1] < 20, "stopped on its way"
        weights, counted = learned_in_spikes(tmp_path / "cut", chunk_presentations=3)
    assert weights == expected and counted.keys() == measures.keys()
    for name, counts in measures.items():
        np.testing.assert_array_equal(counted[name], counts, name)
    kinds = {"spikes_in_wake", "spikes_in_sleep", "feedback_spikes_in_wake", "feedback_spikes_in_sleep"}
    for name in kinds | {"spikes_in_evaluation"}:
        assert (np.diff(measures[name].sum(axis=1)) > 0).all(), "from look to look there are more"

"""A run that is killed at any moment goes on to the same weights."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cortex_model.results import RunDirectory

SETTING = [
    "layer_sizes=64,9,7,10", "epochs=1", "chunk_presentations=400", "evaluate_every_presentations=700",
    "sleep_before_presentations=900", "forward_sleep_learning_rate=1e-4", "damping=0.5",
    "feedback_gain=norm_matched", "gain_update_presentations=300",
]  # fmt: skip

#: Where the process kills itself: name -> Python that makes it so, before the command line starts.
KILLS = {
    "while compiling": """
from cortex_model.devices import compilation
made = compilation._make
def make(folder, rules, *goals):
    if "main" in goals:
        die()
    made(folder, rules, *goals)
compilation._make = make
""",
    "in the first chunk": """
from cortex_model.devices.program import Program
Program.run = lambda *_: die()
""",
    "in sleep": """
from cortex_model.devices.program import Program
hand_over = Program.set
def set_(self, values):
    n = int(values["now.n_slots"])
    if n > 100 and not values["schedule.stimulus_gate"][:n].any():
        die()
    return hand_over(self, values)
Program.set = set_
""",
    "in evaluation": """
from cortex_model.devices.program import Program
hand_over = Program.set
def set_(self, values):
    n = int(values["now.n_slots"])
    if values["now.first_slot"] > 1000 and values["schedule.record_gate"][:n].any():
        die()
    return hand_over(self, values)
Program.set = set_
""",
    "while a checkpoint is written": """
from cortex_model import results, storage
n_written = 0
def write_whole(path, write):
    global n_written
    part = path.with_name(path.name + ".part")
    write(part)
    n_written += path.match(results.CHECKPOINTS)
    if n_written == 4:
        os.truncate(part, os.path.getsize(part) // 2)
        die()
    part.replace(path)
storage.write_whole = write_whole
""",
}


def cortex_model(*arguments, patch="", cache):
    code = f"""
import os, signal, sys
def die(): os.kill(os.getpid(), signal.SIGKILL)
{patch}
sys.argv = ["cortex-model", *{list(arguments)!r}]
from cortex_model.cli import main
main()
"""
    environment = os.environ | {"CORTEX_MODEL_CACHE": str(cache)}
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)


def run_arguments(folder, device):
    sets = [word for setting in SETTING for word in ("--set", setting)]
    where = ["--device", device, "--out", str(folder)]
    return ["run", "wake_sleep_classification", *sets, "--seed", "3", *where, "--json"]


def last_line(done):
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.strip().split("\n")[-1])


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """The same run, never killed: its summary, and the cache with its compiled program."""
    cache = Path(os.environ["CORTEX_MODEL_CACHE"])
    arguments = run_arguments(tmp_path_factory.mktemp("whole"), "cpp_standalone")
    return last_line(cortex_model(*arguments, cache=cache)), cache


@pytest.mark.compiler
@pytest.mark.parametrize("moment", KILLS)
def test_a_run_killed_and_resumed_ends_with_the_same_weights(moment, uninterrupted, tmp_path):
    expected, cache = uninterrupted
    if moment == "while compiling":
        cache = tmp_path / "cache"  # an empty cache, so that there is something to compile
    killed = cortex_model(*run_arguments(tmp_path, "cpp_standalone"), patch=KILLS[moment], cache=cache)
    assert killed.returncode == -signal.SIGKILL
    (run_dir,) = [path for path in tmp_path.iterdir() if path.name.startswith("wake_sleep")]
    assert not (run_dir / "summary.json").exists()
    resumed = last_line(cortex_model("resume", str(run_dir), "--json", cache=cache))
    assert resumed["weights_sha256"] == expected["weights_sha256"]
    assert resumed["test_error_percent"] == expected["test_error_percent"]
    assert json.loads((run_dir / "summary.json").read_text()) == resumed


@pytest.mark.compiler
def test_at_most_one_chunk_is_redone(uninterrupted, tmp_path):
    _, cache = uninterrupted
    cortex_model(*run_arguments(tmp_path, "cpp_standalone"), patch=KILLS["in evaluation"], cache=cache)
    (run_dir,) = tmp_path.iterdir()
    count = """
from cortex_model.devices.program import Program
hand_over = Program.set
def set_(self, values):
    print("slots", values["now.first_slot"], values["now.n_slots"])
    return hand_over(self, values)
Program.set = set_
"""
    resumed = cortex_model("resume", str(run_dir), patch=count, cache=cache)
    first = int(resumed.stdout.split("slots ")[1].split()[0])
    assert first > 1000  # it goes on at the chunk in which it was killed, not at the start


@pytest.mark.compiler
def test_a_finished_run_is_not_run_again_unless_asked(uninterrupted, tmp_path):
    expected, cache = uninterrupted
    done = last_line(cortex_model(*run_arguments(tmp_path, "cpp_standalone"), cache=cache))
    refuse = "from cortex_model.devices.simulation import Simulation\nSimulation.run_member = lambda *_, **__: die()"
    again = last_line(cortex_model(*run_arguments(tmp_path, "cpp_standalone"), patch=refuse, cache=cache))
    assert again == done
    asked = cortex_model(*run_arguments(tmp_path, "cpp_standalone"), "--again", patch=refuse, cache=cache)
    assert asked.returncode == -signal.SIGKILL


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_says_how_to_go_on(how, tmp_path):
    patch = f"""
from cortex_model.phases import chunk
from cortex_model.devices import simulation
made, n_chunks = simulation.chunk_arrays, 0
def chunk_arrays(*arguments):
    global n_chunks
    n_chunks += 1
    if n_chunks == 3:
        os.kill(os.getpid(), {int(how)})
    return made(*arguments)
simulation.chunk_arrays = chunk_arrays
"""
    cache = Path(os.environ["CORTEX_MODEL_CACHE"])
    stopped = cortex_model(*run_arguments(tmp_path, "runtime"), patch=patch, cache=cache)
    assert stopped.returncode == 130
    assert "resume" in stopped.stderr
    assert "Traceback" not in stopped.stderr
    (run_dir,) = tmp_path.iterdir()
    assert (run_dir / "checkpoint_1.npz").exists()
    whole = last_line(cortex_model(*run_arguments(tmp_path / "whole", "runtime"), cache=cache))
    resumed = last_line(cortex_model("resume", str(run_dir), "--json", cache=cache))
    assert resumed["weights_sha256"] == whole["weights_sha256"]


@pytest.mark.compiler
def test_a_checkpoint_of_other_parameters_is_refused(uninterrupted, tmp_path):
    _, cache = uninterrupted
    cortex_model(*run_arguments(tmp_path, "cpp_standalone"), patch=KILLS["in evaluation"], cache=cache)
    (run_dir,) = tmp_path.iterdir()
    given = json.loads((run_dir / "parameters.json").read_text())
    given["parameters"]["learning_rate"] = 0.5
    (run_dir / "parameters.json").write_text(json.dumps(given))
    refused = cortex_model("resume", str(run_dir), cache=cache)
    assert refused.returncode == 2
    assert "must belong to this program, schedule, stimuli, parameters" in refused.stderr


@pytest.mark.compiler
def test_diverging_weights_stop_the_run_and_leave_the_last_good_checkpoint(uninterrupted, tmp_path):
    _, cache = uninterrupted
    diverging = [*run_arguments(tmp_path, "cpp_standalone"), "--set", "sleep_learning_rate=5"]
    stopped = cortex_model(*diverging, cache=cache)
    assert stopped.returncode == 2
    assert "V_" in stopped.stderr
    assert "must stay finite" in stopped.stderr
    assert "between presentations" in stopped.stderr
    assert "lower sleep_learning_rate" in stopped.stderr
    (run_dir,) = tmp_path.iterdir()
    assert (run_dir / "checkpoint_1.npz").exists()
    assert RunDirectory(run_dir).state == "interrupted"


@pytest.mark.compiler
def test_diverging_forward_weights_name_the_learning_rate(uninterrupted, tmp_path):
    _, cache = uninterrupted
    sets = ["learning_rate=1e30", "sleep_learning_rate=1e-5"]
    arguments = [*run_arguments(tmp_path, "cpp_standalone"), *(word for text in sets for word in ("--set", text))]
    stopped = cortex_model(*arguments, cache=cache)
    assert stopped.returncode == 2
    assert "must stay finite" in stopped.stderr
    assert "lower learning_rate" in stopped.stderr

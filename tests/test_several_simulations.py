"""A protocol that simulates several times: each call has its checkpoint, its own noise, and rows behind the others'."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cortex_model.devices.simulation import Simulation
from cortex_model.errors import RunError
from cortex_model.protocol import load_protocol, protocol_folder, run_numbers
from cortex_model.runs.directory import RunDirectory
from cortex_model.runs.running import resume, start
from cortex_model.schedule import Stimuli, sleep_schedule
from cortex_model.weights import Weights, initial_weights

GIVEN = {"layer_sizes": (6, 4), "n_presentations": 60, "chunk_presentations": 25}


@pytest.fixture(scope="module", autouse=True)
def few_objects(only_rules):
    """Of one rule: others would add nothing."""
    with only_rules("reciprocal"):
        yield


@pytest.fixture(scope="module")
def lesion(tmp_path_factory):
    """The example of protocols/README.md."""
    file = tmp_path_factory.mktemp("protocol") / "lesion.py"
    blocks = (protocol_folder() / "README.md").read_text().split("```python\n")[1:]
    (example,) = (block for block in blocks if 'Protocol("lesion"' in block)
    file.write_text(example.split("```")[0])
    return str(file)


def begin(lesion, folder, **more):
    return start(lesion, load_protocol(lesion).parameters().with_overrides(GIVEN | more), 3, "runtime", folder)


@pytest.fixture(scope="module")
def whole(lesion, tmp_path_factory):
    summary = begin(lesion, tmp_path_factory.mktemp("whole"))
    return summary, RunDirectory(summary["run_dir"])


def test_sleep_lesion_sleep_is_what_it_says(lesion, tmp_path):
    found = begin(lesion, tmp_path, n_presentations=800, chunk_presentations=5000)
    assert found["before"] < 0.2 < found["after_lesion"]
    assert found["after_sleep"] < 0.5 * found["after_lesion"]


def by_hand(p, first_presentation=None):
    """Weights after sleep, and after sleep, a lesion, and sleep again."""
    simulation, schedule = Simulation(p, "runtime"), sleep_schedule(p, p.n_presentations, p.n_presentations // 10)
    numbers = run_numbers(p, 3)
    before = simulation.run(schedule, Stimuli(), initial_weights(p, 3), numbers).weights
    V = before.feedback[1].copy()
    V[:, ::2] = 0
    lesioned = Weights(before.forward, before.biases, {1: V})
    after = simulation.run(schedule, Stimuli(), lesioned, numbers, first_presentation=first_presentation).weights
    return before, after


def test_the_second_call_starts_from_what_it_is_handed_and_sees_new_noise(lesion, whole):
    summary, directory = whole
    p = load_protocol(lesion).parameters().with_overrides(GIVEN)
    _, counted_on = by_hand(p)
    _, told_otherwise = by_hand(p, first_presentation=0)
    assert directory.weights().sha256 == counted_on.sha256
    assert counted_on.sha256 != told_otherwise.sha256


def test_rows_of_the_second_call_follow_those_of_the_first(whole):
    summary, directory = whole
    measured = directory.measures()["distance"]
    distance = measured.values
    assert measured["look"].values.tolist() == [*range(0, 61, 6), *range(60, 121, 6)]
    assert (distance[10], distance[11], distance[-1]) == tuple(
        summary[name] for name in ("before", "after_lesion", "after_sleep")
    )


def test_the_numbers_of_presentations_are_counted_on():
    p = load_protocol("pseudoinverse_alignment").parameters().with_overrides({"layer_sizes": (4, 4)})
    one = sleep_schedule(p, 10, 10)
    both = one.counted_from(one.next_presentation)
    assert one.next_presentation == 10
    assert both.presentation.min() == 10
    assert both.next_presentation == 20
    np.testing.assert_array_equal(both.presentation, one.presentation + 10)
    assert both.n_presentations() == one.n_presentations()
    with pytest.raises(ValueError, match="must be below 2147483648"):
        one.counted_from(2**31 - 5)


KILLER = """
import os, random, signal, sys, time
from pathlib import Path
sys.path.insert(0, {tests!r})
import numpy, brian2
from cortex_model.protocol import load_protocol
from cortex_model.runs.running import start
file, folder, seconds = sys.argv[1], Path(sys.argv[2]), float(sys.argv[3])
parameters = load_protocol(file).parameters().with_overrides({given!r})
random.seed(5)
n_killed = 0
while True:
    child = os.fork()
    if child == 0:
        start(file, parameters, 3, "runtime", folder)
        os._exit(0)
    if n_killed < 8:
        time.sleep(random.uniform(0.1, 1.0) * seconds)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    n_killed += os.WIFSIGNALED(status)
    if not os.WIFSIGNALED(status):
        if n_killed < 8:  # it was quicker than the signal: another one
            folder = folder / "next"
            continue
        break
print(n_killed, status)
"""


@pytest.mark.slow
def test_a_run_of_two_phases_killed_at_many_moments_ends_in_the_same_bits(lesion, whole, tmp_path):
    summary, directory = whole
    code = KILLER.format(given=GIVEN, tests=os.path.dirname(__file__))
    done = subprocess.run(
        [sys.executable, "-c", code, lesion, str(tmp_path / "runs"), "0.3"], capture_output=True, text=True
    )
    assert done.stdout.split()[-2:] == ["8", "0"], done.stderr
    finished = [RunDirectory(path.parent) for path in (tmp_path / "runs").rglob("summary.json")]
    assert finished
    for run in finished:
        assert run.weights().sha256 == directory.weights().sha256
        np.testing.assert_array_equal(run.measures()["distance"], directory.measures()["distance"])
        assert {"before", "after_lesion"} <= run.summary().keys()
        assert not list(run.path.glob("checkpoint*"))


def test_weights_at_the_start_are_kept_where_the_seed_does_not_say_them(lesion, whole, tmp_path):
    assert whole[1].start() is None
    file = tmp_path / "lesion.py"
    drawn = "initial_weights(p, run.seed)"
    given = drawn[:-1] + ', {"V_1": np.ones(p.layer_sizes)})'
    file.write_text("import numpy as np\n" + Path(lesion).read_text().replace(drawn, given))
    summary = begin(str(file), tmp_path)
    np.testing.assert_array_equal(RunDirectory(summary["run_dir"]).start().feedback[1], np.ones((6, 4)))


class Stopped(BaseException):
    pass


@pytest.mark.parametrize("n_written", [2, 13])
def test_it_goes_on_from_the_last_checkpoint_of_the_call_in_which_it_stopped(
    n_written, lesion, whole, tmp_path, monkeypatch
):
    from cortex_model.runs.checkpoint import Checkpoint

    write, places = Checkpoint.write, []

    def stop(self, path, key):
        write(self, path, key)
        places.append((path.name, self.n_done))
        if len(places) == n_written:
            raise Stopped

    monkeypatch.setattr(Checkpoint, "write", stop)
    with pytest.raises(Stopped):
        begin(lesion, tmp_path)
    stopped_at = places[-1]
    (path,) = tmp_path.iterdir()
    resume(path)
    resumed = places[n_written:]
    assert all(name == stopped_at[0] and n > stopped_at[1] or name > stopped_at[0] for name, n in resumed)
    assert RunDirectory(path).weights().sha256 == whole[1].weights().sha256
    np.testing.assert_array_equal(RunDirectory(path).measures()["distance"], whole[1].measures()["distance"])


def test_a_protocol_that_hands_over_other_weights_when_it_goes_on_is_refused(lesion, tmp_path, monkeypatch, resealed):
    from cortex_model.runs.checkpoint import Checkpoint

    write = Checkpoint.write

    def stop(self, path, key):
        write(self, path, key)
        if path.name == "checkpoint_2.npz" and self.n_done > 20:
            raise Stopped

    monkeypatch.setattr(Checkpoint, "write", stop)
    with pytest.raises(Stopped):
        begin(lesion, tmp_path)
    monkeypatch.setattr(Checkpoint, "write", write)
    (path,) = tmp_path.iterdir()
    loaded = load_protocol(lesion)
    original = loaded.run.__globals__["Weights"]
    kept = path / "protocol" / "lesion.py"
    kept.write_text(kept.read_text().replace("V[:, ::2] = 0", "V[:, ::3] = 0"))
    given = json.loads((path / "parameters.json").read_text())
    from cortex_model.system.sources import sha256

    given["protocol_files"]["lesion.py"] = sha256(kept.read_bytes())
    (path / "parameters.json").write_text(json.dumps(given))
    resealed(path)
    assert original is Weights
    with pytest.raises(RunError, match="must be a run whose name today's cortex-model gives"):
        resume(path)

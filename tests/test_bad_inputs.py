"""Bad input gets one clear sentence and exit status 2: where, what must hold, what was got, what to do."""

import fcntl
import json
import os
import sys
import threading

import pytest

from cortex_model.cli import main
from cortex_model.errors import RunError
from cortex_model.runs.directory import RunDirectory
from cortex_model.runs.locking import held, is_held

RUN = ["run", "wake_sleep_classification", "--device", "runtime"]


def with_set(*settings):
    return [*RUN, *(word for setting in settings for word in ("--set", setting))]


#: What is wrong -> (arguments, what the sentence must contain). {folder} is an empty folder with some bad files.
PARAMETERS = {
    "an unknown parameter": (with_set("learning_rat=1"), "did you mean 'learning_rate'?"),
    "a parameter like no other": (with_set("qqqqqqqq=1"), "must be the name of a parameter; known are"),
    "a setting without a value": (with_set("epochs"), "--set: must be key=value (got 'epochs')"),
    "a negative rate": (with_set("learning_rate=-1"), "learning_rate: must be a number at least 0 (got '-1')"),
    "a rate that is no number": (with_set("learning_rate=fast"), "must be a number at least 0 (got 'fast')"),
    "an infinite rate": (with_set("learning_rate=inf"), "learning_rate: must be"),
    "negative damping": (with_set("damping=-0.1"), "damping: must be a number at least 0"),
    "half an epoch": (with_set("epochs=0.5"), "epochs: must be a whole number at least 1 (got '0.5')"),
    "no epoch": (with_set("epochs=0"), "epochs: must be a whole number at least 1"),
    "an unknown rule": (with_set("learning_rule=magic"), "learning_rule: must be one of backpropagation, ben_israel"),
    "an unknown nonlinearity": (with_set("nonlinearity=relu"), "nonlinearity: must be one of linear, threshold_linear"),
    "an unknown top": (with_set("top=argmax"), "top: must be one of linear, sigmoid, softmax (got 'argmax')"),
    "an unknown dataset": (with_set("dataset=minst"), "dataset: must be one of digits, mnist"),
    "an unknown precision": (with_set("dtype=float16"), "dtype: must be one of float32, float64 (got 'float16')"),
    "an unknown noise": (with_set("noise_distribution=pink"), "must be one of uniform, gaussian, rademacher"),
    "an unknown gain": (with_set("feedback_gain=lots"), "must be one of none, closed_form, norm_matched"),
    "one population": (with_set("layer_sizes=64"), "layer_sizes: must be at least 2 numbers separated by commas"),
    "an empty population": (with_set("layer_sizes=64,0,10"), "layer_sizes: must be"),
    "sizes in words": (with_set("layer_sizes=64,many,10"), "layer_sizes: must be"),
    "sizes that do not fit the images": (with_set("layer_sizes=784,32,10"), "set layer_sizes=64,32,10."),
    "sizes without the top": (with_set("layer_sizes=64,32"), "set layer_sizes=64,32,10."),
    "a parameter twice": (with_set("epochs=1", "epochs=2"), "--set: must name each parameter once (got epochs=1 and"),
    "a setting without a name": (with_set("=1"), "--set: must be key=value (got '=1')"),
    "weight decay in another rule": (
        with_set("weight_decay=0.1"),
        "must be left out where learning_rule is reciprocal",
    ),
    "more epochs than a number holds": (with_set("epochs=1" + "0" * 30), "epochs: must be at most 2147483647"),
    "more sleep than memory": (
        with_set("sleep_per_wake=1e300"),
        "Schedule: must hold at most 2147483647 presentations",
    ),
    "more synapses than memory": (with_set("layer_sizes=64,2000000000,10"), "layer_sizes: must fit into the"),
    "a seed that is too large": (
        [*RUN, "--seed", "2147483647", "--ensemble-size", "2"],
        "--seed: must be a whole number",
    ),
    "too many networks": ([*RUN, "--ensemble-size", "5000"], "--ensemble-size: must be a whole number from 1 to 4096"),
    "varied without a difference": (
        [*RUN, "--vary", "feedback_onset_ms=5,10"],
        "--vary: must make each network another one (got 2, 1 of them different)",
    ),
    "varied and set": ([*with_set("damping=1"), "--vary", "damping=1,2"], "must be either varied or set (got both)"),
    "a regression of one": (with_set("regression=1"), "regression: must be a number at least 0 and below 1"),
    "biases maybe": (with_set("biases=maybe"), "biases: must be true or false (got 'maybe')"),
    "no room in a chunk": (with_set("chunk_presentations=0"), "chunk_presentations: must be a whole number at least 1"),
    "an unknown dynamics": (with_set("dynamics=fast"), "dynamics: must be one of settled, leaky, spiking (got 'fast')"),
    "a time that is no whole number of steps": (
        with_set("dynamics=leaky", "presentation_ms=10.5", "feedback_onset_ms=5"),
        "presentation_ms must be a whole number of time steps where dynamics is leaky (got 10.5 ms",
    ),
    "an error that comes too late": (
        with_set("dynamics=leaky", "presentation_ms=20", "feedback_onset_ms=20"),
        "feedback_onset_ms must be before the end of the presentation, at 20 ms (got 20 ms)",
    ),
    "delays that are too many": (
        with_set("dynamics=leaky", "forward_delay_ms=1,2,3"),
        "forward_delay_ms must be one number, or one for each of the 2 forward projections (got 3)",
    ),
    "no time constant": (with_set("time_constant_ms=0"), "time_constant_ms: must be a number above 0 (got '0')"),
    "weights that would vanish": (
        with_set("forward_sleep_learning_rate=0.01", "damping=1", "feedback_gain=none"),
        "forward_sleep_learning_rate == 0 or damping < noise_gain must hold, because both weights would vanish (got",
    ),
    "ben_israel with forward sleep": (
        with_set("learning_rule=ben_israel", "forward_sleep_learning_rate=0.1", "damping=0"),
        "forward_sleep_learning_rate: must be left out where learning_rule is ben_israel (got 0.1)",
    ),
    "a mirror that nothing bounds": (
        with_set("learning_rule=weight_mirror", "damping=0"),
        "weight_mirror.damping: must be a number above 0 (got 0.0)",
    ),
    "more validation images than images": (with_set("validation_images=5000"), "validation"),
    "a negative seed": ([*RUN, "--seed", "-1"], "--seed: must be a whole number from 0 to 2147483647 (got -1)"),
}
DEVICES = {
    "an unknown device": ([*RUN[:2], "--device", "magic"], "must be one of runtime, cpp_standalone"),
    "a graphics card by another name": ([*RUN[:2], "--device", "cuda"], "'cuda' is not offered (a GPU)"),
    "no device": ([*RUN[:2], "--device", ""], "must be one of runtime, cpp_standalone"),
    "a device that cannot run": (
        ["run", "wake_sleep_classification", "--device", "cuda_standalone"],
        "--device: cuda_standalone must be able to run here",
    ),
}
BENCHMARK = {
    "sizes of one population": (["benchmark", "--sizes", "784"], "layer_sizes: must be at least 2 numbers"),
    "sizes that are no numbers": (["benchmark", "--sizes", "784,x"], "layer_sizes: must be"),
    "a width of nothing": (["benchmark", "--widths", "64,0"], "--widths: must be whole numbers from 1 up"),
    "an ensemble in words": (["benchmark", "--ensembles", "many"], "--ensembles: must be whole numbers from 1 up"),
    "an unknown device to measure": (["benchmark", "--devices", "gpu"], "--devices: must be of cpp_standalone, cuda"),
    "an unknown precision to measure": (["benchmark", "--dtype", "half"], "dtype: must be one of float32, float64"),
    "no repetition": (["benchmark", "--repetitions", "0"], "repetitions: must be at least 1, of more than 0 seconds"),
    "a Python without PyTorch": (
        ["benchmark", "--pytorch-python", "{folder}/empty.py"],
        "--pytorch-python: must be a Python with torch and numpy",
    ),
}
SWEEP = ["sweep", "wake_sleep_classification", "--device", "runtime", "--out", "{folder}/runs", "--grid"]
SWEEPS = {
    "a grid without values": ([*SWEEP, "damping="], "--grid: damping must have values (got none)"),
    "a grid without an equals sign": ([*SWEEP, "damping"], "--grid: must be key=value (got 'damping')"),
    "a grid over an unknown parameter": ([*SWEEP, "dampin=1"], "did you mean 'damping'?"),
    "a grid with a value twice": ([*SWEEP, "damping=1,1"], "damping must have each value once"),
    "no seeds": ([*SWEEP, "damping=1", "--seeds", "0"], "--seeds: must be a whole number from 1 to"),
    "too many seeds": ([*SWEEP, "damping=1", "--seeds", "1000000000"], "--seeds: must be a whole number from 1 to"),
    "too many workers": ([*SWEEP, "damping=1", "--workers", "100000"], "--workers: must be a whole number from 1 to"),
    "too many runs": (
        [*SWEEP, f"damping={','.join(map(str, range(11)))}", "--seeds", "100000"],
        "--grid: must be a whole number from 1 to 1000000 (got 1100000 runs)",
    ),
    "a scheduler that is nowhere": (
        [*SWEEP, "damping=1", "--scheduler", "nowhere://"],
        "must be the address of a dask",
    ),
    "a sweep in a folder that cannot be made": (
        [*SWEEP, "damping=1", "--out", "{folder}/empty.py"],
        "must be a folder that can be written",
    ),
}
FILES = {
    "an unknown protocol": (["run", "wake_sleep_clasification"], "did you mean wake_sleep_classification?"),
    "a protocol file that is not there": (["run", "{folder}/none.py"], "must be a protocol's name or file"),
    "a protocol file with an error": (["run", "{folder}/broken.py"], "must be Python that can be loaded"),
    "a protocol file without a protocol": (["run", "{folder}/empty.py"], "must define PROTOCOL"),
    "a run directory that is not there": (["resume", "{folder}/nowhere"], "must be a run directory"),
    "a folder that is no run directory": (["resume", "{folder}"], "must hold parameters.json (got none)"),
    "parameters that are no JSON": (["resume", "{folder}/damaged"], "must be JSON"),
    "runs of a folder that is not there": (["runs", "{folder}/nowhere"], "must be a folder of run directories"),
    "a folder that cannot be written": ([*RUN, "--out", "{folder}/empty.py"], "must be a folder that can be written"),
    "a dataset to fetch that is unknown": (["datasets", "fetch", "minst"], "did you mean"),
    "a dataset to verify that is unknown": (["datasets", "verify", "cifar"], "cifar10"),
    "data in a folder that is not there": (with_set("dataset=mnist", "layer_sizes=784,10"), "CORTEX_MODEL_DATA"),
    "parameters that are no values by name": (["resume", "{folder}/listed"], "must hold values by name (got [1, 2])"),
    "parameters without a protocol": (
        ["resume", "{folder}/empty"],
        "must hold values by name (got None for",
    ),
    "parameters of an unknown protocol": (["parameters", "narrowing"], "must be a protocol's name or file"),
    "a figure in a file": (
        ["reproduce", "fig1a", "--out", "{folder}/empty.py"],
        "must be a folder that can be written",
    ),
    "a figure in an empty name": (["reproduce", "fig1a", "--out", ""], "--out: must be a folder that can be written"),
    "figures of no seeds": (["reproduce", "fig1a", "--seeds", "0"], "--seeds: must be a whole number from 1"),
    "an unknown figure": (["figure", "fig9z", "{folder}"], "fig2b"),
    "a figure to reproduce that is unknown": (["reproduce", "fig9z"], "fig2b"),
}
TABLE = PARAMETERS | DEVICES | BENCHMARK | SWEEPS | FILES


def test_the_table_is_long_enough():
    assert len(TABLE) >= 30


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "broken.py").write_text("def (:\n")
    (tmp_path / "empty.py").write_text("ANSWER = 42\n")
    for name, content in (("damaged", "{not json"), ("listed", "[1, 2]"), ("empty", "{}")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "parameters.json").write_text(content)
    return tmp_path


@pytest.mark.parametrize("wrong", TABLE)
def test_bad_input_gets_one_clear_sentence(wrong, folder, monkeypatch, capsys):
    arguments, sentence = TABLE[wrong]
    arguments = [argument.format(folder=folder) if "{folder}" in argument else argument for argument in arguments]
    monkeypatch.chdir(folder)
    if "CORTEX_MODEL_DATA" in sentence:
        monkeypatch.setenv("CORTEX_MODEL_DATA", str(folder / "no such folder"))
    monkeypatch.setattr(sys, "argv", ["cortex-model", *arguments])
    with pytest.raises(SystemExit) as stopped:
        main()
    said = capsys.readouterr().err
    assert stopped.value.code == 2
    assert sentence in said
    assert "Traceback" not in said
    assert len(said.strip().split("\n")) == 1  # one sentence, not a page


def test_a_run_that_another_process_makes_is_waited_for(tmp_path, monkeypatch, capsys):
    """And one that shares a program with others is not: they would wait for each other."""
    monkeypatch.setattr(sys, "argv", ["cortex-model", *with_set("layer_sizes=64,10"), "--out", str(tmp_path)])
    monkeypatch.setattr("cortex_model.runs.running.carry_out", lambda *_: {})
    main_without_exit()
    (run_dir,) = tmp_path.iterdir()
    with open(run_dir / ".lock") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert RunDirectory(run_dir).state == "running"
        with pytest.raises(RunError, match="must not be in use by another process"), held(run_dir, waits=False):
            pass
        release = threading.Timer(0.5, fcntl.flock, (file, fcntl.LOCK_UN))
        release.start()
        main_without_exit()
        release.join()
    assert f"{run_dir}: another process is making this run; waiting until it ends." in capsys.readouterr().err
    assert not is_held(run_dir) and not is_held(tmp_path) and not list(tmp_path.glob(".lock"))


def main_without_exit():
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 0


def test_a_damaged_checkpoint_is_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["cortex-model", *with_set("layer_sizes=64,10"), "--out", str(tmp_path)])
    with monkeypatch.context() as patch:
        patch.setattr("cortex_model.runs.running.carry_out", lambda *_: {})
        main_without_exit()
    (run_dir,) = tmp_path.iterdir()
    (run_dir / "checkpoint_1.npz").write_bytes(b"PK\x03\x04" + os.urandom(100))
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 2
    assert "must be a whole NPZ file" in capsys.readouterr().err
    assert json.loads((run_dir / "parameters.json").read_text())["seed"] == 0

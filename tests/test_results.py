"""A run directory: what its measures are plotted over, and what `runs` says of it."""

import matplotlib
import numpy as np
import pytest
from typer.testing import CliRunner

import cortex_model
from cortex_model.cli import app
from cortex_model.errors import RunError
from cortex_model.protocol import Protocol, Run
from cortex_model.runs.directory import MEASURES, RunDirectory
from cortex_model.runs.locking import held
from cortex_model.runs.running import carry_out
from cortex_model.runs.states import COMPILING, PROGRAM_READY
from cortex_model.state.kept import PROVENANCE
from cortex_model.sweeps.gathering import gathered
from cortex_model.system.arrays import write_arrays
from cortex_model.system.storage import write_json
from cortex_model.weights import Weights

ANGLE = "alignment_angle_to_pseudoinverse_degrees"


@pytest.fixture
def axes():
    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots()
    yield axes
    pyplot.close(figure)


DESCRIPTION = {"parameters": {}, "protocol": "p", "protocol_file": "p", "seed": 0, "device": "d"}


def weights_of(sizes, to_input=False):
    levels = range(1, len(sizes))
    return Weights(
        {l: np.zeros((sizes[l], sizes[l - 1])) for l in levels},
        {l: np.zeros(sizes[l]) for l in levels},
        {l: np.zeros((sizes[l - 1], sizes[l])) for l in levels if l > 1 or to_input},
    )


def finished(folder, sizes=(6, 5, 4, 3), looks=(0, 40, 90), to_input=False):
    """A run directory whose measures have every dimension, with numbers that tell them apart."""
    weights, n = weights_of(sizes, to_input), len(looks)
    lengths = {"feedback_projection": len(weights.feedback), "forward_projection": len(weights.forward)}
    lengths |= {"population": len(sizes), "hidden_population": len(sizes) - 2}
    measures = {f"of_{dim}": (["look", dim], np.arange(n * m).reshape(n, m), "1") for dim, m in lengths.items()}
    measures[ANGLE] = (["look", "feedback_projection"], measures["of_feedback_projection"][1], "degree")
    measures["error"] = (["look"], np.arange(n), "percent")
    directory = RunDirectory.created(folder / f"run-{len(sizes)}-{n}", DESCRIPTION)
    directory.finish(weights, measures, np.array(looks))
    directory.conclude({"error": 1.0}, {})
    return directory


@pytest.mark.parametrize("to_input", [False, True])
def test_measures_say_what_their_rows_and_levels_are(tmp_path, to_input):
    measures = finished(tmp_path, to_input=to_input).measures()
    assert measures["look"].values.tolist() == [0, 40, 90]
    assert measures["feedback_projection"].values.tolist() == ([1, 2, 3] if to_input else [2, 3])
    assert measures["forward_projection"].values.tolist() == [1, 2, 3]
    assert measures["population"].values.tolist() == [0, 1, 2, 3]
    assert measures["hidden_population"].values.tolist() == [1, 2]
    assert float(measures[ANGLE].sel(look=40, feedback_projection=3)) == measures[ANGLE].values[1, -1]


@pytest.mark.parametrize("sizes", [(6, 5, 4), (6, 5, 4, 3), (6, 5, 4, 4, 3)], ids=len)
def test_measures_are_plotted_over_presentations(tmp_path, axes, sizes):
    angles = finished(tmp_path, sizes).measures()[ANGLE]
    angles.plot.line(x="look", ax=axes)
    lines = axes.get_lines()
    assert axes.get_xlabel() == "look [presentations]" and len(lines) == len(sizes) - 2
    for at, line in enumerate(lines):
        assert line.get_xdata().tolist() == [0, 40, 90] and line.get_ydata().tolist() == angles.values[:, at].tolist()
    axes.clear()
    drawn = angles.plot(ax=axes)
    if len(sizes) > 3:
        assert drawn.get_array().shape == angles.shape
        assert (axes.get_xlabel(), axes.get_ylabel()) == ("feedback_projection", "look [presentations]")


def test_measures_of_an_earlier_version_are_read(tmp_path, axes):
    directory = finished(tmp_path)
    values = np.arange(6.0).reshape(3, 2)
    write_arrays(directory.path / MEASURES, {ANGLE: (["look", "feedback_projection"], values, "degree")}, {})
    directory.conclude({"error": 1.0}, {})
    old = directory.measures()
    assert not old.coords and old[ANGLE].values.tolist() == values.tolist()
    old[ANGLE].plot.line(x="look", ax=axes)
    assert len(axes.get_lines()) == 2
    other = finished(tmp_path / "new")
    dataset = gathered([directory, other], ["", ""], {"seed": [0, 1]})
    assert set(dataset.coords) == {"seed"} and np.isfinite(dataset[ANGLE]).all()


def test_a_protocol_without_a_simulation_says_when_it_looked(tmp_path):
    directory = RunDirectory.created(tmp_path / "run", DESCRIPTION)
    directory.finish(None, {"presentations": (["look"], np.array([0, 7]), "presentations")})
    directory.conclude({}, {})
    assert directory.measures()["look"].values.tolist() == [0, 7]
    directory.finish(None, {"error": (["look"], np.array([0, 7]), "percent")})
    directory.conclude({}, {})
    assert not directory.measures().coords


def test_a_sweep_keeps_the_coordinates_that_its_runs_share(tmp_path, axes):
    short, long = finished(tmp_path, looks=(0, 40)), finished(tmp_path, looks=(0, 40, 90))
    dataset = gathered([long, short], ["", ""], {"damping": [0.0, 1.0], "seed": [0]})
    assert dataset["look"].values.tolist() == [0, 40, 90]
    assert dataset["feedback_projection"].values.tolist() == [2, 3]
    assert np.isnan(dataset[ANGLE].sel(damping=1, look=90)).all()
    dataset[ANGLE].mean("seed").sel(feedback_projection=2).plot.line(x="look", ax=axes)
    assert [line.get_ydata()[0] for line in axes.get_lines()] == [0, 0] and axes.get_xlabel() == "look [presentations]"
    axes.clear()
    dataset[ANGLE].sel(seed=0, damping=1).plot(ax=axes)
    assert axes.get_ylabel() == "look [presentations]"
    other = finished(tmp_path / "other", looks=(0, 50, 100))
    dataset = gathered([long, other], ["", ""], {"damping": [0.0, 1.0], "seed": [0]})
    assert "look" not in dataset.coords and "feedback_projection" in dataset.coords


# ---------------------------------------------------------------------- states
def test_a_run_says_in_which_state_it_is(tmp_path):
    directory = RunDirectory.created(tmp_path / "run", DESCRIPTION)
    assert directory.state == "not started"
    write_json(directory.path / PROVENANCE, {})
    assert directory.state == "interrupted"
    compiling = "interrupted while compiling"
    for line, state in (
        (COMPILING, compiling),
        ("stopped: Interruption: ", compiling),
        (f"{PROGRAM_READY} 8.1 s", "interrupted"),
        ("simulation 1, presentations 0 to 7", "interrupted"),
        (COMPILING, compiling),  # again, after it was resumed
    ):
        directory.log(line)
        assert directory.state == state, line
    listed = CliRunner().invoke(app, ["runs", str(tmp_path)])
    assert listed.exit_code == 0 and "interrupted while" in listed.stdout
    directory.clear()
    assert directory.state == "not started"


@pytest.mark.parametrize("device", ["cpp_standalone", "runtime"])
def test_a_run_that_dies_while_it_compiles_says_so(tmp_path, monkeypatch, device):
    from cortex_model.devices.simulation import Simulation
    from cortex_model.parameters import SleepWakeParameters
    from cortex_model.schedule import Stimuli, sleep_schedule
    from cortex_model.weights import initial_weights

    p, states = SleepWakeParameters(layer_sizes=(4, 3), feedback_to_input=True), []

    def die(simulation):
        states.append(RunDirectory(tmp_path / "run").state)
        raise KeyboardInterrupt

    def sleep(run: Run):
        run.simulate(sleep_schedule(p, 4, 2), Stimuli(), initial_weights(p, 0), lambda *_: {}, {})

    monkeypatch.setattr(Simulation, "build", die)
    directory = RunDirectory.created(tmp_path / "run", DESCRIPTION)
    with pytest.raises(KeyboardInterrupt), held(directory.path):
        carry_out(Protocol("asleep", "", SleepWakeParameters, sleep), p, 0, device, directory)
    assert states == ["running"]
    assert directory.state == ("interrupted" if device == "runtime" else "interrupted while compiling")


@pytest.mark.parametrize(
    ("name", "given", "sentence"),
    [
        ("m/n", (["a"], np.zeros(3), "1"), "a name without slash"),
        ("m", (["a", "b"], np.zeros(3), "1"), "as many as the values have"),
        ("m", (["a", "a"], np.zeros((3, 3)), "1"), "different dimensions"),
        ("m", (["a"], np.zeros(3, complex), "1"), "numbers, truth values or texts"),
        ("m", (["a"], [[1], [1, 2]], "1"), "numbers, truth values or texts"),
        ("m", (["a"], np.zeros(3, "datetime64[s]"), "1"), "numbers, truth values or texts"),
        ("m", ([], None, "1"), "numbers, truth values or texts"),
        ("m", (["a"], np.zeros(3)), r"must be \(dimensions, values, unit\)"),
    ],
)
def test_measures_that_no_file_can_hold_are_named(name, given, sentence, tmp_path):
    with pytest.raises(RunError, match=rf"{name}'.*{sentence}"):
        RunDirectory(tmp_path).finish(None, {name: given}, {})
    assert not list(tmp_path.iterdir())


def test_truth_values_and_texts_are_read_as_they_were(tmp_path):
    given = {"is_right": (["stimulus"], np.array([True, False]), ""), "who": (["stimulus"], ["a", "é"], ""),
             "none": (["nothing"], np.zeros(0), "1"), "one": ([], 2, "1")}  # fmt: skip
    directory = RunDirectory.created(tmp_path, DESCRIPTION)
    directory.finish(None, given)
    directory.conclude({}, {})
    measures = cortex_model.RunDirectory(str(tmp_path)).measures()
    assert measures["is_right"].dtype == bool and measures["is_right"].values.tolist() == [True, False]
    assert measures["who"].values.tolist() == ["a", "é"] and measures["none"].size == 0 and measures["one"] == 2

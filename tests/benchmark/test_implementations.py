"""Every implementation does the presentation of the theory."""

import json

import numpy as np
import pytest
from brian2 import Network, defaultclock, ms
from brian2.devices.device import reset_device

from cortex_model import theory
from cortex_model.benchmark import spikes
from cortex_model.benchmark.contenders import Contender
from cortex_model.benchmark.measuring import compare, measure
from cortex_model.benchmark.problem import Problem
from cortex_model.benchmark.with_spikes import network
from cortex_model.devices.dense import dense
from cortex_model.devices.session import set_preferences
from cortex_model.errors import DeviceError

N_PRESENTATIONS = 60
#: Largest max|difference| / max|weights| after N_PRESENTATIONS: roundings, in sums of another order.
TOLERANCES = {"float64": 1e-12, "float32": 1e-5}
CPP = {"marks": pytest.mark.compiler}
NARROW, WIDE = (7, 4), (150, 140, 130, 3)  # wider than the tiles of the plain loop
CASES = [
    *(pytest.param(Contender("NumPy"), sizes, dtype) for sizes in (NARROW, WIDE) for dtype in TOLERANCES),
    *(pytest.param(Contender("C++ loop"), sizes, dtype, **CPP) for sizes in (NARROW, WIDE) for dtype in TOLERANCES),
    (Contender("dense", "runtime/numpy"), WIDE, "float64"),
    (Contender("stock", "runtime/numpy"), NARROW, "float32"),
]


def after_theory(problem, folder):
    """W_l and b_l after the presentations, by name."""
    arrays = {path.stem: np.load(path).astype(float) for path in folder.glob("*.npy")}
    forward, biases, feedback = (
        {int(name[2:]): array for name, array in arrays.items() if name[0] == letter} for letter in "WbV"
    )
    for t in range(N_PRESENTATIONS):
        stimulus, target = (arrays[name][t % problem.n_stimuli] for name in ("stimuli", "targets"))
        given = forward, biases, feedback, stimulus, target
        forward, biases, feedback = theory.wake_presentation(*given, learning_rate=problem.learning_rate)
    return {f"W_{l}": w for l, w in forward.items()} | {f"b_{l}": b for l, b in biases.items()}


@pytest.mark.parametrize(("contender", "sizes", "dtype"), CASES)
def test_implementation_equals_theory(contender, sizes, dtype, simulated_here, tmp_path):
    problem = Problem(sizes, dtype=dtype, n_stimuli=8)
    problem.write(tmp_path)
    (tmp_path / "result").mkdir()
    told = measure(contender, problem, tmp_path, N_PRESENTATIONS, tmp_path / "result").told
    assert told["seconds"] > 0
    for name, expected in after_theory(problem, tmp_path).items():
        got = np.fromfile(tmp_path / "result" / f"{name}.bin", dtype).reshape(expected.shape)
        at_first = np.load(tmp_path / f"{name}.npy")
        assert np.abs(expected - at_first).max() > 1e-3, "what learns must change, or this checks nothing"
        assert np.abs(got - expected).max() <= TOLERANCES[dtype] * np.abs(expected).max(), name


def test_an_implementation_that_does_something_else_is_refused(monkeypatch):
    """Broken on purpose: a simulator that learns twice as fast; in processes of their own, as where it is measured."""
    command = Contender.command

    def twice(self, problem, folder, n_presentations, result=None):
        given = json.loads((folder / "problem.json").read_text())
        given["learning_rate"] = problem.learning_rate * (2 if self.implementation == "dense" else 1)
        (folder / "problem.json").write_text(json.dumps(given))
        return command(self, problem, folder, n_presentations, result)

    monkeypatch.setattr(Contender, "command", twice)
    with pytest.raises(DeviceError, match=r"^benchmark.dense: on runtime/numpy, weights of 5-4-3 must change as NumPy"):
        compare(Problem((5, 4, 3)), [Contender("NumPy"), Contender("dense", "runtime/numpy")], 1, 0.001, print)


@pytest.mark.parametrize("contender", [Contender("NumPy", batch=8), Contender("dense", "runtime/numpy", 8)])
def test_a_batch_changes_the_weights_by_the_mean_of_its_changes(contender, simulated_here, tmp_path):
    problem = Problem((7, 5, 3), dtype="float64", n_stimuli=8)
    problem.write(tmp_path)
    (tmp_path / "result").mkdir()
    measure(contender, problem, tmp_path, 8, tmp_path / "result")
    arrays = {path.stem: np.load(path) for path in tmp_path.glob("*.npy")}
    forward, biases, feedback = ({int(n[2:]): a for n, a in arrays.items() if n[0] == letter} for letter in "WbV")
    alone = [
        theory.wake_presentation(forward, biases, feedback, *shown, learning_rate=problem.learning_rate)[0]
        for shown in zip(arrays["stimuli"], arrays["targets"], strict=True)
    ]
    for l in forward:
        got = np.fromfile(tmp_path / "result" / f"W_{l}.bin").reshape(forward[l].shape)
        np.testing.assert_allclose(got, np.mean([weights[l] for weights in alone], axis=0), atol=1e-14)


# ---------------------------------------------------------------------- spikes
def test_dense_and_stock_send_the_same_spikes_and_learn_the_same():
    made = {}
    for kind, join in (("dense", dense), ("stock", lambda synapses: synapses)):
        reset_device("runtime")
        set_preferences("float64", "numpy")
        defaultclock.dt = 1 * ms
        parts = _, projections, monitors = network([40, 20, 5], join)
        Network(*parts).run(100 * ms)
        assert (projections[0].codeobj_class is None) == (kind == "stock")
        made[kind] = [np.array(synapses.weight) for synapses in projections], [int(m.num_spikes) for m in monitors]
    assert min(made["dense"][1][:2]) > 20 and made["dense"][1] == made["stock"][1]
    assert np.ptp(made["dense"][0][0] - 0.5 * np.cos(np.add.outer(range(40), range(20))).ravel()) > 1e-4
    for weights, expected in zip(made["dense"][0], made["stock"][0], strict=True):
        np.testing.assert_array_equal(weights, expected)


@pytest.mark.compiler
@pytest.mark.slow
def test_programs_of_spikes_are_measured_side_by_side():
    said = []
    rows = spikes.compare_spikes((40, 20, 5), repetitions=2, report=said.append, milliseconds=50, memory_sizes=())
    assert [row["implementation"] for row in rows] == ["dense", "stock"] and rows[0]["spikes"] == rows[1]["spikes"] > 50
    assert all(row["microseconds_per_time_step"] > 0 and row["bytes_per_synapse"] is None for row in rows)
    assert said[2:6] == ["spikes: dense", "spikes: stock"] * 2, "interleaved"


def test_programs_that_send_other_spikes_are_refused(monkeypatch):
    counts = {"dense": 90, "stock": 100}
    monkeypatch.setattr(spikes, "_built", lambda folder, kind, *options: counts[kind])
    with pytest.raises(
        DeviceError, match=r"^benchmark.spikes: dense must send as many spikes as stock \(got 90 and 100\)"
    ):
        spikes.compare_spikes()

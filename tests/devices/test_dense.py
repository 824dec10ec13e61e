"""Dense loops give the numbers of stock Brian2, in models that are not ours and in ours, or say why they cannot."""

import runpy
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from brian2 import Network, NeuronGroup, Synapses, defaultclock, get_device, ms, prefs
from brian2.core.base import BrianObjectException
from brian2.devices.device import reset_device

from cortex_model.devices.dense import dense, dense_code_objects
from cortex_model.devices.dense.silent_rows import factors_of
from cortex_model.devices.session import set_preferences
from cortex_model.devices.simulation import Simulation
from cortex_model.errors import DeviceError

COMPILED = pytest.param("cpp_standalone", marks=[pytest.mark.compiler, pytest.mark.slow])
MODELS = Path(__file__).parent / "dense_models.py"
#: Number -> (max|difference| / max|value| that is allowed between dense and stock, why).
TOLERANCES = {
    "float64": (
        1e-12,
        "only the order of a sum's terms differs, and whether a multiplication is fused with an addition",
    ),
    "float32": (2e-6, "as float64; stock NumPy also forms its sums in float64 before it rounds them: 17 ulp"),
}


@cache
def simulated(device, dtype, kind, directory=None):
    if device != "cpp_standalone":
        return runpy.run_path(str(MODELS))["simulate"](device, dtype, kind, directory)
    result = directory / "result.npz"
    command = [sys.executable, MODELS, device, dtype, kind, directory / "program", result]
    subprocess.run([str(part) for part in command], check=True, capture_output=True)
    return dict(np.load(result))


@pytest.mark.parametrize(
    ("device", "dtype"),
    [
        ("numpy", "float32"),
        ("numpy", "float64"),
        pytest.param("cython", "float32", marks=[pytest.mark.compiler, pytest.mark.slow]),
        pytest.param("cpp_standalone", "float64", marks=[pytest.mark.compiler, pytest.mark.slow]),
    ],
)
def test_foreign_models_get_the_numbers_of_stock_brian(device, dtype, tmp_path_factory):
    directory = tmp_path_factory.mktemp("dense") if device == "cpp_standalone" else None
    got, stock = simulated(device, dtype, "dense", directory), simulated("numpy", dtype, "stock")
    assert got.pop("index_bytes", 0) == 8 * (4 if device == "cpp_standalone" else 0), "a delay for each pathway"
    assert got.keys() == stock.keys()
    for name, expected in stock.items():
        scale = np.abs(expected).max()
        assert got[name].shape == expected.shape and scale > 0, name
        assert np.abs(got[name] - expected).max() <= TOLERANCES[dtype][0] * scale, name
        if name.split(".")[0] in ("balanced", "plastic") and device == "numpy":
            np.testing.assert_array_equal(got[name], expected, name)
    assert len(got["balanced.i"]) > 50 and len(got["plastic.i"]) > 20


@pytest.mark.parametrize("device", ["runtime", COMPILED])
def test_the_hierarchy_gets_the_numbers_of_stock_brian(scenario, simulate, difference, device, alone):
    alone("reciprocal")
    options, found = {"layer_sizes": (5, 4, 3), "n_wake": 5, "evaluate_every": 3}, {}
    for is_dense in (True, False):
        found[is_dense] = simulate(scenario(dense=is_dense, forward_sleep_learning_rate=0.01, **options), device)
    (weights, rates), (stock_weights, stock_rates) = found[True], found[False]
    assert difference(weights, scenario(**options).weights) > 1e-3
    assert difference(weights, stock_weights) <= TOLERANCES["float64"][0]
    assert np.abs(rates - stock_rates).max() <= TOLERANCES["float64"][0]


@pytest.mark.parametrize("device", ["runtime", COMPILED])
def test_dense_backpropagation_keeps_the_exact_transpose(scenario, simulate, device, alone):
    alone("backpropagation")
    given = scenario(learning_rule="backpropagation", dtype="float32", layer_sizes=(7, 19, 37, 4))
    weights, _ = simulate(given, device)
    assert np.abs(weights.forward[2] - given.weights.forward[2]).max() > 1e-3
    for level, feedback in weights.feedback.items():
        np.testing.assert_array_equal(feedback, weights.forward[level].T)


def test_dense_is_the_default_and_can_be_switched_off(scenario, alone):
    alone("random_feedback")
    for is_dense in (True, False):
        hierarchy = Simulation(scenario(dense=is_dense).parameters, "runtime").hierarchy
        assert (hierarchy.forward[1].codeobj_class is not None) == is_dense
    assert scenario().parameters.dense


# ---------------------------------------------------------------------- what cannot be dense
def synapses_of(model="weight : 1\ntotal_post = weight*rate_pre : 1 (summed)", **options):
    reset_device("runtime")
    prefs.codegen.target = "numpy"
    group = NeuronGroup(3, "rate : 1\ntotal : 1\nanother : 1", threshold="rate > 1")
    return group, Synapses(group, group, model, **options)


CONNECTIONS = {
    "a condition": {"condition": "i != j"},
    "a probability": {"p": 0.5},
    "a generator": {"j": "k for k in range(i)"},
    "several synapses a pair": {"n": 2},
    "index arrays": {"i": [0, 1], "j": [1, 2]},
}


@pytest.mark.parametrize("how", CONNECTIONS)
def test_a_connection_that_is_not_all_to_all_is_refused(how):
    _, synapses = synapses_of()
    with pytest.raises(DeviceError, match="must be connected all to all.*leave dense"):
        dense(synapses).connect(**CONNECTIONS[how])


def test_a_second_connection_is_refused():
    _, synapses = synapses_of()
    dense(synapses).connect()
    with pytest.raises(DeviceError, match="connected once"):
        synapses.connect()


def test_dense_after_connect_is_refused():
    _, synapses = synapses_of()
    synapses.connect()
    with pytest.raises(DeviceError, match=r"before connect\(\).*write S = dense"):
        dense(synapses)


@pytest.mark.parametrize("options", [{"on_pre": "total_post += weight"}, {"on_post": "weight += 1"}])
def test_spikes_in_batches_are_refused(options):
    _, synapses = synapses_of("weight : 1", **options)
    with pytest.raises(DeviceError, match="no code for spikes where a batch shares the synapses"):
        dense(synapses, batch=3)


def test_a_delay_is_one_for_all_synapses():
    group, synapses = synapses_of("weight : 1", on_pre="total_post += weight")
    dense(synapses).connect()
    synapses.delay = 2 * ms
    assert float(synapses.pre.delay[:] / ms) == pytest.approx(2)
    with pytest.raises((TypeError, ValueError, IndexError, SyntaxError)):
        synapses.delay = "i*ms"
    with pytest.raises((TypeError, ValueError, IndexError)):
        synapses.pre.delay = np.arange(9) * ms
    assert group.N == 3


def test_spikes_walk_rows_also_where_only_the_class_is_given():
    group, synapses = synapses_of("weight : 1", on_pre="total_post += weight")
    synapses.codeobj_class = dense_code_objects()
    synapses.connect()
    synapses.weight, group.rate = "i + 10*j", "i"
    Network(group, synapses).run(defaultclock.dt)
    assert synapses.walks_rows and group.total[:].tolist() == [2, 12, 22]


@pytest.mark.parametrize("code", ["another_post += weight", "another_pre = weight", "weight += 1\nanother_post = 1"])
def test_writing_to_a_neuron_is_refused(code):
    group, synapses = synapses_of()
    dense(synapses).connect()
    synapses.run_regularly(code)
    with pytest.raises(BrianObjectException) as refused:
        Network(group, synapses).run(1 * ms)
    assert isinstance(refused.value.__cause__, DeviceError)
    assert "must write to synaptic variables only" in str(refused.value.__cause__)


def test_a_target_without_dense_loops_is_refused(monkeypatch):
    _, synapses = synapses_of()
    monkeypatch.setattr(type(get_device()), "code_object_class", lambda *options: int)
    with pytest.raises(DeviceError, match="must run on runtime.*got int"):
        dense(synapses)


# ---------------------------------------------------------------------- parts
def test_functions_that_draw_a_number_a_synapse_work():
    group, synapses = synapses_of("weight : 1\ntotal_post = weight*rand() + 0*rate_pre : 1 (summed)")
    dense(synapses).connect()
    synapses.weight = 1
    synapses.run_regularly("weight = rand() + i", when="end")
    Network(group, synapses).run(1 * ms)
    weight = synapses.weight[:].reshape(3, 3)
    assert np.unique(weight).size == 9
    np.testing.assert_array_equal(np.floor(weight), [[0] * 3, [1] * 3, [2] * 3])
    assert ((group.total[:] > 0) & (group.total[:] < 3)).all()


@pytest.mark.parametrize(
    ("expression", "factors"),
    [
        ("weight*rate_pre", {"weight", "rate_pre"}),
        ("-learning_rate*delta_post*rate_pre", {"learning_rate", "delta_post", "rate_pre"}),
        ("weight*rate_pre/N_incoming", {"weight", "rate_pre"}),
        ("weight*(rate_pre - 1)", {"weight"}),
        ("weight*rate_pre + 0.01", set()),
        ("exp(rate_pre)*rate_pre", {"rate_pre"}),
        ("rate_pre**0", set()),
    ],
)
def test_a_factor_is_what_the_whole_expression_is_a_multiple_of(expression, factors):
    assert factors_of(expression) == factors


@pytest.mark.parametrize("target", ["numpy", pytest.param("cython", marks=[pytest.mark.compiler, pytest.mark.slow])])
def test_networks_and_batches_of_a_model_that_is_not_ours(target):
    """2 networks x 3 presentations of 5 -> 4 neurons, against sums and outer products."""
    n_networks, n_batch, n_pre, n_post = 2, 3, 5, 4
    reset_device("runtime")
    set_preferences("float64", target)
    source, sink = (NeuronGroup(n_networks * n_batch * n, "rate : 1\ntotal : 1") for n in (n_pre, n_post))
    model = "weight : 1\ntotal_post = weight*rate_pre : 1 (summed)"
    synapses = dense(Synapses(source, sink, model), networks=n_networks, batch=n_batch)
    synapses.connect()
    synapses.run_regularly("weight += -0.1*rate_post*rate_pre", when="end")
    rng = np.random.default_rng(0)
    weight = rng.normal(size=(n_networks, n_pre, n_post))
    pre, post = (rng.normal(size=(n_networks, n_batch, n)) for n in (n_pre, n_post))
    pre[0, 1, 2] = 0  # a row that may be passed over
    synapses.weight, source.rate, sink.rate = weight.ravel(), pre.ravel(), post.ravel()
    Network(source, sink, synapses).run(defaultclock.dt)
    np.testing.assert_allclose(sink.total[:], np.einsum("eij,ebi->ebj", weight, pre).ravel(), rtol=1e-12)
    changed = weight - 0.1 * np.einsum("ebi,ebj->eij", pre, post)
    np.testing.assert_allclose(synapses.weight[:], changed.ravel(), rtol=1e-12)

"""Perception and recall in time: what is traced is what theory says, on each device, in files and as Neo objects."""

import numpy as np
import pytest

from cortex_model import theory, traces
from cortex_model.errors import ParameterError
from cortex_model.parameters import HierarchyParameters, SleepWakeParameters
from cortex_model.weights import initial_weights

RUNS = [("runtime", 1), ("runtime", 4), pytest.param("cpp_standalone", 3, marks=pytest.mark.compiler)]
SIZES = (7, 5, 6, 4)
LEAKY = {
    "layer_sizes": SIZES, "dynamics": "leaky", "time_step_ms": 2.0, "presentation_ms": 46.0, "feedback_onset_ms": 0.0,
    "forward_delay_ms": (2.0, 0.0, 6.0), "feedback_delay_ms": (2.0, 4.0, 8.0), "feedback_to_input": True,
    "dtype": "float64",
}  # fmt: skip
RNG = np.random.default_rng(0)
STIMULI, STATES = RNG.normal(size=(7, 7)), RNG.normal(size=(7, 4))


def given(**overrides):
    p = SleepWakeParameters(**LEAKY | overrides)
    return p, initial_weights(p, 0, {f"b_{l}": RNG.normal(size=SIZES[l]) for l in (1, 2, 3)})


def timing(p):
    return theory.Timing(p.n_steps, p.relaxation, 1, p.forward_delays, p.feedback_delays)


def check_traces(dataset, rates, apical):
    for name, expected in (("rate", rates), ("apical_drive", apical)):
        for l, values in expected.items():
            array = dataset[f"{name}_{l}"]
            assert array.dims == ("stimulus", "time", f"neuron_{l}")
            got = np.abs(array.values - values.transpose(2, 0, 1)).max()
            assert got <= 1e-12, f"traces of {name}_{l} differ from theory by {got:.1e}"


def check_perception(device, batch_size, **overrides):
    p, weights = given(batch_size=batch_size, **overrides)
    dataset = traces.perception(p, weights, STIMULI, device=device)
    named = (weights.forward, weights.biases, weights.feedback)
    check_traces(dataset, *theory.leaky_perception(*named, STIMULI.T, timing(p), p.nonlinearity, p.top))
    return dataset


def check_recall(device, batch_size, **overrides):
    p, weights = given(batch_size=batch_size, **overrides)
    dataset = traces.recall(p, weights, STATES, device=device)
    check_traces(dataset, *theory.leaky_recall(weights.feedback, STATES.T, timing(p), p.nonlinearity))
    return dataset


@pytest.mark.parametrize(("device", "batch_size"), RUNS)
def test_perception_and_recall_equal_theory(device, batch_size):
    for dataset in (check_perception(device, batch_size), check_recall(device, batch_size)):
        assert list(dataset.data_vars) == [f"{v}_{l}" for l in range(4) for v in ("rate", "apical_drive")][:7]
        np.testing.assert_allclose(dataset["time"].values, 0.002 * np.arange(1, 24), rtol=1e-12)
        assert dataset["time"].attrs["units"] == "s" and dataset["stimulus"].values.tolist() == list(range(7))


@pytest.mark.parametrize("nonlinearity", theory.NONLINEARITIES)
def test_every_nonlinearity_is_recalled_through(nonlinearity):
    check_recall("runtime", 7, nonlinearity=nonlinearity)


def test_activity_climbs_in_perception_and_descends_in_recall():
    """The first step in which each population is active: one after the other, by step and delay."""
    no_delays = {"forward_delay_ms": (0.0,), "feedback_delay_ms": (0.0,)}
    p, weights = given(batch_size=7, **no_delays)
    weights = type(weights)(weights.forward, {l: 0 * b for l, b in weights.biases.items()}, weights.feedback)
    p = p.with_overrides({"top": "linear"})

    def first_active(dataset):
        return [int((np.abs(dataset[f"rate_{l}"]).max(("stimulus", f"neuron_{l}")) > 0).argmax()) for l in range(4)]

    assert first_active(traces.perception(p, weights, STIMULI, device="runtime")) == [0, 0, 1, 2]
    assert first_active(traces.recall(p, weights, STATES, device="runtime")) == [2, 1, 0, 0]


def test_without_v_1_the_input_is_not_recalled():
    p, weights = given(feedback_to_input=False, feedback_delay_ms=(4.0, 8.0))
    dataset = traces.recall(p, weights, STATES, device="runtime")
    assert "apical_drive_0" not in dataset and not dataset["rate_0"].values.any()
    assert np.abs(dataset["rate_1"].values).max() > 0.01


def test_one_population_relaxes_at_its_time_constant():
    """The log of the distance from the settled rate falls by 1/tau a second, tau = 10 ms, on the device too."""
    p = HierarchyParameters(
        layer_sizes=(7, 5), top="linear", dynamics="leaky", time_step_ms=0.5, presentation_ms=100.0, dtype="float64"
    )
    weights = initial_weights(SleepWakeParameters(layer_sizes=(7, 5)), 0, "random")
    dataset = traces.perception(p, weights, STIMULI, device="runtime")
    settled = STIMULI @ weights.forward[1].T
    left = np.abs(dataset["rate_1"].values - settled[:, np.newaxis]).max(axis=(0, 2))
    slope = np.polyfit(dataset["time"].values, np.log(left), 1)[0]
    assert slope == pytest.approx(-1 / 0.010, rel=1e-3)


def test_traces_differ_where_a_delay_is_dropped(monkeypatch):
    check_perception("runtime", 7)
    monkeypatch.setattr("cortex_model.network.leaky._arrives", lambda variable, delay: variable)
    with pytest.raises(AssertionError, match="differ from theory"):
        check_perception("runtime", 7)


def test_many_chunks_give_the_same_traces(monkeypatch):
    whole = check_recall("runtime", 2)
    monkeypatch.setattr(traces, "CHUNK_BYTES", 1)
    assert check_recall("runtime", 2).equals(whole)


# ---------------------------------------------------------------------- files and other formats
@pytest.fixture(scope="module")
def dataset():
    p, weights = given(batch_size=7)
    return traces.recall(p, weights, STATES, device="runtime")


def test_traces_come_back_from_netcdf(dataset, tmp_path):
    import h5netcdf

    traces.write_traces(dataset, tmp_path / "traces.nc")
    assert traces.read_traces(tmp_path / "traces.nc").identical(dataset)
    with h5netcdf.File(tmp_path / "traces.nc") as file:
        assert file["time"].attrs["units"] == "s" and file["rate_1"].dimensions == ("stimulus", "time", "neuron_1")


def test_traces_as_neo_signals(dataset):
    neo, quantities = pytest.importorskip("neo"), pytest.importorskip("quantities")
    block = traces.to_neo(dataset)
    assert isinstance(block, neo.Block) and len(block.segments) == 7
    signals = {signal.name: signal for signal in block.segments[3].analogsignals}
    assert set(signals) == set(dataset.data_vars)
    signal = signals["rate_1"]
    assert isinstance(signal, neo.AnalogSignal) and signal.shape == (23, 5)
    np.testing.assert_array_equal(signal.magnitude, dataset["rate_1"].values[3])
    np.testing.assert_allclose(signal.times.rescale(quantities.s).magnitude, dataset["time"].values, rtol=1e-12)
    assert float(signal.sampling_rate.rescale(quantities.Hz)) == pytest.approx(500)


def test_without_neo_it_says_what_to_install(dataset, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "neo", None)
    with pytest.raises(ParameterError, match=r"^to_neo: must find the package neo .*pip install 'cortex-model\[neo\]'"):
        traces.to_neo(dataset)


# ---------------------------------------------------------------------- what is refused
@pytest.mark.parametrize(
    ("overrides", "shown", "sentence"),
    [
        ({"dynamics": "settled"}, STIMULI, r"^Parameters\.dynamics: must be leaky .* \(got settled\)"),
        ({}, STIMULI[0], r"^perception\.stimuli: must have shape \(n_stimuli, 7\).*\(got \(7,\)\)"),
        ({}, STIMULI[:, 1:], r"^perception\.stimuli: must have shape \(n_stimuli, 7\).*\(got \(7, 6\)\)"),
        ({}, STIMULI[:0], r"\(got \(0, 7\)\)"),
        ({}, STIMULI * np.nan, r"^perception\.stimuli: must hold finite numbers"),
    ],
)
def test_stimuli_that_cannot_be_traced_are_refused(overrides, shown, sentence):
    with pytest.raises(ParameterError, match=sentence):
        traces.perception(*given(**overrides), shown, device="runtime")


def test_recall_needs_feedback():
    p = HierarchyParameters(layer_sizes=(7, 4), dynamics="leaky")
    weights = initial_weights(SleepWakeParameters(layer_sizes=(7, 4)), 0, "random")
    with pytest.raises(
        ParameterError, match=r"^recall\.parameters: must have feedback projections .*feedback_to_input=true"
    ):
        traces.recall(p, weights, STATES, device="runtime")

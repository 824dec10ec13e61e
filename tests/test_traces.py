"""Perception and recall in time: what is traced is what theory says, on each device, in files and as Neo objects."""

import numpy as np
import pytest

from cortex_model import theory, traces
from cortex_model.errors import ParameterError
from cortex_model.parameters import HierarchyParameters, SleepWakeParameters
from cortex_model.reference.hierarchy import interpreter_of
from cortex_model.weights import initial_weights

SIZES = (7, 5, 6, 4)
LEAKY = {
    "layer_sizes": SIZES, "dynamics": "leaky", "time_step_ms": 2.0, "presentation_ms": 46.0, "feedback_onset_ms": 0.0,
    "forward_delay_ms": (2.0, 0.0, 6.0), "feedback_delay_ms": (2.0, 4.0, 8.0), "feedback_to_input": True,
    "dtype": "float64",
}  # fmt: skip
RNG = np.random.default_rng(0)
STIMULI, STATES = RNG.normal(size=(7, 7)), RNG.normal(size=(7, 4))


@pytest.fixture(scope="module", autouse=True)
def few_objects(only_rules):
    """Of one rule: others would add nothing."""
    with only_rules("reciprocal"):
        yield


def given(has_biases=True, **overrides):
    p = SleepWakeParameters(**LEAKY | overrides)
    drawn = {l: np.random.default_rng(l).normal(size=n) for l, n in enumerate(p.layer_sizes)}
    biases = {f"b_{l}": has_biases * drawn[l] for l in drawn if l > 0}
    return p, initial_weights(p, 0, biases)


def timing(p):
    forward, feedback = ({l: n for (name, l), n in p.delays.items() if name == letter} for letter in "WV")
    return theory.Timing(p.n_steps, p.relaxation, 1, forward, feedback)


def check_traces(dataset, rates, apical):
    for name, expected in (("rate", rates), ("apical_drive", apical)):
        for l, values in expected.items():
            array = dataset[f"{name}_{l}"]
            assert array.dims == ("stimulus", "time", f"neuron_{l}")
            got = np.abs(array.values - values.transpose(2, 0, 1)).max()
            assert got <= 1e-12, f"traces of {name}_{l} differ from theory by {got:.1e}"


def check_perception(device, p, weights):
    dataset = traces.perception(p, weights, STIMULI, device=device)
    check_traces(dataset, *perceived(p, weights))
    return dataset


def perceived(p, weights):
    named = (weights.forward, weights.biases, weights.feedback)
    return theory.leaky_perception(*named, STIMULI.T, timing(p), p.nonlinearity, p.top)


def check_recall(p, weights):
    dataset = traces.recall(p, weights, STATES, device="runtime")
    check_traces(dataset, *theory.leaky_recall(weights.feedback, STATES.T, timing(p), p.nonlinearity))
    return dataset


@pytest.fixture(scope="module")
def dataset():
    """Of recall, by two batches, the second one not full."""
    return check_recall(*given(batch_size=4))


@pytest.fixture(scope="module")
def perception():
    """(parameters, weights without biases, dataset)."""
    p, weights = given(batch_size=4, has_biases=False, top="linear")
    return p, weights, check_perception("runtime", p, weights)


def test_perception_and_recall_equal_theory_and_say_what_they_hold(dataset, perception):
    for its in (dataset, perception[-1]):
        assert list(its.data_vars) == [f"{v}_{l}" for l in range(4) for v in ("rate", "apical_drive")][:7]
        np.testing.assert_allclose(its["time"].values, 0.002 * np.arange(1, 24), rtol=1e-12)
        assert its["time"].attrs["units"] == "s" and its["stimulus"].values.tolist() == list(range(7))


@pytest.mark.compiler
@pytest.mark.slow
def test_perception_on_a_compiled_program_equals_theory_one_stimulus_after_another():
    delays = {"forward_delay_ms": (2.0, 6.0), "feedback_delay_ms": (2.0, 4.0)}
    dataset = check_perception("cpp_standalone", *given(layer_sizes=(7, 5, 4), **delays))
    assert dataset["rate_2"].shape == (7, 23, 4)


@pytest.mark.parametrize("nonlinearity", theory.NONLINEARITIES)
def test_every_nonlinearity_is_recalled_through(nonlinearity):
    """By the declaration, carried out: devices equal that (`tests/devices/test_equals_interpreter.py`)."""
    p, weights = given(nonlinearity=nonlinearity)
    interpreter, steps = interpreter_of(p, weights), []

    def keep():
        steps.append({l: its["rate"].copy() for l, its in interpreter.state.items()})

    interpreter.present("recall", np.zeros_like(STIMULI), STATES, each_step=keep)
    rates, _ = theory.leaky_recall(weights.feedback, STATES.T, timing(p), nonlinearity)
    assert len(steps) == p.n_steps and len(rates) == 4
    for l, expected in rates.items():
        got = np.stack([step[l] for step in steps])
        np.testing.assert_allclose(got, np.moveaxis(expected, -1, 1), rtol=0, atol=1e-13)


def test_activity_climbs_in_perception_and_descends_in_recall(dataset, perception):
    """The first step in which each population is active: one after the other, by step and delay."""

    def first_active(its):
        return [int((np.abs(its[f"rate_{l}"].values).max(axis=(0, 2)) > 0).argmax()) for l in range(4)]

    up, down = (timing(perception[0]).forward_delays[l] for l in (1, 2, 3)), timing(perception[0]).feedback_delays
    assert [*up] == [1, 0, 3] and down == {1: 1, 2: 2, 3: 4}
    assert first_active(perception[-1]) == [0, 1, 2, 6]
    assert first_active(dataset) == [9, 7, 4, 0]


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
    weights = initial_weights(SleepWakeParameters(layer_sizes=(7, 5)), 0)
    dataset = traces.perception(p, weights, STIMULI, device="runtime")
    settled = STIMULI @ weights.forward[1].T
    left = np.abs(dataset["rate_1"].values - settled[:, np.newaxis]).max(axis=(0, 2))
    slope = np.polyfit(dataset["time"].values, np.log(left), 1)[0]
    assert slope == pytest.approx(-1 / 0.010, rel=1e-3)


def test_traces_differ_where_a_delay_is_dropped(perception):
    p, weights, dataset = perception
    check_traces(dataset, *perceived(p, weights))
    for name in ("forward_delay_ms", "feedback_delay_ms"):
        for level in range(3):
            delays = [0.0 if n == level else delay for n, delay in enumerate(getattr(p, name))]
            other = p.with_overrides({name: tuple(delays)})
            if other != p:
                with pytest.raises(AssertionError, match="differ from theory"):
                    check_traces(dataset, *perceived(other, weights))


def test_many_chunks_give_the_same_traces(dataset, monkeypatch):
    monkeypatch.setattr(traces.recording, "CHUNK_BYTES", 1)
    assert traces.recall(*given(batch_size=4), STATES, device="runtime").equals(dataset)


# ---------------------------------------------------------------------- files and other formats
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
        ({"dynamics": "settled"}, STIMULI, r"^Parameters\.dynamics: must be leaky or spiking .* \(got settled\)"),
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
    weights = initial_weights(SleepWakeParameters(layer_sizes=(7, 4)), 0)
    with pytest.raises(
        ParameterError, match=r"^recall\.parameters: must have feedback projections .*feedback_to_input=true"
    ):
        traces.recall(p, weights, STATES, device="runtime")

"""Rates, regularity and counts of spikes are what a loop over single spikes finds, and have units."""

import numpy as np
import pytest

xarray = pytest.importorskip("xarray")

from cortex_model.analysis.spike_trains import firing_rates, interval_variation, spike_measures  # noqa: E402

STEP_MS = 0.5
SPIKES = np.random.default_rng(0).choice([-1, 0, 0, 0, 1], (3, 40, 4)).astype(np.int8)
SPIKES[:, :, 3] = 0
SPIKES[0, 5, 3] = 1  # one spike, no interval


def trains(neuron, sign):
    """Times in ms of a neuron's spikes, presentation by presentation, found one by one."""
    wanted = (1, -1) if sign == 0 else (sign,)
    return [[STEP_MS * (step + 1) for step in range(40) if SPIKES[row, step, neuron] in wanted] for row in range(3)]


@pytest.mark.parametrize("sign", [0, 1, -1])
def test_rates_and_intervals_equal_those_of_single_spikes(sign):
    rates, variation = firing_rates(SPIKES, STEP_MS, sign), interval_variation(SPIKES, sign)
    assert rates.shape == (3, 4) and variation.shape == (4,)
    for neuron in range(4):
        its = trains(neuron, sign)
        assert rates[:, neuron] == pytest.approx([len(times) / 0.020 for times in its])
        intervals = [b - a for times in its for a, b in zip(times, times[1:], strict=False)]
        if neuron == 3:
            assert np.isnan(variation[neuron])
            continue
        mean = sum(intervals) / len(intervals)
        deviation = (sum((each - mean) ** 2 for each in intervals) / len(intervals)) ** 0.5
        assert variation[neuron] == pytest.approx(deviation / mean)


def test_a_clock_has_no_variation_and_a_poisson_process_has_one():
    clock = np.zeros((2, 1000, 1), np.int8)
    clock[:, ::7] = 1
    assert interval_variation(clock) == [0]
    assert firing_rates(clock, 1.0) == pytest.approx(np.full((2, 1), 143.0))
    rare = (np.random.default_rng(1).random((20, 20_000, 1)) < 0.01).astype(np.int8)
    assert interval_variation(rare)[0] == pytest.approx(1, abs=0.05)


def test_measures_of_traces_say_their_units_and_count_each_kind():
    dims = ("stimulus", "time", "neuron_0"), ("stimulus", "time", "neuron_1")
    traces = xarray.Dataset(
        {"spikes_0": (dims[0], SPIKES), "spikes_1": (dims[1], SPIKES[..., :2]),
         "feedback_spikes_1": (dims[1], -SPIKES[..., 2:])},
        attrs={"description": "wake", "time_step_ms": STEP_MS},
    )  # fmt: skip
    measures = spike_measures(traces)
    assert measures["firing_rate_0"].attrs == measures["feedback_firing_rate_1"].attrs == {"units": "Hz"}
    np.testing.assert_allclose(measures["firing_rate_1"], firing_rates(SPIKES, STEP_MS).mean(axis=0)[:2])
    np.testing.assert_allclose(measures["feedback_interval_variation_1"], interval_variation(SPIKES)[2:])
    counts = measures["spikes_per_presentation"]
    assert counts.attrs == {"units": "1"} and "feedback_firing_rate_0" not in measures
    assert float(counts.sel(cell="forward", sign="ON", population=0)) == pytest.approx((SPIKES == 1).sum() / 3)
    assert float(counts.sel(cell="feedback", sign="ON", population=1)) == pytest.approx((SPIKES[..., 2:] < 0).sum() / 3)
    assert not counts.sel(cell="feedback", population=0).any()

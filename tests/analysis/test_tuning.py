"""Widths of known responses, and responses that are turned to their stimuli."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cortex_model.analysis.tuning import aligned_mean, tuning_width
from cortex_model.errors import ParameterError


def around(n):
    return (np.arange(n) - n // 2) * 360 / n


@pytest.mark.parametrize("sigma", [10.0, 25.0, 40.0])
@pytest.mark.parametrize("n", [72, 360])
def test_a_gaussian_has_the_width_that_it_must_have(n, sigma):
    width = tuning_width(np.exp(-(around(n) ** 2) / (2 * sigma**2)))
    assert width == pytest.approx(2 * np.sqrt(2 * np.log(2)) * sigma, abs=0.02 * 360 / n * 5)


def test_a_triangle_has_half_its_base():
    assert tuning_width(np.maximum(0, 60 - np.abs(around(360)))) == pytest.approx(60)


@given(shift=st.integers(0, 71), scale=st.floats(1e-6, 1e6))
def test_width_depends_neither_on_where_nor_on_how_much(shift, scale):
    response = np.exp(-(around(72) ** 2) / (2 * 20**2))
    assert tuning_width(np.roll(scale * response, shift)) == pytest.approx(tuning_width(response))


def test_side_lobes_do_not_count():
    response = np.exp(-(around(360) ** 2) / (2 * 10**2)) + 0.9 * np.exp(-((around(360) - 120) ** 2) / (2 * 10**2))
    assert tuning_width(response) == pytest.approx(23.55, abs=0.1)


@pytest.mark.parametrize("response", [np.ones(10), -np.ones(10), np.zeros(10), np.linspace(0.6, 1, 10)])
def test_what_is_not_tuned_is_as_wide_as_the_circle(response):
    assert tuning_width(response) == 360
    assert tuning_width(response, circle=180) == 180


def test_responses_are_turned_to_their_stimulus():
    template = np.exp(-((around(12) - 30) ** 2) / 800)  # 30 degrees beside the stimulus
    responses = np.stack([np.roll(template, stimulus - 6) for stimulus in range(12)], axis=1)
    np.testing.assert_allclose(aligned_mean(responses), template)
    assert around(12)[aligned_mean(responses).argmax()] == 30
    assert aligned_mean(np.stack([template] * 12, axis=1)).std() < 1e-12, "what ignores the stimulus is flat"


def test_one_stimulus_for_each_neuron():
    with pytest.raises(ParameterError, match=r"one column for each neuron \(got shape \(4, 3\)\)"):
        aligned_mean(np.zeros((4, 3)))

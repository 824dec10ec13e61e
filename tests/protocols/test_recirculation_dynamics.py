"""Fig. 1B in numbers: activity goes around through the weights, and the difference shrinks."""

import numpy as np
import pytest

from cortex_model.errors import ParameterError
from cortex_model.runs.directory import RunDirectory
from cortex_model.state.philox import population_noise

NAME = "recirculation_dynamics"


@pytest.fixture
def run(tiny_summary):
    return RunDirectory(tiny_summary(NAME)["run_dir"])


def test_noise_is_that_of_the_first_sleep_presentation(run):
    measures, seed = run.measures(), run.description()["seed"]
    for look in range(measures.sizes["look"]):
        assert np.array_equal(measures["ascending_noise"][look], population_noise(seed, 0, 0, 8))
        assert np.array_equal(measures["descending_noise"][look], population_noise(seed, 0, 1, 8, descending=True))


def test_last_activity_went_through_the_final_weights(run):
    last, weights = run.measures().isel(look=-1), run.weights()
    W, V = weights.forward[1], weights.feedback[1]
    np.testing.assert_allclose(last["ascending_up"], W @ last["ascending_noise"].values, rtol=1e-12)
    np.testing.assert_allclose(last["ascending_reconstruction"], V @ last["ascending_up"].values, rtol=1e-12)
    np.testing.assert_allclose(last["descending_down"], V @ last["descending_noise"].values, rtol=1e-12)
    np.testing.assert_allclose(last["descending_reconstruction"], W @ last["descending_down"].values, rtol=1e-12)


def test_difference_is_the_average_over_noise(run):
    weights = run.weights()
    W, V = weights.forward[1], weights.feedback[1]
    noise = np.array([population_noise(1, n, 0, 8) for n in range(4000)]).T
    sampled = np.sqrt(np.mean((noise - V @ W @ noise) ** 2))
    assert float(run.measures()["difference_below"][-1]) == pytest.approx(sampled, rel=0.05)


def test_sleep_leaves_little_to_learn_from(run):
    for name in ("difference_below", "difference_above"):
        curve = run.measures()[name].values
        assert curve[0] > 0.5 and curve[-1] < 0.3 * curve[0]


def test_more_than_one_pair_is_refused(made):
    with pytest.raises(ParameterError, match="must name one pair of populations"):
        made(NAME, layer_sizes="8,8,8")

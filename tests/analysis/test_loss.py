"""The loss that is measured is the one that wake descends."""

import numpy as np
import pytest

from cortex_model import theory
from cortex_model.analysis.loss import mean_loss
from cortex_model.parameters import SleepWakeParameters
from cortex_model.weights import initial_weights


@pytest.mark.parametrize("top", ["linear", "sigmoid", "softmax"])
def test_mean_loss_is_the_mean_of_single_losses(top):
    p = SleepWakeParameters(layer_sizes=(6, 5, 3), top=top, dtype="float64")
    weights, rng = initial_weights(p, 0), np.random.default_rng(0)
    stimuli, targets = rng.normal(size=(7, 6)), np.eye(3)[rng.integers(0, 3, 7)]
    single = [mean_loss(weights, stimuli[k : k + 1], targets[k : k + 1], p) for k in range(7)]
    assert mean_loss(weights, stimuli, targets, p) == pytest.approx(np.mean(single), rel=1e-12)
    _, rates = theory.hierarchy_response(weights.forward, weights.biases, stimuli.T, "tanh", top)
    if top == "linear":
        assert mean_loss(weights, stimuli, targets, p) == pytest.approx(np.square(rates[2].T - targets).sum() / 14)

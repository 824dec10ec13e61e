"""Weights that are no longer finite: the number that did it is named, from what is known, and a guess is called one."""

import re

import numpy as np
import pytest

from cortex_model.devices.simulation import Simulation
from cortex_model.errors import DivergenceError
from cortex_model.parameters import SleepWakeParameters
from cortex_model.schedule import Stimuli, wake_sleep_schedule
from cortex_model.weights import initial_weights

SIZES = (6, 5, 4)


def sentence_of(scale=1.0, change=None, **given):
    """What is said of a short run that diverges."""
    p = SleepWakeParameters(layer_sizes=SIZES, chunk_presentations=50, **given)
    rng = np.random.default_rng(0)
    shown = scale * rng.normal(size=(60, 6)), np.eye(4)[rng.integers(0, 4, 60)]
    schedule = wake_sleep_schedule(p, lambda epoch: np.arange(60), 60, 240, 4, 60)
    schedule = schedule.intervening(*change) if change else schedule
    with pytest.raises(DivergenceError) as caught:
        Simulation(p, "runtime").run(schedule, Stimuli(shown, tuple(part[:4] for part in shown)),
                                     initial_weights(p, 1), p.rule_values)  # fmt: skip
    return str(caught.value)


def enlarged(weights):
    weights.forward[1][:] *= 1e25


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"damping": 1e9}, r"lower damping from 1e\+09: a step in sleep is 1e\+06 times what it corrects"),
        ({"sleep_learning_rate": 1e9}, r"lower sleep_learning_rate from 1e\+09: a step in sleep"),
        ({"relative_learning_rates": ("V_2:1e12",)}, r"lower relative_learning_rates from V_2:1\S*: a step in sleep"),
        ({"learning_rate": 1e30, "sleep_per_wake": 0.0, "nonlinearity": "linear"},
         r"lower learning_rate from 1e\+30, which is \S+ times its default, most likely"),
        ({"relative_learning_rates": ("W_1:1e25",), "sleep_per_wake": 0.0, "nonlinearity": "linear"},
         r"lower relative_learning_rates from W_1:1\S*, which is 1e\+25 times its default, most likely"),
        ({"initial_feedback_scale": 1e30, "sleep_per_wake": 0.0, "nonlinearity": "linear"},
         r"lower initial_feedback_scale from 1e\+30: V_2 was up to \S+ already before presentation 4"),
        ({"scale": 1e30, "sleep_per_wake": 0.0, "nonlinearity": "linear"},
         r"rescale the stimuli: stimuli of a size of \S+e\+30 \(root mean square\) are shown"),
        ({"change": (enlarged, 60), "nonlinearity": "linear"},
         r"change the intervention before presentation 124, most likely: W_1 was up to \S+e\+2"),
    ],
)  # fmt: skip
def test_what_did_it_is_named(given, said):
    found = sentence_of(**given)
    assert re.search(rf"^Simulation\.[WVb]_\d: must stay finite \(got NaN or infinity between .*; {said}", found), found

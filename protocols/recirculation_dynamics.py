"""Activity in one reciprocal pair, unrolled in time (the paper's Fig. 1B).

Question
    What travels through a reciprocal pair while it sleeps, and what is left to learn from?

Procedure
    One linear pair starts from independent random weights and sleeps, as in `pseudoinverse_alignment`. At each
    look the same noise vector is sent around without learning (`theory.recirculation_cycle`), once in each
    direction:

        ascending    noise below  -> W ->  up above    -> V ->  reconstruction below
        descending   noise above  -> V ->  down below  -> W ->  reconstruction above

    It is the noise of the run's first sleep presentation. The difference between noise and reconstruction, times
    the activity in between, is what the projection on the way back learns from.

Measured, before the first presentation and every ``look_every_presentations``
    The six activity vectors, and the size of each difference averaged over all noise, relative to the noise:
    |I - V W|_F / sqrt(n_lower) below and |I - W V|_F / sqrt(n_upper) above.
"""

from typing import Literal

import numpy as np

from cortex_model.errors import ParameterError
from cortex_model.parameters import LayerSizes, Nonlinearity, PositiveCount, Rate, SleepWakeParameters, parameter
from cortex_model.protocol import Protocol, Run
from cortex_model.schedule import Stimuli, sleep_schedule
from cortex_model.state.philox import population_noise
from cortex_model.theory import recirculation_cycle
from cortex_model.weights import Weights, initial_weights

#: Measure -> (unit, dimension).
MEASURES = {
    "presentations": ("presentations", None),
    "ascending_noise": ("1", "neuron_below"),
    "ascending_up": ("1", "neuron_above"),
    "ascending_reconstruction": ("1", "neuron_below"),
    "descending_noise": ("1", "neuron_above"),
    "descending_down": ("1", "neuron_below"),
    "descending_reconstruction": ("1", "neuron_above"),
    "difference_below": ("1", None),
    "difference_above": ("1", None),
}


class RecirculationParameters(SleepWakeParameters):
    """Parameters of `recirculation_dynamics`."""

    layer_sizes: LayerSizes = parameter((20, 20), "neurons in the lower and the upper population", "neurons")
    nonlinearity: Nonlinearity = parameter("linear", "rate of the hidden populations; sleep does not use it")
    top: Literal["linear", "sigmoid", "softmax"] = parameter("linear", "rate of the top; sleep does not use it")
    biases: bool = parameter(False, "whether populations above the input have a bias")
    feedback_to_input: bool = parameter(True, "whether V_1 exists: it is the one that learns here")
    dtype: Literal["float32", "float64"] = parameter("float64", "precision of every number of the model")
    sleep_learning_rate: Rate = parameter(0.02, "eta: step of feedback_update")
    forward_sleep_learning_rate: Rate = parameter(0.02, "eta_f: step of forward_update; 0 holds W")
    n_presentations: PositiveCount = parameter(1000, "noise vectors", "presentations")
    look_every_presentations: PositiveCount = parameter(25, "presentations between two looks", "presentations")


def run(run: Run) -> dict:
    """Sleep, and send one noise vector around at each look; see the top of this file."""
    p: RecirculationParameters = run.parameters
    if p.n_layers != 1 or not p.feedback_to_input:
        raise ParameterError(
            "Parameters.layer_sizes: must name one pair of populations with feedback to the input "
            f"(got {','.join(map(str, p.layer_sizes))}, feedback_to_input {p.feedback_to_input}); "
            "set layer_sizes=20,20 and feedback_to_input=true."
        )
    schedule = sleep_schedule(p, p.n_presentations, p.look_every_presentations)
    noises = {
        "ascending": population_noise(run.seed, 0, 0, p.layer_sizes[0], p.noise_distribution),
        "descending": population_noise(run.seed, 0, 1, p.layer_sizes[1], p.noise_distribution, descending=True),
    }

    def measure(place, weights, _):
        return {"presentations": schedule.n_presentations("sleep", place), **one_cycle(weights, noises)}

    run.simulate(schedule, Stimuli(), initial_weights(p, run.seed), measure, MEASURES)
    rows = {name: run.measures[name][1].tolist() for name, (_, dimension) in MEASURES.items() if dimension is None}
    return {"layer_sizes": list(p.layer_sizes), **rows, "weights_sha256": run.weights.sha256}


def one_cycle(weights: Weights, noises: dict[str, np.ndarray]) -> dict[str, np.ndarray | float]:
    """Activity of both half cycles, and the two differences averaged over white noise."""
    W, V = weights.forward[1], weights.feedback[1]
    up, rec = recirculation_cycle(W, V, noises["ascending"], "ascending")
    down, back = recirculation_cycle(W, V, noises["descending"], "descending")
    return {
        "ascending_noise": noises["ascending"],
        "ascending_up": up,
        "ascending_reconstruction": rec,
        "descending_noise": noises["descending"],
        "descending_down": down,
        "descending_reconstruction": back,
        "difference_below": np.linalg.norm(np.eye(W.shape[1]) - V @ W) / np.sqrt(W.shape[1]),
        "difference_above": np.linalg.norm(np.eye(W.shape[0]) - W @ V) / np.sqrt(W.shape[0]),
    }


PROTOCOL = Protocol(
    name="recirculation_dynamics",
    question="What travels through a reciprocal pair while it sleeps, and what is left to learn from?",
    parameters=RecirculationParameters,
    run=run,
    tiny={"layer_sizes": (8, 8), "n_presentations": 400, "look_every_presentations": 100},
)

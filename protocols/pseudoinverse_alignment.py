"""Forward and feedback weights become each other's pseudoinverse in sleep (the paper's Fig. 1A).

Question
    Do a forward and a feedback projection, each learning from what it can see, end as each other's
    Moore-Penrose inverse, how fast, and how near?

Procedure
    One reciprocal pair, linear, is given independent random weights with a condition number of at most
    ``starting_condition``: W = Q diag(s) P^T, with Q and P orthonormal and random and s from c^-1/2 to c^1/2;
    V in the same way, from other random numbers. Then it sleeps. Noise in the lower population ascends and
    returns, and V learns by `feedback_update`; noise in the upper population descends and returns, and W learns
    by `forward_update` (not with ``forward_sleep_learning_rate=0``: then W is held).

    ``averaged=false`` simulates each noise vector (online). ``averaged=true`` iterates in NumPy, without any
    device, what the two rules do on average: <dV> = W^T - V W W^T - damping V, and the same for W. The paper's
    figure "includes decay", which is our ``damping``; it does not say whether it is averaged.

Measured, before the first presentation and every ``look_every_presentations``
    |W - V^+|_F / |V^+|_F, |V - W^+|_F / |W^+|_F, and the drift of W from where it started.

Expected
    Without damping both distances fall exponentially to rounding, except online in a pair of different sizes:
    noise that cannot be reconstructed leaves the floor `theory.online_noise_floor`. With damping d the averaged
    rule stops at a relative distance of exactly d (`theory.decay_floor`).
"""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from cortex_model import theory
from cortex_model.errors import DivergenceError, ParameterError
from cortex_model.parameters import LayerSizes, Nonlinearity, PositiveCount, Rate, SleepWakeParameters, parameter
from cortex_model.protocol import Protocol, Run
from cortex_model.schedule import Stimuli, sleep_schedule
from cortex_model.state.philox import standard_normal
from cortex_model.weights import INITIAL_WEIGHTS, Weights, initial_weights

#: Measure -> (unit, dimension).
MEASURES = {
    "presentations": ("presentations", None),
    "distance_forward": ("1", None),
    "distance_feedback": ("1", None),
    "forward_drift": ("1", None),
}


class AlignmentParameters(SleepWakeParameters):
    """Parameters of `pseudoinverse_alignment`."""

    layer_sizes: LayerSizes = parameter((20, 20), "neurons in the lower and the upper population", "neurons")
    nonlinearity: Nonlinearity = parameter("linear", "rate of the hidden populations; sleep does not use it")
    top: Literal["linear", "sigmoid", "softmax"] = parameter(
        "linear", "rate of the top population; sleep does not use it"
    )
    biases: bool = parameter(False, "whether populations above the input have a bias")
    feedback_to_input: bool = parameter(True, "whether V_1 exists: it is the one that learns here")
    dtype: Literal["float32", "float64"] = parameter("float64", "precision of every number of the model")
    feedback_gain: Literal["none", "closed_form"] = parameter("none", "g = 1, or g = 1 + damping")
    sleep_learning_rate: Rate = parameter(0.02, "eta: step of feedback_update")
    forward_sleep_learning_rate: Rate = parameter(0.02, "eta_f: step of forward_update; 0 holds W")
    averaged: bool = parameter(False, "whether the rules' averages are iterated instead of single noise vectors")
    n_presentations: PositiveCount = parameter(1500, "noise vectors, or steps of the averaged rule", "presentations")
    look_every_presentations: PositiveCount = parameter(25, "presentations between two looks", "presentations")
    starting_condition: Annotated[float, Field(ge=1, le=1e6)] = parameter(4.0, "condition number of W and of V")


def run(run: Run) -> dict:
    """Start anywhere, sleep, and see how near the pair comes; see the top of this file."""
    p: AlignmentParameters = run.parameters
    start = starting_weights(p, run.seed)
    if p.averaged:
        averaged_sleep(run, start)
    else:
        schedule = sleep_schedule(p, p.n_presentations, p.look_every_presentations)
        run.simulate(
            schedule,
            Stimuli(),
            start,
            lambda place, weights, _: distances(schedule.n_presentations("sleep", place), weights, start),
            MEASURES,
        )
    rows = {name: values.tolist() for name, (_, values, _) in run.measures.items()}
    return {
        "averaged": p.averaged,
        "layer_sizes": list(p.layer_sizes),
        "damping": p.damping,
        "predicted_floor": predicted_floor(p, run.weights),
        **rows,
        "final_distance_forward": rows["distance_forward"][-1],
        "final_distance_feedback": rows["distance_feedback"][-1],
        "weights_sha256": run.weights.sha256,
    }


def starting_weights(p: AlignmentParameters, seed: int) -> Weights:
    """W_1 and V_1, independent and random, with the singular values of `AlignmentParameters.starting_condition`.

    Raises
    ------
    ParameterError
        If there is more than one reciprocal pair, or V_1 does not exist.
    """
    if p.n_layers != 1 or not p.feedback_to_input:
        raise ParameterError(
            "Parameters.layer_sizes: must name one pair of populations with feedback to the input "
            f"(got {','.join(map(str, p.layer_sizes))}, feedback_to_input {p.feedback_to_input}); "
            "set layer_sizes=20,20 and feedback_to_input=true."
        )
    lower, upper = p.layer_sizes
    given = {
        "W_1": random_matrix(seed, "forward_weights", (upper, lower), p.starting_condition),
        "V_1": random_matrix(seed, "feedback_weights", (lower, upper), p.starting_condition),
    }
    return initial_weights(p, seed, given)


def random_matrix(seed: int, stream: str, shape: tuple[int, int], condition: float) -> np.ndarray:
    """Q diag(s) P^T: Q, P random orthonormal; s in geometric steps from condition^-1/2 to condition^1/2."""
    rank = min(shape)
    left, right = (
        INITIAL_WEIGHTS["orthogonal"](standard_normal(seed, stream, index, (size, rank)), rank)
        for index, size in enumerate(shape, start=1)
    )
    return left * np.geomspace(condition**-0.5, condition**0.5, rank) @ right.T


def predicted_floor(p: AlignmentParameters, weights: Weights) -> float | None:
    """Relative distance |V - W^+|_F / |W^+|_F at which theory says that V ends; None where it says nothing.

    Both half cycles with damping d and gain 1: d (`theory.decay_floor`; online a little more, by the noise).
    W held, no damping, online: `theory.online_noise_floor` / |W^+|_F. Averaged, or of equal sizes, no damping: 0.
    """
    lower, upper = p.layer_sizes
    holds_forward = p.forward_sleep_learning_rate == 0
    if p.learning_rule != "reciprocal" or (holds_forward and (p.damping or upper > lower)):
        return None
    if p.damping:
        return p.damping if p.noise_gain == 1 else None
    if p.averaged or lower == upper:
        return 0.0
    floor = theory.online_noise_floor(lower, upper, p.sleep_learning_rate)
    return floor / float(np.linalg.norm(np.linalg.pinv(weights.forward[1]))) if holds_forward else None


def averaged_sleep(run: Run, start: Weights) -> None:
    """Iterate what `feedback_update` and `forward_update` do on average; the same order as in the simulator."""
    p: AlignmentParameters = run.parameters
    if p.learning_rule != "reciprocal" or p.sleep_normalisation:
        raise ParameterError(
            "Parameters.averaged: must be false unless learning_rule is reciprocal without sleep_normalisation "
            f"(got {p.learning_rule}, sleep_normalisation {p.sleep_normalisation}); set averaged=false."
        )
    W, V, rows = start.forward[1], start.feedback[1], []
    for n in range(p.n_presentations + 1):
        if n % p.look_every_presentations == 0 or n == p.n_presentations:
            rows.append(distances(n, pair(W, V, start), start))
            run.report(n, p.n_presentations, "averaged")
        V = V + p.sleep_learning_rate * theory.mean_feedback_update(W, V, p.damping, p.noise_gain)
        if p.forward_sleep_learning_rate > 0:
            W = W + p.forward_sleep_learning_rate * theory.mean_forward_update(W, V, p.damping, p.noise_gain)
    run.weights = pair(W, V, start)
    for name, (unit, _) in MEASURES.items():
        run.measures[name] = (["look"], np.array([row[name] for row in rows]), unit)


def pair(W: np.ndarray, V: np.ndarray, start: Weights) -> Weights:
    """The two matrices as `Weights`.

    Raises
    ------
    DivergenceError
        If one of them is no longer finite.
    """
    weights = Weights({1: W}, start.biases, {1: V})
    if name := weights.first_not_finite():
        raise DivergenceError(
            f"pseudoinverse_alignment.{name}: must stay finite (got NaN or infinity); lower sleep_learning_rate."
        )
    return weights


def distances(presentations: int, weights: Weights, start: Weights) -> dict[str, float]:
    """One row: how far each matrix is from the inverse of the other, relative to that inverse."""
    W, V = weights.forward[1], weights.feedback[1]
    return {
        "presentations": presentations,
        "distance_forward": theory.relative_distance(W, np.linalg.pinv(V)),
        "distance_feedback": theory.relative_distance(V, np.linalg.pinv(W)),
        "forward_drift": theory.relative_distance(W, start.forward[1]),
    }


PROTOCOL = Protocol(
    name="pseudoinverse_alignment",
    question="Do forward and feedback weights become each other's pseudoinverse in sleep, how fast, how near?",
    parameters=AlignmentParameters,
    run=run,
    tiny={"layer_sizes": (8, 8), "n_presentations": 400, "look_every_presentations": 50},
)

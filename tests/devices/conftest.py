"""Scenarios that every device must present alike, and what theory predicts for them."""

from typing import NamedTuple

import numpy as np
import pytest

from cortex_model import theory
from cortex_model.devices.simulation import Simulation
from cortex_model.parameters import SleepWakeParameters
from cortex_model.phases.chunk import Stimuli, one_hot
from cortex_model.phases.schedule import EVALUATION, LEARNING_RULES, WAKE, Schedule, wake_sleep_schedule
from cortex_model.philox import population_noise
from cortex_model.protocol import run_numbers
from cortex_model.weights import Weights, initial_weights

#: A hierarchy with a narrowing and an expanding reciprocal pair (5 -> 6 -> 4), from well-conditioned weights.
DEFAULTS = {
    "layer_sizes": (7, 5, 6, 4),
    "initial_weights": "orthogonal",
    "learning_rate": 0.01,
    "sleep_learning_rate": 0.01,
    "dtype": "float64",
    "chunk_presentations": 400,
}
#: What one compiled program holds is fixed; together these few hold every nonlinearity, top, sleep rule and option.
PROGRAMS = {
    "tanh": {},
    "linear": {
        "nonlinearity": "linear", "top": "linear", "slope_rule": "none", "biases": False,
        "feedback_to_input": True, "presynaptic_normalisation": True, "noise_distribution": "gaussian",
        "forward_sleep_learning_rate": 0.005, "damping": 0.2,
    },
    "threshold_linear": {
        "nonlinearity": "threshold_linear", "top": "sigmoid", "slope_rule": "reciprocal",
        "sleep_rule": "hinton_mcclelland", "noise_distribution": "rademacher", "sleep_normalisation": True,
        "forward_sleep_learning_rate": 0.005,
    },
    "sigmoid": {
        "nonlinearity": "sigmoid", "sleep_rule": "ben_israel", "feedback_to_input": True,
        "presynaptic_normalisation": True,
    },
    "softplus": {
        "nonlinearity": "softplus", "top": "linear", "sleep_normalisation": True, "damping": 0.5,
        "feedback_gain": "norm_matched", "gain_update_presentations": 11, "forward_sleep_learning_rate": 0.005,
        "chunk_presentations": 39,  # cut where a sleep presentation would go on
    },
}  # fmt: skip

N_STIMULI, NOISE_SEED = 30, 3


def pytest_generate_tests(metafunc):
    if "program" in metafunc.fixturenames:
        metafunc.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)


@pytest.fixture(scope="session")
def programs():
    return PROGRAMS


class Scenario(NamedTuple):
    """What a simulation is handed."""

    parameters: SleepWakeParameters
    schedule: Schedule
    stimuli: Stimuli
    weights: Weights
    numbers: dict


@pytest.fixture(scope="session")
def scenario():
    """Overrides of `DEFAULTS` -> `Scenario`: ``n_wake`` presentations, each with its sleep, evaluated at both ends."""

    def make(n_wake=1, given=None, seed=0, evaluate_every=0, **overrides):
        if overrides.get("learning_rule") == "weight_mirror":
            overrides = {"damping": 0.5} | overrides
        p = SleepWakeParameters(**DEFAULTS | overrides)
        rng = np.random.default_rng(1)
        n_classes = p.layer_sizes[-1]
        images = rng.normal(size=(N_STIMULI, p.layer_sizes[0]))
        shown = images, one_hot(rng.integers(0, n_classes, N_STIMULI), n_classes)
        schedule = wake_sleep_schedule(
            p, lambda epoch: np.roll(np.arange(N_STIMULI), epoch), N_STIMULI, n_wake, 5, evaluate_every
        )
        weights = initial_weights(p, seed, LEARNING_RULES[p.learning_rule].feedback_start, given)
        if p.sleep_rule == "ben_israel":  # converges from a multiple of W^T only
            feedback = {level: 0.5 * weights.forward[level].T for level in weights.feedback}
            weights = Weights(weights.forward, weights.biases, feedback)
        return Scenario(p, schedule, Stimuli(shown, shown), weights, run_numbers(p, NOISE_SEED))

    return make


def run_on(simulation, scenario, **options):
    """Weights after a scenario, and the top population's rates in all its evaluations."""
    rates = []
    options = {"first_presentation": 0} | options
    stop = simulation.run(*scenario[1:], at_stop=lambda stop: rates.append(stop.rates.copy()), **options)
    return stop.weights, np.concatenate(rates)


@pytest.fixture(scope="session")
def simulate():
    """(Scenario, device) -> (weights, rates); ``simulation`` to run one that is there already."""

    def run(scenario, device="runtime", simulation=None, **options):
        return run_on(simulation or Simulation(scenario.parameters, device), scenario, **options)

    return run


def timing_of(p):
    """The timing of theory, from the parameters of a simulation."""
    return theory.Timing(p.n_steps, p.relaxation, p.onset_step + 1, p.forward_delays, p.feedback_delays)


def in_mode(p):
    """Theory's functions (wake, sleep, top rates) of the settled or of the leaky mode."""
    if not p.is_leaky:
        return theory.wake_presentation, theory.sleep_presentation, theory.hierarchy_response
    timing = timing_of(p)

    def wake(forward, biases, feedback, stimulus, target, **options):
        return theory.leaky_wake_presentation(forward, biases, feedback, stimulus, target, timing, **options)

    def sleep(forward, feedback, ascending, descending, **options):
        return theory.leaky_sleep_presentation(forward, feedback, ascending, descending, timing, **options)

    def response(forward, biases, stimulus, nonlinearity, top):
        rates, _ = theory.leaky_perception(forward, biases, {}, stimulus, timing, nonlinearity, top)
        return None, {level: rate[-1] for level, rate in rates.items()}

    return wake, sleep, response


def predicted(scenario):
    """Weights and rates that theory predicts, presentation by presentation, for a scenario."""
    p, schedule, stimuli, weights, numbers = scenario
    forward, biases, feedback = weights.forward, weights.biases if p.biases else None, weights.feedback
    gains, rates, n_layers, asleep_in = {}, [], p.n_layers, None
    wake_presentation, sleep_presentation, hierarchy_response = in_mode(p)

    def noise(presentation, levels, descending):
        key = numbers["noise_seed"], presentation
        sizes, kind = p.layer_sizes, p.noise_distribution
        return {level: population_noise(*key, level, sizes[level], kind, descending) for level in levels}

    for slot, (kind, presentation, row) in enumerate(
        zip(schedule.kind, schedule.presentation.tolist(), schedule.stimulus[:, 0], strict=True)
    ):
        if slot in schedule.updates and schedule.refreshes == "pseudoinverse":
            feedback = {level: np.linalg.pinv(forward[level]) for level in feedback}
        elif slot in schedule.updates:
            gains = {level: np.linalg.norm(forward[level]) / np.linalg.norm(v) for level, v in feedback.items()}
        if schedule.step[slot] > 0:
            continue
        if kind == WAKE:
            stimulus, target = (part[row] for part in stimuli.wake)
            forward, biases, feedback = wake_presentation(
                forward, biases, feedback, stimulus, target,
                learning_rate=p.learning_rate, nonlinearity=p.nonlinearity, top=p.top,
                slope_rule=p.slope_rule, slope_cutoff=p.slope_cutoff, feedback_gains=gains,
                presynaptic_normalisation=p.presynaptic_normalisation,
                feedback_follows_forward=p.learning_rule in ("backpropagation", "kolen_pollack"),
                feedback_from_top=p.feedback_from_top,
                weight_decay=p.weight_decay if p.learning_rule == "kolen_pollack" else 0.0,
            )  # fmt: skip
        elif kind == EVALUATION:
            _, responses = hierarchy_response(forward, biases, stimuli.evaluation[0][row], p.nonlinearity, p.top)
            rates.append(responses[n_layers])
        elif presentation != asleep_in:
            asleep_in = presentation
            forward, feedback = sleep_presentation(
                forward, feedback,
                noise(presentation, range(n_layers), False), noise(presentation, range(1, n_layers + 1), True),
                sleep_learning_rate=p.sleep_learning_rate,
                forward_sleep_learning_rate=p.forward_sleep_learning_rate * (p.learning_rule == "reciprocal"),
                damping=p.damping, gain=p.noise_gain, sleep_rule=p.sleep_rule,
                sleep_normalisation=p.sleep_normalisation, regression=p.regression,
                reconstructs=p.learning_rule != "weight_mirror",
            )  # fmt: skip
    return Weights(forward, biases or weights.biases, feedback), np.array(rates)


def relative_difference(weights, expected):
    """max|difference| / max|weights|, over everything that learns."""
    pairs = list(zip(weights.named().values(), expected.named().values(), strict=True))
    return max(np.abs(a - b).max() for a, b in pairs) / max(np.abs(b).max() for _, b in pairs)


@pytest.fixture(scope="session")
def difference():
    return relative_difference


@pytest.fixture(scope="session")
def check_simulator_equals_theory():
    """The check that everything else rests on: what learns, and the rates, are what theory predicts."""

    def check(scenario, device="runtime", tolerance=1e-12, simulation=None):
        weights, rates = run_on(simulation or Simulation(scenario.parameters, device), scenario)
        expected, expected_rates = predicted(scenario)
        changed = max(relative_difference(expected, scenario.weights), relative_difference(weights, scenario.weights))
        assert changed > 1e-4, "the scenario must change the weights, or it checks nothing"
        got = relative_difference(weights, expected)
        assert got <= tolerance, f"simulator equals theory: weights differ by {got:.1e}, more than {tolerance:g}"
        got = np.abs(rates - expected_rates).max()
        assert got <= tolerance, f"simulator equals theory: rates differ by {got:.1e}, more than {tolerance:g}"

    return check

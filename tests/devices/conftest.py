"""Scenarios that every device must present alike, and what theory predicts for them."""

from typing import NamedTuple

import numpy as np
import pytest

from cortex_model.devices.simulation import Simulation
from cortex_model.parameters import SleepWakeParameters
from cortex_model.protocol import run_numbers
from cortex_model.reference.hierarchy import interpreter_of, learned_weights
from cortex_model.rules import own
from cortex_model.schedule import PHASES, Schedule, Stimuli, one_hot, wake_sleep_schedule
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
SHALLOW = {"layer_sizes": (5, 6, 4)}
#: Times that are no multiples of each other, delays that differ from projection to projection.
LEAKY = {
    "dynamics": "leaky", "time_constant_ms": 10.0, "time_step_ms": 2.0, "presentation_ms": 30.0,
    "feedback_onset_ms": 14.0, "forward_delay_ms": (2.0, 0.0, 6.0), "feedback_delay_ms": (4.0, 8.0),
}  # fmt: skip
#: What one compiled program holds is fixed; together these few hold every nonlinearity, top, noise and option. Each
#: holds every rule but direct_feedback. One is deep; the others expand and narrow too.
PROGRAMS = {
    "tanh": {},
    "linear": SHALLOW | {
        "nonlinearity": "linear", "top": "linear", "slope_rule": "none", "biases": False,
        "feedback_to_input": True, "presynaptic_normalisation": True, "noise_distribution": "gaussian",
    },
    "threshold_linear": SHALLOW | {
        "nonlinearity": "threshold_linear", "top": "sigmoid", "slope_rule": "reciprocal",
        "noise_distribution": "rademacher", "sleep_normalisation": True,
    },
    "softplus in time": LEAKY | SHALLOW | {
        "nonlinearity": "softplus", "presynaptic_normalisation": True,
        "forward_delay_ms": (2.0, 6.0), "feedback_delay_ms": (4.0,),
    },
    "sigmoid in batches": SHALLOW | {
        "nonlinearity": "sigmoid", "batch_size": 3, "feedback_to_input": True, "presynaptic_normalisation": True,
        "sleep_normalisation": True,
    },
}  # fmt: skip

#: A rule with one event of each kind, for compilers that take seconds for every code object.
HEBBIAN = """
from cortex_model.language import Carry, Climb, Fire, Learn, Let, Rule, Show
from cortex_model.rules.hierarchy import FORWARD, LEARNING_RATE


def seen(code):
    return Show("input", "rate = stimulus"), Climb(Carry("W", "rate", "basal_input"), Let("above input", code))


SPIKES = (
    Fire("all", "rate = 0.5*rate", event="spike", when="rate > 0.1"),
    Carry("W", "rate", "received", on="spike"),
    Learn("W", "learning_rate", "received_post*weight", on="spike_post"),
)
HEBB = Learn("W", "learning_rate", "rate_post*rate_pre")
LEARNED = *seen("rate = tanh(basal_input + noise(0))\\nreceived = 0"), HEBB, *SPIKES
PHASES = {"wake": LEARNED, "evaluation": seen("rate = basal_input")}
RULE = Rule("hebbian", {"W": FORWARD}, PHASES, LEARNING_RATE, recorded=("rate",))
"""

N_STIMULI, NOISE_SEED = 30, 3


def pytest_generate_tests(metafunc):
    if "program" in metafunc.fixturenames:
        metafunc.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)


@pytest.fixture(scope="session")
def programs():
    return PROGRAMS


@pytest.fixture(scope="session")
def leaky():
    return LEAKY


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
        weights = initial_weights(p, seed, given)
        if p.learning_rule == "ben_israel":  # converges from a multiple of W^T only
            feedback = {level: 0.5 * weights.forward[level].T for level in weights.feedback}
            weights = Weights(weights.forward, weights.biases, feedback)
        return Scenario(p, schedule, Stimuli(shown, shown), weights, run_numbers(p, NOISE_SEED))

    return make


def run_on(simulation, scenario, **options):
    """Weights after a scenario, and the top population's rates in all its evaluations."""
    rates = []
    options = {"first_presentation": 0} | options
    state = simulation.run(*scenario[1:], callback=lambda state: rates.append(state.rates.copy()), **options)
    return state.weights, np.concatenate(rates)


@pytest.fixture(scope="session")
def simulate():
    """(Scenario, device) -> (weights, rates); ``simulation`` to run one that is there already."""

    def run(scenario, device="runtime", simulation=None, **options):
        return run_on(simulation or Simulation(scenario.parameters, device), scenario, **options)

    return run


def predicted(scenario):
    """Weights and rates that the interpreter of the declaration predicts, presentation by presentation."""
    p, schedule, stimuli, weights, numbers = scenario
    interpreter, rates = interpreter_of(p, weights, numbers["noise_seed"]), []
    for number, rows, at in zip(schedule.phase, schedule.stimulus, schedule.presentation.tolist(), strict=True):
        phase, shown = PHASES[number], ()
        if phase != "sleep":
            shown = [part[rows[rows >= 0]] for part in getattr(stimuli, phase)]
        state = interpreter.present(phase, *shown, at=at)
        if phase == "evaluation":
            rates.append(state[p.n_layers]["rate"].copy())
    return learned_weights(interpreter, weights), np.concatenate(rates)


@pytest.fixture
def few_events(tmp_path, monkeypatch):
    """A learning rule, as parameters have it, whose programs hold little besides a sum, noise, spikes, plasticity."""
    monkeypatch.setattr(own, "_KNOWN", {})
    (tmp_path / "hebbian.py").write_text(HEBBIAN)
    return str(tmp_path / "hebbian.py")


@pytest.fixture(scope="session")
def interpret():
    """Scenario -> the weights and rates that the declaration means."""
    return predicted


def relative_difference(weights, expected):
    """max|difference| / max|weights|, over everything that learns."""
    pairs = list(zip(weights.named().values(), expected.named().values(), strict=True))
    return max(np.abs(a - b).max() for a, b in pairs) / max(np.abs(b).max() for _, b in pairs)


@pytest.fixture(scope="session")
def difference():
    return relative_difference


@pytest.fixture(scope="session")
def check_equals_interpreter():
    """The check that everything else rests on: what learns, and the rates, are what the declaration means."""

    def check(scenario, device="runtime", tolerance=1e-12, simulation=None):
        weights, rates = run_on(simulation or Simulation(scenario.parameters, device), scenario)
        expected, expected_rates = predicted(scenario)
        changed = max(relative_difference(expected, scenario.weights), relative_difference(weights, scenario.weights))
        assert changed > 1e-4, "the scenario must change the weights, or it checks nothing"
        got = relative_difference(weights, expected)
        assert got <= tolerance, f"simulator equals interpreter: weights differ by {got:.1e}, more than {tolerance:g}"
        got = np.abs(rates - expected_rates).max()
        assert got <= tolerance, f"simulator equals interpreter: rates differ by {got:.1e}, more than {tolerance:g}"

    return check

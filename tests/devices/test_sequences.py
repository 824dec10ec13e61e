"""Learning and replay of sequences on each device: what runs is what is declared."""

import numpy as np
import pytest

from cortex_model.devices.simulation import Simulation
from cortex_model.errors import ParameterError
from cortex_model.parameters import SleepWakeParameters
from cortex_model.reference.hierarchy import interpreter_of, learned_weights
from cortex_model.rules import shipped
from cortex_model.schedule import EVALUATION, WAKE, Stimuli, schedule_of
from cortex_model.theory import hippocampus
from cortex_model.traces import replay
from cortex_model.weights import initial_weights

(RULE,) = (name for name, rule in shipped().items() if rule.task == "sequences")
DEVICES = ["runtime", pytest.param("cpp_standalone", marks=[pytest.mark.compiler, pytest.mark.slow])]
N = 8


def given(batch_size=1, **overrides):
    its = {"layer_sizes": (5, 9, 5), "learning_rule": RULE, "dtype": "float64", "learning_rate": 0.1}
    p = SleepWakeParameters(**its, batch_size=batch_size, **overrides)
    states = np.tanh(np.random.default_rng(0).normal(size=(N + 1, 5)))
    rows = np.arange(N).reshape(-1, batch_size)
    phase = np.repeat([WAKE, EVALUATION], len(rows))
    return p, (states[:-1], states[1:]), schedule_of(p, phase, np.concatenate([rows, rows]), [len(phase)])


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("overrides", [{}, {"dense": False}, {"batch_size": 2}], ids=["dense", "stock", "batches"])
def test_wake_and_evaluation_are_what_is_declared(device, overrides):
    p, shown, schedule = given(**overrides)
    weights = initial_weights(p, 1)
    state = Simulation(p, device).run(schedule, Stimuli(shown, shown), weights)
    interpreter, answers = interpreter_of(p, weights), []
    for phase, rows in zip(schedule.phase, schedule.stimulus, strict=True):
        found = interpreter.present("wake" if phase == WAKE else "evaluation", shown[0][rows], shown[1][rows])
        answers += [*found[2]["rate"]] * bool(phase == EVALUATION)
    expected = learned_weights(interpreter, weights).named()
    for name, array in state.weights.named().items():
        np.testing.assert_allclose(array, expected[name], atol=1e-12, err_msg=name)
    np.testing.assert_allclose(state.rates, answers, atol=1e-12)
    assert (expected["R_1"] != weights.named()["R_1"]).any() and (expected["W_1"] == weights.named()["W_1"]).all()


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("batch_size", [1, 2])
def test_replay_is_what_theory_says_step_by_step(device, batch_size):
    cues = np.tanh(np.random.default_rng(2).normal(size=(3, 5)))
    for g in (0.0, 0.5):
        p, _, _ = given(batch_size, replay_steps=6, replay_through_cortex=g)
        weights = initial_weights(p, 1)
        circuit = hippocampus.Circuit(weights.forward[1], weights.others["R"][1], weights.forward[2])
        traces = replay(p, weights, cues, device=device)
        assert dict(traces.sizes) == {"stimulus": 3, "step": 6, "neuron_0": 5, "neuron_1": 9, "neuron_2": 5}
        expected = [hippocampus.replayed(circuit, cue, 6, g) for cue in cues]
        np.testing.assert_allclose(traces["rate_2"], expected, atol=1e-12)
        np.testing.assert_allclose(traces["rate_0"], expected, atol=1e-12)


def test_replay_is_refused_where_nothing_is_repeated():
    p = SleepWakeParameters(layer_sizes=(5, 4, 3))
    with pytest.raises(ParameterError, match=r"must have a learning rule that repeats something in recall \(got recip"):
        replay(p, initial_weights(p, 0), np.zeros((1, 5)))
    p, _, _ = given()
    with pytest.raises(ParameterError, match=r"^replay\.cues: must have shape \(n_stimuli, 5\)"):
        replay(p, initial_weights(p, 0), np.zeros((1, 4)))

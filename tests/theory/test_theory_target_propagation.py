"""Difference target propagation: what targets are, that inverses learn, and that without the difference it fails."""

from dataclasses import replace

import numpy as np

from cortex_model import theory
from cortex_model.datasets import load
from cortex_model.language.options import configured
from cortex_model.language.sequence import moments_of
from cortex_model.parameters import SleepWakeParameters
from cortex_model.reference.hierarchy import interpreter_of, learned_weights
from cortex_model.rules import shipped
from cortex_model.weights import initial_weights


def of(**changes):
    given = {"layer_sizes": (64, 32, 32, 10), "dtype": "float64", "learning_rule": "target_propagation",
             "initial_feedback_scale": 0.5, "sleep_learning_rate": 0.5, "sleep_normalisation": True,
             "damping": 1.0, "batch_size": 20}  # fmt: skip
    return SleepWakeParameters(**given | changes)


def digits():
    data = load("digits")
    return data.stimuli("standardised", "float64")[0], data.targets()[0]


def trained(p, n_batches, rule=None):
    """Weights after batches of wake on the digits, each followed by one of sleep."""
    stimuli, targets = digits()
    start = initial_weights(p, 0)
    interpreter, size = interpreter_of(p, start, rule=rule), p.batch_size
    for k in range(n_batches):
        rows = np.arange(k * size, (k + 1) * size) % len(stimuli)
        interpreter.present("wake", stimuli[rows], targets[rows], at=2 * k * size)
        interpreter.present("sleep", at=(2 * k + 1) * size)
    return learned_weights(interpreter, start)


def error_percent(p, weights):
    stimuli, targets = digits()
    rates = interpreter_of(p, weights).present("evaluation", stimuli)[p.n_layers]["rate"]
    return 100 * np.mean(rates.argmax(axis=1) != targets.argmax(axis=1))


# ---------------------------------------------------------------------- what targets are
def test_with_exact_inverses_a_target_is_the_state_that_gives_the_target_above():
    """f(t_{l-1}) = t_l: with a linear, invertible hierarchy, whatever the difference."""
    rng, sizes = np.random.default_rng(0), (6, 6, 6, 6)
    W = {l: np.linalg.qr(rng.normal(size=(6, 6)))[0] * rng.uniform(0.5, 2, 6) for l in (1, 2, 3)}
    V = {l: np.linalg.inv(W[l]) for l in (2, 3)}
    shown = rng.normal(size=6), rng.normal(size=6), {l: np.zeros(n) for l, n in enumerate(sizes)}
    for difference in (True, False):
        its = theory.propagate_targets(
            W, None, V, None, *shown, target_step=0.3, difference=difference, nonlinearity="linear", top="linear"
        )
        np.testing.assert_allclose(W[2] @ its.targets[1], its.targets[2], rtol=0, atol=1e-12)
        np.testing.assert_allclose(W[3] @ its.targets[2], its.rates[3] - 0.3 * its.error, rtol=0, atol=1e-12)


def test_the_difference_takes_out_what_an_inverse_gets_wrong():
    """Where nothing is wrong above, nothing is asked of the population below: t = h, whatever the inverse."""
    rng, sizes = np.random.default_rng(1), (6, 5, 4, 3)
    W = {l: rng.normal(size=(sizes[l], sizes[l - 1])) for l in (1, 2, 3)}
    V = {l: rng.normal(size=(sizes[l - 1], sizes[l])) for l in (2, 3)}
    stimulus, noise = rng.normal(size=6), {l: np.zeros(n) for l, n in enumerate(sizes)}
    answer = theory.hierarchy_response(W, None, stimulus, "tanh", "linear")[1][3]
    for difference in (True, False):
        its = theory.propagate_targets(W, None, V, None, stimulus, answer, noise, target_step=0.3,
                                       difference=difference, top="linear")  # fmt: skip
        asked = np.abs(its.targets[1] - its.rates[1]).max()
        assert (asked < 1e-14) if difference else (asked > 0.1)


def test_inverses_learn_to_undo_the_forward_path():
    """The error with which g(f(x)) returns what was sent, over noise around rates, beside that of the start."""
    p = of(learning_rate=0.0, inverse_learning_rate=0.2)

    def returned(weights):
        its = interpreter_of(p, weights).present("wake", *(part[:200] for part in digits()))
        return np.mean((its[1]["noisy"] - its[1]["returned"]) ** 2) / np.var(its[1]["noisy"])

    start = initial_weights(p, 0)
    learned = trained(p, 150)
    assert returned(learned) < 0.35 < 0.9 < returned(start)
    topmost = theory.alignment_angle(learned.feedback[3], np.linalg.pinv(learned.forward[3]))
    assert topmost < 35 < 60 < theory.alignment_angle(start.feedback[3], np.linalg.pinv(start.forward[3]))
    assert np.array_equal(learned.forward[2], start.forward[2])


# ---------------------------------------------------------------------- does it learn?
def test_it_learns_with_the_difference_and_not_without():
    with_it, without = (of(learning_rate=0.2, difference=is_there) for is_there in (True, False))
    assert error_percent(with_it, trained(with_it, 180)) < 10
    assert error_percent(without, trained(without, 180)) > 50


# ---------------------------------------------------------------------- what it comes to
def with_linear_inverses(p):
    """The rule whose inverses are linear: g_l(h) = V_l h + c_l."""
    bare = {"inverse_bias)": "inverse_bias", "sigma(": "", "slope(returning_drive + inverse_bias, returned)*": ""}

    def change(moment):
        code = getattr(moment, "code", "")
        if "inverse_bias" in code:
            for word, other in reversed(bare.items()):
                code = code.replace(word, other)
            moment = replace(moment, code=code)
        return (moment,)

    return configured(shipped()["target_propagation"].changed(change), **p.rule_options)


def from_gauss_newton_and_backpropagation(p, rule, weights):
    """Population -> degrees of its displacement t - h from the best damped Gauss-Newton one, and from -J^T e."""
    stimuli, targets = (part[:200] for part in digits())
    its = interpreter_of(p, weights, rule=rule).present("wake", stimuli, targets, at=10**6)
    top = p.n_layers
    J = theory.top_jacobians(weights.forward, {l: its[l]["basal_drive"].T for l in range(1, top + 1)})
    error, found = its[top]["rate"] - targets, {}
    for l in range(1, top):
        moved, of_rate = its[l]["rate"] - its[l]["wanted"], J[l + 1] @ weights.forward[l + 1]
        power, angles = of_rate @ of_rate.transpose(0, 2, 1), []
        for damping in np.logspace(-2, 3, 16):
            told = np.linalg.solve(power + damping * np.eye(len(targets.T)), error[..., None])
            angles.append(theory.alignment_angle(moved, (of_rate.transpose(0, 2, 1) @ told)[..., 0]))
        found[l] = min(angles), theory.alignment_angle(moved, np.einsum("sji,sj->si", of_rate, error))
    return found


def test_displacements_with_linear_inverses_are_nearer_to_damped_gauss_newton_than_to_backpropagation():
    changes = {"inverse_learning_rate": 0.005, "inverse_noise": 1.0, "initial_feedback_scale": 0.0}
    p = of(learning_rate=0.1, sleep_learning_rate=0.05, **changes)
    rule = with_linear_inverses(p)
    assert not any("sigma(target" in getattr(m, "code", "") for m in moments_of(rule.phases["wake"]))
    lower, upper = from_gauss_newton_and_backpropagation(p, rule, trained(p, 300, rule)).values()
    assert upper[0] < 15 and lower[0] < 30
    assert upper[0] + 5 < upper[1] and lower[0] + 3 < lower[1]

"""A Helmholtz machine as it is declared is the one of theory, presentation by presentation and on average."""

from dataclasses import replace

import numpy as np
import pytest

from cortex_model.language import Learn, Let, PlacedRule
from cortex_model.language.cost import cost
from cortex_model.language.options import configured
from cortex_model.language.sequence import moments_of
from cortex_model.reference.interpreter import Interpreter
from cortex_model.rules import shipped
from cortex_model.state.philox import DESCENDING, population_noise
from cortex_model.theory import helmholtz_machine as theory

(RULE,) = (configured(rule) for rule in shipped().values() if rule.task == "stimuli")
SIZES = [(3, 2), (7, 5, 6, 4), (4, 6)]
SEED, LEARNING_RATE = 3, 0.1


class Drawn:
    """In the place of a generator: what the units of populations draw, in turn, in each presentation of a batch."""

    def __init__(self, at, levels, stream):
        self.at, self.levels, self.stream = at, list(levels), stream

    def random(self, shape):
        population = self.levels.pop(0) + DESCENDING * self.stream
        rows = [population_noise(SEED, self.at + row, population, shape[1]) for row in range(shape[0])]
        return np.array(rows) / (2 * np.sqrt(3)) + 0.5


def started(rule, sizes, batch_size=1, seed=0):
    """An interpreter of the declaration from random weights."""
    placed, rng = PlacedRule(rule, sizes), np.random.default_rng(seed)
    shapes = {key: placed.ends(*key) for key in placed.places.synapses}
    weights = {
        key: rng.normal(size=(sizes[post], 1 if pre is None else sizes[pre])) for key, (pre, post) in shapes.items()
    }
    return Interpreter(placed, weights, {"learning_rate": LEARNING_RATE}, seed=SEED, batch_size=batch_size)


def machine_of(weights):
    """The same weights as theory has them."""
    letters = {letter: {l: w for (name, l), w in weights.items() if name == letter} for letter in "WbVc"}
    flat = {letter: {l: w[:, 0] for l, w in its.items()} for letter, its in letters.items()}
    return theory.HelmholtzMachine(letters["W"], flat["b"], letters["V"], flat["c"])


def copied(weights):
    return {key: array.copy() for key, array in weights.items()}


def changes(interpreter, before):
    """What has changed, in units of the learning rate, by name."""
    return {
        f"{name}_{l}": (after - before[name, l]).reshape(after.shape if name in "WV" else -1) / LEARNING_RATE
        for (name, l), after in interpreter.weights.items()
        if (after != before[name, l]).any()
    }


@pytest.mark.parametrize("batch_size", [1, 3])
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_presentations_are_those_of_theory(sizes, batch_size):
    interpreter, rng, n_levels = started(RULE, sizes, batch_size), np.random.default_rng(1), len(sizes)
    for n in range(6):
        before, phase, at = copied(interpreter.weights), ("wake", "sleep")[n % 2], n * batch_size
        machine, stimuli = machine_of(before), (rng.random((batch_size, sizes[0])) < 0.5).astype(float)
        if phase == "wake":
            interpreter.present("wake", stimuli, np.zeros((batch_size, sizes[-1])), at=at)
            states = theory.recognise(machine, stimuli, Drawn(at, range(1, n_levels), 0))
        else:
            interpreter.present("sleep", at=at)
            states = theory.dream(machine, batch_size, Drawn(at, range(n_levels)[::-1], 1))
        expected, got = theory.helmholtz_update(machine, states, phase), changes(interpreter, before)
        assert got and set(got) <= set(expected), "what learns in the other phase stays"
        for name, update in expected.items():
            np.testing.assert_allclose(got.get(name, 0 * update), update, rtol=0, atol=1e-13, err_msg=name)


def mean_update(rule, phase="wake", n=4000):
    """What one presentation of every stimulus, shown n/8 times at once, changes; and the machine that it changes."""
    stimuli = np.tile([[a, b, c] for a in (0.0, 1.0) for b in (0.0, 1.0) for c in (0.0, 1.0)], (n // 8, 1))
    interpreter = started(rule, (3, 2), n)
    before = copied(interpreter.weights)
    interpreter.present(phase, *((stimuli, np.zeros((n, 2))) if phase == "wake" else ()), at=0)
    return changes(interpreter, before), theory.mean_wake_update(machine_of(before), stimuli[:8])


def follows_the_gradient(got, expected):
    """Whether all that generation rests on changes by the gradient of the free energy, within what n draws allow."""
    return set(got) == set(expected) and all(np.abs(got[name] - expected[name]).max() < 0.04 for name in expected)


def test_wake_follows_the_exact_gradient_of_the_free_energy():
    assert follows_the_gradient(*mean_update(RULE))


def with_learning(phase, *moments):
    """The rule with other changes at the end of a phase."""
    kept = tuple(part for part in RULE.phases[phase] if not isinstance(part, Learn))
    return replace(RULE, phases={**RULE.phases, phase: (*kept, *moments)})


def expecting(code):
    return RULE.replacing(surprise=Let("all", code))


BROKEN = {
    "the sign of a step": lambda: mean_update(
        RULE.replacing(generative_update=Learn("V", "-learning_rate", "surprise_post*rate_pre"))
    ),
    "a prior that learns against surprise": lambda: mean_update(
        RULE.replacing(prior_update=Learn("c", "-learning_rate", "surprise_post"))
    ),
    "the sign of what is expected": lambda: mean_update(expecting("surprise = rate + expected")),
    "nothing expected": lambda: mean_update(expecting("surprise = rate + 0*expected")),
    "a chance in place of a state": lambda: mean_update(
        RULE.replacing(generative_update=Learn("V", "learning_rate", "surprise_post*expected_pre"))
    ),
    "recognition learns in wake": lambda: mean_update(
        with_learning("wake", Learn("W", "learning_rate", "surprise_post*rate_pre"))
    ),
    "dreams in place of stimuli": lambda: mean_update(
        with_learning(
            "sleep", Let("all", "surprise = rate - expected"), Learn("V", "learning_rate", "surprise_post*rate_pre"),
            Learn("c", "learning_rate", "surprise_post"),
        ),
        "sleep",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", BROKEN)
def test_what_is_broken_on_purpose_does_not(what):
    assert not follows_the_gradient(*BROKEN[what]())


def test_no_target_and_no_error_take_part():
    interpreters = [started(RULE, (7, 5, 6, 4)) for _ in range(2)]
    for interpreter, target in zip(interpreters, (np.zeros(4), np.ones(4)), strict=True):
        interpreter.present("wake", np.ones(7), target, at=0)
    first, second = (interpreter.weights for interpreter in interpreters)
    assert all(np.array_equal(first[key], second[key]) for key in first)


def test_states_are_on_or_off_in_every_phase():
    interpreter = started(RULE, (7, 5, 6, 4))
    for phase in RULE.phases:
        shown = {"wake": (np.ones(7), np.ones(4)), "recall": (None, np.ones(4)), "sleep": ()}.get(phase, (np.ones(7),))
        states = interpreter.present(phase, *shown, at=5)
        assert all(set(np.unique(states[l]["rate"])) <= {0.0, 1.0} for l in range(4)), phase
        assert np.isin(states[1]["rate"], (0, 1)).all()


def test_costs_by_hand():
    """Up and down once in wake and in sleep; one kind of synapses changes: it multiplies, scales and adds."""
    placed = PlacedRule(RULE, (5, 4, 3))
    counts, n = placed.counts(RULE.values()), 5 * 4 + 4 * 3
    assert cost(placed, "wake", counts) == cost(placed, "sleep", counts) == (3 * n, 2 * n + 2 * n + 3 * n)
    assert cost(placed, "evaluation", counts) == cost(placed, "recall", counts) == (n, 2 * n)


def test_only_recognition_and_generation_draw():
    drawing = [m.name for s in RULE.phases.values() for m in moments_of(s) if "uniform(" in getattr(m, "code", "")]
    assert set(drawing) == {"recognition", "generation", "dream"}

"""Networks as declarations and as theory has them: the same weights, the same presentations."""

from dataclasses import replace
from functools import cache, partial

import numpy as np
import pytest

from cortex_model import theory
from cortex_model.language import PlacedRule, in_time
from cortex_model.language.options import configured
from cortex_model.reference.interpreter import Interpreter
from cortex_model.rules import shipped
from cortex_model.state.philox import DESCENDING, population_noise

#: A narrowing and an expanding reciprocal pair; as in the tests of devices.
SIZES = (7, 5, 6, 4)
SEED = 3
#: Steps of a presentation in time, the step from which on the error is there, and delays that differ; the error reaches
#: the lowest population in the last step but one.
N_STEPS, ONSET, RELAXATION = 8, 1, 0.3
DELAYS = {("W", 1): 1, ("W", 3): 2, ("V", 1): 3, ("V", 2): 1, ("V", 3): 2}


def start(places, sizes, seed=0, scale=1.0):
    """Weights of every projection: orthonormal forward ones, others random; the transpose where the rule says so."""
    rng, weights = np.random.default_rng(seed), {}
    for name, level in places.synapses:
        pre, post = places.ends(name, level)
        shape = sizes[post], 1 if pre is None else sizes[pre]
        begin = places.projection(name).start
        drawn = scale * rng.normal(size=shape) / np.sqrt(shape[1])
        if begin == "zero":
            drawn = 0.1 * rng.normal(size=shape)
        if begin == "identity":
            drawn = np.eye(*shape)
        if begin.partition(" of ")[2]:
            W = weights["W", level]
            drawn = W.T.copy() if begin.startswith("transpose") else np.linalg.pinv(W)
        weights[name, level] = drawn
    return weights


def changed_rule(name, is_leaky, sizes, change=lambda rule: rule, **options):
    """A rule in a hierarchy: its wake and sleep, with all options."""
    rule = change(shipped()[name])
    rule = rule.form({choice: options.pop(choice) for choice in rule.choices if choice in options})
    learning = {phase: moments for phase, moments in rule.phases.items() if phase in ("wake", "sleep")}
    rule = configured(replace(rule, phases=learning), **options)
    return PlacedRule(in_time(rule) if is_leaky else rule, sizes, DELAYS if is_leaky else None)


placed_rule = cache(changed_rule)


def of_letter(weights, letter):
    return {level: matrix for (name, level), matrix in sorted(weights.items()) if name == letter}


class Case:
    """One rule with its options, its numbers, and presentations of wake and sleep in turn."""

    def __init__(
        self, name, is_leaky=False, sizes=SIZES, values=None, distribution="uniform", n=2, change=None, **options
    ):
        self.name, self.is_leaky, self.options, self.distribution = name, is_leaky, options, distribution
        place = placed_rule if change is None else partial(changed_rule, change=change)
        self.placed = place(name, is_leaky, sizes, **options)
        self.sizes, rule = sizes, self.placed.rule
        usual = {
            "target_step": 0.3, "inverse_learning_rate": 0.05, "inverse_noise": 0.4,
            "inference_steps": 3, "inference_rate": 0.2, "top_precision": 0.5,
            "learning_rate": 0.05, "sleep_learning_rate": 0.02, "slope_cutoff": 0.5, "weight_decay": 0.01,
            "pseudoinverse_every_presentations": 2, "gain_update_presentations": 2, "relaxation": RELAXATION,
        }  # fmt: skip
        if name == "weight_mirror":
            usual["damping"] = 0.5
        known = {**rule.dynamics.numbers, **rule.numbers}
        self.values = rule.values({n: v for n, v in {**usual, **(values or {})}.items() if n in known})
        self.time = {"n_steps": N_STEPS, "onset": ONSET} if is_leaky else {}
        self.weights = start(self.placed.places, sizes)
        if name == "ben_israel":
            self.weights |= {
                ("V", l): 0.3 * W.T for l, W in of_letter(self.weights, "W").items() if ("V", l) in self.weights
            }
        rng = np.random.default_rng(1)
        phases = ["wake", "sleep"] if "sleep" in rule.phases else ["wake"]
        self.presentations = [
            (phase, rng.normal(size=sizes[0]), np.eye(sizes[-1])[k % sizes[-1]]) for k in range(n) for phase in phases
        ]

    def __str__(self):
        return f"{self.name}{' in time' * self.is_leaky}, {self.options}, {self.values}"

    def interpreter(self):
        return Interpreter(
            self.placed, self.weights, self.values, seed=SEED, distribution=self.distribution, **self.time
        )

    def interpreted(self, interpreter=None):
        """Weights after all presentations, by the declaration."""
        interpreter = interpreter or self.interpreter()
        for at, (phase, stimulus, target) in enumerate(self.presentations):
            interpreter.present(phase, *((stimulus, target) if phase == "wake" else ()), at=at)
        return interpreter.weights

    def predicted(self):
        """Weights after all presentations, by the functions of theory, which know of no declaration."""
        W, V, b = (of_letter(self.weights, letter) for letter in "WVb")
        b, n_wake, gains, v = {l: x[:, 0] for l, x in b.items()} or None, 0, {}, self.values
        wake, sleep = self.of_theory()
        for at, (phase, stimulus, target) in enumerate(self.presentations):
            self.at = at
            if phase == "sleep":
                W, V = sleep(W, V, *self._noise(at), **self._asleep())
                continue
            if self.name == "exact_pseudoinverse" and n_wake % v["pseudoinverse_every_presentations"] == 0:
                V = {l: np.linalg.pinv(W[l]) for l in V}
            if "gain_update_presentations" in v and n_wake % v["gain_update_presentations"] == 0:
                gains = {l: np.linalg.norm(W[l]) / np.linalg.norm(x) for l, x in V.items()}
            n_wake += 1
            W, b, V = wake(W, b, V, stimulus, target, feedback_gains=gains, **self._awake())
        arrays = {("W", l): w for l, w in W.items()} | {("V", l): x for l, x in V.items()}
        arrays |= {("c", l): x[:, None] for l, x in (getattr(self, "c", None) or {}).items()}
        return arrays | {("b", l): x[:, None] for l, x in (b or {}).items()}

    def timing(self):
        delays = ({l: DELAYS.get((letter, l), 0) for l in of_letter(self.weights, letter)} for letter in "WV")
        return theory.Timing(N_STEPS, RELAXATION, ONSET + 1, *delays)

    def of_theory(self):
        if self.name in ("predictive_coding", "target_propagation"):
            return getattr(self, f"of_{self.name}")()
        if not self.is_leaky:
            return theory.wake_presentation, theory.sleep_presentation

        def wake(W, b, V, stimulus, target, **options):
            return theory.leaky_wake_presentation(W, b, V, stimulus, target, self.timing(), **options)

        def sleep(W, V, up, down, **options):
            return theory.leaky_sleep_presentation(W, V, up, down, self.timing(), **options)

        return wake, sleep

    def of_predictive_coding(self):
        """Its wake; it may sleep as other rules do."""
        v, form = self.values, self.placed.rule.name
        inference = {"top_precision": v["top_precision"]}
        if not self.is_leaky:
            inference |= {name: v[name] for name in ("inference_steps", "inference_rate")}

        def wake(W, b, V, stimulus, target, **options):
            del options["feedback_from_top"]
            names = "learning_rate", "presynaptic_normalisation", "weight_decay"
            plasticity = {name: options.pop(name) for name in names}
            plasticity["feedback_follows_forward"] = "sleep" not in form
            del options["feedback_follows_forward"]
            shown = (W, b, V, stimulus, target, *([self.timing()] if self.is_leaky else []))
            steps = (theory.infer_in_time if self.is_leaky else theory.infer)(*shown, **options | inference)
            return theory.learned_from_errors(W, b, V, steps[-1], top_precision=v["top_precision"], **plasticity)

        return wake, self.asleep

    def asleep(self, W, V, up, down, **options):
        """Sleep of every rule whose wake is its own."""
        if self.is_leaky:
            return theory.leaky_sleep_presentation(W, V, up, down, self.timing(), **options)
        return theory.sleep_presentation(W, V, up, down, **options)

    def of_target_propagation(self):
        """Its wake, in which inverses have biases of their own; in sleep only the topmost feedback learns."""
        v, L = self.values, len(self.sizes) - 1
        c = {l: x[:, 0] for l, x in of_letter(self.weights, "c").items()} or None
        names = ("target_step", "inverse_noise", "difference")

        def wake(W, b, V, stimulus, target, **o):
            chosen = {"nonlinearity": o["nonlinearity"], "top": o["top"]} | {name: v[name] for name in names}
            chosen["feedback_gain"] = o["feedback_gains"].get(L, 1.0)
            noise = {l: population_noise(SEED, self.at, l + 2 * DESCENDING, n, self.distribution)
                     for l, n in enumerate(self.sizes)}  # fmt: skip
            shown = W, b, V, self.c, stimulus, target, noise
            its = (theory.propagate_targets_in_time(*shown, self.timing(), **chosen) if self.is_leaky
                   else theory.propagate_targets(*shown, **chosen))  # fmt: skip
            kept = {k: o[k] for k in ("learning_rate", "nonlinearity", "slope_rule", "slope_cutoff",
                                      "presynaptic_normalisation")}  # fmt: skip
            kept |= {k: v[k] for k in ("target_step", "inverse_learning_rate")}
            *learned, self.c = theory.learned_from_targets(W, b, V, self.c, its, **kept)
            return learned

        def sleep(W, V, up, down, **options):
            W_L, V_L = self.asleep({L: W[L]}, {L: V[L]} if L in V else {}, up, down, **options)
            return {**W, **W_L}, {**V, **V_L}

        self.c = c
        return wake, sleep

    def _noise(self, at):
        n = range(len(self.sizes))
        draw = lambda d: {l: population_noise(SEED, at, l, self.sizes[l], self.distribution, d) for l in n}  # noqa: E731
        return draw(False), draw(True)

    def _awake(self):
        o, v = self.options, self.values
        return {
            "learning_rate": v["learning_rate"], "nonlinearity": o.get("nonlinearity", "tanh"),
            "top": o.get("top", "softmax"), "slope_rule": o.get("slope_rule", "derivative"),
            "slope_cutoff": v.get("slope_cutoff", 0.1),
            "presynaptic_normalisation": o.get("presynaptic_normalisation", False),
            "feedback_follows_forward": self.name in ("backpropagation", "kolen_pollack"),
            "weight_decay": v.get("weight_decay", 0.0), "feedback_from_top": self.name == "direct_feedback",
        }  # fmt: skip

    def _asleep(self):
        v = self.values
        return {
            "sleep_learning_rate": v["sleep_learning_rate"], "damping": v["damping"], "gain": v.get("noise_gain", 1.0),
            "forward_sleep_learning_rate": v.get("forward_sleep_learning_rate", 0.0),
            "sleep_rule": self.name if self.name in theory.SLEEP_RULES else "recirculation",
            "sleep_normalisation": self.options.get("sleep_normalisation", False),
            "regression": v.get("regression", 0.75), "reconstructs": self.name != "weight_mirror",
        }  # fmt: skip


def difference(weights, expected):
    """max|difference| / max|weights|, over everything that learns."""
    assert set(weights) == set(expected)
    return max(np.abs(weights[key] - expected[key]).max() for key in expected) / max(
        np.abs(w).max() for w in expected.values()
    )


def compare_with_theory(case, tolerance=1e-12):
    got, expected = case.interpreted(), case.predicted()
    assert difference(expected, case.weights) > 1e-4, "the case must change the weights, or it checks nothing"
    assert difference(got, expected) <= tolerance, f"interpreter equals theory: {case}"


@pytest.fixture(scope="session")
def make_case():
    """(Rule's name, whether things take time, options) -> `Case`."""
    return Case


@pytest.fixture(scope="session")
def starting_weights():
    return start


@pytest.fixture(scope="session")
def weight_difference():
    return difference


@pytest.fixture(scope="session")
def check_equals_theory():
    """The check that all others rest on: the declaration, carried out, is what theory predicts."""
    return compare_with_theory

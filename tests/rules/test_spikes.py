"""Rules in spikes: as they are declared, against a hand-written oracle, and what they promise."""

from dataclasses import replace

import numpy as np
import pytest

from cortex_model import theory
from cortex_model.errors import ParameterError
from cortex_model.language.moments import Fire, Learn
from cortex_model.language.placed import PlacedRule
from cortex_model.language.sequence import moments_of
from cortex_model.language.soundness import complaints
from cortex_model.parameters import SleepWakeParameters
from cortex_model.reference.hierarchy import interpreter_of
from cortex_model.reference.interpreter import Interpreter
from cortex_model.rules import shipped
from cortex_model.rules.spikes import RECIRCULATION, SPIKE
from cortex_model.state.philox import DESCENDING, population_noise
from cortex_model.weights import Weights, initial_weights

SIZES, SEED = (7, 5, 4, 6), 3
IN_SPIKES = [name for name, rule in shipped().items() if rule.in_spikes]
N_PRESENTATIONS = 20


def of(learning_rule="reciprocal", **others):
    more = {"layer_sizes": SIZES, "dynamics": "spiking", "dtype": "float64"} | others
    return SleepWakeParameters(learning_rule=learning_rule, **more)


def short(learning_rule="reciprocal", **others):
    """With short presentations, in which there are spikes nevertheless."""
    times = {"presentation_ms": 30.0, "feedback_onset_ms": 15.0}
    times |= {"sleep_ms": 20.0, "sleep_onset_ms": 8.0} if learning_rule == "reciprocal" else {}
    return of(learning_rule, **times, **others)


def strong(p):
    """Weights with which all populations send spikes."""
    start = initial_weights(p, 1)
    return replace(start, forward={l: 3 * matrix for l, matrix in start.forward.items()})


def uniform(at, level, stream):
    return population_noise(SEED, at, level + DESCENDING * stream, SIZES[level], "uniform") / (2 * np.sqrt(3))


def rows(n=N_PRESENTATIONS):
    rng = np.random.default_rng(1)
    return 1.5 * rng.random((n, SIZES[0])) - 0.5, np.eye(SIZES[-1])[rng.integers(0, SIZES[-1], n)]


def by_hand(p, weights, phases):
    """Weights after presentations of phases one after another, by `theory`; and rates of the top population."""
    forward, biases, feedback = (dict(part) for part in (weights.forward, weights.biases, weights.feedback))
    levels, (stimuli, targets), ages, answers = range(len(SIZES)), rows(len(phases)), {}, []
    for at, phase in enumerate(phases):
        begin, age = {l: uniform(at, l, 2) for l in levels}, ages.get(phase, 0)
        ages[phase] = age + 1
        charges = {l: uniform(at, l, 3) for l in levels}
        if phase == "sleep":
            noise = {l: population_noise(SEED, at, l, SIZES[l], "uniform") for l in levels}
            feedback = theory.spiking_sleep_presentation(forward, feedback, noise, begin, charges, p.rule_values, age)
            continue
        *after, rates = theory.spiking_wake_presentation(
            forward, biases, feedback, stimuli[at], targets[at] if phase == "wake" else None, begin, charges,
            p.rule_values, age, feedback_follows_forward=p.learning_rule == "backpropagation",
        )  # fmt: skip
        forward, biases, feedback = after
        answers.append(rates[max(rates)])
    return Weights(forward=forward, feedback=feedback, biases=biases), np.array(answers)


def interpreted(p, weights, phases, rule=None):
    """The same by the interpreter of the declaration."""
    interpreter, (stimuli, targets), answers = interpreter_of(p, weights, SEED, rule=rule), rows(len(phases)), []
    for at, phase in enumerate(phases):
        shown = {} if phase == "sleep" else {"stimulus": stimuli[at], "target": targets[at]}
        state = interpreter.present(phase, at=at, **shown)
        if phase != "sleep":
            answers.append(state[len(SIZES) - 1]["rate"][0])
    return interpreter, np.array(answers)


def phases_of(p, n=N_PRESENTATIONS):
    return [phase for _ in range(n) for phase in ("wake", "sleep", "evaluation") if phase in p.rule.phases]


def difference(interpreter, weights):
    named = weights.named()
    return max(
        np.abs(np.ravel(matrix) - np.ravel(named[f"{name}_{l}"])).max()
        for (name, l), matrix in interpreter.weights.items()
    )


@pytest.mark.parametrize("name", IN_SPIKES)
def test_what_is_declared_is_what_was_written_by_hand(name):
    p = short(name, **({"feedback_damping": 0.3, "feedback_to_input": True} if name == "reciprocal" else {}))
    weights = strong(p)
    expected, their_rates = by_hand(p, weights, phases_of(p))
    interpreter, rates = interpreted(p, weights, phases_of(p))
    assert difference(interpreter, expected) < 1e-13
    assert np.abs(rates - their_rates).max() < 1e-13, "spike for spike"
    assert difference(interpreter, weights) > 0.05 and np.abs(rates).max() > 0.1


BROKEN = {
    "no term half way": {
        "feedback_update": replace(RECIRCULATION, change=RECIRCULATION.change.replace("midpoint*", "0*"))
    },
    "no refractory period": {"spike": replace(SPIKE, when="abs(potential) > firing_threshold")},
    "an error of the other sign": {"top_weight_update": None},
}


@pytest.mark.parametrize("broken", BROKEN)
def test_an_oracle_sees_a_rule_that_is_broken_on_purpose(broken):
    p, changed = short(), BROKEN[broken]
    if None in changed.values():
        moment = next(m for m in moments_of(p.rule.phases["wake"]) if m.name == "top_weight_update")
        changed = {"top_weight_update": replace(moment, step="top_learning_rate")}
    weights = strong(p)
    expected, _ = by_hand(p, weights, phases_of(p))
    interpreter, _ = interpreted(p, weights, phases_of(p), p.rule.replacing(**changed))
    assert difference(interpreter, expected) > 1e-4


def test_a_sleep_of_spikes_makes_the_pseudoinverse():
    sizes = (10, 4)
    more = {"biases": False, "feedback_to_input": True, "synapse_ms": 8.0, "feedback_rate": 1.0}
    p = of(layer_sizes=sizes, feedback_learning_rate=0.4, feedback_annealing_presentations=120.0, **more)
    rng = np.random.default_rng(1)
    W, start = rng.normal(size=(4, 10)) / np.sqrt(10), rng.normal(size=(10, 4)) / np.sqrt(10)
    wanted, V = np.linalg.pinv(W), {1: start}
    for age in range(400):
        noise, phases = {0: np.sqrt(12) * (rng.random(10) - 0.5)}, {l: rng.random(n) - 0.5 for l, n in enumerate(sizes)}
        charges = {1: rng.random(4) - 0.5}
        V = theory.spiking_sleep_presentation({1: W}, V, noise, phases, charges, p.rule_values, age)
    assert theory.alignment_angle(V[1], wanted) < 15 < theory.alignment_angle(W.T, wanted)
    assert 0.85 < np.linalg.norm(V[1]) / np.linalg.norm(wanted) < 1.15
    assert theory.alignment_angle(start, wanted) > 60


# ---------------------------------------------------------------------- what is said of a rule
def test_rules_in_spikes_are_sound():
    assert {*IN_SPIKES} == {"reciprocal", "random_feedback", "backpropagation"}
    assert [complaints(shipped()[name].in_spikes) for name in IN_SPIKES] == [[], [], []]


def test_a_rule_made_of_another_one_has_not_its_spikes():
    rule = shipped()["random_feedback"]
    assert replace(rule, name="mine").in_spikes is None and replace(rule, paper="another").in_spikes
    with pytest.raises(ParameterError, match=r"dynamics: must be settled or leaky for kolen_pollack, .*reciprocal"):
        of("kolen_pollack")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda m: replace(m, on="burst_pre") if isinstance(m, Learn) and m.on else m, "Fire it there|did you mean"),
        (lambda m: replace(m, when="potental > 1") if isinstance(m, Fire) else m, "did you mean 'potential'"),
        (lambda m: replace(m, event="e") if isinstance(m, Fire) else m, "must have other names"),
    ],
    ids=["an event that nobody fires", "a condition of nothing", "a name of Brian2's"],
)
def test_events_that_do_not_hold_together_are_said(change, sentence):
    rule = shipped()["reciprocal"].in_spikes.changed(lambda moment: (change(moment),))
    found = complaints(rule)
    assert found
    with pytest.raises(AssertionError, match=sentence):
        raise AssertionError(" ".join(found))


def test_one_event_is_fired_by_one_moment():
    rule = shipped()["reciprocal"].in_spikes
    two = rule.changed(lambda moment: (moment, replace(moment, when="potential > 9")) if moment == SPIKE else (moment,))
    with pytest.raises(Exception, match=r"an event must be fired by one moment in a population .*two names"):
        PlacedRule(two, (4, 3, 2)).events_of(1)


# ---------------------------------------------------------------------- parameters
@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"batch_size": 2}, r"batch_size must be 1 where dynamics is spiking \(got 2\)"),
        ({"time_step_ms": 0.3}, "must be a whole number of time steps where dynamics is spiking"),
        ({"sleep_ms": 30.5, "time_step_ms": 1.0}, "sleep_ms must be a whole number of time steps"),
        ({"sleep_onset_ms": 60.0}, "sleep_onset_ms < sleep_ms must hold, because synapses change from that time on"),
        ({"refractory_ms": 0.5}, "time_step_ms <= refractory_ms must hold, because a cell fires at most once"),
        ({"feedback_onset_ms": 100.0}, "feedback_onset_ms must be before the end of the presentation"),
    ],
)
def test_numbers_that_do_not_go_with_spikes_are_refused(given, sentence):
    with pytest.raises(ParameterError, match=sentence):
        of(**given)


@pytest.mark.parametrize("name", ["nonlinearity", "top", "learning_rate", "damping", "time_constant_ms"])
def test_what_only_rates_have_is_refused_where_it_is_asked_for(name):
    sentence = rf"{name}: must be left out where dynamics is spiking .*for only rates have it; .*top_learning_rate"
    with pytest.raises(ParameterError, match=sentence):
        of().check_asked([name])


def test_what_only_rates_have_is_in_no_name():
    assert of(nonlinearity="linear", damping=1.0).content_hash != of(hidden_learning_rate=1.0).content_hash
    assert of(nonlinearity="linear").content_hash == of().content_hash != of(trace_ms=9.0).content_hash
    assert SleepWakeParameters().content_hash == "e47aff8fcdd0"


def test_numbers_of_spikes_are_refused_for_rates():
    with pytest.raises(
        ParameterError, match=r"trace_ms: must be left out where dynamics is settled .* set dynamics=spiking"
    ):
        SleepWakeParameters(trace_ms=9.0).check_asked(["trace_ms"])


def test_a_batch_in_the_interpreter_is_one_stimulus_after_the_other():
    p = of(learning_rule="random_feedback", top_learning_rate=0.0, hidden_learning_rate=0.0)
    stimuli, targets = rows(3)
    placed = PlacedRule(p.rule, SIZES)
    start = initial_weights(p, 1)
    one = interpreter_of(p, start, SEED)
    together = Interpreter(placed, one.weights, p.rule_values, seed=SEED)
    together.present("evaluation", stimuli, targets)
    alone = [one.present("evaluation", stimuli[k], targets[k], at=k)[3]["rate"][0].copy() for k in range(3)]
    assert np.array_equal(together.state[3]["rate"], alone)

"""A declaration in which one thing is wrong is not what theory predicts: nothing stands in a rule for nothing."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from cortex_model.errors import RuleError
from cortex_model.language import Learn, Let, Settle, Show
from cortex_model.language.sequence import mapped, moments_of
from cortex_model.language.statements import statements
from cortex_model.rules import shipped

#: Rules that learn to answer stimuli with targets.
TAUGHT = [name for name, rule in shipped().items() if rule.task == "targets"]
VALUES = {"forward_sleep_learning_rate": 0.01, "damping": 0.3}
#: What an even function, or noise of either sign, cannot tell.
EVEN = ("noise(", "excitation")
#: What settled dynamics cannot tell from what they do anyway, because it only matters where things take time.
ONLY_IN_TIME = ("sent_down = 0",)
#: What is 0 the first time it is said.
ZERO_AT_FIRST = ("prediction_error",)
#: Rules that have little of their own beside the wake of random_feedback.
ALIKE = ("backpropagation", "direct_feedback", "exact_pseudoinverse")


def negated(moment):
    """The moment with the sign of what it does turned around."""
    if isinstance(moment, Let):
        first, *rest = statements(moment.code)
        code = "\n".join([f"{first.variable} {first.operator}= -({str(first).split('= ', 1)[1]})", *map(str, rest)])
        return replace(moment, code=code)
    if isinstance(moment, Settle):
        return replace(moment, towards=f"-({moment.towards})")
    return replace(moment, step=f"-{moment.step}" if not moment.step.startswith("-") else moment.step[1:])


def broken(rule, change, is_leaky=False):
    """(What is wrong, the rule with that) for each moment of wake and sleep, once where rules share it."""
    sequences = {**rule.phases, **(rule.timed if is_leaky else {})}
    shared = [] if rule.name == "random_feedback" else list(moments_of(shipped()["random_feedback"].phases["wake"]))
    for phase in ("wake", "sleep"):
        for at, moment in enumerate(moments_of(sequences.get(phase, ()))):
            if moment in shared:
                continue
            counter = itertools.count()
            change_it = lambda m, at=at, counter=counter: change(m) if next(counter) == at else (m,)  # noqa: E731
            wrong = {phase: mapped(sequences[phase], change_it)}
            yield phase, moment, replace(rule, phases={**rule.phases, **wrong}, timed={**rule.timed, **wrong})


def difference(make_case, name, rule, is_leaky):
    """How far what is declared is from what theory predicts; infinite where it cannot even be carried out."""
    try:
        case = make_case(name, is_leaky, values=VALUES, n=3, change=lambda _: rule, feedback_to_input=True)
        got, expected = case.interpreted(), case.predicted()
    except (RuleError, KeyError, NameError, np.linalg.LinAlgError):
        return np.inf
    worst = max(np.abs(got[key] - expected[key]).max() for key in expected)
    return np.inf if np.isnan(worst) else worst


@pytest.mark.parametrize("is_leaky", [False, True], ids=["settled", "in time"])
@pytest.mark.parametrize("name", TAUGHT)
def test_a_sign_is_noticed(make_case, name, is_leaky):
    rule, n_seen, said = shipped()[name], 0, set()
    assert difference(make_case, name, rule, is_leaky) <= 1e-12
    for phase, moment, wrong in broken(rule, lambda m: (negated(m),) if isinstance(m, Let | Settle | Learn) else (m,),
                                       is_leaky):  # fmt: skip
        code, name_of = getattr(moment, "code", ""), getattr(moment, "name", "")
        if name_of in ZERO_AT_FIRST and name_of not in said and not is_leaky:
            said.add(name_of)
            continue
        if not isinstance(moment, Let | Settle | Learn) or any(word in code for word in (*EVEN, *ONLY_IN_TIME)):
            continue
        assert difference(make_case, name, wrong, is_leaky) > 1e-9, (phase, moment)
        n_seen += 1
    assert n_seen >= (8 if name == "random_feedback" else 3) or name in ALIKE


@pytest.mark.parametrize("is_leaky", [False, True], ids=["settled", "in time"])
@pytest.mark.parametrize("name", TAUGHT)
def test_a_moment_that_is_left_out_is_noticed(make_case, name, is_leaky):
    for phase, moment, wrong in broken(shipped()[name], lambda m: (), is_leaky):
        if not is_leaky and getattr(moment, "code", "") in ONLY_IN_TIME:
            continue
        assert difference(make_case, name, wrong, is_leaky) > 1e-9, (phase, moment)


def exchanged(sequence, at):
    """A sequence with two neighbours exchanged."""
    return (*sequence[:at], sequence[at + 1], sequence[at], *sequence[at + 2 :])


def test_exchanged_moments_are_noticed(make_case):
    """Where both have to do with the same variable, one after the other is not the other after the one."""
    rule = shipped()["reciprocal"]
    sleep = rule.phases["sleep"]
    n_seen = 0
    for at in range(len(sleep) - 2):
        wrong = replace(rule, phases={**rule.phases, "sleep": exchanged(sleep, at)})
        assert difference(make_case, "reciprocal", wrong, False) > 1e-9, sleep[at]
        n_seen += 1
    assert n_seen == len(sleep) - 2


SLEEPING_RATE = "sleep_learning_rate"
WRONG = {
    "a transpose": (
        "backpropagation",
        {"transposed_weight_update": Learn("V", "-learning_rate", "rate_pre*delta_post")},
    ),
    "a rate of the wrong moment": (
        "reciprocal",
        {"feedback_update": Learn("V", SLEEPING_RATE, "rec_post*up_pre - damping*weight")},
    ),
    "damping that only the noise sees": (
        "reciprocal",
        {"feedback_update": Learn("V", SLEEPING_RATE, "(1 - damping)*difference_post*up_pre")},
    ),
    "an error that forgets its slope": (
        "random_feedback",
        {"activation_reciprocal": Settle("hidden", "delta", "apical_gain*error_drive")},
    ),
    "noise of the other half cycle": ("weight_mirror", {"noise": Show("all", "rate = noise(1)")}),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_rule_that_is_another_one_is_noticed(make_case, what):
    name, moments = WRONG[what]
    rule = shipped()[name]
    assert difference(make_case, name, rule.replacing(**moments), False) > 1e-6


def test_a_delay_that_is_dropped_or_a_step_too_short_is_noticed(make_case, weight_difference):
    for key, change in ((("W", 1), -1), (("W", 3), -2), (("V", 2), -1), (("V", 3), -1)):
        case = make_case("reciprocal", True, values=VALUES, change=lambda rule: rule)
        expected = case.predicted()
        assert weight_difference(case.interpreted(), expected) <= 1e-12
        case.placed.delays[key] += change
        case.placed = type(case.placed)(case.placed.rule, case.sizes, case.placed.delays)
        assert weight_difference(case.interpreted(), expected) > 1e-6


@pytest.mark.parametrize(("onset", "n_steps"), [(0, 8), (2, 8), (1, 7), (1, 9)])
def test_another_time_is_noticed(make_case, weight_difference, onset, n_steps):
    case = make_case("backpropagation", True)
    expected = case.predicted()
    case.time = {"n_steps": n_steps, "onset": onset}
    assert weight_difference(case.interpreted(), expected) > 1e-6


def test_long_stretches_of_time_are_what_settles_at_once(make_case, weight_difference):
    """Relaxation of 1 and as many steps as there are populations to go through, up and down and back."""
    for name in (name for name in TAUGHT if not shipped()[name].timed):
        values = {"relaxation": 1.0, **({} if name == "ben_israel" else VALUES)}
        settled, leaky = (make_case(name, is_leaky, values=values) for is_leaky in (False, True))
        leaky.time = {"n_steps": 30, "onset": 12}
        assert weight_difference(leaky.interpreted(), settled.interpreted()) <= 1e-13, name


def test_carries_are_all_of_what_was_there_when_a_step_began(make_case):
    """In time a rate climbs one population a step; where all settles, all in one."""
    case = make_case("random_feedback", True, sizes=(3, 3, 3, 3), biases=False)
    interpreter, reached = case.interpreter(), []

    def keep():
        reached.append(sum(bool(np.any(interpreter.state[l]["basal_input"])) for l in (1, 2, 3)))

    case.placed.delays.clear()
    fresh = type(case.placed)(case.placed.rule, case.sizes)
    interpreter = type(interpreter)(fresh, case.weights, case.values, n_steps=4)
    interpreter.present("wake", np.ones(3), np.zeros(3), each_step=keep)
    assert reached == [1, 2, 3, 3]

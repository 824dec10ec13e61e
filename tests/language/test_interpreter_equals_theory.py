"""Every rule over every option: the declaration, carried out, gives what theory gives, without Brian2."""

import itertools

import numpy as np
import pytest

from cortex_model import theory
from cortex_model.language import NONLINEARITIES, PlacedRule, in_time
from cortex_model.language.nonlinearities import SLOPE_RULES, TOPS
from cortex_model.language.options import configured, with_perturbed_feedback
from cortex_model.reference.interpreter import Interpreter
from cortex_model.rules import shipped
from cortex_model.state.host import done_by_host, perturbed
from cortex_model.state.philox import standard_normal

#: Rules that learn to answer stimuli with targets.
RULES = [name for name, rule in shipped().items() if rule.task == "targets"]
#: Rules whose wake is their own; the others have that of random_feedback.
AWAKE = [name for name, rule in ((name, shipped()[name]) for name in RULES)
         if name == "random_feedback" or rule.phases["wake"] != shipped()["random_feedback"].phases["wake"]
         or rule.projections != shipped()["random_feedback"].projections]  # fmt: skip
SLEEPING = [name for name in RULES if "sleep" in shipped()[name].phases]
BOOLEANS = (False, True)
IN_TIME = pytest.mark.parametrize("is_leaky", BOOLEANS, ids=["settled", "in time"])


def product(**choices):
    """Every combination of choices."""
    return [dict(zip(choices, chosen, strict=True)) for chosen in itertools.product(*choices.values())]


def test_rules_are_those_that_theory_has():
    assert set(AWAKE) | set(SLEEPING) == set(RULES)
    assert list(NONLINEARITIES) == list(theory.NONLINEARITIES)
    assert list(TOPS) == list(theory.TOP_RATES)


STRUCTURES = product(biases=BOOLEANS, feedback_to_input=BOOLEANS, presynaptic_normalisation=BOOLEANS)


@pytest.mark.parametrize("nonlinearity", NONLINEARITIES)
def test_wake_over_all_options(make_case, check_equals_theory, nonlinearity):
    for structure, chosen in itertools.product(STRUCTURES, product(top=TOPS, slope_rule=SLOPE_RULES)):
        check_equals_theory(make_case("random_feedback", nonlinearity=nonlinearity, **structure, **chosen))


@pytest.mark.parametrize("rule", sorted(set(AWAKE) - {"random_feedback"}))
def test_wake_of_every_rule_over_all_options(make_case, check_equals_theory, rule):
    """Slope rules in turn: the string is that of random_feedback."""
    slopes = itertools.cycle(SLOPE_RULES)
    for structure, chosen in itertools.product(STRUCTURES, product(nonlinearity=NONLINEARITIES, top=TOPS)):
        check_equals_theory(make_case(rule, **structure, **chosen, slope_rule=next(slopes)))


@pytest.mark.parametrize("rule", AWAKE)
def test_wake_in_time_over_all_options(make_case, check_equals_theory, rule):
    """Nonlinearities, tops and slope rules in turn: what they are does not depend on time."""
    in_turn = itertools.cycle(product(nonlinearity=NONLINEARITIES, top=TOPS, slope_rule=SLOPE_RULES))
    for structure, _ in itertools.product(STRUCTURES, range(4)):
        check_equals_theory(make_case(rule, True, **structure, **next(in_turn)))


@IN_TIME
@pytest.mark.parametrize("rule", SLEEPING)
def test_sleep_over_all_options(make_case, check_equals_theory, rule, is_leaky):
    sleeps_forward = (0.0, 0.01) if "forward_sleep_learning_rate" in shipped()[rule].numbers else (0.0,)
    for options in product(forward=sleeps_forward, damping=(0.0, 0.3), feedback_to_input=BOOLEANS,
                           sleep_normalisation=BOOLEANS, feedback_gain=("none", "closed_form")):  # fmt: skip
        values = {"damping": options.pop("damping") or (0.1 if rule == "weight_mirror" else 0.0)}
        values["forward_sleep_learning_rate"] = options.pop("forward")
        check_equals_theory(make_case(rule, is_leaky, values=values, **options))


@IN_TIME
@pytest.mark.parametrize("rule", SLEEPING)
def test_every_distribution_of_noise(make_case, check_equals_theory, rule, is_leaky):
    for distribution in ("gaussian", "rademacher"):
        check_equals_theory(make_case(rule, is_leaky, distribution=distribution))


@IN_TIME
@pytest.mark.parametrize("feedback_learning", ["transpose", "hebbian", "sleep"])
def test_forms_of_predictive_coding(make_case, check_equals_theory, feedback_learning, is_leaky):
    """How feedback comes to carry errors: each form in wake, and in sleep where it has that."""
    for options in product(feedback_to_input=BOOLEANS, presynaptic_normalisation=BOOLEANS):
        case = make_case("predictive_coding", is_leaky, n=3, feedback_learning=feedback_learning, **options)
        assert case.placed.rule.name.startswith("predictive_coding") and ("sleep" in case.placed.rule.phases) == (
            feedback_learning == "sleep"
        )
        check_equals_theory(case)


@IN_TIME
@pytest.mark.parametrize("rule", ["reciprocal", "random_feedback"])
def test_matched_norms(make_case, check_equals_theory, rule, is_leaky):
    case = make_case(rule, is_leaky, feedback_gain="norm_matched", n=4)
    check_equals_theory(case)
    interpreter = case.interpreter()
    case.interpreted(interpreter)
    assert all(gain != 1 for gain in interpreter.remembered.values()) and interpreter.remembered


@pytest.mark.parametrize(("noise", "levels"), [(0.3, 0), (0.0, 4), (0.2, 8)])
def test_perturbed_feedback(make_case, noise, levels):
    """By noise in units of W's deviation, drawn anew each time, before every second presentation."""
    case = make_case("random_feedback", change=with_perturbed_feedback)
    own = {"feedback_noise": noise, "feedback_levels": levels, "perturb_every_presentations": 2}
    case.values = case.placed.rule.values({**own, "learning_rate": 0.0})
    interpreter = case.interpreter()
    expected = {key: matrix for key, matrix in case.weights.items() if key[0] == "V"}
    for at in range(4):
        interpreter.present("wake", np.ones(7), np.ones(4), at=at)
        if at % 2 == 0:
            for (_, l), feedback in expected.items():
                drawn = standard_normal(interpreter.seed, "feedback_noise", l, feedback.shape, at)
                expected["V", l] = perturbed(feedback, drawn, noise * case.weights["W", l].std(), levels)
    for key, feedback in expected.items():
        assert np.abs(feedback - case.weights[key]).max() > 1e-2
        np.testing.assert_allclose(interpreter.weights[key], feedback, rtol=0, atol=1e-14)


def test_what_the_host_does_is_what_its_string_says(make_case):
    """By the same function between chunks of a simulation: matrices of one level in, matrices or numbers out."""
    case = make_case("exact_pseudoinverse", feedback_gain="norm_matched")
    gain, pseudoinverse = case.placed.hosts("wake")
    for level in (2, 3):
        matrices = {name: matrix for (name, l), matrix in case.weights.items() if l == level}
        kept = {name: matrix.copy() for name, matrix in matrices.items()}
        its = done_by_host(pseudoinverse, level, matrices, case.values, 0, 0)
        np.testing.assert_allclose(matrices["W"] @ its["V"] @ matrices["W"], matrices["W"], rtol=0, atol=1e-12)
        assert done_by_host(gain, level, matrices, case.values, 0, 0) == {
            "apical_gain": np.linalg.norm(matrices["W"]) / np.linalg.norm(matrices["V"])
        }
        assert all(np.array_equal(kept[name], matrices[name]) for name in kept), "what it is given stays"


@pytest.mark.parametrize("rule", RULES)
def test_other_depths(make_case, check_equals_theory, rule):
    check_equals_theory(make_case(rule, sizes=(4, 6)))
    check_equals_theory(make_case(rule, sizes=(3, 8, 8, 2, 1), top="sigmoid"))


@pytest.mark.parametrize("rule", RULES)
def test_weights_stay_those_of_theory_over_many_presentations(make_case, check_equals_theory, rule):
    values = {"learning_rate": 0.01, "sleep_learning_rate": 0.01}
    check_equals_theory(make_case(rule, n=60, values=values), 1e-11)


# ---------------------------------------------------------------------- what does not learn
def traced(rule, phase, is_leaky, make_case, **options):
    """Rates and apical drives at the end of each time step, with the weights, and theory's arguments."""
    case = make_case(rule, is_leaky, **options)
    whole = configured(shipped()[rule], **options)
    placed = PlacedRule(in_time(whole) if is_leaky else whole, case.sizes, case.placed.delays)
    interpreter = Interpreter(placed, case.weights, case.values, **case.time)
    rng, rows = np.random.default_rng(2), []
    stimulus, target = rng.normal(size=case.sizes[0]), rng.normal(size=case.sizes[-1])

    def keep():
        names = ("rate", "apical_drive")
        rows.append({(name, l): its[name][0] for l, its in interpreter.state.items() for name in names if name in its})

    interpreter.present(phase, stimulus, target, each_step=keep)
    traces = {key: np.stack([row[key] for row in rows]) for key in rows[0]}
    letters = {letter: {l: m for (n, l), m in case.weights.items() if n == letter} for letter in "WVb"}
    return case, traces, letters, stimulus, target


@pytest.mark.parametrize("to_input", BOOLEANS)
@pytest.mark.parametrize("rule", ["reciprocal", "direct_feedback"])
def test_perception_in_time(make_case, rule, to_input):
    case, traces, its, stimulus, _ = traced(rule, "perception", True, make_case, feedback_to_input=to_input)
    b = {l: x[:, 0] for l, x in its["b"].items()}
    rates, apical = theory.leaky_perception(
        its["W"], b, its["V"], stimulus, case.timing(), feedback_from_top=rule == "direct_feedback"
    )
    for l, expected in rates.items():
        np.testing.assert_allclose(traces["rate", l], expected, rtol=0, atol=1e-14)
    for l, expected in apical.items():
        np.testing.assert_allclose(traces["apical_drive", l], expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize("to_input", BOOLEANS)
@pytest.mark.parametrize("rule", ["reciprocal", "direct_feedback"])
def test_recall_in_time(make_case, rule, to_input):
    case, traces, its, _, target = traced(rule, "recall", True, make_case, feedback_to_input=to_input)
    rates, _ = theory.leaky_recall(its["V"], target, case.timing(), feedback_from_top=rule == "direct_feedback")
    assert set(rates) == set(range(0 if to_input else 1, 4))
    for l, expected in rates.items():
        np.testing.assert_allclose(traces["rate", l], expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize("top", TOPS)
def test_evaluation_and_recall_where_all_settles(make_case, top):
    _, traces, its, stimulus, _ = traced("reciprocal", "evaluation", False, make_case, top=top)
    b = {l: x[:, 0] for l, x in its["b"].items()}
    _, rates = theory.hierarchy_response(its["W"], b, stimulus, "tanh", top)
    for l, expected in rates.items():
        np.testing.assert_allclose(traces["rate", l][-1], expected, rtol=0, atol=1e-14)
    _, traces, its, _, target = traced("reciprocal", "recall", False, make_case, feedback_to_input=True)
    rate = target
    for l in (3, 2, 1):
        rate = theory.recall(its["V"][l], rate, "tanh" if l > 1 else "linear")
        np.testing.assert_allclose(traces["rate", l - 1][-1], rate, rtol=0, atol=1e-14)


# ---------------------------------------------------------------------- batches
@IN_TIME
@pytest.mark.parametrize("rule", RULES)
def test_a_batch_changes_the_weights_by_the_mean_of_its_stimuli(make_case, weight_difference, rule, is_leaky):
    options = {"presynaptic_normalisation": True, "sleep_normalisation": True}
    case = make_case(rule, is_leaky, values={"forward_sleep_learning_rate": 0.0}, **options)
    rng = np.random.default_rng(4)
    stimuli, targets = rng.normal(size=(3, 7)), rng.normal(size=(3, 4))
    for phase in case.placed.rule.phases:
        together = case.interpreter()
        together.present(phase, stimuli, targets, at=6)
        alone = []
        for n in range(3):
            one = case.interpreter()
            one.present(phase, stimuli[n], targets[n], at=6 + n)
            alone.append(one.weights)
        mean = {key: np.mean([weights[key] for weights in alone], axis=0) for key in together.weights}
        assert weight_difference(mean, case.weights) > 1e-4
        assert weight_difference(together.weights, mean) <= 1e-13

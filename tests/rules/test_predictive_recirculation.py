"""The hippocampal rule as it is declared: its oracle, its replay, which sizes and options it can have."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cortex_model.analysis.replay import replay_measures
from cortex_model.datasets.sequences import drawn
from cortex_model.errors import ParameterError
from cortex_model.experiments.checking import check_rule
from cortex_model.language import Projection, Rule, Show
from cortex_model.language.options import configured
from cortex_model.language.sizes import EXAMPLE, example_sizes, misfit
from cortex_model.language.soundness import complaints
from cortex_model.parameters import HierarchyParameters, SleepWakeParameters
from cortex_model.protocol import load_protocol
from cortex_model.reference.hierarchy import interpreter_of
from cortex_model.rules import shipped
from cortex_model.rules.predictive_recirculation import RULE
from cortex_model.theory import hippocampus
from cortex_model.weights import initial_weights

PROTOCOL = "hippocampal_replay"


def interpreter(layer_sizes=(5, 8, 5), seed=1, **numbers):
    """The rule in a circuit of random synapses, to be carried out in NumPy; and the circuit by its letters."""
    p = SleepWakeParameters(layer_sizes=layer_sizes, learning_rule=RULE.name, dtype="float64", **numbers)
    its = interpreter_of(p, initial_weights(p, seed))
    return its, circuit_of(its)


def circuit_of(its):
    return hippocampus.Circuit(*(its.weights[key] for key in (("W", 1), ("R", 1), ("W", 2), ("E", 1))))


# ---------------------------------------------------------------------- its oracle
@given(n=st.integers(1, 6), m=st.integers(1, 7), eta=st.floats(0, 0.5), seed=st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_wake_is_the_update_of_theory(n, m, eta, seed):
    its, circuit = interpreter((n, m, n), learning_rate=eta, seed=seed)
    states = np.tanh(np.random.default_rng(seed).normal(size=(5, n)))
    for h, following in zip(states, states[1:], strict=False):
        its.present("wake", h, following)
        circuit = hippocampus.predictive_recirculation_update(circuit, h, following, eta)
    for got, expected in zip(circuit_of(its), circuit, strict=True):
        np.testing.assert_allclose(got, expected, atol=1e-13)
    np.testing.assert_array_equal(its.weights["E", 1], np.eye(n))


def test_evaluation_answers_with_the_prediction_and_changes_nothing():
    its, circuit = interpreter()
    h = np.linspace(-0.8, 0.8, 5)
    state = its.present("evaluation", h, np.zeros(5))
    np.testing.assert_allclose(state[2]["rate"][0], hippocampus.predicted(circuit, h), rtol=1e-13)
    for before, after in zip(circuit, circuit_of(its), strict=True):
        np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("g", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("n_steps", [1, 2, 5])
def test_recall_replays_as_theory_says(n_steps, g):
    its, circuit = interpreter(replay_steps=n_steps, replay_through_cortex=g)
    h = np.linspace(-0.8, 0.8, 5)
    state = its.present("recall", h)
    expected = hippocampus.replayed(circuit, h, n_steps, g)[-1]
    np.testing.assert_allclose(state[2]["rate"][0], expected, rtol=1e-12)
    np.testing.assert_allclose(state[0]["rate"][0], expected, rtol=1e-12, err_msg="EC shows it, too")


def broken(name):
    """The rule with another sign of one change of synapses."""
    moment = next(m for m in RULE.phases["wake"] if getattr(m, "name", "") == name)
    return RULE.replacing(**{name: replace(moment, step=f"-{moment.step}")})


@pytest.mark.parametrize(
    ("rule", "holds"),
    [(RULE, True), (broken("recurrent_update"), False), (broken("output_update"), False)],
    ids=["as declared", "sign of A", "sign of U"],
)
def test_the_declaration_learns_a_ring_and_no_other_sign_does(rule, holds):
    sequences = drawn("ring", 1, 10, 10, seed=0, width=0.1, overlap=0.0)
    p = SleepWakeParameters(layer_sizes=(10, 30, 10), learning_rule=RULE.name, learning_rate=0.03, dtype="float64")
    weights = initial_weights(p, 0)
    small = {name: 0.1 * weights.named()[name] for name in ("R_1", "W_2")}
    its = interpreter_of(p, weights.replaced(small), rule=configured(rule))
    for _ in range(60):
        for h, following in zip(*sequences.pairs, strict=True):
            its.present("wake", h, following)
    replayed = hippocampus.replayed(circuit_of(its), sequences.states[0, 0], 20)
    measures = replay_measures(replayed[None], sequences.states, sequences.following(20))
    assert (measures["replay_correlation_min"] > 0.9 and measures["replay_decoded_percent"] == 100) == holds


# ---------------------------------------------------------------------- what runs is what is declared
def test_check_finds_what_is_declared_on_brian2():
    claims = {claim.claim: claim for claim in check_rule(RULE.name)}
    assert claims["Brian2 equals the declaration"].difference <= 1e-12
    assert claims["in time, Brian2 equals the declaration"].said.startswith("not with dynamics=leaky: ")
    assert all(claim.holds for claim in claims.values())


def test_a_copy_in_a_file_is_the_same_rule(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(f"from cortex_model.language import *\n\nRULE = {RULE!r}\n")
    p = SleepWakeParameters(layer_sizes=(5, 8, 5), learning_rule=str(file), replay_steps=3)
    assert p.rule.populations == RULE.populations and p.rule_values["replay_steps"] == 3
    assert load_protocol(PROTOCOL).parameters(learning_rule=str(file)).rule.task == "sequences"


# ---------------------------------------------------------------------- sizes
def test_sizes_in_which_rules_are_looked_at():
    assert example_sizes(RULE) == (7, 5, 7) and misfit(RULE, (7, 5, 7)) == ""
    for rule in shipped().values():
        sizes = example_sizes(rule)
        assert misfit(rule, sizes) == "" and (sizes == EXAMPLE or rule.populations)


def test_an_input_that_shows_the_target_is_as_large_as_the_top():
    rule = Rule(
        "copying",
        {"W": Projection("l-1", "l")},
        {"wake": (Show("input", "rate = target"), *shipped()["random_feedback"].phases["wake"][2:])},
        {},
    )
    assert example_sizes(rule) == (7, 5, 6, 7)
    assert "must be equal for population 0 and population 3" in misfit(rule, (7, 5, 6, 4))
    (sentence, *_) = complaints(
        replace(rule, phases={"wake": (Show("input", "rate = target"),)}, projections={}), (4, 3)
    )
    assert "target must be read in the top population, or in an input as large as it" in sentence


@pytest.mark.parametrize("model", [HierarchyParameters, SleepWakeParameters, load_protocol(PROTOCOL).parameters])
@pytest.mark.parametrize(
    ("sizes", "sentence"),
    [
        ((6, 5, 4), r"must be equal for EC and CA1 .* \(got 6,5,4\); make them equally large\."),
        ((6, 6), r"must name the 3 populations EC, CA3, CA1 .* \(got 6,6\); give as many\."),
        ((6, 5, 5, 6), r"must name the 3 populations EC, CA3, CA1 .* \(got 6,5,5,6\); give as many\."),
    ],
)
def test_other_sizes_are_refused(model, sizes, sentence):
    with pytest.raises(ParameterError, match=rf"^Parameters\.layer_sizes: {sentence}$"):
        model(learning_rule=RULE.name, layer_sizes=sizes)


# ---------------------------------------------------------------------- where it belongs
def test_other_protocols_refuse_it_and_its_protocol_refuses_other_rules():
    others = load_protocol("wake_sleep_classification").parameters
    with pytest.raises(ParameterError, match=r"which learns sequences\); use the protocol hippocampal_replay\.$"):
        others(learning_rule=RULE.name)
    with pytest.raises(ParameterError, match=r"which learns targets\); use the protocol wake_sleep_classification\.$"):
        load_protocol(PROTOCOL).parameters(learning_rule="reciprocal")


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        ({"dynamics": "leaky"}, r"^Parameters\.dynamics: must be settled \(got 'leaky'\)"),
        ({"feedback_to_input": True}, "must be asked of a rule with a projection of levels 2..L"),
        ({"feedback_gain": "norm_matched"}, "must be none or closed_form for a rule that remembers no apical_gain"),
        ({"overlap": 0.2}, "must be 0 where there is one sequence, or a file"),
        ({"sequences": "circle"}, "must be one of ring, patterns, or a file of your own"),
        ({"replay_through_cortex": 1.5}, "must be a number at least 0 and at most 1"),
        ({"replay_steps": 0}, "must be a whole number at least 1"),
    ],
)
def test_what_it_cannot_be_is_said(overrides, sentence):
    with pytest.raises(ParameterError, match=sentence):
        load_protocol(PROTOCOL).parameters(**overrides)


@pytest.mark.parametrize("name", ["top", "biases", "sleep_per_wake", "slope_rule", "damping"])
def test_what_decides_nothing_here_is_refused_by_name(name):
    p = load_protocol(PROTOCOL).parameters()
    with pytest.raises(ParameterError, match=rf"^Parameters\.{name}: must be left out"):
        p.check_asked([name])


def test_its_words_are_known():
    with pytest.raises(ParameterError, match=r"did you mean 'predictive_recirculation'\?"):
        SleepWakeParameters(learning_rule="hippocampus")

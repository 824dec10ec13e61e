"""Order, slots and gates, derived: a machine that knows only these does what the declaration means."""

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cortex_model.language import Carry, Dynamics, Learn, Let, Number, PlacedRule, Projection, Rule, Show, in_time
from cortex_model.language.options import configured
from cortex_model.language.ordering import Ordering
from cortex_model.language.sequence import repeats_of
from cortex_model.language.sizes import example_sizes, misfit
from cortex_model.reference.interpreter import Interpreter
from cortex_model.rules import shipped

spec = importlib.util.spec_from_file_location("declared", Path(__file__).with_name("declared.py"))
declared = importlib.util.module_from_spec(spec)
spec.loader.exec_module(declared)

SIZES = (7, 5, 6, 4)
DELAYS = {("W", 1): 1, ("W", 3): 3, ("V", 1): 1, ("V", 2): 2, ("V", 3): 3}
#: Rules that learn to answer stimuli with targets.
TAUGHT = [name for name, rule in shipped().items() if rule.task == "targets"]
OPTIONS = [
    {},
    {"top": "linear", "biases": False, "feedback_to_input": True},
    {"presynaptic_normalisation": True, "sleep_normalisation": True, "feedback_gain": "norm_matched"},
]


class SlotBySlot(Interpreter):
    """Events one slot after another: in each those whose gate is open, in the one order of all slots."""

    def present(self, phase, stimulus=None, target=None, at=0, ordering=None):
        self.begin(phase, stimulus, target, at)
        columns = ordering.columns(phase, self.counts)
        for slot in range(len(next(iter(columns.values())))):
            for event in ordering.order:
                if columns[ordering.gates[event]][slot]:
                    self.carry_out(event)
        return self.state


def both(placed, ordering, starting_weights, values=None, n=2, **time):
    """Weights after presentations of all phases, by the machine and by the declaration."""
    rule, rng = placed.rule, np.random.default_rng(1)
    known = {**rule.dynamics.numbers, **rule.numbers}
    usual = {"forward_sleep_learning_rate": 0.01, "damping": 0.3, "relaxation": 0.3, "gain_update_presentations": 2}
    values = rule.values({k: v for k, v in (usual | (values or {})).items() if k in known})
    weights = starting_weights(placed.places, placed.layer_sizes)
    pair = [kind(placed, weights, values, seed=3, **time) for kind in (SlotBySlot, Interpreter)]
    rows = [(phase, rng.normal(size=placed.layer_sizes[0]), rng.normal(size=placed.layer_sizes[-1]))
            for _ in range(n) for phase in rule.phases]  # fmt: skip
    for at, (phase, *shown) in enumerate(rows):
        states = [pair[0].present(phase, *shown, at=at, ordering=ordering), pair[1].present(phase, *shown, at=at)]
        if ordering is not None and not hasattr(ordering, "is_broken"):
            for l, its in states[1].items():
                for name, expected in its.items():
                    np.testing.assert_array_equal(states[0][l][name], expected, err_msg=f"{phase}: {name} of {l}")
    assert any((pair[1].weights[key] != weights[key]).any() for key in weights)
    return [each.weights for each in pair]


def check(placed, starting_weights, values=None, **time):
    ordering = Ordering(placed)
    got, expected = both(placed, ordering, starting_weights, values, **time)
    for key, matrix in expected.items():
        np.testing.assert_array_equal(got[key], matrix, err_msg=str(key))
    return ordering


@pytest.mark.parametrize(
    ("rule", "options"),
    [(name, chosen) for name in shipped() for chosen in OPTIONS if name in TAUGHT or not chosen],
    ids=str,
)
def test_slot_by_slot_is_what_the_declaration_means(starting_weights, rule, options):
    own = shipped()[rule]
    for sizes in [each for each in (SIZES, (4, 6)) if not misfit(own, each)] or [example_sizes(own)]:
        check(PlacedRule(configured(own, **options), sizes), starting_weights)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("rule", TAUGHT)
def test_slot_by_slot_in_time(starting_weights, rule, options):
    """However long a stretch is and whenever feedback sets in: lengths are data, and gates do not depend on them."""
    placed = PlacedRule(in_time(configured(shipped()[rule], **options)), SIZES, DELAYS)
    ordering = Ordering(placed)
    for n_steps, onset in ((4, 0), (9, 3)):
        got, expected = both(placed, ordering, starting_weights, n=1, n_steps=n_steps, onset=onset)
        for key, matrix in expected.items():
            np.testing.assert_array_equal(got[key], matrix, err_msg=str(key))
    counts = placed.counts(placed.rule.values(), 9, 4)
    n_stretches = {phase: len(moments) for phase, moments in placed.rule.phases.items()}
    assert len(ordering.slots("wake", counts)) == 9, "a time step is a slot"
    assert n_stretches["wake"] == 1 + len(placed.hosts("wake"))


def test_the_half_cycles_that_follow_only_where_forward_weights_sleep():
    for name, slots in (("reciprocal", (1, 1)), ("hinton_mcclelland", (1, 2))):
        rule = configured(shipped()[name])
        placed = PlacedRule(rule, SIZES)
        for rate, n in zip((0.0, 0.1), slots, strict=True):
            counts = placed.counts(rule.values({"forward_sleep_learning_rate": rate}))
            events = frozenset().union(*Ordering(placed).slots("sleep", counts))
            assert any(isinstance(e.moment, Learn) and e.moment.projection == "W" for e in events) == (rate > 0)
            assert len(Ordering(placed).slots("sleep", counts)) == n


@pytest.mark.parametrize("rule", [name for name, rule in shipped().items() if not rule.populations])
def test_wake_is_one_slot_at_any_depth_and_one_more_for_each_round(rule):
    for depth in (2, 3, 7):
        placed = PlacedRule(configured(shipped()[rule]), (3,) * depth)
        counts = placed.counts(placed.rule.values())
        rounds = {repeat.times: counts.rounds[repeat.times] for repeat in repeats_of(placed.rule.phases["wake"])}
        assert len(Ordering(placed).slots("wake", counts)) == 1 + sum(rounds.values())


# ---------------------------------------------------------------------- systems that are not shipped yet
@pytest.mark.parametrize("rule", declared.DECLARED, ids=lambda rule: rule.name)
def test_other_systems_slot_by_slot(starting_weights, rule):
    rule = configured(rule, top="linear", feedback_gain="none")
    placed = PlacedRule(rule, SIZES)
    for n in (2, 3, 6):
        check(placed, starting_weights, {"inference_steps": n - 2, "sequence_length": n})


@pytest.mark.parametrize("depth", [3, 4, 6])
def test_predictive_coding_takes_a_slot_a_round_and_one_more_at_any_depth(depth):
    placed = PlacedRule(configured(declared.PREDICTIVE_CODING), (3,) * depth)
    ordering = Ordering(placed)
    gates = set(ordering.gates.values())
    for n in (0, 1, 2, 7):
        counts = placed.counts(placed.rule.values({"inference_steps": n}))
        assert len(ordering.slots("wake", counts)) == n + 1
        assert set(ordering.columns("wake", counts)) == gates


def by_hand(weights, rule, sizes, rows, n_rounds):
    """Predictive coding as one would write it down, Whittington & Bogacz 2017."""
    W, V, b = ({l: m.copy() for (name, l), m in weights.items() if name == letter} for letter in "WVb")
    L, values = len(sizes) - 1, rule.values()
    for stimulus, target in rows:
        a, x = {0: stimulus}, {}
        for l in W:
            x[l] = W[l] @ a[l - 1] + b[l][:, 0]
            a[l] = np.tanh(x[l])
        x[L] = target
        errors = lambda: {l: x[l] - W[l] @ a[l - 1] - b[l][:, 0] for l in W}  # noqa: E731, B023
        for _ in range(n_rounds):
            e = errors()
            for l in range(1, L):
                x[l] = x[l] + values["inference_rate"] * ((1 - a[l] ** 2) * (V[l + 1] @ e[l + 1]) - e[l])
            a |= {l: np.tanh(x[l]) for l in range(1, L)}
        e = errors()
        for l in W:
            W[l] += values["learning_rate"] * np.outer(e[l], a[l - 1])
            b[l] += values["learning_rate"] * e[l][:, None]
            if l in V:
                V[l] += values["learning_rate"] * np.outer(a[l - 1], e[l])
    return {(name, l): m for name, its in (("W", W), ("V", V), ("b", b)) for l, m in its.items()}


def test_predictive_coding_equals_a_loop_by_hand(starting_weights, weight_difference):
    rule, rng = configured(declared.PREDICTIVE_CODING), np.random.default_rng(0)
    placed = PlacedRule(rule, SIZES)
    weights = starting_weights(placed.places, SIZES)
    interpreter = Interpreter(placed, weights, rule.values({"inference_steps": 5}))
    rows = [(rng.normal(size=7), rng.normal(size=4)) for _ in range(4)]
    for stimulus, target in rows:
        interpreter.present("wake", stimulus, target)
    expected = by_hand(weights, rule, SIZES, rows, 5)
    assert weight_difference(weights, expected) > 1e-3
    assert weight_difference(interpreter.weights, expected) <= 1e-14


# ---------------------------------------------------------------------- broken on purpose
class Broken:
    """An ordering in which one thing has been changed."""

    is_broken = True

    def __init__(self, ordering, order=None, gates=None, open_gate=None):
        self.order, self.gates = order or ordering.order, gates or ordering.gates
        self.ordering, self.open_gate = ordering, open_gate

    def columns(self, phase, counts):
        columns = self.ordering.columns(phase, counts)
        n = len(next(iter(columns.values())))
        return columns | {"another_gate": [bool(self.open_gate)] * n}


@pytest.fixture(scope="module")
def reciprocal():
    placed = PlacedRule(configured(replace(shipped()["reciprocal"], phases={
        phase: moments for phase, moments in shipped()["reciprocal"].phases.items() if phase in ("wake", "sleep")
    })), (5, 4, 3))  # fmt: skip
    return placed, Ordering(placed)


def is_noticed(placed, broken, starting_weights):
    got, expected = both(placed, broken, starting_weights)
    return any(not np.allclose(got[key], expected[key], rtol=0, atol=1e-9) for key in expected)


def test_an_order_with_two_events_exchanged_is_noticed(reciprocal, starting_weights):
    placed, ordering = reciprocal
    events = list(ordering.order)
    pairs = [(a, b) for k, a in enumerate(events) for b in events[k + 1 :] if placed.disturbs(a, b)]
    together = {frozenset((a, b)) for phase in placed.rule.phases
                for slot in ordering.slots(phase, placed.examples[1]) for a in slot for b in slot}  # fmt: skip
    pairs = [(a, b) for a, b in pairs if frozenset((a, b)) in together and placed.touches(a)[1] & placed.touches(b)[0]]
    assert len(pairs) > 20
    for a, b in pairs[::4]:
        order = [b if e == a else a if e == b else e for e in events]
        assert is_noticed(placed, Broken(ordering, dict.fromkeys(order)), starting_weights), (a, b)


def test_a_gate_that_never_opens_is_noticed(reciprocal, starting_weights):
    placed, ordering = reciprocal
    for event in list(ordering.order)[::3]:
        if isinstance(event.moment, Carry | Learn | Let) and "noise(1)" not in getattr(event.moment, "code", ""):
            gates = {**ordering.gates, event: "another_gate"}
            assert is_noticed(placed, Broken(ordering, gates=gates), starting_weights), event


def test_plasticity_whose_gate_is_always_open_is_noticed(reciprocal, starting_weights):
    placed, ordering = reciprocal
    for event in ordering.order:
        if isinstance(event.moment, Learn):
            gates = {**ordering.gates, event: "another_gate"}
            assert is_noticed(placed, Broken(ordering, gates=gates, open_gate=True), starting_weights), event


# ---------------------------------------------------------------------- other dynamics
SPIKING = Dynamics(  # signed spikes of an integrator that is reset by subtraction; x is their trace at the synapse
    "spiking",
    "{x}_potential += {f}\n{x}_spikes = int({x}_potential > 0.5) - int({x}_potential < -0.5)\n"
    "{x}_potential -= {x}_spikes\n{x} += relaxation*({x}_spikes - {x})",
    {"relaxation": Number(0.2, "part of the way that a trace decays in a step", above=0, at_most=1)},
)


@pytest.mark.parametrize("rule", TAUGHT)
def test_any_dynamics_is_a_string(starting_weights, rule):
    """Variables, order, slots and gates follow from it as from that of leaky rates."""
    placed = PlacedRule(in_time(configured(shipped()[rule]), SPIKING), SIZES, DELAYS)
    ordering = Ordering(placed)
    assert {"rate_potential", "rate_spikes"} <= set(placed.variables(1))
    got, expected = both(placed, ordering, starting_weights, n=1, n_steps=12, onset=4)
    for key, matrix in expected.items():
        np.testing.assert_array_equal(got[key], matrix, err_msg=str(key))
    assert len(ordering.slots("wake", placed.counts(placed.rule.values(), 12, 4))) == 12


# ---------------------------------------------------------------------- what order depends on
def test_one_carried_variable_for_everything_takes_a_slot_for_each_of_its_meanings():
    """What two phases, or two moments, mean by the same variable keeps them apart: the sequence is cut."""
    numbers = {"rate_of_learning": Number(0.1, "step", at_least=0)}
    rule = Rule("sent", {"W": Projection("l-1", "l")}, {"wake": (
        Show("all", "sent = noise(0)"), Carry("W", "sent", "drive"), Let("above input", "first = drive"),
        Show("all", "sent = noise(1)"), Carry("W", "sent", "drive"), Let("above input", "second = drive - first"),
        Learn("W", "rate_of_learning", "second_post*sent_pre"),
    )}, numbers)  # fmt: skip
    placed = PlacedRule(rule, (3, 2))
    assert len(Ordering(placed).slots("wake", placed.counts(rule.values()))) == 2


def test_order_does_not_depend_on_hashes():
    orders = [list(Ordering(PlacedRule(configured(shipped()["reciprocal"]), SIZES)).order) for _ in range(2)]
    assert orders[0] == orders[1]

"""Rules that share a program are, each, what they are alone."""

from dataclasses import replace

import numpy as np
import pytest

from cortex_model.errors import RuleError
from cortex_model.language import PlacedRule, Projection, in_time
from cortex_model.language.joining import joined
from cortex_model.language.options import configured
from cortex_model.language.ordering import Ordering
from cortex_model.language.traffic import overwritten
from cortex_model.reference.interpreter import Interpreter
from cortex_model.rules import shipped
from cortex_model.schedule.declared import program_kind

SIZES = (5, 4, 3)
DELAYS = {("W", 1): 1, ("V", 2): 2}
ALIKE = program_kind(shipped()["reciprocal"])
FAMILY = [configured(rule) for rule in shipped().values() if program_kind(rule) == ALIKE]


class Scheduled(Interpreter):
    """Slot by slot, by the order and the gates of a program that holds more than one rule needs."""

    def present(self, phase, stimulus, target, at, ordering):
        self.begin(phase, stimulus, target, at)
        columns = ordering.columns(phase, self.counts)
        for slot in range(len(next(iter(columns.values())))):
            for event in ordering.order:
                if columns[ordering.gates[event]][slot]:
                    self.carry_out(event)


@pytest.mark.parametrize("is_leaky", [False, True], ids=["settled", "in time"])
def test_each_rule_of_a_family_is_what_it_is_alone(starting_weights, is_leaky):
    rules = [in_time(rule) for rule in FAMILY] if is_leaky else FAMILY
    delays, time = (DELAYS, {"n_steps": 6, "onset": 2}) if is_leaky else ({}, {})
    program = PlacedRule(joined(*rules), SIZES, delays)
    assert list(overwritten(program)) == []
    ordering, apart = Ordering(program), [PlacedRule(rule, SIZES, delays) for rule in rules]
    assert len(program.events) < 0.5 * sum(len(each.events) for each in apart)
    for rule, alone in zip(rules, apart, strict=True):
        own = {"damping": 0.3, "forward_sleep_learning_rate": 0.01, "sleep_learning_rate": 0.02, "relaxation": 0.4}
        values = rule.values({k: v for k, v in own.items() if k in {**rule.numbers, **rule.dynamics.numbers}})
        weights, rng = starting_weights(alone.places, SIZES), np.random.default_rng(0)
        pair = (
            Scheduled(program, weights, program.rule.values() | values, **time),
            Interpreter(alone, weights, values, **time),
        )
        for at, phase in enumerate(["wake", *(["sleep"] if "sleep" in rule.phases else []), "wake"]):
            stimulus, target = rng.normal(size=5), rng.normal(size=3)
            pair[0].present(f"{rule.name}/{phase}", stimulus, target, at, ordering)
            pair[1].present(phase, stimulus, target, at)
        for key, matrix in pair[1].weights.items():
            np.testing.assert_array_equal(pair[0].weights[key], matrix, err_msg=f"{rule.name}: {key}")


def test_a_family_takes_no_more_slots_than_its_rules_do_apart():
    program = PlacedRule(joined(*FAMILY), SIZES)
    for rule in FAMILY:
        placed = PlacedRule(rule, SIZES)
        for phase in rule.phases:
            slots = [Ordering(p).slots(name, p.counts(p.rule.values())) for p, name in
                     ((program, f"{rule.name}/{phase}"), (placed, phase))]  # fmt: skip
            assert len(slots[0]) == len(slots[1]), (rule.name, phase)


def test_rules_that_mean_different_things_run_apart():
    rule = FAMILY[0]
    others = {
        "must be the same in every rule": replace(rule, projections={**rule.projections, "V": Projection("L", "l-1")}),
        "must be of the same dynamics": in_time(rule),
    }
    for sentence, other in others.items():
        with pytest.raises(RuleError, match=sentence):
            joined(rule, replace(other, name="other"))

"""A presentation as a numbered list."""

import pytest

from cortex_model.language import PlacedRule, in_time
from cortex_model.language.describing import equations, presentation
from cortex_model.language.options import configured
from cortex_model.language.ordering import Ordering
from cortex_model.rules import shipped
from cortex_model.schedule.declared import program_kind

#: Rules that learn to answer stimuli with targets.
TAUGHT = [name for name, rule in shipped().items() if rule.task == "targets"]


@pytest.mark.parametrize(
    ("name", "is_leaky"), [*((name, False) for name in shipped()), *((name, True) for name in TAUGHT)]
)
def test_every_event_of_a_presentation_is_in_the_list_in_its_slot(name, is_leaky):
    rule = configured(shipped()[name])
    ordering = Ordering(PlacedRule(in_time(rule) if is_leaky else rule, (4, 3, 2)))
    values = {"forward_sleep_learning_rate": 0.1} if "forward_sleep_learning_rate" in rule.numbers else {}
    counts = ordering.placed.counts(ordering.placed.rule.values(values), 3 if is_leaky else 1, 1 if is_leaky else 0)
    for phase in rule.phases:
        lines = presentation(ordering, phase, counts)
        slots = ordering.slots(phase, counts)
        assert [line.number for line in lines] == list(range(1, len(lines) + 1))
        assert [line.slot for line in lines] == sorted(line.slot for line in lines)
        for n, slot in enumerate(slots):
            assert sum(len(line.levels) for line in lines if line.slot == n) == len(slot)


def test_a_list_reads_like_the_rule():
    ordering = Ordering(PlacedRule(configured(shipped()["weight_mirror"], top="linear"), (4, 3, 2)))
    lines = presentation(ordering, "sleep", ordering.placed.counts(ordering.placed.rule.values()))
    assert [(line.moment, line.levels) for line in lines] == [
        ("rate = noise(0)", [1]),
        ("Carry W rate -> basal_input", [2]),
        ("up -> basal_input", [2]),
        ("difference = noise_gain*rate", [1]),
        ("Learn V sleep_learning_rate*(difference_post*up_pre - damping*weight)", [2]),
    ]
    assert lines[-1].paper.startswith(r"$\Delta V")


def test_equations_stand_beside_the_paper():
    for rule in shipped().values():
        if rule.task != "targets":
            continue
        rows = {name: (paper, string) for name, paper, string in equations(rule)}
        assert rows["layer_response"] == (r"$h_l = \sigma(a_l)$", "rate -> response")
        if program_kind(rule)[1] == program_kind(shipped()["reciprocal"])[1]:
            assert {"output_error", "activation_reciprocal", "weight_update"} <= set(rows)
            assert "sleep" not in rule.phases or "feedback_update" in rows

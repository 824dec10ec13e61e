"""What parameters declare: gates, slots, numbers, and the program that rules share; what its name depends on."""

import itertools
import subprocess
import sys

import numpy as np
import pytest

from cortex_model.language import NONLINEARITIES, Carry, Learn, Nonlinearity
from cortex_model.language.nonlinearities import SLOPE_RULES, TOPS, Top
from cortex_model.language.sizes import example_sizes, misfit
from cortex_model.parameters import HierarchyParameters, SleepWakeParameters
from cortex_model.rules import shipped, spikes
from cortex_model.schedule import PHASES, declared
from cortex_model.schedule.declared import ANSWER_GATE, PHASE_GATES, program_kind, program_structure, without_host

SMALL = {"layer_sizes": (4, 3, 2)}
LEAKY = {"dynamics": "leaky", "presentation_ms": 6.0, "feedback_onset_ms": 2.0}
DYNAMICS = pytest.mark.parametrize("dynamics", [{}, LEAKY], ids=["settled", "leaky"])
#: Rules that learn to answer stimuli with targets.
TAUGHT = [name for name, rule in shipped().items() if rule.task == "targets"]
#: Rules in which the same travels along the same projections as in the default one.
ALIKE = [name for name, rule in shipped().items() if program_kind(rule) == program_kind(shipped()["reciprocal"])]
RULES_AND_DYNAMICS = pytest.mark.parametrize(
    ("rule", "dynamics"), [*((name, {}) for name in shipped()), *((name, LEAKY) for name in TAUGHT)]
)


def small(overrides):
    """Sizes that the learning rule can have."""
    rule = shipped()[overrides.get("learning_rule", "reciprocal")]
    return {"layer_sizes": example_sizes(rule)} if misfit(rule, SMALL["layer_sizes"]) else SMALL


def of(**overrides):
    return declared(SleepWakeParameters(**small(overrides) | {"damping": 0.5} | overrides))


def structure(**overrides):
    return program_structure(SleepWakeParameters(**small(overrides) | overrides))


# ---------------------------------------------------------------------- gates and slots
@RULES_AND_DYNAMICS
def test_open_gates_let_happen_what_the_rule_says_and_nothing_else(rule, dynamics):
    rates = (0.0, 0.1) if "forward_sleep_learning_rate" in shipped()[rule].numbers else (0.0,)
    for rate in rates:
        its = of(learning_rule=rule, forward_sleep_learning_rate=rate, **dynamics)
        for phase in its.phases:
            happens = its.ordering.slots(f"{its.rule.name}/{phase}", its.counts)
            slots = its.slots(phase)
            assert len(slots) == len(happens) > 0
            for opened, events in zip(slots, happens, strict=True):
                assert {event for event, gate in its.ordering.gates.items() if gate in opened} == events


@RULES_AND_DYNAMICS
def test_gates_say_the_phase_and_when_an_answer_is_kept(rule, dynamics):
    its = of(learning_rule=rule, **dynamics)
    assert its.phases == [phase for phase in PHASES if phase in shipped()[rule].phases]
    for phase in its.phases:
        slots = its.slots(phase)
        assert all(slot & set(PHASE_GATES.values()) == {PHASE_GATES[phase]} for slot in slots)
        kept = [ANSWER_GATE in slot for slot in slots]
        assert kept == [phase == "evaluation" and k == len(slots) - 1 for k in range(len(slots))]
        assert set().union(*slots) <= set(its.gates)
    assert len(its.gates) == len(set(its.gates)) and all(gate.endswith("_gate") for gate in its.gates)


def test_what_happens_in_a_slot_is_in_the_order_of_the_program():
    """Up, level by level, then the error, down again, then plasticity."""
    its = of(layer_sizes=(5, 4, 3, 2))
    (slot,) = its.slots("wake")
    happens = [event for event, gate in its.ordering.gates.items() if gate in slot]
    names = [f"{event.moment.name}_{event.level}" for event in happens]
    expected = ["stimulus_0", "basal_input_1", "layer_response_1", "basal_input_2", "layer_response_2", "basal_input_3",
                "layer_response_3", "output_error_3", "error_drive_3", "activation_reciprocal_2", "error_drive_2",
                "activation_reciprocal_1", "weight_update_1"]  # fmt: skip
    places = [names.index(name) for name in expected]
    assert places == sorted(places)


def test_a_presentation_in_which_nothing_happens_takes_a_slot():
    """There is no V_2 in a hierarchy of two populations, so that nothing can be recalled through it."""
    its = of(layer_sizes=(4, 3))
    assert its.ordering.slots("reciprocal/sleep", its.counts) == []
    assert its.slots("sleep") == (frozenset({"sleep_gate"}),)


def test_how_often_and_how_long_things_happen_is_no_matter_of_the_program():
    short, longer = of(**LEAKY), of(**LEAKY | {"presentation_ms": 50.0})
    assert short.program == longer.program
    assert [len(its.slots("wake")) for its in (short, longer)] == [6, 50]
    assert (short.counts.n_steps, short.counts.onset) == (6, 1)
    one, two = of(), of(forward_sleep_learning_rate=0.1)
    assert one.program == two.program and one.slots("sleep") != two.slots("sleep")


# ---------------------------------------------------------------------- what rules share
@DYNAMICS
def test_rules_with_the_same_projections_share_a_program(dynamics):
    programs = {rule: of(learning_rule=rule, **dynamics).program for rule in [*ALIKE, "direct_feedback"]}
    assert all(programs[rule] == programs["reciprocal"] for rule in ALIKE) and len(ALIKE) > 5
    assert programs["direct_feedback"] != programs["reciprocal"]
    assert len(programs["direct_feedback"]["events"]) < len(programs["reciprocal"]["events"])


def test_a_rule_with_projections_of_its_own_has_a_program_of_its_own():
    others = {rule: of(learning_rule=rule).program for rule in shipped() if rule not in TAUGHT}
    for rule, program in others.items():
        assert program != of().program
        assert program["projections"] != of().program["projections"], rule
        assert structure(learning_rule=rule, damping=0.5) != structure(damping=0.5)


def test_what_rules_have_in_common_is_there_once():
    its = of()
    of_rules = [len(of(learning_rule=rule).ordering.slots(f"{rule}/evaluation", its.counts)[0]) for rule in ALIKE]
    answered = {event for event, gate in its.ordering.gates.items() if gate in its.slots("evaluation")[0]}
    assert set(of_rules) == {len(answered)}
    assert len({(repr(e.moment), e.level) for e in its.placed.events}) == len(its.placed.events)


def test_gates_of_learning_open_every_change_of_weights_and_nothing_else_than_their_rules():
    its = of()
    changes = [event for event in its.placed.events if isinstance(event.moment, Learn)]
    assert {its.ordering.gates[event] for event in changes} == set(its.learning_gates)
    assert len(its.learning_gates) == len(set(its.learning_gates))
    for rule in ALIKE:
        alone = of(learning_rule=rule)
        for phase in ("evaluation", "perception", "recall"):
            assert not {gate for slot in alone.slots(phase) for gate in slot} & set(its.learning_gates)


@DYNAMICS
def test_numbers_are_those_that_the_strings_read(dynamics):
    common = {"learning_rate"} | ({"relaxation"} if dynamics else set())
    asleep = {"damping", "forward_sleep_learning_rate", "noise_gain", "regression", "sleep_learning_rate"}
    assert of(**dynamics).numbers == sorted(common | asleep | {"weight_decay"})
    assert of(learning_rule="direct_feedback", **dynamics).numbers == sorted(common)
    assert "slope_cutoff" in of(slope_rule="reciprocal", **dynamics).numbers
    for rule in shipped():
        assert set(of(learning_rule=rule).numbers) <= {n for each in shipped().values() for n in each.numbers}


def test_what_is_remembered_is_of_a_population():
    assert of(layer_sizes=(5, 4, 3, 2)).remembered == {"apical_gain_1": 1.0, "apical_gain_2": 1.0}
    assert of(layer_sizes=(5, 2)).remembered == {}, "nothing reads it"
    assert of(feedback_gain="norm_matched").remembered == of().remembered


def test_what_the_host_does_is_no_matter_of_the_program():
    own = {"learning_rule": "exact_pseudoinverse"}
    assert [host.code for host in of(**own).hosts("wake")] == ["V = pinv(W)"]
    assert of().hosts("wake") == of(**own).hosts("evaluation") == of(**own).hosts("sleep") == []
    matched, perturbed = of(feedback_gain="norm_matched"), of(feedback_noise=0.1)
    assert [host.name for host in matched.hosts("wake")] == ["norm_matched_gain"]
    assert [host.name for host in perturbed.hosts("wake")] == ["perturbed_feedback"]
    assert matched.program == perturbed.program == of().program
    rule = without_host(matched.rule)
    assert len(rule.phases["wake"]) == len(matched.rule.phases["wake"]) - 1 and rule.phases["sleep"]


def test_delays_say_which_variable_is_carried():
    its = of(**LEAKY, forward_delay_ms=(0.0, 2.0), feedback_delay_ms=(3.0,))
    assert its.program["delays"] == [["V", 2, 3], ["W", 2, 2]]
    carried = {
        (event.moment.projection, event.level, its.placed.source(event))
        for event in its.placed.events
        if isinstance(event.moment, Carry) and event.moment.source in ("rate", "delta")
    }
    assert {("W", 1, "rate"), ("W", 2, "rate_2"), ("V", 2, "delta_3"), ("V", 2, "rate_3")} <= carried
    assert of(forward_delay_ms=(2.0,)).program["delays"] == [], "in the settled mode nothing is on its way"


def test_equal_parameters_declare_the_same_object():
    assert of() is of() and of() is not of(learning_rate=0.5)
    assert declared(HierarchyParameters(**SMALL)).program == of().program


# ---------------------------------------------------------------------- the name of the program
#: Parameters -> another value; each one of them is in one of these tables.
STRUCTURAL = {
    "layer_sizes": (4, 5, 2), "nonlinearity": "linear", "top": "linear", "biases": False, "feedback_to_input": True,
    "slope_rule": "none", "presynaptic_normalisation": True, "noise_distribution": "gaussian",
    "sleep_normalisation": True, "dtype": "float64", "dense": False, "batch_size": 2, "dynamics": "leaky",
}  # fmt: skip
STRUCTURAL_IN_TIME = {"time_step_ms": 0.5, "forward_delay_ms": (0.0, 2.0), "feedback_delay_ms": (1.0,)}
#: Of the rules, those that have other projections.
BY_ITS_PROJECTIONS = {"learning_rule": "direct_feedback"}
NUMBERS = {
    "time_constant_ms": 20.0, "presentation_ms": 50.0, "feedback_onset_ms": 4.0, "chunk_presentations": 7,
    "learning_rate": 0.5, "sleep_learning_rate": 0.5, "forward_sleep_learning_rate": 0.1, "damping": 0.3,
    "regression": 0.5, "weight_decay": 0.5, "slope_cutoff": 0.3, "pseudoinverse_every_presentations": 3,
    "gain_update_presentations": 3, "feedback_noise": 0.5, "feedback_levels": 4, "perturb_every_presentations": 3,
    "initial_weights": "orthogonal", "initial_feedback_scale": 3.0, "feedback_gain": "norm_matched",
    "inference_steps": 3, "inference_rate": 0.3, "top_precision": 0.5, "feedback_learning": "sleep",
    "target_step": 0.5, "inverse_learning_rate": 0.3, "inverse_noise": 0.1, "difference": False,
    "replay_steps": 9, "replay_through_cortex": 0.5,
    "sleep_per_wake": 0.1, "sleep_before_presentations": 9, "codegen_target": "cython", "sleep_block_presentations": 5,
}  # fmt: skip
SPIKING = {"dynamics": "spiking"}
#: Of rules in spikes.
OF_SPIKES = {
    name: number.default * 1.25 + 0.25 for name, number in {**spikes.NUMBERS, **spikes.SLEEP_NUMBERS}.items()
} | {"sleep_ms": 70.0, "sleep_onset_ms": 20.0}
#: Of interventions, those on learning rates.
BY_ITS_LEARNING_RATES = {"relative_learning_rates": ("W_1:0.5",)}
NUMBERS |= {"interventions": ("scale W_1 0.5 at 3",), "record": ("V_2",), "record_stimuli": (1,)}
ASKED = BY_ITS_LEARNING_RATES | STRUCTURAL | STRUCTURAL_IN_TIME | BY_ITS_PROJECTIONS | NUMBERS | OF_SPIKES


def test_every_parameter_is_known_to_be_in_the_name_or_not():
    assert set(SleepWakeParameters.model_fields) - {"start_from"} == set(ASKED)  # that one is weights, no structure
    default = SleepWakeParameters(**SMALL)
    assert not [name for name, other in ASKED.items() if getattr(default, name) == other]


@pytest.mark.parametrize("name", STRUCTURAL)
def test_every_structural_parameter_is_in_the_name_of_the_program(name):
    assert structure(**{name: STRUCTURAL[name]}) != structure()
    if name != "dynamics":
        assert structure(**LEAKY, **{name: STRUCTURAL[name]}) != structure(**LEAKY)


def test_a_program_in_which_projections_are_frozen_is_another_one_whatever_the_factors_are():
    frozen = structure(relative_learning_rates="W_1:0")
    assert frozen == structure(**BY_ITS_LEARNING_RATES) == structure(interventions="freeze V_2 at 3") != structure()


@pytest.mark.parametrize("name", STRUCTURAL_IN_TIME)
def test_times_that_are_compiled_are_in_the_name_where_things_take_time(name):
    other = {name: STRUCTURAL_IN_TIME[name]}
    assert structure(**LEAKY, **other) != structure(**LEAKY)
    assert structure(**other) == structure()


@pytest.mark.parametrize("name", NUMBERS)
def test_no_number_of_a_run_is_in_the_name_of_the_program(name):
    other = {name: NUMBERS[name]}
    assert structure(**other) == structure()
    assert structure(**LEAKY | other) == structure(**LEAKY)


@pytest.mark.parametrize("name", OF_SPIKES)
def test_no_number_of_spikes_is_in_the_name_of_the_program(name):
    assert structure(**SPIKING, **{name: OF_SPIKES[name]}) == structure(**SPIKING) != structure()


def test_rules_in_spikes_share_a_program():
    names = [structure(**SPIKING, learning_rule=name) for name, rule in shipped().items() if rule.in_spikes]
    assert len(names) == 3 and names[0] == names[1] == names[2]
    assert structure(**SPIKING, time_step_ms=0.5) != names[0] == structure(**SPIKING, nonlinearity="linear")


@DYNAMICS
def test_no_rule_is_in_the_name_of_the_program_unless_its_projections_are_others(dynamics):
    timed = [name for name, rule in shipped().items() if not dynamics or rule.task == "targets"]
    names = {rule: structure(learning_rule=rule, damping=0.5, **dynamics) for rule in timed}
    assert [rule for rule, its in names.items() if its == names["reciprocal"]] == ALIKE


def test_forms_of_a_rule_share_a_program():
    own = {"learning_rule": "predictive_coding"}
    forms = [structure(**own, feedback_learning=word) for word in ("transpose", "hebbian", "sleep")]
    assert forms[0] == forms[1] == forms[2] != structure()
    starts = [of(**own, feedback_learning=word).rule.projections["V"].start for word in ("transpose", "hebbian")]
    assert starts == ["transpose of W", "random"]


def test_values_of_an_option_have_different_names():
    """Tops and nonlinearities, as far as there is a hidden population; slope rules too."""
    for name, table in (("nonlinearity", NONLINEARITIES), ("top", TOPS), ("slope_rule", SLOPE_RULES)):
        rules = [structure(**{name: value})["rules"] for value in table]
        assert len(set(rules)) == len(table), name
    for one, other in itertools.combinations(("uniform", "gaussian", "rademacher"), 2):
        assert structure(noise_distribution=one) != structure(noise_distribution=other)


def test_a_slope_cutoff_is_a_number_even_where_it_is_read():
    reciprocal = {"slope_rule": "reciprocal"}
    assert structure(**reciprocal, slope_cutoff=0.3) == structure(**reciprocal)


@pytest.mark.parametrize(
    ("table", "name", "other"),
    [
        (NONLINEARITIES, "tanh", Nonlinearity("tanh(0.5*drive)", "1")),
        (NONLINEARITIES, "tanh", NONLINEARITIES["tanh"]._replace(slope="1 - 2*rate*rate")),
        (TOPS, "softmax", Top("excitation/pooled_excitation", "exp(clip(drive, -8, 8))")),
        (SLOPE_RULES, "derivative", "2*slope"),
    ],
    ids=["rate", "slope", "top", "slope rule"],
)
def test_a_row_that_is_replaced_in_memory_is_in_the_name_of_the_program(monkeypatch, table, name, other):
    before, p = structure(), SleepWakeParameters(**SMALL)
    program = declared(p).program
    with monkeypatch.context() as patch:
        patch.setitem(table, name, other)
        assert structure() != before and declared(p).program != program
    assert structure() == before and declared(p).program == program


def test_the_name_is_the_same_in_another_process():
    """Nothing in it may depend on how strings are hashed."""
    code = (
        "from cortex_model.schedule.declared import program_structure as s\n"
        "from cortex_model.parameters import SleepWakeParameters as P\n"
        f"print(s(P(**{SMALL}))['rules'])"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={"PYTHONHASHSEED": "7"}, check=True
    )
    assert run.stdout.strip() == structure()["rules"]


def test_gates_and_order_are_plain_data():
    program = of().program
    levels = {level for _, level, _, _, _ in program["events"]}
    assert levels <= set(range(3)) and len(program["variables"]) == 3
    assert [row[:2] for row in program["projections"]] == [["W", 1], ["W", 2], ["b", 1], ["b", 2], ["V", 2]]
    assert program["projections"][0] == ["W", 1, 0, 1] and np.ndim(program["numbers"]) == 1

"""The Brian2 objects of a hierarchy: what there is, in which order it happens, behind which gate."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from brian2 import NetworkOperation, NeuronGroup, StateMonitor, Synapses, defaultclock, ms
from brian2.groups.group import CodeRunner
from brian2.groups.neurongroup import StateUpdater
from hypothesis import given, settings
from hypothesis import strategies as st

from cortex_model.devices.session import new_hierarchy
from cortex_model.errors import DeviceError, ParameterError, RuleError
from cortex_model.language import Carry, Learn, Let, PlacedRule, Pool, Show
from cortex_model.language.options import configured
from cortex_model.language.ordering import Ordering
from cortex_model.network.clockwork import Clockwork
from cortex_model.network.objects import Objects
from cortex_model.parameters import HierarchyParameters, SleepWakeParameters
from cortex_model.rules import shipped
from cortex_model.schedule import declared

EVERYTHING = {"feedback_to_input": True, "presynaptic_normalisation": True, "sleep_normalisation": True}


def hierarchy_of(*sizes, **overrides):
    return new_hierarchy(HierarchyParameters(layer_sizes=sizes, **overrides), "runtime")


def happening(hierarchy):
    """Everything that runs in a slot, in its order; the clockwork's own steps left out."""
    runners = [obj for obj in hierarchy.network.sorted_objects if isinstance(obj, CodeRunner)]
    assert not any(group.equations.diff_eq_names for group in hierarchy.populations), "nothing else has a StateUpdater"
    return [obj for obj in runners if not isinstance(obj, StateUpdater) and not obj.name.startswith(("now_", "shown_"))]


@settings(deadline=None, max_examples=5)
@given(st.lists(st.integers(1, 6), min_size=2, max_size=5), st.booleans())
def test_populations_and_projections_have_the_sizes_of_the_layers(sizes, to_input):
    hierarchy = hierarchy_of(*sizes, feedback_to_input=to_input)
    assert [population.N for population in hierarchy.populations] == sizes
    assert list(hierarchy.forward) == list(range(1, len(sizes)))
    assert list(hierarchy.feedback) == list(range(1 if to_input else 2, len(sizes)))
    for level, forward in hierarchy.forward.items():
        assert len(forward) == sizes[level] * sizes[level - 1]
        assert (forward.source.name, forward.target.name) == (f"population_{level - 1}", f"population_{level}")
    for level, feedback in hierarchy.feedback.items():
        assert (feedback.source.name, feedback.target.name) == (f"population_{level}", f"population_{level - 1}")


def test_weights_have_the_orientation_of_the_paper():
    hierarchy = hierarchy_of(2, 3, 4)
    hierarchy.forward[2].weight = "100*i + j"  # Brian2's i is presynaptic, j postsynaptic
    expected = 100 * np.arange(3)[None, :] + np.arange(4)[:, None]
    assert np.array_equal(hierarchy.weights("forward", 2), expected)
    hierarchy.feedback[2].weight = "100*i + j"
    assert hierarchy.weights("feedback", 2).shape == (3, 4)
    assert hierarchy.weights("feedback", 2)[2, 1] == 102


def test_weights_of_direct_feedback_come_from_the_top():
    p = SleepWakeParameters(layer_sizes=(6, 5, 4, 3), learning_rule="direct_feedback", feedback_to_input=True)
    hierarchy = new_hierarchy(p, "runtime")
    for level in (1, 2, 3):
        hierarchy.feedback[level].weight = "100*i + j"
        expected = 100 * np.arange(3)[None, :] + np.arange(p.layer_sizes[level - 1])[:, None]
        assert np.array_equal(hierarchy.weights("feedback", level), expected)


@pytest.mark.parametrize("sizes", [(3, 1), (1, 3), (3, 2)])
def test_weights_are_a_copy(sizes):
    hierarchy = hierarchy_of(*sizes)
    weights = hierarchy.weights("forward", 1)
    hierarchy.forward[1].weight = 7
    assert not weights.any() and (hierarchy.weights("forward", 1) == 7).all()
    weights[:] = 9
    assert (hierarchy.weights("forward", 1) == 7).all()


@pytest.mark.parametrize("asked", [("feedback", 1), ("forward", 3), ("sideways", 1), ("forward", 1, 1)], ids=str)
def test_weights_that_are_not_there_are_refused(asked):
    with pytest.raises(
        ParameterError, match=r"^Hierarchy\.weights: must be asked for forward \[1, 2\], feedback \[2\]"
    ):
        hierarchy_of(4, 3, 2).weights(*asked)


def test_weights_of_a_compiled_program_are_elsewhere():
    hierarchy = new_hierarchy(HierarchyParameters(layer_sizes=(3, 2)), "cpp_standalone")
    with pytest.raises(
        DeviceError, match=r"^Hierarchy\.weights: .*; take those of the State that Simulation\.run returns"
    ):
        hierarchy.weights("forward", 1)


@pytest.mark.parametrize("dynamics", ["settled", "leaky"])
@pytest.mark.parametrize("rule", ["reciprocal", "direct_feedback"])
def test_a_hierarchy_prints_every_sum_and_equation(rule, dynamics):
    p = SleepWakeParameters(layer_sizes=(4, 3, 2), learning_rule=rule, dynamics=dynamics, **EVERYTHING)
    hierarchy = new_hierarchy(p, "runtime")
    own = NeuronGroup(2, "dv/dt = (drive - v)/(10*ms) : 1\ndrive : 1", name="own")
    driving = Synapses(hierarchy.populations[1], own, "drive_post = rate_pre : 1 (summed)", name="driving")
    hierarchy.add(own, driving)
    lines = str(hierarchy).split("\n")
    for obj in happening(hierarchy):
        if hasattr(obj, "gate"):
            assert any(line.startswith(f"  {obj.gate}") for line in lines), obj.name
    objects = [obj for obj in hierarchy.network.objects if obj.name in {line.split(" (")[0] for line in lines}]
    n_projections = 2 + 2 + 2  # W, b and V
    assert len(objects) == len(hierarchy.populations + hierarchy.pools) + n_projections + 2
    sums = [line.split(maxsplit=1)[1] for line in lines if "sum of" in line]
    assert sums.count("basal_input_post = sum of weight*rate_pre over synapses") == 2
    assert sums.count("bias_post = sum of weight*rate_pre over synapses") == 2
    assert sums.count("apical_drive_post = sum of weight*rate_pre over synapses") == 2
    assert sums.count("error_drive_post = sum of weight*delta_pre over synapses") == 1, "the input has no error"
    assert "_synaptic_var" not in "".join(lines)
    assert [line.strip() for line in lines[-5:]] == [
        "own (2 neurons)", "dv/dt = (drive - v)/(10*ms) : 1", "drive : 1",
        "driving (population_1 -> own)", "drive_post = sum of rate_pre over synapses",
    ]  # fmt: skip


@pytest.mark.parametrize("dynamics", ["settled", "leaky"])
@pytest.mark.parametrize("rule", ["reciprocal", "direct_feedback"])
def test_everything_waits_for_a_gate_of_the_declaration(rule, dynamics):
    hierarchy = hierarchy_of(4, 3, 2, learning_rule=rule, dynamics=dynamics, **EVERYTHING)
    equations = happening(hierarchy)
    assert len(equations) > 20
    assert all(hasattr(obj, "gate") for obj in equations), [o.name for o in equations if not hasattr(o, "gate")]
    of_events = {*hierarchy.declared.ordering.gates.values(), "answer_gate"}
    assert {obj.gate for obj in equations} == of_events, "and every gate opens something"
    for gate in hierarchy.declared.gates:
        assert gate in hierarchy.clockwork.schedule.variables and gate in hierarchy.clockwork.now.variables


def test_objects_are_named_after_what_is_declared():
    hierarchy = hierarchy_of(4, 3, 2)
    assert [synapses.name for synapses in hierarchy.projections.values()] == ["W_1", "W_2", "b_1", "b_2", "V_2"]
    assert [group.name for group in hierarchy.populations] == ["population_0", "population_1", "population_2"]
    assert set(hierarchy.biases) == {1, 2} and hierarchy.biases[1] is hierarchy.projections["b", 1]
    names = {obj.name for obj in hierarchy.network.sorted_objects}
    assert {
        "population_0_stimulus", "population_1_layer_response", "population_1_activation_reciprocal",
        "population_2_output_error", "population_2_top_state", "W_1_weight_update", "b_2_bias_update",
        "V_2_feedback_update", "V_2_transposed_weight_update", "W_2_forward_update", "W_2_forward_decay",
        "W_2_summed_variable_basal_input_post", "V_2_summed_variable_error_drive_post", "population_2_answer",
    } <= names  # fmt: skip
    assert hierarchy_of(4, 3, 2, biases=False).biases == {}


def test_in_a_leaky_slot_sums_and_axons_come_before_what_relaxes_and_plasticity_last():
    hierarchy = hierarchy_of(5, 4, 3, 2, dynamics="leaky", forward_delay_ms=(0.0, 2.0, 1.0), feedback_delay_ms=(1.0,))
    gates, slot = hierarchy.declared.ordering.gates, hierarchy.declared.slots("wake")[-1]
    names = [obj.name for obj in happening(hierarchy) if obj.gate in slot]
    assert set(gates.values()) & slot
    sums = [at for at, name in enumerate(names) if "summed" in name and "pool" not in name]
    moved = [at for at, name in enumerate(names) if name.endswith("_conduct")]
    relaxed = [at for at, name in enumerate(names) if name.endswith(("_layer_response", "_activation_reciprocal"))]
    learned = [at for at, name in enumerate(names) if name.endswith("_weight_update")]
    assert len(sums) == 2 + 2, "W_2 and W_3 carry rates, V_3 and V_2 errors; what is held has arrived before"
    assert max(sums) < min(relaxed) <= max(relaxed) < min(learned)
    assert len(moved) == 3 and max(moved) < min(relaxed), "what is on its way goes on before it changes"


def test_an_axon_holds_as_many_steps_as_its_longest_projection_takes():
    hierarchy = hierarchy_of(
        5, 4, 3, 2, dynamics="leaky", forward_delay_ms=(0.0, 2.0, 1.0), feedback_delay_ms=(0.0, 3.0)
    )
    held = [{name for name in group.variables if name.split("_")[-1].isdigit()} for group in hierarchy.populations]
    of_projections = {"rate": {0: 0, 1: 2, 2: 1, 3: 3}, "delta": {3: 3}}
    for name, steps in of_projections.items():
        for l in range(4):
            expected = {f"{name}_{k}" for k in range(1, steps.get(l, 0) + 1)}
            assert {each for each in held[l] if each.rpartition("_")[0] == name} == expected, (name, l)
    sums = {obj.name: obj.abstract_code for obj in happening(hierarchy) if "summed" in obj.name}
    for name, read in (("W_1", "rate_pre"), ("W_2", "rate_2_pre"), ("W_3", "rate_1_pre"), ("V_2", "rate_pre"),
                       ("V_2", "delta_pre"), ("V_3", "rate_3_pre"), ("V_3", "delta_3_pre")):  # fmt: skip
        assert any(of.startswith(f"{name}_s") and f"weight*{read}" in code for of, code in sums.items()), (name, read)


def test_a_wake_slot_sweeps_up_then_down_then_learns():
    hierarchy = hierarchy_of(5, 4, 3, 2)
    (slot,) = hierarchy.declared.slots("wake")
    names = [obj.name for obj in happening(hierarchy) if obj.gate in slot]
    order = [
        "population_0_stimulus", "W_1_summed", "population_1_layer_response", "W_2_summed",
        "population_2_layer_response", "W_3_summed", "population_3_excitation", "population_3_layer_response",
        "population_3_output_error", "V_3_summed", "population_2_activation_reciprocal", "V_2_summed",
        "population_1_activation_reciprocal", "W_1_weight_update",
    ]  # fmt: skip
    places = [next(at for at, name in enumerate(names) if name.startswith(expected)) for expected in order]
    assert places == sorted(places)


# ---------------------------------------------------------------------- events that are done in one pass
OPTIONS = [
    {"learning_rule": rule, **more}
    for rule in ("reciprocal", "direct_feedback")
    for more in ({}, EVERYTHING, {"dynamics": "leaky", "feedback_to_input": True, "feedback_delay_ms": (2.0,)})
]


def passes_of(own):
    """What `Objects` does of a declaration in one pass over a population; no Brian2 object is made."""
    objects = object.__new__(Objects)
    objects.declared, objects.placed, objects.gates = own, own.placed, own.ordering.gates
    objects.order = {event: n for n, event in enumerate(own.ordering.order)}
    return objects._together()


@cache
def own_of(sizes, options):
    return declared(SleepWakeParameters(layer_sizes=sizes, **dict(options)))


@pytest.mark.parametrize("sizes", [(4, 3, 2), (5, 4, 3, 2)], ids=str)
@pytest.mark.parametrize("options", OPTIONS, ids=lambda each: "-".join(map(str, each.values())))
def test_what_is_done_in_one_pass_reads_what_it_read_before(sizes, options):
    own = own_of(sizes, tuple(options.items()))
    passes, ordered = passes_of(own), list(own.ordering.order)
    of_populations = [event for event in ordered if not isinstance(event.moment, Carry | Learn | Pool)]
    assert sorted(map(ordered.index, (e for events in passes for e in events))) == list(
        map(ordered.index, of_populations)
    ), "each event once"
    assert len(passes) < len(of_populations), "some are done together"
    when = {}
    for events in passes:
        assert len({(event.level, own.ordering.gates[event]) for event in events}) == 1
        for within, event in enumerate(events):
            when[event] = ordered.index(events[0]), within
    for event in ordered:
        when.setdefault(event, (ordered.index(event), 0))
    n_checked = 0
    for at, event in enumerate(ordered):
        for earlier in ordered[:at]:
            if own.placed.disturbs(earlier, event):
                assert when[earlier] < when[event], (earlier, event)
                n_checked += 1
    assert n_checked > 30


def test_rows_of_stimuli_are_looked_up_for_the_first_event_of_a_pass():
    for options in OPTIONS:
        own = own_of((5, 4, 3, 2), tuple(options.items()))
        read = [[{name for _, name in own.placed.touches(event)[0]} for event in events] for events in passes_of(own)]
        assert any(first & {"stimulus", "target"} for first, *_ in read)
        assert not [names for _, *others in read for names in others if names & {"stimulus", "target"}]


# ---------------------------------------------------------------------- pools
class WithRule:
    """What `Declared` has, of a rule made up for a test."""

    def __init__(self, *moments, **more):
        p = self.parameters = SleepWakeParameters(layer_sizes=(4, 3, 2), top="linear")
        rule = configured(shipped()["random_feedback"], top="linear")
        wake = (*rule.phases["wake"], *moments)
        self.rule = replace(rule, phases={"wake": wake, **more})
        self.placed = PlacedRule(self.rule, p.layer_sizes)
        self.ordering = Ordering(self.placed)
        self.numbers, self.remembered, self.own_gates = ["learning_rate"], {"apical_gain_1": 1.0}, []
        self.reads_age, self.events_counted = False, {}
        self.gates = [*dict.fromkeys(self.ordering.gates.values()), "answer_gate"]
        self.reads_age, self.events_counted, self.own_gates = False, {}, []


def objects_of(own):
    new_hierarchy(HierarchyParameters(layer_sizes=(2, 2)), "runtime")  # makes runtime the device, with its clock
    return Objects(own, Clockwork(own, lambda synapses, *_: synapses.connect()))


ONE, OTHER = Pool("hidden", "rate", "summed"), Pool("hidden", "delta", "summed")
READ, READ_AGAIN = Let("hidden", "shared = rate/(1 + summed*summed)"), Let("hidden", "other = delta*summed")


def test_two_pools_with_one_name_get_two_names():
    objects = objects_of(WithRule(ONE, READ, OTHER, READ_AGAIN))
    neurons = [pool for pool in objects.pools if isinstance(pool, NeuronGroup)]
    assert [pool.name for pool in neurons] == ["population_1_summed", "population_1_summed_2"]
    codes = [obj.abstract_code for obj in objects.populations[1].contained_objects if hasattr(obj, "gate")]
    lines = [line for code in codes for line in code.split("\n")]
    assert "shared = rate / (1 + summed_from_0 * summed_from_0)".replace(" ", "") in [x.replace(" ", "") for x in lines]
    assert "other=delta*summed_from_1" in [line.replace(" ", "") for line in lines]
    sums = [p.summed_updaters["summed_post"].expression.code for p in objects.pools if isinstance(p, Synapses)]
    assert sums == ["rate_pre", "delta_pre"]


def test_a_pool_alone_keeps_its_name():
    objects = objects_of(WithRule(ONE, READ))
    codes = [obj.abstract_code for obj in objects.populations[1].contained_objects if hasattr(obj, "gate")]
    assert any("shared = rate/(1 + summed*summed)" in code for code in codes)


def test_an_event_that_reads_two_pools_by_one_name_is_refused():
    own = WithRule(ONE, READ, sleep=(Show("hidden", "delta = 1"), Show("hidden", "rate = 2"), OTHER, READ))
    with pytest.raises(
        RuleError, match=r"^random_feedback\.sleep: summed of population 1 must come from one Pool .*got two"
    ):
        objects_of(own)


# ---------------------------------------------------------------------- what a user adds
def test_objects_of_ones_own_run_with_the_hierarchy():
    hierarchy = hierarchy_of(3, 2)
    group = NeuronGroup(2, "dv/dt = -v/(10*ms) : 1")
    monitor = StateMonitor(group, "v", record=True)
    hierarchy.add(group, monitor)
    assert hierarchy.foreign == [group, monitor]
    assert {group.name, monitor.name} <= {obj.name for obj in hierarchy.network.sorted_objects}
    assert hierarchy.network_operations == []
    operation = NetworkOperation(lambda: None)
    hierarchy.add(operation)
    assert hierarchy.network_operations == [operation]


def test_what_is_no_brian2_object_is_refused():
    with pytest.raises(ParameterError, match=r"^Hierarchy\.add: must get Brian2 objects \(got str\); give a Neuron"):
        hierarchy_of(3, 2).add("a group")


def test_what_was_made_before_the_hierarchy_on_another_device_is_refused():
    hierarchy_of(3, 2)  # makes runtime the device
    early = NeuronGroup(2, "v : 1", name="early")
    hierarchy = new_hierarchy(HierarchyParameters(layer_sizes=(3, 2)), "cpp_standalone")
    with pytest.raises(DeviceError, match=r"^Hierarchy\.add: early must be made after the hierarchy"):
        hierarchy.add(early)


def test_recording_waits_for_its_gate_and_comes_last():
    hierarchy = hierarchy_of(3, 2)
    monitor = hierarchy.record(1, "rate")
    assert isinstance(monitor, StateMonitor) and monitor.gate == "answer_gate"
    for phase in ("wake", "sleep", "evaluation", "perception", "recall"):
        gate = f"{phase}_gate"
        other = hierarchy.record(0, "rate", gate)
        assert (other.gate, other.name) == (gate, f"recorded_0_rate_{gate}")
    names = [obj.name for obj in hierarchy.network.sorted_objects]
    happens = [names.index(obj.name) for obj in happening(hierarchy) if obj not in hierarchy.foreign]
    assert names.index(monitor.name) > max(happens)


def test_a_slot_is_one_time_step():
    hierarchy_of(3, 2)
    assert defaultclock.dt / ms == 1
    new_hierarchy(HierarchyParameters(layer_sizes=(3, 2), dynamics="leaky", time_step_ms=0.5), "runtime")
    assert defaultclock.dt / ms == pytest.approx(0.5)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_number_has_the_precision_that_was_asked_for(dtype):
    hierarchy = hierarchy_of(3, 2, 2, dtype=dtype)
    for group in [*hierarchy.populations, *hierarchy.forward.values(), *hierarchy.feedback.values()]:
        assert isinstance(group, NeuronGroup | Synapses)
        for name in ("rate", "up", "basal_input", "delta", "weight"):
            if name in group.variables:
                assert group.variables[name].dtype == np.dtype(dtype), (group.name, name)

"""The Brian2 objects of a hierarchy: what there is, in which order it happens, behind which gate."""

import numpy as np
import pytest
from brian2 import NetworkOperation, NeuronGroup, StateMonitor, Synapses, defaultclock, ms
from brian2.groups.group import CodeRunner
from brian2.groups.neurongroup import StateUpdater
from cortex_model.equations import GATES, gates_of
from hypothesis import given, settings
from hypothesis import strategies as st

from cortex_model.devices.session import new_hierarchy
from cortex_model.errors import DeviceError, ParameterError
from cortex_model.parameters import HierarchyParameters, SleepWakeParameters

EVERYTHING = {"feedback_to_input": True, "presynaptic_normalisation": True, "sleep_normalisation": True}


def hierarchy_of(*sizes, **overrides):
    return new_hierarchy(HierarchyParameters(layer_sizes=sizes, **overrides), "runtime")


def happening(hierarchy):
    """Everything that runs in a slot, in its order; the clockwork's own two steps left out."""
    runners = [obj for obj in hierarchy.network.sorted_objects if isinstance(obj, CodeRunner)]
    assert not any(group.equations.diff_eq_names for group in hierarchy.populations), "nothing else has a StateUpdater"
    return [obj for obj in runners if not isinstance(obj, StateUpdater) and not obj.name.startswith("now_")]


@settings(deadline=None, max_examples=10)
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
        DeviceError, match=r"^Hierarchy\.weights: .*; take those of the Stop that Simulation\.run returns"
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
    assert len(objects) == len(hierarchy.populations + hierarchy.pools) + 2 + 3 * 2
    sums = [line.split(maxsplit=1)[1] for line in lines if "sum of" in line]
    sent = "fed_back_pre" if dynamics == "leaky" else "sent_pre"
    assert sums.count("basal_input_post = sum of weight*sent_pre over synapses") == 2
    assert sums.count(f"apical_drive_post = sum of weight*{sent} over synapses") == 2
    assert sums.count("error_drive_post = sum of weight*delta_pre over synapses") == (dynamics == "leaky")
    assert "_synaptic_var" not in "".join(lines)
    assert [line.strip() for line in lines[-5:]] == [
        "own (2 neurons)", "dv/dt = (drive - v)/(10*ms) : 1", "drive : 1",
        "driving (population_1 -> own)", "drive_post = sum of rate_pre over synapses",
    ]  # fmt: skip


@pytest.mark.parametrize("dynamics", ["settled", "leaky"])
@pytest.mark.parametrize("sleep_rule", ["recirculation", "hinton_mcclelland", "ben_israel"])
def test_every_equation_waits_for_a_gate(sleep_rule, dynamics):
    hierarchy = hierarchy_of(4, 3, 2, sleep_rule=sleep_rule, dynamics=dynamics, **EVERYTHING)
    equations = happening(hierarchy)
    assert len(equations) > 25
    assert all(obj.gate in gates_of(dynamics) for obj in equations), [
        o.name for o in equations if not hasattr(o, "gate")
    ]


def test_every_gate_opens_something():
    hierarchies = [hierarchy_of(4, 3, 2)]
    hierarchies += [hierarchy_of(4, 3, 2, sleep_rule=rule, **EVERYTHING) for rule in ("recirculation", "ben_israel")]
    assert {obj.gate for hierarchy in hierarchies for obj in happening(hierarchy)} == set(GATES)
    leaky = hierarchy_of(4, 3, 2, dynamics="leaky", forward_delay_ms=(1.0,), **EVERYTHING)
    leaky.record(1, "rate", "trace_gate")
    gates = {obj.gate for obj in [*happening(leaky), *leaky.foreign]}
    assert gates == set(gates_of("leaky"))


def test_in_a_leaky_slot_all_sums_come_before_anything_relaxes():
    hierarchy = hierarchy_of(5, 4, 3, 2, dynamics="leaky", forward_delay_ms=(0.0, 2.0, 1.0), feedback_delay_ms=(1.0,))
    names = [obj.name for obj in happening(hierarchy)]
    sums = [at for at, name in enumerate(names) if "summed" in name and "pool" not in name]
    moved = [at for at, name in enumerate(names) if name.endswith("_conduction")]
    relaxed = [at for at, name in enumerate(names) if name.endswith(("_layer_response", "_activation_reciprocal",
                                                                     "_compartments"))]  # fmt: skip
    learned = [at for at, name in enumerate(names) if name.endswith("_weight_update")]
    assert len(sums) == 3 + 3 + 2 * 2, "forward, biases, and each feedback projection twice"
    assert max(sums) < min(moved) <= max(moved) < min(relaxed) <= max(relaxed) < min(learned)


def test_an_axon_holds_as_many_steps_as_its_longest_projection_takes():
    hierarchy = hierarchy_of(
        5, 4, 3, 2, dynamics="leaky", forward_delay_ms=(0.0, 2.0, 1.0), feedback_delay_ms=(0.0, 3.0)
    )
    held = [[name for name in group.variables if name.split("_")[-1].isdigit()] for group in hierarchy.populations]
    of_top = ["fed_back_3", "fed_back_2", "fed_back_1", "delta_3", "delta_2", "delta_1"]
    assert [sorted(names) for names in held] == [[], ["sent_1", "sent_2"], ["sent_1"], sorted(of_top)]
    sums = {obj.name: obj.abstract_code for obj in happening(hierarchy) if "summed" in obj.name}
    for name, read in (("forward_1", "sent_pre"), ("forward_2", "sent_2_pre"), ("forward_3", "sent_1_pre"),
                       ("feedback_2", "fed_back_pre"), ("feedback_2", "delta_pre"), ("feedback_3", "fed_back_3_pre"),
                       ("feedback_3", "delta_3_pre")):  # fmt: skip
        assert any(of.startswith(name) and f"weight*{read}" in code for of, code in sums.items()), (name, read)


def test_a_wake_slot_sweeps_up_then_down_then_learns():
    hierarchy = hierarchy_of(5, 4, 3, 2)
    in_wake = {"stimulus_gate", "input_gate", "forward_gate", "response_gate", "error_gate", "feedback_gate",
               "weight_update_gate"}  # fmt: skip
    names = [obj.name for obj in happening(hierarchy) if obj.gate in in_wake]
    order = [
        "population_0_stimulus", "forward_1_summed", "population_1_layer_response", "forward_2_summed",
        "population_2_layer_response", "forward_3_summed", "population_3_excitation", "population_3_layer_response",
        "population_3_output_error", "feedback_3_summed", "population_2_activation_reciprocal", "feedback_2_summed",
        "population_1_activation_reciprocal", "forward_1_weight_update",
    ]  # fmt: skip
    places = [next(at for at, name in enumerate(names) if name.startswith(expected)) for expected in order]
    assert places == sorted(places)


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


def test_recording_waits_for_its_gate():
    hierarchy = hierarchy_of(3, 2)
    monitor = hierarchy.record(1, "rate")
    assert isinstance(monitor, StateMonitor) and monitor.gate == "record_gate"
    assert hierarchy.record(0, "rate", "noise_gate").gate == "noise_gate"
    names = [obj.name for obj in hierarchy.network.sorted_objects]
    assert names.index(monitor.name) > names.index("population_1_layer_response")


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
        for name in ("rate", "sent", "basal_input", "delta", "weight"):
            if name in group.variables:
                assert group.variables[name].dtype == np.dtype(dtype), (group.name, name)

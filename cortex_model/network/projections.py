"""Projections: one Synapses object each, their local plasticity, and pools that sum over one population."""

from brian2 import NeuronGroup, Synapses

from cortex_model.equations import (
    EQUATIONS,
    FEEDBACK_PROJECTION,
    FORWARD_PROJECTION,
    NUMBERS,
    SLEEP_ACTIVITY,
    SLEEP_RULES,
)
from cortex_model.network.clockwork import LEVEL, ORDER


def projection(parameters, direction, level, lower, upper, clockwork):
    """The forward projection l-1 -> l, or the feedback projection l -> l-1, for l = ``level``."""
    if direction == "forward":
        ends, model, target = (lower, upper), FORWARD_PROJECTION, "basal_input_post"
        order = ORDER["forward"] + LEVEL * level + 1
        gate = "forward_gate" if level in parameters.feedback_layers else "input_gate"
    else:
        ends, model, target = (upper, lower), FEEDBACK_PROJECTION, "apical_drive_post"
        order = ORDER["feedback"] + LEVEL * (parameters.n_layers - level + 1) + 1
        gate = "feedback_gate" if level > 1 else "reconstruction_gate"
    synapses = Synapses(*ends, model, name=f"{direction}_{level}")
    clockwork.sum(synapses, target, order, gate)
    clockwork.show(synapses, *NUMBERS)
    return synapses


def wake_step(parameters):
    """Step of every change in wake, as an expression."""
    return "learning_rate" + ("*parameter_reciprocal" if parameters.presynaptic_normalisation else "")


def add_plasticity(parameters, level, forward, feedback, clockwork):
    """What changes the weights of a pair; ``feedback`` is None where the pair is not reciprocal."""
    p, step, order = parameters, clockwork.step, ORDER["plasticity"] + level
    code = EQUATIONS["weight_update"].format(step=wake_step(p))
    step(forward, "weight_update", code, order, "weight_update_gate")
    if feedback is None:
        return
    code = EQUATIONS["transposed_weight_update"].format(step=wake_step(p))
    step(feedback, "transposed_weight_update", code, order, "transposed_update_gate")
    seen = {"activity": SLEEP_ACTIVITY[p.sleep_rule] + "_pre"}
    normalised = "*sleep_reciprocal" if p.sleep_normalisation else ""
    code = EQUATIONS["feedback_update"].format(step="sleep_learning_rate" + normalised, **seen)
    step(feedback, "feedback_update", code, order, "feedback_update_gate")
    if "difference_above" in SLEEP_RULES[p.sleep_rule]:
        code = EQUATIONS["forward_update"].format(step="forward_sleep_learning_rate" + normalised, **seen)
        step(forward, "forward_update", code, order, "forward_update_gate")


# ---------------------------------------------------------------------- pools
def pool(group, total, expression, order, gate, clockwork, more=""):
    """One neuron that sums ``expression`` over a population, and the Synapses by which it does."""
    neuron = NeuronGroup(1, f"{total} : 1\n{more}", name=f"{group.name}_{total}")
    synapses = Synapses(group, neuron, f"{total}_post = {expression} : 1 (summed)", name=f"{neuron.name}_pool")
    clockwork.sum(synapses, f"{total}_post", order, gate)
    return neuron, synapses


def excitation_pool(top, n_layers, clockwork):
    """Divisive normalisation: the pool by whose sum the top population's excitation is divided (softmax)."""
    order = ORDER["forward"] + LEVEL * n_layers + 3
    neuron, synapses = pool(top, "pooled_excitation", "excitation_pre", order, "response_gate", clockwork)
    _share("pooled_excitation", neuron, [top])
    return neuron, synapses


def rate_power_pool(parameters, presynaptic, seers, clockwork):
    """|h|^2 of a presynaptic population, by which `weight_update` is divided (`parameter_reciprocal`)."""
    neuron, synapses = pool(
        presynaptic, "rate_power", "rate_pre*rate_pre", ORDER["power"], "weight_update_gate", clockwork,
        "parameter_reciprocal : 1",
    )  # fmt: skip
    code = EQUATIONS["parameter_reciprocal"].format(power="(rate_power + 1)" if parameters.biases else "rate_power")
    clockwork.step(neuron, "parameter_reciprocal", code, ORDER["power"] + 1, "weight_update_gate")
    _share("parameter_reciprocal", neuron, seers)
    return neuron, synapses


def sent_power_pool(parameters, presynaptic, seers, clockwork):
    """|up|^2 or |down|^2, by which a step in sleep is divided (``sleep_normalisation``)."""
    activity = SLEEP_ACTIVITY[parameters.sleep_rule] + "_pre"
    neuron, synapses = pool(
        presynaptic, "sent_power", f"{activity}*{activity}", ORDER["power"], "sleep_power_gate", clockwork,
        "sleep_reciprocal : 1",
    )  # fmt: skip
    code = EQUATIONS["sleep_reciprocal"]
    clockwork.step(neuron, "sleep_reciprocal", code, ORDER["power"] + 1, "sleep_power_gate")
    _share("sleep_reciprocal", neuron, seers)
    return neuron, synapses


def _share(name, neuron, seers):
    for seer in seers:
        if seer is not None:
            seer.variables.add_reference(name, neuron, name, index="0")

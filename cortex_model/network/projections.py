"""Projections: one Synapses object each, their local plasticity, and pools that sum over one population."""

from brian2 import Synapses

from cortex_model.equations import (
    BIAS_PROJECTION,
    EQUATIONS,
    FEEDBACK_PROJECTION,
    FORWARD_PROJECTION,
    SLEEP_ACTIVITY,
    SLEEP_RULES,
    numbers_of,
)
from cortex_model.network.clockwork import LEVEL, ORDER
from cortex_model.network.leaky import delayed_feedback, delayed_forward


def projection(parameters, direction, level, lower, upper, clockwork):
    """The forward projection l-1 -> l, or the feedback projection l -> l-1, for l = ``level``."""
    p, is_leaky = parameters, parameters.is_leaky
    if direction == "forward":
        model = delayed_forward(p, level) if is_leaky else FORWARD_PROJECTION
        ends, target = (lower, upper), "basal_input_post"
        order = ORDER["forward"] + LEVEL * level + 1
        is_of_what_is_held = is_leaky and level == 1  # a stimulus, or noise: summed once, when it arrives
        gate = "forward_gate" if level in p.feedback_layers and not is_of_what_is_held else "input_gate"
    else:
        model = delayed_feedback(p, level) if is_leaky else FEEDBACK_PROJECTION
        ends, target = (upper, lower), "apical_drive_post"
        order = ORDER["feedback"] + LEVEL * (parameters.n_layers - level + 1) + 1
        gate = "feedback_gate" if level > 1 else "reconstruction_gate"
    synapses = Synapses(*ends, model, name=f"{direction}_{level}")
    clockwork.sum(synapses, target, order, gate)
    if "error_drive_post" in synapses.summed_updaters:
        clockwork.sum(synapses, "error_drive_post", order, "error_gate", is_connected=True)
    clockwork.show(synapses, *numbers_of(parameters.dynamics))
    return synapses


def bias_projection(parameters, level, always_active, upper, clockwork):
    """Biases of population ``level``: the weights of synapses from one neuron whose rate is always 1."""
    synapses = Synapses(always_active, upper, BIAS_PROJECTION, name=f"bias_{level}")
    # what is held is summed once a presentation: in the leaky mode that is once in many slots
    gate = "stimulus_gate" if parameters.is_leaky else "response_gate"
    clockwork.sum(synapses, "bias_post", ORDER["forward"] + LEVEL * level + 1, gate)
    clockwork.show(synapses, *numbers_of(parameters.dynamics))
    return synapses


def add_plasticity(parameters, level, forward, feedback, bias, clockwork):
    """What changes the weights of a pair; ``feedback`` and ``bias`` are None where there is none."""
    p, step, order = parameters, clockwork.step, ORDER["plasticity"] + level
    wake_step = ("*parameter_reciprocal" if p.presynaptic_normalisation else "") + clockwork.share
    code = EQUATIONS["weight_update"].format(step="learning_rate" + wake_step)
    step(forward, "weight_update", code, order, "weight_update_gate")
    if bias is not None:
        code = EQUATIONS["bias_update"].format(step="learning_rate" + wake_step)
        step(bias, "bias_update", code, ORDER["plasticity"], "weight_update_gate")
    if feedback is None:
        return
    code = EQUATIONS["transposed_weight_update"].format(step="transposed_learning_rate" + wake_step)
    step(feedback, "transposed_weight_update", code, order, "transposed_update_gate")
    for synapses in (forward, feedback):
        code = EQUATIONS["weight_decay"].format(step="decay_rate" + clockwork.share)
        step(synapses, "weight_decay", code, ORDER["plasticity"], "weight_decay_gate")
    seen = {"activity": SLEEP_ACTIVITY[p.sleep_rule] + "_pre"}
    normalised = ("*sleep_reciprocal" if p.sleep_normalisation else "") + clockwork.share
    code = EQUATIONS["feedback_update"].format(step="sleep_learning_rate" + normalised, **seen)
    step(feedback, "feedback_update", code, order, "feedback_update_gate")
    if "difference_above" in SLEEP_RULES[p.sleep_rule]:
        code = EQUATIONS["forward_update"].format(step="forward_sleep_learning_rate" + normalised, **seen)
        step(forward, "forward_update", code, order, "forward_update_gate")


# ---------------------------------------------------------------------- pools
def pool(group, total, expression, order, gate, clockwork, more=""):
    """One neuron a stimulus that sums ``expression`` over a population, and the Synapses by which it does."""
    neuron = clockwork.group(1, f"{total} : 1\n{more}", f"{group.name}_{total}")
    synapses = Synapses(group, neuron, f"{total}_post = {expression} : 1 (summed)", name=f"{neuron.name}_pool")
    clockwork.sum(synapses, f"{total}_post", order, gate, pooled=True)
    return neuron, synapses


def excitation_pool(top, n_layers, clockwork):
    """Divisive normalisation: the pool by whose sum the top population's excitation is divided (softmax)."""
    order = ORDER["forward"] + LEVEL * n_layers + 3
    neuron, synapses = pool(top, "pooled_excitation", "excitation_pre", order, "response_gate", clockwork)
    clockwork.show(top, "pooled_excitation", of=neuron)
    return neuron, synapses


def rate_power_pool(parameters, presynaptic, seers, clockwork):
    """|h|^2 of a presynaptic population, by which `weight_update` is divided (`parameter_reciprocal`)."""
    neuron, synapses = pool(
        presynaptic, "rate_power", "rate_pre*rate_pre", ORDER["power"], "weight_update_gate", clockwork,
        "parameter_reciprocal : 1",
    )  # fmt: skip
    code = EQUATIONS["parameter_reciprocal"].format(power="(rate_power + 1)" if parameters.biases else "rate_power")
    clockwork.step(neuron, "parameter_reciprocal", code, ORDER["power"] + 1, "weight_update_gate")
    for seer in filter(None, seers):
        clockwork.show(seer, "parameter_reciprocal", of=neuron)
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
    for seer in filter(None, seers):
        clockwork.show(seer, "sleep_reciprocal", of=neuron)
    return neuron, synapses

"""Populations: rate-based NeuronGroups, and the equations that happen in them in wake and in sleep."""

from brian2.utils.stringtools import word_substitute

from cortex_model.equations import (
    LEAKY_POPULATION,
    NONLINEARITIES,
    POPULATION,
    SLEEP_RULES,
    SLOPE_RULES,
    TOP_NONLINEARITIES,
    equations_of,
    numbers_of,
)
from cortex_model.network.clockwork import LEVEL, ORDER
from cortex_model.network.leaky import add_time, axons, in_sleep
from cortex_model.network.noise import noise_function
from cortex_model.network.tanh import tanh_function


def population(parameters, level, clockwork):
    """The NeuronGroup of population ``level``, with everything its equations see."""
    p, model = parameters, POPULATION
    is_input, is_top = level == 0, level == p.n_layers
    if p.sleep_rule != "recirculation":
        model += "held : 1\n"
    if p.is_leaky:
        model += LEAKY_POPULATION + axons(p, level)
    if is_input:
        model += "stimulus_index : integer\n"
    if is_top:
        model += "excitation : 1\ntarget_index : integer\nreadout_index : integer\n"
    namespace = {"noise": noise_function(p.noise_distribution), "tanh_of": tanh_function()}
    group = clockwork.group(p.layer_sizes[level], model, f"population_{level}", namespace=namespace)
    clockwork.show(
        group, "presentation", "descending", "noise_seed", "stimulus_row", "readout_row", *numbers_of(p.dynamics)
    )
    if level + 1 in p.feedback_layers:
        clockwork.show(group, f"apical_gain_{level + 1}", called="apical_gain")
    if is_input:
        group.variables.add_reference("stimulus", clockwork.stimuli, "rate", index="stimulus_index")
    if is_top:
        group.variables.add_reference("target", clockwork.targets, "rate", index="target_index")
        group.variables.add_reference("answer", clockwork.readout, "rate", index="readout_index")
    return group


def add_wake(parameters, level, group, clockwork):
    """Equations of wake and evaluation: response, output error or what feedback carries."""
    p, step, n = parameters, clockwork.step, parameters.layer_sizes[level]
    equations, is_leaky = equations_of(p.dynamics), p.is_leaky
    in_row = f"stimulus_row*{n} + {clockwork.neuron(n)}"
    if level == 0:
        step(group, "row", f"stimulus_index = {in_row}", ORDER["row"], "stimulus_gate")
        step(group, "stimulus", equations["stimulus"], ORDER["stimulus"], "stimulus_gate")
        return
    order = ORDER["forward"] + LEVEL * level
    relax = ORDER["relax"] if is_leaky else None
    rate, slope = NONLINEARITIES[p.nonlinearity]
    rate = word_substitute(rate, {"tanh": "tanh_of"})  # Brian2 would take its own
    if level == p.n_layers:
        rate = TOP_NONLINEARITIES[p.top]
        step(group, "target_row", f"target_index = {in_row}", ORDER["row"], "error_gate")
        step(group, "answer_row", f"readout_index = readout_row*{group.N} + i", ORDER["row"], "record_gate")
        step(group, "answer", "answer = rate", ORDER["record"], "record_gate")
        step(group, "output_error", equations["output_error"], relax + 4 if is_leaky else ORDER["top"], "error_gate")
        if p.top == "softmax":
            step(group, "excitation", equations["excitation"], order + 2, "response_gate")
    else:
        slope = word_substitute(slope, {"rate": "response"}) if is_leaky else slope  # sigma' of the present drive
        code = equations["activation_reciprocal"].format(slope_factor=SLOPE_RULES[p.slope_rule].format(slope=slope))
        after_sum = relax + 2 if is_leaky else ORDER["feedback"] + LEVEL * (p.n_layers - level) + 2
        step(group, "activation_reciprocal", code, after_sum, "error_gate")
    code = equations["layer_response"].format(rate=rate)
    step(group, "layer_response", code, relax if is_leaky else order + 4, "response_gate")


def add_sleep(parameters, level, group, clockwork, is_lower, is_upper):
    """Noise and the moments of recirculation.

    Parameters
    ----------
    is_lower, is_upper : bool
        Whether the population is the lower, or the upper, end of a reciprocal pair; most are both.
    """
    moments, is_leaky = SLEEP_RULES[parameters.sleep_rule], parameters.is_leaky
    if is_lower or is_upper:
        n = parameters.layer_sizes[level]
        presented = {"presentation": clockwork.presentation(), "neuron": clockwork.neuron(n)}
        code = equations_of(parameters.dynamics)["noise"].format(population=level, **presented)
        clockwork.step(group, "noise", code, ORDER["noise"], "noise_gate")
    for moment, applies, order, gate in (
        ("hold_below", is_lower, "hold", "send_back_gate"),
        ("hold_above", is_upper, "hold", "send_back_gate"),
        ("send_back", is_lower, "send_back", "send_back_gate"),
        ("send_up_again", is_upper, "send_up_again_relaxed" if is_leaky else "send_up_again", "send_up_again_gate"),
        ("difference_below", is_lower, "difference", "difference_below_gate"),
        ("difference_above", is_upper, "difference", "difference_above_gate"),
    ):
        if applies and moment in moments:
            code = in_sleep(moments[moment]) if is_leaky else moments[moment]
            clockwork.step(group, moment, code, ORDER[order], gate)
    if is_leaky:
        add_time(parameters, level, group, clockwork, is_lower, is_upper)

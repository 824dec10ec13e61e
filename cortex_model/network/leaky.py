"""What populations and projections have besides in the leaky mode: axons along which things take time, and recall.

What an axon carries moves on by one variable a time step (``sent_1`` is ``sent`` of a step ago), so that a projection
with a delay of k steps reads the k-th; dense loops know of no delays.
"""

from brian2.utils.stringtools import word_substitute

from cortex_model.equations import (
    ERROR_SUM,
    FEEDBACK_PROJECTION,
    FORWARD_PROJECTION,
    LEAKY_EQUATIONS,
    LEAKY_SLEEP,
    NONLINEARITIES,
    REST,
)
from cortex_model.network.clockwork import ORDER


def _arrives(variable, delay):
    """What a projection reads of a presynaptic variable."""
    return f"{variable}_{delay}" if delay else variable


def delayed_forward(parameters, level):
    """Model of the forward projection l-1 -> l."""
    sent = _arrives("sent", parameters.forward_delays[level])
    return word_substitute(FORWARD_PROJECTION, {"sent_pre": f"{sent}_pre"})


def delayed_feedback(parameters, level):
    """Model of the feedback projection l -> l-1: one sum of rates and, above the input, one of errors."""
    delay = parameters.feedback_delays[level]
    model = FEEDBACK_PROJECTION + ("\n" + ERROR_SUM if level > 1 else "")
    sent, delta = _arrives("fed_back", delay), _arrives("delta", delay)
    return word_substitute(model, {"sent_pre": f"{sent}_pre", "delta_pre": f"{delta}_pre"})


def _lengths(parameters, level):
    """Variable that axons of population l carry -> steps of the longest of them."""
    p = parameters
    if p.feedback_from_top:
        descending = p.feedback_delays if level == p.n_layers else {}
    else:
        descending = {l: delay for l, delay in p.feedback_delays.items() if l == level}
    lengths = {"sent": p.forward_delays.get(level + 1, 0), "fed_back": max(descending.values(), default=0)}
    return lengths | {"delta": max((delay for l, delay in descending.items() if l > 1), default=0)}


def _on_the_way(parameters, level):
    """Variables that hold what is on its way, those that were sent first first: (variable, what moves into it)."""
    for variable, length in _lengths(parameters, level).items():
        for k in range(length, 0, -1):
            yield f"{variable}_{k}", _arrives(variable, k - 1)


def axons(parameters, level):
    """Variables of population l that hold what is on its way along its axons."""
    return "".join(f"{name} : 1\n" for name, _ in _on_the_way(parameters, level))


def in_sleep(code):
    """A moment of sleep in terms of what compartments have relaxed to."""
    return word_substitute(code, LEAKY_SLEEP)


def add_time(parameters, level, group, clockwork, is_lower, is_upper):
    """Equations of population l that only the leaky mode has.

    Parameters
    ----------
    is_lower, is_upper : bool
        Whether the population is the lower, or the upper, end of a reciprocal pair.
    """
    p, step, on_the_way = parameters, clockwork.step, list(_on_the_way(parameters, level))
    rest = "\n".join(f"{name} = 0" for name in [*REST, *(name for name, _ in on_the_way)])
    step(group, "rest", rest, ORDER["rest"], "rest_gate")
    if on_the_way:
        moved = "\n".join(f"{name} = {before}" for name, before in on_the_way)
        step(group, "conduction", moved, ORDER["conduction"], "conduction_gate")
    if is_lower or is_upper:
        step(group, "compartments", LEAKY_EQUATIONS["compartments"], ORDER["relax"], "compartment_gate")
    if is_upper:
        step(group, "recirculation", LEAKY_EQUATIONS["recirculation"], ORDER["recirculation"], "recirculation_gate")
    if level == p.n_layers:
        n = p.layer_sizes[level]
        row = f"target_index = stimulus_row*{n} + {clockwork.neuron(n)}"
        step(group, "top_state_row", row, ORDER["row"], "top_state_gate")
        step(group, "top_state", LEAKY_EQUATIONS["top_state"], ORDER["stimulus"], "top_state_gate")
    elif level > 0 or p.feedback_to_input:
        rate = NONLINEARITIES[p.nonlinearity if level > 0 else "linear"][0]
        rate = word_substitute(rate, {"basal_drive": "apical_drive", "tanh": "tanh_of"})
        step(group, "recall", LEAKY_EQUATIONS["recall"].format(rate=rate), ORDER["relax"], "recall_gate")

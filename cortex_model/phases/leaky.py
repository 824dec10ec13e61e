"""When gates are open in a presentation that takes time: kind of slot -> the gates of each of its time steps."""

from cortex_model.phases.kinds import ASCENDING, DESCENDING, PERCEPTION, PHASES, RECALL, RETURNING, WAKE

#: Gates that are open through all steps. Others open where something changes: sums of what is held are formed once, in
#: the step in which it arrives.
THROUGHOUT = {"response_gate", "recall_gate", "trace_gate", "conduction_gate", "compartment_gate", "recirculation_gate"}
#: Gates that are open in the first step: what is held from then on.
AT_FIRST = {"rest_gate", "stimulus_gate", "noise_gate", "send_back_gate", "top_state_gate"}
#: Gates that are open in the last step, once everything has relaxed: plasticity takes one step.
AT_LAST = {
    "record_gate", "weight_update_gate", "transposed_update_gate", "weight_decay_gate", "send_up_again_gate",
    "difference_below_gate", "difference_above_gate", "sleep_power_gate", "feedback_update_gate", "forward_update_gate",
}  # fmt: skip

#: What perception and recall open.
TRACING = {
    PERCEPTION: {"stimulus_gate", "input_gate", "forward_gate", "response_gate", "feedback_gate", "trace_gate"},
    RECALL: {"top_state_gate", "recall_gate", "feedback_gate", "trace_gate"},
}


def gates_in_time(gates: dict[int, set[str]], parameters) -> dict[int, list[set[str]]]:
    """Kind of slot -> the gates that are open in each of its time steps.

    Parameters
    ----------
    gates : dict
        Kind -> gates that are open in it where all settles at once.
    parameters : HierarchyParameters
        Steps and delays.

    Returns
    -------
    steps : dict of list of set of str
        ``n_steps`` sets for each kind.
    """
    return {
        kind: _steps(kind, opened | _besides(kind, opened, parameters), parameters) for kind, opened in gates.items()
    }


def _besides(kind, opened, p):
    """Gates that a kind of slot opens only where it takes time."""
    more, sleeps = {"conduction_gate"}, kind in PHASES["sleep"]
    if kind != RETURNING:  # which goes on from where the stretch before it ended
        more.add("rest_gate")
    if sleeps:
        more.add("compartment_gate")
    if "send_up_again_gate" in opened:
        more.add("recirculation_gate")
    if p.feedback_to_input:
        if sleeps and "forward_gate" in opened:
            more.add("input_gate")
        if kind in (WAKE, PERCEPTION, RECALL):  # feedback says all the time what it makes of the rates above
            more.add("reconstruction_gate")
    return more


def _steps(kind, opened, p):
    """The gates of each step."""
    last, every = p.n_steps - 1, range(p.n_steps)
    forward = {p.forward_delays[l] for l in p.feedback_layers if l > 1}
    feedback = {p.feedback_delays[l] for l in p.feedback_layers}
    when = dict.fromkeys(THROUGHOUT, every) | dict.fromkeys(AT_FIRST, {0}) | dict.fromkeys(AT_LAST, {last})
    when |= {
        "error_gate": range(p.onset_step, p.n_steps),
        "input_gate": {p.forward_delays[1]},
        "forward_gate": forward if kind in (ASCENDING, RETURNING) else every,
        "feedback_gate": feedback if kind == DESCENDING else every,
        "reconstruction_gate": feedback if kind == DESCENDING else every,
    }
    return [{gate for gate in opened if step in when[gate]} for step in every]

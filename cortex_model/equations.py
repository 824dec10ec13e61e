"""The paper in Brian2's language: one string per named equation, and what joins them.

Populations carry a ``rate``, a basal and an apical compartment, and one variable that every projection
transmits, ``sent``. What ``sent`` holds - rate, noise, drive or delta - depends on the moment.

========================  ====================================================================
letter of the paper       variable here
========================  ====================================================================
a_l                       ``basal_drive`` (= ``basal_input`` + ``bias``)
h_l                       ``rate``
e, B_l e                  ``delta`` (at the top: the output error; below: what feedback carries)
W_l (or U)                ``weight`` of the forward projection l-1 -> l
V_l                       ``weight`` of the feedback projection l -> l-1
lambda                    ``learning_rate``
========================  ====================================================================

`network` turns these strings into Brian2 objects; the tests compare every one of them with `theory`.
"""

#: name -> (rate, slope) as functions of ``basal_drive`` and, where it is cheaper, of ``rate`` itself.
NONLINEARITIES = {
    "linear": ("basal_drive", "1"),
    "threshold_linear": ("basal_drive*int(basal_drive > 0)", "int(basal_drive > 0)"),
    "tanh": ("tanh(basal_drive)", "(1 - rate*rate)"),
    "sigmoid": ("1/(1 + exp(-basal_drive))", "(rate*(1 - rate))"),
    "softplus": (
        "basal_drive*int(basal_drive > 0) + log(1 + exp(-abs(basal_drive)))",
        "(1/(1 + exp(-basal_drive)))",
    ),
}

#: Rates of the top population; each is paired with the loss whose gradient is ``rate - target``.
#: softmax is divisive normalisation: a pool sums ``excitation`` over the population.
TOP_NONLINEARITIES = {
    "linear": "basal_drive",
    "sigmoid": "1/(1 + exp(-basal_drive))",
    "softmax": "excitation/pooled_excitation",
}

#: D_l, by which a population weighs the feedback that reaches it. {slope} is the nonlinearity's.
SLOPE_RULES = {
    "derivative": "{slope}",
    "reciprocal": "(int({slope} > slope_cutoff)/({slope} + int({slope} <= 0)))",
    "none": "1",
}

#: Variables of every population.
POPULATION = """
rate : 1
sent : 1
basal_input : 1
apical_drive : 1
delta : 1
difference : 1
bias : 1
basal_drive = basal_input + bias : 1
"""

#: Sums over a projection's synapses: what arrives in the basal, or the apical, compartment.
FORWARD_PROJECTION = "weight : 1\nbasal_input_post = weight*sent_pre : 1 (summed)"
BIAS_PROJECTION = "weight : 1\nbias_post = weight*rate_pre : 1 (summed)"
FEEDBACK_PROJECTION = "weight : 1\napical_drive_post = weight*sent_pre : 1 (summed)"

#: Every equation that happens in a moment of a presentation. Braces are filled in from the tables above.
EQUATIONS = {
    # ---- wake and evaluation
    "stimulus": "rate = stimulus\nsent = rate",
    "excitation": "excitation = exp(clip(basal_drive, -80, 80))",
    "layer_response": "rate = {rate}\nsent = rate",
    "output_error": "delta = rate - target\nsent = delta",
    "activation_reciprocal": "delta = {slope_factor}*(apical_gain*apical_drive)\nsent = delta",
    "parameter_reciprocal": "parameter_reciprocal = int({power} > 0)/({power} + int({power} <= 0))",
    "weight_update": "weight += -{step}*delta_post*rate_pre",
    "bias_update": "weight += -{step}*delta_post",
    "transposed_weight_update": "weight += -{step}*delta_pre*rate_post",
    "weight_decay": "weight += -{step}*weight",
    # ---- sleep
    "noise": "rate = noise(noise_seed, {presentation}, {population} + 65536*descending, {neuron})\nsent = rate",
    "feedback_update": "weight += {step}*(difference_post*{activity} - damping*weight)",
    "forward_update": "weight += {step}*(difference_post*{activity} - damping*weight)",
    "sleep_reciprocal": "sleep_reciprocal = int(sent_power > 0)/(sent_power + int(sent_power <= 0))",
}

#: The moments of sleep, rule by rule. Each pair of adjacent populations is trained at once: `below` is the
#: lower population of a pair, `above` the upper one; most populations are both. `recirculation_cycle` of the
#: theory is the first row.
SLEEP_RULES = {
    "recirculation": {
        "send_up_again": "sent = basal_input",
        "difference_below": "difference = noise_gain*rate - reconstruction*apical_drive",
        "send_back": "sent = apical_drive",
        "difference_above": "difference = noise_gain*rate - basal_input",
    },
    "hinton_mcclelland": {
        "send_up_again": "sent = basal_input",
        "difference_below": "difference = rate - (regression*rate + (1 - regression)*apical_drive)",
        "hold_above": "held = basal_input",
        "send_back": "sent = regression*rate + (1 - regression)*apical_drive",
        "difference_above": "difference = held - (regression*held + (1 - regression)*basal_input)",
    },
    "ben_israel": {
        "hold_below": "held = apical_drive",
        "send_back": "sent = apical_drive",
        "send_up_again": "sent = basal_input",
        "difference_below": "difference = held - apical_drive",
    },
}
#: The presynaptic activity that a sleep rule's plasticity sees.
SLEEP_ACTIVITY = {"recirculation": "sent", "hinton_mcclelland": "sent", "ben_israel": "rate"}

# ---------------------------------------------------------------------- leaky mode
#: More variables of a population whose rate takes time: where the rate is going, what feedback projections carry of
#: it, the second sum of a feedback projection (an error beside a reconstruction), and what the two compartments have
#: relaxed to in sleep, where there is no nonlinearity.
LEAKY_POPULATION = """
response : 1
fed_back : 1
error_drive : 1
basal_response : 1
apical_response : 1
"""
#: Back to rest, where every presentation begins.
REST = (
    "rate", "sent", "fed_back", "delta", "basal_input", "apical_drive", "error_drive", "basal_response",
    "apical_response",
)  # fmt: skip

#: The second sum over the synapses of a feedback projection.
ERROR_SUM = "error_drive_post = weight*delta_pre : 1 (summed)"

#: What takes the place of `EQUATIONS` of the same names, and what there is besides. ``relaxation`` is
#: 1 - exp(-dt/tau): each step is exact for a drive that is held through it.
LEAKY_EQUATIONS = {
    "layer_response": "response = {rate}\nrate += relaxation*(response - rate)\nsent = rate\nfed_back = rate",
    "recall": "response = {rate}\nrate += relaxation*(response - rate)\nfed_back = rate",
    "top_state": "rate = target\nfed_back = rate",
    "activation_reciprocal": "delta += relaxation*({slope_factor}*(apical_gain*error_drive) - delta)",
    "output_error": "delta = rate - target",
    "noise": "rate = noise(noise_seed, {presentation}, {population} + 65536*descending, {neuron})\n"
    "sent = rate*(1 - descending)\nfed_back = rate*descending",
    "recirculation": "fed_back = basal_response",
    "compartments": "basal_response += relaxation*(basal_input - basal_response)\n"
    "apical_response += relaxation*(apical_drive - apical_response)",
}
#: In the moments of `SLEEP_RULES` what has been relaxed to takes the place of what drives.
LEAKY_SLEEP = {"basal_input": "basal_response", "apical_drive": "apical_response"}

#: Every gate, and what is open with it.
GATES = {
    "stimulus_gate": "a stimulus drives the input population",
    "input_gate": "forward sums without a reciprocal projection (W_1)",
    "forward_gate": "forward sums of reciprocal pairs",
    "response_gate": "populations answer with their nonlinearity",
    "record_gate": "the top population's rates are kept",
    "error_gate": "the output error is formed and travels down",
    "feedback_gate": "feedback sums between populations above the input",
    "reconstruction_gate": "the feedback sum to the input (V_1)",
    "weight_update_gate": "weight_update: forward synapses and biases learn",
    "transposed_update_gate": "feedback synapses follow the forward ones (backpropagation, kolen_pollack)",
    "weight_decay_gate": "forward and feedback synapses of reciprocal pairs decay (kolen_pollack)",
    "noise_gate": "noise takes the place of the rates",
    "send_up_again_gate": "upper populations send what reached them",
    "difference_below_gate": "lower populations compare two moments of recirculation",
    "send_back_gate": "lower populations send what reached them",
    "difference_above_gate": "upper populations compare two moments of recirculation",
    "sleep_power_gate": "presynaptic power is pooled for normalised steps",
    "feedback_update_gate": "feedback_update: feedback synapses learn in sleep",
    "forward_update_gate": "forward_update: forward synapses learn in sleep",
}

#: Gates that there are in the leaky mode besides.
LEAKY_GATES = {
    "rest_gate": "everything returns to rest, before a presentation",
    "conduction_gate": "what is on its way along axons goes on by a step",
    "compartment_gate": "compartments relax to what drives them, in sleep",
    "recirculation_gate": "feedback projections carry what has reached the basal compartment, in sleep",
    "top_state_gate": "a state is given to the top population, in recall",
    "recall_gate": "populations answer to their apical drive",
    "trace_gate": "rates are traced in time",
}

#: Numbers of ``now`` that every equation may see, and what each is where a run does not say: steps are 0, factors 1.
NUMBERS = {
    "learning_rate": 0.0,
    "transposed_learning_rate": 0.0,
    "decay_rate": 0.0,
    "sleep_learning_rate": 0.0,
    "forward_sleep_learning_rate": 0.0,
    "damping": 0.0,
    "noise_gain": 1.0,
    "reconstruction": 1.0,
    "regression": 0.0,
    "slope_cutoff": 0.0,
}
#: The one that there is in the leaky mode besides; where it is 1, everything settles in a step.
LEAKY_NUMBERS = {"relaxation": 1.0}


def equations_of(dynamics: str) -> dict[str, str]:
    """The equations of the settled, or of the leaky mode, by name."""
    return EQUATIONS | LEAKY_EQUATIONS if dynamics == "leaky" else EQUATIONS


def gates_of(dynamics: str) -> dict[str, str]:
    """The gates of the settled, or of the leaky mode, and what is open with each."""
    return GATES | LEAKY_GATES if dynamics == "leaky" else GATES


def numbers_of(dynamics: str) -> dict[str, float]:
    """The numbers of the settled, or of the leaky mode, and what each is where a run does not say."""
    return NUMBERS | LEAKY_NUMBERS if dynamics == "leaky" else NUMBERS


def content() -> dict[str, object]:
    """Every table of this file as it is now, by name; what is compiled from them depends on nothing else."""
    return {name: table for name, table in globals().items() if name.isupper()}

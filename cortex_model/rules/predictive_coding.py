r"""Predictive coding: populations predict each other, errors settle, and synapses learn from what is left of them.

Population l predicts nothing of itself: what the one below it makes of it, W_l h_{l-1} + b_l, is its prediction. It
holds a value a_l, which may differ, and an error, carried by error units:

    eps_l = a_l - (W_l h_{l-1} + b_l),  h_l = sigma(a_l);    at the top  eps_L = beta (h_L* - h_L)

Wake begins with a sweep upwards in which all errors are 0, and then infers for K steps: values move so that errors
become smaller,

    a_l += gamma (-eps_l + D_l c_{l+1} V_{l+1} eps_{l+1})

after which synapses change by the errors at their ends,

    dW_l = (lambda/beta) eps_l h_{l-1}^T,    db_l = (lambda/beta) eps_l

where gamma is the ``inference_rate``, K the ``inference_steps``, beta the ``top_precision`` and lambda the
``learning_rate``; other letters are those of `cortex_model.rules.hierarchy`. With V_l = W_l^T inference descends the
free energy F = sum_l |eps_l|^2/2 - beta h_L*^T log h_L (of a softmax top), and so does learning. For small beta the
values hardly move, the errors become those of backpropagation times -beta, and the update is backpropagation's.
Where things take time, tau da_l/dt = -eps_l + D_l c_{l+1} V_{l+1} eps_{l+1}: a time step is a step of inference.

All of it is local, given two compartments or two kinds of unit for value and error: what the rule leaves open is how
V_l comes to be W_l^T. ``feedback_learning`` says how:

- ``transpose``: V_l starts as W_l^T, and changes by the same product. Not local at the start.
- ``hebbian``: V_l starts at random and changes by the same product; W_l and V_l decay by ``weight_decay``, so that
  they come together (as `kolen_pollack`). Local.
- ``sleep``: V_l learns by recirculation, as in `reciprocal`: prediction errors travel down a learned pseudoinverse
  (``damping`` 0), or what is between it and the transpose. Local.

The top population has no value of its own: the target is clamped there.

Source: J. C. R. Whittington and R. Bogacz, "An approximation of the error backpropagation algorithm in a predictive
coding network with local Hebbian synaptic plasticity", Neural Computation 29, 2017; D. Mumford, "On the computational
architecture of the neocortex II", Biological Cybernetics 66, 1992.
"""

from dataclasses import replace

from cortex_model.language import Carry, Choice, Learn, Let, Number, Repeat, Rule, Settle, Show
from cortex_model.rules.hierarchy import (
    ABOVE_INPUT,
    BIASES,
    FEEDBACK,
    FORWARD,
    LEARNING_RATE,
    PERCEIVE,
    RECORDED,
    REMEMBERS,
    WITHOUT_LEARNING,
)
from cortex_model.rules.kolen_pollack import DECAY
from cortex_model.rules.kolen_pollack import RULE as KOLEN_POLLACK
from cortex_model.rules.reciprocal import RULE as RECIPROCAL

ERRORS = (
    Let(
        "hidden", "error = value - basal_drive",
        name="prediction_error", paper=r"$\varepsilon_l = a_l - W_l h_{l-1} - b_l$",
    ),
    Let(
        "top", "error = top_precision*(target - rate)",
        name="top_error", paper=r"$\varepsilon_L = \beta (h_L^* - h_L)$",
    ),
)  # fmt: skip
INFER = (
    Carry("V", "error", "error_drive", levels=ABOVE_INPUT, name="error_down", paper=r"$V_{l+1} \varepsilon_{l+1}$"),
    Let(
        "hidden", "value += inference_rate*(slope(value, rate)*(apical_gain*error_drive) - error)",
        name="inference", paper=r"$\Delta a_l = \gamma (D_l V_{l+1} \varepsilon_{l+1} - \varepsilon_l)$",
    ),
    Let("hidden", "rate = sigma(value)"),
    # what the input says of population 1 does not change
    Carry("W", "rate", "basal_input", levels="2..L"),
    Let("2..L", "basal_drive = basal_input + bias"),
    Let("top & 2..L", "response = top_sigma(basal_drive)"),
    Settle("top & 2..L", "rate", "response"),
)  # fmt: skip
#: In time a step is a round: a_l goes a part of its way to W_l h_{l-1} + b_l + D_l V_{l+1} eps_{l+1}.
IN_TIME = (
    Show("input", "rate = stimulus", name="stimulus"),
    Carry("b", "rate", "bias"),
    Carry("W", "rate", "basal_input", name="basal_input"),
    Let("above input", "basal_drive = basal_input + bias", name="basal_drive"),
    INFER[0],
    Settle(
        "hidden", "value", "basal_drive + slope(value, rate)*(apical_gain*error_drive)",
        before_onset=True, name="inference_in_time",
        paper=r"$\tau \dot a_l = -\varepsilon_l + D_l V_{l+1} \varepsilon_{l+1}$",
    ),
    INFER[2],
    Let("top", "response = top_sigma(basal_drive)"),
    Settle("top", "rate", "response", name="layer_response"),
    ERRORS[0],
    replace(ERRORS[1], from_onset=True),
)  # fmt: skip
LEARN = (
    Learn(
        "W", "error_learning_rate", "error_post*rate_pre", per="rate_pre",
        name="prediction_update", paper=r"$\Delta W_l = (\lambda/\beta)\, \varepsilon_l h_{l-1}^T$",
    ),
    Learn(
        "b", "error_learning_rate", "error_post", per="rate_pre of W",
        name="prediction_bias_update", paper=r"$\Delta b_l = (\lambda/\beta)\, \varepsilon_l$",
    ),
)  # fmt: skip
FOLLOW = Learn(
    "V", "error_learning_rate", "error_pre*rate_post", per="rate_post",
    name="transposed_prediction_update", paper=r"$\Delta V_l = \Delta W_l^T$",
)  # fmt: skip
WAKE = (
    *PERCEIVE,
    Let("hidden", "value = basal_drive"),
    *ERRORS,
    Repeat("inference_steps", *INFER, *ERRORS),
)

TRANSPOSE = Rule(
    "predictive_coding",
    projections={"W": FORWARD, "b": BIASES, "V": replace(FEEDBACK, start="transpose of W")},
    phases={"wake": (*WAKE, *LEARN, FOLLOW), **WITHOUT_LEARNING},
    timed={"wake": (*IN_TIME, *LEARN, FOLLOW)},
    numbers=LEARNING_RATE
    | {
        "inference_steps": Number(20, "K: steps in which values settle in wake", at_least=1, whole=True),
        "inference_rate": Number(0.2, "gamma: part of the way that values go in a step", above=0, at_most=1),
        "top_precision": Number(0.1, "beta: weight of the error at the top", above=0),
        "error_learning_rate": Number(
            "learning_rate/top_precision", "lambda/beta: step of prediction_update", at_least=0
        ),
    },
    remembers=REMEMBERS,
    recorded=(*RECORDED, "error"),
    paper="Whittington & Bogacz 2017",
    also_called="pc predictive free_energy whittington bogacz rao_ballard prediction_error mumford marino",
)
HEBBIAN = replace(
    TRANSPOSE,
    name="predictive_coding_hebbian",
    projections=TRANSPOSE.projections | {"V": FEEDBACK},
    phases=TRANSPOSE.phases | {"wake": (*WAKE, *DECAY, *LEARN, FOLLOW)},
    timed={"wake": (*IN_TIME, *DECAY, *LEARN, FOLLOW)},
    numbers=TRANSPOSE.numbers | {"weight_decay": KOLEN_POLLACK.numbers["weight_decay"]},
)
SLEEP = replace(
    TRANSPOSE,
    name="predictive_coding_sleep",
    projections=HEBBIAN.projections,
    phases=TRANSPOSE.phases | {"wake": (*WAKE, *LEARN), "sleep": RECIPROCAL.phases["sleep"]},
    timed={"wake": (*IN_TIME, *LEARN)},
    numbers=TRANSPOSE.numbers | {n: its for n, its in RECIPROCAL.numbers.items() if n not in TRANSPOSE.numbers},
    requires=RECIPROCAL.requires,
)
RULE = replace(
    TRANSPOSE,
    choices={
        "feedback_learning": Choice(
            "how V comes to carry errors: it follows W, learns the same from a random start, or learns in sleep",
            "transpose",
            {"hebbian": HEBBIAN, "sleep": SLEEP},
        )
    },
)

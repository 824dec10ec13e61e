r"""What rules of a hierarchy share: how it perceives, recalls, errs, carries its error down, and learns from it.

    a_l = W_l h_{l-1} + b_l,    h_l = sigma(a_l)
    e = h_L - h_L*,    delta_L = e,    delta_l = D_l * (c_{l+1} V_{l+1} delta_{l+1})
    dW_l = - lambda delta_l h_{l-1}^T,    db_l = - lambda delta_l

where h_l is the ``rate`` of population l, a_l its ``basal_drive``, W_l the forward weights from population l-1, b_l the
biases, sigma the nonlinearity; h_L* the ``target``, e the output error, delta_l the error that a population carries
(``delta``), V_l the feedback weights from population l to l-1, D_l the slope factor, c_l the ``apical_gain`` (1 unless
the host matches norms), and lambda the ``learning_rate``.

All of it is local: a synapse changes by what its own two neurons hold. The paper has no biases, and B_l e without D_l.
"""

from cortex_model.language import Carry, Climb, Descend, Learn, Let, Number, Projection, Settle, Show

#: W_l, V_l and b_l.
FORWARD = Projection("l-1", "l")
FEEDBACK = Projection("l", "l-1", "2..L")
BIASES = Projection("1", "l", start="zero")
#: Where V_l carries an error: not to the input, which has none.
ABOVE_INPUT = "2..L"

PERCEIVE = (
    Show("input", "rate = stimulus", name="stimulus"),
    Carry("b", "rate", "bias"),
    Climb(
        Carry("W", "rate", "basal_input", name="basal_input", paper=r"$W_l h_{l-1}$"),
        Let("above input", "basal_drive = basal_input + bias", name="basal_drive", paper=r"$a_l = W_l h_{l-1} + b_l$"),
        Let("hidden", "response = sigma(basal_drive)"),
        Let("top", "response = top_sigma(basal_drive)"),
        Settle("above input", "rate", "response", name="layer_response", paper=r"$h_l = \sigma(a_l)$"),
    ),
)

OUTPUT_ERROR = Let("top", "delta = rate - target", name="output_error", paper=r"$e = h_L - h_L^*$", from_onset=True)
ERROR_CARRIED = Carry(
    "V", "delta", "error_drive", levels=ABOVE_INPUT,
    name="error_drive", paper=r"$V_{l+1} \delta_{l+1}$",
)  # fmt: skip
ACTIVATION_RECIPROCAL = Settle(
    "hidden", "delta", "slope(basal_drive, response)*(apical_gain*error_drive)",
    name="activation_reciprocal", paper=r"$B_l = W_{l+1}^+ D^+ B_{l+1}$: $\delta_l = D_l V_{l+1} \delta_{l+1}$",
)  # fmt: skip
ERROR_DOWN = (OUTPUT_ERROR, Descend(ERROR_CARRIED, ACTIVATION_RECIPROCAL))

WEIGHT_UPDATE = Learn(
    "W", "-learning_rate", "delta_post*rate_pre", per="rate_pre",
    name="weight_update", paper=r"$\Delta W_l = -\lambda\, (B_l e)\, a_{l-1}^T$",
)  # fmt: skip
BIAS_UPDATE = Learn(
    "b", "-learning_rate", "delta_post", per="rate_pre of W",
    name="bias_update", paper=r"$\Delta b_l = -\lambda\, \delta_l$",
)  # fmt: skip
#: V stays, or becomes, the transpose of W: the same product, in the same order.
TRANSPOSED_WEIGHT_UPDATE = Learn(
    "V", "-learning_rate", "delta_pre*rate_post", per="rate_post",
    name="transposed_weight_update", paper=r"$\Delta V_l = \Delta W_l^T$",
)  # fmt: skip

#: A stimulus is held; feedback says what it makes of the rates above, and does not act on them.
PERCEPTION = (*PERCEIVE, Carry("V", "rate", "apical_drive", name="reconstruction", paper=r"$V_{l+1} h_{l+1}$"))
#: A state is held at the top; activity descends the feedback projections. The input has no nonlinearity.
RECALL = (
    Show("top", "rate = target", name="top_state"),
    Descend(
        Carry("V", "rate", "apical_drive"),
        Settle("hidden", "rate", "sigma(apical_drive)", name="recall", paper=r"$h_{l-1} = \sigma(V_l h_l)$"),
        Settle("input & post of V", "rate", "apical_drive"),
    ),
)

WITHOUT_LEARNING = {"evaluation": PERCEIVE, "perception": PERCEPTION, "recall": RECALL}
LEARNING_RATE = {"learning_rate": Number(0.005, "lambda: step of weight_update in wake", at_least=0)}
#: What the parts above read besides numbers; it belongs to a feedback projection.
REMEMBERS = {"apical_gain": 1.0}
RECORDED = ("rate", "apical_drive")

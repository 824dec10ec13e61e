r"""Recirculation as Hinton and McClelland published it, linear and on noise, in sleep.

    y(0) = xi_{l-1},  h(1) = W_l y(0),  y(2) = r y(0) + (1 - r) V_l h(1),  h(3) = r h(1) + (1 - r) W_l y(2)
    dV_l = eta [(y(0) - y(2)) h(1)^T - d V_l],    dW_l = eta_f [(h(1) - h(3)) y(2)^T - d W_l]

where y is what the lower population of a pair sends (``rate``), h what reaches the upper one (``up``), r the
``regression``, and other letters are as in `cortex_model.rules.reciprocal`. For V it is recirculation at (1 - r) eta.
Wake is that of `cortex_model.rules.hierarchy`. Everything is local. The original has logistic units and learns from
data (`cortex_model.theory.hinton_mcclelland`).

Source: G. E. Hinton and J. L. McClelland, "Learning representations by recirculation", Neural Information Processing
Systems (AIP), 1988.
"""

from dataclasses import replace

from cortex_model.language import Learn, Let, Number, Repeat, Show, Then
from cortex_model.rules.random_feedback import RULE as RANDOM_FEEDBACK
from cortex_model.rules.reciprocal import FORWARD_SLEEP, SLEEP_NUMBERS, UP, UP_AND_BACK

LOWER = (
    *UP_AND_BACK,
    Let("post of V", "difference = rate - (regression*rate + (1 - regression)*rec)", paper="$y(0) - y(2)$"),
    Learn(
        "V", "sleep_learning_rate", "difference_post*up_pre - damping*weight", per="up_pre",
        name="feedback_update", paper=r"$\Delta V = \eta\,[y(0) - y(2)]\,h(1)^T$",
    ),
)  # fmt: skip
UPPER = (
    Show("pre of V", "held = up", paper="$h(1)$"),
    Show("post of V", "rate = regression*rate + (1 - regression)*rec", paper="$y(2) = r y(0) + (1 - r) V h(1)$"),
    *UP[1:],
    Let("pre of V", "difference = held - (regression*held + (1 - regression)*up)", paper="$h(1) - h(3)$"),
    Learn(
        "W", "forward_sleep_learning_rate", "difference_post*rate_pre - damping*weight", levels="levels of V",
        per="rate_pre", name="forward_update", paper=r"$\Delta W = \eta\,[h(1) - h(3)]\,y(2)^T$",
    ),
)  # fmt: skip

RULE = replace(
    RANDOM_FEEDBACK,
    name="hinton_mcclelland",
    phases=RANDOM_FEEDBACK.phases | {"sleep": (*LOWER, Repeat("forward_sleep_learning_rate > 0", Then(), *UPPER))},
    numbers=RANDOM_FEEDBACK.numbers
    | SLEEP_NUMBERS
    | FORWARD_SLEEP
    | {"regression": Number(0.75, "r: how much of the earlier moment stays", at_least=0, below=1)},
    requires={"forward_sleep_learning_rate == 0 or damping < 1": "because both weights would vanish"},
    paper="Hinton & McClelland 1988",
    also_called="hinton mcclelland",
)

r"""Kolen and Pollack: forward and feedback weights learn by the same product, and both decay.

    dW_l = - c W_l - lambda delta_l h_{l-1}^T,    dV_l = - c V_l + (- lambda delta_l h_{l-1}^T)^T

where c is the ``weight_decay``; other letters are those of `cortex_model.rules.hierarchy`. V - W^T shrinks by 1 - c in
each presentation, whatever is learned, so that from a random start V becomes the transpose. Everything is local.

Source: J. F. Kolen and J. B. Pollack, "Backpropagation without weight transport", IEEE ICNN 3, 1994.
"""

from dataclasses import replace

from cortex_model.language import Learn, Number
from cortex_model.rules.hierarchy import BIAS_UPDATE, ERROR_DOWN, PERCEIVE, TRANSPOSED_WEIGHT_UPDATE, WEIGHT_UPDATE
from cortex_model.rules.random_feedback import RULE as RANDOM_FEEDBACK

DECAY = (
    Learn(
        "W",
        "-weight_decay",
        "weight",
        levels="levels of V",
        name="forward_decay",
        paper=r"$W_l \leftarrow (1 - c) W_l$",
    ),
    Learn("V", "-weight_decay", "weight", name="feedback_decay", paper=r"$V_l \leftarrow (1 - c) V_l$"),
)

RULE = replace(
    RANDOM_FEEDBACK,
    name="kolen_pollack",
    phases=RANDOM_FEEDBACK.phases
    | {"wake": (*PERCEIVE, *ERROR_DOWN, *DECAY, WEIGHT_UPDATE, BIAS_UPDATE, TRANSPOSED_WEIGHT_UPDATE)},
    numbers=RANDOM_FEEDBACK.numbers
    | {
        "weight_decay": Number(
            0.001, "part of V and of its W that is lost in each wake presentation", at_least=0, below=1
        )
    },
    paper="Kolen & Pollack 1994",
    also_called="kp kolenpollack",
)

r"""Feedback alignment: the error travels down random feedback weights that never change.

    delta_l = D_l * (V_{l+1} delta_{l+1}),    dV_l = 0

where delta is the error that a population carries, D the slope factor and V random, of the deviation of W^T. Letters,
and what else happens, are those of `cortex_model.rules.hierarchy`. Forward weights come to align with V^T, which is
what makes the error useful. Everything is local.

Source: T. P. Lillicrap, D. Cownden, D. B. Tweed and C. J. Akerman, "Random synaptic feedback weights support error
backpropagation for deep learning", Nature Communications 7, 2016.
"""

from dataclasses import replace

from cortex_model.language import Rule
from cortex_model.rules.hierarchy import (
    BIAS_UPDATE,
    BIASES,
    ERROR_DOWN,
    FEEDBACK,
    FORWARD,
    LEARNING_RATE,
    PERCEIVE,
    RECORDED,
    REMEMBERS,
    WEIGHT_UPDATE,
    WITHOUT_LEARNING,
)
from cortex_model.rules.spikes import in_spikes

RULE = Rule(
    "random_feedback",
    projections={"W": FORWARD, "b": BIASES, "V": FEEDBACK},
    phases={"wake": (*PERCEIVE, *ERROR_DOWN, WEIGHT_UPDATE, BIAS_UPDATE), **WITHOUT_LEARNING},
    numbers=LEARNING_RATE,
    remembers=REMEMBERS,
    recorded=RECORDED,
    paper="Lillicrap et al. 2016",
    also_called="fa feedback_alignment random_fa rfa",
)
RULE = replace(RULE, in_spikes=in_spikes(RULE))

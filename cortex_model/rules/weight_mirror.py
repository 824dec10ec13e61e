r"""Weight mirrors: feedback weights learn in sleep from noise and what it drives above, without what comes back.

    up = W_l xi_{l-1}:    dV_l = eta [g xi_{l-1} up^T - d V_l]

where letters are those of `cortex_model.rules.reciprocal`, of which this is the ascending half cycle without
``rec``. V is drawn to (g/d) W^T; nothing but the damping bounds it. Everything is local.

Source: M. Akrout, C. Wilson, P. Humphreys, T. Lillicrap and D. Tweed, "Deep learning without weight transport",
NeurIPS 32, 2019.
"""

from dataclasses import replace

from cortex_model.language import Learn, Let, Number
from cortex_model.rules.random_feedback import RULE as RANDOM_FEEDBACK
from cortex_model.rules.reciprocal import NOISE_GAIN, SLEEP_NUMBERS, UP

RULE = replace(
    RANDOM_FEEDBACK,
    name="weight_mirror",
    phases=RANDOM_FEEDBACK.phases
    | {
        "sleep": (
            *UP,
            Let("post of V", "difference = noise_gain*rate"),
            Learn(
                "V", "sleep_learning_rate", "difference_post*up_pre - damping*weight", per="up_pre",
                name="feedback_update", paper=r"$\Delta V = \eta\,\xi\,up^T$",
            ),
        )
    },
    numbers=RANDOM_FEEDBACK.numbers
    | SLEEP_NUMBERS
    | NOISE_GAIN
    | {"damping": Number(1.0, "d: decay in sleep, which alone bounds the feedback weights", above=0)},
    paper="Akrout et al. 2019",
    also_called="wm mirror weight_mirrors",
)  # fmt: skip

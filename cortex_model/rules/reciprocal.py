r"""The paper's rule: feedback weights learn in sleep to reconstruct, by recirculation, and carry the error in wake.

Wake is that of `cortex_model.rules.hierarchy`; V is held. In sleep noise takes the place of the rates:

    ascending     up = W_l xi_{l-1},  rec = V_l up:    dV_l = eta [(g xi_{l-1} - rec) up^T - d V_l]
    descending    down = V_l xi_l,  back = W_l down:   dW_l = eta_f [(g xi_l - back) down^T - d W_l]

where xi is noise of mean 0 and variance 1, eta the ``sleep_learning_rate``, eta_f the ``forward_sleep_learning_rate``
(0: there is no descending half cycle, and W is held), d the ``damping`` and g the ``noise_gain``. Both are the
difference between two moments of the postsynaptic population times the presynaptic activity: local. All pairs of
adjacent populations sleep at once; there is no nonlinearity. With d = 0 V becomes W^+, with large d a multiple of W^T.

Source: Cameron, Chen and Sejnowski, "A biologically-plausible learning rule using reciprocal feedback connections",
COSYNE 2025 (Fig. 1B).
"""

from dataclasses import replace

from cortex_model.language import Carry, Learn, Let, Number, Repeat, Settle, Show, Then
from cortex_model.rules.random_feedback import RULE as RANDOM_FEEDBACK
from cortex_model.rules.spikes import in_spikes

#: Noise goes up and comes back. Where there is no V_l, W_l has nothing to do in sleep.
UP = (
    Show("post of V", "rate = noise(0)", name="noise", paper=r"$\xi$"),
    Carry("W", "rate", "basal_input", levels="levels of V"),
    Settle("pre of V", "up", "basal_input", name="up", paper=r"$up = W\xi$"),
)
UP_AND_BACK = (
    *UP,
    Carry("V", "up", "reconstruction_drive"),
    Settle("post of V", "rec", "reconstruction_drive", name="rec", paper=r"$rec = V\, up$"),
)
ASCENDING = (
    *UP_AND_BACK,
    Let("post of V", "difference = noise_gain*rate - rec"),
    Learn(
        "V", "sleep_learning_rate", "difference_post*up_pre - damping*weight", per="up_pre",
        name="feedback_update", paper=r"$\Delta V = \eta[(g\xi - rec)\,up^T - dV]$",
    ),
)  # fmt: skip
DESCENDING = (
    Show("pre of V", "rate = noise(1)", name="descending_noise"),
    Carry("V", "rate", "apical_drive"),
    Settle("post of V", "down", "apical_drive", name="down", paper=r"$down = V\xi$"),
    Then(),
    Show("post of V", "sent_back = down"),
    Carry("W", "sent_back", "back_drive", levels="levels of V"),
    Settle("pre of V", "back", "back_drive", name="back", paper=r"$back = W\, down$"),
    Let("pre of V", "difference = noise_gain*rate - back"),
    Learn(
        "W", "forward_sleep_learning_rate", "difference_post*sent_back_pre - damping*weight", levels="levels of V",
        per="sent_back_pre", name="forward_update", paper=r"$\Delta W = \eta_f[(g\xi - back)\,down^T - dW]$",
    ),
)  # fmt: skip

SLEEP_NUMBERS = {
    "sleep_learning_rate": Number(0.001, "eta: step of feedback_update in sleep", at_least=0),
    "damping": Number(0.0, "d: decay in sleep, 0: pseudoinverse ... large: transpose", at_least=0),
}
NOISE_GAIN = {"noise_gain": Number("1 + damping", "g: gain of the noise within a sleep rule", at_least=0)}
FORWARD_SLEEP = {
    "forward_sleep_learning_rate": Number(0.0, "eta_f: step of forward_update in sleep; 0 holds W", at_least=0)
}

RULE = replace(
    RANDOM_FEEDBACK,
    name="reciprocal",
    phases=RANDOM_FEEDBACK.phases
    | {"sleep": (*ASCENDING, Repeat("forward_sleep_learning_rate > 0", Then(rests=True), *DESCENDING))},
    numbers=RANDOM_FEEDBACK.numbers | SLEEP_NUMBERS | NOISE_GAIN | FORWARD_SLEEP,
    requires={"forward_sleep_learning_rate == 0 or damping < noise_gain": "because both weights would vanish"},
    paper="Cameron, Chen & Sejnowski 2025",
    also_called="recirculation_learning reciprocal_feedback rf reciprocal_rule cameron recirculation recirculate",
)
RULE = replace(RULE, in_spikes=in_spikes(RULE, sleeps=True))

r"""Ben-Israel and Cohen's iteration for the pseudoinverse, X' = X + X - X A X, drawn from noise.

    x = V_l xi_l,  back = W_l x,  x' = V_l back:    dV_l = eta [(x - x') xi_l^T - d V_l]

where xi is noise in the upper population, other letters as in `cortex_model.rules.reciprocal`; on average
dV = eta (V - V W V). Wake is that of `cortex_model.rules.hierarchy`. Local, but it diverges from a random start: it
needs one of the range of W^T, such as a small multiple of it.

Source: A. Ben-Israel and D. Cohen, "On iterative computation of generalized inverses and associated projections",
SIAM Journal on Numerical Analysis 3, 1966.
"""

from dataclasses import replace

from cortex_model.language import Carry, Learn, Let, Settle, Show, Then
from cortex_model.rules.random_feedback import RULE as RANDOM_FEEDBACK
from cortex_model.rules.reciprocal import SLEEP_NUMBERS

SLEEP = (
    Show("pre of V", "rate = noise(1)\nsent_down = rate", name="descending_noise"),
    Carry("V", "sent_down", "down_drive"),
    Settle("post of V", "down", "down_drive"),
    Then(),
    Show("post of V", "sent_back = down"),
    Show("pre of V", "sent_down = 0"),  # the noise ends; what it has driven comes back
    Carry("W", "sent_back", "back_drive", levels="levels of V"),
    Settle("pre of V", "sent_down", "back_drive"),
    Carry("V", "sent_down", "down_drive"),
    Settle("post of V", "down", "down_drive"),
    Let("post of V", "difference = sent_back - down"),
    Learn(
        "V", "sleep_learning_rate", "difference_post*rate_pre - damping*weight", per="rate_pre",
        name="feedback_update", paper=r"$X' - X = X - XAX$",
    ),
)  # fmt: skip

RULE = replace(
    RANDOM_FEEDBACK,
    name="ben_israel",
    phases=RANDOM_FEEDBACK.phases | {"sleep": SLEEP},
    numbers=RANDOM_FEEDBACK.numbers | SLEEP_NUMBERS,
    paper="Ben-Israel & Cohen 1966",
    also_called="benisrael ben_israel_cohen newton_schulz",
)

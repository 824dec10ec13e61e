r"""The reference that reciprocal feedback should reach: feedback weights are the pseudoinverse of forward weights.

    delta_l = D_l * (W_{l+1}^+ delta_{l+1})

where W^+ is the Moore-Penrose inverse; other letters are those of `cortex_model.rules.hierarchy`. The host computes it
anew every ``pseudoinverse_every_presentations``; in between V is held. That is not local, nor is it meant to be.

Source: Cameron, Chen and Sejnowski, COSYNE 2025, with the pseudoinverse put in instead of learned.
"""

from dataclasses import replace

from cortex_model.language import Host, Number
from cortex_model.rules.hierarchy import FEEDBACK
from cortex_model.rules.random_feedback import RULE as RANDOM_FEEDBACK

PSEUDOINVERSE = Host("V", "V = pinv(W)", every="pseudoinverse_every_presentations", paper=r"$V_l = W_l^+$")

RULE = replace(
    RANDOM_FEEDBACK,
    name="exact_pseudoinverse",
    projections=RANDOM_FEEDBACK.projections | {"V": replace(FEEDBACK, start="pseudoinverse of W")},
    phases=RANDOM_FEEDBACK.phases | {"wake": (PSEUDOINVERSE, *RANDOM_FEEDBACK.phases["wake"])},
    numbers=RANDOM_FEEDBACK.numbers
    | {
        "pseudoinverse_every_presentations": Number(
            100, "wake presentations between two pseudoinverses", "presentations", at_least=1, whole=True
        )
    },
    paper="Cameron, Chen & Sejnowski 2025",
    also_called="pinv pseudoinverse pseudo_inverse moore_penrose penrose",
)

r"""Direct feedback alignment: random feedback weights carry the output error itself to every hidden population.

    delta_l = D_l * (V_{l+1} e)

where e is the output error and V_l, shape (n_{l-1}, n_L), goes from the top population to population l-1; other letters
are those of `cortex_model.rules.hierarchy`. V is random and never changes. Everything is local.

Source: A. Nokland, "Direct feedback alignment provides learning in deep neural networks", NeurIPS 29, 2016.
"""

from dataclasses import replace

from cortex_model.language import Projection
from cortex_model.rules.hierarchy import (
    ACTIVATION_RECIPROCAL,
    BIAS_UPDATE,
    ERROR_CARRIED,
    OUTPUT_ERROR,
    PERCEIVE,
    WEIGHT_UPDATE,
)
from cortex_model.rules.random_feedback import RULE as RANDOM_FEEDBACK

DIRECT = Projection("L", "l-1", "2..L")

RULE = replace(
    RANDOM_FEEDBACK,
    name="direct_feedback",
    projections=RANDOM_FEEDBACK.projections | {"V": DIRECT},
    phases=RANDOM_FEEDBACK.phases
    | {"wake": (*PERCEIVE, OUTPUT_ERROR, ERROR_CARRIED, ACTIVATION_RECIPROCAL, WEIGHT_UPDATE, BIAS_UPDATE)},
    paper="Nokland 2016",
    also_called="dfa direct_feedback_alignment direct_random_feedback drf",
)

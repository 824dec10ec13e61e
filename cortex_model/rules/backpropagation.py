r"""Backpropagation: feedback weights are the transpose of forward weights, and stay so because both learn alike.

    delta_l = D_l * (W_{l+1}^T delta_{l+1}),    V_l = W_l^T,    dV_l = dW_l^T

where letters are those of `cortex_model.rules.hierarchy`. V starts as the exact transpose and changes by the same
product of the same two numbers, so no weight is ever copied; the start is what is not local.

Source: D. E. Rumelhart, G. E. Hinton and R. J. Williams, "Learning representations by back-propagating errors",
Nature 323, 1986.
"""

from dataclasses import replace

from cortex_model.rules.hierarchy import FEEDBACK, TRANSPOSED_WEIGHT_UPDATE
from cortex_model.rules.random_feedback import RULE as RANDOM_FEEDBACK
from cortex_model.rules.spikes import TRANSPOSED_UPDATES, in_spikes

RULE = replace(
    RANDOM_FEEDBACK,
    name="backpropagation",
    projections=RANDOM_FEEDBACK.projections | {"V": replace(FEEDBACK, start="transpose of W")},
    phases=RANDOM_FEEDBACK.phases | {"wake": (*RANDOM_FEEDBACK.phases["wake"], TRANSPOSED_WEIGHT_UPDATE)},
    paper="Rumelhart, Hinton & Williams 1986",
    also_called="backprop bp back_propagation back_prop gradient_descent gradient bptt",
)
RULE = replace(RULE, in_spikes=in_spikes(RULE, updates=TRANSPOSED_UPDATES))

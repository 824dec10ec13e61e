"""The paper in NumPy: arrays in, arrays out. It predicts what a simulation must give, and runs none.

=======================================  =============================================================
the paper                                here
=======================================  =============================================================
``a_l = W_l h_{l-1}, h_l = sigma(a_l)``  `layer_response`, `hierarchy_response`
``e = h_L - h_L*``                       `output_error`, `output_loss`
feedback reconstructs lower activity     `reconstruction`, `recall`
Recirculation, Fig. 1B                   `recirculation_cycle`, `sleep_presentation`
``X' - X = X - X A X``                   `pseudoinverse_iteration`
``B_l = W_{l+1}^+ D^+ B_{l+1}``          `activation_reciprocal`
``(a_{l-1}^+ (x) B_l)``                  `parameter_reciprocal`
``B_l e a_{l-1}^T``                      `weight_update`, `wake_presentation`
``y' = y - T F(x, y)``                   `newton_like_step`
the same with time constants and delays  `leaky_perception`, `leaky_recall`, `leaky_wake_presentation`
wake and sleep of binary units           `cortex_model.theory.helmholtz_machine`
predictive coding                        `infer`, `free_energy`, `learned_from_errors`
difference target propagation            `propagate_targets`, `learned_from_targets`
=======================================  =============================================================
"""

from cortex_model.theory.backpropagation import activation_reciprocal_matrix, backpropagation_gradient
from cortex_model.theory.credit_assignment import (
    activation_reciprocal,
    parameter_reciprocal,
    slope_factor,
    wake_presentation,
    weight_update,
)
from cortex_model.theory.floors import decay_floor, feedback_noise_floor, online_noise_floor
from cortex_model.theory.gauss_newton import gauss_newton_deltas, top_jacobians
from cortex_model.theory.hinton_mcclelland import encoder_updates, hinton_mcclelland_update
from cortex_model.theory.leaky import Timing, leaky_perception, leaky_recall, relax, relaxation
from cortex_model.theory.leaky_learning import leaky_deltas, leaky_sleep_presentation, leaky_wake_presentation
from cortex_model.theory.newton_like import contraction_norm, newton_like_iteration, newton_like_step
from cortex_model.theory.predictive_coding import (
    free_energy,
    infer,
    infer_in_time,
    learned_from_errors,
)
from cortex_model.theory.pseudoinverse import (
    alignment_angle,
    condition_number,
    penrose_residuals,
    pseudoinverse_iteration,
    range_condition,
    relative_distance,
    spectral_condition,
)
from cortex_model.theory.rate_network import (
    NONLINEARITIES,
    TOP_RATES,
    explained_variance,
    hierarchy_response,
    layer_response,
    output_error,
    output_loss,
    recall,
    reconstruction,
    relative_error,
)
from cortex_model.theory.recirculation import (
    feedback_fixed_point,
    feedback_update,
    forward_update,
    mean_feedback_update,
    mean_forward_update,
    recirculation_cycle,
    stable_sleep_learning_rate,
)
from cortex_model.theory.sleep_rules import SLEEP_RULES, sleep_presentation
from cortex_model.theory.spiking import SpikingUnits, spiking_sleep_presentation, spiking_wake_presentation
from cortex_model.theory.target_propagation import (
    learned_from_targets,
    propagate_targets,
    propagate_targets_in_time,
)

__all__ = [
    "NONLINEARITIES",
    "SLEEP_RULES",
    "TOP_RATES",
    "SpikingUnits",
    "Timing",
    "activation_reciprocal",
    "activation_reciprocal_matrix",
    "alignment_angle",
    "backpropagation_gradient",
    "condition_number",
    "contraction_norm",
    "decay_floor",
    "encoder_updates",
    "explained_variance",
    "feedback_fixed_point",
    "feedback_noise_floor",
    "feedback_update",
    "forward_update",
    "free_energy",
    "gauss_newton_deltas",
    "hierarchy_response",
    "hinton_mcclelland_update",
    "infer",
    "infer_in_time",
    "layer_response",
    "leaky_deltas",
    "leaky_perception",
    "leaky_recall",
    "leaky_sleep_presentation",
    "leaky_wake_presentation",
    "learned_from_errors",
    "learned_from_targets",
    "mean_feedback_update",
    "mean_forward_update",
    "newton_like_iteration",
    "newton_like_step",
    "online_noise_floor",
    "output_error",
    "output_loss",
    "parameter_reciprocal",
    "penrose_residuals",
    "propagate_targets",
    "propagate_targets_in_time",
    "pseudoinverse_iteration",
    "range_condition",
    "recall",
    "recirculation_cycle",
    "reconstruction",
    "relative_distance",
    "relax",
    "relaxation",
    "relative_error",
    "slope_factor",
    "sleep_presentation",
    "spectral_condition",
    "spiking_sleep_presentation",
    "spiking_wake_presentation",
    "stable_sleep_learning_rate",
    "top_jacobians",
    "wake_presentation",
    "weight_update",
]

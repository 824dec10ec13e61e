"""What every protocol measures of a hierarchy at a look, whatever its task."""

import numpy as np

from cortex_model.analysis.alignment import alignment, forward_drift, reconstruction_error
from cortex_model.analysis.update_directions import update_angles, update_difference_from_settled
from cortex_model.weights import Weights

#: Measure -> (unit, dimension).
HIERARCHY_MEASURES = {
    "alignment_angle_to_pseudoinverse_degrees": ("degree", "feedback_projection"),
    "alignment_angle_to_transpose_degrees": ("degree", "feedback_projection"),
    "alignment_angle_to_fixed_point_degrees": ("degree", "feedback_projection"),
    "relative_distance_to_pseudoinverse": ("1", "feedback_projection"),
    "largest_penrose_residual": ("1", "feedback_projection"),
    "condition_number": ("1", "feedback_projection"),
    "update_angle_to_backpropagation_degrees": ("degree", "hidden_population"),
    "update_angle_to_gauss_newton_degrees": ("degree", "hidden_population"),
    "update_angle_to_damped_gauss_newton_degrees": ("degree", "hidden_population"),
    "update_difference_from_settled": ("1", "forward_projection"),
    "forward_drift": ("1", "forward_projection"),
    "reconstruction_error": ("1", "feedback_projection"),
}


def hierarchy_measures(
    weights: Weights, start: Weights, stimuli: np.ndarray, targets: np.ndarray, parameters
) -> dict[str, np.ndarray]:
    """One row of `HIERARCHY_MEASURES`.

    Parameters
    ----------
    weights, start : Weights
        Now, and before learning.
    stimuli, targets : ndarray, shape (n_stimuli, n_0) and (n_stimuli, n_L)
        On which updates and reconstruction are measured.
    parameters : SleepWakeParameters

    Returns
    -------
    measures : dict
        Where feedback comes from the top population, without those of pairs of reciprocal projections; in the settled
        mode, without ``update_difference_from_settled``; in spikes, without what is said of rates.
    """
    p = parameters
    if p.dynamics == "spiking":
        return {"forward_drift": forward_drift(weights, start), **alignment(weights, p.sleep_damping, p.noise_gain)}
    row = {"forward_drift": forward_drift(weights, start), **update_angles(weights, stimuli, targets, p)}
    if p.is_leaky:
        row["update_difference_from_settled"] = update_difference_from_settled(weights, stimuli, targets, p)
    if p.feedback_from_top:
        return row
    reconstructed = reconstruction_error(weights, stimuli, p.nonlinearity, p.top)
    return row | alignment(weights, p.damping, p.noise_gain) | {"reconstruction_error": reconstructed}

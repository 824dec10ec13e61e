"""How near each feedback projection is to what it should become."""

import numpy as np

from cortex_model import theory
from cortex_model.weights import Weights


def alignment(weights: Weights, damping: float, gain: float) -> dict[str, np.ndarray]:
    """Angles and distances of every V_l to W_l^+, W_l^T and the fixed point of `feedback_update`.

    Parameters
    ----------
    weights : Weights
    damping, gain : float
        Of the sleep rule: the fixed point is g W^T (W W^T + damping I)^-1.

    Returns
    -------
    measures : dict
        Name -> one number a feedback projection, from the lowest to V_L: ``alignment_angle_to_*_degrees``,
        ``relative_distance_to_pseudoinverse`` (|V - W^+|_F / |W^+|_F), ``largest_penrose_residual`` (of the four of
        `theory.penrose_residuals`), ``condition_number`` (of W_l).
    """
    rows = []
    for level in sorted(weights.feedback):
        forward = weights.forward[level].astype(float)
        feedback = weights.feedback[level].astype(float)
        inverse = np.linalg.pinv(forward)
        rows.append(
            {
                "alignment_angle_to_pseudoinverse_degrees": theory.alignment_angle(feedback, inverse),
                "alignment_angle_to_transpose_degrees": theory.alignment_angle(feedback, forward.T),
                "alignment_angle_to_fixed_point_degrees": theory.alignment_angle(
                    feedback, theory.feedback_fixed_point(forward, damping, gain)
                ),
                "relative_distance_to_pseudoinverse": theory.relative_distance(feedback, inverse),
                "largest_penrose_residual": theory.penrose_residuals(forward, feedback).max(),
                "condition_number": theory.condition_number(forward),
            }
        )
    return {name: np.array([row[name] for row in rows]) for name in (rows[0] if rows else ())}


def forward_drift(weights: Weights, start: Weights) -> np.ndarray:
    """|W_l - W_l(0)|_F / |W_l(0)|_F for each forward projection."""
    return np.array([theory.relative_distance(weights.forward[k], start.forward[k]) for k in sorted(weights.forward)])


def reconstruction_error(weights: Weights, stimuli: np.ndarray, nonlinearity: str, top: str) -> np.ndarray:
    """Relative error with which each feedback projection reconstructs the rates below it from the drive above.

    Parameters
    ----------
    weights : Weights
    stimuli : ndarray, shape (n_stimuli, n_0)
    nonlinearity, top : str

    Returns
    -------
    errors : ndarray
        |h_{l-1} - V_l a_l|_F / |h_{l-1}|_F over all stimuli, one a feedback projection.
    """
    forward = {level: matrix.astype(float) for level, matrix in weights.forward.items()}
    drives, rates = theory.hierarchy_response(forward, weights.biases, stimuli.T, nonlinearity, top)
    return np.array(
        [
            theory.relative_error(
                theory.reconstruction(weights.feedback[level].astype(float), drives[level]), rates[level - 1]
            )
            for level in sorted(weights.feedback)
        ]
    )


def unstable_sleep(weights: Weights, parameters) -> list[str]:
    """Sentences for projections whose online sleep is not stable at these weights.

    On average a projection is stable while eta (|W|_F^2 + damping) < 2 (`theory.stable_sleep_learning_rate`);
    single noise vectors exceed |W|_F^2, so half of that bound is taken.
    """
    p, sentences = parameters, []
    if p.sleep_normalisation or p.dynamics == "spiking":  # where spikes are few, and each brings a small step
        return sentences
    pairs = [("V", "sleep_learning_rate", weights.forward)]
    if p.forward_sleep_learning_rate > 0:
        pairs.append(("W", "forward_sleep_learning_rate", weights.feedback))
    for letter, name, partners in pairs:
        for level in sorted(weights.feedback):
            bound = theory.stable_sleep_learning_rate(partners[level], p.damping) / 2
            if getattr(p, name) >= bound:
                sentences.append(
                    f"{letter}_{level}: {name} must be below {bound:.3g} at these weights for a stable sleep "
                    f"(got {getattr(p, name):g}); lower it or set sleep_normalisation=true."
                )
    return sentences

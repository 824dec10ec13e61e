"""Weights and gains under the names that a device knows them by."""

import numpy as np

from cortex_model.weights import Weights, to_matrix, to_synapses


def state_names(parameters) -> list[str]:
    """Names of the arrays that hold everything that learns."""
    names = [f"forward_{level}.weight" for level in range(1, parameters.n_layers + 1)]
    names += [f"population_{level}.bias" for level in range(1, parameters.n_layers + 1)]
    return names + [f"feedback_{level}.weight" for level in parameters.feedback_layers]


def weight_arrays(weights: Weights) -> dict[str, np.ndarray]:
    """Weights by the names of `state_names`, synapses in Brian2's order."""
    arrays = {f"forward_{level}.weight": to_synapses(matrix) for level, matrix in weights.forward.items()}
    arrays |= {f"population_{level}.bias": bias for level, bias in weights.biases.items()}
    return arrays | {f"feedback_{level}.weight": to_synapses(matrix) for level, matrix in weights.feedback.items()}


def weights_of(arrays: dict[str, np.ndarray], parameters) -> Weights:
    """The inverse of `weight_arrays`."""
    sizes, named = parameters.layer_sizes, {}
    for level in range(1, parameters.n_layers + 1):
        named[f"W_{level}"] = to_matrix(arrays[f"forward_{level}.weight"], sizes[level - 1], sizes[level])
        named[f"b_{level}"] = np.array(arrays[f"population_{level}.bias"])
    for level in parameters.feedback_layers:
        named[f"V_{level}"] = to_matrix(arrays[f"feedback_{level}.weight"], sizes[level], sizes[level - 1])
    return Weights.from_named(named)


def gain_arrays(gains: dict[int, float]) -> dict[str, float]:
    """Gain of the feedback through V_l, by the name of the population that receives it."""
    return {f"population_{level - 1}.apical_gain": gain for level, gain in gains.items()}

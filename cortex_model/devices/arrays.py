"""Weights and gains of all networks under the names that a device knows them by."""

import numpy as np

from cortex_model.weights import Weights, to_matrix, to_synapses


def state_names(parameters) -> dict[str, str]:
    """Names of everything that learns: ``"W_1"`` -> ``"forward_1.weight"``."""
    levels = range(1, parameters.n_layers + 1)
    names = {f"W_{level}": f"forward_{level}.weight" for level in levels}
    names |= {f"b_{level}": f"bias_{level}.weight" for level in levels if parameters.biases}
    return names | {f"V_{level}": f"feedback_{level}.weight" for level in parameters.feedback_layers}


def weight_arrays(networks: list[Weights], parameters) -> dict[str, np.ndarray]:
    """Weights of several networks by the names of `state_names`: network by network, synapses in Brian2's order."""
    named = [weights.named() for weights in networks]
    return {
        array: np.concatenate(
            [np.ravel(to_synapses(each[name]) if each[name].ndim > 1 else each[name]) for each in named]
        )
        for name, array in state_names(parameters).items()
    }


def weights_of(arrays: dict[str, np.ndarray], parameters, n_networks: int = 1) -> list[Weights]:
    """The inverse of `weight_arrays`; what it returns cannot be written to."""
    sizes, networks = parameters.layer_sizes, []
    for network in range(n_networks):
        own = {
            name: np.reshape(arrays[array], (n_networks, -1))[network]
            for name, array in state_names(parameters).items()
        }
        for level in range(1, parameters.n_layers + 1):
            own[f"W_{level}"] = to_matrix(own[f"W_{level}"], sizes[level - 1], sizes[level])
            own.setdefault(f"b_{level}", np.zeros(sizes[level], parameters.dtype))
            if level in parameters.feedback_layers:
                own[f"V_{level}"] = to_matrix(own[f"V_{level}"], *parameters.feedback_shape(level)[::-1])
        for array in own.values():
            array.setflags(write=False)
        networks.append(Weights.from_named(own))
    return networks


def gain_arrays(networks: list[dict[int, float]]) -> dict[str, np.ndarray]:
    """Gain of the feedback through V_l, network by network."""
    return {f"networks.apical_gain_{level}": np.array([gains[level] for gains in networks]) for level in networks[0]}

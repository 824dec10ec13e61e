"""Weights, and what is remembered, of all networks under the names that a device knows them by."""

import numpy as np

from cortex_model.schedule.declared import Declared
from cortex_model.weights import Weights, shapes_of, to_matrix, to_synapses


def state_names(declared: Declared) -> dict[str, str]:
    """Names of everything that learns: ``"W_1"`` -> ``"W_1.weight"``."""
    return {f"{name}_{level}": f"{name}_{level}.weight" for name, level in declared.placed.synapses}


def arrays_read(declared: Declared) -> list[str]:
    """Names of the arrays that are looked at after each chunk."""
    counts = [f"population_{level}.{name}" for (_, _, level), name in declared.events_counted.items()]
    return [*state_names(declared).values(), "readout.rate", *counts]


def events_of(arrays: dict[str, np.ndarray], declared: Declared, n_networks: int = 1) -> list[dict[str, np.ndarray]]:
    """How often each neuron had each event, network by network: ``spikes_in_wake_1`` -> counts in population 1."""
    return [
        {
            f"{name}_{level}": np.reshape(arrays[f"population_{level}.{name}"], (n_networks, -1))[network].copy()
            for (_, _, level), name in declared.events_counted.items()
        }
        for network in range(n_networks)
    ]


def weight_arrays(networks: list[Weights], declared: Declared) -> dict[str, np.ndarray]:
    """Weights of several networks by the names of `state_names`: network by network, synapses in Brian2's order."""
    named = [weights.named() for weights in networks]
    return {
        array: np.concatenate(
            [np.ravel(to_synapses(each[name]) if each[name].ndim > 1 else each[name]) for each in named]
        )
        for name, array in state_names(declared).items()
    }


def weights_of(arrays: dict[str, np.ndarray], declared: Declared, n_networks: int = 1) -> list[Weights]:
    """The inverse of `weight_arrays`; what it returns cannot be written to."""
    p, names, networks = declared.parameters, state_names(declared), []
    for network in range(n_networks):
        own = {}
        for name, shape in shapes_of(p).items():
            if name not in names:
                own[name] = np.zeros(shape, p.dtype)
            else:
                values = np.reshape(arrays[names[name]], (n_networks, -1))[network]
                own[name] = to_matrix(values, *shape[::-1]) if len(shape) > 1 else values
            own[name].setflags(write=False)
        networks.append(Weights.from_named(own))
    return networks


def remembered_arrays(networks: list[dict[str, float]]) -> dict[str, np.ndarray]:
    """What the rule remembers besides weights (``apical_gain_1``, of population 1), network by network."""
    return {f"networks.{name}": np.array([each[name] for each in networks]) for name in networks[0]}

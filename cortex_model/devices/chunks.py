"""A simulation in chunks: what the device is handed before each of them, and what is seen after it."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from cortex_model.devices.arrays import events_of, remembered_arrays, weight_arrays, weights_of
from cortex_model.devices.networks import NetworkRun, RunningNetwork, State
from cortex_model.schedule.chunk import answers, chunk_arrays, stimulus_arrays
from cortex_model.schedule.declared import declared
from cortex_model.schedule.ensemble import Ensemble
from cortex_model.schedule.stimuli import Stimuli


class Chunks:
    """The chunks of a simulation of several networks.

    Parameters
    ----------
    runs : list of NetworkRun
    stimuli : Stimuli
    parameters : HierarchyParameters
    numbers : dict
        What each number is where a run does not say.
    """

    def __init__(self, runs: list[NetworkRun], stimuli: Stimuli, parameters, numbers: dict[str, float]):
        self.parameters, self.stimuli, self.declared = parameters, stimuli, declared(parameters)
        self.ensemble = Ensemble([run.schedule for run in runs], self.declared)
        starts = [int(self.ensemble.after(e, np.array(run.n_done))) for e, run in enumerate(runs)]
        boundaries = self.ensemble.schedule.boundaries(self.parameters.chunk_presentations)
        self.boundaries = np.unique(np.concatenate([boundaries, starts]))
        self.boundaries = self.boundaries[self.boundaries >= min(starts)]
        runs = [replace(run, numbers=numbers | run.numbers) for run in runs]
        self.networks = [
            RunningNetwork(run, self.declared, start, stimuli) for run, start in zip(runs, starts, strict=True)
        ]
        self._constants = {
            f"networks.{name}": np.array([run.numbers[name] for run in runs])
            for name in ("noise_seed", *self.declared.numbers)
        } | stimulus_arrays(stimuli, self.parameters)
        self._is_handed = False

    def run(self, on_device: Callable) -> list[State | Exception]:
        """Let a device run all chunks; the outcome of each network."""
        try:
            for network in self.networks:
                network.begin(self.boundaries[0])
            self._raise_where_all_failed()
            if len(self.boundaries) > 1:
                on_device(len(self.boundaries) - 1, self.handed, self.finish)
        except Exception:
            if not all(network.failure for network in self.networks):
                raise
        return [network.failure or network.state for network in self.networks]

    def handed(self, index: int) -> dict[str, np.ndarray]:
        """Everything that the device is handed for chunk ``index`` and does not have already."""
        changed = [network.is_handed_over() for network in self.networks]
        first, last = self.boundaries[index], self.boundaries[index + 1]
        arrays = chunk_arrays(self.ensemble, first, last, self.stimuli, self.parameters)
        if not self._is_handed:
            arrays |= self._constants
        if not self._is_handed or any(changed):
            states = [network.state for network in self.networks]
            arrays |= weight_arrays([state.weights for state in states], self.declared)
            arrays |= remembered_arrays([state.remembered for state in states])
        self._is_handed = True
        return arrays

    def finish(self, index: int, arrays: dict[str, np.ndarray], seconds: float) -> None:
        """What is seen after chunk ``index``."""
        first, last, n = int(self.boundaries[index]), int(self.boundaries[index + 1]), len(self.networks)
        rates = answers(arrays["readout.rate"], self.ensemble, first, last, self.parameters)
        weights, events = weights_of(arrays, self.declared, n), events_of(arrays, self.declared, n)
        for e, network in enumerate(self.networks):
            network.advance(self.ensemble.position(e, last), weights[e], rates[e], seconds / n, events[e])
            if last == network.start:
                network.begin(last)
        self._raise_where_all_failed()

    def _raise_where_all_failed(self):
        if all(network.failure for network in self.networks):
            raise self.networks[0].failure

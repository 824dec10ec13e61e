"""Runs side by side in one program: each leaves the run directory that it would leave alone."""

import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from cortex_model.devices.room import check_room
from cortex_model.devices.simulation import NetworkRun, Simulation, State
from cortex_model.errors import ParameterError
from cortex_model.parameters import content_hash
from cortex_model.runs.locking import held
from cortex_model.runs.protocol import load_protocol
from cortex_model.runs.running import start
from cortex_model.schedule import Stimuli
from cortex_model.schedule.declared import program_structure


class SharedProgram:
    """Where runs meet: each waits in a thread of its own when it would simulate, until all can do so together.

    Parameters
    ----------
    n_runs : int
    device : str
    """

    def __init__(self, n_runs: int, device: str):
        self.n_runs, self.device = n_runs, device
        self._waiting: dict[int, tuple] = {}
        self._outcomes: dict[int, State | BaseException] = {}
        self._n_left = 0
        self._changed = threading.Condition()

    def simulate(self, network: NetworkRun, stimuli: Stimuli, parameters: Any) -> State:
        """Simulate one network, together with those of the other runs; called in the run's own thread."""
        me = threading.get_ident()
        with self._changed:
            self._waiting[me] = network, stimuli, parameters
            self._changed.notify_all()
            self._changed.wait_for(lambda: me in self._outcomes)
            outcome = self._outcomes.pop(me)
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    def leave(self) -> None:
        """A run has ended, well or not; the others no longer wait for it."""
        with self._changed:
            self._n_left += 1
            self._changed.notify_all()

    def serve(self) -> None:
        """Simulate what is asked for until all runs have left; called in the main thread, which signals reach."""
        interruption = None
        while True:
            with self._changed:
                try:
                    self._changed.wait_for(lambda: len(self._waiting) + self._n_left == self.n_runs)
                except BaseException as error:
                    interruption = error
                    self._changed.wait_for(lambda: len(self._waiting) + self._n_left == self.n_runs)
                waiting, self._waiting = self._waiting, {}
            if not waiting:
                break
            try:
                outcomes = [interruption] * len(waiting) if interruption else self._together(list(waiting.values()))
            except BaseException as error:
                outcomes = [error] * len(waiting)
                interruption = None if isinstance(error, Exception) else error
            with self._changed:
                self._outcomes |= dict(zip(waiting, outcomes, strict=True))
                self._changed.notify_all()
        if interruption is not None:
            raise interruption

    def _together(self, waiting):
        networks, stimuli, parameters = zip(*waiting, strict=True)
        if len({content_hash(program_structure(p)) for p in parameters}) > 1:
            raise ParameterError(
                "--vary: must vary what is handed to a program, such as learning_rule, learning_rate or damping "
                "(got parameters that need programs of their own, such as layer_sizes); make these runs apart."
            )
        if not all(_same(stimuli[0], other) for other in stimuli[1:]):
            raise ParameterError(
                "--vary: must leave the stimuli the same for all networks of a program (got different ones); "
                "make these runs apart."
            )
        target = getattr(parameters[0], "codegen_target", "numpy")
        simulation = Simulation(parameters[0], self.device, target, ensemble_size=len(networks))
        return simulation.run_ensemble(list(networks), stimuli[0])


def _same(stimuli, others):
    pairs = zip((stimuli.wake, stimuli.evaluation), (others.wake, others.evaluation), strict=True)
    return all((a is None) == (b is None) and (a is None or all(map(np.array_equal, a, b))) for a, b in pairs)


def start_together(
    protocol: str, settings: list[tuple[Any, int]], device: str, parent: Path, report=None, again: bool = False
) -> list[dict[str, Any] | BaseException]:
    """Make runs of a protocol in one program, or go on with them.

    Parameters
    ----------
    protocol : str
        Name or file.
    settings : list of (Parameters, int)
        Parameters and seed of each run. Seeds, learning rules and all numbers may differ; sizes, nonlinearities,
        stimuli and the amount of sleep may not.
    device, parent, report, again
        As for `cortex_model.runs.running.start`; the bar shows the first run.

    Returns
    -------
    outcomes : list
        The summary of each run, or the error that ended it; it does not end the others.

    Raises
    ------
    ParameterError
        If two of them would be the same run.
    BaseException
        What interrupted all of them; each can go on from its checkpoint, together or alone.
    """
    distinct = {(parameters.content_hash, seed) for parameters, seed in settings}
    if len(distinct) < len(settings):
        raise ParameterError(
            f"--vary: must make each network another one (got {len(settings)}, {len(distinct)} of them different); "
            "leave out values that are given twice, or that decide nothing here."
        )
    check_room(settings[0][0], len(settings))
    shared = SharedProgram(len(settings), device)
    outcomes: list[Any] = [None] * len(settings)

    def run(at):
        parameters, seed = settings[at]
        own_report = report if at == 0 else None
        try:
            outcomes[at] = start(protocol, parameters, seed, device, parent, own_report, again, shared, is_held=True)
        except BaseException as error:
            outcomes[at] = error
        finally:
            shared.leave()

    threads = [threading.Thread(target=run, args=(at,), daemon=True) for at in range(len(settings))]
    with ExitStack() as all_held, threadpool_limits(1):  # or the first run that ends gives the others their threads
        loaded = load_protocol(protocol)
        names = {loaded.run_name(parameters, seed, device) for parameters, seed in settings}
        for name in sorted(names):  # in one order, so that no two processes wait for each other
            all_held.enter_context(held(Path(parent) / name))
        for thread in threads:
            thread.start()
        shared.serve()
        for thread in threads:
            thread.join()
    return outcomes

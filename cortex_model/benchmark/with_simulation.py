"""The presentation by cortex-model: ``python -m cortex_model.benchmark.with_simulation FOLDER JOB``."""

import json
import sys
import time
from pathlib import Path

import numpy as np

from cortex_model.devices.simulation import NetworkRun, Simulation
from cortex_model.parameters import SleepWakeParameters
from cortex_model.runs.run import run_numbers
from cortex_model.schedule import WAKE, Schedule, Stimuli, schedule_of
from cortex_model.weights import Weights


def wake_schedule(parameters, n_presentations: int, n_stimuli: int) -> Schedule:
    """Nothing but wake, the stimuli one after the other, again and again; the first one is a chunk of its own."""
    first = np.arange(0, n_presentations, parameters.batch_size, dtype=np.int32)
    stimuli = (first[:, None] + np.arange(parameters.batch_size, dtype=np.int32)) % n_stimuli
    return schedule_of(parameters, np.full(len(first), WAKE), stimuli, [1])


def main(folder: Path, job: dict) -> None:
    """Do the job, print how many seconds the loop took, write the last weights where they are asked for.

    The first chunk does not count: on the runtime device Brian2 generates its code in it.
    """
    problem = json.loads((folder / "problem.json").read_text())
    n_stimuli, n_networks = problem.pop("n_stimuli"), job["ensemble"]
    structure = {"dense": job["dense"], "batch_size": job["batch"], "learning_rule": "random_feedback"}
    p = SleepWakeParameters(**problem, **structure)
    device, _, target = job["device"].partition("/")
    simulation = Simulation(p, device, target or "numpy", n_networks)
    started = time.perf_counter()
    simulation.build()
    build_seconds = time.perf_counter() - started
    arrays = {path.stem: np.load(path) for path in folder.glob("*.npy")}
    stimuli = Stimuli(wake=(arrays.pop("stimuli"), arrays.pop("targets")))
    schedule, seconds, stopped = wake_schedule(p, job["n_presentations"], n_stimuli), [], []

    def callback(state):
        seconds.append(state.seconds * n_networks)
        stopped.append(time.perf_counter())

    weights, numbers = Weights.from_named(arrays), run_numbers(p, seed=0)
    outcomes = simulation.run_ensemble(
        [
            NetworkRun(schedule, weights, numbers, callback=callback if network == 0 else None)
            for network in range(n_networks)
        ],
        stimuli,
    )
    for outcome in outcomes:
        if isinstance(outcome, Exception):
            raise outcome
    between = np.diff(stopped) - seconds[1:]
    told = {"seconds": sum(seconds[2:]), "n_presentations": job["n_presentations"] - p.batch_size}
    print(json.dumps(told | {"build_seconds": build_seconds, "between_chunks": between[1:].tolist()}))
    if job["result"]:
        for name, array in outcomes[-1].weights.named().items():
            array.tofile(Path(job["result"]) / f"{name}.bin")


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(sys.argv[2]))

"""The presentation by cortex-model: ``python -m cortex_model.benchmark.with_simulation FOLDER JOB``."""

import json
import sys
import time
from pathlib import Path

import numpy as np

from cortex_model.devices.simulation import Simulation
from cortex_model.parameters import SleepWakeParameters
from cortex_model.phases.chunk import Stimuli
from cortex_model.phases.schedule import WAKE, Schedule, open_gates
from cortex_model.protocol import run_numbers
from cortex_model.weights import Weights


def wake_schedule(parameters, n_presentations: int, n_stimuli: int) -> Schedule:
    """Nothing but wake, the stimuli one after the other, again and again."""
    number = np.arange(n_presentations, dtype=np.int32)
    return Schedule(np.full(n_presentations, WAKE, np.int8), number, number % n_stimuli, open_gates(parameters))


def main(folder: Path, job: dict) -> None:
    """Do the job, print how many seconds the loop took, write the last weights where they are asked for."""
    problem = json.loads((folder / "problem.json").read_text())
    n_stimuli = problem.pop("n_stimuli")
    device, _, target = job["device"].partition("/")
    p = SleepWakeParameters(
        **problem, learning_rule="random_feedback", dense=job["dense"], chunk_presentations=n_stimuli
    )
    simulation = Simulation(p, device, target or "numpy")
    started = time.perf_counter()
    simulation.build()
    build_seconds = time.perf_counter() - started
    arrays = {path.stem: np.load(path) for path in folder.glob("*.npy")}
    shown = arrays.pop("stimuli"), arrays.pop("targets")
    seconds, stopped = [], []

    def at_stop(stop):
        seconds.append(stop.seconds)
        stopped.append(time.perf_counter())

    schedule = wake_schedule(p, job["n_presentations"], n_stimuli)
    numbers = run_numbers(p, seed=0)
    last = simulation.run(schedule, Stimuli(wake=shown), Weights.from_named(arrays), numbers, at_stop=at_stop)
    between = np.diff(stopped) - seconds[1:]
    print(json.dumps({"seconds": sum(seconds), "build_seconds": build_seconds, "between_chunks": between.tolist()}))
    if job["result"]:
        for name, array in last.weights.named().items():
            array.tofile(Path(job["result"]) / f"{name}.bin")


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(sys.argv[2]))

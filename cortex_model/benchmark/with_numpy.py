"""The presentation in NumPy, as a user would write it: ``python with_numpy.py FOLDER JOB``."""

import json
import sys
import time
from pathlib import Path

import numpy as np


def present(forward, biases, feedback, stimuli, targets, learning_rate, batch, n_presentations):
    """Learn by random feedback, ``batch`` stimuli at a time; a batch changes the weights by the mean of its changes.

    Arrays hold a stimulus in a column; a single stimulus is a vector.
    """
    top, n_stimuli = max(forward), len(stimuli)
    for first in range(0, n_presentations, batch):
        at = first % n_stimuli if batch == 1 else slice(first % n_stimuli, first % n_stimuli + batch)
        column = (slice(None),) if batch == 1 else (slice(None), None)
        rates = {0: stimuli[at].T}
        for l in range(1, top + 1):
            drive = forward[l] @ rates[l - 1] + biases[l][column]
            rates[l] = np.tanh(drive) if l < top else np.exp(drive - drive.max(axis=0))
        delta = {top: rates[top] / rates[top].sum(axis=0) - targets[at].T}
        for l in range(top - 1, 0, -1):
            delta[l] = (1 - rates[l] ** 2) * (feedback[l + 1] @ delta[l + 1])
        for l in forward:
            step = learning_rate / batch * delta[l]
            forward[l] -= np.outer(step, rates[l - 1]) if batch == 1 else step @ rates[l - 1].T
            biases[l] -= step if batch == 1 else step.sum(axis=1)


def main(folder: Path, job: dict) -> None:
    """Do the job, print how many seconds the loop took, write the last weights where they are asked for."""
    problem = json.loads((folder / "problem.json").read_text())
    arrays = {path.stem: np.load(path) for path in folder.glob("*.npy")}
    forward, biases, feedback = (
        {int(name[2:]): array for name, array in sorted(arrays.items()) if name.startswith(letter)} for letter in "WbV"
    )
    shown = arrays["stimuli"], arrays["targets"]
    started = time.perf_counter()
    present(forward, biases, feedback, *shown, problem["learning_rate"], job["batch"], job["n_presentations"])
    print(json.dumps({"seconds": time.perf_counter() - started, "version": np.__version__}))
    if job["result"]:
        for l, weights in forward.items():
            weights.tofile(Path(job["result"]) / f"W_{l}.bin")
            biases[l].tofile(Path(job["result"]) / f"b_{l}.bin")


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(sys.argv[2]))

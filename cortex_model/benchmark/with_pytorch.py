"""The presentation in PyTorch, without what it need not pay for (autograd): ``python with_pytorch.py FOLDER JOB``.

Needs torch and numpy only, because an interpreter that has torch may not have cortex-model.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
import torch


def present_one(forward, biases, feedback, stimuli, targets, learning_rate, n_presentations):
    """Learn by random feedback, one stimulus at a time."""
    top = max(forward)
    for t in range(n_presentations):
        rates = {0: stimuli[t % len(stimuli)]}
        for l in range(1, top + 1):
            drive = torch.addmv(biases[l], forward[l], rates[l - 1])
            rates[l] = torch.tanh(drive) if l < top else torch.softmax(drive, 0)
        delta = {top: rates[top] - targets[t % len(targets)]}
        for l in range(top - 1, 0, -1):
            delta[l] = (1 - rates[l] * rates[l]) * torch.mv(feedback[l + 1], delta[l + 1])
        for l in forward:
            forward[l].addr_(delta[l], rates[l - 1], alpha=-learning_rate)
            biases[l].add_(delta[l], alpha=-learning_rate)


def present_batches(forward, biases, feedback, stimuli, targets, learning_rate, n_presentations, batch):
    """The same, ``batch`` stimuli at a time, one in a row; the weights change by the mean of a batch's changes."""
    top = max(forward)
    for first in range(0, n_presentations, batch):
        at = slice(first % len(stimuli), first % len(stimuli) + batch)
        rates = {0: stimuli[at]}
        for l in range(1, top + 1):
            drive = torch.addmm(biases[l], rates[l - 1], forward[l].T)
            rates[l] = torch.tanh(drive) if l < top else torch.softmax(drive, 1)
        delta = {top: rates[top] - targets[at]}
        for l in range(top - 1, 0, -1):
            delta[l] = (1 - rates[l] * rates[l]) * (delta[l + 1] @ feedback[l + 1].T)
        for l in forward:
            forward[l].addmm_(delta[l].T, rates[l - 1], alpha=-learning_rate / batch)
            biases[l].add_(delta[l].sum(0), alpha=-learning_rate / batch)


@torch.inference_mode()
def main(folder: Path, job: dict) -> None:
    """Do the job, print how many seconds the loop took, write the last weights where they are asked for."""
    torch.set_num_threads(1)
    problem = json.loads((folder / "problem.json").read_text())
    arrays = {path.stem: torch.from_numpy(np.load(path)).to(job["device"]) for path in folder.glob("*.npy")}
    forward, biases, feedback = (
        {int(name[2:]): array for name, array in sorted(arrays.items()) if name.startswith(letter)} for letter in "WbV"
    )
    given = forward, biases, feedback, arrays["stimuli"], arrays["targets"], problem["learning_rate"]
    started = time.perf_counter()
    if job["batch"] == 1:
        present_one(*given, job["n_presentations"])
    else:
        present_batches(*given, job["n_presentations"], job["batch"])
    if job["device"] != "cpu":
        torch.cuda.synchronize()
    print(json.dumps({"seconds": time.perf_counter() - started, "version": torch.__version__}))
    if job["result"]:
        for l in forward:
            forward[l].cpu().numpy().tofile(Path(job["result"]) / f"W_{l}.bin")
            biases[l].cpu().numpy().tofile(Path(job["result"]) / f"b_{l}.bin")


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(sys.argv[2]))

"""A process that makes runs, one job after another: told on standard input, it answers on standard output.

Starting Python and loading the package takes longer than a small run whose program is compiled already. The process
ends with its worker.
"""

import json
import os
import queue
import signal
import sys
import threading
import warnings
from pathlib import Path
from typing import Any

from cortex_model.devices.availability import check_device
from cortex_model.errors import CortexModelWarning, RunError
from cortex_model.runs.protocol import load_protocol
from cortex_model.runs.running import start
from cortex_model.runs.together import start_together
from cortex_model.system.failures import MISTAKE, told

#: How long such a process waits for another job.
SECONDS_IDLE = 30.0


def carry_out(job: dict[str, Any]) -> list[str]:
    """Make the runs of a job, or go on with them.

    Parameters
    ----------
    job : dict
        ``protocol``, ``device``, ``parent`` (folder of the run directories) and ``runs``: (parameters, seed) of each;
        several share one program. ``names``: those of their run directories.

    Returns
    -------
    failures : list of str
        Of each run the sentence that ended it; empty where it has finished.
    """
    loaded, device, parent = load_protocol(job["protocol"]), job["device"], Path(job["parent"])
    settings = [(loaded.parameters().with_overrides(given), seed) for given, seed in job["runs"]]
    paths = [parent / loaded.run_name(parameters, seed, device) for parameters, seed in settings]
    try:
        if [path.name for path in paths] != job["names"]:
            raise RunError(
                f"{job['protocol']}: must stay as it was when the sweep began (got another content, or other sources "
                "of cortex-model on this machine); sweep again."
            )
        check_device(device)
        if len(settings) == 1:
            outcomes = [start(job["protocol"], *settings[0], device, parent)]
        else:
            outcomes = start_together(job["protocol"], settings, device, parent)
    except Exception as error:
        outcomes = [error] * len(settings)
    return [_sentence(outcome, path) for outcome, path in zip(outcomes, paths, strict=True)]


def _sentence(outcome, path):
    if not isinstance(outcome, BaseException):
        return ""
    sentence, status = told(outcome)
    return sentence if status == MISTAKE else f"{sentence} `cortex-model resume {path}` goes on."


def _read_jobs(jobs):
    """Hand on each line of standard input; where that is closed, die, with all compilers: nobody wants the runs.

    A run can be killed at any moment and go on, and nothing in it can swallow this as it could an exception.
    """
    for line in sys.stdin:
        jobs.put(line)
    os.killpg(0, signal.SIGKILL)


def main() -> None:
    """Read jobs, one a line, from standard input; for each, write its failures as a line to standard output.

    Before them stands a line, a text, for each of our own warnings. What runs print themselves goes to standard error.
    Without a job for `SECONDS_IDLE` the process ends.
    """
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    warnings.showwarning = lambda message, category, *where: (
        print(json.dumps(str(message)), file=answers, flush=True) if issubclass(category, CortexModelWarning) else None
    )
    jobs: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_read_jobs, args=(jobs,), daemon=True).start()
    while True:
        try:
            job = json.loads(jobs.get(timeout=SECONDS_IDLE))
        except queue.Empty:
            return
        print(json.dumps(carry_out(job)), file=answers, flush=True)


if __name__ == "__main__":
    main()

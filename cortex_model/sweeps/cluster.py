"""Jobs handed out by dask: to processes of this machine, or to the workers of any scheduler."""

import contextlib
import json
import logging
import os
import queue
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from typing import Any

import dask
from distributed import Client, LocalCluster, get_worker
from distributed.comm import connect
from distributed.scheduler import KilledWorker
from distributed.utils import LoopRunner

from cortex_model.errors import ParameterError, RunError
from cortex_model.runs.running import ONE_THREAD, child_environment

#: How often a job whose process or worker was killed is begun again; each time it goes on from its checkpoint.
RETRIES = 3
#: A worker is given one job at a time, so that none waits behind a long one while another worker has nothing to do.
SETTINGS = {"distributed.scheduler.worker-saturation": 1.0, "distributed.scheduler.allowed-failures": RETRIES}
#: Ctrl-C reaches every process of a terminal; it is for the one that made the others, which ends them.
LEAVE_CTRL_C = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"
SECONDS_TO_ANSWER = 20


def handed_out(
    jobs: list[dict[str, Any]], scheduler: str | None, n_workers: int | None
) -> Iterator[tuple[int, list[str] | None]]:
    """Let workers carry out jobs.

    Parameters
    ----------
    jobs : list of dict
        See `cortex_model.sweeps.child.carry_out`.
    scheduler : str, optional
        Address of a dask scheduler; unless given, a cluster on this machine is made for these jobs.
    n_workers : int, optional
        Processes of that cluster; as many as there are cores.

    Yields
    ------
    at, failures : int, list of str or None
        Which job, and None when it has begun or, once for each job, what ended its runs.

    Raises
    ------
    ParameterError
        If no scheduler answers.
    """
    news = queue.SimpleQueue()
    topic = f"cortex-model-{uuid.uuid4().hex}"
    with _client(scheduler, n_workers) as client:
        client.subscribe_topic(topic, lambda event: news.put((event[1], None)))
        futures = [
            client.submit(attend, job, at, topic, key=f"{topic}-{at}", retries=RETRIES) for at, job in enumerate(jobs)
        ]
        try:
            for at, future in enumerate(futures):
                future.add_done_callback(lambda future, at=at: news.put((at, future)))
            n_left = len(jobs)
            while n_left:
                at, future = news.get()
                n_left -= future is not None
                yield at, future and _failures(future, len(jobs[at]["runs"]))
        finally:
            client.cancel(futures)


@contextlib.contextmanager
def _client(scheduler, n_workers):
    if scheduler is None:
        options = {"n_workers": n_workers or dask.system.CPU_COUNT, "threads_per_worker": 1, "processes": True}
        options |= {"memory_limit": 0, "preload": [LEAVE_CTRL_C]}
        options |= {"silence_logs": logging.CRITICAL, "dashboard_address": None}
        with (
            dask.config.set(SETTINGS),
            LocalCluster(**options) as cluster,
            Client(cluster, set_as_default=False) as client,
        ):
            yield client
        return
    try:
        LoopRunner().run_sync(_reach, scheduler)  # in a thread of its own where a loop runs, as in a notebook
    except (OSError, ValueError, TypeError, RuntimeError) as error:
        raise ParameterError(
            f"--scheduler: must be the address of a dask scheduler that answers (got {scheduler!r}: {error}); "
            "start one with `dask scheduler`."
        ) from None
    with Client(scheduler, timeout=SECONDS_TO_ANSWER, set_as_default=False) as client:
        yield client


async def _reach(scheduler):
    answering = await connect(scheduler, timeout=SECONDS_TO_ANSWER)
    await answering.close()


def _failures(future, n_runs):
    try:
        return future.result()
    except KilledWorker:
        got = f"{RETRIES + 1} workers that died while it ran"
    except Exception as error:
        got = str(error) or type(error).__name__
    return [f"run: must be carried out (got {got}); the same command goes on from its checkpoint."] * n_runs


# ---------------------------------------------------------------------- within a worker
def attend(job: dict[str, Any], at: int, topic: str) -> list[str]:
    """Carry out a job in a process of its own, which ends with this worker, or when nobody wants the job any more.

    Raises
    ------
    RunError
        If that process was killed; dask then begins again.
    """
    worker = get_worker()
    task = worker.state.tasks[worker.get_current_task()]
    worker.log_event(topic, at)
    command = [sys.executable, "-m", "cortex_model.sweeps.child"]
    environment = child_environment() | ONE_THREAD
    with (
        tempfile.TemporaryFile("w+") as answer,
        tempfile.TemporaryFile("w+") as complaints,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=answer, stderr=complaints, text=True,
            env=environment, start_new_session=True,
        ) as child,
    ):  # fmt: skip
        with contextlib.suppress(BrokenPipeError):
            child.stdin.write(json.dumps(job) + "\n")
            child.stdin.flush()
        while child.poll() is None and task.state != "cancelled":
            time.sleep(0.1)
        child.stdin.close()
        status = child.wait()
        if status == 0:
            return json.loads(_last_line(answer))
        got = f"signal {-status}, perhaps for want of memory" if status < 0 else _last_line(complaints)
    raise RunError(f"its process ended by {got or f'exit status {status}'} on {os.uname().nodename}")


def _last_line(file):
    file.seek(0)
    return (file.read().strip().split("\n") or [""])[-1]

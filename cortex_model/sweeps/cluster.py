"""Jobs handed out by dask: to processes of this machine, or to the workers of any scheduler."""

import contextlib
import logging
import queue
import uuid
from collections.abc import Iterator
from typing import Any

import dask
from distributed import Client, LocalCluster
from distributed.comm import connect
from distributed.scheduler import KilledWorker
from distributed.utils import LoopRunner

from cortex_model.errors import ParameterError
from cortex_model.sweeps.worker import attend, end_idle

#: How often a job whose process or worker was killed is begun again; each time it goes on from its checkpoint.
RETRIES = 3
#: A worker is given one job at a time, so that none waits behind a long one while another worker has nothing to do.
SETTINGS = {"distributed.scheduler.worker-saturation": 1.0, "distributed.scheduler.allowed-failures": RETRIES}
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
        Processes that make runs on this machine; as many as there are cores.

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
            end_idle()  # of workers within this process


@contextlib.contextmanager
def _client(scheduler, n_workers):
    if scheduler is None:
        # workers are threads of this process, which nobody else can reach; each has a process that makes its runs
        options = {"n_workers": n_workers or dask.system.CPU_COUNT, "threads_per_worker": 1, "processes": False}
        options |= {"memory_limit": 0, "silence_logs": logging.CRITICAL, "dashboard_address": None}
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

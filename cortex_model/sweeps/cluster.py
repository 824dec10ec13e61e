"""Jobs handed out: to processes of this machine, or to the workers of any scheduler."""

import queue
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

from dask.system import CPU_COUNT

from cortex_model.sweeps.processes import carried_out, end_idle

#: How often a job whose process or worker was killed is begun again; each time it goes on from its checkpoint.
RETRIES = 3


def handed_out(
    jobs: list[dict[str, Any]], scheduler: str | None, n_workers: int | None
) -> Iterator[tuple[int, list[str] | None]]:
    """Let workers carry out jobs.

    Parameters
    ----------
    jobs : list of dict
        See `cortex_model.sweeps.child.carry_out`.
    scheduler : str, optional
        Address of a dask scheduler; unless given, the jobs are carried out on this machine.
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
    if scheduler is None:
        news = _on_this_machine(jobs, n_workers or CPU_COUNT)
    else:
        from cortex_model.sweeps.scheduler import by_scheduler

        news = by_scheduler(jobs, scheduler, RETRIES)
    with closing(news):
        for at, outcome in news:
            yield at, _failures(outcome, len(jobs[at]["runs"])) if isinstance(outcome, Exception) else outcome


def _on_this_machine(jobs, n_workers):
    """Threads, each of which tells a process of its own what to do through pipes: nobody else can reach them."""
    news, ended = queue.SimpleQueue(), threading.Event()

    def attend(at):
        news.put((at, None))
        for _ in range(RETRIES + 1):
            outcome = _attempt(jobs[at], ended)
            if ended.is_set() or not isinstance(outcome, Exception):
                break
        news.put((at, outcome))

    with ThreadPoolExecutor(n_workers, "worker") as workers:
        try:
            for at in range(len(jobs)):
                workers.submit(attend, at)
            n_left = len(jobs)
            while n_left:
                at, outcome = news.get()
                n_left -= outcome is not None
                yield at, outcome
        finally:
            ended.set()
            workers.shutdown(cancel_futures=True)
            end_idle()


def _attempt(job, ended):
    try:
        return carried_out(job, lambda: not ended.is_set())
    except Exception as error:
        return error


def _failures(error, n_runs):
    got = str(error) or type(error).__name__
    return [f"run: must be carried out (got {got}); the same command goes on from its checkpoint."] * n_runs

"""Jobs handed out to the workers of a scheduler of dask, wherever they are."""

import contextlib
import queue
import uuid
from collections.abc import Iterator
from typing import Any

import dask
from distributed import Client
from distributed.comm import connect
from distributed.scheduler import KilledWorker
from distributed.utils import LoopRunner

from cortex_model.errors import ParameterError
from cortex_model.sweeps.processes import end_idle
from cortex_model.sweeps.worker import attend

SECONDS_TO_ANSWER = 20


def by_scheduler(
    jobs: list[dict[str, Any]], scheduler: str, retries: int
) -> Iterator[tuple[int, list[str] | None | Exception]]:
    """See `cortex_model.sweeps.cluster.handed_out`; an exception for a job that could not be carried out."""
    news = queue.SimpleQueue()
    topic = f"cortex-model-{uuid.uuid4().hex}"
    with client_of(scheduler) as client:
        client.subscribe_topic(topic, lambda event: news.put((event[1], None)))
        futures = [
            client.submit(attend, job, at, topic, key=f"{topic}-{at}", retries=retries) for at, job in enumerate(jobs)
        ]
        try:
            for at, future in enumerate(futures):
                future.add_done_callback(lambda future, at=at: news.put((at, future)))
            n_left = len(jobs)
            while n_left:
                at, future = news.get()
                n_left -= future is not None
                yield at, future and _outcome(future)
        finally:
            client.cancel(futures)
            end_idle()  # of workers within this process


@contextlib.contextmanager
def client_of(scheduler: str) -> Iterator[Client]:
    """A client of the scheduler at an address.

    Raises
    ------
    ParameterError
        If none answers.
    """
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


def _outcome(future):
    try:
        return future.result()
    except KilledWorker as error:
        allowed = dask.config.get("distributed.scheduler.allowed-failures")
        return RuntimeError(f"{allowed + 1} workers that died while it ran").with_traceback(error.__traceback__)
    except Exception as error:
        return error

"""Within a worker of dask."""

from typing import Any

from distributed import get_worker

from cortex_model.sweeps.processes import carried_out


def attend(job: dict[str, Any], at: int, topic: str) -> list[str]:
    """Carry out a job, and say under ``topic`` that it has begun; see `cortex_model.sweeps.processes.carried_out`.

    Raises
    ------
    RunError
        If its process was killed; dask then begins again.
    """
    worker = get_worker()
    task = worker.state.tasks[worker.get_current_task()]
    worker.log_event(topic, at)
    return carried_out(job, lambda: task.state != "cancelled")

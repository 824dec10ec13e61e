"""Jobs carried out in processes of their own, which are kept for the next job."""

import contextlib
import json
import os
import select
import subprocess
import sys
import warnings
from collections.abc import Callable
from typing import Any

from cortex_model.errors import CortexModelWarning, RunError
from cortex_model.runs.running import ONE_THREAD, child_environment
from cortex_model.system.cache import unnamed_file

#: Processes that have nothing to do.
_IDLE: list["Child"] = []
#: How often it is asked whether a job is still wanted.
SECONDS_BETWEEN_LOOKS = 0.1


class Child:
    """A process of `cortex_model.sweeps.child`."""

    def __init__(self):
        self.complaints = unnamed_file("w+")  # lives as long as the process
        self.process = subprocess.Popen(
            [sys.executable, "-m", "cortex_model.sweeps.child"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=self.complaints, env=child_environment() | ONE_THREAD, start_new_session=True,
        )  # fmt: skip
        self._unread = b""

    def is_told(self, job: dict[str, Any]) -> bool:
        """Hand over a job; whether it was there to take it."""
        with contextlib.suppress(BrokenPipeError, OSError):
            self.process.stdin.write(json.dumps(job).encode() + b"\n")
            self.process.stdin.flush()
            return True
        return False

    def line(self) -> bytes | None:
        """The next line that it says, JSON: a list of failures, or a warning.

        None where it says nothing within a moment, and an empty line where it has ended. Lines are told apart here:
        a buffer that had taken in two at once would look like a pipe in which there is nothing.
        """
        pipe = self.process.stdout.fileno()
        if b"\n" not in self._unread and select.select([pipe], [], [], SECONDS_BETWEEN_LOOKS)[0]:
            if not (more := os.read(pipe, 2**16)):
                return b""
            self._unread += more
        line, is_whole, rest = self._unread.partition(b"\n")
        if not is_whole:
            return None
        self._unread = rest
        return line

    def end(self) -> str:
        """End it, with everything that it runs; how it ended, in words."""
        self.process.stdin.close()
        status = self.process.wait()
        self.process.stdout.close()
        self.complaints.seek(0)
        last = (self.complaints.read().strip().split("\n") or [""])[-1]
        self.complaints.close()
        return f"signal {-status}, perhaps for want of memory" if status < 0 else last or f"exit status {status}"


def carried_out(job: dict[str, Any], is_wanted: Callable[[], bool]) -> list[str]:
    """Carry out a job in a process of its own, which ends with this one, or when nobody wants the job any more.

    Raises
    ------
    RunError
        If that process was killed, or is not wanted any more.

    Warns
    -----
    CortexModelWarning
        Whatever the process warns of.
    """
    child = _told(job)
    while is_wanted():
        if (line := child.line()) is None:
            continue
        if not line:
            break
        if isinstance(answer := json.loads(line), list):
            _IDLE.append(child)
            return answer
        warnings.warn(CortexModelWarning(answer), stacklevel=2)
    raise RunError(f"its process ended by {child.end()} on {os.uname().nodename}")


def _told(job):
    """A process that has taken the job: one that waits, or a new one."""
    while child := _idle():
        if child.process.poll() is None and child.is_told(job):
            return child
        child.end()
    child = Child()
    child.is_told(job)
    return child


def end_idle() -> None:
    """End the processes that wait for a job, where this process goes on living."""
    while child := _idle():
        child.end()


def _idle():
    """A process that waits for a job, which it is not any more; None where there is none."""
    try:
        return _IDLE.pop()
    except IndexError:  # or another thread has taken it
        return None

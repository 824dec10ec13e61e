"""Whether something fits into the memory that is free, asked before it is made: a full machine kills without a word."""

import math
from pathlib import Path

from cortex_model.errors import CortexModelError, ParameterError

GIB = 2**30
#: Where Linux says to which control groups a process belongs, and where these are.
GROUPS_OF_PROCESS, GROUPS = Path("/proc/self/cgroup"), Path("/sys/fs/cgroup")
#: Of a control group, in version 2 and in version 1: its limit, what it uses, and what of that can be dropped.
FILES = (
    ("memory.max", "memory.current", "inactive_file"),
    ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
)


def free_memory() -> float:
    """Bytes that this process may still take: of the machine, of its control groups, and of its own limit."""
    import psutil

    found = [float(psutil.virtual_memory().available), *_left_in_groups()]
    process = psutil.Process()
    if hasattr(process, "rlimit"):
        limit = process.rlimit(psutil.RLIMIT_AS)[0]
        found += [float(limit - process.memory_info().vms)] if limit != psutil.RLIM_INFINITY else []
    return max(min(found), 0.0)


def _left_in_groups():
    """Bytes left in each control group of this process that has a limit: its own, and those that hold it."""
    try:
        lines = GROUPS_OF_PROCESS.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers in ("", "memory"):
            folder = GROUPS / controllers / path.strip("/")
            for group in (folder, *folder.parents):
                if group.is_relative_to(GROUPS):
                    yield from _left_in(group)


def _left_in(group: Path):
    for limit, used, droppable in FILES:
        try:
            n_left = int((group / limit).read_text()) - int((group / used).read_text())
            counts = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        except (OSError, ValueError):  # no such file, or "max"
            continue
        yield float(n_left + int(counts.get(droppable, 0)))


def product(*factors: float) -> float:
    """A product as a float, infinite where it is too large to be one."""
    try:
        return float(math.prod(factors))
    except OverflowError:
        return math.inf


def must_fit(n_bytes: float, where: str, what_to_do: str, error: type[CortexModelError] = ParameterError) -> None:
    """Refuse what is larger than the memory that is free.

    Parameters
    ----------
    n_bytes : float
        What is needed at least.
    where, what_to_do : str
        The beginning and the end of the sentence.
    error : type
        What is raised.

    Raises
    ------
    ParameterError
        Or ``error``, if it cannot fit.
    """
    there = free_memory()
    if not n_bytes <= there:
        raise error(
            f"{where}: must fit into the {there / GIB:.3g} GiB of memory that are free here "
            f"(got {n_bytes / GIB:.3g} GiB); {what_to_do}."
        )

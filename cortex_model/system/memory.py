"""Whether something fits into this machine's memory, asked before it is made: a full machine kills without a word."""

import os

from cortex_model.errors import ParameterError


def must_fit(n_bytes: float, where: str, what_to_do: str) -> None:
    """Refuse what is larger than all of the memory.

    Parameters
    ----------
    n_bytes : float
        What is needed at least.
    where, what_to_do : str
        The beginning and the end of the sentence.

    Raises
    ------
    ParameterError
        If it cannot fit.
    """
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else float("inf")
    if not n_bytes <= there:
        raise ParameterError(
            f"{where}: must fit into the {there / 2**30:.3g} GiB of memory here (got {n_bytes / 2**30:.3g} GiB); "
            f"{what_to_do}."
        )

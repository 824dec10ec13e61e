"""What the tests of the benchmark share: one tiny benchmark, measured once."""

import pytest

from cortex_model.benchmark.report import benchmark


@pytest.fixture(scope="session")
def said():
    """What the tiny benchmark reported on its way: (done, total, text)."""
    return []


@pytest.fixture(scope="session")
def result(said):
    """A tiny benchmark on one device that needs no compiler; of the memory, only the caches."""
    options = {"devices": ["runtime/numpy"], "repetitions": 1, "seconds": 0.001, "has_memory": False}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cortex_model.benchmark.bandwidth.cache_bytes", lambda: {"L1": 2**15, "L2": 2**20})
        return benchmark(["6,5,4,3"], "4", **options, report=lambda *its: said.append(its))

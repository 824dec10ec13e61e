"""A small hierarchy to be asked, and stimuli of three classes that it can tell apart."""

import numpy as np
import pytest


@pytest.fixture(scope="session")
def data():
    """(stimuli, labels): noisy copies of three patterns."""
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 3
    patterns = np.array([[1, 1, 0, 0, -1, -1], [-1, 0, 1, 1, 0, -1], [0, -1, -1, 1, 1, 0]])
    return patterns[labels] + 0.3 * rng.normal(size=(60, 6)), labels


@pytest.fixture(scope="session")
def new():
    """Keywords -> a `Cortex` of 6-5-3 neurons on the runtime device."""
    from cortex_model import Cortex

    def make(*args, **given):
        return Cortex((6, 5, 3), *args, **{"seed": 1, "device": "runtime", "learning_rate": 0.05} | given)

    return make


@pytest.fixture(scope="session")
def taught(new, data):
    """One that has slept and woken; asked only, never changed."""
    return new().sleep(200).wake(*data, epochs=4)

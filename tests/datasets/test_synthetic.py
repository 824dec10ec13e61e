import numpy as np
import pytest

from cortex_model.datasets import synthetic_classes
from cortex_model.errors import ParameterError

COUNTS = {"n_inputs": 20, "n_classes": 4, "n_train": 202, "n_test": 100, "seed": 3}


def test_shapes_and_balance():
    synthetic = synthetic_classes(**COUNTS)
    assert synthetic.name == "synthetic" and synthetic.class_names[3] == "class 3"
    assert synthetic.train.images.shape == (202, 1, 20) and synthetic.train.images.dtype == np.uint8
    assert synthetic.train.labels.dtype == np.int32
    assert np.bincount(synthetic.train.labels).tolist() == [51, 51, 50, 50]
    assert synthetic.stimuli("signed")[1].shape == (100, 20)


def test_the_seed_decides():
    first, same, other = (synthetic_classes(**{**COUNTS, "seed": seed}) for seed in (3, 3, 4))
    assert np.array_equal(first.train.images, same.train.images)
    assert not np.array_equal(first.train.images, other.train.images)


def test_the_classes_can_be_told_apart():
    synthetic = synthetic_classes(**COUNTS)
    train, test = synthetic.stimuli("standardised")
    means = np.stack([train[synthetic.train.labels == k].mean(axis=0) for k in range(4)])
    nearest = np.argmin(((test[:, None] - means) ** 2).sum(axis=-1), axis=1)
    assert np.mean(nearest == synthetic.test.labels) > 0.95


@pytest.mark.parametrize("name", ["n_inputs", "n_classes", "n_train", "n_test"])
def test_counts_must_be_positive(name):
    with pytest.raises(ParameterError, match=rf"^synthetic_classes\.{name}: must be at least 1 \(got 0\)"):
        synthetic_classes(**{**COUNTS, name: 0})


def test_the_seed_must_not_be_negative():
    with pytest.raises(ParameterError, match=r"seed: must not be negative \(got -1\)"):
        synthetic_classes(**{**COUNTS, "seed": -1})

import numpy as np
import pytest

from cortex_model.errors import ParameterError
from cortex_model.theory import encoder_updates, hinton_mcclelland_update


def test_encoder_needs_the_published_number_of_updates():
    """Published: 48 on average over starts, with settings given for 4-2-4."""
    counts = [encoder_updates(seed) for seed in range(40)]
    assert 38 < np.mean(counts) < 60


def test_full_regression_learns_nothing():
    """At regression 1 the visible rates never move, so there is no difference to learn from."""
    generator = np.random.default_rng(0)
    W, V, b_h, b_y = (generator.normal(size=shape) for shape in ((2, 4), (4, 2), (2,), (4,)))
    increments = hinton_mcclelland_update(W, V, b_h, b_y, np.eye(4), regression=1.0)
    assert all(np.all(increment == 0) for increment in increments)
    with pytest.raises(ParameterError, match="must be enough"):
        encoder_updates(0, regression=1.0, max_updates=3)


def test_one_vector_at_a_time_adds_up_to_the_batch():
    generator = np.random.default_rng(1)
    weights = [generator.normal(size=shape) for shape in ((2, 4), (4, 2), (2,), (4,))]
    batch = hinton_mcclelland_update(*weights, np.eye(4))
    singles = [hinton_mcclelland_update(*weights, np.eye(4)[:, [k]]) for k in range(4)]
    for total, parts in zip(batch, zip(*singles, strict=True), strict=True):
        np.testing.assert_allclose(np.sum(parts, axis=0), total, rtol=1e-12, atol=1e-15)

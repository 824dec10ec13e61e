"""Features of drawn bars are what was drawn; halves of a class say nothing of the class."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from cortex_model.analysis.image_features import above_class_median, low_level_features
from cortex_model.errors import ParameterError


def bar(lean=0.0, thickness=2.0, height=20.0, size=41):
    """A bar that leans ``lean`` pixels to the right for each pixel up."""
    y, x = np.indices((size, size)) - size // 2
    return ((np.abs(x + lean * y) <= thickness) & (np.abs(y) <= height / 2)).astype(np.uint8) * 255


@pytest.mark.parametrize("lean", [-0.5, -0.2, 0.0, 0.3, 0.6])
def test_slant_is_the_lean(lean):
    assert low_level_features(bar(lean)[None])["slant"][0] == pytest.approx(lean, abs=0.05)


def test_ink_is_the_mean_and_grows_with_thickness():
    thin, thick = low_level_features(np.stack([bar(thickness=1), bar(thickness=4)]))["ink"]
    assert thick > 2 * thin
    assert thin == pytest.approx(bar(thickness=1).mean())


def test_width_is_relative_to_height():
    tall, wide = bar(thickness=2, height=30), bar(thickness=15, height=4)
    narrow, broad = low_level_features(np.stack([tall, wide]))["width"]
    assert narrow < 0.2 and broad > 5


def test_where_a_shape_is_and_how_light_changes_neither_slant_nor_width():
    its = low_level_features(np.stack([bar(0.3), np.roll(bar(0.3), (3, -4), (0, 1)), bar(0.3) // 2]))
    for name in ("slant", "width"):
        np.testing.assert_allclose(its[name], its[name][0], rtol=1e-9)


def test_half_of_every_class_lies_above_its_median():
    digits = load_digits()
    for values in low_level_features(digits.images).values():
        above = above_class_median(values, digits.target)
        for label in range(10):
            assert above[digits.target == label].mean() == pytest.approx(0.5, abs=0.02)
        assert not np.array_equal(above, values > np.median(values)), "of the class, not of all"


def test_an_empty_image_is_refused():
    with pytest.raises(ParameterError, match="got none in image 1"):
        low_level_features(np.stack([bar(), np.zeros((41, 41), np.uint8)]))


def test_colours_are_refused():
    with pytest.raises(ParameterError, match="must be grey images"):
        low_level_features(np.ones((2, 4, 4, 3)))

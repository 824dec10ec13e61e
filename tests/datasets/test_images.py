import numpy as np
import pytest

from cortex_model.datasets import SCALINGS, Dataset, ImageSet
from cortex_model.errors import ParameterError


def image_set(shape, max_value=255, seed=0):
    generator = np.random.default_rng(seed)
    images = generator.integers(0, max_value + 1, shape, dtype=np.uint8)
    return ImageSet(images, np.arange(len(images), dtype=np.int32) % 2, max_value)


def dataset(train, test):
    return Dataset("made up", train, test, 2, ("even", "odd"))


def test_counts():
    images = image_set((5, 4, 3, 3))
    assert (images.n_stimuli, images.n_pixels, images.pixels.shape) == (5, 36, (5, 36))


def test_colour_planes_follow_each_other():
    images = image_set((5, 4, 3, 3))
    planes = images.pixels.reshape(5, 3, 12)
    for channel in range(3):
        assert np.array_equal(planes[:, channel], images.images[..., channel].reshape(5, 12))


@pytest.mark.parametrize("indices", [[3, 0, 3], np.array([False, True, True, False, False]), [-1]])
def test_subset(indices):
    images = image_set((5, 2, 2))
    chosen = images.subset(indices)
    assert np.array_equal(chosen.images, images.images[np.asarray(indices)])
    assert np.array_equal(chosen.labels, images.labels[np.asarray(indices)])
    assert chosen.max_value == 255


@pytest.mark.parametrize("indices", [[5], [0.5], 2, [[0, 1]], [True, False]])
def test_subset_of_what_is_not_there(indices):
    with pytest.raises(ParameterError, match=r"^ImageSet\.subset\.indices: must be one row of integers below 5 or"):
        image_set((5, 2, 2)).subset(indices)


@pytest.mark.parametrize("max_value", [16, 255])
def test_unit_and_signed_span_their_ranges(max_value):
    ramp = np.array([0, max_value], np.uint8).reshape(1, 1, 2)
    images = dataset(*[ImageSet(ramp, np.zeros(1, np.int32), max_value)] * 2)
    assert images.stimuli("unit")[0].tolist() == [[0.0, 1.0]]
    assert images.stimuli("signed")[1].tolist() == [[-1.0, 1.0]]


def test_standardised_is_fitted_on_the_training_images_only():
    train, test = image_set((50, 3, 3)), image_set((20, 3, 3), max_value=100, seed=1)
    test = ImageSet(test.images, test.labels, 255)
    train_stimuli, test_stimuli = dataset(train, test).stimuli("standardised")
    assert train_stimuli.mean() == pytest.approx(0, abs=1e-12)
    assert train_stimuli.std() == pytest.approx(1, rel=1e-12)
    mean, deviation = train.pixels.mean(), train.pixels.std()
    np.testing.assert_allclose(test_stimuli, (test.pixels - mean) / deviation, rtol=0, atol=1e-12)
    assert test_stimuli.mean() < -0.5, "darker test images stay darker"


@pytest.mark.parametrize("scaling", SCALINGS)
def test_float32_agrees_with_float64(scaling):
    images = dataset(image_set((50, 3, 3)), image_set((20, 3, 3), seed=1))
    for wide, narrow in zip(images.stimuli(scaling), images.stimuli(scaling, "float32"), strict=True):
        assert (wide.dtype, narrow.dtype) == (np.float64, np.float32)
        np.testing.assert_allclose(narrow, wide, rtol=0, atol=1e-6)


def test_scaling_leaves_the_images_alone():
    train = image_set((5, 2, 2))
    before = train.images.copy()
    dataset(train, train).stimuli("signed")
    assert np.array_equal(train.images, before)


def test_unknown_scaling_and_dtype():
    images = dataset(image_set((5, 2, 2)), image_set((5, 2, 2)))
    with pytest.raises(ParameterError, match=r"scaling: must be one of unit, .*, none \(got 'zscore'\)"):
        images.stimuli("zscore")
    with pytest.raises(ParameterError, match=r"dtype: must be 'float64' or 'float32' \(got 'int8'\)"):
        images.stimuli("unit", "int8")


def test_equal_pixels_cannot_be_standardised():
    grey = ImageSet(np.full((3, 2, 2), 7, np.uint8), np.zeros(3, np.int32), 255)
    with pytest.raises(ParameterError, match=r"must have training pixels that differ \(got 7 everywhere\)"):
        dataset(grey, grey).stimuli("standardised")

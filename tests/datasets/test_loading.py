import gzip

import numpy as np
import pytest

from cortex_model.datasets import load
from cortex_model.datasets.loading import read_cifar_binary, read_idx
from cortex_model.errors import DatasetError, ParameterError

IMAGES, LABELS = "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"


def test_digits_need_no_file():
    digits = load("digits")
    assert (digits.train.images.shape, digits.test.images.shape) == ((1437, 8, 8), (360, 8, 8))
    assert digits.train.images.dtype == np.uint8 and digits.train.labels.dtype == np.int32
    assert digits.train.max_value == digits.train.images.max() == 16
    assert np.bincount(digits.test.labels).tolist() == [35, 36, 35, 37, 37, 37, 37, 36, 33, 37]
    assert digits.class_names[3] == "3" and digits.n_classes == 10


def test_validation_never_sees_the_test_set():
    published, tuning = load("digits"), load("digits", validation=400)
    assert np.array_equal(tuning.train.images, published.train.images[:1037])
    assert np.array_equal(tuning.test.images, published.train.images[1037:])
    assert np.array_equal(tuning.test.labels, published.train.labels[1037:])


@pytest.mark.parametrize("validation", [-1, 1437, 0.2, True])
def test_validation_that_leaves_nothing(validation):
    with pytest.raises(ParameterError, match=r"^datasets\.load\.validation: must be a count of images below 1437"):
        load("digits", validation=validation)


def test_an_unknown_dataset():
    with pytest.raises(DatasetError, match=r"\(got 'digit'\); did you mean 'digits'\?"):
        load("digit")


def test_idx_keeps_shape_and_order(as_idx):
    array = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    assert np.array_equal(read_idx(as_idx(array), "here"), array)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"plain", "must hold a whole gzip file"),
        (gzip.compress(bytes((0, 0, 8, 1, 0, 0, 7, 208)) + bytes(2000))[:-9], "must hold a whole gzip file"),
        (gzip.compress(b""), "must hold an idx file of uint8, magic 00 00 08"),
        (gzip.compress(bytes((0, 0, 13, 1, 0, 0, 0, 0))), r"must hold an idx .* \(got magic 00 00 0d 01\)"),
        (gzip.compress(bytes((0, 0, 8, 3, 0, 0, 0, 1))), "must hold an idx file"),
        (gzip.compress(bytes((0, 0, 8, 1, 0, 0, 0, 9, 1, 2))), r"must hold 9 values of shape \(9,\) \(got 2\)"),
    ],
    ids=["not gzip", "gzip cut short", "empty", "floats", "header cut short", "values cut short"],
)
def test_an_idx_file_that_is_none(content, message):
    with pytest.raises(DatasetError, match=rf"^here: {message}"):
        read_idx(content, "here")


@pytest.mark.parametrize(
    ("file", "array", "message"),
    [
        (IMAGES, np.zeros((6, 3, 2)), r"images of shape \(6, 2, 3\) \(got \(6, 3, 2\)\)"),
        (IMAGES, np.zeros((5, 2, 3)), r"images of shape \(6, 2, 3\) \(got \(5, 2, 3\)\)"),
        (LABELS, np.zeros(5), r"6 labels, one for each image \(got \(5,\)\)"),
        (LABELS, [0, 1, 2, 3, 4, 10], r"labels below 10 \(got 10\)"),
    ],
    ids=["turned images", "too few images", "too few labels", "an eleventh class"],
)
def test_verified_files_with_other_contents(tiny_contents, set_mnist, served_mnist, as_idx, file, array, message):
    served_mnist.contents[file] = as_idx(array)
    set_mnist({**tiny_contents, file: as_idx(array)}, served_mnist.address)
    with pytest.raises(DatasetError, match=f"^mnist: must hold {message}; use the published files"):
        load("mnist")


def test_cifar_records(tiny_batches):
    content = tiny_batches["data_batch_1.bin"]
    images, labels = read_cifar_binary(content, "here")
    assert images.shape == (3, 32, 32, 3) and labels.tolist() == [0, 1, 2]
    record, row, column, channel = 2, 5, 7, 1
    position = record * 3073 + 1 + channel * 1024 + row * 32 + column
    assert images[record, row, column, channel] == content[position]
    with pytest.raises(DatasetError, match=r"^here: must hold whole records of 3073 bytes \(got 9218 bytes\)"):
        read_cifar_binary(content[:-1], "here")


def test_a_small_cifar10_in_the_order_of_the_batches(tiny_cifar10, tiny_batches, packed, put, tmp_path, monkeypatch):
    shuffled = dict(sorted(tiny_batches.items(), reverse=True))
    put(tmp_path / "data" / "cifar10", {"cifar-10-binary.tar.gz": packed(shuffled, "w:gz")})
    monkeypatch.setenv("CORTEX_MODEL_DATA", str(tmp_path / "data"))
    cifar = load("cifar10")
    records = np.frombuffer(b"".join(tiny_batches.values()), np.uint8).reshape(18, 3073)
    assert np.array_equal(cifar.train.pixels, records[:15, 1:])
    assert np.array_equal(cifar.test.pixels, records[15:, 1:])
    assert cifar.train.labels.tolist() == [0, 1, 2] * 5
    assert cifar.train.images.shape == (15, 32, 32, 3)


def test_the_real_mnist(real_data, monkeypatch):
    monkeypatch.setenv("CORTEX_MODEL_DATA", str(real_data("mnist")))
    mnist = load("mnist")
    assert (mnist.train.images.shape, mnist.test.images.shape) == ((60000, 28, 28), (10000, 28, 28))
    train_counts = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(mnist.train.labels).tolist() == train_counts
    assert np.bincount(mnist.test.labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    stimuli, _ = mnist.stimuli("unit", "float32")
    assert stimuli.mean(dtype=float) == pytest.approx(0.13066, abs=5e-6)
    assert stimuli.std(dtype=float) == pytest.approx(0.30811, abs=5e-6)
    tuning = load("mnist", validation=10_000)
    assert (tuning.train.n_stimuli, tuning.test.n_stimuli) == (50_000, 10_000)
    assert np.array_equal(tuning.test.labels, mnist.train.labels[50_000:])


@pytest.fixture(scope="module")
def real_cifar10(real_data):
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("CORTEX_MODEL_DATA", str(real_data("cifar10")))
        return load("cifar10")


@pytest.mark.slow
def test_the_real_cifar10(real_cifar10):
    train, test = real_cifar10.train, real_cifar10.test
    assert (train.images.shape, test.images.shape) == ((50000, 32, 32, 3), (10000, 32, 32, 3))
    assert np.bincount(train.labels).tolist() == [5000] * 10
    assert np.bincount(test.labels).tolist() == [1000] * 10
    planes = train.pixels.reshape(50000, 3, 1024)
    means, deviations = zip(
        *((planes[:, k].mean() / 255, planes[:, k].std(dtype=np.float32) / 255) for k in range(3)), strict=True
    )
    assert means == pytest.approx((0.49140, 0.48216, 0.44653), abs=1e-5)
    assert deviations == pytest.approx((0.24703, 0.24349, 0.26159), abs=1e-4)


@pytest.mark.slow
def test_the_real_cifar10_standardised(real_cifar10):
    train_stimuli, test_stimuli = real_cifar10.stimuli("standardised", "float32")
    assert train_stimuli.shape == (50000, 3072) and test_stimuli.shape == (10000, 3072)
    assert train_stimuli.mean(dtype=float) == pytest.approx(0, abs=1e-6)
    assert np.square(train_stimuli).mean(dtype=float) == pytest.approx(1, abs=1e-6)

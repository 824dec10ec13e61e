"""From verified files to a `Dataset`: the formats, without pickles, nothing extracted to disk."""

from __future__ import annotations

import gzip
import importlib.util
import io
import math
import struct
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from cortex_model.datasets import own_data
from cortex_model.datasets.files import read_files
from cortex_model.datasets.images import Dataset, ImageSet
from cortex_model.datasets.registry import DatasetSource, find_source
from cortex_model.datasets.user_files import must_hold
from cortex_model.errors import DatasetError, ParameterError

_IDX_UINT8 = 8


def load(name: str, *, validation: int = 0, test_fraction: float = 0.2, split_seed: int = 0) -> Dataset:
    """Load a dataset, downloading its files if they are not on this machine; every file is verified.

    Parameters
    ----------
    name : str
        A key of `DATASETS`. ``"digits"`` needs no download. Or a file or a folder of one's own
        (`cortex_model.datasets.own_data`).
    validation : int, optional
        If positive, the last ``validation`` training images are taken from ``train`` and become ``test``, so
        that parameters can be tuned without ever looking at the published test set.
    test_fraction, split_seed : float, int
        Of data of one's own that say nothing of a test set: the part that is it, and the seed by which it is drawn.

    Returns
    -------
    Dataset
        Images in the order of the files. ``"digits"`` has no published test set in scikit-learn: there the
        first 1437 images are for training and the last 360 for testing.

    Raises
    ------
    DatasetError
        If there is no such dataset, or if a file cannot be fetched, is truncated, corrupted or holds
        something else.
    ParameterError
        If ``validation`` does not leave a training image.
    """
    if own_data.is_own(name):
        whole = own_data.load_own(name, test_fraction, split_seed)
        _check_validation(name, validation, whole.train.n_stimuli)
    else:
        source = find_source(name)
        _check_validation(name, validation, source.n_train)
        train_arrays, test_arrays = _READERS[source.format](source)
        train = _image_set(source, source.n_train, *train_arrays)
        test = _image_set(source, source.n_test, *test_arrays)
        whole = Dataset(source.name, train, test, source.n_classes, source.class_names)
    if not validation:
        return whole
    indices = np.arange(whole.train.n_stimuli)
    return replace(
        whole, train=whole.train.subset(indices[:-validation]), test=whole.train.subset(indices[-validation:])
    )


def _check_validation(name, validation, n_train):
    is_count = isinstance(validation, int | np.integer) and not isinstance(validation, bool)
    if not (is_count and 0 <= validation < n_train):
        raise ParameterError(
            f"datasets.load.validation: must be a count of images below {n_train}, the size of the "
            f"training set of {name} (got {validation!r}); choose fewer, or 0 for the published test set."
        )


def read_idx(content: bytes, where: str) -> np.ndarray:
    """Read a gzipped idx file of unsigned bytes.

    The format: two zero bytes, the type (8: uint8), the number of dimensions, each dimension as a big-endian
    uint32, then the values, the last dimension changing fastest.

    Parameters
    ----------
    content : bytes
        The whole compressed file.
    where : str
        What to call it in an error.

    Returns
    -------
    ndarray of uint8
        Read-only, with the dimensions that the file states.

    Raises
    ------
    DatasetError
        If it is not gzip, or the header or the size is wrong.
    """
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
            magic = file.read(4)
            n_dimensions = magic[3] if len(magic) > 3 else 0
            sizes = file.read(4 * n_dimensions)
            if magic[:3] != bytes((0, 0, _IDX_UINT8)) or not n_dimensions or len(sizes) < 4 * n_dimensions:
                raise _wrong_content(where, "an idx file of uint8, magic 00 00 08", f"magic {magic.hex(' ')}")
            shape = struct.unpack(f">{n_dimensions}I", sizes)
            n_values = math.prod(shape)
            must_hold(n_values, where)
            data, is_more = file.read(n_values), bool(file.read(1))
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise _wrong_content(where, "a whole gzip file", str(error)) from error
    if len(data) != n_values or is_more:
        raise _wrong_content(where, f"{n_values} values of shape {shape}", "more" if is_more else f"{len(data)}")
    return np.frombuffer(data, np.uint8).reshape(shape)


def read_cifar_binary(content: bytes, where: str) -> tuple[np.ndarray, np.ndarray]:
    """Read a batch of the CIFAR-10 binary version: records of 1 label byte and 3 planes of 32 x 32 bytes.

    Parameters
    ----------
    content : bytes
        The whole file.
    where : str
        What to call it in an error.

    Returns
    -------
    images : ndarray of uint8, shape (n_stimuli, 32, 32, 3)
        A read-only view; in memory the red, green and blue planes follow each other, as in the file.
    labels : ndarray of uint8, shape (n_stimuli,)

    Raises
    ------
    DatasetError
        If the file does not consist of whole records.
    """
    record = 1 + 3 * 32 * 32
    if len(content) % record:
        raise _wrong_content(where, f"whole records of {record} bytes", f"{len(content)} bytes")
    records = np.frombuffer(content, np.uint8).reshape(-1, record)
    return np.moveaxis(records[:, 1:].reshape(-1, 3, 32, 32), 1, -1), records[:, 0]


Arrays = tuple[np.ndarray, np.ndarray]


def _embedded(source: DatasetSource) -> tuple[Arrays, Arrays]:
    rows = np.loadtxt(_file_of_digits(), delimiter=",", dtype=np.uint8)
    images, labels, n_train = rows[:, :-1].reshape(-1, 8, 8), rows[:, -1].astype(int), source.n_train
    return (images[:n_train], labels[:n_train]), (images[n_train:], labels[n_train:])


def _file_of_digits():
    """The file of scikit-learn's digits, found without loading scikit-learn, which takes longer than a small run."""
    (folder,) = importlib.util.find_spec("sklearn").submodule_search_locations
    return Path(folder) / "datasets" / "data" / "digits.csv.gz"


def _idx(source: DatasetSource) -> tuple[Arrays, Arrays]:
    contents = read_files(source.name)
    arrays = [read_idx(contents[file.name], f"{source.name}.{file.name}") for file in source.files]
    return (arrays[0], arrays[1]), (arrays[2], arrays[3])


def _cifar_binary(source: DatasetSource) -> tuple[Arrays, Arrays]:
    contents = read_files(source.name)
    batches = [read_cifar_binary(contents[file.name], f"{source.name}.{file.name}") for file in source.files]
    images, labels = zip(*batches[:-1], strict=True)
    return (np.concatenate(images), np.concatenate(labels)), batches[-1]


_READERS: dict[str, Callable[[DatasetSource], tuple[Arrays, Arrays]]] = {
    "embedded": _embedded,
    "idx": _idx,
    "cifar_binary": _cifar_binary,
}


def _image_set(source: DatasetSource, n_stimuli: int, images: np.ndarray, labels: np.ndarray) -> ImageSet:
    """Compare what was read with the row of the registry."""
    expected = (n_stimuli, *source.image_shape)
    if images.shape != expected:
        raise _wrong_content(source.name, f"images of shape {expected}", f"{images.shape}")
    if labels.shape != images.shape[:1]:
        raise _wrong_content(source.name, f"{n_stimuli} labels, one for each image", f"{labels.shape}")
    if labels.max(initial=0) >= source.n_classes:
        raise _wrong_content(source.name, f"labels below {source.n_classes}", f"{labels.max()}")
    return ImageSet(images, labels.astype(np.int32), source.max_value)


def _wrong_content(where: str, expected: str, got: str) -> DatasetError:
    return DatasetError(
        f"{where}: must hold {expected} (got {got}); use the published files, or correct the row of the registry."
    )

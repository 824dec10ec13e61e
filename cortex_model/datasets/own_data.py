"""Data of one's own: a file or a folder with stimuli and, for each of them, a label or target rates.

=============  =========================================================================================
folder         image files in folders, one a class; below folders ``train`` and ``test`` where the split is given
.npz, .mat     arrays ``stimuli`` (or ``X``, ``images``, ``data``) of shape (n_stimuli, ...) and ``labels`` (or ``y``)
.nc            the same as variables, ``stimulus`` their first dimension
.csv, .tsv     a row a stimulus; a column ``label`` (or ``class``, ``y``), all others are its elements
=============  =========================================================================================

Target rates instead of labels are an array ``targets`` of shape (n_stimuli, n_targets), or columns whose names begin
with ``target``. A split of one's own: arrays ``stimuli_train``, ``labels_train``, ``stimuli_test``, ``labels_test``, or
a column or array ``split`` with ``train`` or ``test`` for each stimulus. Without one, a seeded part of the stimuli is
for testing.

A file is named ``path#hash``: what decides a result is in the value of the parameter ``dataset``.
"""

import hashlib
import re
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from cortex_model.datasets.array_files import READERS
from cortex_model.datasets.images import Dataset, ImageSet
from cortex_model.datasets.stimulus_images import image_files
from cortex_model.datasets.stimulus_names import as_name
from cortex_model.datasets.tables import frame_of
from cortex_model.datasets.user_files import content_of, located, misfit, must_hold
from cortex_model.system.sources import path_and_hash

#: Digits of the hash in a name.
N_DIGITS = 12
#: What arrays and columns may be called; the first name is the one that sentences say.
STIMULI = ("stimuli", "X", "x", "images", "data", "features")
LABELS = ("labels", "label", "y", "class", "classes")
TARGETS = ("targets", "target", "Y")
SPLIT, PARTS = "split", ("train", "test")
ARRAYS, TABLES = (".npz", ".mat", ".nc"), (".csv", ".tsv")


class Rows(NamedTuple):
    """Stimuli, their labels or target rates (None: not given), and which of them are for testing (None: not said)."""

    stimuli: np.ndarray
    labels: np.ndarray | None
    targets: np.ndarray | None
    is_test: np.ndarray | None


_HASHES: dict[str, str] = {}


def is_own(name: Any) -> bool:
    """Whether a value of ``dataset`` names a file or a folder, and not a dataset of the registry."""
    text = path_and_hash(name)[0]
    return isinstance(name, Path) or "/" in text or "\\" in text or text.endswith((*ARRAYS, *TABLES, ".npy", ".txt"))


def named(name: Any) -> str:
    """The full name of data of one's own, ``path#hash``.

    What has a hash already must still be that, if it is still there: a finished run can be read without it.

    Raises
    ------
    DatasetError
        If it is not there, or is another content than its name says.
    """
    text = str(name)
    path, digest = path_and_hash(text)
    if text in _HASHES or (digest and not located(path).exists()):
        return text
    found = content_hash(located(path))
    if digest and digest != found:
        raise misfit(
            f"dataset {path}", f"hold what it held, of the hash {digest}", found,
            "put the data back, or give its name without the hash",
        )  # fmt: skip
    full = f"{located(path).resolve()}#{found}"
    _HASHES[full] = found
    return full


def content_hash(path: Path) -> str:
    """Twelve digits of the SHA-256 of a file, or of the names and contents of all images below a folder."""
    if not path.exists():
        raise misfit("dataset", "be a file or a folder that is there", f"nothing at {path}", "correct the path")
    digest = hashlib.sha256()
    for name, file in image_files(path) if path.is_dir() else [("", path)]:
        content = content_of(file, "dataset")
        digest.update(f"{name} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:N_DIGITS]


def load_own(name: str, test_fraction: float, split_seed: int) -> Dataset:
    """Data of one's own, as they are when they are read.

    Parameters
    ----------
    name : str
        A path, or ``path#hash``.
    test_fraction : float
        The part of the stimuli that is for testing, where the data do not say it.
    split_seed : int
        Of which stimuli these are.

    Raises
    ------
    DatasetError
        In a sentence that says what is missing or does not fit.
    """
    path = Path(path_and_hash(named(name))[0])
    if not path.exists():
        raise misfit("dataset", "be a file or a folder that is there", f"nothing at {path}", "put it back")
    if path.is_dir():
        rows = _folder(path)
    elif path.suffix.lower() in ARRAYS:
        rows = _arrays(path)
    elif path.suffix.lower() in TABLES:
        rows = _table(path)
    else:
        kinds = ", ".join((*ARRAYS, *TABLES))
        raise misfit(f"dataset {path}", f"be a folder of images, or one of {kinds}", path.name, "convert it")
    return _dataset(path, rows, test_fraction, split_seed)


# ---------------------------------------------------------------------- kinds of files
def _folder(path):
    """Images in folders, one a class, perhaps below ``train`` and ``test``."""
    from cortex_model.datasets.pictures import decoded

    files = image_files(path)
    has_split = {Path(name).parts[0] for name, _ in files} == set(PARTS)
    depth, images, labels = 2 + has_split, [], []
    for name, file in files:
        *above, _ = parts = Path(name).parts
        if len(parts) != depth:
            must = f"hold images in folders, one a class{', below train and test' if has_split else ''}"
            raise misfit(f"dataset {path}", must, f"{name}", "sort the images into folders")
        images.append(decoded(content_of(file, "dataset"), f"{path}: {name}").array)
        labels.append((above[0] == "test", above[-1]))
        if images[-1].shape != images[0].shape or images[-1].dtype != np.uint8:
            shape = images[-1].shape if images[-1].dtype == np.uint8 else "16 bits a level"
            must = f"hold images of one shape, {images[0].shape}, with 8 bits a level"
            raise misfit(f"dataset {path}", must, f"{shape} in {name}", "resize or convert them")
        if len(images) == 1:
            must_hold(len(files) * images[0].nbytes, f"dataset {path}", "give fewer or smaller images")
    if not images:
        raise misfit(f"dataset {path}", "hold image files", "none", "give another folder")
    is_test = np.array([test for test, _ in labels]) if has_split else None
    return Rows(np.stack(images), np.array([label for _, label in labels]), None, is_test)


def _arrays(path):
    """Arrays by name; with ``_train`` and ``_test`` at their ends, or a ``split``."""
    arrays = {name: np.asarray(array) for name, array in _in_order(READERS[path.suffix.lower()].arrays(path)).items()}
    parts = {part: _of_part(arrays, part) for part in PARTS}
    if all(parts.values()):
        train, test = (_rows(path, parts[part], f"_{part}") for part in PARTS)
        is_test = np.repeat([False, True], [len(train.stimuli), len(test.stimuli)])
        if train.stimuli.shape[1:] != test.stimuli.shape[1:] or (train.labels is None) != (test.labels is None):
            got = f"{train.stimuli.shape} for training and {test.stimuli.shape} for testing"
            raise misfit(f"dataset {path}", "hold the same kind of stimuli in both parts", got, "save them alike")
        joined = [None if a is None else np.concatenate([a, b]) for a, b in zip(train[:3], test[:3], strict=True)]
        return Rows(*joined, is_test)
    rows = _rows(path, arrays, "")
    return rows._replace(is_test=_is_test(path, arrays[SPLIT], len(rows.stimuli)) if SPLIT in arrays else None)


def _in_order(arrays):
    """Variables of NetCDF with the dimension ``stimulus`` first; others as they are."""
    return {
        name: array.transpose("stimulus", ...) if "stimulus" in getattr(array, "dims", ()) else array
        for name, array in arrays.items()
    }


def _of_part(arrays, part):
    """Name -> array of those whose name begins or ends with the name of a part: ``X_train``, ``train_images``."""
    found = {re.sub(rf"^{part}_|_{part}$", "", name): array for name, array in arrays.items()
             if name.startswith(f"{part}_") or name.endswith(f"_{part}")}  # fmt: skip
    return found if set(found) & {*STIMULI} else {}


def _rows(path, arrays, ending):
    """Stimuli with labels or targets, from arrays by name."""
    stimuli, labels, targets = (_one_of(arrays, names) for names in (STIMULI, LABELS, TARGETS))
    if stimuli is None or (labels is None and targets is None):
        what = f"{STIMULI[0]}{ending}" if stimuli is None else f"{LABELS[0]}{ending} (classes) or {TARGETS[0]}{ending}"
        got = ", ".join(arrays) or "nothing"
        raise misfit(f"dataset {path}", f"hold an array {what}", got, "save it under that name")
    for array in (each for each in (stimuli, labels, targets) if each is not None):
        if array.size == 0:  # its other axes may be of any length
            raise misfit(f"dataset {path}", "hold numbers", f"an empty array of shape {array.shape}", "fill it")
    if labels is not None:
        labels = np.atleast_1d(np.squeeze(labels))
        if labels.ndim == 2 or (labels.dtype.kind == "f" and (labels != np.floor(labels)).any()):
            labels, targets = None, np.asarray(labels, float)  # "y" of a regression
    if targets is not None and labels is None:
        targets = np.asarray(targets, float)
        targets = targets.reshape(len(targets), -1) if targets.ndim != 1 else targets[:, None]
    n, n_answers = len(stimuli), len(targets if labels is None else labels)
    if stimuli.ndim < 2 or stimuli.dtype.kind not in "buif" or n != n_answers:
        advice = (
            "transpose it: a stimulus is a row" if stimuli.ndim > 1 and stimuli.shape[1] == n_answers else "mend it"
        )
        must = f"be numbers of shape ({n_answers}, ...), a row for each of its {n_answers} labels or targets"
        got = f"{stimuli.dtype}, shape {stimuli.shape}"
        raise misfit(f"dataset {path}: {STIMULI[0]}{ending}", must, got, advice)
    return Rows(stimuli, labels, None if labels is not None else targets, None)


def _one_of(arrays, names):
    return next((arrays[name] for name in names if name in arrays), None)


def _table(path):
    """A row a stimulus; columns of labels, targets and the split go by their names."""
    table = frame_of(path)
    names = {str(name).strip(): name for name in table.columns}
    label = next((names[name] for name in LABELS if name in names), None)
    targets = [given for name, given in names.items() if name.lower().startswith(TARGETS[1])] if label is None else []
    if label is None and not targets:
        got = ", ".join(list(names)[:8])
        raise misfit(
            f"dataset {path}", f"have a column {LABELS[1]!r}, or columns target_1, target_2 ...", got, "add it"
        )
    left = table.drop(columns=[*targets, *([label] if label is not None else []), *([SPLIT] if SPLIT in table else [])])
    if other := [name for name in left.columns if left[name].dtype.kind not in "buif"]:
        got = f"{left[other[0]].iloc[0]!r} in column {other[0]!r}"
        raise misfit(f"dataset {path}", "hold numbers in every other column", got, "leave that column out")
    is_test = _is_test(path, table[SPLIT].to_numpy(), len(table)) if SPLIT in table else None
    its = None if label is None else table[label].to_numpy()
    return Rows(left.to_numpy(float), its, table[targets].to_numpy(float) if targets else None, is_test)


def _is_test(path, split, n):
    """Which stimuli are for testing, from ``train`` or ``test`` for each."""
    words = [as_name(each).lower() for each in np.ravel(split)]
    if len(words) != n or set(words) != set(PARTS):
        got = f"{len(words)} entries: {', '.join(sorted(set(words))[:5])}"
        raise misfit(f"dataset {path}: {SPLIT}", f"say train or test for each of {n} stimuli", got, "correct it")
    return np.array([word == "test" for word in words])


# ---------------------------------------------------------------------- put together
def _dataset(path, rows, test_fraction, split_seed):
    n = len(rows.stimuli)
    is_test, notes = rows.is_test, ()
    if is_test is None:
        n_test = round(test_fraction * n)
        if not 0 < n_test < n:
            raise misfit(f"dataset {path}", f"leave stimuli on both sides of test_fraction={test_fraction:g}",
                         f"{n} stimuli", "change test_fraction, or give more stimuli")  # fmt: skip
        is_test = np.zeros(n, bool)
        is_test[np.random.default_rng(split_seed).permutation(n)[:n_test]] = True
        notes = (
            f"{path.name} says nothing of a test set: {n_test} of its {n} stimuli (split_seed={split_seed}) are it.",
        )
    stimuli = _levels(path, rows.stimuli)
    is_image = stimuli.dtype == np.uint8
    low, high = (0, 255) if is_image else (float(stimuli[~is_test].min()), float(stimuli[~is_test].max()))
    names, labels = _classes(path, rows.labels) if rows.labels is not None else ((), np.zeros(n, np.int32))
    if rows.targets is not None and not np.isfinite(rows.targets).all():
        raise misfit(f"dataset {path}: {TARGETS[0]}", "be finite numbers", "NaN or infinity", "leave those rows out")
    both = ImageSet(stimuli, labels, high, low, rows.targets)
    train, test = both.subset(~is_test), both.subset(is_test)
    if missing := [names[label] for label in np.unique(test.labels) if names and label not in train.labels]:
        raise misfit(f"dataset {path}", "have each class in its training part", f"none of {missing[0]!r}", "split anew")
    return Dataset(f"{path.name}", train, test, len(names), names, notes)


def _levels(path, stimuli):
    """Stimuli as images of 8 bits a level where they are, else as rows of numbers."""
    if stimuli.dtype == np.uint8 and (stimuli.ndim == 3 or (stimuli.ndim == 4 and stimuli.shape[-1] == 3)):
        return stimuli
    rows = stimuli.reshape(len(stimuli), -1).astype(float)
    if not np.isfinite(rows).all():
        row, column = np.argwhere(~np.isfinite(rows))[0]
        got = f"{rows[row, column]} in stimulus {row}, element {column}"
        raise misfit(f"dataset {path}: {STIMULI[0]}", "be finite numbers", got, "leave it out, or fill it")
    return rows


def _classes(path, labels):
    """Names of classes in their order, and each stimulus's number among them."""
    texts = [as_name(each) for each in labels.tolist()]
    if "" in texts or len(texts) == 0:
        raise misfit(f"dataset {path}: {LABELS[0]}", "name a class for each stimulus", "an empty one", "fill it in")
    is_number = all(re.fullmatch(r"-?\d{1,400}", text) for text in texts)
    names = sorted(set(texts), key=int) if is_number else sorted(set(texts))
    if len(names) < 2 or len(names) > len(texts) / 2 > 2:
        got = f"{len(names)} different labels for {len(texts)} stimuli"
        raise misfit(f"dataset {path}: {LABELS[0]}", "be classes, two or more, each with several stimuli", got,
                     f"call numbers that are no classes {TARGETS[0]}")  # fmt: skip
    place = {name: number for number, name in enumerate(names)}
    return tuple(names), np.array([place[text] for text in texts], np.int32)

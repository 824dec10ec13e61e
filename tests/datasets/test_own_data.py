"""Data of one's own: read from each kind of file, split, named by their content; what is missing is said."""

import numpy as np
import pytest
import xarray
from PIL import Image
from scipy.io import savemat

from cortex_model.datasets import load, own_data
from cortex_model.errors import DatasetError, ParameterError
from cortex_model.parameters.data import DataParameters
from cortex_model.protocol import load_protocol
from cortex_model.runs.directory import RunDirectory
from cortex_model.runs.running import resume, start

N, CLASSES = 30, np.array(["cat", "dog", "owl"])


@pytest.fixture
def rows():
    """(stimuli, labels, targets)"""
    rng, labels = np.random.default_rng(0), np.arange(N) % 3
    stimuli = rng.normal(size=(3, 12))[labels] + 0.1 * rng.normal(size=(N, 12))
    return stimuli, labels, stimuli[:, :2] - stimuli[:, 2:4]


def write_csv(path, stimuli, **columns):
    head = [f"f{i}" for i in range(stimuli.shape[1])] + list(columns)
    body = [[*map(repr, map(float, row)), *(str(its[k]) for its in columns.values())] for k, row in enumerate(stimuli)]
    path.write_text("\n".join(",".join(line) for line in [head, *body]))
    return path


def write_folder(path, labels, split=False):
    rng = np.random.default_rng(1)
    for k, label in enumerate(labels):
        folder = path / (["train", "test"][k % 5 == 0] if split else "") / CLASSES[label]
        folder.mkdir(parents=True, exist_ok=True)
        pixels = (60 * label + rng.integers(0, 60, (3, 4))).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{k}.png")
    (path / ".DS_Store").write_text("not an image")
    return path


def files(folder, stimuli, labels, targets):
    """Kind -> a file with these stimuli, its class names or None for target rates."""
    names, numbers = tuple(CLASSES), ("0", "1", "2")
    np.savez(folder / "labels.npz", X=stimuli, y=labels)
    np.savez(folder / "names.npz", stimuli=stimuli.reshape(N, 3, 4), labels=CLASSES[labels])
    np.savez(folder / "targets.npz", stimuli=stimuli, targets=targets)
    savemat(folder / "matlab.mat", {"stimuli": stimuli, "labels": (labels + 1)[:, None]})
    data = xarray.Dataset({"stimuli": (("element", "stimulus"), stimuli.T), "labels": ("stimulus", labels)})
    data.to_netcdf(folder / "netcdf.nc", engine="h5netcdf")
    write_csv(folder / "table.csv", stimuli, **{"class": CLASSES[labels]})
    write_csv(folder / "regression.csv", stimuli, target_1=targets[:, 0], target_2=targets[:, 1])
    return {
        "labels.npz": numbers, "names.npz": names, "targets.npz": None, "matlab.mat": ("1", "2", "3"),
        "netcdf.nc": numbers, "table.csv": names, "regression.csv": None,
    }  # fmt: skip


def test_each_kind_of_file_is_read(tmp_path, rows):
    stimuli, labels, targets = rows
    kinds, drawn = files(tmp_path, *rows), []
    for name, classes in kinds.items():
        data = load(tmp_path / name, test_fraction=0.3, split_seed=4)
        assert (data.train.n_stimuli, data.test.n_stimuli, data.train.n_pixels) == (21, 9, 12), name
        is_of = [int(np.abs(stimuli - row).sum(axis=1).argmin()) for row in data.train.pixels]
        np.testing.assert_allclose(data.train.pixels, stimuli[is_of], err_msg=name)
        assert "9 of its 30 stimuli (split_seed=4) are it" in data.notes[0]
        drawn.append(is_of)
        if classes is None:
            np.testing.assert_allclose(data.targets()[0], targets[is_of])
        else:
            assert data.class_names == classes and np.array_equal(data.train.labels, labels[is_of]), name
            assert np.array_equal(data.targets()[0].argmax(axis=1), labels[is_of])
    assert len(set(map(tuple, drawn))) == 1, "one seed draws one split"
    other = load(tmp_path / "labels.npz", test_fraction=0.3, split_seed=5)
    assert not np.array_equal(other.test.pixels, data.test.pixels)


def test_a_folder_of_images_has_a_class_a_folder(tmp_path, rows):
    data = load(write_folder(tmp_path / "pictures", rows[1]))
    assert data.class_names == tuple(CLASSES) and data.train.images.shape == (24, 3, 4)
    means = [data.train.images[data.train.labels == label].mean() for label in range(3)]
    assert means == sorted(means), "images stay with their labels"
    split = load(write_folder(tmp_path / "split", rows[1], split=True))
    assert (split.train.n_stimuli, split.test.n_stimuli, split.notes) == (24, 6, ())


def test_a_split_of_ones_own_is_kept(tmp_path, rows):
    X, y, _ = rows
    np.savez(tmp_path / "parts.npz", X_train=X[:20], y_train=y[:20], X_test=X[20:], y_test=y[20:])
    words = np.where(np.arange(N) < 20, "train", "test")
    np.savez(tmp_path / "word.npz", X=X, y=y, split=words)
    for file in (tmp_path / "parts.npz", tmp_path / "word.npz", write_csv(tmp_path / "t.csv", X, y=y, split=words)):
        data = load(file)
        np.testing.assert_allclose(data.train.pixels, X[:20])
        np.testing.assert_allclose(data.test.pixels, X[20:])
        assert data.notes == ()
    held_back = load(file, validation=5)
    np.testing.assert_allclose(held_back.test.pixels, X[15:20])


def test_scalings_are_of_the_training_part(tmp_path, rows):
    X, y, _ = rows
    X[20:] += 100
    np.savez(tmp_path / "a.npz", X_train=X[:20], y_train=y[:20], X_test=X[20:], y_test=y[20:])
    data = load(tmp_path / "a.npz")
    each, unit, none = (data.stimuli(scaling)[0] for scaling in ("standardised_each", "unit", "none"))
    np.testing.assert_allclose(each.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(each.std(axis=0), 1)
    assert unit.min() == 0 and unit.max() == 1 and np.array_equal(none, X[:20])


def test_they_are_named_by_their_content(tmp_path, rows):
    X, y, _ = rows
    for folder in ("here", "there"):
        (tmp_path / folder).mkdir()
        np.savez(tmp_path / folder / "a.npz", X=X, y=y)
    here, there = (DataParameters(dataset=tmp_path / folder / "a.npz") for folder in ("here", "there"))
    assert here.content_hash == there.content_hash and here.dataset_name.startswith("a.npz#")
    assert here.content_hash != DataParameters(dataset=here.dataset, split_seed=1).content_hash
    assert DataParameters().content_hash == DataParameters(split_seed=1).content_hash, "digits have a test set"
    np.savez(tmp_path / "there" / "a.npz", X=X + 1, y=y)
    own_data._HASHES.clear()
    assert DataParameters(dataset=tmp_path / "there" / "a.npz").content_hash != here.content_hash
    with pytest.raises(ParameterError, match="hold what it held, of the hash .* put the data back"):
        DataParameters(dataset=there.dataset)


@pytest.mark.parametrize("protocol", ["wake_sleep_classification", "wake_sleep_autoencoding", "wake_sleep_regression"])
def test_protocols_learn_from_them_and_resume(tmp_path, rows, protocol, monkeypatch):
    names = files(tmp_path, *rows)
    file = tmp_path / ("targets.npz" if protocol.endswith("regression") else "labels.npz")
    top = {"wake_sleep_classification": 3, "wake_sleep_autoencoding": 12, "wake_sleep_regression": 2}[protocol]
    given = {"dataset": file, "layer_sizes": (12, 6, top), "epochs": 8, "learning_rate": 0.1, "batch_size": 2}
    parameters = (
        load_protocol(protocol)
        .parameters()
        .with_overrides(given | {"stimulus_scaling": "standardised_each", "evaluate_every_presentations": 1000})
    )
    assert file.name in names
    summary = start(protocol, parameters, 0, "runtime", tmp_path)
    error = "final_test_error_percent" if top == 3 else "unexplained_percent"
    assert np.ravel(summary[error])[-1] < (10 if top == 3 else 60)
    assert summary["dataset"] == parameters.dataset_name and "says nothing of a test set" in summary["warnings"][0]
    directory = RunDirectory(tmp_path / summary["run_dir"])
    (directory.path / "summary.json").unlink()
    own_data._HASHES.clear()
    assert resume(directory.path)["weights_sha256"] == summary["weights_sha256"]


WRONG = {
    "no labels": ({"X": np.ones((4, 2))}, r"must hold an array labels \(classes\) or targets \(got X\)"),
    "no stimuli": ({"foo": np.ones((4, 2)), "y": np.arange(4)}, r"must hold an array stimuli \(got foo, y\)"),
    "transposed": ({"X": np.ones((2, 4)), "y": np.arange(4)}, r"shape \(4, .*transpose it: a stimulus is a row"),
    "NaN": ({"X": np.full((4, 2), np.nan), "y": [0, 1, 0, 1]}, r"finite numbers \(got nan in stimulus 0, element 0\)"),
    "one class": ({"X": np.ones((4, 2)), "y": np.zeros(4, int)}, r"must be classes, two or more"),
    "all labels differ": ({"X": np.ones((9, 2)), "y": np.arange(9)}, r"call numbers that are no classes targets"),
    "no such split": ({"X": np.ones((4, 2)), "y": [0, 1, 0, 1], "split": list("abab")}, r"must say train or test"),
    "class only tested": (
        {"X": np.ones((6, 2)), "y": [0, 0, 1, 1, 2, 2], "split": ["train"] * 4 + ["test"] * 2},
        r"have each class in its training part \(got none of '2'\)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("arrays, sentence", WRONG.values(), ids=WRONG)
def test_what_does_not_fit_gets_a_sentence(tmp_path, arrays, sentence):
    np.savez(tmp_path / "wrong.npz", **arrays)
    with pytest.raises(DatasetError, match=f"^dataset {tmp_path}/wrong.npz.*{sentence}"):
        load(tmp_path / "wrong.npz")


def test_files_that_are_none_get_a_sentence(tmp_path, rows):
    with pytest.raises(DatasetError, match="must be a file or a folder that is there"):
        load(tmp_path / "nothing.npz")
    np.save(tmp_path / "a.npy", rows[0])
    with pytest.raises(DatasetError, match="must be a folder of images, or one of .npz, .mat"):
        load(tmp_path / "a.npy")
    with pytest.raises(DatasetError, match=r"have a column 'label', or columns target_1, target_2 ... \(got f0, f1"):
        load(write_csv(tmp_path / "a.csv", rows[0]))
    with pytest.raises(DatasetError, match=r"hold numbers in every other column \(got 'x' in column 'note'\)"):
        load(write_csv(tmp_path / "b.csv", rows[0], y=rows[1], note=["x"] * N))
    (tmp_path / "flat").mkdir()
    Image.fromarray(np.zeros((3, 4), np.uint8)).save(tmp_path / "flat" / "1.png")
    with pytest.raises(DatasetError, match=r"must hold images in folders, one a class \(got 1.png\)"):
        load(tmp_path / "flat")
    write_folder(tmp_path / "sizes", rows[1])
    Image.fromarray(np.zeros((5, 4), np.uint8)).save(tmp_path / "sizes" / "cat" / "99.png")
    with pytest.raises(DatasetError, match=r"must hold images of one shape, \(3, 4\)"):
        load(tmp_path / "sizes")


def test_what_is_of_data_of_ones_own_alone_is_refused_elsewhere():
    p = DataParameters(test_fraction=0.5)
    with pytest.raises(ParameterError, match="test_fraction: must be left out where dataset is digits"):
        p.check_asked(["test_fraction"])


def test_the_command_line_shows_what_is_found(tmp_path, rows, command_line):
    file = write_csv(tmp_path / "table.csv", rows[0], **{"class": CLASSES[rows[1]]})
    status, out, _ = command_line("datasets", "show", file, "--json")
    assert status == 0
    assert '"training_stimuli": 24, "test_stimuli": 6, "elements": 12' in out and '["cat", "dog", "owl"]' in out

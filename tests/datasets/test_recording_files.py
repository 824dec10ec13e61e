"""A recording made up in each documented format comes back as it was; what is wrong with a file has its sentence."""

import csv
import zipfile

import numpy as np
import pytest
import xarray
from PIL import Image
from scipy.io import savemat
from scipy.spatial.distance import squareform

from cortex_model.datasets import RDMRecording, ResponseRecording, load_recording
from cortex_model.errors import DatasetError

N, SUBJECTS, UNITS = 6, ("anna", "bob", "cleo"), ("u1", "u2", "u3", "u4")
NAMES = ("face", "cup", "dog", "tree", "house", "apple")
GENERATOR = np.random.default_rng(0)
IMAGES = [GENERATOR.integers(0, 256, (5, 6, 3), dtype=np.uint8) for _ in range(N)]
POINTS = GENERATOR.normal(size=(3, N, 4))
RDMS = np.linalg.norm(POINTS[:, :, None] - POINTS[:, None], axis=3)
RESPONSES = GENERATOR.normal(size=(4, N, 3))
RESPONSES[1, 2, 2] = np.nan


@pytest.fixture
def folder(tmp_path):
    """Images as files, named; in the order of names not the order of the data."""
    (tmp_path / "images").mkdir()
    for name, image in zip(NAMES, IMAGES, strict=True):
        Image.fromarray(image).save(tmp_path / "images" / f"{name}.png")
    return tmp_path


def described(folder, text, **more):
    lines = [f'stimuli = "{more.pop("stimuli", "images")}"', text, *(f"{key} = {value}" for key, value in more.items())]
    (folder / "recording.toml").write_text("\n".join(lines))
    return str(folder / "recording.toml")


def table(path, rows):
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows(rows)


def named_rows(array, names, head=NAMES):
    return [["", *head], *([name, *row] for name, row in zip(names, array.tolist(), strict=True))]


# ---------------------------------------------------------------------- each format
def rdm_npz(folder):
    np.savez(folder / "d.npz", rdms=RDMS, stimuli=np.array(NAMES), subjects=np.array(SUBJECTS))


def rdm_npz_condensed(folder):
    vectors = np.stack([squareform(rdm, checks=False) for rdm in RDMS])
    np.savez(folder / "d.npz", rdms=vectors, stimuli=np.array(NAMES), subjects=np.array(SUBJECTS))


def rdm_mat(folder):
    names = np.array(NAMES, object)
    savemat(folder / "d.mat", {"rdms": RDMS, "stimuli": names, "subjects": np.array(SUBJECTS, object)})


def rdm_mat_subjects_last(folder):
    last = {"rdms": np.moveaxis(RDMS, 0, 2), "subjects": np.array(SUBJECTS, object)}
    savemat(folder / "d.mat", last | {"stimuli": np.array(NAMES, object)})


def rdm_netcdf(folder):
    coords = {"subject": list(SUBJECTS), "stimulus": list(NAMES), "other": list(NAMES)}
    array = xarray.DataArray(RDMS, dims=("subject", "stimulus", "other"), coords=coords)
    array.transpose("stimulus", "subject", "other").to_dataset(name="rdms").to_netcdf(
        folder / "d.nc", engine="h5netcdf"
    )


def rdm_csv(folder):
    for subject, rdm in zip(SUBJECTS, RDMS, strict=True):
        table(folder / f"{subject}.csv", named_rows(rdm, NAMES))


RDM_FORMATS = {
    "npz": (rdm_npz, 'data = "d.npz"'),
    "npz, condensed": (rdm_npz_condensed, 'data = "d.npz"'),
    "mat": (rdm_mat, 'data = "d.mat"'),
    "mat, subjects last": (rdm_mat_subjects_last, 'data = "d.mat"'),
    "NetCDF": (rdm_netcdf, 'data = "d.nc"'),
    "csv, a file a subject": (rdm_csv, f"data = {[f'{name}.csv' for name in SUBJECTS]}"),
}


@pytest.mark.parametrize(("write", "data"), RDM_FORMATS.values(), ids=list(RDM_FORMATS))
def test_rdms_in_each_format(write, data, folder):
    write(folder)
    recording = load_recording(described(folder, f'kind = "rdm"\n{data}', name='"my IT"'))
    assert isinstance(recording, RDMRecording) and recording.name == "my IT"
    assert (recording.subjects, recording.stimulus_names) == (SUBJECTS, NAMES)
    np.testing.assert_allclose(recording.rdms, RDMS, rtol=1e-12)
    assert all(np.array_equal(got, image) for got, image in zip(recording.images, IMAGES, strict=True))
    assert any("matched by name and put into the order" in note for note in recording.notes)


def responses_npz(folder):
    np.savez(folder / "d.npz", responses=RESPONSES, stimuli=np.array(NAMES), units=np.array(UNITS))


def responses_mat(folder):
    units = {"units": np.array(UNITS, object), "stimuli": np.array(NAMES, object)}
    savemat(folder / "d.mat", {"responses": RESPONSES} | units)


def responses_netcdf(folder):
    coords = {"unit": list(UNITS), "stimulus": list(NAMES)}
    array = xarray.DataArray(RESPONSES, dims=("unit", "stimulus", "repeat"), coords=coords)
    array.transpose("repeat", "stimulus", "unit").to_dataset(name="responses").to_netcdf(
        folder / "d.nc", engine="h5netcdf"
    )


def responses_csv(folder):
    table(folder / "d.csv", named_rows(RESPONSES[:, :, 0], UNITS))


RESPONSE_FORMATS = {
    "npz": (responses_npz, "d.npz", RESPONSES),
    "mat": (responses_mat, "d.mat", RESPONSES),
    "NetCDF": (responses_netcdf, "d.nc", RESPONSES),
    "csv": (responses_csv, "d.csv", RESPONSES[:, :, :1]),
}


@pytest.mark.parametrize(("write", "data", "expected"), RESPONSE_FORMATS.values(), ids=list(RESPONSE_FORMATS))
def test_responses_in_each_format(write, data, expected, folder):
    write(folder)
    recording = load_recording(described(folder, f'kind = "responses"\ndata = "{data}"'))
    assert isinstance(recording, ResponseRecording)
    assert (recording.units, recording.stimulus_names) == (UNITS, NAMES)
    np.testing.assert_allclose(recording.responses, expected, rtol=1e-12)


def test_data_without_names_go_by_order(folder):
    """The order of the files' names, which is not that of the data here: the note says so."""
    np.save(folder / "d.npy", RDMS)
    recording = load_recording(str(folder / "d.npy"), stimuli=str(folder / "images"), kind="rdm")
    assert recording.stimulus_names == tuple(sorted(NAMES))
    assert np.array_equal(recording.images[0], IMAGES[NAMES.index("apple")])
    assert any("matched by order" in note for note in recording.notes)


def test_names_of_the_description_put_images_in_order(folder):
    np.save(folder / "d.npy", RDMS[0])
    recording = load_recording(described(folder, 'kind = "rdm"\ndata = "d.npy"', names=list(NAMES)))
    assert recording.stimulus_names == NAMES and np.array_equal(recording.images[0], IMAGES[0])


@pytest.mark.parametrize("ending", ["zip", "npz"])
def test_images_from_archives(ending, folder):
    rdm_npz(folder)
    if ending == "zip":
        with zipfile.ZipFile(folder / "images.zip", "w") as archive:
            for path in sorted((folder / "images").iterdir()):
                archive.write(path, f"inside/{path.name}")
            archive.writestr("__MACOSX/._face.png", b"no image")
    else:
        np.savez(folder / "images.npz", images=np.stack(IMAGES), names=np.array(NAMES))
    recording = load_recording(str(folder / "d.npz"), stimuli=str(folder / f"images.{ending}"))
    assert all(np.array_equal(got, image) for got, image in zip(recording.images, IMAGES, strict=True))


def test_a_data_file_says_by_its_arrays_what_it_holds(folder):
    responses_npz(folder)
    assert isinstance(load_recording(str(folder / "d.npz"), stimuli=str(folder / "images")), ResponseRecording)
    np.savez(folder / "other.npz", mine=RDMS, stimuli=np.array(NAMES))
    where = {"stimuli": str(folder / "images"), "variable": "mine"}
    assert load_recording(str(folder / "other.npz"), kind="rdm", **where).rdms.shape == RDMS.shape
    with pytest.raises(DatasetError, match=r"--kind: must be given, rdm or responses"):
        load_recording(str(folder / "other.npz"), **where)


def test_grey_and_transparent_images(folder):
    Image.fromarray(IMAGES[0][..., 0]).save(folder / "images" / "face.png")
    layer = np.dstack([IMAGES[1], np.zeros((5, 6), np.uint8)])
    Image.fromarray(layer).save(folder / "images" / "cup.png")
    rdm_npz(folder)
    recording = load_recording(str(folder / "d.npz"), stimuli=str(folder / "images"))
    assert recording.images[0].shape == (5, 6) and np.array_equal(recording.images[0], IMAGES[0][..., 0])
    assert (recording.images[1] == 128).all()


# ---------------------------------------------------------------------- what is wrong
def lacking_an_image(folder):
    rdm_npz(folder)
    (folder / "images" / "dog.png").unlink()


def with_a_broken_image(folder):
    rdm_npz(folder)
    (folder / "images" / "dog.png").write_bytes(b"no image")


def of_an_asymmetric_rdm(folder):
    rdms = RDMS.copy()
    rdms[1, 0, 2] += 1
    np.savez(folder / "d.npz", rdms=rdms, stimuli=np.array(NAMES))


def pickled(folder):
    np.savez(folder / "d.npz", rdms=np.array([{"a": 1}], object))


def of_text(folder):
    np.savez(folder / "d.npz", rdms=np.array(["a", "b"]))


def without_names_and_with_too_many_images(folder):
    np.savez(folder / "d.npz", rdms=RDMS[:, :5, :5])


def of_no_known_shape(folder):
    np.savez(folder / "d.npz", rdms=np.zeros((3, 5, 6)))


def of_rows_in_another_order(folder):
    table(folder / "d.csv", named_rows(RDMS[0], NAMES, ("cup", "face", *NAMES[2:])))


def of_unequal_rows(folder):
    table(folder / "d.csv", [[0, 1, 2], [1, 0]])


def of_two_orders(folder):
    table(folder / "a.csv", named_rows(RDMS[0], NAMES))
    table(folder / "b.csv", named_rows(RDMS[1], NAMES[::-1], NAMES[::-1]))


def of_unknown_dimensions(folder):
    array = xarray.DataArray(RDMS, dims=("who", "image", "other"))
    array.to_dataset(name="rdms").to_netcdf(folder / "d.nc", engine="h5netcdf")


def truncated(folder):
    rdm_npz(folder)
    (folder / "d.npz").write_bytes((folder / "d.npz").read_bytes()[:100])


#: What is wrong -> (how it is made, data, what the sentence says).
BAD_FILES = {
    "a stimulus without an image": (
        lacking_an_image,
        '"d.npz"',
        r"an image for each stimulus .* \(got none for 'dog'\)",
    ),
    "no image": (with_a_broken_image, '"d.npz"', r"dog.png: must be an image that can be read"),
    "asymmetry": (of_an_asymmetric_rdm, '"d.npz"', r"of subject 2: must be symmetric \(got .* for face and dog\)"),
    "a pickle": (pickled, '"d.npz"', r"without pickles"),
    "text": (of_text, '"d.npz"', r"must hold numbers"),
    "counts": (without_names_and_with_too_many_images, '"d.npz"', r"images: must be 5, one .* \(got 6\)"),
    "a shape": (of_no_known_shape, '"d.npz"', r"must have shape \(n, n\), .* \(got \(3, 5, 6\)\); reshape it"),
    "rows reordered": (of_rows_in_another_order, '"d.csv"', r"rows and columns in the same order \(got row 'face' bes"),
    "unequal rows": (
        of_unequal_rows,
        '"d.csv"',
        r"a table whose rows are equally long \(got rows of \[2, 3\] cells\)",
    ),
    "two orders": (of_two_orders, '["a.csv", "b.csv"]', r"in the order of a.csv \(got 'apple' where it has 'face'\)"),
    "dimensions": (of_unknown_dimensions, '"d.nc"', r"must have the dimensions \(subject,\) stimulus and one more"),
    "half a file": (truncated, '"d.npz"', r"must be an .npz or .npy file"),
    "no file": (lambda folder: None, '"none.npz"', r"data: must be a file \(got nothing at .*none.npz\)"),
    "an unknown ending": (
        lambda folder: (folder / "d.xlsx").touch(),
        '"d.xlsx"',
        r"must end in one of .npz, .npy, .mat",
    ),
}


@pytest.mark.parametrize(("write", "data", "sentence"), BAD_FILES.values(), ids=list(BAD_FILES))
def test_a_file_that_does_not_fit(write, data, sentence, folder):
    write(folder)
    with pytest.raises(DatasetError, match=sentence):
        load_recording(described(folder, f'kind = "rdm"\ndata = {data}'))


#: What is wrong with a description -> (its text, what the sentence says).
BAD_DESCRIPTIONS = {
    "no TOML": ("kind = rdm", r"must be TOML"),
    "an unknown key": ('kind = "rdm"\ndata = "d.npz"\nimages = "images"', r"toml.images: must be one of name, kind"),
    "no data": ('kind = "rdm"', r"toml.data: must be given \(got only stimuli, kind\)"),
    "an unknown kind": ('kind = "rdms"\ndata = "d.npz"', r"kind: must be one of rdm, responses \(got 'rdms'\)"),
    "other names": (
        f'kind = "rdm"\ndata = "d.npz"\nnames = {list(NAMES[::-1])}',
        r"got 'apple' where the data have 'fa",
    ),
    "no array": ('kind = "rdm"\ndata = "d.npz"\nvariable = "mine"', r"an array 'mine' \(got rdms, stimuli, subjects\)"),
}


@pytest.mark.parametrize(("text", "sentence"), BAD_DESCRIPTIONS.values(), ids=list(BAD_DESCRIPTIONS))
def test_a_description_that_does_not_fit(text, sentence, folder):
    rdm_npz(folder)
    with pytest.raises(DatasetError, match=sentence):
        load_recording(described(folder, text))


def test_names_that_are_not_known():
    with pytest.raises(DatasetError, match=r"--with: must be one of human_it, .* did you mean 'monkey_it'"):
        load_recording("monkey-it")
    with pytest.raises(DatasetError, match=r"--with: must be a recording's name or a file \(got .*none.toml"):
        load_recording("none.toml")
    with pytest.raises(DatasetError, match=r"human_it.session: must be 1 or 2 \(got '3'\)"):
        load_recording("human_it:3")


def test_a_data_file_needs_its_images(folder):
    rdm_npz(folder)
    with pytest.raises(DatasetError, match=r"--stimuli: must be given with a data file"):
        load_recording(str(folder / "d.npz"))
    with pytest.raises(DatasetError, match=r"stimuli: must be a folder, a .zip or an .npz file \(got nothing at"):
        load_recording(str(folder / "d.npz"), stimuli=str(folder / "nowhere"))
    (folder / "empty").mkdir()
    with pytest.raises(DatasetError, match=r"must hold images, .* \(got none\)"):
        load_recording(str(folder / "d.npz"), stimuli=str(folder / "empty"))

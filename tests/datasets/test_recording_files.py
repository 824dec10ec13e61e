"""A recording made up in each documented format comes back as it was; what is wrong with a file has its sentence."""

import csv
import struct
import unicodedata
import zipfile

import numpy as np
import pytest
import xarray
from PIL import Image
from scipy.io import savemat
from scipy.spatial.distance import squareform

from cortex_model.datasets import (
    RDMRecording,
    ResponseRecording,
    array_files,
    load_recording,
    stimulus_images,
    user_files,
)
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


def rdm_npz_names_as_bytes(folder):
    np.savez(folder / "d.npz", rdms=RDMS, stimuli=np.array(NAMES, "S"), subjects=np.array(SUBJECTS, "S"))


def rdm_mat_4(folder):
    """Version 4 knows neither cells nor three dimensions: names are a table of characters."""
    savemat(folder / "d.mat", {"rdms": RDMS[0], "stimuli": np.array(NAMES), "subjects": "anna"}, format="4")


def rdm_netcdf_3(folder):
    coords = {"subject": list(SUBJECTS), "stimulus": list(NAMES), "other": list(NAMES)}
    array = xarray.DataArray(RDMS, dims=("subject", "stimulus", "other"), coords=coords)
    array.to_dataset(name="rdms").to_netcdf(folder / "d.nc", engine="scipy")


RDM_FORMATS = {
    "npz, names as bytes": (rdm_npz_names_as_bytes, 'data = "d.npz"'),
    "NetCDF 3": (rdm_netcdf_3, 'data = "d.nc"'),
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


def test_matlab_version_4(folder):
    rdm_mat_4(folder)
    recording = load_recording(described(folder, 'kind = "rdm"\ndata = "d.mat"'))
    assert (recording.subjects, recording.stimulus_names) == (SUBJECTS[:1], NAMES)
    np.testing.assert_array_equal(recording.rdms, RDMS[:1])


def test_one_unit_of_matlab_keeps_its_axes(folder):
    """(1, stimuli, repeats) is one unit: squeezed, its repeats would be units."""
    savemat(folder / "d.mat", {"responses": RESPONSES[:1], "stimuli": np.array(NAMES, object)})
    recording = load_recording(str(folder / "d.mat"), str(folder / "images"))
    np.testing.assert_array_equal(recording.responses, RESPONSES[:1])


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
    assert any("(apple to row 1, tree to row 6)" in note for note in recording.notes)


def test_names_that_programs_count_are_no_names(folder):
    """pandas and xarray name what has no names 0, 1, 2 ...; where images have these names they count."""
    np.savez(folder / "d.npz", rdms=RDMS, stimuli=np.arange(N))
    recording = load_recording(str(folder / "d.npz"), str(folder / "images"))
    assert recording.stimulus_names == tuple(sorted(NAMES))
    np.savez(folder / "images.npz", images=np.stack(IMAGES), names=np.arange(N)[::-1].astype(float))
    recording = load_recording(str(folder / "d.npz"), str(folder / "images.npz"))
    assert recording.stimulus_names == tuple(map(str, range(N)))
    assert np.array_equal(recording.images[0], IMAGES[-1])


def test_names_are_matched_whole(folder):
    """Only folders and the endings of images are left out: "face 1.5" is not "face 1"."""
    names = ("stimuli/face.png", "C:\\stimuli\\cup.PNG", "dog.png", "tree", "house", "apple")
    np.savez(folder / "d.npz", rdms=RDMS, stimuli=np.array(names))
    recording = load_recording(str(folder / "d.npz"), str(folder / "images"))
    assert all(np.array_equal(got, image) for got, image in zip(recording.images, IMAGES, strict=True))
    for other in ("apple.5", "house/apple.1", "apples"):
        np.savez(folder / "d.npz", rdms=RDMS, stimuli=np.array([*NAMES[:5], other]))
        with pytest.raises(DatasetError, match=r"\(got none for '.*apple.*'\)"):
            load_recording(str(folder / "d.npz"), str(folder / "images"))
    np.savez(folder / "d.npz", rdms=RDMS, stimuli=np.array([*NAMES[:5], "in/face.png"]))
    with pytest.raises(DatasetError, match=r"\(got 'face' and 'in/face.png' for the image face\)"):
        load_recording(str(folder / "d.npz"), str(folder / "images"))


def test_composed_and_decomposed_names_are_the_same(folder):
    (folder / "images" / "face.png").rename(folder / "images" / unicodedata.normalize("NFD", "façade.png"))
    for name in map(unicodedata.normalize, ("NFC", "NFD"), ("façade", "façade")):
        np.savez(folder / "d.npz", rdms=RDMS, stimuli=np.array([name, *NAMES[1:]]))
        recording = load_recording(str(folder / "d.npz"), str(folder / "images"))
        assert np.array_equal(recording.images[0], IMAGES[0])


def test_images_that_the_data_do_not_name_are_said(folder):
    np.savez(folder / "d.npz", rdms=RDMS[:, :4, :4], stimuli=np.array(NAMES[:4]))
    recording = load_recording(str(folder / "d.npz"), str(folder / "images"))
    assert "Images that the data do not name were left out: apple and 1 more." in recording.notes


def test_a_table_with_stimuli_below_each_other(folder):
    """Where the names of rows are those of images, or only the rows are as many: transposed, and a note says so."""
    for rows in (named_rows(RESPONSES[:, :, 0].T, NAMES, UNITS), RESPONSES[:, :, 0].T.tolist()):
        table(folder / "d.csv", rows)
        recording = load_recording(str(folder / "d.csv"), str(folder / "images"), "responses")
        np.testing.assert_allclose(recording.responses[:, :, 0], RESPONSES[:, :, 0])
        assert any("transposed" in note for note in recording.notes)
        assert recording.units == (UNITS if isinstance(rows[0][0], str) else tuple(f"unit {k + 1}" for k in range(4)))


def test_a_description_with_a_byte_order_mark(folder):
    rdm_npz(folder)
    path = described(folder, 'kind = "rdm"\ndata = "d.npz"')
    with open(path, "rb") as file:
        content = file.read()
    with open(path, "wb") as file:
        file.write(b"\xef\xbb\xbf" + content)
    assert load_recording(path).stimulus_names == NAMES


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


def of_names_as_objects(folder):
    np.savez(folder / "d.npz", rdms=RDMS, stimuli=np.array(NAMES, object))


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


def of_fewer_names(folder):
    np.savez(folder / "d.npz", rdms=RDMS, stimuli=np.array(NAMES[:5]))


def of_fewer_subjects(folder):
    np.savez(folder / "d.npz", rdms=RDMS, stimuli=np.array(NAMES), subjects=np.array(SUBJECTS[:2]))


def of_names_in_a_structure(folder):
    savemat(folder / "d.mat", {"rdms": RDMS, "stimuli": {"name": "face"}})


def of_a_string_array(folder):
    """As MATLAB writes string arrays: an element of flags of class 17, its name, and what only MATLAB reads."""
    savemat(folder / "d.mat", {"rdms": RDMS})
    flags, name = struct.pack("<IIII", 6, 8, 17, 0), struct.pack("<II8s", 1, 7, b"stimuli\0")
    element = flags + name + struct.pack("<HH4s", 1, 4, b"MCOS")
    with open(folder / "d.mat", "ab") as file:
        file.write(struct.pack("<II", 14, len(element)) + element)


def of_version_7_3(folder):
    (folder / "d.mat").write_bytes(b"MATLAB 7.3 MAT-file".ljust(512) + b"\x89HDF\r\n\x1a\n")


def damaged_mat(folder):
    """An unknown type of numbers, at which SciPy alone crashes."""
    rdm_mat(folder)
    content = (folder / "d.mat").read_bytes()
    numbers = content.index(RDMS.ravel(order="F").tobytes())
    (folder / "d.mat").write_bytes(content[: numbers - 8] + struct.pack("<I", 1033) + content[numbers - 4 :])


def without_bytes(folder):
    (folder / "d.npz").touch()


def that_is_a_folder(folder):
    (folder / "d.npz").mkdir()


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
    "names as objects": (
        of_names_as_objects,
        '"d.npz"',
        r"d.npz.stimuli: must be an array without pickles .* names by np.array\(names, str\)",
    ),
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
    "fewer names": (of_fewer_names, '"d.npz"', r"stimuli: must name 6 stimuli, as rdms have \(got 5 names\)"),
    "fewer subjects": (of_fewer_subjects, '"d.npz"', r"subjects: must name 3 subjects \(got 2\)"),
    "names in a structure": (of_names_in_a_structure, '"d.mat"', r"stimuli: must be a cell array of texts"),
    "a string array": (of_a_string_array, '"d.mat"', r"stimuli: must be a cell array of texts .* save cellstr of it"),
    "MATLAB 7.3": (of_version_7_3, '"d.mat"', r"of version 7 or earlier \(got version 7.3\); save it with -v7"),
    "a damaged MATLAB file": (damaged_mat, '"d.mat"', r"must be a MATLAB file \(got 1 parts where"),
    "an empty file": (without_bytes, '"d.npz"', r"d.npz: must hold something \(got 0 bytes\)"),
    "a folder": (that_is_a_folder, '"d.npz"', r"data: must be a file \(got .*d.npz, which is a folder\)"),
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
    "a number for a name": (
        'name = 3\nkind = "rdm"\ndata = "d.npz"',
        r"toml.name: must be a text in quotes \(got int\)",
    ),
    "a table for data": ('kind = "rdm"\ndata = {a = 1}', r"toml.data: must be a text or a list in quotes \(got dict\)"),
    "numbers for data": ('kind = "rdm"\ndata = [1]', r"toml.data: must be names of files in quotes"),
    "one name": ('kind = "rdm"\ndata = "d.npz"\nnames = "face"', r"toml.names: must be a list of texts"),
    "names of names": ('kind = "rdm"\ndata = "d.npz"\nnames = [["a", "b"], ["c", "d"]]', r"names: must be a list of n"),
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
    with pytest.raises(DatasetError, match=r"must be a folder, a .zip, an .npz or an .npy file \(got nothing at"):
        load_recording(str(folder / "d.npz"), stimuli=str(folder / "nowhere"))
    (folder / "empty").mkdir()
    with pytest.raises(DatasetError, match=r"must hold images, .* \(got none\)"):
        load_recording(str(folder / "d.npz"), stimuli=str(folder / "empty"))


@pytest.mark.parametrize("name", ["rdms.xlsx", "rdms.h5", "some/folder", "images"])
def test_an_ending_that_nobody_knows(name, folder, monkeypatch):
    monkeypatch.chdir(folder)
    with pytest.raises(DatasetError, match=rf"file that ends in one of .toml, .npz, .* \(got {name}\)"):
        load_recording(name, "images")


def test_options_that_a_published_recording_does_not_have():
    with pytest.raises(DatasetError, match=r"--with synthetic_rdms: must stand without --stimuli"):
        load_recording("synthetic_rdms", stimuli="images")


def test_files_that_may_not_be_read(folder, monkeypatch):
    """Whoever runs this as root may read everything: the refusal is made up."""
    rdm_npz(folder)

    def refused(path, mode):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(user_files, "open", refused, raising=False)
    with pytest.raises(DatasetError, match=r"data: must be a file that can be read \(got .*: Permission denied\)"):
        load_recording(str(folder / "d.npz"), str(folder / "images"))


def test_a_folder_that_may_not_be_read(folder, monkeypatch):
    rdm_npz(folder)

    def refused(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(stimulus_images.os, "listdir", refused)
    with pytest.raises(DatasetError, match=r"stimuli: must be a folder that can be read \(got .*: Permission denied\)"):
        load_recording(str(folder / "d.npz"), str(folder / "images"))


@pytest.mark.parametrize(
    ("setting", "value", "sentence"),
    [
        ("VETTING_SECONDS", 1e-3, "one whose structure has no end"),
        ("VETTING", "import os; os._exit(139)", "the HDF5 library crashed at it"),
    ],
)
def test_a_file_at_which_the_library_of_hdf5_fails(setting, value, sentence, folder, monkeypatch):
    rdm_netcdf(folder)
    (folder / "vetting.py").write_text(str(value))
    monkeypatch.setattr(array_files, setting, str(folder / "vetting.py") if setting == "VETTING" else value)
    with pytest.raises(DatasetError, match=sentence):
        load_recording(str(folder / "d.nc"), str(folder / "images"), "rdm")

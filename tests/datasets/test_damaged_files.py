"""Damaged and absurd files of every kind: sound finite data, or one sentence of one line; no warning, nothing else."""

import gzip
import io
import warnings
import zipfile

import numpy as np
import pytest
import xarray
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.io import savemat

from cortex_model.datasets import RDMRecording, load_recording
from cortex_model.datasets.loading import read_cifar_binary, read_idx
from cortex_model.datasets.stimulus_images import read_images
from cortex_model.datasets.stimulus_names import as_names
from cortex_model.errors import CortexModelError

#: Libraries say it on the error stream where closing a broken file fails.
pytestmark = pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")
N = 5
NAMES = np.array([f"thing {k}" for k in range(N)])
IMAGES = np.random.default_rng(0).integers(0, 256, (N, 4, 6), dtype=np.uint8)
POINTS = np.random.default_rng(1).normal(size=(2, N, 3))
RDMS = np.linalg.norm(POINTS[:, :, None] - POINTS[:, None], axis=3)
RESPONSES = np.random.default_rng(2).normal(size=(3, N))


def written(write):
    buffer = io.BytesIO()
    write(buffer)
    return buffer.getvalue()


def as_table(separator):
    rows = [["", *NAMES], *([name, *map(str, row)] for name, row in zip(NAMES, RDMS[0].tolist(), strict=True))]
    return "\n".join(separator.join(row) for row in rows).encode()


def as_netcdf(engine):
    array = xarray.DataArray(RDMS, dims=("subject", "stimulus", "other"), coords={"stimulus": NAMES})
    return bytes(array.to_dataset(name="rdms").to_netcdf(None, engine=engine))


def picture(ending, image=IMAGES[0], **options):
    exif = Image.Exif()
    exif[0x0112] = 6
    return written(lambda file: Image.fromarray(image).save(file, ending, exif=exif, **options))


def archive(ending):
    def write(file):
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
            for name, image in zip(NAMES, IMAGES, strict=True):
                packed.writestr(f"images/{name}.{ending}", picture(ending, image))

    return written(write)


#: Name of a file of data -> its whole content.
DATA = {
    "d.npz": written(lambda file: np.savez(file, rdms=RDMS, stimuli=NAMES, responses=RESPONSES)),
    "packed.npz": written(lambda file: np.savez_compressed(file, rdms=RDMS, stimuli=NAMES.astype("S"))),
    "d.npy": written(lambda file: np.save(file, RDMS)),
    "d.mat": written(lambda file: savemat(file, {"rdms": RDMS, "stimuli": NAMES.astype(object)})),
    "packed.mat": written(lambda file: savemat(file, {"rdms": RDMS, "stimuli": NAMES}, do_compression=True)),
    "4.mat": written(lambda file: savemat(file, {"rdms": RDMS[0], "stimuli": NAMES}, format="4")),
    "d.csv": as_table(","),
    "d.tsv": as_table("\t"),
    "d.txt": as_table(";").replace(b".", b","),
    "4.nc": as_netcdf("h5netcdf"),
    "3.nc": as_netcdf("scipy"),
    "d.toml": b'name = "mine"\nkind = "rdm"\ndata = ["d.npz"]\nstimuli = "images.npz"\nvariable = "rdms"\nnames = []\n',
}
#: Name of a file of images -> its whole content.
PICTURES = {
    "images.npz": written(lambda file: np.savez(file, images=IMAGES, names=NAMES)),
    "png.zip": archive("png"),
    "tiff.zip": archive("tiff"),
    "folder/a.png": picture("PNG"),
    "folder/a.jpg": picture("JPEG"),
    "folder/a.tif": picture("TIFF", IMAGES[0].astype(np.uint16), compression="tiff_lzw"),
    "folder/a.gif": written(lambda file: Image.fromarray(IMAGES[0]).save(file, "GIF")),
    "folder/a.bmp": written(lambda file: Image.fromarray(IMAGES[0]).save(file, "BMP")),
}
ABSURD = [float("nan"), float("inf"), -float("inf"), 1e308, -1e308, 5e-324, -1.0, 2.0**63, 0.0]


@st.composite
def damage(draw, content):
    """A content with bytes cut off, flipped, overwritten, swapped, or put in."""
    data = bytearray(content)
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, max(len(data) - 1, 0)))
        length = draw(st.integers(1, 16))
        match draw(st.sampled_from(["cut", "flip", "overwrite", "swap", "insert"])):
            case "cut":
                del data[place:]
            case "flip" if data:
                data[place] ^= 1 << draw(st.integers(0, 7))
            case "overwrite":
                data[place : place + length] = draw(st.binary(min_size=length, max_size=length))
            case "swap":
                other = draw(st.integers(0, max(len(data) - 1, 0)))
                first, second = data[place : place + length], data[other : other + length]
                data[place : place + length], data[other : other + length] = second, first
            case "insert":
                data[place:place] = draw(st.sampled_from([b"\0", b"1e999", b"nan", b"\xff\xfe", b'"', b",", b"\n"]))
    return bytes(data)


def tried(read):
    """What was read, or None where it was refused in one sentence; anything else fails."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return read()
        except CortexModelError as refusal:
            sentence = str(refusal)
            assert sentence.isprintable() and sentence.endswith(".") and ": must " in sentence, sentence
            assert len(sentence) < 1000, sentence
            return None


def is_sound(recording):
    values = recording.rdms if isinstance(recording, RDMRecording) else recording.mean_responses
    assert np.isfinite(values).all()
    assert len(recording.images) == len(recording.stimulus_names) == recording.n_stimuli >= 4
    assert all(image.dtype in (np.uint8, np.uint16) for image in recording.images)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("handed_over")
    (path / "images.npz").write_bytes(PICTURES["images.npz"])
    (path / "d.npz").write_bytes(DATA["d.npz"])
    return path


def some(n):
    """Examples that are the same in every run."""
    return settings(
        max_examples=n, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
    )


@pytest.mark.parametrize("name", DATA)
def test_damaged_data(name, folder):
    @some({"4.nc": 4, "3.nc": 15}.get(name, 30))  # each of NetCDF 4 is vetted in a process of its own
    @given(choice=st.data())
    def check(choice):
        one_damaged_file(name, folder, choice)

    check()


def one_damaged_file(name, folder, choice):
    path = folder / f"damaged_{name}"
    path.write_bytes(choice.draw(damage(DATA[name])))
    given_with = {} if name.endswith(".toml") else {"stimuli": str(folder / "images.npz"), "kind": "rdm"}
    if (recording := tried(lambda: load_recording(str(path), **given_with))) is not None:
        is_sound(recording)


@pytest.mark.parametrize("name", PICTURES)
@some(25)
@given(choice=st.data())
def test_damaged_images(name, folder, choice):
    path = folder / f"damaged_{name.replace('/', '_')}" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(choice.draw(damage(PICTURES[name])))
    shown = tried(lambda: read_images(path.parent if "/" in name else path))
    assert shown is None or all(image.dtype in (np.uint8, np.uint16) for image in shown.images)


@some(40)
@given(choice=st.data(), kind=st.sampled_from(["rdm", "responses"]))
def test_absurd_numbers(folder, choice, kind):
    array = np.array(RDMS if kind == "rdm" else RESPONSES)
    for _ in range(choice.draw(st.integers(1, 3))):
        array.flat[choice.draw(st.integers(0, array.size - 1))] = choice.draw(st.sampled_from(ABSURD))
    form = choice.draw(st.sampled_from(["f8", "f4", "f2", "c16", "i8", "u1", "U8"]))
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if kind == "rdm" and choice.draw(st.booleans()):
            array = (array + np.swapaxes(array, -1, -2)) / 2
        np.save(folder / "absurd.npy", array.astype(form))
    read = tried(lambda: load_recording(str(folder / "absurd.npy"), str(folder / "images.npz"), kind))
    if read is not None:
        is_sound(read)


@some(40)
@given(shape=st.lists(st.sampled_from([0, 1, 2, 3, N, 10]), max_size=4), kind=st.sampled_from(["rdm", "responses"]))
def test_any_shape(folder, shape, kind):
    np.save(folder / "shape.npy", np.random.default_rng(0).uniform(size=shape))
    read = tried(lambda: load_recording(str(folder / "shape.npy"), str(folder / "images.npz"), kind))
    if read is not None:
        is_sound(read)


_TEXTS = st.text("a \0\n\ud800\udce7\u0301\u2028", max_size=3)
_VALUES = st.none() | st.booleans() | st.integers() | st.floats() | _TEXTS | st.binary(max_size=3)


@some(60)
@given(values=_VALUES | st.lists(_VALUES, max_size=4) | st.lists(st.lists(_TEXTS, max_size=3), max_size=3))
def test_any_names(values):
    names = tried(lambda: as_names(np.array(values, object) if not isinstance(values, list) else values))
    assert names is None or all(isinstance(name, str) for name in names)


@some(60)
@given(choice=st.data())
def test_damaged_datasets(choice):
    idx = gzip.compress(bytes((0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, *range(6))), mtime=0)
    read = tried(lambda: read_idx(choice.draw(damage(idx)), "mnist"))
    assert read is None or read.dtype == np.uint8
    read = tried(lambda: read_cifar_binary(choice.draw(damage(bytes(3073 * 2))), "cifar10"))
    assert read is None or read[0].shape[1:] == (32, 32, 3)

"""Images of every mode, depth and order that cameras and programs write: their levels, or a sentence."""

import io
import unicodedata
import zipfile

import numpy as np
import pytest
from PIL import Image

from cortex_model.analysis.shown_images import resized
from cortex_model.datasets.pictures import decoded
from cortex_model.datasets.stimulus_images import read_images
from cortex_model.errors import DatasetError

GREY = np.random.default_rng(0).integers(0, 256, (4, 6), dtype=np.uint8)
COLOUR = np.random.default_rng(1).integers(0, 256, (4, 6, 3), dtype=np.uint8)
DEEP = GREY.astype(np.uint16) * 257
OPAQUE = np.full_like(GREY, 255)
TURNED_BY = {1: 0, 3: 2, 6: 3, 8: 1}  # EXIF orientation -> quarters of a turn against the clock


def saved(image, ending, **options):
    buffer = io.BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(buffer, ending, **options)
    return buffer.getvalue()


def tiff(array, **options):
    tifffile = pytest.importorskip("tifffile")
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, array, **options)
    return buffer.getvalue()


def palette(**options):
    return saved(Image.fromarray(GREY).convert("P"), "PNG", **options)


#: Mode and depth -> (file, levels of 0 ... 255).
MODES = {
    "8-bit grey": (lambda: saved(GREY, "PNG"), GREY),
    "1 bit": (lambda: saved(Image.fromarray(GREY).convert("1", dither=0), "PNG"), (GREY > 127) * 255),
    "a palette": (palette, np.dstack([GREY] * 3)),
    "RGB": (lambda: saved(COLOUR, "PNG"), COLOUR),
    "RGBA, opaque": (lambda: saved(np.dstack([COLOUR, OPAQUE]), "PNG"), COLOUR),
    "grey with alpha, opaque": (lambda: saved(Image.fromarray(np.dstack([GREY, OPAQUE])), "PNG"), GREY),
    "16-bit PNG": (lambda: saved(DEEP, "PNG"), GREY),
    "16-bit TIFF": (lambda: saved(DEEP, "TIFF"), GREY),
    "16-bit TIFF, big-endian": (lambda: tiff(DEEP, byteorder=">"), GREY),
    "16-bit TIFF, compressed": (lambda: saved(DEEP, "TIFF", compression="tiff_lzw"), GREY),
    "16-bit TIFF, white is zero": (lambda: tiff(65535 - DEEP, photometric="miniswhite"), GREY),
    "8-bit TIFF, white is zero": (lambda: tiff(255 - GREY, photometric="miniswhite"), GREY),
    "16-bit colour": (lambda: tiff(COLOUR.astype(np.uint16) * 257, photometric="rgb"), COLOUR),
    "BMP": (lambda: saved(COLOUR, "BMP"), COLOUR),
}


@pytest.mark.parametrize(("made", "expected"), MODES.values(), ids=list(MODES))
def test_levels_of_each_mode(made, expected):
    picture = decoded(made(), "it")
    height, width = expected.shape[:2]
    for is_coloured in (False, True):
        got = resized([picture.array], height, width, is_coloured)
        np.testing.assert_allclose(got, resized([expected.astype(np.uint8)], height, width, is_coloured), atol=1e-4)


@pytest.mark.parametrize("form", [np.uint8, np.uint16])
@pytest.mark.parametrize(("orientation", "quarters"), TURNED_BY.items())
@pytest.mark.parametrize("ending", ["PNG", "TIFF"])
def test_exif_orientation_is_applied_and_said(form, orientation, quarters, ending):
    image = Image.fromarray(GREY.astype(form) * (257 if form == np.uint16 else 1))
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = decoded(saved(image, ending, exif=exif), "it")
    np.testing.assert_array_equal(picture.array // (257 if form == np.uint16 else 1), np.rot90(GREY, quarters))
    assert any("EXIF orientation" in remark for remark in picture.remarks) == (orientation != 1)


def test_transparency_is_mid_grey_and_said():
    clear = np.zeros_like(GREY)
    for content in (
        saved(np.dstack([COLOUR, clear]), "PNG"),
        saved(Image.fromarray(np.dstack([GREY, clear])), "PNG"),
        saved(np.full_like(GREY, 7), "PNG", transparency=7),
        saved(Image.fromarray(np.full_like(GREY, 7)).convert("P"), "PNG", transparency=7),
    ):
        picture = decoded(content, "it")
        assert (picture.array == 128).all() and picture.remarks == ("Transparent parts of images were made mid-grey",)
    assert not decoded(saved(np.dstack([COLOUR, OPAQUE]), "PNG"), "it").remarks


#: What could mean several things -> (file, what the sentence says).
REFUSED = {
    "floats": (lambda: tiff(GREY.astype(np.float32)), r"grey or RGB, of 8 or 16 bits a level \(got mode F"),
    "32-bit integers": (lambda: tiff(GREY.astype(np.int32)), r"\(got mode I, I;32"),
    "signed 16 bits": (lambda: tiff(GREY.astype(np.int16)), r"\(got mode I, I;16S, not unsigned\)"),
    "signed 8 bits": (lambda: tiff(GREY.astype(np.int8)), r"\(got mode L, L, not unsigned\)"),
    "CMYK": (lambda: saved(Image.fromarray(COLOUR).convert("CMYK"), "TIFF"), r"\(got mode CMYK"),
    "LAB": (lambda: saved(Image.new("LAB", (6, 4)), "TIFF"), r"\(got mode LAB"),
    "an animation": (
        lambda: saved(GREY, "GIF", save_all=True, append_images=[Image.fromarray(255 - GREY)]),
        r"must be one picture \(got 2 frames\)",
    ),
    "text": (lambda: b"no image", r"must be an image that can be read"),
    "half a file": (lambda: saved(COLOUR, "PNG")[:60], r"must be an image that can be read"),
}


@pytest.mark.parametrize(("made", "sentence"), REFUSED.values(), ids=list(REFUSED))
def test_what_has_no_one_meaning_is_refused(made, sentence):
    with pytest.raises(DatasetError, match=sentence):
        decoded(made(), "it")


# ---------------------------------------------------------------------- folders and archives
def both(folder, contents):
    """The same files as a folder and as its zip."""
    with zipfile.ZipFile(folder / "all.zip", "w") as archive:
        for name, content in contents.items():
            (folder / "all" / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / "all" / name).write_bytes(content)
            archive.writestr(f"all/{name}", content)
    return folder / "all", folder / "all.zip"


def test_a_folder_and_its_zip_are_read_alike(tmp_path):
    names = ["img_1", "img_2", "img_10", "img_11", "inner/img_3"]
    contents = {f"{name}.png": saved(np.full((2, 2), k, np.uint8), "PNG") for k, name in enumerate(names)}
    beside = ["._img_1.png", ".hidden.png", "Thumbs.db", ".DS_Store", "notes.txt", "__MACOSX/img_1.png", ".git/a.png"]
    for path in both(tmp_path, dict(reversed(contents.items())) | dict.fromkeys(beside, b"no image")):
        shown = read_images(path)
        assert shown.names == ("img_1", "img_2", "img_10", "img_11", "img_3")
        assert [image[0, 0] for image in shown.images] == list(range(5))


def test_what_was_done_is_said_with_names(tmp_path):
    contents = {f"{k}.png": saved(DEEP, "PNG") for k in range(3)} | {"3.png": saved(GREY, "PNG")}
    for path in both(tmp_path, contents):
        (note,) = read_images(path).notes
        assert note == "Grey levels of 16 bits were divided by 257, so that 65535 is white: 0 and 2 more."


def test_an_image_twice(tmp_path):
    for path in both(tmp_path, {"a/face.png": saved(GREY, "PNG"), "b/face.PNG": saved(GREY, "PNG")}):
        with pytest.raises(DatasetError, match=r"must hold each image once \(got 'face' more than once: .*a/face.png"):
            read_images(path)


def test_names_that_are_not_ascii(tmp_path):
    """Decomposed names of macOS, and archives whose names are UTF-8 without the flag that says so."""
    for path in both(tmp_path, {unicodedata.normalize("NFD", "façade.png"): saved(GREY, "PNG")}):
        assert read_images(path).names == ("façade",)
    content = (tmp_path / "all.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        assert archive.infolist()[0].flag_bits & 0x800
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        flags = content.index(signature) + offset
        content = content[:flags] + b"\0\0" + content[flags + 2 :]
    (tmp_path / "all.zip").write_bytes(content)
    assert read_images(tmp_path / "all.zip").names == ("façade",)
    (tmp_path / "bytes").mkdir()
    with open(bytes(tmp_path / "bytes") + b"/fa\xe7ade.png", "wb") as file:
        file.write(saved(GREY, "PNG"))
    assert read_images(tmp_path / "bytes").names == ("façade",)


def test_arrays_of_images(tmp_path):
    images = np.stack([DEEP, DEEP // 2])
    np.save(tmp_path / "images.npy", images)
    np.savez(tmp_path / "images.npz", images=images, names=np.array([b"a.png", "fa\xe7ade.png".encode()]))
    assert read_images(tmp_path / "images.npy").names is None
    shown = read_images(tmp_path / "images.npz")
    assert shown.names == ("a", "façade") and np.array_equal(shown.images, images)


#: What is wrong with arrays -> (arrays, what the sentence says).
BAD_ARRAYS = {
    "fewer names": ({"images": COLOUR, "names": np.array(["a"])}, r"names: must be 4, one for each image \(got 1\)"),
    "floats": ({"images": COLOUR / 255}, r"images: must be uint8 or uint16 .* \(got float64, shape \(4, 6, 3\)\)"),
    "NaN": ({"images": np.full((4, 2, 2), np.nan)}, r"images: must be uint8 or uint16"),
    "one image": ({"images": GREY}, r"images: must be uint8 or uint16 of shape \(n, height, width\)"),
    "no dimension": ({"images": np.array(3, np.uint8)}, r"images: must be uint8 or uint16"),
    "another name": ({"pictures": COLOUR}, r"must hold images \(got pictures\)"),
    "pickles": ({"images": np.array([None])}, r"without pickles"),
}


@pytest.mark.parametrize(("arrays", "sentence"), BAD_ARRAYS.values(), ids=list(BAD_ARRAYS))
def test_arrays_that_are_no_images(arrays, sentence, tmp_path):
    np.savez(tmp_path / "images.npz", **arrays)
    with pytest.raises(DatasetError, match=sentence):
        read_images(tmp_path / "images.npz")


def encrypted(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("face.png", saved(GREY, "PNG"))
    content = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + offset] |= 1
    path.write_bytes(content)


#: What is wrong with an archive -> (how it is made, what the sentence says).
BAD_ARCHIVES = {
    "a password": (encrypted, r"face.png: must be a whole, unencrypted file of the archive \(got .*password"),
    "no archive": (lambda path: path.write_bytes(b"no archive"), r"must be a zip archive"),
    "nothing": (lambda path: path.touch(), r"must hold something \(got 0 bytes\)"),
}


@pytest.mark.parametrize(("write", "sentence"), BAD_ARCHIVES.values(), ids=list(BAD_ARCHIVES))
def test_archives_that_cannot_be_read(write, sentence, tmp_path):
    write(tmp_path / "images.zip")
    with pytest.raises(DatasetError, match=sentence):
        read_images(tmp_path / "images.zip")

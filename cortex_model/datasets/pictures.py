"""One image file as an array: colour as RGB, grey as one plane, 8 or 16 bits a level; nothing is guessed unsaid."""

from __future__ import annotations

import io
import warnings
from typing import Any, NamedTuple

import numpy as np

from cortex_model.datasets.user_files import decoding, misfit, must_hold

MID_GREY = 128
#: Bytes of a level as it is worked with.
DOUBLE = 8
#: Modes of Pillow whose levels have one meaning -> the mode that they are read as; 16 bits are read as they are.
MODES = {
    **dict.fromkeys(("1", "L", "LA"), "L"),
    **dict.fromkeys(("P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "YCbCr"), "RGB"),
}
SIXTEEN_BITS = ("I;16", "I;16B", "I;16L", "I;16N")
#: Formats that are read, whatever a file is called; some others of Pillow's start programs.
FORMATS = ("PNG", "JPEG", "BMP", "DIB", "GIF", "TIFF", "WEBP", "PPM")
#: Formats whose further frames are previews or other views of the same picture.
ONE_PICTURE = ("JPEG", "MPO")
#: Tags of TIFF and EXIF.
SAMPLE_FORMAT, UNSIGNED, PHOTOMETRIC, WHITE_IS_ZERO, ORIENTATION = 339, 1, 262, 0, 0x0112


class Picture(NamedTuple):
    """Levels of uint8 or uint16, shape (height, width) or (height, width, 3), and what a reader must know of them."""

    array: np.ndarray
    remarks: tuple[str, ...]


def decoded(content: bytes, where: object) -> Picture:
    """One image file, turned as its EXIF orientation says, a transparent background as mid-grey.

    Raises
    ------
    DatasetError
        If it is not an image, is several, or has levels that could mean several things: floats, signed or 32-bit
        integers, CMYK.
    """
    from PIL import Image, ImageOps

    with decoding(where, "an image that can be read", "replace it"):
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            must_hold(4 * DOUBLE * image.width * image.height, where, "make it smaller")
            _check(image, where)
            raw, is_turned = _raw_mode(image), image.getexif().get(ORIENTATION, 1) in range(2, 9)
            is_inverted = image.mode in SIXTEEN_BITS and _tag(image, PHOTOMETRIC, 1) == WHITE_IS_ZERO
            image.load()
            turned = ImageOps.exif_transpose(image)
            array, is_transparent = _levels(turned)
    if is_inverted:
        array = np.iinfo(np.uint16).max - array
    remarks = {
        "Images were turned as their EXIF orientation says": is_turned,
        "Transparent parts of images were made mid-grey": is_transparent,
        "Colours of 16 bits were read as 8 bits": array.dtype == np.uint8
        and ";16" in raw
        and not raw.startswith("BGR"),
        "Grey levels of 16 bits were divided by 257, so that 65535 is white": array.dtype == np.uint16,
    }
    return Picture(array, tuple(remark for remark, is_so in remarks.items() if is_so))


def as_8_bits(image: np.ndarray) -> np.ndarray:
    """Levels of uint8 or uint16 as 0 ... 255, the latter divided by 257 and not rounded."""
    return image if image.dtype == np.uint8 else image.astype(np.float32) / 257


def _check(image: Any, where: object) -> None:
    """See that the levels of an image have one meaning."""
    if getattr(image, "n_frames", 1) > 1 and image.format not in ONE_PICTURE:
        raise misfit(where, "be one picture", f"{image.n_frames} frames", "save the one that was shown")
    raw = _raw_mode(image)
    is_known = image.mode in MODES or (
        image.mode in SIXTEEN_BITS and raw in SIXTEEN_BITS and "transparency" not in image.info
    )
    is_unsigned = {_tag(image, SAMPLE_FORMAT, UNSIGNED)} == {UNSIGNED}
    if not (is_known and is_unsigned):
        got = f"mode {image.mode}" + (f", {raw}" if raw else "") + ("" if is_unsigned else ", not unsigned")
        raise misfit(where, "be grey or RGB, of 8 or 16 bits a level", got, "save it as one of these")


def _levels(image: Any) -> tuple[np.ndarray, bool]:
    """The array of a loaded image, and whether any of it was transparent."""
    from PIL import Image

    if image.mode in SIXTEEN_BITS:
        return np.asarray(image).astype(np.uint16), False
    mode = MODES[image.mode]
    if image.mode[-1] not in "Aa" and "transparency" not in image.info:
        return np.array(image.convert(mode)), False
    layer = image.convert("RGBA")
    alpha = layer.getchannel("A")
    ground = Image.new(mode, layer.size, MID_GREY if mode == "L" else (MID_GREY,) * 3)
    ground.paste(layer.convert(mode), mask=alpha)
    return np.array(ground), alpha.getextrema()[0] < np.iinfo(np.uint8).max


def _raw_mode(image: Any) -> str:
    """How levels stand in the file, such as ``RGB;16B``."""
    arguments = image.tile[0][3] if image.tile else ""
    arguments = arguments[0] if isinstance(arguments, tuple) and arguments else arguments
    return arguments if isinstance(arguments, str) else ""


def _tag(image: Any, tag: int, otherwise: int) -> int:
    """A tag of a TIFF file."""
    value = getattr(image, "tag_v2", {}).get(tag, otherwise)
    values = value if isinstance(value, tuple) else (value,)
    return otherwise if all(each == otherwise for each in values) else next(e for e in values if e != otherwise)

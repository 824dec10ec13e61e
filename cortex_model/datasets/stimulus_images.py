"""Images that a recording's stimuli are: from a folder, a zip archive, or an .npz file.

=============  =========================================================================================
folder, .zip   image files (png, jpg, bmp, gif, tif) in the order of their names; a stimulus is named like
               its file, without folder and ending
.npz           ``images``, uint8 of shape (n, height, width) or (n, height, width, 3); optionally ``names``
=============  =========================================================================================

Colour images are read as RGB, grey ones as one plane; a transparent background becomes mid-grey.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np

from cortex_model.errors import DatasetError

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff")
MID_GREY = (128, 128, 128)


class StimulusImages(NamedTuple):
    """Images and their names (None where only their order is known)."""

    images: list[np.ndarray]
    names: tuple[str, ...] | None


def read_images(path: Path) -> StimulusImages:
    """Read the images of a recording; see the top of this file.

    Raises
    ------
    DatasetError
        If there is nothing, an image cannot be read, or two have the same name.
    """
    path = Path(path)
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if file.suffix.lower() in ENDINGS)
        return _named({file.name: file.read_bytes for file in files}, path)
    if not path.is_file():
        raise DatasetError(f"stimuli: must be a folder, a .zip or an .npz file (got nothing at {path}); correct it.")
    if path.suffix.lower() == ".zip":
        return unzipped(path.read_bytes(), path)
    if path.suffix.lower() == ".npz":
        return _from_npz(path)
    raise DatasetError(f"stimuli: must be a folder, a .zip or an .npz file (got {path}); convert it.")


def unzipped(content: bytes, where: object) -> StimulusImages:
    """The images of a zip archive, in the order of their names.

    Raises
    ------
    DatasetError
        If it is no archive or holds no images.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except zipfile.BadZipFile as error:
        raise DatasetError(f"{where}: must be a zip archive (got: {error}); replace it.") from None
    entries = sorted(
        entry
        for entry in archive.namelist()
        if PurePosixPath(entry).suffix.lower() in ENDINGS
        and not any(part.startswith((".", "__")) for part in PurePosixPath(entry).parts)
    )
    return _named({entry: lambda entry=entry: archive.read(entry) for entry in entries}, where)


def decoded(content: bytes, where: object) -> np.ndarray:
    """One image file as uint8, (height, width) or (height, width, 3).

    Raises
    ------
    DatasetError
        If it is not an image.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(content)) as image:
            if image.mode in ("L", "1", "I;16"):
                return np.asarray(image.convert("L"))
            if "A" in image.getbands() or "transparency" in image.info:
                layer = image.convert("RGBA")
                image = Image.new("RGB", layer.size, MID_GREY)
                image.paste(layer, mask=layer.getchannel("A"))
            return np.asarray(image.convert("RGB"))
    except (UnidentifiedImageError, OSError) as error:
        raise DatasetError(f"{where}: must be an image that can be read (got: {error}); replace it.") from None


def _named(readers: dict[str, Callable[[], bytes]], where: object) -> StimulusImages:
    if not readers:
        raise DatasetError(f"{where}: must hold images, {', '.join(ENDINGS)} (got none); give another folder.")
    names = tuple(PurePosixPath(file).stem for file in readers)
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise DatasetError(f"{where}: must hold each image once (got {twice!r} more than once); rename one.")
    return StimulusImages([decoded(read(), f"{where}: {file}") for file, read in readers.items()], names)


def _from_npz(path: Path) -> StimulusImages:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            if "images" not in arrays:
                raise DatasetError(f"{path}: must hold images (got {', '.join(arrays) or 'nothing'}); rename them.")
            images, names = arrays["images"], arrays.get("names")
    except (ValueError, OSError, zipfile.BadZipFile) as error:
        raise DatasetError(f"{path}: must be an .npz file without pickles (got: {error}); save it again.") from None
    return StimulusImages(list(images), None if names is None else tuple(map(str, names)))

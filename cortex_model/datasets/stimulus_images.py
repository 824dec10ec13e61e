"""Images that a recording's stimuli are: from a folder, a zip archive, or an .npz or .npy file.

=============  =========================================================================================
folder, .zip   image files (png, jpg, bmp, gif, tif), also in folders within; hidden files and ``__MACOSX`` are left
               aside. Their order is that of their names with numbers by size (2 before 10); a stimulus is named like
               its file, without folder and ending
.npz           ``images``, uint8 or uint16 of shape (n, height, width) or (n, height, width, 3); optionally ``names``
.npy           the images alone
=============  =========================================================================================

How one image file becomes an array is in ``pictures``.
"""

from __future__ import annotations

import io
import os
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from natsort import natsort_keygen, ns

from cortex_model.datasets.numpy_files import read_numpy
from cortex_model.datasets.pictures import Picture, decoded
from cortex_model.datasets.stimulus_names import ENDINGS, as_name, as_names, key_of
from cortex_model.datasets.user_files import content_of, decoding, misfit, must_hold

_natural = natsort_keygen(alg=ns.PATH)


class StimulusImages(NamedTuple):
    """Images, their names (None where only their order is known), and what was done to read them."""

    images: list[np.ndarray]
    names: tuple[str, ...] | None
    notes: tuple[str, ...] = ()


def read_images(path: Path) -> StimulusImages:
    """Read the images of a recording; see the top of this file.

    Raises
    ------
    DatasetError
        If there is nothing, an image cannot be read, or two have the same name.
    """
    path, ending = Path(path), Path(path).suffix.lower()
    if os.path.isdir(path):
        files = _files_below(path)
        return _named([(name, lambda file=file: content_of(file, "stimuli")) for name, file in files], path)
    what = "be a folder, a .zip, an .npz or an .npy file"
    if not os.path.exists(path):
        raise misfit("stimuli", what, f"nothing at {path}", "correct it")
    if ending not in (".zip", ".npz", ".npy"):
        raise misfit("stimuli", what, path, "convert it")
    content = content_of(path, "stimuli")
    return unzipped(content, path) if ending == ".zip" else _from_arrays(content, path)


def unzipped(content: bytes, where: object) -> StimulusImages:
    """The images of a zip archive.

    Raises
    ------
    DatasetError
        If it is no archive or holds no images.
    """
    with decoding(where, "a zip archive", "replace it"):
        archive = zipfile.ZipFile(io.BytesIO(content))
        entries = [entry for entry in archive.infolist() if not entry.is_dir()]

    def reader(entry: zipfile.ZipInfo) -> Callable[[], bytes]:
        def read() -> bytes:
            must_hold(entry.file_size, f"{where}: {entry.filename}")
            with decoding(f"{where}: {entry.filename}", "a whole, unencrypted file of the archive", "pack it again"):
                return archive.read(entry)

        return read

    return _named([(_entry_name(entry), reader(entry)) for entry in entries], where)


def image_files(folder: Path) -> list[tuple[str, Path]]:
    """(path from there, file) of every image below a folder, in natural order; hidden ones are left aside.

    Raises
    ------
    DatasetError
        If the folder cannot be read.
    """
    found = [each for each in _files_below(Path(folder)) if _is_image(each[0])]
    return sorted(sorted(found), key=lambda each: _natural(each[0]))


def _files_below(folder: Path) -> list[tuple[str, Path]]:
    """Every file below a folder with its path from there."""
    try:
        os.listdir(folder)  # `Path.rglob` passes over what may not be read
        return [(file.relative_to(folder).as_posix(), file) for file in folder.rglob("*") if not file.is_dir()]
    except OSError as error:
        raise misfit("stimuli", "be a folder that can be read", f"{folder}: {error.strerror}", "copy it") from None


def _entry_name(entry: zipfile.ZipInfo) -> str:
    """The name of an archive's entry; macOS writes UTF-8 without saying so, which is then read as code page 437."""
    if entry.flag_bits & 0x800:
        return entry.filename
    try:
        return entry.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return entry.filename


def _is_image(name: str) -> bool:
    parts = re.split(r"[\\/]", name)
    return parts[-1].lower().endswith(ENDINGS) and not any(p.startswith(".") or p == "__MACOSX" for p in parts)


def _named(readers: list[tuple[str, Callable[[], bytes]]], where: object) -> StimulusImages:
    """Decoded images in natural order, from (path, how it is read)."""
    readers = sorted((each for each in readers if _is_image(each[0])), key=lambda each: each[0])
    readers.sort(key=lambda each: _natural(as_name(each[0])))
    if not readers:
        raise misfit(where, f"hold images, {', '.join(ENDINGS)}", "none", "give another folder")
    names = tuple(as_name(key_of(file)) for file, _ in readers)
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        files = " and ".join(file for (file, _), name in zip(readers, names, strict=True) if name == twice)
        raise misfit(where, "hold each image once", f"{twice!r} more than once: {files}", "rename one")
    shown: list[Picture] = []
    for file, read in readers:
        shown.append(decoded(read(), f"{where}: {file}"))
        if len(shown) == 1:  # the others are looked at one by one
            must_hold(len(readers) * shown[0].array.nbytes, where, "give fewer or smaller images")
    return StimulusImages([each.array for each in shown], names, _remarks(names, [each.remarks for each in shown]))


def _remarks(names: tuple[str, ...], remarks: list[tuple[str, ...]]) -> tuple[str, ...]:
    """What was done to images, once each, with the names of those that it was done to."""
    found = {}
    for name, done in zip(names, remarks, strict=True):
        for remark in done:
            found.setdefault(remark, []).append(name)
    return tuple(f"{remark}: {listed(to)}." for remark, to in found.items())


def listed(names: list[str] | tuple[str, ...]) -> str:
    """The first name, and how many more."""
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"


def _from_arrays(content: bytes, path: Path) -> StimulusImages:
    arrays = read_numpy(content, path)
    if "" not in arrays and "images" not in arrays:
        raise misfit(path, "hold images", ", ".join(arrays) or "nothing", "rename them")
    if unknown := sorted(set(arrays) - {"", "images", "names"}):
        raise misfit(path, "hold images and names alone", unknown[0], "rename it to names, or leave it out")
    loaded, names = arrays.get("", arrays.get("images")), arrays.get("names")
    if loaded.ndim not in (3, 4) or loaded.dtype not in (np.uint8, np.uint16):
        must = "be uint8 or uint16 of shape (n, height, width) or (n, height, width, 3)"
        raise misfit(f"{path}.images", must, f"{loaded.dtype}, shape {loaded.shape}", "convert them; 255 is white")
    names = as_names(names, f"{path}.names")
    if names is not None and len(names) != len(loaded):
        raise misfit(f"{path}.names", f"be {len(loaded)}, one for each image", len(names), "give each image one name")
    return StimulusImages(list(loaded), names and tuple(map(key_of, names)))

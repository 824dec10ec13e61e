"""Which image belongs to which stimulus of the data: by name where both have names, otherwise by order."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cortex_model.datasets.stimulus_images import StimulusImages, listed
from cortex_model.datasets.stimulus_names import are_counted, first_difference, key_of
from cortex_model.datasets.user_files import misfit


class Matched(NamedTuple):
    """Names and images in the order of the data, and sentences about how they were matched."""

    names: tuple[str, ...]
    images: list[np.ndarray]
    notes: tuple[str, ...]


def matched(where: str, wanted: tuple[str, ...] | None, shown: StimulusImages, folder: object) -> Matched:
    """Find the image of each stimulus.

    Parameters
    ----------
    where : str
        Name of the recording, for errors.
    wanted : tuple of str or None
        Names of the stimuli in the order of the data; None where nothing tells them.
    shown : StimulusImages
    folder : object
        Where the images are, for errors.

    Raises
    ------
    DatasetError
        If an image is missing, or two stimuli have the same.
    """
    by_key = {} if shown.names is None else dict(zip(shown.names, shown.images, strict=True))
    if not wanted or not by_key:
        return _by_order(where, wanted, shown)
    found = [name if name in by_key else key_of(name) for name in wanted]
    missing = [name for name, key in zip(wanted, found, strict=True) if key not in by_key]
    if missing and are_counted(wanted):
        return _by_order(where, None, shown)
    if missing:
        got = f"none for {missing[0]!r}" + (f" and {len(missing) - 1} more" if len(missing) > 1 else "")
        must = "hold an image for each stimulus that the data name"
        raise misfit(f"{where}.stimuli", must, got, f"add it to {folder}, or rename it")
    if len(set(found)) < len(found):
        twice = next(key for key in found if found.count(key) > 1)
        got = " and ".join(repr(name) for name, key in zip(wanted, found, strict=True) if key == twice)
        raise misfit(f"{where}.stimuli", "be one for each image", f"{got} for the image {twice}", "rename them")
    left = [name for name in shown.names if name not in set(found)]
    kept = tuple(name for name in shown.names if name in set(found))
    moved = "" if tuple(found) == kept else " and put into the order of the data"
    notes = (f"Stimuli were matched by name{moved}.",)
    if left:
        notes += (f"Images that the data do not name were left out: {listed(left)}.",)
    return Matched(wanted, [by_key[key] for key in found], notes)


def _by_order(where: str, wanted: tuple[str, ...] | None, shown: StimulusImages) -> Matched:
    """Image k for row k; the first and the last pair are said."""
    n = len(shown.images)
    if wanted and len(wanted) != n:
        must = f"be as many images as stimuli are named, {len(wanted)}"
        raise misfit(f"{where}.stimuli", must, n, "add or remove some")
    images = shown.names or tuple(f"image {k + 1}" for k in range(n))
    names = wanted or shown.names or tuple(f"stimulus {k + 1}" for k in range(n))
    pairs = f"{images[0]} to row 1, {images[-1]} to row {n}" if n else "none"
    return Matched(
        names, shown.images, (f"Stimuli were matched by order: image k belongs to row k of the data ({pairs}).",)
    )


def agreed_names(where: str, given: tuple[str, ...], of_data: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """The names that a description gives, or those of the data, which must be the same.

    Raises
    ------
    DatasetError
        If they differ.
    """
    if given and of_data and given != of_data and not are_counted(of_data):
        differs = first_difference(given, of_data)
        got = f"{differs[0]!r} where the data have {differs[1]!r}" if differs else f"{len(given)} names"
        raise misfit(f"{where}.names", "be those of the data file, in the same order", got, "leave them out")
    return given or of_data

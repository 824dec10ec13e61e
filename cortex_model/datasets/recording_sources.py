"""The published recordings that cortex-model knows: files, checksums, addresses, licences, citations, as one table."""

from __future__ import annotations

import re
from dataclasses import dataclass

from cortex_model.datasets.registry import DATASETS, DatasetSource, SourceFile, find_source
from cortex_model.errors import DatasetError


@dataclass(frozen=True)
class RecordingSource:
    """Where a recording comes from: one row of `RECORDED`.

    Parameters
    ----------
    name : str
        The key in `RECORDED`; a session follows after a colon.
    description, licence, citation : str
        For people.
    folder : str
        Below the folder that ``CORTEX_MODEL_DATA`` names.
    files : tuple of SourceFile
        Their names begin with the folder in which they were published. A file without a checksum is used as it is,
        and whatever is made of it says so.
    """

    name: str
    description: str
    licence: str
    citation: str
    folder: str
    files: tuple[SourceFile, ...]
    archives: tuple[SourceFile, ...] = ()

    @property
    def pieces(self) -> tuple[tuple[SourceFile, ...], ...]:
        """What must lie on disk: for each piece, the alternatives of which one is enough."""
        return tuple((file,) for file in self.files)

    @property
    def is_verified(self) -> bool:
        """Whether every file has a published checksum."""
        return all(file.sha256 for file in self.files)


KRIEGESKORTE_URL = (
    "https://raw.githubusercontent.com/rsagroup/rsatoolbox/f1f83cadb7243492a1aae7460466e0f0140b20ac/demos/92imageData/"
)
COWLEY_URL = (
    "https://raw.githubusercontent.com/cowleygroup/V4_compact_models/f4552ad9d34a466ebc66658f72a08a8e5038f1cf/"
    "data_V4_responses/"
)
#: Files of Cowley et al. with a checksum: (bytes, sha256).
COWLEY_CHECKSUMS = {
    "images/images_210325.zip": (
        1_841_475,
        "992774eca3508a2ad01accb1a31f5f3e3d90248c49f4eec314f2a915a263e454",
    ),
    "responses_raw/responses_210325.npy": (
        2_560_128,
        "4008dbbf31a47d9b1b8d8da609f4a7a3433c7071f0e45c611c220b217dd75b76",
    ),
    "responses_repeat_averaged/responses_210325.npy": (
        256_128,
        "555e67037182611969ab90da291dcc39601de4411f651a64ad60e90572cf59d3",
    ),
}
#: The session that is taken unless one is named, and those of which every repeat is published.
COWLEY_SESSION, COWLEY_RAW_SESSIONS = "210325", ("201016", "210325")


def cowley_source(session: str = COWLEY_SESSION) -> RecordingSource:
    """The files of one session: images, responses averaged over repeats, and every repeat where it is published.

    Raises
    ------
    DatasetError
        If the session is not six digits.
    """
    if not re.fullmatch(r"\d{6}", session):
        raise DatasetError(
            f"cowley_v4.session: must be six digits, year, month and day (got {session!r}); "
            f"write for example v4:{COWLEY_SESSION}."
        )
    names = [f"images/images_{session}.zip", f"responses_repeat_averaged/responses_{session}.npy"]
    names += [f"responses_raw/responses_{session}.npy"] * (session in COWLEY_RAW_SESSIONS)
    return RecordingSource(
        name="cowley_v4" if session == COWLEY_SESSION else f"cowley_v4:{session}",
        description="spikes of macaque V4 to photographs, with repeats (cowley_v4:SESSION for other sessions)",
        licence="GPL-3.0 (that of the repository)",
        citation="Cowley, Stan, Pillow & Smith (2023) Compact deep neural network models of visual cortex, bioRxiv",
        folder="cortical/cowley_v4",
        files=tuple(SourceFile(name, *COWLEY_CHECKSUMS.get(name, (0, "")), (COWLEY_URL + name,)) for name in names),
    )


RECORDED: dict[str, RecordingSource] = {
    "kriegeskorte_92": RecordingSource(
        name="kriegeskorte_92",
        description="92 objects: RDMs of human IT, monkey IT, judgements and models",
        licence="MIT (that of rsatoolbox, which publishes the files); none stated for the data themselves",
        citation="Kriegeskorte et al. (2008) Neuron 60:1126; Kiani et al. (2007) J. Neurophysiol. 97:4296; "
        "Mur et al. (2013) Front. Psychol. 4:128",
        folder="cortical/kriegeskorte_92",
        files=tuple(
            SourceFile(name, size, sha256, (KRIEGESKORTE_URL + name,))
            for name, size, sha256 in (
                (
                    "Kriegeskorte_Neuron2008_supplementalData.mat",
                    3_603_779,
                    "06f21214399a5d43dc264eed19a7f4b8daf11c8622a59eec3e106064ce5e3504",
                ),
                (
                    "92_brainRDMs.mat",
                    224_663,
                    "1743f90a15e895798a94318649e80e1123a7e5943a1703fa1dd7c31ea5780b7c",
                ),
                (
                    "92_behavRDMs.mat",
                    982_719,
                    "7a8e118c144c3840adeeeef6ea0706a0be2b3e80df719af15fbb56fc62562f5f",
                ),
                (
                    "92_modelRDMs.mat",
                    333_004,
                    "e1d2b58bb2f9508bc13da4c81b94d1ab07823b25ed30b9563bd9d6d730c2a00a",
                ),
            )
        ),
    ),
    "cowley_v4": cowley_source(),
}
"""The published recordings by name; any other session is made up by `cowley_source`."""


def find_files_of(name: str) -> DatasetSource | RecordingSource:
    """The row of `DATASETS` or of `RECORDED` with this name, or that of a session, ``cowley_v4:190923``.

    Raises
    ------
    DatasetError
        If there is none; the message names the nearest one.
    """
    if name.startswith("cowley_v4:"):
        return cowley_source(name.partition(":")[2])
    return find_source(name, {**DATASETS, **RECORDED})

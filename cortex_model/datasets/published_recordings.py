"""Published recordings as `RDMRecording` and `ResponseRecording`, from the files as their authors put them there.

==================  =================================================================================================
``human_it``        Kriegeskorte et al. (2008): human IT, 4 subjects, sessions averaged; ``human_it:1`` and
                    ``human_it:2`` are the two sessions
``human_it_mean``   their mean over subjects and sessions, the RDM of the paper's Fig. 1
``monkey_it``       Kiani et al. (2007), in the same paper: 674 neurons of monkey IT, one RDM
``judgements``      Mur et al. (2013): similarity judgements of 16 people on the same 92 images
``v4``              Cowley et al. (2023): macaque V4, session 210325; ``v4:SESSION`` is any other
==================  =================================================================================================
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from cortex_model.datasets.files import read_files
from cortex_model.datasets.numpy_files import read_numpy
from cortex_model.datasets.recording_sources import COWLEY_SESSION, cowley_source
from cortex_model.datasets.recordings import RDMRecording, Recording, ResponseRecording
from cortex_model.datasets.stimulus_images import unzipped
from cortex_model.datasets.user_files import decoding
from cortex_model.errors import DatasetError

UNVERIFIED = "The files of session {session} have no known checksum: they were used unverified."


class PublishedRecording(NamedTuple):
    """One row of `PUBLISHED`: whose files, how they are read (given what follows the colon), and what it is."""

    source: str
    read: Callable[[str], Recording]
    description: str


def human_it(session: str = "") -> RDMRecording:
    """Human IT, one RDM a subject: both sessions averaged, or only session ``"1"`` or ``"2"``.

    Raises
    ------
    DatasetError
        For another session, or if the files cannot be had.
    """
    if session not in ("", "1", "2"):
        raise DatasetError(f"human_it.session: must be 1 or 2 (got {session!r}); leave it out for both, averaged.")
    contents = read_files("kriegeskorte_92")
    entries = _matlab(contents["92_brainRDMs.mat"])["RDMs"][0]
    rdms = np.stack([[one["RDM"] for one in subject] for subject in entries]).astype(float)
    rdms = rdms[:, int(session) - 1] if session else rdms.mean(axis=1)
    subjects = tuple(str(subject[0]["name"].item()).split(" | ")[1] for subject in entries)
    models = _models(contents) | {"monkey IT": _figure_1(contents)["mIT_674neurons"]}
    return _of_92(contents, "human_it" + (f":{session}" if session else ""), subjects, rdms, models)


def human_it_mean(_: str = "") -> RDMRecording:
    """Human IT averaged over subjects and sessions, as published (316 voxels that respond to images)."""
    contents = read_files("kriegeskorte_92")
    published = _figure_1(contents)
    models = _models(contents) | {"monkey IT": published["mIT_674neurons"]}
    return _of_92(contents, "human_it_mean", ("mean of 4",), published["hITvisStim_316vx"][None], models)


def monkey_it(_: str = "") -> RDMRecording:
    """Monkey IT: 1 - r over 674 neurons of two animals."""
    contents = read_files("kriegeskorte_92")
    published = _figure_1(contents)
    models = _models(contents) | {"human IT": published["hITvisStim_316vx"]}
    return _of_92(contents, "monkey_it", ("674 neurons",), published["mIT_674neurons"][None], models)


def judgements(_: str = "") -> RDMRecording:
    """Similarity judgements, one RDM a person."""
    contents = read_files("kriegeskorte_92")
    entries = _matlab(contents["92_behavRDMs.mat"])["rdms_behav_92"][0]
    names = tuple(str(entry["name"].item()).split(" | ")[-1] for entry in entries)
    published = _figure_1(contents)
    models = _models(contents) | {
        "human IT": published["hITvisStim_316vx"],
        "monkey IT": published["mIT_674neurons"],
    }
    return _of_92(contents, "judgements", names, np.stack([entry["RDM"] for entry in entries]).astype(float), models)


def v4(session: str = "") -> ResponseRecording:
    """Spike counts of V4 units in 100 ms; every repeat where it is published, else means over repeats.

    Raises
    ------
    DatasetError
        If the session is not six digits, its files cannot be had, or they do not fit together.
    """
    session = session or COWLEY_SESSION
    source = cowley_source(session)
    contents = read_files(source.name)
    stimuli = unzipped(contents[f"images/images_{session}.zip"], f"images_{session}.zip")
    kept = contents.get(f"responses_raw/responses_{session}.npy")
    kept = kept or contents[f"responses_repeat_averaged/responses_{session}.npy"]
    with decoding(
        f"{source.name}.responses", "an .npy file of (units, images) or (units, images, repeats)", "fetch again"
    ):
        responses = read_numpy(kept, source.name)[""]
        responses = responses.reshape(*responses.shape[:2], -1).astype(float)
    units = tuple(f"unit {k + 1}" for k in range(len(responses)))
    notes = stimuli.notes if source.is_verified else (*stimuli.notes, UNVERIFIED.format(session=session))
    return ResponseRecording(f"v4:{session}", stimuli.images, stimuli.names, units, responses, notes)


PUBLISHED: dict[str, PublishedRecording] = {
    "human_it": PublishedRecording("kriegeskorte_92", human_it, "RDMs of human IT, 4 subjects, 92 images"),
    "human_it_mean": PublishedRecording("kriegeskorte_92", human_it_mean, "RDM of human IT, mean of 4 subjects"),
    "monkey_it": PublishedRecording("kriegeskorte_92", monkey_it, "RDM of 674 neurons of monkey IT, 92 images"),
    "judgements": PublishedRecording("kriegeskorte_92", judgements, "RDMs of judged similarity, 16 people, 92 images"),
    "v4": PublishedRecording("cowley_v4", v4, "responses of 50 units of macaque V4, 640 images, 6 to 10 repeats"),
}
"""Name -> published recording; what may follow a colon is handed to its reader."""


def _of_92(contents, name, subjects, rdms, models) -> RDMRecording:
    """A recording of the 92 objects, whose published matrices are symmetric but for rounding."""
    entries = _matlab(contents["Kriegeskorte_Neuron2008_supplementalData.mat"])["stimuli_92objs"][0]
    names = tuple(f"{k + 1:02d} {entry['category'].item()}" for k, entry in enumerate(entries))
    return RDMRecording(name, [entry["image"] for entry in entries], names, subjects, rdms, models)


def _models(contents) -> dict[str, np.ndarray]:
    """The published model RDMs; monkey IT, which is among them, is no model."""
    entries = _matlab(contents["92_modelRDMs.mat"])["Models"][0]
    rdms = {str(entry["name"].item()): entry["RDM"].astype(float) for entry in entries}
    return {name: rdm for name, rdm in rdms.items() if name != "monkeyIT"}


def _figure_1(contents) -> dict[str, np.ndarray]:
    """The two RDMs of the paper's Fig. 1, from vectors to matrices."""
    from scipy.spatial.distance import squareform

    entries = _matlab(contents["Kriegeskorte_Neuron2008_supplementalData.mat"])["RDMs_mIT_hIT_fig1"][0]
    return {str(entry["name"].item()): squareform(entry["RDM"].ravel().astype(float)) for entry in entries}


def _matlab(content: bytes) -> dict:
    from scipy.io import loadmat

    return loadmat(io.BytesIO(content))

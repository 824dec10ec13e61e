"""Datasets: where each comes from, verified loading, and the scaling of images into stimuli.

``registry`` is the table of sources, ``files`` finds, fetches and verifies their files, ``loading`` turns
verified files into a `Dataset` (``images``), and ``synthetic`` makes a small one without any file.

Recordings of brains (``recordings``) come from published files (``recording_sources``, ``published_recordings``) or
from one's own: ``recording_files`` puts together what ``array_files`` (``tables``, ``matlab_files``) and
``stimulus_images`` (``pictures``) read; ``array_shapes`` tells axes apart, ``matching`` finds each stimulus's
image by its name (``stimulus_names``), ``user_files`` turns faults into sentences.
"""

from cortex_model.datasets.files import (
    Availability,
    FileState,
    available,
    cache_folder,
    data_folder,
    fetch,
    verify,
)
from cortex_model.datasets.images import SCALINGS, Dataset, ImageSet
from cortex_model.datasets.loading import load
from cortex_model.datasets.published_recordings import PUBLISHED
from cortex_model.datasets.recording_files import load_recording
from cortex_model.datasets.recording_sources import RECORDED
from cortex_model.datasets.recordings import RDMRecording, Recording, ResponseRecording
from cortex_model.datasets.registry import DATASETS, DatasetSource, SourceFile, find_source
from cortex_model.datasets.synthetic import synthetic_classes

__all__ = [
    "DATASETS",
    "PUBLISHED",
    "RECORDED",
    "SCALINGS",
    "Availability",
    "Dataset",
    "DatasetSource",
    "FileState",
    "ImageSet",
    "RDMRecording",
    "Recording",
    "ResponseRecording",
    "SourceFile",
    "available",
    "cache_folder",
    "data_folder",
    "fetch",
    "find_source",
    "load",
    "load_recording",
    "synthetic_classes",
    "verify",
]

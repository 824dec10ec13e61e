"""Datasets: where each comes from, verified loading, and the scaling of images into stimuli.

``registry`` is the table of sources, ``files`` finds, fetches and verifies their files, ``loading`` turns
verified files into a `Dataset` (``images``), and ``synthetic`` makes a small one without any file.
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
from cortex_model.datasets.registry import DATASETS, DatasetSource, SourceFile, find_source
from cortex_model.datasets.synthetic import synthetic_classes

__all__ = [
    "DATASETS",
    "SCALINGS",
    "Availability",
    "Dataset",
    "DatasetSource",
    "FileState",
    "ImageSet",
    "SourceFile",
    "available",
    "cache_folder",
    "data_folder",
    "fetch",
    "find_source",
    "load",
    "synthetic_classes",
    "verify",
]

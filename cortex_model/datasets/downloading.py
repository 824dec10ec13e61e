"""Downloading one file, by pooch: from the first mirror that has it, verified, whole or not at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from cortex_model.datasets.recording_sources import RecordingSource
from cortex_model.datasets.registry import DatasetSource, SourceFile
from cortex_model.errors import DatasetError
from cortex_model.system.cache import cache_folder

DATA_VARIABLE = "CORTEX_MODEL_DATA"
CACHE_VARIABLE = "CORTEX_MODEL_CACHE"
TIMEOUT_SECONDS = 30


def download(source: DatasetSource | RecordingSource, file: SourceFile, folder: Path) -> Path:
    """Download a file of a dataset into a folder, which is made where it is missing.

    The file is written under a temporary name, compared with the registry, and then renamed: what stands
    under its name is verified, also where several processes download at once.

    Parameters
    ----------
    source : DatasetSource
        The dataset, for the messages.
    file : SourceFile
        What to download; its mirrors are tried in order.
    folder : pathlib.Path
        The dataset's cache folder.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    DatasetError
        If the folder cannot be written, or if no mirror delivers the file as the registry describes it.
    """
    import pooch

    target = folder / file.name
    _make_folder(target.parent)
    known = f"sha256:{file.sha256}" if file.sha256 else None
    failures = []
    for url in file.urls:
        try:
            pooch.retrieve(url, known, target.name, target.parent, downloader=_verified(file))
            return target
        except (OSError, ValueError) as error:  # every exception of requests is an OSError
            failures.append(f"{url}: {_reason(error)}")
    raise DatasetError(
        f"{source.name}.{file.name}: must be downloaded (got {', '.join(failures)}); "
        f"put the file into {folder}, or set {DATA_VARIABLE} to a folder with {source.folder}/{file.name}."
    )


def _make_folder(folder: Path) -> None:
    try:
        cache_folder()  # for nobody else
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatasetError(
            f"{CACHE_VARIABLE}: the cache folder must be writable (got {folder}: {error.strerror}); "
            f"set {CACHE_VARIABLE} to a folder that you may write to."
        ) from error


def _verified(file: SourceFile) -> Callable[[str, str, object], None]:
    """Return a downloader for pooch that says what is wrong in the words of the registry."""
    import pooch

    # "identity": a server that unpacks .gz on the way would change the bytes.
    fetch_url = pooch.HTTPDownloader(timeout=TIMEOUT_SECONDS, headers={"Accept-Encoding": "identity"})

    def downloader(url: str, temporary: str, pooch_or_none: object) -> None:
        fetch_url(url, temporary, pooch_or_none)
        fault = file.fault(Path(temporary).read_bytes())
        if fault:
            raise ValueError(fault)

    return downloader


def _reason(error: OSError | ValueError) -> str:
    """Shorten an exception of requests, whose own words run over lines, to what a user can act on."""
    response = getattr(error, "response", None)
    if response is not None:
        return f"HTTP {response.status_code}"
    return type(error).__name__ if isinstance(error, OSError) else str(error)

"""Downloading one file, by pooch: from the first mirror that has it, verified, whole or not at all.

No more is read than the registry says, and no longer than a slow line would take.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from cortex_model.datasets.recording_sources import RecordingSource
from cortex_model.datasets.registry import DatasetSource, SourceFile
from cortex_model.errors import DatasetError
from cortex_model.system.cache import cache_folder

DATA_VARIABLE = "CORTEX_MODEL_DATA"
CACHE_VARIABLE = "CORTEX_MODEL_CACHE"
#: How long a server may be silent, and how long a download may take: this, and what a slow line needs for its bytes.
TIMEOUT_SECONDS = 30
PATIENCE_SECONDS, SLOWEST_BYTES_PER_SECOND = 60, 50_000
#: Bytes of a file whose size is not known.
MOST_BYTES = 2**30


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

    most = file.bytes or MOST_BYTES
    seconds = PATIENCE_SECONDS + most / SLOWEST_BYTES_PER_SECOND

    def downloader(url: str, temporary: str, pooch_or_none: object) -> None:
        # "identity": a server that unpacks .gz on the way would change the bytes.
        fetch_url = pooch.HTTPDownloader(_Meter(most), timeout=TIMEOUT_SECONDS, headers={"Accept-Encoding": "identity"})
        _within(seconds, fetch_url, url, temporary, pooch_or_none)
        fault = file.fault(Path(temporary).read_bytes())
        if fault:
            raise ValueError(fault)

    return downloader


class _Meter:
    """Counts bytes as a progress bar of pooch does, and stops a download that has more of them than it should.

    Parameters
    ----------
    most : int
        How many it should have.
    """

    total = 0  # pooch sets it to what the server says

    def __init__(self, most: int):
        self.most, self.done, self.is_over = most, 0, False

    def update(self, n: int) -> None:
        """Count ``n`` more; ValueError where these are too many, or nobody waits for them."""
        self.done += n
        # pooch tells of a whole chunk where the last one is a part of it
        if self.is_over or self.done - n > self.most or self.total > self.most:
            raise ValueError(f"must have {self.most} bytes (got more)")

    def reset(self) -> None:
        """Begin anew, as pooch does before it says that all is there."""
        self.done = -self.most

    def close(self) -> None:
        """Nothing is left to be done."""


def _within(seconds: float, fetch_url, *given) -> None:
    """Download in a thread, which is left alone where it takes too long: no other way ends whatever a server does."""
    failures = []

    def fetch():
        try:
            fetch_url(*given)
        except Exception as error:
            failures.append(error)

    thread = threading.Thread(target=fetch, daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        fetch_url.progressbar.is_over = True
        raise ValueError(f"must come within {seconds:.0f} s (got {fetch_url.progressbar.done} bytes)")
    if failures:
        raise failures[0]


def _reason(error: OSError | ValueError) -> str:
    """Shorten an exception of requests, whose own words run over lines, to what a user can act on."""
    response = getattr(error, "response", None)
    if response is not None:
        return f"HTTP {response.status_code}"
    return type(error).__name__ if isinstance(error, OSError) else str(error)

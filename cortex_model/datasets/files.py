"""The files of datasets and recordings on this machine: found, fetched and verified, never trusted unseen.

A file is looked for in the folder that the environment variable ``CORTEX_MODEL_DATA`` names (in a folder of
it named after the dataset, or directly), which is only ever read; then in the cache folder, to which missing
files are downloaded. Every byte that is handed on has been compared with the registry.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from cortex_model.datasets.downloading import DATA_VARIABLE, download
from cortex_model.datasets.recording_sources import RECORDED, RecordingSource, find_files_of
from cortex_model.datasets.registry import DATASETS, DatasetSource, SourceFile
from cortex_model.datasets.user_files import must_hold
from cortex_model.errors import DatasetError
from cortex_model.system.cache import cache_path

Source = DatasetSource | RecordingSource
#: First bytes of a compressed file -> what opens it.
OPENERS = {b"\x1f\x8b": gzip.open, b"\xfd7zXZ\x00": lzma.open, b"BZh": bz2.open}
#: Blocks of an archive besides its files: headers, and what fills it up.
BLOCKS = 2000


class FileState(NamedTuple):
    """One row of `verify`: a file, the path where it was found (or ``""``), and its state."""

    file: str
    where: str
    state: str


class Availability(NamedTuple):
    """One row of `available`: a dataset, its state (``embedded``, ``found``, ``missing``), and what it is."""

    name: str
    state: str
    description: str


class _Inspection(NamedTuple):
    """A file as it was found: ``fault`` is empty for content that is what the registry says."""

    file: SourceFile
    path: Path | None
    content: bytes
    fault: str


def data_folder() -> Path | None:
    """Return the folder that ``CORTEX_MODEL_DATA`` names, or None where it is not set.

    Raises
    ------
    DatasetError
        If it is set and is not a folder.
    """
    value = os.environ.get(DATA_VARIABLE)
    if not value:
        return None
    folder = Path(value).expanduser()
    if not folder.is_dir():
        raise DatasetError(
            f"{DATA_VARIABLE}: must name an existing folder (got {value!r}); correct it, or unset it to download."
        )
    return folder


def cache_folder(name: str) -> Path:
    """Return the folder to which the files of a dataset are downloaded (it need not exist).

    It is ``datasets/<name>`` in the user's cache folder for cortex-model, or in the folder that the
    environment variable ``CORTEX_MODEL_CACHE`` names.
    """
    return cache_path() / "datasets" / name.partition(":")[0]


def available() -> list[Availability]:
    """List datasets and recordings and whether their files are here; nothing is downloaded, read or verified.

    Returns
    -------
    list of Availability
        (name, state, description), in the order of `DATASETS` and `RECORDED`.
    """
    sources = (*DATASETS.values(), *RECORDED.values())
    return [Availability(source.name, _presence(source), source.description) for source in sources]


def verify(name: str) -> list[FileState]:
    """Compare every file of a dataset with its published size and sha256; nothing is downloaded.

    Returns
    -------
    list of FileState
        (file, where, state), ``state`` being ``verified``, ``missing``, ``corrupted: ...``, or ``unverified`` where
        no checksum is known. For an archive one row for each member. Empty for an embedded dataset, which has no
        files.

    Raises
    ------
    DatasetError
        If there is no such dataset.
    """
    rows = []
    for file, path, _, fault in _inspect(find_files_of(name)):
        state = f"corrupted: {fault}" if fault else "verified" if file.sha256 else "unverified"
        rows.append(FileState(file.name, str(path), state) if path else FileState(file.name, "", "missing"))
    return rows


def fetch(name: str) -> list[Path]:
    """Download what is missing of a dataset, and again what is corrupted in the cache folder.

    Returns
    -------
    list of pathlib.Path
        The files, or the one archive, all verified. Empty for an embedded dataset.

    Raises
    ------
    DatasetError
        If there is no such dataset, if a download fails, or if a file in ``CORTEX_MODEL_DATA``, where nothing
        is ever written, is corrupted.
    """
    source = find_files_of(name)
    found = [(file, path, fault) for file, path, _, fault in _inspect(source) if path and fault]
    for file, path, fault in found:
        if not _in_cache(path, source):
            raise _refusal(source, file, path, fault)
        path.unlink(missing_ok=True)
    return [_obtain(source, alternatives) for alternatives in source.pieces]


def read_files(name: str) -> dict[str, bytes]:
    """Return the verified content of every file of a dataset by file name, downloading what is missing.

    Raises
    ------
    DatasetError
        If there is no such dataset, if a download fails, or if a file is truncated or corrupted.
    """
    source = find_files_of(name)
    for alternatives in source.pieces:
        _obtain(source, alternatives)
    contents = {}
    for file, path, content, fault in _inspect(source):
        if fault:
            raise _refusal(source, file, path, fault)
        contents[file.name] = content
    return contents


def _presence(source: Source) -> str:
    if not source.pieces:
        return "embedded"
    return "found" if all(_locate(source, alternatives) for alternatives in source.pieces) else "missing"


def _locate(source: Source, alternatives: tuple[SourceFile, ...]) -> Path | None:
    """Return the first of the alternatives that lies in one of the folders."""
    data, cache = data_folder(), cache_folder(source.name)
    for folder in (data / source.folder, data, cache) if data else (cache,):
        for file in alternatives:
            path = folder / file.name
            if path.is_file() and not (folder == data and _is_of_another(source, path)):
                return path
    return None


def _is_of_another(source: Source, path: Path) -> bool:
    """Tell MNIST's files from Fashion-MNIST's, which have the same names, where no folder says it."""
    others = (file for other in DATASETS.values() if other.name != source.name for file in other.files)
    return any(file.name == path.name and file.bytes == path.stat().st_size for file in others)


def _in_cache(path: Path, source: Source) -> bool:
    return path.is_relative_to(cache_folder(source.name))


def _inspect(source: Source) -> Iterator[_Inspection]:
    """Read every file of a dataset, or every member of its archive, and say what is wrong with it."""
    archive = _locate(source, source.archives)
    if archive:
        yield from _inspect_archive(source, archive)
        return
    for file in source.files:
        path = None if source.archives else _locate(source, (file,))
        try:
            size = path.stat().st_size if path else 0
            if file.sha256 and size > file.bytes:
                yield _Inspection(file, path, b"", f"must have {file.bytes} bytes (got {size})")
                continue
            must_hold(size, path)
            content = path.read_bytes() if path else b""
            yield _Inspection(file, path, content, file.fault(content))
        except OSError as error:
            yield _Inspection(file, path, b"", f"must be readable (got {error.strerror})")


def _inspect_archive(source: Source, path: Path) -> Iterator[_Inspection]:
    """Read the members in the order of the archive, in memory; their folders in it do not matter.

    No more is unpacked than twice what the files have: other members may be small.
    """
    most = BLOCKS * tarfile.BLOCKSIZE + 2 * sum(file.bytes for file in source.files)
    awaited = {file.name: file for file in source.files}
    fault = f"must be in {path.name} (got an archive without it)"
    try:
        with tarfile.open(fileobj=_Unpacked(path, most)) as archive:
            for entry in archive:
                file = awaited.get(entry.name.rpartition("/")[2])
                if file and entry.isfile() and entry.size > file.bytes:
                    del awaited[file.name]
                    yield _Inspection(file, path, b"", f"must have {file.bytes} bytes (got {entry.size})")
                elif file and entry.isfile():
                    content = archive.extractfile(entry).read()
                    del awaited[file.name]
                    yield _Inspection(file, path, content, file.fault(content))
    except (tarfile.TarError, EOFError, lzma.LZMAError, zlib.error, OSError) as error:
        expected = {archive.name: archive.bytes for archive in source.archives}[path.name]
        got = f"{path.stat().st_size} bytes, {type(error).__name__}"
        fault = f"must be in a readable archive, published with {expected} bytes (got {got})"
    for file in awaited.values():
        yield _Inspection(file, path, b"", fault)


class _Unpacked(io.RawIOBase):
    """The tar archive within a compressed one, up to a number of bytes; tarfile.ReadError beyond.

    Parameters
    ----------
    path : Path
    most : int
        Up to where it may be read.
    """

    def __init__(self, path: Path, most: int):
        with open(path, "rb") as file:
            start = file.read(6)
        opener = next((its for magic, its in OPENERS.items() if start.startswith(magic)), open)
        self.file, self.most = opener(path, "rb"), most

    def read(self, size: int = -1) -> bytes:
        """Bytes from here on."""
        self._check(self.file.tell() + max(size, 0))
        return self.file.read(min(size, self.most) if size >= 0 else self.most)

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a place."""
        self._check(offset)
        return self.file.seek(offset, whence)

    def tell(self) -> int:
        """Where it is."""
        return self.file.tell()

    def close(self) -> None:
        """Close the file."""
        self.file.close()
        super().close()

    def _check(self, place):
        if place > self.most:
            raise tarfile.ReadError(f"more than {self.most} bytes")


def _refusal(source: Source, file: SourceFile, path: Path | None, fault: str) -> DatasetError:
    if path and not _in_cache(path, source):
        advice = f"replace {path}, or unset {DATA_VARIABLE} to download"
    else:
        advice = f"delete {path}, or fetch it again with: cortex-model datasets fetch {source.name}"
    return DatasetError(f"{source.name}.{file.name}: {fault}; {advice}.")


def _obtain(source: Source, alternatives: tuple[SourceFile, ...]) -> Path:
    path = _locate(source, alternatives)
    return path or download(source, alternatives[0], cache_folder(source.name))

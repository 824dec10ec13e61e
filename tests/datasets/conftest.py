"""Small made-up files, a small registry, a local server, and the real files where there are any."""

import dataclasses
import gzip
import hashlib
import io
import os
import tarfile
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from cortex_model.datasets import DATASETS, SourceFile

NAMED = os.environ.get("CORTEX_MODEL_DATA")
REAL_DATA = Path(NAMED) if NAMED else Path(__file__).resolve().parents[3] / "shared" / "data"


@pytest.fixture(autouse=True)
def isolated(monkeypatch, tmp_path):
    """No test sees the user's folders, and the local server is never asked through a proxy."""
    monkeypatch.delenv("CORTEX_MODEL_DATA", raising=False)
    monkeypatch.setenv("CORTEX_MODEL_CACHE", str(tmp_path / "cache"))
    for variable in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(variable, "127.0.0.1")


@pytest.fixture(scope="session")
def real_data():
    def folder(name):
        files = [piece for pieces in DATASETS[name].pieces for piece in pieces]
        if not any((REAL_DATA / name / file.name).is_file() for file in files):
            pytest.skip(f"{name}: no files in {REAL_DATA / name}")
        return REAL_DATA

    return folder


def idx(array, magic=(0, 0, 8)):
    array = np.asarray(array, np.uint8)
    header = bytes((*magic, array.ndim)) + np.array(array.shape, ">u4").tobytes()
    return gzip.compress(header + array.tobytes(), mtime=0)


def described(name, content, *urls):
    return SourceFile(name, len(content), hashlib.sha256(content).hexdigest(), urls)


@pytest.fixture
def tiny_contents():
    """The four files of a made-up MNIST: 6 + 4 images of 2 x 3 pixels."""
    generator = np.random.default_rng(1)
    train, test = generator.integers(0, 256, (6, 2, 3)), generator.integers(0, 256, (4, 2, 3))
    arrays = (train, [0, 1, 2, 3, 4, 5], test, [9, 8, 7, 6])
    return {file.name: idx(array) for file, array in zip(DATASETS["mnist"].files, arrays, strict=True)}


@pytest.fixture
def set_mnist(monkeypatch):
    """Describe other contents in the row of MNIST."""

    def set_row(contents, mirror="http://127.0.0.1:9/"):
        files = tuple(described(name, content, mirror + name) for name, content in contents.items())
        row = dataclasses.replace(DATASETS["mnist"], files=files, image_shape=(2, 3), n_train=6, n_test=4)
        monkeypatch.setitem(DATASETS, "mnist", row)
        return row

    return set_row


class Server:
    """What it serves by name, the paths asked for, its address, and how many promised bytes it withholds.

    It may be silent about how many bytes there are, and take its time for each.
    """

    def __init__(self):
        self.contents, self.asked, self.broken_off = {}, [], 0
        self.is_silent_about_its_length, self.seconds_a_byte, self.sent = False, 0, 0
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                server.asked.append(self.path[1:])
                content = server.contents.get(self.path[1:])
                self.send_response(200 if content is not None else 404)
                if not server.is_silent_about_its_length:
                    self.send_header("Content-Length", str(len(content or b"") + server.broken_off))
                self.end_headers()
                size = 1 if server.seconds_a_byte else 2**16
                with suppress(ConnectionError):
                    for at in range(0, len(content or b""), size):
                        self.wfile.write(content[at : at + size])
                        server.sent += size
                        time.sleep(server.seconds_a_byte)

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.http.server_address[1]}/"


@pytest.fixture
def server():
    server = Server()
    thread = threading.Thread(target=server.http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.http.shutdown()
    server.http.server_close()
    thread.join()


@pytest.fixture
def served_mnist(server, tiny_contents, set_mnist):
    """A made-up MNIST whose only mirror is the local server."""
    server.contents.update(tiny_contents)
    set_mnist(tiny_contents, server.address)
    return server


@pytest.fixture
def tiny_batches():
    """The members of a made-up CIFAR-10: batches of three records, the labels 0, 1, 2."""
    generator = np.random.default_rng(2)

    def batch():
        records = generator.integers(0, 256, (3, 3073), dtype=np.uint8)
        records[:, 0] = range(3)
        return records.tobytes()

    return {file.name: batch() for file in DATASETS["cifar10"].files}


@pytest.fixture
def tiny_cifar10(monkeypatch, tiny_batches):
    files = tuple(described(name, content) for name, content in tiny_batches.items())
    row = dataclasses.replace(DATASETS["cifar10"], files=files, n_train=15, n_test=3)
    monkeypatch.setitem(DATASETS, "cifar10", row)
    return row


def _packed(contents, mode):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:
        for name, content in contents.items():
            entry = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


@pytest.fixture
def packed():
    """Pack contents as a tar archive: ``packed(contents, "w:gz")``."""
    return _packed


@pytest.fixture
def as_idx():
    return idx


@pytest.fixture
def put():
    """Write contents into a folder, which is made."""

    def write(folder, contents):
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            (folder / name).write_bytes(content)
        return folder

    return write

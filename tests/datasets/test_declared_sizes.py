"""Files that declare more than memory holds, that are no regular files, or that lead elsewhere: one sentence."""

import gzip
import io
import os
import socket
import struct
import tarfile
import time
import zipfile
import zlib

import h5py
import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from cortex_model.datasets import cache_folder, downloading, load, load_recording, verify
from cortex_model.datasets.array_files import READERS
from cortex_model.datasets.loading import read_idx
from cortex_model.datasets.own_data import content_hash, load_own
from cortex_model.datasets.pictures import decoded
from cortex_model.datasets.stimulus_images import image_files, read_images
from cortex_model.datasets.tables import frame_of
from cortex_model.datasets.user_files import content_of
from cortex_model.errors import CortexModelError, DatasetError
from cortex_model.system import memory

FREE = 2**20


@pytest.fixture
def little_memory(monkeypatch):
    """A machine with one free MiB."""
    monkeypatch.setattr(memory, "free_memory", lambda: float(FREE))


def refused(read, sentence):
    with pytest.raises(CortexModelError, match=sentence) as caught:
        read()
    assert str(caught.value).isprintable() and len(str(caught.value)) < 1000


# ---------------------------------------------------------------------- regular files
def pipe(folder):
    os.mkfifo(folder / "a.png")


def to_a_device(folder):
    (folder / "a.png").symlink_to("/dev/zero")


def to_a_pipe(folder):
    os.mkfifo(folder / "pipe")
    (folder / "a.png").symlink_to(folder / "pipe")


def to_nothing(folder):
    (folder / "a.png").symlink_to(folder / "nothing")


def a_socket(folder):
    os.chdir(folder)
    with socket.socket(socket.AF_UNIX) as its:
        its.bind("a.png")


@pytest.mark.parametrize("make", [pipe, to_a_device, to_a_pipe, to_nothing, a_socket])
def test_what_is_no_regular_file_is_never_opened(make, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make(tmp_path)
    with pytest.raises(DatasetError, match=r"must be a file \(got (nothing at )?.*a.png"):
        content_of(tmp_path / "a.png", "data")
    with pytest.raises(DatasetError, match="must be a file"):  # nor left out in silence
        read_images(tmp_path)
    assert [name for name, _ in image_files(tmp_path)] == ["a.png"]


def test_a_file_larger_than_memory_is_not_read(little_memory, tmp_path):
    with open(tmp_path / "a.npy", "wb") as file:
        file.truncate(FREE + 1)
    refused(lambda: content_hash(tmp_path / "a.npy"), r"a.npy: must fit into the 0.000977 GiB of memory that are free")


# ---------------------------------------------------------------------- arrays
def header(shape, descr="<f8", version=1):
    text = f"{{'descr': {descr!r}, 'fortran_order': False, 'shape': {shape!r}, }}\n".encode()
    return b"\x93NUMPY" + bytes((version, 0)) + struct.pack("<H", len(text)) + text


@pytest.mark.parametrize(
    "content",
    [header((10**6, 10**6)), header((10**6, 10**6)) + bytes(64), header((10**12,), "|S0"), header((10**400,)),
     header((10,), "<U1000000000"), header((2, 10**9, 2), "|u1")],
    ids=["nothing", "little", "of no bytes each", "beyond floats", "long texts", "three axes"],
)  # fmt: skip
def test_arrays_that_declare_more_than_they_have(content, tmp_path):
    (tmp_path / "a.npy").write_bytes(content)
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("rdms.npy", content)
    for name in ("a.npy", "a.npz"):
        refused(lambda name=name: READERS[".npz"].arrays(tmp_path / name), r"a\.np[yz].*: must ")


def test_packed_arrays_that_fill_memory(little_memory, tmp_path):
    np.savez_compressed(tmp_path / "a.npz", rdms=np.zeros(FREE // 8), stimuli=np.zeros(2))
    assert (tmp_path / "a.npz").stat().st_size < FREE / 100
    refused(lambda: READERS[".npz"].arrays(tmp_path / "a.npz"), r"a.npz: must fit into .* \(got 0.00195 GiB\)")
    refused(lambda: read_images(tmp_path / "a.npz"), r"a.npz: must fit into")


@pytest.mark.parametrize(
    "arrays",
    [{"X": np.zeros((4, 0)), "y": [1, 2, 1, 2]}, {"X": np.zeros((4, 2)), "y": np.zeros((4, 10**9, 0))},
     {"X": np.zeros((4, 2)), "targets": np.zeros((4, 10**9, 0))}, {"X": np.zeros((0, 10**9)), "y": np.zeros(0)}],
    ids=["stimuli", "labels", "targets", "all"],
)  # fmt: skip
def test_empty_arrays_whose_other_axes_are_long(arrays, tmp_path):
    np.savez(tmp_path / "a.npz", **arrays)
    refused(lambda: load_own(str(tmp_path / "a.npz"), 0.5, 0), r"must hold numbers \(got an empty array of shape")


def test_classes_of_very_many_digits(tmp_path):
    np.savez(tmp_path / "a.npz", X=np.arange(12.0).reshape(6, 2), y=np.array(["9" * 5000, "$\\frac$"] * 3))
    assert load_own(str(tmp_path / "a.npz"), 0.5, 0).class_names == ("$\\frac$", "9" * 5000)


# ---------------------------------------------------------------------- MATLAB
def element(kind, body):
    return struct.pack("<II", kind, len(body)) + body + bytes(-len(body) % 8)


def matlab(array_class, shape, *data, name=b"x"):
    flags, dimensions = struct.pack("<II", array_class, 0), struct.pack(f"<{len(shape)}i", *shape)
    return element(14, element(6, flags) + element(5, dimensions) + element(1, name) + b"".join(data))


def of_matlab(*elements):
    return b"MATLAB 5.0".ljust(124) + struct.pack("<H", 0x100) + b"IM" + b"".join(elements)


def compressed(body):
    packed = zlib.compress(body)
    return struct.pack("<II", 15, len(packed)) + packed


@pytest.mark.parametrize(
    "content",
    [of_matlab(compressed(element(1, bytes(2 * FREE)))), of_matlab(compressed(bytes(50 * FREE))),
     of_matlab(matlab(4, (30000, 30000), element(4, b""))), of_matlab(matlab(6, (300, 300), element(2, bytes(90000)))),
     struct.pack("<5i", 0, 30000, 30000, 0, 2) + b"x\0"],
    ids=["declared", "more than declared", "blanks", "bytes as doubles", "version 4"],
)  # fmt: skip
def test_matlab_files_that_fill_memory(content, little_memory, tmp_path):
    (tmp_path / "a.mat").write_bytes(content)
    refused(lambda: READERS[".mat"].arrays(tmp_path / "a.mat"), r"a.mat: must ")


def test_a_matlab_file_is_unpacked_no_further_than_it_declares(little_memory, tmp_path):
    savemat(tmp_path / "a.mat", {"x": np.zeros(2 * FREE // 8)}, do_compression=True)
    refused(lambda: READERS[".mat"].arrays(tmp_path / "a.mat"), r"a.mat: must fit into")


# ---------------------------------------------------------------------- HDF5
def of_external_link(file, other):
    file["rdms"] = h5py.ExternalLink(other, "secret")


def of_soft_link(file, other):
    file["rdms"] = h5py.SoftLink("/rdms")


def of_external_storage(file, other):
    file.create_dataset("rdms", (4, 4), "f8", external=[(other, 0, h5py.h5f.UNLIMITED)])


def of_a_virtual_array(file, other):
    layout = h5py.VirtualLayout((4, 4), "f8")
    layout[:] = h5py.VirtualSource(other, "secret", (4, 4))
    file.create_virtual_dataset("rdms", layout)


def of_a_group_in_itself(file, other):
    file.create_group("deep")["again"] = file["/"]
    file["deep/rdms"] = h5py.ExternalLink(other, "secret")


def of_a_huge_array(file, other):
    file.create_dataset("rdms", (10**6, 10**6), "f8", chunks=(1000, 1000), compression="gzip")
    file.create_dataset("stimulus", data=np.zeros(10**6, "i1")).make_scale("stimulus")
    for dimension in file["rdms"].dims:
        dimension.attach_scale(file["stimulus"])


@pytest.mark.parametrize(
    ("write", "sentence"),
    [(of_external_link, "ExternalLink at /rdms"), (of_soft_link, "SoftLink at /rdms"),
     (of_external_storage, "an array in other files at /rdms"), (of_a_virtual_array, "an array in other files at"),
     (of_a_group_in_itself, "ExternalLink at /deep/rdms"),
     (of_a_huge_array, r"must fit into .* \(got 1.49e\+04 GiB\)")],
)  # fmt: skip
def test_hdf5_files_that_lead_elsewhere_or_fill_memory(write, sentence, tmp_path):
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["secret"] = np.ones((4, 4))
    with h5py.File(tmp_path / "a.nc", "w") as file:
        write(file, str(tmp_path / "other.h5"))
    refused(lambda: READERS[".nc"].arrays(tmp_path / "a.nc"), sentence)


# ---------------------------------------------------------------------- images
def png(width, height):
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


def test_images_of_too_many_pixels(little_memory):
    refused(lambda: decoded(png(50_000, 50_000), "it"), "it: must be an image that can be read")
    refused(lambda: decoded(png(1000, 1000), "it"), "it: must fit into")


def test_images_that_are_too_many(little_memory, tmp_path):
    grey = io.BytesIO()
    Image.new("L", (150, 150)).save(grey, "PNG")
    with zipfile.ZipFile(tmp_path / "images.zip", "w") as archive:
        for k in range(50):
            archive.writestr(f"{k}.png", grey.getvalue())
            (tmp_path / "images" / "ab"[k % 2]).mkdir(parents=True, exist_ok=True)
            (tmp_path / "images" / "ab"[k % 2] / f"{k}.png").write_bytes(grey.getvalue())
    refused(lambda: read_images(tmp_path / "images.zip"), "images.zip: must fit into .*; give fewer or smaller images")
    refused(lambda: load_own(str(tmp_path / "images"), 0.2, 0), "must fit into .*; give fewer or smaller images")


def test_a_member_of_an_archive_that_fills_memory(little_memory, tmp_path):
    with zipfile.ZipFile(tmp_path / "images.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.png", bytes(2 * FREE))
    refused(lambda: read_images(tmp_path / "images.zip"), "images.zip: a.png: must fit into")


def test_no_program_is_started_for_an_image():
    """Pillow gives EPS to Ghostscript, whatever the file is called."""
    refused(lambda: decoded(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "it"), "it: must be an image")


# ---------------------------------------------------------------------- texts
def test_a_table_whose_first_line_makes_all_others_long(little_memory, tmp_path):
    (tmp_path / "a.csv").write_text("label" + ",x" * 1000 + "\n" + "1\n" * 1000)
    refused(lambda: frame_of(tmp_path / "a.csv"), "a.csv: must fit into .*; give fewer rows or columns")


@pytest.mark.parametrize(
    ("text", "columns"),
    [("abc" * 30_000 + ",label\n1,2\n", 2), (",\"" * 10_000 + "\n1\n", 5001),
     ("a;label\n1;2\n", 2), ("x y label\n1 2 3\n", 3),
     ('"a;b;c",label\n1,2\n', 2), ("a|label\n1|2\n", 2), ("a\tlabel\n1\t2\n", 2), ("label\n1\n", 1)],
    ids=["letters", "quotes", "semicolons", "blanks", "quoted", "bars", "tabs", "none"],
)  # fmt: skip
def test_what_separates_the_cells_of_a_table_is_found_at_once(text, columns, tmp_path):
    (tmp_path / "a.csv").write_text(text)
    started = time.perf_counter()
    assert frame_of(tmp_path / "a.csv").shape[1] == columns
    assert time.perf_counter() - started < 10


@pytest.mark.parametrize(
    "text", ["name = " + "[" * 100_000, "a" + ".a" * 50_000 + " = 1", "kind = " + "9" * 5000, "x" * 2**20 + "yy"]
)
def test_absurd_toml(text, tmp_path):
    (tmp_path / "a.toml").write_text(text)
    refused(lambda: load_recording(str(tmp_path / "a.toml")), r"a.toml.*: must ")


# ---------------------------------------------------------------------- published files
def test_a_file_larger_than_published_is_not_read(set_mnist, tiny_contents, put, tmp_path, monkeypatch):
    row = set_mnist(tiny_contents)
    folder = put(tmp_path / "data" / "mnist", tiny_contents)
    with open(folder / row.files[0].name, "wb") as file:
        file.truncate(2**40)
    monkeypatch.setenv("CORTEX_MODEL_DATA", str(tmp_path / "data"))
    assert verify("mnist")[0].state == f"corrupted: must have {row.files[0].bytes} bytes (got {2**40})"


def test_an_archive_is_unpacked_no_further_than_its_files(tiny_cifar10, tiny_batches, put, tmp_path, monkeypatch):
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for name, size in (("nothing", 100 * FREE), *((name, len(its)) for name, its in tiny_batches.items())):
            entry = tarfile.TarInfo(name)
            entry.size = size
            archive.addfile(entry, io.BytesIO(tiny_batches.get(name, bytes(size))))
    put(tmp_path / "data" / "cifar10", {"cifar-10-binary.tar.gz": content.getvalue()})
    monkeypatch.setenv("CORTEX_MODEL_DATA", str(tmp_path / "data"))
    assert {row.state.partition(" (")[0] for row in verify("cifar10")} == {
        "corrupted: must be in a readable archive, published with 170052171 bytes"
    }


def test_a_member_larger_than_published_is_not_unpacked(tiny_cifar10, tiny_batches, packed, put):
    its = tiny_batches | {"data_batch_1.bin": tiny_batches["data_batch_1.bin"] + b"x"}
    put(cache_folder("cifar10"), {"cifar-10-binary.tar.gz": packed(its, "w:gz")})
    assert verify("cifar10")[0].state == "corrupted: must have 9219 bytes (got 9220)"


def test_a_packed_file_is_unpacked_no_further_than_it_declares():
    packed = gzip.compress(bytes((0, 0, 8, 1, 0, 0, 0, 3, 1, 2, 3)) + bytes(50 * FREE))
    refused(lambda: read_idx(packed, "mnist"), r"mnist: must hold 3 values of shape \(3,\) \(got more\)")


# ---------------------------------------------------------------------- downloads
def test_a_download_stops_at_the_size_that_is_known(served_mnist):
    name = "train-images-idx3-ubyte.gz"
    served_mnist.contents[name] += bytes(50 * FREE)
    served_mnist.is_silent_about_its_length = True
    with pytest.raises(DatasetError, match=r"must have \d+ bytes \(got more\)"):
        load("mnist")
    assert served_mnist.sent < 50 * FREE


def test_a_download_that_trickles_is_given_up(served_mnist, monkeypatch):
    monkeypatch.setattr(downloading, "PATIENCE_SECONDS", 0.3)
    served_mnist.seconds_a_byte = 0.05
    with pytest.raises(DatasetError, match=r"must come within 0 s \(got 0 bytes\)"):
        load("mnist")
    assert list(cache_folder("mnist").iterdir()) == []

import dataclasses
import hashlib
import re

import pytest

from cortex_model.datasets import DATASETS, available, cache_folder, data_folder, fetch, load, verify
from cortex_model.errors import DatasetError

LABELS = "train-labels-idx1-ubyte.gz"


def states(name):
    return {row.file: row.state for row in verify(name)}


def test_fetch_downloads_once_and_load_reads_the_cache(served_mnist):
    assert set(states("mnist").values()) == {"missing"}
    paths = fetch("mnist")
    assert [path.parent for path in paths] == [cache_folder("mnist")] * 4
    assert len(served_mnist.asked) == 4
    assert fetch("mnist") == paths
    assert load("mnist").train.labels.tolist() == [0, 1, 2, 3, 4, 5]
    assert len(served_mnist.asked) == 4, "the second fetch and load took the files of the cache"
    assert set(states("mnist").values()) == {"verified"}
    assert sorted(path.name for path in cache_folder("mnist").iterdir()) == sorted(
        DATASETS["mnist"].files[k].name for k in range(4)
    )


def test_load_downloads_what_is_missing(served_mnist):
    assert load("mnist").test.labels.tolist() == [9, 8, 7, 6]
    assert len(served_mnist.asked) == 4


def test_the_second_mirror_is_asked_where_the_first_fails(server, tiny_contents, set_mnist, monkeypatch):
    row = set_mnist(tiny_contents)
    server.contents.update(tiny_contents)
    files = tuple(
        dataclasses.replace(file, urls=(f"{server.address}nowhere/{file.name}", server.address + file.name))
        for file in row.files
    )
    monkeypatch.setitem(DATASETS, "mnist", dataclasses.replace(row, files=files))
    fetch("mnist")
    assert server.asked[:2] == [f"nowhere/{row.files[0].name}", row.files[0].name]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "HTTP 404"),
        (b"\x1f\x8bshort", r"must have \d+ bytes \(got 7\)"),
        (b"<!DOCTYPE html>", r"must be a gzip file \(got one that begins with b'<!DOCTYP'\)"),
        ("flipped", r"must have sha256 [0-9a-f]{12}\.\.\. \(got [0-9a-f]{12}\.\.\.\)"),
    ],
    ids=["not there", "truncated", "a web page", "one bit flipped"],
)
def test_a_bad_download_is_refused_and_leaves_nothing(served_mnist, content, reason):
    if content == "flipped":
        good = served_mnist.contents[LABELS]
        content = good[:-1] + bytes((good[-1] ^ 1,))
    served_mnist.contents[LABELS] = content
    expected = rf"^mnist\.{LABELS}: must be downloaded \(got {served_mnist.address}{LABELS}: {reason}\); put the file"
    with pytest.raises(DatasetError, match=expected):
        load("mnist")
    assert [path.name for path in cache_folder("mnist").iterdir()] == ["train-images-idx3-ubyte.gz"]


def test_a_connection_that_breaks_off(served_mnist):
    served_mnist.broken_off = 5
    with pytest.raises(DatasetError, match=r"must be downloaded \(got http.*gz: \w*Error\); put the file into"):
        load("mnist")
    assert list(cache_folder("mnist").iterdir()) == []


def test_offline_names_the_url_and_both_ways_out(tiny_contents, set_mnist):
    set_mnist(tiny_contents, "http://127.0.0.1:9/")
    with pytest.raises(DatasetError) as caught:
        load("mnist")
    message = str(caught.value)
    assert "http://127.0.0.1:9/train-images-idx3-ubyte.gz: ConnectionError" in message
    assert f"put the file into {cache_folder('mnist')}, or set CORTEX_MODEL_DATA to a folder with mnist/" in message
    assert "\n" not in message


def test_a_cache_that_cannot_be_made(served_mnist, tmp_path, monkeypatch):
    (tmp_path / "occupied").write_text("a file")
    monkeypatch.setenv("CORTEX_MODEL_CACHE", str(tmp_path / "occupied"))
    with pytest.raises(DatasetError, match=r"cache folder must be writable .*set CORTEX_MODEL_CACHE to a folder"):
        fetch("mnist")


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (lambda good: good[:-3], r"must have (\d+) bytes \(got \d+\)"),
        (lambda good: good[:-1] + bytes((good[-1] ^ 1,)), r"must have sha256 \w{12}\.\.\. \(got \w{12}\.\.\.\)"),
        (lambda good: b"not gzip", r"must be a gzip file \(got one that begins with b'not gzip'\)"),
    ],
    ids=["truncated", "one bit flipped", "not gzip"],
)
def test_a_spoiled_file_of_the_cache_is_refused_then_fetched_again(served_mnist, tiny_contents, spoil, fault):
    fetch("mnist")
    path = cache_folder("mnist") / LABELS
    path.write_bytes(spoil(tiny_contents[LABELS]))
    advice = rf"delete {re.escape(str(path))}, or fetch it again with: cortex-model datasets fetch mnist\.$"
    with pytest.raises(DatasetError, match=rf"^mnist\.{LABELS}: {fault}; {advice}"):
        load("mnist")
    assert re.match(f"corrupted: {fault}", states("mnist")[LABELS])
    fetch("mnist")
    assert path.read_bytes() == tiny_contents[LABELS]
    assert served_mnist.asked.count(LABELS) == 2


def test_the_data_folder_is_read_and_never_written(served_mnist, tiny_contents, put, tmp_path, monkeypatch):
    folder = put(tmp_path / "data" / "mnist", {LABELS: tiny_contents[LABELS]})
    monkeypatch.setenv("CORTEX_MODEL_DATA", str(tmp_path / "data"))
    assert data_folder() == tmp_path / "data"
    assert load("mnist").train.n_stimuli == 6
    assert LABELS not in served_mnist.asked and len(served_mnist.asked) == 3
    assert [path.name for path in folder.iterdir()] == [LABELS]
    assert {row.where for row in verify("mnist") if row.file == LABELS} == {str(folder / LABELS)}


def test_a_spoiled_file_of_the_data_folder_is_refused_and_kept(served_mnist, put, tmp_path, monkeypatch):
    folder = put(tmp_path / "data" / "mnist", {LABELS: b"\x1f\x8bspoiled"})
    monkeypatch.setenv("CORTEX_MODEL_DATA", str(tmp_path / "data"))
    for action in (load, fetch):
        with pytest.raises(DatasetError, match=r"\(got 9\); replace .*, or unset CORTEX_MODEL_DATA to download\.$"):
            action("mnist")
    assert (folder / LABELS).read_bytes() == b"\x1f\x8bspoiled"


def test_files_directly_in_the_data_folder(tiny_contents, set_mnist, put, tmp_path, monkeypatch):
    set_mnist(tiny_contents)
    monkeypatch.setenv("CORTEX_MODEL_DATA", str(put(tmp_path / "flat", tiny_contents)))
    assert load("mnist").train.n_stimuli == 6
    found = {row.name: row.state for row in available()}
    assert (found["mnist"], found["fashion_mnist"]) == ("found", "missing"), "same names, other sizes"


@pytest.mark.parametrize("kind", ["nowhere", "a file"])
def test_the_data_folder_must_be_a_folder(kind, tmp_path, monkeypatch):
    if kind == "a file":
        (tmp_path / "data").write_text("")
    monkeypatch.setenv("CORTEX_MODEL_DATA", str(tmp_path / "data"))
    with pytest.raises(
        DatasetError, match=r"^CORTEX_MODEL_DATA: must name an existing folder \(got '.*data'\); correct"
    ):
        load("mnist")


def test_the_cache_folder_without_the_variable(monkeypatch):
    monkeypatch.delenv("CORTEX_MODEL_CACHE")
    assert cache_folder("mnist").parts[-2:] == ("datasets", "mnist")
    assert "cortex-model" in cache_folder("mnist").parts


def test_available_says_what_is_embedded_found_and_missing(served_mnist):
    assert {row.name: row.state for row in available()} == {
        "digits": "embedded",
        "mnist": "missing",
        "fashion_mnist": "missing",
        "cifar10": "missing",
        "kriegeskorte_92": "missing",
        "cowley_v4": "missing",
    }
    fetch("mnist")
    assert available()[1].state == "found"
    assert verify("digits") == fetch("digits") == []


def test_an_archive_packed_either_way_is_verified_member_by_member(tiny_cifar10, tiny_batches, packed, put):
    folder = cache_folder("cifar10")
    for suffix in ("gz", "xz"):
        path = folder / f"cifar-10-binary.tar.{suffix}"
        put(folder, {path.name: packed({"batches.meta.txt": b"names", **tiny_batches}, f"w:{suffix}")})
        assert fetch("cifar10") == [path]
        assert {(row.where, row.state) for row in verify("cifar10")} == {(str(path), "verified")}
        path.unlink()
    assert {row.state for row in verify("cifar10")} == {"missing"}


def test_a_spoiled_member_of_an_archive(tiny_cifar10, tiny_batches, packed, put):
    spoiled = {**tiny_batches, "data_batch_3.bin": tiny_batches["data_batch_4.bin"]}
    put(cache_folder("cifar10"), {"cifar-10-binary.tar.gz": packed(spoiled, "w:gz")})
    with pytest.raises(
        DatasetError, match=r"^cifar10\.data_batch_3\.bin: must have sha256 .*; delete .*tar\.gz, or fetch"
    ):
        load("cifar10")
    assert [row.file for row in verify("cifar10") if row.state != "verified"] == ["data_batch_3.bin"]


def test_an_archive_without_a_member(tiny_cifar10, tiny_batches, packed, put):
    del tiny_batches["data_batch_2.bin"]
    put(cache_folder("cifar10"), {"cifar-10-binary.tar.gz": packed(tiny_batches, "w:gz")})
    expected = r"^cifar10\.data_batch_2\.bin: must be in cifar-10-binary\.tar\.gz \(got an archive without it\)"
    with pytest.raises(DatasetError, match=expected):
        load("cifar10")


@pytest.mark.parametrize("suffix", ["gz", "xz"])
@pytest.mark.parametrize("length", [0, 40, 20_000])
def test_a_truncated_archive(tiny_cifar10, tiny_batches, packed, put, suffix, length):
    name = f"cifar-10-binary.tar.{suffix}"
    put(cache_folder("cifar10"), {name: packed(tiny_batches, f"w:{suffix}")[:length]})
    size = next(archive.bytes for archive in tiny_cifar10.archives if archive.name == name)
    expected = rf"must be in a readable archive, published with {size} bytes \(got {length} bytes, \w+\); delete"
    with pytest.raises(DatasetError, match=expected):
        load("cifar10")


def test_a_spoiled_archive_of_the_cache_is_fetched_again(tiny_cifar10, tiny_batches, packed, put, server, monkeypatch):
    content, name = packed(tiny_batches, "w:gz"), "cifar-10-binary.tar.gz"
    server.contents[name] = content
    official = dataclasses.replace(
        tiny_cifar10.archives[0],
        bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        urls=(server.address + name,),
    )
    row = dataclasses.replace(tiny_cifar10, archives=(official, tiny_cifar10.archives[1]))
    monkeypatch.setitem(DATASETS, "cifar10", row)
    put(cache_folder("cifar10"), {"cifar-10-binary.tar.xz": b"spoiled"})
    assert fetch("cifar10") == [cache_folder("cifar10") / name]
    assert load("cifar10").train.n_stimuli == 15


def test_the_real_mnist_is_verified(real_data, monkeypatch):
    monkeypatch.setenv("CORTEX_MODEL_DATA", str(real_data("mnist")))
    assert [row.state for row in verify("mnist")] == ["verified"] * 4

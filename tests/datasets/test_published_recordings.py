"""Files of recordings: where they are looked for, that checksums count, and that sessions without one say so."""

import dataclasses
import io
import zipfile

import numpy as np
import pytest
from PIL import Image

from cortex_model.datasets import PUBLISHED, RECORDED, available, fetch, load_recording, recording_sources, verify
from cortex_model.datasets.recording_sources import cowley_source, find_files_of
from cortex_model.errors import DatasetError

N, SESSION = 6, "190923"
RESPONSES = np.random.default_rng(0).poisson(4, (3, N)).astype(float)


@pytest.fixture
def session_files(server, monkeypatch):
    """A made-up session of that layout, on a local server; its zip has a folder inside, as that of 190923."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for k in range(N):
            image = io.BytesIO()
            Image.fromarray(np.full((8, 8, 3), 40 * k, np.uint8)).save(image, "PNG")
            archive.writestr(f"some folder/image{k + 1:04d}.png", image.getvalue())
    averaged = io.BytesIO()
    np.save(averaged, RESPONSES)
    server.contents = {
        f"images/images_{SESSION}.zip": packed.getvalue(),
        f"responses_repeat_averaged/responses_{SESSION}.npy": averaged.getvalue(),
    }
    monkeypatch.setattr(recording_sources, "COWLEY_URL", server.address)
    return server


def test_every_published_recording_has_a_source_with_checksums():
    for recording in PUBLISHED.values():
        source = RECORDED[recording.source]
        assert source.is_verified and source.licence and source.citation and recording.description
        for file in source.files:
            assert len(file.sha256) == 64 and file.bytes > 0 and file.urls[0].endswith(file.name)
    assert set(RECORDED) <= {row.name for row in available()}


def test_any_other_session_is_fetched_and_said_to_be_unverified(session_files, tmp_path):
    recording = load_recording(f"v4:{SESSION}")
    assert recording.name == f"v4:{SESSION}" and not recording.has_repeats
    np.testing.assert_array_equal(recording.mean_responses, RESPONSES)
    assert [int(image.mean()) for image in recording.images] == [40 * k for k in range(N)]
    assert any("no known checksum: they were used unverified" in note for note in recording.notes)
    assert [row.state for row in verify(f"cowley_v4:{SESSION}")] == ["unverified"] * 2
    asked = len(session_files.asked)
    assert load_recording(f"v4:{SESSION}").n_stimuli == N and len(session_files.asked) == asked, "kept in the cache"
    folder = tmp_path / "cache" / "datasets" / "cowley_v4"
    assert (folder / "images" / f"images_{SESSION}.zip").is_file()


def test_a_session_in_the_data_folder_is_read_there(session_files, tmp_path, monkeypatch, put):
    folder = tmp_path / "data" / "cortical" / "cowley_v4"
    for name, content in session_files.contents.items():
        put((folder / name).parent, {name.split("/")[1]: content})
    monkeypatch.setenv("CORTEX_MODEL_DATA", str(tmp_path / "data"))
    assert load_recording(f"v4:{SESSION}").n_stimuli == N
    assert session_files.asked == []
    assert {row.where for row in verify(f"cowley_v4:{SESSION}")} == {
        str(folder / name) for name in session_files.contents
    }


def test_a_session_with_checksums_is_held_to_them(session_files, monkeypatch):
    monkeypatch.setitem(recording_sources.COWLEY_CHECKSUMS, f"images/images_{SESSION}.zip", (17, "0" * 64))
    with pytest.raises(DatasetError, match=r"must be downloaded \(got .*must have 17 bytes"):
        load_recording(f"v4:{SESSION}")


def test_a_session_that_is_not_there_names_the_file(session_files):
    with pytest.raises(DatasetError, match=r"images/images_190101.zip: must be downloaded \(got .*HTTP 404\)"):
        load_recording("v4:190101")
    with pytest.raises(DatasetError, match=r"must be six digits, .* \(got 'spring'\)"):
        load_recording("v4:spring")


def test_responses_of_other_images_are_refused(session_files):
    name = f"responses_repeat_averaged/responses_{SESSION}.npy"
    other = io.BytesIO()
    np.save(other, RESPONSES[:, :5])
    session_files.contents[name] = other.getvalue()
    with pytest.raises(DatasetError, match=r"images: must be 5, one for each stimulus of the recording \(got 6\)"):
        load_recording(f"v4:{SESSION}")


def test_offline_the_sentence_names_both_ways_out(monkeypatch):
    source = RECORDED["kriegeskorte_92"]
    files = tuple(dataclasses.replace(file, urls=("http://127.0.0.1:9/x",)) for file in source.files)
    monkeypatch.setitem(RECORDED, source.name, dataclasses.replace(source, files=files))
    with pytest.raises(DatasetError) as caught:
        load_recording("human_it")
    assert "must be downloaded (got http://127.0.0.1:9/x: ConnectionError)" in str(caught.value)
    assert "set CORTEX_MODEL_DATA to a folder with cortical/kriegeskorte_92/Kriegeskorte_Neuron2008" in str(
        caught.value
    )


def test_a_changed_file_is_refused(tmp_path, monkeypatch, put):
    folder = tmp_path / "data" / "cortical" / "kriegeskorte_92"
    put(folder, {file.name: b"changed" for file in RECORDED["kriegeskorte_92"].files})
    monkeypatch.setenv("CORTEX_MODEL_DATA", str(tmp_path / "data"))
    with pytest.raises(DatasetError, match=r"must have 3603779 bytes \(got 7\); replace .*kriegeskorte_92"):
        load_recording("monkey_it")
    with pytest.raises(DatasetError, match="must have 3603779 bytes"):
        fetch("kriegeskorte_92")


def test_sessions_and_datasets_are_found_by_name():
    assert find_files_of("mnist").name == "mnist" and find_files_of("cowley_v4").files == cowley_source().files
    with pytest.raises(DatasetError, match="did you mean 'kriegeskorte_92'"):
        find_files_of("kriegeskorte")


def test_the_92_objects_as_published(recorded):
    human, monkey = recorded("human_it"), recorded("monkey_it")
    assert human.subjects == ("BE", "KO", "SN", "TI")
    assert all(image.shape == (175, 175, 3) for image in human.images) and human.n_stimuli == 92
    assert human.stimulus_names == monkey.stimulus_names and human.stimulus_names[0] == "01 human bodypart"
    assert set(human.models) == {
        "animacy", "FaceBodyManmadeNatobj", "EVA", "HMAX", "V1", "Silhouette", "RADON", "monkey IT",
    }  # fmt: skip
    assert len(recorded("judgements").subjects) == 16


def test_images_and_responses_of_v4_are_in_one_order(recorded):
    recording = recorded("v4")
    assert recording.stimulus_names[:2] == ("image0001", "image0002") and recording.stimulus_names[-1] == "image0640"
    assert all(image.shape == (112, 112, 3) for image in recording.images) and recording.notes == ()

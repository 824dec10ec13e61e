"""A finished run is gone on with: more epochs, other numbers, other data, without paying the first again."""

import json
import shutil

import numpy as np
import pytest

from cortex_model import Cortex, run
from cortex_model.devices.availability import default_device
from cortex_model.errors import ParameterError, RunError
from cortex_model.parameters import SleepWakeParameters
from cortex_model.runs.directory import RunDirectory
from cortex_model.runs.protocol import parameters_of
from cortex_model.runs.running import go_on
from cortex_model.state import kept

PROTOCOL = "wake_sleep_classification"
#: The program of tiny runs is compiled once for all tests.
DEVICE = default_device()


@pytest.fixture(scope="module")
def given(tiny):
    """Sleep before wake, gains that are remembered, and batches that do not divide an epoch."""
    return tiny | {
        "sleep_before_presentations": 40, "feedback_gain": "norm_matched", "learning_rate": 0.05,
        "gain_update_presentations": 80,
    }  # fmt: skip


@pytest.fixture(scope="module")
def first(given, tmp_path_factory):
    """A finished run of two epochs."""
    folder = tmp_path_factory.mktemp("runs")
    return run(PROTOCOL, seed=2, device=DEVICE, out=str(folder), **given | {"epochs": 2}).path


def test_more_epochs_end_in_the_bits_of_one_run(first, given, tmp_path):
    at_once = run(PROTOCOL, seed=2, device=DEVICE, out=str(tmp_path), **given | {"epochs": 3})
    more = go_on(first, {"epochs": 1})
    assert more["weights_sha256"] == at_once.summary()["weights_sha256"]
    assert more["test_error_percent"] == at_once.summary()["test_error_percent"][-2:]
    directory, whole = RunDirectory(first.parent / more["run_dir"]), at_once.kept()
    went_on = directory.kept()
    learned = {name: n for name, n in went_on.counts.items() if name != "n_presented"}
    assert learned == {name: n for name, n in whole.counts.items() if name != "n_presented"}
    assert went_on.remembered == whole.remembered and set(whole.remembered.values()) != {1.0}
    assert directory.measures()["look"].values[-1] == at_once.measures()["look"].values[-1]
    assert RunDirectory(first).summary()["epochs"] == 2, "the first run stays as it is"


def test_where_evaluations_fall_otherwise_a_warning_says_so(first):
    more = go_on(first, {"epochs": 1, "evaluate_every_presentations": 500})
    assert [said for said in more["warnings"] if "evaluations lie at other presentations" in said]


def test_where_it_comes_from_is_in_its_name_and_its_provenance(first, tmp_path):
    moved = tmp_path / "moved"
    shutil.copytree(first, moved)
    here, there = (SleepWakeParameters(layer_sizes=(64, 6, 10), start_from=path) for path in (first, moved))
    assert here.content_hash == there.content_hash != SleepWakeParameters(layer_sizes=(64, 6, 10)).content_hash
    second = go_on(first, {"epochs": 1, "learning_rate": 0.01})
    third = go_on(first.parent / second["run_dir"], {"epochs": 1})
    provenance = json.loads((first.parent / third["run_dir"] / "provenance.json").read_text())
    names = [text.partition("#")[0].rsplit("/", 1)[-1] for text in provenance["started_from"]]
    assert names == [second["run_dir"].rsplit("/", 1)[-1], first.name]


def test_what_has_finished_is_read_without_what_it_came_from(first, tmp_path):
    """And saved hierarchies are; only going on once more from what is gone is refused."""
    gone = tmp_path / "gone"
    shutil.copytree(first, gone)
    second = tmp_path / go_on(gone, {"epochs": 1, "learning_rate": 0.02})["run_dir"]
    file = Cortex((64, 6, 10), start_from=gone, device="runtime").save(tmp_path / "saved.nc")
    shutil.rmtree(gone)
    kept._KNOWN.clear()
    assert parameters_of(RunDirectory(second)).learning_rate == 0.02
    assert Cortex.load(second).n_epochs == 3 and Cortex.load(file).n_epochs == 2
    third = go_on(second, {"epochs": 1})
    assert RunDirectory(tmp_path / third["run_dir"]).kept().counts["n_epochs"] == 4
    with pytest.raises(RunError, match="got nothing there"):
        kept.kept_in(f"{gone}#{12 * '0'}")


def test_another_dataset_with_other_classes_has_its_top_drawn(first, tiny, tmp_path):
    """Transfer: what was learned below stays; a warning says what was drawn."""
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "a.npz", X=rng.integers(0, 255, (40, 8, 8)).astype(np.uint8), y=np.arange(40) % 3)
    other = {"dataset": tmp_path / "a.npz", "layer_sizes": (64, 6, 3), "learning_rate": 0.0}
    directory = run(PROTOCOL, device="runtime", out=str(tmp_path), **tiny | other, start_from=first)
    assert "W_2, b_2, V_2: drawn" in directory.summary()["warnings"][1]
    assert np.array_equal(directory.weights().forward[1], RunDirectory(first).weights().forward[1])


def test_a_saved_cortex_is_gone_on_from(first, tiny, tmp_path):
    cortex = Cortex.load(first)
    cortex.V[2][:, 3] = 0
    file = cortex.sleep(20).save(tmp_path / "lesioned.nc")
    directory = run(PROTOCOL, device=DEVICE, out=str(tmp_path), **tiny | {"learning_rate": 0.0}, start_from=file)
    assert np.array_equal(directory.start().feedback[2], cortex.V[2])
    assert (
        directory.kept().counts["sleep"]
        == cortex.parameters.batch_size
        + RunDirectory(first).kept().counts["sleep"]
        + directory.summary()["presentations"]["sleep"]
    )
    again = Cortex((64, 6, 10), start_from=file, device="runtime")
    assert again.n_presented == cortex.n_presented and np.array_equal(again.W[1], cortex.W[1])


def test_what_does_not_fit_gets_a_sentence(first, tiny, tmp_path, command_line):
    def refused(sentence, **given):
        with pytest.raises(ParameterError, match=sentence):
            run(PROTOCOL, device=DEVICE, out=str(tmp_path), **tiny | given)

    refused(r"start_from: W_1 must have shape \(7, 64\) \(got \(6, 64\)", layer_sizes=(64, 7, 10), start_from=first)
    refused(r"start_from: .*must be the directory of a finished run.*got nothing there", start_from=tmp_path / "none")
    name = kept.named(first)
    refused(r"must hold what it held, of the hash 0{12}", start_from=name[:-12] + 12 * "0")
    half = tmp_path / "half"
    shutil.copytree(first, half)
    (half / "summary.json").unlink()
    with pytest.raises(RunError, match=r"must be a run that has finished .* resume it without --set"):
        go_on(half, {"epochs": 1})
    status, _, error = command_line("resume", first, "--set", "epoch=1")
    assert status == 2 and "did you mean 'epochs'" in error

"""The protocol of sequences: a small ring is learned and replayed; noise, overlap, files, resumption."""

import numpy as np
import pytest

from cortex_model.errors import DatasetError, ParameterError
from cortex_model.protocol import load_protocol
from cortex_model.runs.directory import RunDirectory
from cortex_model.runs.listing import shown
from cortex_model.runs.run import Checkpoint
from cortex_model.runs.running import start
from cortex_model.system.arrays import read_arrays

NAME = "hippocampal_replay"
TINY = load_protocol(NAME).tiny


@pytest.fixture
def replayed(tmp_path):
    """Overrides -> (summary, run directory) of a tiny run on the runtime device."""

    def run(seed=0, **overrides):
        p = load_protocol(NAME).parameters().with_overrides(TINY | overrides)
        summary = start(NAME, p, seed, "runtime", tmp_path)
        return summary, RunDirectory.opened(summary["run_dir"])

    return run


def test_a_small_ring_is_predicted_and_replayed(tiny_summary):
    summary = tiny_summary(NAME)
    assert summary["prediction_loss"] < 0.1 * summary["persistence_loss"]
    assert summary["replay_correlation_min"] > 0.95 and summary["replay_decoded_percent"] == 100
    measures = RunDirectory(summary["run_dir"]).measures()
    assert measures["laps"].values.tolist() == [0, 20, 40, 60]
    assert measures["prediction_loss"].values[0] > 10 * measures["prediction_loss"].values[-1]
    assert measures["replay_correlation"].values[-1] == pytest.approx(summary["replay_correlation"], abs=1e-4), (
        "NumPy and the simulator"
    )
    n, m = TINY["layer_sizes"][:2]
    assert summary["presentations"] == {"wake": 60 * 12, "sleep": 0, "evaluation": 4 * 12}
    answer = n * m + m * m + m * n
    assert summary["synaptic_events"]["evaluation"] == 4 * 12 * answer
    assert summary["synaptic_events"]["wake"] == 60 * 12 * (answer + n * m + m * m + m * n), "EC again, and learning"


def test_what_is_replayed_is_kept_beside_the_states(tiny_summary):
    kept = read_arrays(RunDirectory(tiny_summary(NAME)["run_dir"]).path / "replay.nc")
    assert kept["states"].shape == (1, 12, 12) and kept["replayed"].shape == (1, 20, 12)
    expected = kept["states"].values[0][kept["follows"].values]
    np.testing.assert_array_equal(kept["follows"], np.arange(1, 21) % 12)
    assert np.abs(kept["replayed"].values[0] - expected).mean() < 0.1


def test_backpropagation_stands_beside_it(replayed):
    summary, directory = replayed(laps=20, with_backpropagation=True)
    losses = directory.measures()["backpropagation_loss"].values
    assert losses[0] > losses[-1] == summary["backpropagation_loss"]
    assert -1 <= summary["backpropagation_replay_correlation"] <= 1
    assert read_arrays(directory.path / "replay.nc")["replayed_by_backpropagation"].shape == (16, 12)


def test_sequences_end_where_they_are_open(replayed):
    summary, _ = replayed(sequences="patterns", n_sequences=2, overlap=0.25, laps=20)
    assert summary["replay_steps"] == 11 and summary["presentations"]["wake"] == 20 * 2 * 11


def test_noise_is_that_of_the_seed_and_of_the_lap(replayed):
    clean, one, again, other = (
        replayed(laps=20, **its)[0]
        for its in ({}, {"input_noise": 0.2}, {"input_noise": 0.2, "chunk_presentations": 50},
                    {"input_noise": 0.2, "seed": 1})
    )  # fmt: skip
    assert one["weights_sha256"] == again["weights_sha256"]
    assert len({its["weights_sha256"] for its in (clean, one, other)}) == 3
    assert one["prediction_loss"] > clean["prediction_loss"]
    assert one["persistence_loss"] == clean["persistence_loss"], "evaluation is without noise"


def test_an_interrupted_run_ends_with_the_same_bits(tmp_path, monkeypatch):
    p = load_protocol(NAME).parameters().with_overrides(TINY | {"input_noise": 0.05})
    whole = start(NAME, p, 0, "runtime", tmp_path / "whole")
    written, write = [], Checkpoint.write

    def interrupted(self, *args):
        write(self, *args)
        written.append(self.n_done)
        if len(written) == 3:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Checkpoint, "write", interrupted)
        with pytest.raises(KeyboardInterrupt):
            start(NAME, p, 0, "runtime", tmp_path / "cut")
    assert 0 < written[-1] < 60 * 12
    resumed = start(NAME, p, 0, "runtime", tmp_path / "cut")
    for name in ("weights_sha256", "replay_correlation", "prediction_loss"):
        assert resumed[name] == whole[name]
    rows = [RunDirectory.opened(each["run_dir"]).measures() for each in (whole, resumed)]
    np.testing.assert_array_equal(rows[0]["replay_correlation"], rows[1]["replay_correlation"])


def test_a_longer_run_is_asked_for_in_laps(tiny_summary):
    directory = RunDirectory(tiny_summary(NAME)["run_dir"])
    assert shown(directory)["go_on"].endswith("--set laps=5")


def test_more_laps_go_on_with_the_weights_and_the_noise(replayed):
    parts = {"input_noise": 0.05, "look_every_laps": 10}
    whole, _ = replayed(laps=20, **parts)
    half, directory = replayed(laps=10, **parts)
    rest, _ = replayed(laps=10, start_from=str(directory.path), **parts)
    assert rest["weights_sha256"] == whole["weights_sha256"] != half["weights_sha256"]


def test_a_file_of_ones_own(replayed, tmp_path):
    states = np.random.default_rng(3).uniform(-0.8, 0.8, (2, 7, 12))
    np.savez(tmp_path / "mine.npz", sequences=states)
    summary, _ = replayed(sequences=str(tmp_path / "mine.npz"), laps=40)
    assert summary["n_sequences"] == 2 and summary["sequence_length"] == 7 and summary["replay_steps"] == 6
    assert summary["sequences"].startswith("mine.npz#")
    with pytest.raises(ParameterError, match=r"must begin and end with the 12 neurons of mine\.npz"):
        replayed(sequences=str(tmp_path / "mine.npz"), layer_sizes=(5, 6, 5))
    np.savez(tmp_path / "wild.npz", sequences=3 * states)
    with pytest.raises(DatasetError, match="must hold rates between -1 and 1"):
        replayed(sequences=str(tmp_path / "wild.npz"))


@pytest.mark.compiler
@pytest.mark.slow
def test_compiled_it_is_the_same(replayed, made):
    here, _ = replayed(dtype="float64")
    compiled = made(NAME, **TINY | {"dtype": "float64"})
    for name in ("prediction_loss", "replay_correlation", "replay_correlation_min"):
        assert compiled[name] == pytest.approx(here[name], rel=1e-9)

"""Sequences: rings, patterns, overlap, noise, and files of one's own."""

import numpy as np
import pytest

from cortex_model.datasets.sequences import Sequences, drawn, load_sequences, ring
from cortex_model.errors import DatasetError


def test_neighbours_on_a_ring_are_alike_and_the_last_place_is_beside_the_first():
    states = ring(40, 20, 0.06, np.random.default_rng(0))
    alike = np.corrcoef(states)
    steps = np.abs(np.subtract.outer(np.arange(20), np.arange(20)))
    steps = np.minimum(steps, 20 - steps)
    assert alike[steps == 1].min() > alike[steps == 2].max() > alike[steps == 4].max()
    assert states.min() >= 0 and states.max() <= np.tanh(2)


def test_pairs_close_a_ring_and_leave_patterns_open():
    closed, opened = (drawn(kind, 2, 5, 8, 0, 0.1, 0.0) for kind in ("ring", "patterns"))
    assert closed.is_closed and not opened.is_closed
    assert [len(rows) for rows in (*closed.pairs, *opened.pairs)] == [10, 10, 8, 8]
    np.testing.assert_array_equal(closed.pairs[1][4], closed.states[0, 0])
    np.testing.assert_array_equal(opened.pairs[1][4], opened.states[1, 1])
    np.testing.assert_array_equal(closed.following(7), [1, 2, 3, 4, 0, 1, 2])


def test_overlapping_sequences_share_their_middle():
    states = drawn("patterns", 3, 10, 6, 0, 0.1, 0.2).states
    is_shared = (states == states[0]).all(axis=2)
    assert is_shared[1:, 4:6].all() and not is_shared[1:, [0, 9]].any()
    assert set(np.unique(np.abs(states))) == {0.8}


def test_the_seed_decides_and_noise_is_added_to_every_rate():
    one, again, other = (drawn("patterns", 1, 5, 6, seed, 0.1, 0.0) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one.states, again.states)
    assert (one.states != other.states).any()
    noisy = drawn("ring", 1, 200, 50, 0, 0.1, 0.0)
    added = noisy.with_noise(0.3, np.random.default_rng(0)).states - noisy.states
    assert added.std() == pytest.approx(0.3, rel=0.03) and abs(added.mean()) < 0.01


@pytest.mark.parametrize("suffix", [".npz", ".npy", ".csv"])
def test_sequences_of_a_file(tmp_path, suffix):
    states, file = np.random.default_rng(0).uniform(-0.9, 0.9, (6, 4)), tmp_path / f"mine{suffix}"
    if suffix == ".npz":
        np.savez(file, sequences=np.stack([states, -states]))
    elif suffix == ".npy":
        np.save(file, states)
    else:
        np.savetxt(file, states, delimiter=",", header="a,b,c,d", comments="")
    found = load_sequences(str(file))
    assert isinstance(found, Sequences) and not found.is_closed
    np.testing.assert_allclose(found.states[0], states)
    assert len(found.states) == (2 if suffix == ".npz" else 1)


@pytest.mark.parametrize(
    ("array", "sentence"),
    [
        (np.full((3, 2), 1.5), "must hold rates between -1 and 1"),
        (np.full((3, 2), np.nan), "must hold rates between -1 and 1"),
        (np.zeros(3), "must be numbers, a state a row"),
        (np.zeros((1, 3)), "must be numbers, a state a row"),
        (np.array([["a", "b"], ["c", "d"]]), "must be numbers, a state a row"),
    ],
)
def test_what_is_no_sequence_is_refused(tmp_path, array, sentence):
    np.savez(tmp_path / "mine.npz", sequences=array)
    with pytest.raises(DatasetError, match=sentence):
        load_sequences(str(tmp_path / "mine.npz"))


def test_other_files_are_refused(tmp_path):
    (tmp_path / "mine.txt").write_text("0 1")
    with pytest.raises(DatasetError, match=r"must be one of \.npz"):
        load_sequences(str(tmp_path / "mine.txt"))
    with pytest.raises(DatasetError, match="must be a file or a folder that is there"):
        load_sequences(str(tmp_path / "none.npz"))

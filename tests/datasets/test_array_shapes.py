"""Which axis is which: the number of stimuli decides and a note says so, or a sentence asks."""

import numpy as np
import pytest
from scipy.spatial.distance import squareform

from cortex_model.datasets.array_shapes import rdms_of, responses_of
from cortex_model.errors import DatasetError

GENERATOR = np.random.default_rng(0)


def made(subjects, n):
    points = GENERATOR.normal(size=(subjects, n, 3))
    return np.linalg.norm(points[:, :, None] - points[:, None], axis=3)


def condensed(rdms):
    return np.stack([squareform(rdm, checks=False) for rdm in rdms])


@pytest.mark.parametrize(("subjects", "n"), [(3, 5), (5, 5), (1, 6), (10, 5)])
def test_rdms_of_each_shape(subjects, n):
    """As many subjects as stimuli or pairs too."""
    rdms = made(subjects, n)
    shapes = {
        "(subjects, n, n)": rdms,
        "(n, n, subjects)": np.moveaxis(rdms, 0, 2),
        "(subjects, pairs)": condensed(rdms),
        "(pairs, subjects)": condensed(rdms).T,
    }
    for name, array in shapes.items():
        if array.shape != (10, 10):
            got, _ = rdms_of("mine", array, n)
            np.testing.assert_array_equal(got, rdms, err_msg=name)
    np.testing.assert_array_equal(rdms_of("mine", rdms[0], n)[0], rdms[:1])
    np.testing.assert_array_equal(rdms_of("mine", condensed(rdms)[0], n)[0], rdms[:1])


def test_the_number_of_stimuli_decides():
    """(6, 6) is one RDM of six stimuli, or six subjects' of four: then rows may be pairs or subjects."""
    rdms = made(6, 4)
    assert rdms_of("mine", made(1, 6)[0], 6)[0].shape == (1, 6, 6)
    with pytest.raises(
        DatasetError, match=r"tell subjects from stimuli or pairs, with 4 stimuli \(got \(6, 6\), which"
    ):
        rdms_of("mine", condensed(rdms), 4)
    for last in (False, True):
        square = made(5, 5)
        array = np.moveaxis(square, 0, 2) if last else square
        got, notes = rdms_of("mine", array, 5)
        np.testing.assert_array_equal(got, square)
        assert ("(n, n, subjects)" if last else "(subjects, n, n)") in notes[0]


def test_one_triangle_is_mirrored_and_said():
    rdm = made(1, 5)[0]
    for triangle in (np.triu(np.ones((5, 5), bool), 1), np.tril(np.ones((5, 5), bool), -1)):
        got, (note,) = rdms_of("mine", np.where(triangle, rdm, np.nan), 5)
        off = ~np.eye(5, dtype=bool)
        np.testing.assert_array_equal(got[0][off], rdm[off])
        assert note == "mine holds one triangle only: it was mirrored."
    assert rdms_of("mine", rdm, 5)[1] == ()


@pytest.mark.parametrize("shape", [(), (5, 6, 7), (2, 2, 2, 2), (3, 4), (0,), (7,)])
def test_no_shape_of_rdms(shape):
    with pytest.raises(DatasetError, match=r"mine: must have shape \(n, n\)"):
        rdms_of("mine", np.zeros(shape), 5)


def test_responses_that_are_transposed():
    responses = GENERATOR.normal(size=(3, 5))
    for array in (responses, responses.T):
        got, notes = responses_of("mine", array, 5, are_axes_named=False)
        np.testing.assert_array_equal(got, responses[:, :, None])
        assert bool(notes) == (array is not responses)
    _, (note,) = responses_of("mine", GENERATOR.normal(size=(5, 5)), 5, are_axes_named=False)
    assert note == "mine, of shape (5, 5), was read as (units, stimuli): several axes are as long as the stimuli."
    assert not responses_of("mine", GENERATOR.normal(size=(5, 5)), 5, are_axes_named=True)[1]
    with pytest.raises(DatasetError, match=r"\(units, stimuli, repeats\) \(got \(5, 3, 2\) and 5 stimuli\); transpose"):
        responses_of("mine", GENERATOR.normal(size=(5, 3, 2)), 5, are_axes_named=False)


def test_an_rdm_is_no_responses():
    with pytest.raises(DatasetError, match=r"must be responses \(got a symmetric matrix .* zero on its diagonal\)"):
        responses_of("mine", made(1, 5)[0], 5, are_axes_named=False)

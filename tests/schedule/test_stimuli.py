"""Stimuli and labels: refused in a sentence unless they are whole."""

import numpy as np
import pytest

from cortex_model.errors import ParameterError
from cortex_model.schedule import Stimuli, one_hot

SIZES = (3, 4, 2)
SHOWN, TARGETS = np.arange(15.0).reshape(5, 3), np.arange(10.0).reshape(5, 2)


def changed(array, row, element, value):
    array = array.copy()
    array[row, element] = value
    return array


def test_stimuli_that_fit_are_returned_as_arrays():
    given = Stimuli((SHOWN.tolist(), TARGETS.astype(np.uint8)), [SHOWN[:1], TARGETS[:1]])
    checked = given.checked(SIZES)
    assert checked.wake[0].tolist() == SHOWN.tolist() and checked.wake[1] is given.wake[1]
    assert checked.evaluation[1].tolist() == TARGETS[:1].tolist()
    assert Stimuli().checked(SIZES) == Stimuli()
    assert len(Stimuli((SHOWN[:0], TARGETS[:0])).checked(SIZES).wake[0]) == 0


#: What is wrong -> (stimuli, targets, what the sentence says).
WRONG = {
    "too narrow": (SHOWN[:, :2], TARGETS, r"stimuli must have 3 elements, .* \(got 2\); change layer_sizes"),
    "targets too wide": (SHOWN, SHOWN, r"targets must have 2 elements, .* top population \(got 3\)"),
    "transposed": (SHOWN.T, TARGETS, r"stimuli must have 3 elements, .* \(got 5\); transpose it"),
    "fewer stimuli": (SHOWN[:4], TARGETS, r"must be equally many, .* \(got 4 stimuli and 5 targets\)"),
    "fewer targets": (SHOWN, TARGETS[:3], r"must be equally many, .* \(got 5 stimuli and 3 targets\)"),
    "labels": (SHOWN, np.arange(5), r"targets must have two dimensions.* \(got shape \(5,\)\); one_hot makes"),
    "pictures": (SHOWN.reshape(5, 1, 3), TARGETS, r"two dimensions, .* \(got shape \(5, 1, 3\)\); reshape it"),
    "one stimulus": (SHOWN[0], TARGETS, r"stimuli must have two dimensions"),
    "NaN": (changed(SHOWN, 4, 2, np.nan), TARGETS, r"stimulus 4 must hold finite numbers \(got NaN at element 2\)"),
    "infinity": (changed(SHOWN, 1, 0, -np.inf), TARGETS, r"stimulus 1 must hold finite numbers \(got -inf at elem"),
    "NaN in a target": (SHOWN, changed(TARGETS, 3, 1, np.nan), r"the target of stimulus 3 must hold finite numbers"),
    "too large": (changed(SHOWN, 2, 1, 1e39), TARGETS, r"stimulus 2 .* \(got 1e\+39 at element 1\); float32 cannot"),
    "texts": (SHOWN.astype(str), TARGETS, r"stimuli must be an array of real numbers \(got ndarray of <U"),
    "complex": (SHOWN + 0j, TARGETS, r"must be an array of real numbers \(got ndarray of complex128\)"),
    "rows of different lengths": ([[1, 2, 3], [1, 2]], TARGETS, r"must be an array of real numbers \(got list"),
    "masked": (np.ma.masked_greater(SHOWN, 13), TARGETS, r"real numbers \(got masked elements\)"),
    "nothing": (None, TARGETS, r"must be an array of real numbers \(got NoneType"),
}


@pytest.mark.parametrize("phase", ["wake", "evaluation"])
@pytest.mark.parametrize("wrong", WRONG)
def test_stimuli_that_do_not_fit_are_refused(wrong, phase):
    stimuli, targets, sentence = WRONG[wrong]
    with pytest.raises(ParameterError, match=rf"^Stimuli\.{phase}: .*{sentence}.*\.$"):
        Stimuli(**{phase: (stimuli, targets)}).checked(SIZES, "float32")


@pytest.mark.parametrize(("given", "got"), [(SHOWN, "ndarray"), ((SHOWN,), "1 of them"), ((SHOWN,) * 3, "3 of them")])
def test_stimuli_without_targets_are_refused(given, got):
    with pytest.raises(ParameterError, match=rf"^Stimuli\.wake: must be a pair of arrays, .* \(got {got}\)"):
        Stimuli(wake=given).checked(SIZES)


def test_a_large_number_fits_into_more_bits():
    large = changed(SHOWN, 2, 1, 1e39), TARGETS
    assert Stimuli(wake=large).checked(SIZES, "float64").wake[0][2, 1] == 1e39


# ---------------------------------------------------------------------- labels
@pytest.mark.parametrize("kind", [np.int64, np.uint8, float, list])
def test_one_hot(kind):
    labels = [2, 0] if kind is list else np.array([2, 0], kind)
    assert one_hot(labels, 3).tolist() == [[0, 0, 1], [1, 0, 0]]


def test_one_hot_of_nothing_and_of_truths():
    assert one_hot([], 3).shape == (0, 3)
    assert one_hot([True, False], 2).tolist() == [[0, 1], [1, 0]]


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        ([1, 3, 2], r"\(got 3 for stimulus 1\); subtract 1, because these labels count from 1, as MATLAB does"),
        ([0, 1, 3], r"\(got 3 for stimulus 2\); subtract 1 if the labels count from 1"),
        ([0, -1, 2], r"\(got -1 for stimulus 1\)"),
        ([0.0, 1.5], r"\(got 1.5 for stimulus 1\)"),
        ([0.0, np.nan], r"\(got nan for stimulus 1\)"),
        (np.array([0, 1], np.uint8) - np.uint8(1), r"\(got 255 for stimulus 0\)"),
        (["cat", "dog"], r"\(got 'cat' for stimulus 0\); give the number of each class"),
        ([[0], [1]], r"have one dimension, .* \(got shape \(2, 1\)\); flatten it"),
    ],
    ids=str,
)
def test_labels_out_of_range_are_refused(labels, sentence):
    with np.errstate(over="ignore"), pytest.raises(ParameterError, match=rf"^one_hot\.labels: must .*{sentence}"):
        one_hot(labels, 3)

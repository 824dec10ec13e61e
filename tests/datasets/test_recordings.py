"""A recording is checked when it is made; each thing that does not fit has its sentence."""

import numpy as np
import pytest

from cortex_model.datasets import RDMRecording, ResponseRecording
from cortex_model.errors import DatasetError

N = 5
NAMES = ("face", "cup", "dog", "tree", "house")
IMAGES = [np.full((4, 4 + k, 3), k, np.uint8) for k in range(N)]
POINTS = np.random.default_rng(0).normal(size=(2, N, 3))
RDMS = np.linalg.norm(POINTS[:, :, None] - POINTS[:, None], axis=3)
RESPONSES = np.random.default_rng(1).normal(size=(3, N, 4))


def rdm_recording(**changes):
    given = {"images": IMAGES, "stimulus_names": NAMES, "subjects": ("a", "b"), "rdms": RDMS} | changes
    return RDMRecording("mine", **given)


def response_recording(**changes):
    given = {"images": IMAGES, "stimulus_names": NAMES, "units": ("u1", "u2", "u3"), "responses": RESPONSES} | changes
    return ResponseRecording("mine", **given)


def changed(array, index, value):
    array = np.array(array)
    array[index] = value
    return array


def test_what_fits_is_taken():
    assert rdm_recording(models={"a model": RDMS[0]}).n_stimuli == N
    responses = changed(RESPONSES, (0, 1, slice(2, None)), np.nan)
    recording = response_recording(responses=responses)
    assert recording.has_repeats and recording.n_repeats[0].tolist() == [4, 2, 4, 4, 4]
    np.testing.assert_allclose(recording.mean_responses[0, 1], RESPONSES[0, 1, :2].mean())
    assert not response_recording(responses=RESPONSES[:, :, :1]).has_repeats


#: What is wrong -> (changes, the sentence).
BAD_RDMS = {
    "not square": ({"rdms": RDMS[:, :, :4]}, r"mine.rdms: must have shape \(subjects, stimuli, stimuli\) \(got .*4\)"),
    "asymmetric": (
        {"rdms": changed(RDMS, (1, 0, 2), 9.0)},
        r"mine.rdms of b: must be symmetric \(got 9 and .* for face and dog\)",
    ),
    "similarities": (
        {"rdms": 1 - RDMS},
        r"mine.rdms of a: must be zero on the diagonal \(got 1 for face\); give dissimilarities",
    ),
    "not finite": (
        {"rdms": changed(changed(RDMS, (0, 1, 3), np.nan), (0, 3, 1), np.nan)},
        r"must hold a finite dissimilarity for each pair \(got nan for cup and tree\)",
    ),
    "huge": ({"rdms": RDMS * 1e200}, r"must hold numbers below 1e\+100 in size"),
    "an empty image": ({"images": [*IMAGES[:4], IMAGES[4][:0]]}, r"\(got uint8 of shape \(0, 8, 3\) for house\)"),
    "constant": ({"rdms": np.stack([1 - np.eye(N)] * 2)}, r"must differ between pairs \(got 1 for all\)"),
    "too few images": ({"images": IMAGES[:4]}, r"mine.images: must be 5, one for each stimulus .* \(got 4\)"),
    "a name twice": ({"stimulus_names": ("cup", *NAMES[1:])}, r"must each occur once \(got 'cup' more than once\)"),
    "subjects without a name": ({"subjects": ("a",)}, r"mine.subjects: must name 2 subjects \(got 1\)"),
    "an image of floats": (
        {"images": [*IMAGES[:4], IMAGES[4] / 2]},
        r"must be uint8 or uint16, .* \(got float64 .* for house\)",
    ),
    "an asymmetric model": ({"models": {"m": changed(RDMS[0], (0, 1), 7.0)}}, r"mine.models.m: must be symmetric"),
    "a model of other stimuli": ({"models": {"m": RDMS[0, :4, :4]}}, r"mine.models.m: must have shape \(5, 5\)"),
}
BAD_RESPONSES = {
    "one dimension": ({"responses": RESPONSES[0, 0]}, r"must have shape \(units, stimuli\) or \(units, stimuli, rep"),
    "other stimuli": ({"responses": RESPONSES[:, :4]}, r"mine.images: must be 4, one for each stimulus .* \(got 5\)"),
    "no repeat": (
        {"responses": changed(RESPONSES, (2, 3), np.nan)},
        r"must hold at least one repeat of each stimulus for each unit \(got none of u3 to tree\)",
    ),
    "infinity": ({"responses": changed(RESPONSES, (0, 0, 0), np.inf)}, r"or NaN for missing repeats \(got infinity\)"),
    "a huge number": ({"responses": changed(RESPONSES, (0, 0, 0), 1e200)}, r"below 1e\+100 in size \(got 1e\+200\)"),
    "a silent unit": ({"responses": changed(RESPONSES, 1, 0.0)}, r"must differ .* \(got u2 alike to all\); leave out"),
    "units without a name": ({"units": ("u1",)}, r"mine.units: must name 3 units \(got 1\)"),
}


@pytest.mark.parametrize(("changes", "sentence"), BAD_RDMS.values(), ids=list(BAD_RDMS))
def test_an_rdm_that_does_not_fit(changes, sentence):
    with pytest.raises(DatasetError, match=sentence):
        rdm_recording(**changes)


@pytest.mark.parametrize(("changes", "sentence"), BAD_RESPONSES.values(), ids=list(BAD_RESPONSES))
def test_responses_that_do_not_fit(changes, sentence):
    with pytest.raises(DatasetError, match=sentence):
        response_recording(**changes)


def test_rounding_is_no_asymmetry():
    assert rdm_recording(rdms=changed(RDMS, (0, 0, 1), RDMS[0, 0, 1] * (1 + 1e-7))).n_stimuli == N


def test_an_undefined_diagonal_is_zero():
    """RSA toolboxes leave NaN on the diagonal; nothing else may be undefined."""
    undefined = RDMS.copy()
    undefined[:, range(N), range(N)] = np.nan
    recording = rdm_recording(rdms=undefined, models={"m": undefined[0]})
    np.testing.assert_array_equal(recording.rdms, RDMS)
    np.testing.assert_array_equal(recording.models["m"], RDMS[0])
    assert "NaN on the diagonal of RDMs was taken as 0." in recording.notes
    assert np.isnan(undefined[0, 0, 0]) and not any("diagonal" in note for note in rdm_recording().notes)


def test_images_of_one_level_are_named():
    grey = np.arange(16, dtype=np.uint16).reshape(4, 4)
    recording = rdm_recording(images=[grey, grey, IMAGES[2], grey, IMAGES[4]])
    assert recording.notes == (
        "Images of one grey level or colour: dog, house.",
        "The brightest level of images of 16 bits is 15 of 65535.",
    )


def test_three_stimuli_are_too_few():
    with pytest.raises(DatasetError, match=r"mine.stimuli: must be at least 4 \(got 3\)"):
        rdm_recording(images=IMAGES[:3], stimulus_names=NAMES[:3], rdms=RDMS[:, :3, :3])

"""Widths of perception and recall: theory's numbers, and feedback learned in sleep at its noise floor around them."""

import numpy as np
import pytest

from cortex_model.errors import ParameterError
from cortex_model.protocol import load_protocol, protocol_folder
from cortex_model.runs.directory import RunDirectory
from cortex_model.system.sources import load_module
from cortex_model.theory import feedback_fixed_point, relative_distance

NAME = "favila_tuning"
MODULE = load_module(protocol_folder() / f"{NAME}.py")
#: Damping -> width at the lowest population in recall, degrees: found by prototype, over angles in whole degrees.
WIDTHS = {0.001: 27, 0.01: 37, 0.1: 59, 0.5: 91, 1: 107, 3: 125, 10: 135, 100: 141}
#: One structure for all runs here, so that it is compiled once.
SMALL = {"layer_sizes": "24,24,24", "n_presentations": 20_000}


def parameters(**overrides):
    return load_protocol(NAME).parameters().with_overrides(overrides)


def kernel_and_perception(n=72):
    kernel = MODULE.spreading(n, 15)
    return kernel, MODULE.perception(kernel, MODULE.stimuli(n, 15), 8)


# ---------------------------------------------------------------------- what theory says
def test_perception_widens_with_every_population():
    widths = MODULE.widths(kernel_and_perception()[1])
    assert widths[0] == pytest.approx(15) and widths[-1] == pytest.approx(101, abs=1)
    assert (np.diff(widths) > 0).all()


@pytest.mark.parametrize(("damping", "width"), WIDTHS.items())
@pytest.mark.parametrize("n", [72, 120, 360])
def test_recall_is_as_broad_as_the_damping_says(damping, width, n):
    kernel, perceived = kernel_and_perception(n)
    feedback = dict.fromkeys(range(1, 9), feedback_fixed_point(kernel, damping))
    assert MODULE.widths(MODULE.recall(feedback, perceived[8]))[0] == pytest.approx(width, abs=1.1)


def test_the_transpose_is_the_limit_of_large_damping():
    kernel, perceived = kernel_and_perception()
    assert MODULE.widths(MODULE.recall(dict.fromkeys(range(1, 9), kernel.T), perceived[8]))[0] == pytest.approx(
        141, abs=1
    )


def test_the_gain_changes_no_width():
    kernel, perceived = kernel_and_perception()
    widths = [
        MODULE.widths(MODULE.recall(dict.fromkeys(range(1, 9), feedback_fixed_point(kernel, 1, g)), perceived[8]))
        for g in (1, 2)
    ]
    np.testing.assert_allclose(*widths, rtol=1e-9)


def test_the_undamped_inverse_is_ill_posed():
    kernel, perceived = kernel_and_perception()
    assert np.linalg.cond(kernel) > 1e16
    growths = [
        MODULE.noise_growth(dict.fromkeys(range(1, 9), feedback_fixed_point(kernel, d)), perceived[8])[0]
        for d in (1, 0.1, 0.01, 0.001)
    ]
    assert growths[0] < 1 < growths[1]
    assert (np.diff(np.log10(growths)) > 1).all() and growths[-1] > 1e8


# ---------------------------------------------------------------------- what is learned
@pytest.mark.parametrize("learning_rule", ["reciprocal", "weight_mirror"])
@pytest.mark.parametrize("damping", [0.1, 1.0, 10.0])
def test_the_averaged_rule_ends_where_theory_says(made, learning_rule, damping):
    summary = made(
        NAME, averaged=True, damping=damping, learning_rule=learning_rule, sleep_learning_rate=0.1 / (1 + damping),
        n_presentations=5000, feedback_gain="none",
    )  # fmt: skip
    assert max(summary["distance_to_prediction"]) < 1e-9
    np.testing.assert_allclose(summary["recalled_width_degrees"], summary["predicted_width_degrees"], rtol=1e-6)


@pytest.mark.compiler
@pytest.mark.slow
@pytest.mark.parametrize(
    ("damping", "learning_rule"),
    [(0.1, "reciprocal"), (1.0, "reciprocal"), (10.0, "reciprocal"), (1.0, "weight_mirror")],
)
def test_feedback_learned_in_sleep_is_at_its_noise_floor(made, damping, learning_rule):
    summary = made(
        NAME, damping=damping, learning_rule=learning_rule, feedback_gain="none", **SMALL,
        sleep_learning_rate=10 / (damping * SMALL["n_presentations"]),
    )  # fmt: skip
    late = summary["distance_to_prediction"]
    np.testing.assert_allclose(late, summary["predicted_floor"], rtol=0.35)
    assert np.mean(late) == pytest.approx(summary["predicted_floor"], rel=0.2)
    learned, predicted = summary["recalled_width_degrees"], summary["predicted_width_degrees"]
    np.testing.assert_allclose(learned, predicted, rtol=0.06)
    measures = RunDirectory(summary["run_dir"]).measures()
    assert (measures["distance_to_prediction"].values[0] > 2 * np.array(late)).all(), "it was learned"


@pytest.mark.compiler
@pytest.mark.slow
def test_another_damping_is_not_what_was_learned(made):
    """Broken on purpose: the prediction for another damping is far outside the noise floor."""
    summary = made(NAME, damping=1.0, sleep_learning_rate=5e-4, feedback_gain="none", **SMALL)
    weights, kernel = RunDirectory(summary["run_dir"]).weights(), MODULE.spreading(24, 15)
    for v in weights.feedback.values():
        assert relative_distance(v, feedback_fixed_point(kernel, 1.0)) < 2 * summary["predicted_floor"]
        assert relative_distance(v, feedback_fixed_point(kernel, 0.3)) > 3 * summary["predicted_floor"]
    for level, w in weights.forward.items():
        np.testing.assert_array_equal(w, kernel), level


# ---------------------------------------------------------------------- mistakes
@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        ({"layer_sizes": "24,12"}, r"must be equal, one neuron for each angle \(got 24,12\); set layer_sizes=72,72"),
        ({"learning_rule": "random_feedback"}, "must describe feedback that feedback_update learns"),
        ({"forward_sleep_learning_rate": 0.01}, "must describe feedback that feedback_update learns"),
    ],
)
def test_mistakes_are_explained(made, overrides, sentence):
    with pytest.raises(ParameterError, match=sentence):
        made(NAME, averaged=True, **overrides)

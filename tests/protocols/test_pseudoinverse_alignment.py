"""Fig. 1A in numbers: how far both distances fall, how straight, and where they end."""

import numpy as np
import pytest

from cortex_model.analysis.learning_curves import straightness
from cortex_model.errors import DivergenceError, ParameterError
from cortex_model.protocol import load_protocol, protocol_folder
from cortex_model.runs.directory import RunDirectory
from cortex_model.system.sources import load_module
from cortex_model.theory import condition_number, online_noise_floor, relative_distance

NAME = "pseudoinverse_alignment"
DISTANCES = ("distance_forward", "distance_feedback")
#: The same structures as elsewhere in these tests, so that a program is compiled once.
SQUARE, RECTANGULAR = "8,8", "12,6"
MODULE = load_module(protocol_folder() / f"{NAME}.py")


def decades(curve):
    return np.log10(curve[0] / curve[-1])


# ---------------------------------------------------------------------- the start
@pytest.mark.parametrize("sizes", ["8,8", "12,6", "6,12"])
@pytest.mark.parametrize("condition", [1.0, 4.0])
def test_start_has_the_condition_asked_for_and_is_not_aligned(sizes, condition):
    p = MODULE.AlignmentParameters().with_overrides({"layer_sizes": sizes, "starting_condition": condition})
    for seed in range(3):
        start = MODULE.starting_weights(p, seed)
        W, V = start.forward[1], start.feedback[1]
        assert condition_number(W) == pytest.approx(condition)
        assert condition_number(V) == pytest.approx(condition)
        assert relative_distance(V, np.linalg.pinv(W)) > 0.5


def test_starts_of_both_orientations_occur():
    """det(W V) < 0 cannot reach 1 without a singular value crossing 0; such starts must not be left out."""
    p = MODULE.AlignmentParameters()
    starts = [MODULE.starting_weights(p, seed) for seed in range(20)]
    signs = {np.sign(np.linalg.det(start.forward[1] @ start.feedback[1])) for start in starts}
    assert signs == {-1.0, 1.0}


# ---------------------------------------------------------------------- the averaged rule
@pytest.mark.parametrize(("sizes", "seed"), [("20,20", 0), ("40,20", 1), ("20,40", 2)])
def test_averaged_rule_falls_ten_decades_on_a_straight_line(made, sizes, seed):
    summary = made(NAME, seed, averaged=True, layer_sizes=sizes, n_presentations=4500, look_every_presentations=50)
    for name in DISTANCES:
        curve = np.array(summary[name])
        assert decades(curve) > 10
        assert straightness(np.array(summary["presentations"]), curve, 1e-12, 1e-2) > 0.99
    assert summary["predicted_floor"] == 0
    assert 0.3 < summary["forward_drift"][-1] < 1.5, "the price: W moves far from where it was"


@pytest.mark.parametrize(("sizes", "damping"), [("20,20", 0.1), ("40,20", 0.3), ("20,40", 0.1)])
def test_averaged_rule_with_decay_stops_at_the_decay(made, sizes, damping):
    summary = made(NAME, averaged=True, layer_sizes=sizes, damping=damping, n_presentations=6000)
    assert summary["predicted_floor"] == damping
    for name in DISTANCES:
        assert summary[name][-1] == pytest.approx(damping, rel=1e-6)


def test_averaged_run_is_the_same_on_every_device(made):
    shas = {made(NAME, averaged=True, device=device)["weights_sha256"] for device in ("runtime", "cpp_standalone")}
    assert len(shas) == 1


# ---------------------------------------------------------------------- online
@pytest.mark.compiler
@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_square_pair_online_falls_ten_decades_on_a_straight_line(made, seed):
    summary = made(NAME, seed, layer_sizes=SQUARE, n_presentations=2500, look_every_presentations=50)
    for name in DISTANCES:
        curve = np.array(summary[name])
        assert decades(curve) > 10
        assert straightness(np.array(summary["presentations"]), curve, 1e-12, 1e-2) > 0.99


def test_rectangular_pair_online_ends_at_the_noise_floor(made):
    """On the runtime device: a program for it alone would take longer to compile."""
    rate, n = 0.02, 3000
    summary = made(
        NAME, device="runtime", layer_sizes=RECTANGULAR, forward_sleep_learning_rate=0, sleep_learning_rate=rate,
        n_presentations=n, look_every_presentations=n // 60,
    )  # fmt: skip
    late = np.sqrt(np.mean(np.square(summary["distance_feedback"][20:])))
    inverse = np.linalg.pinv(RunDirectory(summary["run_dir"]).weights().forward[1])
    floor = online_noise_floor(12, 6, rate) / np.linalg.norm(inverse)
    assert summary["predicted_floor"] == pytest.approx(floor)
    assert late == pytest.approx(floor, rel=0.2)
    assert set(summary["forward_drift"]) == {0.0}, "W is held"


@pytest.mark.compiler
@pytest.mark.slow
def test_decay_online_ends_at_the_decay(made):
    rates = {"sleep_learning_rate": 0.005, "forward_sleep_learning_rate": 0.005}
    summary = made(
        NAME, layer_sizes=SQUARE, damping=0.1, **rates, n_presentations=6000, look_every_presentations=200
    )  # fmt: skip
    for name in DISTANCES:
        late = np.sqrt(np.mean(np.square(summary[name][15:])))
        assert late == pytest.approx(0.1, rel=0.05)


@pytest.mark.compiler
@pytest.mark.slow
def test_bare_ben_israel_runs_away_from_a_random_start(made):
    with pytest.raises(DivergenceError, match="must stay finite"):
        made(
            NAME, layer_sizes=SQUARE, learning_rule="ben_israel", forward_sleep_learning_rate=0,
            sleep_learning_rate=0.1, n_presentations=2000, look_every_presentations=500,
        )  # fmt: skip


# ---------------------------------------------------------------------- mistakes
@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        ({"layer_sizes": "8,8,8"}, "must name one pair of populations"),
        ({"feedback_to_input": False}, "must name one pair of populations"),
        ({"averaged": True, "learning_rule": "hinton_mcclelland"}, "must be false unless learning_rule is reciprocal"),
        ({"damping": 1.5}, "damping < noise_gain must hold, because both weights would vanish"),
    ],
)
def test_mistakes_are_explained(made, overrides, sentence):
    with pytest.raises(ParameterError, match=sentence):
        made(NAME, **overrides)


def test_averaged_rule_that_diverges_says_so(made):
    with pytest.raises(DivergenceError, match="lower sleep_learning_rate"), np.errstate(all="ignore"):
        made(NAME, averaged=True, sleep_learning_rate=50, forward_sleep_learning_rate=0)


def test_nothing_is_predicted_where_theory_says_nothing():
    unpredicted = [
        {"layer_sizes": "12,6"},
        {"layer_sizes": "6,12", "forward_sleep_learning_rate": 0},
        {"damping": 0.1, "forward_sleep_learning_rate": 0},
        {"damping": 0.1, "feedback_gain": "closed_form"},
        {"learning_rule": "hinton_mcclelland"},
    ]
    for overrides in unpredicted:
        p = load_protocol(NAME).parameters().with_overrides(overrides)
        assert MODULE.predicted_floor(p, MODULE.starting_weights(p, 0)) is None, overrides

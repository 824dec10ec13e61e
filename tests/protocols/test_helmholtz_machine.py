"""A machine that wakes and dreams comes to produce digits; resumed it has the same bits; other rules are refused."""

from dataclasses import replace

import numpy as np
import pytest

from cortex_model import Cortex
from cortex_model.errors import ParameterError
from cortex_model.language import Learn
from cortex_model.protocol import load_protocol, protocol_folder
from cortex_model.rules import shipped
from cortex_model.runs.checkpoint import Checkpoint
from cortex_model.runs.directory import RunDirectory
from cortex_model.runs.running import go_on, resume
from cortex_model.system.arrays import read_arrays
from cortex_model.system.sources import load_module
from cortex_model.theory import helmholtz_machine as theory

NAME = "helmholtz_machine"
PROTOCOL = load_protocol(NAME)
PARAMETERS = PROTOCOL.parameters
RULE = shipped()[PARAMETERS().learning_rule]
#: A few seconds on the runtime device, and enough to come below independent pixels.
SHORT = {
    "layer_sizes": (64, 16), "epochs": 6, "batch_size": 20, "learning_rate": 0.3, "likelihood_samples": 20,
    "evaluate_every_presentations": 1440, "chunk_presentations": 50,
}  # fmt: skip
#: Epochs after which it must be below independent pixels, and must not be with a sign turned.
N_SEEN = 3
TINY = PROTOCOL.tiny | {"batch_size": 20, "chunk_presentations": 20}


@pytest.fixture
def run(tiny_summary):
    """The tiny run, which all tests share."""
    return RunDirectory(tiny_summary(NAME)["run_dir"])


# ---------------------------------------------------------------------- what is claimed
def test_the_free_energy_falls_below_independent_pixels(made):
    summary = made(NAME, device="runtime", **SHORT)
    free_energy = RunDirectory(summary["run_dir"]).measures()["free_energy_nats"].values
    assert free_energy[0] > summary["independent_pixels_nats"] > free_energy[-1] + 1
    assert np.diff(free_energy).max() < 0.3
    assert free_energy[N_SEEN] < summary["independent_pixels_nats"]
    assert summary["negative_log_likelihood_nats"] < summary["free_energy_nats"]
    bits = [summary[f"{kind}_to_training_bits"] for kind in ("test_images", "dreams", "independent_pixels")]
    assert bits == sorted(bits)


SURPRISED = Learn("V", "-learning_rate", "surprise_post*rate_pre")
FORGETFUL = Learn("W", "-learning_rate", "overlooked_post*rate_pre")


@pytest.mark.parametrize("broken", [{"generative_update": SURPRISED}, {"recognition_update": FORGETFUL}], ids=list)
def test_with_a_sign_turned_it_does_not(made, broken):
    rule = replace(RULE.replacing(**broken), name="turned")
    summary = made(NAME, device="runtime", **SHORT | {"epochs": N_SEEN}, learning_rule=rule)
    assert summary["free_energy_nats"] > summary["independent_pixels_nats"]


# ---------------------------------------------------------------------- what is kept
def test_the_start_is_near_independent_pixels(run):
    """Small weights, and the prior of each pixel by how often it is on: what the hidden units cost is added."""
    measures = run.measures()
    hidden = sum(run.description()["parameters"]["layer_sizes"][1:])
    assert 0 < measures["free_energy_nats"].values[0] - run.summary()["independent_pixels_nats"] < 0.1 * hidden
    np.testing.assert_allclose(
        measures["independent_pixels_nats"].values, run.summary()["independent_pixels_nats"], 1e-4
    )


def test_measures_are_those_of_the_weights_that_are_kept(run):
    module, p = load_module(protocol_folder() / f"{NAME}.py"), PARAMETERS().with_overrides(PROTOCOL.tiny)
    train, test = (part > 0.5 for part in p.data().stimuli("unit", "float32"))
    rng = np.random.default_rng([run.description()["seed"], module.OF_BOUNDS])
    bounds = theory.sampled_bounds(module.machine_of(run.weights()), test, p.likelihood_samples, rng)
    assert run.measures()["free_energy_nats"].values[-1] == pytest.approx(bounds[0])
    assert run.measures()["negative_log_likelihood_nats"].values[-1] == pytest.approx(bounds[1])
    assert run.summary()["independent_pixels_nats"] == pytest.approx(theory.independent_units(train, test), abs=1e-4)
    assert run.weights().others["c"][0].shape == (64,)


def test_dreams_are_kept_as_images(run):
    arrays, summary = read_arrays(run.path / "dreams.nc"), run.summary()
    train = PARAMETERS().data().stimuli("unit", "float32")[0] > 0.5
    for kind in ("dreams", "independent_pixels", "test_images"):
        images = arrays[kind].values
        assert images.shape == (20, 64) and set(np.unique(images)) == {0, 1}
        bits = arrays[f"{kind}_to_training_bits"]
        assert bits.attrs["units"] == "bit"
        assert bits.values.tolist() == theory.nearest_bits(images, train).tolist()
        assert summary[f"{kind}_to_training_bits"] == pytest.approx(bits.values.mean(), abs=1e-4)


def test_costs_are_counted(run):
    summary, n = run.summary(), 1440
    assert summary["presentations"] == {"wake": n, "sleep": n, "evaluation": 0}
    assert summary["half_cycles"]["sleep"] == n, "a dream is one"
    assert summary["synaptic_events"]["wake"] == summary["synaptic_events"]["sleep"] == 3 * n * (64 * 6 + 6 * 5)


def test_images_held_back_are_evaluated_in_place_of_test_images(made):
    summary = made(NAME, device="runtime", **TINY, validation_images=200)
    arrays = read_arrays(RunDirectory(summary["run_dir"]).path / "dreams.nc")
    train, test = (part > 0.5 for part in PARAMETERS(validation_images=200).data().stimuli("unit", "float32"))
    assert len(train) == 1437 - 200 and np.array_equal(arrays["test_images"].values, test[:20])


# ---------------------------------------------------------------------- to the bit
class Stopped(BaseException):
    pass


def test_a_run_that_is_stopped_and_resumed_has_the_same_bits(made, tmp_path, monkeypatch):
    whole, write, written = made(NAME, seed=1, device="runtime", **TINY), Checkpoint.write, []

    def stopping(*arguments):
        write(*arguments)
        written.append(arguments)
        if len(written) == 3:
            raise Stopped

    folder = RunDirectory(whole["run_dir"]).path
    folder.rename(tmp_path / "whole")
    with monkeypatch.context() as patch, pytest.raises(Stopped):
        patch.setattr(Checkpoint, "write", stopping)
        made(NAME, seed=1, device="runtime", **TINY)
    assert not RunDirectory(folder).has_finished and (folder / "checkpoint_1.npz").exists()
    resumed = resume(folder)
    for name in set(whole) - {"microseconds_per_presentation"}:
        assert resumed[name] == whole[name], name


def test_more_epochs_end_in_the_bits_of_one_run(made):
    """Evaluations draw no states of the simulation, so that they may lie anywhere."""
    first, longer = (made(NAME, device="runtime", **TINY | {"batch_size": 13, "epochs": n}) for n in (1, 2))
    more = go_on(RunDirectory(first["run_dir"]).path, {"epochs": 1})
    assert more["weights_sha256"] == longer["weights_sha256"]
    assert more["dreams_to_training_bits"] == longer["dreams_to_training_bits"]


# ---------------------------------------------------------------------- what is refused
def test_a_rule_that_needs_targets_is_refused():
    with pytest.raises(ParameterError) as refused:
        PARAMETERS(learning_rule="reciprocal")
    assert str(refused.value) == (
        "Parameters.learning_rule: must be a rule that learns stimuli with this protocol (got reciprocal, which learns "
        "targets); use the protocol wake_sleep_classification."
    )


@pytest.mark.parametrize("protocol", ["wake_sleep_classification", "wake_sleep_autoencoding", "favila_tuning"])
def test_a_protocol_with_targets_refuses_the_rule(protocol):
    with pytest.raises(
        ParameterError, match=r"learns targets with this protocol .* use the protocol helmholtz_machine\.$"
    ):
        load_protocol(protocol).parameters(learning_rule=RULE.name)


def test_time_is_refused_in_one_sentence():
    with pytest.raises(ParameterError) as refused:
        PARAMETERS(dynamics="leaky")
    assert str(refused.value) == (
        "Parameters.dynamics: must be settled where nothing in a rule settles, and all happens at once (got leaky for "
        f"{RULE.name}); set dynamics=settled."
    )


@pytest.mark.parametrize("given", [{"damping": 1.0}, {"sleep_learning_rate": 0.1}], ids=str)
def test_numbers_that_it_does_not_read_are_refused(given):
    with pytest.raises(ParameterError, match="must be left out where learning_rule is"):
        PARAMETERS().with_overrides(given).check_asked(given)


def test_options_that_decide_nothing_are_refused_by_name():
    p = PARAMETERS(presynaptic_normalisation=True)
    with pytest.raises(
        ParameterError, match=r"^Parameters\.presynaptic_normalisation: must be left out with this protoc"
    ):
        p.check_asked(["presynaptic_normalisation"])
    p.check_asked(["learning_rate", "pixel_threshold"])
    for given, must in (
        ({"biases": False}, "must be true"),
        ({"nonlinearity": "tanh"}, r"must be sigmoid \(got 'tanh'\)"),
    ):
        with pytest.raises(ParameterError, match=rf"^Parameters\.\w+: {must}"):
            PARAMETERS(**given)


def test_a_hierarchy_in_ones_hands_refuses_the_rule():
    with pytest.raises(
        ParameterError, match=r"learns targets with Cortex \(got .*; use the protocol helmholtz_machine\.$"
    ):
        Cortex((8, 5, 3), learning_rule=RULE.name)


def test_a_page_about_the_run_holds_its_curves_and_weights(run, tmp_path, command_line):
    status, output, error = command_line("report", run.path, "--out", tmp_path / "page.html")
    assert status == 0 and "cannot be read" not in output + error
    assert "free energy" in (tmp_path / "page.html").read_text()


def test_sizes_that_do_not_fit_the_images_are_refused(made):
    with pytest.raises(
        ParameterError, match=r"must begin with the 64 pixels of dataset digits \(got 100,16\); set layer"
    ):
        made(NAME, device="runtime", **TINY | {"layer_sizes": (100, 16)})


@pytest.mark.parametrize(("threshold", "all_are"), [(5.0, "off"), (-1.0, "on")])
def test_images_that_are_all_the_same_are_refused(made, threshold, all_are):
    with pytest.raises(ParameterError, match=rf"^Parameters\.pixel_threshold: .* \(got {threshold:g}, .* {all_are}\)"):
        made(NAME, device="runtime", **SHORT | {"pixel_threshold": threshold})

"""A hierarchy in one's hands: it learns, answers, can be lesioned, kept, and gone on with."""

import subprocess
import sys
from functools import partial

import numpy as np
import pytest
from brian2 import StateMonitor

from cortex_model import Cortex, theory
from cortex_model.devices.availability import default_device
from cortex_model.devices.simulation import Simulation
from cortex_model.errors import DivergenceError, ParameterError, RunError
from cortex_model.interactive.devices import device_for
from cortex_model.protocol import run_numbers
from cortex_model.schedule import Stimuli, one_hot, sleep_schedule, wake_sleep_schedule
from cortex_model.state.philox import order_of_stimuli
from cortex_model.weights import initial_weights

OWN_RULE = """
from cortex_model.language import *
from cortex_model.rules.random_feedback import RULE as R
RULE = R.changed(lambda moment: (moment,))
"""


def test_it_learns_what_it_is_shown(new, data, taught):
    X, y = data
    assert new().score(X, y) < 0.6 < 0.95 < taught.score(X, y)
    assert np.array_equal(taught.predict(X), taught.rates(X)[2].argmax(axis=1))
    assert repr(taught) == "Cortex(6-5-3, reciprocal, seed 1): 240 wake and 440 sleep presentations, on runtime"


def test_calls_are_schedules_of_the_simulator(data, taught):
    """Noise and orders of stimuli go on from call to call, as in one simulation after the other."""
    X, y = data
    p = taught.parameters.with_overrides({"chunk_presentations": 50})
    simulation, numbers = Simulation(p, "runtime"), run_numbers(p, 1)
    state = simulation.run(sleep_schedule(p, 200, 200), Stimuli(), initial_weights(p, 1), numbers)
    schedule = wake_sleep_schedule(p, lambda epoch: order_of_stimuli(1, epoch, 60), 60, 240, 0, 0)
    state = simulation.run(schedule, Stimuli((X, one_hot(y, 3))), state.weights, numbers)
    assert state.weights.sha256 == taught.weights.sha256


def test_calls_can_be_cut_and_repeated(new, data):
    at_once, twice = new().sleep(100).wake(*data, epochs=2), new().sleep(60).sleep(40).wake(*data).wake(*data)
    assert at_once.weights.sha256 == twice.weights.sha256 != new(seed=2).sleep(100).weights.sha256
    assert [entry["what"] for entry in twice.history] == ["sleep", "sleep", "wake", "wake"]
    assert twice.n_presented == 340 and twice.n_epochs == 2


def test_a_hierarchy_for_another_device_in_between_changes_nothing(new, data, alone):
    """Code objects of wake are made when it first wakes: for the device, and in the precision, of its own hierarchy."""
    alone("reciprocal")
    cortex = new(noise_distribution="rademacher").sleep(20)
    print(Simulation(cortex.parameters.with_overrides({"dtype": "float64"}), "cpp_standalone").hierarchy)
    cortex.wake(*data)
    assert cortex.weights.sha256 == new(noise_distribution="rademacher").sleep(20).wake(*data).weights.sha256


def test_sleep_finds_the_pseudoinverse(new):
    cortex = new(sleep_learning_rate=0.02)
    before, after = cortex.angles(), cortex.sleep(2000).angles()
    assert after["V to W^+"][2] < 10 < before["V to W^+"][2]
    inverse = np.linalg.pinv(cortex.W[2])
    assert after["V to W^+"][2] == pytest.approx(theory.alignment_angle(cortex.V[2], inverse), abs=1e-6)


def test_answers_are_those_of_theory(taught, data):
    X, y = data
    w = taught.weights
    drives, rates = theory.hierarchy_response(w.forward, w.biases, X.T, "tanh", "softmax")
    answered = taught.rates(X)
    assert sorted(answered) == [0, 1, 2]
    for l, rate in rates.items():
        np.testing.assert_allclose(answered[l], rate.T, atol=1e-6)
    reconstructed = taught.reconstruct(X)[1]
    np.testing.assert_allclose(reconstructed, (drives[2].T - w.biases[2]) @ w.feedback[2].T, atol=1e-6)
    recalled = taught.recall(np.eye(3))
    np.testing.assert_allclose(recalled[1], np.tanh(w.feedback[2].T), atol=1e-6)
    assert {"update to backpropagation", "update to gauss newton"} <= taught.angles(X, y).keys()


def test_answers_are_those_of_the_device(taught, data):
    """Rates that a device evaluates, in single precision."""
    p, (X, y) = taught.parameters, data
    schedule = wake_sleep_schedule(p, lambda epoch: np.arange(0), 0, 0, len(X), 0)
    rates = []  # before learning, and after none
    Simulation(p, "runtime").run(
        schedule, Stimuli(evaluation=(X, one_hot(y, 3))), taught.weights, run_numbers(p, 1),
        callback=lambda state: rates.append(state.rates.copy()),
    )  # fmt: skip
    np.testing.assert_allclose(np.tile(taught.rates(X)[2], (2, 1)), np.concatenate(rates), atol=1e-6)


def test_target_rates_are_learned(new, data):
    """Regression: target rates instead of labels, a linear top population."""
    X, _ = data
    targets = X @ np.random.default_rng(1).normal(size=(6, 3)) / 6
    cortex = new(top="linear")
    before = cortex.score(X, targets)
    assert cortex.wake(X, targets, epochs=10).score(X, targets) > 0.9 > before
    one = Cortex((6, 4, 1), top="linear", device="runtime", learning_rate=0.05).wake(X, targets[:, 0], epochs=10)
    assert one.score(X, targets[:, 0]) > 0.9 and one.predict(X).shape == (60,)


def test_a_lesion_stays_and_a_control_does_not_see_it(taught, data):
    lesioned = taught.copy()
    lesioned.V[2][:, 1] = 0
    lesioned.W[1] = np.zeros((5, 6))
    assert lesioned.score(*data) < taught.score(*data)
    assert taught.V[2][:, 1].any() and taught.W[1].any()
    after = lesioned.wake(*data, sleep_per_wake=0)
    assert not after.V[2][:, 1].any(), "awake V is held, so the lesion stays"
    assert after.copy().wake(*data).weights.sha256 == after.wake(*data).weights.sha256


def test_it_is_saved_and_goes_on_with_the_same_bits(taught, data, tmp_path):
    file = taught.save(tmp_path / "new folder" / "taught")
    again = Cortex.load(file)
    assert repr(again) == repr(taught) and again.history == taught.history
    assert again.wake(*data).weights.sha256 == taught.copy().wake(*data).weights.sha256


def test_a_rule_of_ones_own_is_saved_with_it(new, data, tmp_path):
    (tmp_path / "mine.py").write_text(OWN_RULE)
    cortex = new(tmp_path / "mine.py").wake(*data)
    file = cortex.save(tmp_path / "mine.nc")
    (tmp_path / "mine.py").unlink()
    loaded = "from cortex_model import Cortex; print(Cortex.load({!r}{}))"
    given = [loaded.format(str(file), more) for more in ("", ", run_code=True")]
    refused, done = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True) for code in given]
    assert refused.returncode and "must be of a learning rule whose file is there as it was" in refused.stderr
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Cortex(6-5-3, mine.py#") and "60 wake" in done.stdout


def test_a_finished_run_is_gone_on_with(tiny, tmp_path):
    """By the run's own numbers: noise and orders of stimuli go on, and the weights are those that it ended with."""
    from cortex_model import run

    directory = run("wake_sleep_classification", seed=3, device="runtime", out=str(tmp_path), **tiny)
    cortex = Cortex.load(directory.path)
    assert cortex.weights.sha256 == directory.summary()["weights_sha256"]
    presented = directory.summary()["presentations"]
    assert (cortex.seed, cortex.n_epochs) == (3, tiny["epochs"])
    assert cortex.n_presented >= sum(presented.values())
    assert f"{presented['wake']} wake" in repr(cortex)


def test_what_was_interrupted_is_kept(new, data, monkeypatch):
    """What the last chunk made of the weights; the next call goes on from there."""
    cortex, run = new(chunk_presentations=50), Simulation.run

    def interrupted(self, *args, callback, **kwds):
        def after_two(state):
            callback(state)
            if state.last == 100:
                raise KeyboardInterrupt

        return run(self, *args, callback=after_two, **kwds)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Simulation, "run", interrupted)
        cortex.sleep(200)
    assert cortex.n_presented == 100 and cortex.sleep(100).weights.sha256 == new().sleep(200).weights.sha256


def test_divergence_leaves_the_last_good_weights(new):
    cortex = new(sleep_learning_rate=5.0)
    with pytest.raises(DivergenceError, match="lower sleep_learning_rate"):
        cortex.sleep(3000)
    assert all(np.isfinite(array).all() for array in cortex.weights.named().values())


def test_what_is_shared_decides_nothing(new, data):
    """Hierarchies of one structure take turns on the same Brian2 objects, each with its own weights and numbers."""
    one, other = new(), new(seed=5, learning_rate=0.01)
    assert one.simulation is other.simulation and one.simulation is not new("random_feedback").simulation
    by_turns = one.sleep(20), other.sleep(20), one.wake(*data), other.wake(*data)
    alone = new().sleep(20).wake(*data), new(seed=5, learning_rate=0.01).sleep(20).wake(*data)
    assert [each.weights.sha256 for each in by_turns[2:]] == [each.weights.sha256 for each in alone]
    assert one.hierarchy is not other.simulation.hierarchy, "what one adds to its own is not in the other's"


def test_brian2_objects_record_while_it_learns(new, data):
    cortex = new()
    monitor = StateMonitor(cortex.hierarchy.populations[1], "rate", record=True)
    cortex.hierarchy.add(monitor)
    cortex.sleep(10).wake(*data, sleep_per_wake=0)
    assert cortex.recorded(monitor)["rate"].shape[1] >= 60
    assert cortex.weights.sha256 == new().sleep(10).wake(*data, sleep_per_wake=0).weights.sha256


def test_a_small_job_does_not_wait_for_a_compiler(new):
    """Which device it is follows from the work alone; what was begun with a compiled program stays with it."""
    p = new().parameters
    small, large = sleep_schedule(p, 1000, 1000), sleep_schedule(p, 100_000, 100_000)
    assert device_for(small, p, "runtime") == "runtime"
    assert device_for(large, p, "runtime") == default_device()
    assert device_for(small, p, "cpp_standalone") == "cpp_standalone"


@pytest.mark.compiler
@pytest.mark.slow
def test_a_large_job_goes_to_a_compiled_program(data):
    cortex = Cortex((6, 5, 3), seed=1).sleep(100)
    assert cortex.device == "runtime"
    cortex.sleep(40_000)
    assert cortex.device == "cpp_standalone" and cortex.wake(*data).device == "cpp_standalone"
    assert [entry["device"] for entry in cortex.history] == ["runtime", "cpp_standalone", "cpp_standalone"]
    assert cortex.angles()["V to W^+"][2] < 10


WRONG = {
    "too few columns": (lambda c, X, y: c.rates(X[:, :4]), r"Cortex.rates: stimuli must have 6 elements"),
    "no row": (lambda c, X, y: c.predict(X[:0]), r"Cortex.rates: stimuli must be at least one row"),
    "one stimulus": (lambda c, X, y: c.rates(X[0]), r"Cortex.rates: stimuli must have two dimensions"),
    "labels from 1": (lambda c, X, y: c.wake(X, y + 1), r"one_hot.labels: .* subtract 1"),
    "too few labels": (lambda c, X, y: c.wake(X, y[:5]), r"Cortex.wake: labels or targets must be as many"),
    "not finite": (lambda c, X, y: c.wake(X * np.nan, y), r"Cortex.wake: stimulus 0 must hold finite numbers"),
    "half an epoch": (lambda c, X, y: c.wake(X, y, epochs=0.5), r"Cortex.wake: must be a whole number from 1"),
    "no such level": (lambda c, X, y: c.V[1], r"Cortex.V: level must be 1 of 2 \(got 1\)"),
    "wrong shape": (lambda c, X, y: c.W.__setitem__(1, np.eye(3)), r"Cortex.W\[1\]: must be .* shape \(5, 6\)"),
    "del": (lambda c, X, y: c.W.__delitem__(1), r"Cortex.W\[1\]: must stay"),
    "NaN written into": (lambda c, X, y: (c.W[1].fill(np.nan), c.rates(X)), r"Weights.W_1: must hold numbers that are"),
    "unknown parameter": (lambda c, X, y: Cortex((6, 3), damp=1), r"Parameters.damp: .* did you mean 'damping'"),
    "not read": (lambda c, X, y: Cortex((6, 3), "backpropagation", damping=1), r"damping: must be left out"),
    "does not sleep": (lambda c, X, y: Cortex((6, 3), "backpropagation").sleep(3), r"must be a rule that sleeps"),
    "no feedback": (lambda c, X, y: Cortex((6, 5, 3), "direct_feedback").recall(np.eye(3)), r"Cortex.recall: the rule"),
}  # fmt: skip


@pytest.mark.parametrize("call, sentence", WRONG.values(), ids=WRONG)
def test_what_does_not_fit_gets_a_sentence(taught, data, call, sentence):
    with pytest.raises(ParameterError, match=sentence):
        call(taught.copy(), *data)


def test_what_cannot_be_loaded_gets_a_sentence(taught, tmp_path):
    with pytest.raises(RunError, match="got nothing there"):
        Cortex.load(tmp_path / "nothing.nc")
    (tmp_path / "text.nc").write_text("no NetCDF")
    with pytest.raises(RunError, match="must be a whole NetCDF file"):
        Cortex.load(tmp_path / "text.nc")
    file = taught.save(tmp_path / "flipped.nc")
    content = bytearray(file.read_bytes())
    at = content.find(taught.weights.forward[1].tobytes())
    assert at > 0, "weights lie in the file as they are"
    content[at + 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(RunError, match="must hold the weights that were saved"):
        Cortex.load(file)


def test_in_spikes_learning_rates_fall_on_from_call_to_call(alone):
    """A call does not begin anew with the first learning rate."""
    alone("reciprocal")
    given = {"dynamics": "spiking", "sleep_ms": 20.0, "sleep_onset_ms": 10.0, "feedback_annealing_presentations": 5.0}
    new = partial(Cortex, (6, 5, 3), seed=1, device="runtime", **given)
    at_once, twice = new().sleep(12), new().sleep(7).sleep(5)
    assert at_once.weights.sha256 == twice.weights.sha256 and twice.learned == {"wake": 0, "sleep": 12}
    for question, there in ((twice.reconstruct, {1}), (twice.rates, {0, 1, 2})):
        assert {*question(np.ones((2, 6)))} == there
    assert {*twice.angles()} == {"V to W^+", "V to W^T", "V to its fixed point"}
    with pytest.raises(ParameterError, match=r"must be of rates, .*\(got dynamics=spiking\); take dynamics=settled"):
        twice.angles(np.ones((2, 6)), [0, 1])

"""Weights are silenced, shuffled, scaled and frozen while a hierarchy learns, as parameters say or a function does."""

import numpy as np
import pytest

from cortex_model import Cortex, run
from cortex_model.devices.simulation import NetworkRun, Simulation
from cortex_model.errors import ParameterError
from cortex_model.experiments.checking import compared_with_brian2, parameters_for
from cortex_model.parameters import SleepWakeParameters
from cortex_model.protocol import load_protocol
from cortex_model.runs.directory import RunDirectory
from cortex_model.runs.running import go_on, start
from cortex_model.schedule import Stimuli, declared, sleep_schedule, wake_sleep_schedule
from cortex_model.system.storage import write_json
from cortex_model.weights import initial_weights

PROTOCOL = "wake_sleep_classification"
RNG = np.random.default_rng(3)
X, Y = RNG.normal(size=(12, 5)), np.eye(3)[np.arange(12) % 3]


@pytest.fixture(scope="module", autouse=True)
def one_rule(only_rules):
    with only_rules("reciprocal"):
        yield


def parameters(**given):
    numbers = {"learning_rate": 0.05, "sleep_learning_rate": 0.02, "damping": 0.3}
    return SleepWakeParameters(layer_sizes=(5, 6, 3), **numbers | given)


def schedule_for(p, n_wake=12, n_evaluated=0):
    return wake_sleep_schedule(p, lambda epoch: np.arange(12), 12, n_wake, n_evaluated, 6)


def seen(p, device="runtime", function=None, at=0):
    """Place in the schedule -> weights there, before what is done there; and at the end."""
    schedule, found = schedule_for(p), {}
    if function is not None:
        schedule = schedule.intervening(function, at=at)

    def callback(state):
        found[schedule.n_presentations("wake", state.last)] = state.weights.named()

    numbers = {"noise_seed": 4, **p.rule_values}
    Simulation(p, device).run(schedule, Stimuli((X, Y)), initial_weights(p, 1), numbers, callback=callback)
    return found


def changed_by(text, **given):
    """What an intervention makes of weights: (name -> before, name -> a presentation later, with all else frozen)."""
    still = parameters(relative_learning_rates="W:0,V:0,b:0", interventions=text, **given)
    found = seen(still)
    return found[0], found[12]


@pytest.mark.parametrize("learning_rule", ["reciprocal", "kolen_pollack", "direct_feedback"])
def test_brian2_equals_the_declaration_with_learning_rates_of_their_own(learning_rule):
    p = parameters_for(learning_rule, relative_learning_rates="W_1:0,W_2:0.5,b_2:3")
    checked, plain = compared_with_brian2(p), compared_with_brian2(parameters_for(learning_rule))
    assert checked.holds and plain.holds


@pytest.mark.parametrize("dynamics", ["settled", "leaky"])
def test_a_factor_of_0_holds_a_projection_and_leaves_the_others(dynamics):
    given = {"presentation_ms": 20.0, "feedback_onset_ms": 10.0} if dynamics == "leaky" else {}
    p = parameters(relative_learning_rates={"W_1": 0, "b": 0}, dynamics=dynamics, **given)
    found = seen(p)
    for name, matrix in found[0].items():
        assert np.array_equal(matrix, found[12][name]) == (name in ("W_1", "b_1", "b_2")), name


def test_silence_takes_the_part_that_is_asked_for():
    before, after = changed_by("silence V_2 0.5 at 6")
    is_silent = after["V_2"] == 0
    assert is_silent.sum() == is_silent.size / 2 and np.array_equal(after["V_2"][~is_silent], before["V_2"][~is_silent])
    assert all(np.array_equal(after[name], before[name]) for name in before if name != "V_2")
    assert not changed_by("silence W at 6")[1]["W_1"].any()


def test_shuffle_keeps_the_weights_and_scale_multiplies_them():
    before, after = changed_by(["shuffle W_1 at 6", "scale V -0.5 at 6"])
    assert sorted(before["W_1"].flat) == sorted(after["W_1"].flat)
    assert np.mean(before["W_1"] == after["W_1"]) < 0.3
    assert np.array_equal(after["V_2"], np.float32(-0.5) * before["V_2"])


def test_what_is_frozen_learns_again_once_it_is_released_by_its_own_rate():
    rates = {"relative_learning_rates": "W_2:2"}
    held = seen(parameters(interventions="freeze W at 4,release W_2 at 8", **rates))
    free = seen(parameters(**rates))
    at = {place: weights["W_2"] for place, weights in held.items()}
    assert not np.array_equal(at[0], at[4]) and np.array_equal(at[4], at[8]) and not np.array_equal(at[8], at[12])
    assert np.array_equal(held[4]["W_1"], held[12]["W_1"]) and not np.array_equal(held[12]["W_1"], free[12]["W_1"])
    only_last = seen(parameters(interventions="freeze W at 0,release W_2 at 11", **rates))
    doubled = only_last[12]["W_2"] - only_last[11]["W_2"]
    plain = seen(parameters(interventions="freeze W at 0,release W_2 at 11", relative_learning_rates="W_2:1"))
    assert np.allclose(doubled, 2 * (plain[12]["W_2"] - plain[11]["W_2"]), rtol=1e-4)


def test_each_of_a_list_happens_once_in_its_order():
    before, after = changed_by(["scale V_2 3 at 6", "scale V_2 3 at 6", "scale V 2 at 7"])
    assert np.allclose(after["V_2"], 18 * before["V_2"], rtol=1e-6)
    frozen = seen(parameters(interventions=["freeze W at 4", "release W at 8", "freeze W at 8"]))
    assert np.array_equal(frozen[4]["W_1"], frozen[12]["W_1"])
    released = seen(parameters(interventions=["release W at 8", "freeze W at 4"], relative_learning_rates="V:0"))
    assert not np.array_equal(released[8]["W_1"], released[12]["W_1"])
    thawed = seen(parameters(relative_learning_rates="W_1:0", interventions="release W_1 at 8"))
    assert np.array_equal(thawed[0]["W_1"], thawed[8]["W_1"]) and not np.array_equal(
        thawed[8]["W_1"], thawed[12]["W_1"]
    )


def test_it_happens_after_the_sleep_and_before_the_evaluation():
    p = parameters(interventions="silence V at 6")
    schedule = schedule_for(p, n_evaluated=3)
    (places,) = schedule.interventions.values()
    assert schedule.n_presentations("wake", int(places[0])) == schedule.n_presentations("sleep", int(places[0])) == 6
    assert schedule.n_presentations("evaluation", int(places[0])) == 3
    asleep = sleep_schedule(p, 10, 5)
    assert [places.tolist() for places in asleep.interventions.values()] == [[6]]
    first = schedule_for(parameters(interventions="silence V at 0", sleep_before_presentations=7), n_evaluated=3)
    ((place,),) = first.interventions.values()
    assert first.n_presentations("sleep", int(place)) == 7 and first.n_presentations("wake", int(place)) == 0
    last = schedule_for(parameters(interventions="silence V at 12"), n_evaluated=3)
    ((place,),) = last.interventions.values()
    assert last.n_presentations("wake", int(place)) == 12 and len(last) - place == 3
    in_batches = schedule_for(parameters(interventions="silence V at 5", batch_size=4))
    ((place,),) = in_batches.interventions.values()
    assert in_batches.n_presentations("wake", int(place)) == 8


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"interventions": "silence V_2 at 13"}, r"silence V_2 at 13'.*before the end .*there are 12"),
        ({"interventions": "silence V_2 at 12"}, "before the end"),
        ({"interventions": "cut V_2 at 3"}, "must begin with one of silence"),
        ({"interventions": "silence V_2"}, "ACTION PROJECTION"),
        ({"interventions": "silence V_2 1.5 at 3"}, "at most 1"),
        ({"interventions": "silence V_2 nan at 3"}, "at most 1"),
        ({"interventions": "scale V_2 at 3"}, "by how much"),
        ({"interventions": "scale V_2 inf at 3"}, "finite"),
        ({"interventions": "freeze V_2 2 at 3"}, "no amount"),
        ({"interventions": "silence V_2 at -3"}, "number of presentations"),
        ({"interventions": "silence V_1 at 3"}, r"W_1, .*\(got 'silence V_1 at 3'\)"),
        ({"interventions": "freeze V at 3", "learning_rule": "random_feedback"}, "must name projections that learn"),
        ({"relative_learning_rates": "V:0", "learning_rule": "random_feedback"}, "learn by rule random_feedback"),
        ({"relative_learning_rates": "W_1:-1"}, "at least 0"),
        ({"relative_learning_rates": "W_1"}, "PROJECTION:FACTOR"),
        ({"relative_learning_rates": "W_1:0,W_1:1"}, "once"),
        ({"relative_learning_rates": "X:0"}, "must name projections that the hierarchy has"),
        ({"record": "V_7"}, "must name what the hierarchy has"),
        ({"interventions": "nothing,silence V_2 at 3"}, "ACTION PROJECTION"),
        ({"record": "V_2 !"}, "must hold names"),
        ({"lesion": "V_2"}, "interventions"),
    ],
)
def test_what_cannot_be_gets_a_sentence(given, sentence):
    with pytest.raises(ParameterError, match=sentence):
        schedule_for(parameters(**given))


def test_texts_are_kept_in_one_form():
    p = parameters(interventions=("silence  V_2  1.0  at 03", "scale W 2 at 1"), relative_learning_rates={"V_2": 0})
    assert p.interventions == ("silence V_2 at 3", "scale W 2.0 at 1") and p.relative_learning_rates == ("V_2:0.0",)
    assert parameters(interventions="nothing").content_hash == parameters().content_hash
    assert p.content_hash != parameters().content_hash


def test_a_function_changes_weights_on_the_device():
    def lesion(weights):
        weights.feedback[2][:, :2] = 0

    found = seen(parameters(relative_learning_rates="V:0"), function=lesion, at=6)
    assert found[6]["V_2"].all() and not found[12]["V_2"][:, :2].any() and found[12]["V_2"][:, 2:].all()
    swapped = seen(parameters(), function=lambda weights: initial_weights(parameters(), 1), at=11)
    assert not np.array_equal(swapped[11]["W_2"], swapped[0]["W_2"])
    with pytest.raises(ParameterError, match="must return weights, or nothing"):
        seen(parameters(), function=lambda weights: 3, at=6)
    with pytest.raises(ZeroDivisionError):
        seen(parameters(), function=lambda weights: 1 / 0, at=6)
    for function, at in ((lesion, -5), (lesion, 4.5), (lesion, "4"), (3, 4)):
        with pytest.raises(ParameterError, match=r"must be a function, and a whole number of presentations at least 0"):
            seen(parameters(), function=function, at=at)


def test_cortex_freezes_and_releases(tmp_path):
    cortex = Cortex((5, 6, 3), seed=1, learning_rate=0.05, sleep_learning_rate=0.02, device="runtime")
    before = cortex.freeze("W_1", "V").sleep(5).wake(X, Y).weights.named()
    fresh = Cortex((5, 6, 3), seed=1).weights.named()
    assert {name for name in fresh if np.array_equal(fresh[name], before[name])} == {"W_1", "V_2"}
    loaded = Cortex.load(cortex.save(tmp_path / "frozen.nc"))
    for each in (cortex, loaded):
        each.release("V").wake(X, Y)
        assert np.array_equal(each.W[1], fresh["W_1"]) and not np.array_equal(each.V[2], fresh["V_2"])
    assert cortex.weights.sha256 == loaded.weights.sha256
    assert "freeze W_1 V" in [entry["what"] for entry in cortex.history]
    with pytest.raises(ParameterError, match="learn by rule"):
        Cortex((5, 6, 3), "random_feedback").freeze("V_2")
    for wrong in ("V_9", ["V_2", "W_1"], "b_0"):
        with pytest.raises(ParameterError, match=r"^Cortex\.freeze: must name"):
            Cortex((5, 6, 3)).freeze(wrong)
    with pytest.raises(ParameterError, match=r"Cortex\.interventions: must be left out"):
        Cortex((5, 6, 3), interventions="silence V at 3")


# ---------------------------------------------------------------------- runs
TEXTS = ["silence V_2 0.5 at 400", "freeze W_1 at 800", "shuffle W_2 at 1200"]


@pytest.fixture(scope="module")
def given(tiny):
    return tiny | {"learning_rate": 0.05, "interventions": TEXTS, "record": "V,rate", "record_stimuli": (3, 1)}


@pytest.fixture(scope="module")
def finished(given, tmp_path_factory):
    return run(PROTOCOL, seed=2, device="runtime", out=str(tmp_path_factory.mktemp("runs")), **given)


def test_recordings_are_what_the_hierarchy_was(finished):
    recorded, weights = finished.recordings(), finished.weights()
    assert recorded["look"].equals(finished.measures()["look"]) and recorded["stimulus"].values.tolist() == [3, 1]
    assert np.array_equal(recorded["V_2"][-1], weights.feedback[2]) and recorded["rate_0"].shape[1:] == (2, 64)
    test = finished.description()["parameters"]
    data = load_protocol(PROTOCOL).parameters(**test).data()
    shown = data.stimuli("standardised", "float32")[1][[3, 1]]
    assert np.allclose(Cortex.load(finished.path).rates(shown)[2], recorded["rate_2"][-1], atol=1e-12)
    assert not (finished.path / "recordings").exists()


@pytest.mark.parametrize("n_chunks", [1, 3, 4])
def test_a_run_stopped_anywhere_ends_in_the_same_bits(n_chunks, finished, given, tmp_path):
    class Stopped(Exception):
        pass

    calls = []

    def stop(*_):
        calls.append(1)
        if len(calls) > n_chunks:
            raise Stopped

    parameters = load_protocol(PROTOCOL).parameters(**given)
    with pytest.raises(Stopped):
        start(PROTOCOL, parameters, 2, "runtime", tmp_path, stop)
    (folder,) = tmp_path.iterdir()
    n_looks = len(RunDirectory(folder).recordings()["look"])
    again = start(PROTOCOL, parameters, 2, "runtime", tmp_path)
    assert 1 <= n_looks <= len(finished.recordings()["look"])
    assert again["weights_sha256"] == finished.summary()["weights_sha256"]
    assert RunDirectory(folder).recordings().identical(finished.recordings())


def test_a_run_killed_while_it_finishes_keeps_its_recordings(given, finished, tmp_path, monkeypatch):
    """Whether the summary is there already or not."""
    parameters = load_protocol(PROTOCOL).parameters(**given)

    def die(path, content=None):
        if content is None or path.name == "summary.json":
            raise KeyboardInterrupt
        write_json(path, content)

    for where in ("write_json", "recording.clear_parts"):
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(f"cortex_model.runs.directory.{where}", die)
            start(PROTOCOL, parameters, 2, "runtime", tmp_path / where)
        summary = start(PROTOCOL, parameters, 2, "runtime", tmp_path / where)
        assert RunDirectory(summary["run_dir"]).recordings().identical(finished.recordings())


def test_more_epochs_keep_what_was_frozen_and_do_nothing_twice(finished, given, tmp_path):
    more = go_on(finished.path, {"epochs": 1})
    assert not more["warnings"]
    longer = run(PROTOCOL, seed=2, device="runtime", out=str(tmp_path), **given | {"epochs": 2})
    assert more["weights_sha256"] == longer.summary()["weights_sha256"]
    parameters = RunDirectory(more["run_dir"]).parameters
    assert parameters["relative_learning_rates"] == ["W_1:0.0"] and parameters["interventions"] == []
    assert np.array_equal(Cortex.load(finished.path).wake(np.ones((2, 64)), [0, 1]).W[1],
                          finished.weights().forward[1])  # fmt: skip


def test_a_protocol_of_ones_own_intervenes_by_a_function(tiny, tmp_path):
    (tmp_path / "lesion.py").write_text(
        '''"""What do three silent columns of V do?"""
from dataclasses import replace

from cortex_model.protocol import load_protocol

STOCK = load_protocol("wake_sleep_classification")


def lesion(weights):
    weights.feedback[2][:, :3] = 0


def run(run):
    run.intervene(lesion, at=1430)
    return STOCK.run(run)


PROTOCOL = replace(STOCK, name="lesion", question="What do three silent columns of V do?", run=run)
'''
    )
    rates = {"relative_learning_rates": "V:0"}
    lesioned = run(str(tmp_path / "lesion.py"), seed=1, device="runtime", out=str(tmp_path), **tiny | rates)
    intact = run(PROTOCOL, seed=1, device="runtime", out=str(tmp_path), **tiny | rates)
    assert not lesioned.weights().feedback[2][:, :3].any() and intact.weights().feedback[2].all()


@pytest.mark.compiler
def test_networks_of_one_compiled_program_have_interventions_of_their_own():
    every = [
        parameters(interventions="freeze W_1 at 4,silence V_2 0.5 at 8"),
        parameters(interventions="freeze V at 6"),
        parameters(relative_learning_rates="W_2:0.5"),
    ]
    runs = [
        NetworkRun(schedule_for(p), initial_weights(p, 1), {"noise_seed": 4, **p.rule_values},
                   remembered=declared(p).remembered)
        for p in every
    ]  # fmt: skip
    simulation = Simulation(every[0], "cpp_standalone", ensemble_size=len(every))
    found = [state.weights.named() for state in simulation.run_ensemble(runs, Stimuli((X, Y)))]
    for p, own in zip(every, found, strict=True):
        alone = seen(p)
        for name, matrix in own.items():
            assert np.allclose(matrix, alone[12][name], rtol=1e-5, atol=1e-6), name
    assert len({own["V_2"].tobytes() for own in found}) == len({own["W_1"].tobytes() for own in found}) == 3

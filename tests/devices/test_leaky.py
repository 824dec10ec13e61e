"""Rates that take time: the Brian2 strings are the theory in time, and after a long time the settled mode."""

import dataclasses

import numpy as np
import pytest

from cortex_model import theory
from cortex_model.devices.simulation import Member, Simulation
from cortex_model.equations import LEAKY_EQUATIONS
from cortex_model.network import leaky as axons
from cortex_model.phases import leaky as times
from cortex_model.weights import Weights

DEVICES = ["runtime", pytest.param("cpp_standalone", marks=pytest.mark.compiler)]
#: Times that are no multiples of each other, delays that differ from projection to projection.
LEAKY = {
    "dynamics": "leaky", "time_constant_ms": 10.0, "time_step_ms": 2.0, "presentation_ms": 46.0,
    "feedback_onset_ms": 22.0, "forward_delay_ms": (2.0, 0.0, 6.0), "feedback_delay_ms": (4.0, 8.0),
}  # fmt: skip
TO_INPUT = {"feedback_to_input": True, "feedback_delay_ms": (2.0, 4.0, 8.0)}
SLEEPING = [(rule, rate) for rule in theory.SLEEP_RULES for rate in (0.0, 0.005) if rule != "ben_israel" or rate == 0]


# ---------------------------------------------------------------------- equal to theory
@pytest.mark.parametrize("nonlinearity", theory.NONLINEARITIES)
def test_every_nonlinearity_equals_theory_in_time(scenario, check_simulator_equals_theory, nonlinearity):
    for top in theory.TOP_RATES:
        check_simulator_equals_theory(scenario(n_wake=8, nonlinearity=nonlinearity, top=top, **LEAKY))


@pytest.mark.parametrize("rule", LEARNING_RULES)
def test_every_rule_equals_theory_in_time(scenario, check_simulator_equals_theory, rule):
    check_simulator_equals_theory(scenario(n_wake=10, evaluate_every=7, learning_rule=rule, **LEAKY))


@pytest.mark.parametrize("normalised", [False, True], ids=["plain", "normalised"])
@pytest.mark.parametrize(("sleep_rule", "forward_rate"), SLEEPING)
def test_every_sleep_rule_equals_theory_in_time(
    scenario, check_simulator_equals_theory, sleep_rule, forward_rate, normalised
):
    options = {"sleep_rule": sleep_rule, "forward_sleep_learning_rate": forward_rate, "sleep_normalisation": normalised}
    check_simulator_equals_theory(scenario(n_wake=8, **LEAKY | TO_INPUT | options))


@pytest.mark.parametrize(
    "overrides",
    [
        {"slope_rule": "reciprocal", "slope_cutoff": 0.5},
        {"presynaptic_normalisation": True, "biases": False},
        {"damping": 0.5, "feedback_gain": "norm_matched", "gain_update_presentations": 4},
        {"feedback_onset_ms": 0.0, "forward_delay_ms": (0.0,), "feedback_delay_ms": (0.0,)},
        {"time_constant_ms": 1.0, "time_step_ms": 23.0, "feedback_onset_ms": 23.0, "forward_delay_ms": (0.0, 0.0, 23.0),
         "feedback_delay_ms": (0.0,)},
        {"layer_sizes": (3, 8, 8, 2, 1), "top": "sigmoid", "forward_delay_ms": (2.0,), "feedback_delay_ms": (6.0,)},
        {"presentation_ms": 2.0, "feedback_onset_ms": 0.0, "forward_delay_ms": (0.0,), "feedback_delay_ms": (0.0,)},
    ],
    ids=lambda overrides: ", ".join(f"{name}={value}" for name, value in overrides.items()),
)  # fmt: skip
def test_every_option_equals_theory_in_time(scenario, check_simulator_equals_theory, overrides):
    check_simulator_equals_theory(scenario(n_wake=10, evaluate_every=7, **LEAKY | overrides))


PROGRAMS = {
    "tanh": {},
    "softplus": {"nonlinearity": "softplus", "top": "linear", "forward_sleep_learning_rate": 0.005, "damping": 0.2}
    | TO_INPUT,
    "hinton_mcclelland": {"sleep_rule": "hinton_mcclelland", "forward_sleep_learning_rate": 0.005, "top": "sigmoid"},
    "ben_israel": {"sleep_rule": "ben_israel", "nonlinearity": "threshold_linear"},
}


@pytest.mark.compiler
@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_on_cpp_standalone_equal_theory_in_time(scenario, check_simulator_equals_theory, name):
    many = scenario(n_wake=10, evaluate_every=7, **LEAKY | PROGRAMS[name])
    check_simulator_equals_theory(many, "cpp_standalone")


@pytest.mark.compiler
def test_time_constants_durations_and_rules_share_a_program(scenario, check_simulator_equals_theory):
    default = Simulation(scenario(**LEAKY).parameters)
    default.build()
    for overrides in (
        {"time_constant_ms": 3.0}, {"presentation_ms": 60.0}, {"feedback_onset_ms": 30.0},
        {"learning_rule": "backpropagation"},
    ):  # fmt: skip
        other = scenario(n_wake=10, **LEAKY | overrides)
        simulation = Simulation(other.parameters)
        assert simulation.key == default.key
        check_simulator_equals_theory(other, simulation=simulation)
    for overrides in ({"time_step_ms": 1.0}, {"forward_delay_ms": (2.0,)}, {"feedback_delay_ms": (2.0,)}):
        assert Simulation(scenario(**LEAKY | overrides).parameters).key != default.key


@pytest.mark.compiler
@pytest.mark.slow
def test_the_cython_target_equals_theory_in_time(scenario, check_simulator_equals_theory):
    delays = {"forward_delay_ms": (2.0,), "feedback_delay_ms": (4.0,), "feedback_to_input": True}
    tiny = scenario(n_wake=5, layer_sizes=(3, 2), top="linear", biases=False, **LEAKY | delays)
    check_simulator_equals_theory(tiny, simulation=Simulation(tiny.parameters, "runtime", codegen_target="cython"))


def test_stock_brian2_equals_theory_in_time(scenario, check_simulator_equals_theory):
    check_simulator_equals_theory(scenario(n_wake=5, dense=False, **LEAKY))


# ---------------------------------------------------------------------- equal to the settled mode
#: 20 time constants for the stimulus, then 20 for the error; half cycles of sleep have 40.
LONG = LEAKY | {"time_step_ms": 8.0, "presentation_ms": 400.0, "feedback_onset_ms": 200.0, "forward_delay_ms": (8.0,),
                "feedback_delay_ms": (8.0,)}  # fmt: skip


def change(weights, start):
    """How each array has changed."""
    before = start.named()
    return {name: array - before[name] for name, array in weights.named().items()}


def difference_from_settled(scenario, simulate, **overrides):
    """Largest difference of rates, or of an array's change, from the settled mode's, relative to the largest there."""
    leaky = scenario(n_wake=3, **LONG | overrides)
    settled = scenario(n_wake=3, **overrides)
    assert settled.parameters.dynamics == "settled"
    (weights, rates), (expected, expected_rates) = simulate(leaky), simulate(settled)
    differences = [np.abs(rates - expected_rates).max() / np.abs(expected_rates).max()]
    its, others = change(weights, leaky.weights), change(expected, settled.weights)
    assert max(np.abs(other).max() for other in others.values()) > 1e-4
    for name, other in others.items():
        differences.append(np.abs(its[name] - other).max() / (np.abs(other).max() or 1.0))
    return max(differences)


@pytest.mark.parametrize("rule", LEARNING_RULES)
@pytest.mark.parametrize("nonlinearity", theory.NONLINEARITIES)
def test_long_presentations_equal_the_settled_mode(scenario, simulate, nonlinearity, rule):
    options = {"nonlinearity": nonlinearity, "learning_rule": rule}
    assert difference_from_settled(scenario, simulate, **options) <= 1e-5


@pytest.mark.parametrize(("sleep_rule", "forward_rate"), SLEEPING)
def test_long_sleep_equals_the_settled_mode(scenario, simulate, sleep_rule, forward_rate):
    options = {"sleep_rule": sleep_rule, "forward_sleep_learning_rate": forward_rate, "feedback_to_input": True}
    assert difference_from_settled(scenario, simulate, **options) <= 1e-5


def test_short_presentations_do_not(scenario, simulate):
    short = {"presentation_ms": 48.0, "feedback_onset_ms": 24.0}
    assert difference_from_settled(scenario, simulate, **short) > 1e-2


# ---------------------------------------------------------------------- broken on purpose
def an_equation(name, old, new):
    def change(patch):
        assert old in LEAKY_EQUATIONS[name]
        patch.setitem(LEAKY_EQUATIONS, name, LEAKY_EQUATIONS[name].replace(old, new))

    return change


def a_gate_at_another_time(gate, where, to):
    def change(patch):
        patch.setattr(times, where, getattr(times, where) - {gate})
        patch.setattr(times, to, getattr(times, to) | {gate})

    return change


BREAKS = {
    "delays dropped": lambda patch: patch.setattr(axons, "_arrives", lambda variable, delay: variable),
    "delays a step too short": lambda patch: patch.setattr(
        axons, "_arrives", lambda variable, delay: f"{variable}_{delay - 1}" if delay > 1 else variable
    ),
    "plasticity opens too early": a_gate_at_another_time("weight_update_gate", "AT_LAST", "THROUGHOUT"),
    "plasticity of sleep opens too early": a_gate_at_another_time("feedback_update_gate", "AT_LAST", "THROUGHOUT"),
    "no rest before a presentation": a_gate_at_another_time("rest_gate", "AT_FIRST", "AT_LAST"),
    "rates that jump": an_equation("layer_response", "rate += relaxation*(response - rate)", "rate = response"),
    "errors that jump": an_equation("activation_reciprocal", "relaxation*", ""),
    "compartments that jump": an_equation("compartments", "relaxation*", ""),
    "recirculation that carries the noise": an_equation("recirculation", "basal_response", "rate"),
    "an error that is not that of the present rate": an_equation("output_error", "rate", "response"),
}  # fmt: skip


@pytest.mark.parametrize("name", BREAKS)
def test_equality_with_theory_fails_where_time_is_broken(scenario, check_simulator_equals_theory, monkeypatch, name):
    def check():
        check_simulator_equals_theory(scenario(n_wake=4, damping=0.5, evaluate_every=2, **LEAKY))

    if name == "delays a step too short":  # the variables of one step are still there
        with monkeypatch.context() as patch:
            BREAKS[name](patch)
            with pytest.raises(AssertionError, match="simulator equals theory"):
                check()
        return
    check()
    BREAKS[name](monkeypatch)
    with pytest.raises(AssertionError, match="simulator equals theory"):
        check()


def test_long_presentations_no_longer_equal_the_settled_mode_with_plasticity_open_too_early(
    scenario, simulate, monkeypatch
):
    assert difference_from_settled(scenario, simulate) <= 1e-5
    a_gate_at_another_time("weight_update_gate", "AT_LAST", "THROUGHOUT")(monkeypatch)
    assert difference_from_settled(scenario, simulate) > 1e-2


# ---------------------------------------------------------------------- chunks, networks, batches
@pytest.mark.parametrize("device", DEVICES)
def test_chunks_and_resumption_change_no_bit(scenario, device):
    options = LEAKY | {"forward_sleep_learning_rate": 0.005, "damping": 0.2}
    many, whole = (scenario(n_wake=12, evaluate_every=5, chunk_presentations=n, **options) for n in (4, 1000))
    assert len(many.schedule.stops(many.parameters.chunk_slots)) > len(whole.schedule.stops(23_000)) == 5
    stops = []
    simulation = Simulation(many.parameters, device)
    end = simulation.run(*many[1:], at_stop=lambda stop: stops.append((stop.last, stop.weights)))
    in_one = Simulation(whole.parameters, device).run(*whole[1:])
    for name, array in in_one.weights.named().items():
        np.testing.assert_array_equal(end.weights.named()[name], array, err_msg=name)
    for last, weights in stops[1:-1:3]:
        assert last % many.parameters.n_steps == 0
        resumed = Simulation(many.parameters, device).run(
            many.schedule, many.stimuli, weights, many.numbers, first_slot=last
        )
        for name, array in in_one.weights.named().items():
            np.testing.assert_array_equal(resumed.weights.named()[name], array, err_msg=name)


@pytest.mark.parametrize("device", DEVICES)
def test_networks_side_by_side_are_what_they_are_alone(scenario, simulate, difference, device):
    """Seeds, rules and time constants; the same presentations."""
    networks = [
        {"seed": 0}, {"seed": 1, "learning_rule": "backpropagation"}, {"seed": 2, "time_constant_ms": 4.0},
        {"seed": 3, "learning_rule": "random_feedback", "damping": 0.3},
    ]  # fmt: skip
    scenarios = [scenario(n_wake=12, evaluate_every=5, **LEAKY | network) for network in networks]
    simulation = Simulation(scenarios[0].parameters, device, ensemble_size=len(scenarios))
    members = [Member(each.schedule, each.weights, each.numbers) for each in scenarios]
    for each, outcome in zip(scenarios, simulation.run_ensemble(members, scenarios[0].stimuli), strict=True):
        assert difference(outcome.weights, simulate(each, device)[0]) <= (1e-12 if device == "runtime" else 0)


@pytest.mark.parametrize("device", DEVICES)
def test_a_batch_changes_the_weights_by_the_mean_of_its_stimuli(scenario, simulate, difference, device):
    """Wake alone, one batch: each stimulus of it is shown alone, from the same weights."""
    options = LEAKY | {"learning_rule": "backpropagation"}
    batch = scenario(n_wake=3, batch_size=3, **options)
    weights, rates = simulate(batch, device)
    alone = []
    for at in range(3):
        one = scenario(n_wake=1, **options)
        shown = batch.schedule.stimulus[batch.schedule.kind == 0][0, at]
        stimulus = np.where(one.schedule.kind[:, None] == 0, shown, one.schedule.stimulus).astype(np.int32)
        alone.append(simulate(one._replace(schedule=dataclasses.replace(one.schedule, stimulus=stimulus)), device)[0])
    named = batch.weights.named()
    mean = {name: np.mean([each.named()[name] for each in alone], axis=0) for name in named}
    assert difference(weights, batch.weights) > 1e-4
    assert difference(weights, Weights.from_named(mean)) <= 1e-12
    assert rates.shape == (5 * 2, 4)

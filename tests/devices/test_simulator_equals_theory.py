"""Every rule, nonlinearity and option: the simulator gives what theory predicts, on each device."""

import itertools

import numpy as np
import pytest

from cortex_model import theory
from cortex_model.devices.simulation import Simulation
from cortex_model.parameters import LEARNING_RULES
from cortex_model.weights import Weights

#: Largest max|difference| / max|weights| after 200 presentations of wake and 200 of sleep, and why.
TOLERANCES = {
    "one presentation": (1e-12, "a few roundings; sums may run in another order"),
    "reciprocal": (1e-12, "recirculation contracts, so roundings do not grow"),
    "random_feedback": (1e-12, "only wake learns, in small steps"),
    "backpropagation": (1e-12, "only wake learns, in small steps"),
    "exact_pseudoinverse": (1e-11, "a rounding in W comes back in W^+ times the squared condition number"),
    "weight_mirror": (1e-12, "a leaky mean of noise forgets roundings"),
    "direct_feedback": (1e-12, "only wake learns, in small steps"),
    "kolen_pollack": (1e-12, "only wake learns, in small steps, and decays"),
    "ben_israel": (1e-11, "V - VWV has no noise floor, but nothing forgets roundings off its range either"),
    "hinton_mcclelland": (1e-12, "recirculation at a smaller step, with the same contraction"),
    "float32": (5e-6, "400 updates of roundings of 6e-8 each, at random"),
    "float32 between devices": (5e-6, "the same, with sums in another order"),
}
TOPS = tuple(theory.TOP_RATES)
BOOLEANS = (False, True)


def tolerance(parameters):
    sleeps_by = parameters.sleep_rule if parameters.learning_rule == "reciprocal" else ""
    return TOLERANCES.get(sleeps_by, TOLERANCES[parameters.learning_rule])[0]


def check_one_and_two_hundred(scenario, check, device, **overrides):
    one = scenario(n_wake=1, **overrides)
    simulation = Simulation(one.parameters, device)
    check(one, tolerance=TOLERANCES["one presentation"][0], simulation=simulation)
    many = scenario(n_wake=200, evaluate_every=70, **overrides)
    check(many, tolerance=tolerance(many.parameters), simulation=simulation)


@pytest.mark.parametrize("rule", LEARNING_RULES)
@pytest.mark.parametrize("top", TOPS)
@pytest.mark.parametrize("nonlinearity", theory.NONLINEARITIES)
def test_every_rule_nonlinearity_and_top_on_runtime(scenario, check_simulator_equals_theory, nonlinearity, top, rule):
    check_one_and_two_hundred(
        scenario, check_simulator_equals_theory, "runtime", nonlinearity=nonlinearity, top=top, learning_rule=rule
    )


SLEEPING = [(rule, rate) for rule in theory.SLEEP_RULES for rate in (0.0, 0.005) if rule != "ben_israel" or rate == 0]


@pytest.mark.parametrize("to_input", BOOLEANS, ids=["no V_1", "V_1"])
@pytest.mark.parametrize("normalised", BOOLEANS, ids=["plain", "normalised"])
@pytest.mark.parametrize(("sleep_rule", "forward_rate"), SLEEPING)
def test_every_sleep_rule_on_runtime(
    scenario, check_simulator_equals_theory, sleep_rule, forward_rate, normalised, to_input
):
    check_one_and_two_hundred(
        scenario,
        check_simulator_equals_theory,
        "runtime",
        sleep_rule=sleep_rule,
        forward_sleep_learning_rate=forward_rate,
        sleep_normalisation=normalised,
        feedback_to_input=to_input,
    )


@pytest.mark.parametrize(
    "overrides",
    [
        {"slope_rule": "reciprocal", "slope_cutoff": 0.5},
        {"slope_rule": "none"},
        {"slope_rule": "reciprocal", "nonlinearity": "threshold_linear"},
        {"presynaptic_normalisation": True},
        {"presynaptic_normalisation": True, "biases": False},
        {"presynaptic_normalisation": True, "learning_rule": "backpropagation"},
        {"biases": False},
        {"damping": 0.3},
        {"damping": 0.3, "feedback_gain": "none"},
        {"damping": 2.0, "forward_sleep_learning_rate": 0.005},
        {"damping": 0.5, "feedback_gain": "norm_matched", "gain_update_presentations": 4},
        {"learning_rule": "exact_pseudoinverse", "pseudoinverse_every_presentations": 1},
        {"learning_rule": "exact_pseudoinverse", "pseudoinverse_every_presentations": 30},
        {"sleep_rule": "hinton_mcclelland", "regression": 0.0, "forward_sleep_learning_rate": 0.005},
        {"sleep_rule": "hinton_mcclelland", "damping": 0.1, "feedback_gain": "none"},
        {"sleep_rule": "ben_israel", "damping": 0.1, "feedback_gain": "none"},
        {"noise_distribution": "gaussian"},
        {"noise_distribution": "rademacher"},
        {"sleep_per_wake": 0.3, "sleep_before_presentations": 5, "sleep_block_presentations": 4},
        {"sleep_per_wake": 2.5, "layer_sizes": (4, 6)},
        {"layer_sizes": (3, 8, 8, 2, 1), "top": "sigmoid"},
        {"initial_weights": "he", "initial_feedback_scale": 0.1},
    ],
    ids=lambda overrides: ", ".join(f"{name}={value}" for name, value in overrides.items()),
)
def test_every_option_on_runtime(scenario, check_simulator_equals_theory, overrides):
    many = scenario(n_wake=200, evaluate_every=70, **overrides)
    if overrides.get("layer_sizes") == (4, 6):  # one layer, no reciprocal pair: nothing that could sleep
        assert not many.weights.feedback
    check_simulator_equals_theory(many, tolerance=tolerance(many.parameters))


@pytest.mark.compiler
def test_every_program_on_cpp_standalone(scenario, check_simulator_equals_theory, program):
    check_one_and_two_hundred(scenario, check_simulator_equals_theory, "cpp_standalone", **program)


def test_programs_hold_every_nonlinearity_top_and_sleep_rule(programs):
    held = {choice for overrides in programs.values() for choice in overrides.values() if isinstance(choice, str)}
    everything = {*theory.NONLINEARITIES, *TOPS, *theory.SLEEP_RULES}
    assert everything - held == {"tanh", "softmax", "recirculation"}, "what is left must be the defaults"


@pytest.mark.compiler
@pytest.mark.parametrize("rule", [rule for rule in LEARNING_RULES if rule != "direct_feedback"])
def test_every_rule_on_cpp_standalone_from_one_program(scenario, check_simulator_equals_theory, rule):
    default = Simulation(scenario().parameters)
    default.build()
    many = scenario(n_wake=200, learning_rule=rule)
    simulation = Simulation(many.parameters)
    assert simulation.key == default.key
    check_simulator_equals_theory(many, simulation=simulation, tolerance=tolerance(many.parameters))
    assert simulation._hierarchy is None, "a program that is there already needs no Brian2 objects"


@pytest.mark.compiler
def test_direct_feedback_on_cpp_standalone_has_a_program_of_its_own(scenario, check_simulator_equals_theory):
    many = scenario(n_wake=200, learning_rule="direct_feedback")
    assert [v.shape for v in many.weights.feedback.values()] == [(5, 4), (6, 4)], "from the top to each population"
    assert Simulation(many.parameters).key != Simulation(scenario().parameters).key
    check_simulator_equals_theory(many, "cpp_standalone", tolerance=tolerance(many.parameters))


@pytest.mark.compiler
@pytest.mark.slow
def test_reciprocal_on_the_cython_target(scenario, check_simulator_equals_theory):
    """One small hierarchy: cython compiles every code object by itself, two to three seconds each."""
    tiny = scenario(n_wake=20, layer_sizes=(3, 2), feedback_to_input=True, top="linear", biases=False)
    simulation = Simulation(tiny.parameters, "runtime", codegen_target="cython")
    check_simulator_equals_theory(tiny, simulation=simulation)


# ---------------------------------------------------------------------- backpropagation
@pytest.mark.parametrize("top", TOPS)
@pytest.mark.parametrize("nonlinearity", theory.NONLINEARITIES)
def test_backpropagation_equals_finite_differences(scenario, simulate, nonlinearity, top):
    """One wake presentation moves W and b by -learning_rate times the gradient, taken by central differences."""
    biases = {f"b_{level}": np.linspace(-0.1, 0.4, n) for level, n in ((1, 5), (2, 6), (3, 4))}
    one = scenario(n_wake=1, nonlinearity=nonlinearity, top=top, learning_rule="backpropagation", given=biases)
    after, _ = simulate(one)
    stimulus, target = (part[one.schedule.stimulus[one.schedule.kind == 0, 0][0]] for part in one.stimuli.wake)

    def loss(named):
        weights = Weights.from_named(named)
        _, rates = theory.hierarchy_response(weights.forward, weights.biases, stimulus, nonlinearity, top)
        return theory.output_loss(rates[3], target, top)

    start, step = one.weights.named(), 1e-5
    for name, array in after.named().items():
        if name.startswith("V"):
            continue
        gradient = np.zeros_like(array)
        for index in itertools.product(*map(range, array.shape)):
            shifted = {sign: {n: a.copy() for n, a in start.items()} for sign in (-1, 1)}
            for sign in shifted:
                shifted[sign][name][index] += sign * step
            gradient[index] = (loss(shifted[1]) - loss(shifted[-1])) / (2 * step)
        update = (array - start[name]) / -one.parameters.learning_rate
        assert np.abs(update - gradient).max() <= 1e-6 * np.abs(gradient).max(), name


@pytest.mark.parametrize("device", ["runtime", pytest.param("cpp_standalone", marks=pytest.mark.compiler)])
def test_backpropagation_keeps_feedback_the_exact_transpose(scenario, simulate, device):
    after, _ = simulate(scenario(n_wake=200, learning_rule="backpropagation"), device)
    for level, feedback in after.feedback.items():
        assert np.abs(feedback - np.asarray(after.forward[level]).T).max() == 0


# ---------------------------------------------------------------------- float32
def test_float32_equals_theory_to_its_own_rounding(scenario, check_simulator_equals_theory):
    check_simulator_equals_theory(scenario(n_wake=200, dtype="float32"), tolerance=TOLERANCES["float32"][0])


@pytest.mark.compiler
def test_float32_is_the_same_on_both_devices_up_to_rounding(scenario, simulate, difference):
    single = scenario(n_wake=200, dtype="float32")
    (runtime, rates), (compiled, compiled_rates) = simulate(single), simulate(single, "cpp_standalone")
    assert {array.dtype for array in compiled.named().values()} == {np.dtype("float32")}
    limit = TOLERANCES["float32 between devices"][0]
    assert difference(compiled, runtime) <= limit
    assert np.abs(compiled_rates - rates).max() <= limit

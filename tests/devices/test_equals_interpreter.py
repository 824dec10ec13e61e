"""What runs is what is declared: every rule, nonlinearity and option, on each device.

The interpreter is compared with theory, over the whole product of rules and options, in ``tests/language``.
"""

import itertools

import numpy as np
import pytest

from cortex_model import theory
from cortex_model.devices import program, session
from cortex_model.devices.simulation import Simulation
from cortex_model.rules import shipped
from cortex_model.schedule.declared import program_kind
from cortex_model.weights import Weights

#: Largest max|difference| / max|weights| after some tens of presentations, and why.
TOLERANCES = {
    "float64": (1e-12, "a few roundings; sums may run in another order"),
    "exact_pseudoinverse": (1e-11, "a rounding in W comes back in W^+ times the squared condition number"),
    "float32": (5e-6, "some hundred updates of roundings of 6e-8 each, at random"),
}
#: Numbers of each rule that learns targets with which everything that it has happens.
RULES = {
    **{name: {} for name, rule in shipped().items() if rule.task == "targets"},
    "reciprocal": {"forward_sleep_learning_rate": 0.005, "damping": 0.3, "feedback_gain": "norm_matched",
                   "gain_update_presentations": 5},
    "weight_mirror": {"damping": 0.5},
    "hinton_mcclelland": {"forward_sleep_learning_rate": 0.005, "damping": 0.1},
    "ben_israel": {"damping": 0.1},
    "exact_pseudoinverse": {"pseudoinverse_every_presentations": 4},
    "random_feedback": {"feedback_noise": 0.1, "feedback_levels": 9, "perturb_every_presentations": 4},
}  # fmt: skip
DEVICES = ["runtime", pytest.param("cpp_standalone", marks=[pytest.mark.compiler, pytest.mark.slow])]
ALIKE = program_kind(shipped()["reciprocal"])
SHARING = [rule for rule in RULES if program_kind(shipped()[rule]) == ALIKE]
#: Rules whose wake is their own: in rounds, or with biases of feedback; what each has beside its defaults.
OF_THEIR_OWN = {
    "errors": {"learning_rule": "predictive_coding", "inference_steps": 4, "top_precision": 0.5},
    "errors, sleep": {"learning_rule": "predictive_coding", "inference_steps": 2, "feedback_learning": "sleep",
                      "forward_sleep_learning_rate": 0.005, "damping": 0.3, "feedback_gain": "norm_matched",
                      "gain_update_presentations": 5},
    "errors, hebbian": {"learning_rule": "predictive_coding", "inference_steps": 3, "feedback_learning": "hebbian"},
    "targets": {"learning_rule": "target_propagation", "difference": True},
    "targets, plain": {"learning_rule": "target_propagation", "difference": False, "damping": 0.5},
}  # fmt: skip
LEAKY = {"dynamics": "leaky", "time_step_ms": 2.0, "presentation_ms": 30.0, "feedback_onset_ms": 10.0,
         "forward_delay_ms": (2.0, 0.0, 6.0), "feedback_delay_ms": (4.0, 2.0)}  # fmt: skip
IN_BATCHES = {"batch_size": 3, "presynaptic_normalisation": True, "sleep_normalisation": True}


def tolerance(parameters):
    return TOLERANCES.get(parameters.learning_rule, TOLERANCES[parameters.dtype])[0]


#: One rule for each program: the runtime device generates its code anew for each run.
ON_RUNTIME = {
    "tanh": "reciprocal", "linear": "hinton_mcclelland", "threshold_linear": "ben_israel",
    "softplus in time": "reciprocal", "sigmoid in batches": "kolen_pollack",
}  # fmt: skip


def given_for(scenario, program, rule, n_wake):
    return scenario(n_wake=n_wake, evaluate_every=7, learning_rule=rule, **program | RULES[rule])


@pytest.mark.parametrize("mode", [{}, IN_BATCHES, LEAKY], ids=["settled", "batches", "in time"])
@pytest.mark.parametrize("name", OF_THEIR_OWN)
def test_rules_whose_wake_is_their_own_on_runtime(scenario, check_equals_interpreter, name, mode):
    given = scenario(n_wake=4, evaluate_every=3, **OF_THEIR_OWN[name] | mode)
    check_equals_interpreter(given, tolerance=tolerance(given.parameters))


@pytest.mark.compiler
@pytest.mark.slow
@pytest.mark.parametrize("rule", ["predictive_coding", "target_propagation"])
def test_rules_whose_wake_is_their_own_on_cpp_standalone(scenario, check_equals_interpreter, rule):
    """In batches; forms of a rule share a program, and how often it infers is a number."""
    simulation = None
    for its in (its for its in OF_THEIR_OWN.values() if its["learning_rule"] == rule):
        given = scenario(n_wake=30, evaluate_every=7, **its | IN_BATCHES)
        simulation = simulation or Simulation(given.parameters)
        assert Simulation(given.parameters).key == simulation.key
        check_equals_interpreter(given, tolerance=tolerance(given.parameters), simulation=simulation)


@pytest.mark.parametrize("name", ON_RUNTIME)
def test_programs_on_runtime(scenario, check_equals_interpreter, programs, name, alone):
    if name != "tanh":  # one of them with all rules
        alone(ON_RUNTIME[name])
    given = given_for(scenario, programs[name], ON_RUNTIME[name], 6)
    check_equals_interpreter(given, tolerance=tolerance(given.parameters))


@pytest.mark.parametrize("rule", ["exact_pseudoinverse", "random_feedback", "backpropagation", "weight_mirror"])
def test_other_rules_on_runtime(scenario, check_equals_interpreter, alone, rule):
    alone(rule)
    given = given_for(scenario, {"layer_sizes": (5, 4, 3)}, rule, 6)
    check_equals_interpreter(given, tolerance=tolerance(given.parameters))


@pytest.mark.compiler
@pytest.mark.slow
@pytest.mark.parametrize("name", ON_RUNTIME)
def test_every_rule_and_program_on_cpp_standalone(scenario, check_equals_interpreter, programs, name):
    """All rules on one simulation: they share a program."""
    simulation = Simulation(scenario(**programs[name]).parameters)
    for rule in SHARING:
        given = given_for(scenario, programs[name], rule, 30 if "time" in name else 60)
        assert Simulation(given.parameters).key == simulation.key, rule
        check_equals_interpreter(given, tolerance=tolerance(given.parameters), simulation=simulation)


def test_programs_hold_every_nonlinearity_and_top(programs):
    held = {choice for overrides in programs.values() for choice in overrides.values() if isinstance(choice, str)}
    assert {*theory.NONLINEARITIES, *theory.TOP_RATES} - held == {"tanh", "softmax"}, "what is left are the defaults"


@pytest.mark.parametrize("device", DEVICES)
def test_direct_feedback_has_a_program_of_its_own(scenario, check_equals_interpreter, device):
    dtype = "float64" if device == "runtime" else "float32"  # so that another test has its program
    many = scenario(n_wake=40, learning_rule="direct_feedback", dtype=dtype)
    assert [v.shape for v in many.weights.feedback.values()] == [(5, 4), (6, 4)], "from the top to each population"
    assert Simulation(many.parameters, device).key != Simulation(scenario(dtype=dtype).parameters, device).key
    check_equals_interpreter(many, device, tolerance(many.parameters))


@pytest.mark.compiler
@pytest.mark.slow
def test_a_program_that_is_there_already_needs_no_brian2_objects(scenario, check_equals_interpreter):
    Simulation(scenario().parameters).build()
    many = scenario(n_wake=40, learning_rule="backpropagation")
    simulation = Simulation(many.parameters)
    check_equals_interpreter(many, simulation=simulation)
    assert simulation._hierarchy is None


@pytest.mark.compiler
@pytest.mark.slow
def test_times_share_a_program_and_what_is_compiled_in_does_not(scenario, check_equals_interpreter, programs):
    in_time = programs["softplus in time"]
    default = Simulation(scenario(**in_time).parameters)
    for overrides in ({"time_constant_ms": 3.0}, {"presentation_ms": 60.0}, {"feedback_onset_ms": 4.0}):
        other = scenario(n_wake=5, **in_time | overrides)
        assert Simulation(other.parameters).key == default.key
        check_equals_interpreter(other, simulation=default)
    for overrides in ({"time_step_ms": 1.0}, {"forward_delay_ms": (2.0,)}, {"feedback_delay_ms": (2.0,)}):
        assert Simulation(scenario(**in_time | overrides).parameters).key != default.key


@pytest.mark.compiler
@pytest.mark.slow
def test_the_cython_target(scenario, check_equals_interpreter, few_events, monkeypatch):
    """Gates, sums, noise, plasticity and spikes; not optimised, which would take most of the time."""
    for module in (session, program):
        monkeypatch.setattr(module, "COMPILER_FLAGS", ["-w", "-O0"])
    tiny = scenario(n_wake=5, evaluate_every=2, layer_sizes=(3, 2), learning_rule=few_events)
    simulation = Simulation(tiny.parameters, "runtime", codegen_target="cython")
    check_equals_interpreter(tiny, simulation=simulation)


def test_stock_brian2_in_time(scenario, check_equals_interpreter, leaky, alone):
    alone("reciprocal")
    check_equals_interpreter(scenario(n_wake=5, dense=False, **leaky))


@pytest.mark.parametrize("layer_sizes", [(4, 6), (3, 8, 8, 2, 1)])
def test_other_depths(scenario, check_equals_interpreter, layer_sizes, alone):
    alone("reciprocal")
    check_equals_interpreter(scenario(n_wake=10, layer_sizes=layer_sizes, top="sigmoid", sleep_per_wake=2.5))


# ---------------------------------------------------------------------- backpropagation
def test_backpropagation_equals_finite_differences(scenario, simulate, alone):
    """One wake presentation moves W and b by -learning_rate times the gradient, taken by central differences."""
    alone("backpropagation")
    biases = {f"b_{level}": np.linspace(-0.1, 0.4, n) for level, n in ((1, 5), (2, 6), (3, 4))}
    one = scenario(n_wake=1, learning_rule="backpropagation", given=biases)
    after, _ = simulate(one)
    stimulus, target = (part[one.schedule.stimulus[one.schedule.phase == 0, 0][0]] for part in one.stimuli.wake)

    def loss(named):
        weights = Weights.from_named(named)
        _, rates = theory.hierarchy_response(weights.forward, weights.biases, stimulus)
        return theory.output_loss(rates[3], target)

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


@pytest.mark.parametrize("device", DEVICES)
def test_backpropagation_keeps_feedback_the_exact_transpose(scenario, simulate, device, alone):
    if device == "runtime":
        alone("backpropagation")
    given = scenario(n_wake=100, learning_rule="backpropagation", dtype="float32")
    after, _ = simulate(given, device)
    assert np.abs(after.forward[2] - given.weights.forward[2]).max() > 1e-3
    for level, feedback in after.feedback.items():
        assert np.abs(feedback - np.asarray(after.forward[level]).T).max() == 0


# ---------------------------------------------------------------------- float32
@pytest.mark.parametrize("device", DEVICES)
def test_float32_to_its_own_rounding(scenario, check_equals_interpreter, device, alone):
    if device == "runtime":
        alone("reciprocal")
    check_equals_interpreter(scenario(n_wake=100, dtype="float32"), device, tolerance=TOLERANCES["float32"][0])


# ---------------------------------------------------------------------- time
#: 20 time constants for the stimulus, then 20 for the error; half cycles of sleep have 40.
LONG = {"dynamics": "leaky", "time_constant_ms": 10.0, "time_step_ms": 8.0, "presentation_ms": 400.0,
        "feedback_onset_ms": 200.0, "forward_delay_ms": (8.0,), "feedback_delay_ms": (8.0,)}  # fmt: skip


def difference_from_settled(after, before, settled):
    """Largest difference of an array's change from the settled mode's, relative to the largest there."""
    start, others, found = before.named(), settled.named(), []
    for name, array in after.named().items():
        change = np.abs(others[name] - start[name]).max()
        found.append(np.abs(array - others[name]).max() / (change or 1.0))
    return max(found)


def test_long_presentations_equal_the_settled_mode_and_short_ones_do_not(scenario, simulate, alone):
    """Of the other rules, and without Brian2: ``tests/language``."""
    alone("reciprocal")
    options = {"n_wake": 2, "forward_sleep_learning_rate": 0.005, "layer_sizes": (5, 6, 4)}
    short = LONG | {"presentation_ms": 48.0, "feedback_onset_ms": 24.0}
    given = [scenario(**options, **times) for times in ({}, LONG, short)]
    settled, after_long, after_short = (simulate(each)[0] for each in given)
    assert difference_from_settled(after_long, given[0].weights, settled) <= 1e-5
    assert difference_from_settled(after_short, given[0].weights, settled) > 1e-2

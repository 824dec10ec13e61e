"""In time: what settles is what the settled functions give, at the pace that the time constant sets."""

import numpy as np
import pytest

from cortex_model import theory
from cortex_model.errors import ParameterError

SIZES, TIME_CONSTANT = (7, 5, 6, 4), 10.0
RNG = np.random.default_rng(0)
FORWARD = {l: RNG.normal(size=(SIZES[l], SIZES[l - 1])) / np.sqrt(SIZES[l - 1]) for l in (1, 2, 3)}
FEEDBACK = {l: RNG.normal(size=(SIZES[l - 1], SIZES[l])) / np.sqrt(SIZES[l]) for l in (1, 2, 3)}
BIASES = {l: RNG.normal(size=SIZES[l]) for l in (1, 2, 3)}
STIMULI, TARGET = RNG.normal(size=(7, 3)), np.eye(4)[1]
DELAYS = {"forward_delays_ms": {1: 2.0, 3: 6.0}, "feedback_delays_ms": {2: 4.0, 3: 2.0}}


def timing(n_time_constants=40.0, time_step_ms=2.0, **delays):
    """A presentation whose second half carries the error."""
    duration = n_time_constants * TIME_CONSTANT
    return theory.Timing.of_ms(TIME_CONSTANT, time_step_ms, duration, duration / 2, **delays)


def relative(a, b):
    return np.abs(a - b).max() / np.abs(b).max()


@pytest.mark.parametrize("delays", [{}, DELAYS], ids=["no delays", "delays"])
@pytest.mark.parametrize("top", theory.TOP_RATES)
@pytest.mark.parametrize("nonlinearity", theory.NONLINEARITIES)
def test_perception_settles_at_the_response(nonlinearity, top, delays):
    time = timing(20.0, **delays)
    rates, apical = theory.leaky_perception(FORWARD, BIASES, FEEDBACK, STIMULI, time, nonlinearity, top)
    _, settled = theory.hierarchy_response(FORWARD, BIASES, STIMULI, nonlinearity, top)
    for l, rate in rates.items():
        assert rate.shape == (time.n_steps, SIZES[l], 3)
        assert relative(rate[-1], settled[l]) <= 1e-5
    for l in FEEDBACK:
        assert relative(apical[l - 1][-1], FEEDBACK[l] @ settled[l]) <= 1e-5


@pytest.mark.parametrize("nonlinearity", theory.NONLINEARITIES)
def test_recall_settles_at_recall_after_recall(nonlinearity):
    top = RNG.normal(size=(4, 3))
    rates, _ = theory.leaky_recall(FEEDBACK, top, timing(20.0, **DELAYS), nonlinearity)
    expected = top
    for l in (3, 2, 1):
        expected = theory.recall(FEEDBACK[l], expected, nonlinearity if l > 1 else "linear")
        assert relative(rates[l - 1][-1], expected) <= 1e-5


RULES = {
    "plain": {},
    "backpropagation": {"feedback_follows_forward": True},
    "kolen_pollack": {"feedback_follows_forward": True, "weight_decay": 0.01},
    "normalised": {"presynaptic_normalisation": True},
    "reciprocal slope": {"slope_rule": "reciprocal"},
    "gains": {"feedback_gains": {2: 0.5, 3: 2.0}},
}


@pytest.mark.parametrize("options", RULES.values(), ids=RULES)
@pytest.mark.parametrize("nonlinearity", theory.NONLINEARITIES)
def test_a_long_wake_presentation_equals_the_settled_one(nonlinearity, options):
    """20 time constants for the stimulus, 20 for the error; changes of the weights are compared, not weights."""
    given = FORWARD, BIASES, FEEDBACK, STIMULI[:, 0], TARGET
    options = {"learning_rate": 0.1, "nonlinearity": nonlinearity} | options
    leaky = theory.leaky_wake_presentation(*given, timing(**DELAYS), **options)
    settled = theory.wake_presentation(*given, **options)
    short = theory.leaky_wake_presentation(*given, timing(4.0, **DELAYS), **options)
    for start, in_time, at_once, soon in zip((FORWARD, BIASES, FEEDBACK), leaky, settled, short, strict=True):
        for l in start:
            change = at_once[l] - start[l]
            if np.abs(change).max() > 0:
                assert relative(in_time[l] - start[l], change) <= 1e-5
                assert relative(soon[l] - start[l], change) > 1e-3, "a short presentation is not the settled one"
            else:
                assert np.array_equal(in_time[l], at_once[l])


@pytest.mark.parametrize("normalised", [False, True])
@pytest.mark.parametrize(
    ("rule", "forward_rate"),
    [(rule, r) for rule in theory.SLEEP_RULES for r in (0.0, 0.05) if rule != "ben_israel" or r == 0],
)
def test_a_long_sleep_presentation_equals_the_settled_one(rule, forward_rate, normalised):
    noises = ({l: RNG.normal(size=n) for l, n in enumerate(SIZES)} for _ in range(2))
    given = FORWARD, FEEDBACK, *noises
    options = {"sleep_learning_rate": 0.1, "forward_sleep_learning_rate": forward_rate, "sleep_rule": rule}
    options |= {"damping": 0.3, "sleep_normalisation": normalised}
    for delays in ({}, DELAYS):
        leaky = theory.leaky_sleep_presentation(*given, timing(20.0, **delays), **options)
        settled = theory.sleep_presentation(*given, **options)
        short = theory.leaky_sleep_presentation(*given, timing(2.0, **delays), **options)
        for start, in_time, at_once, soon in zip((FORWARD, FEEDBACK), leaky, settled, short, strict=True):
            for l in start:
                if start is FORWARD and forward_rate == 0:
                    assert np.array_equal(in_time[l], start[l])
                    continue
                assert relative(in_time[l] - start[l], at_once[l] - start[l]) <= 1e-5
                assert relative(soon[l] - start[l], at_once[l] - start[l]) > 1e-3


@pytest.mark.parametrize("time_step_ms", [0.1, 1.0, 5.0])
def test_one_population_relaxes_exactly_at_its_time_constant(time_step_ms):
    time = theory.Timing.of_ms(TIME_CONSTANT, time_step_ms, 100.0)
    rates, _ = theory.leaky_perception({1: FORWARD[1]}, None, {}, STIMULI, time, top="linear")
    left = np.abs(rates[1] - FORWARD[1] @ STIMULI).max(axis=(1, 2))
    at = time_step_ms * np.arange(1, time.n_steps + 1)
    assert np.polyfit(at, np.log(left), 1)[0] == pytest.approx(-1 / TIME_CONSTANT, rel=1e-6)
    np.testing.assert_allclose(rates[1][-1] / (FORWARD[1] @ STIMULI), 1 - np.exp(-100.0 / TIME_CONSTANT), rtol=1e-12)


def test_a_delay_moves_a_population_in_time_and_leaves_it_as_it_was():
    def upper_rates(**delays):
        return theory.leaky_perception(FORWARD, None, FEEDBACK, STIMULI, timing(20.0, **delays))[0]

    at_once, late = upper_rates(), upper_rates(forward_delays_ms={1: 6.0, 2: 4.0})
    assert np.all(late[1][:3] == 0) and np.all(late[2][:5] == 0)
    np.testing.assert_array_equal(late[1][3:], at_once[1][:-3])
    np.testing.assert_array_equal(late[2][5:], at_once[2][:-5])


def test_no_error_before_its_onset():
    given = FORWARD, BIASES, FEEDBACK, STIMULI[:, 0], TARGET
    late = theory.Timing(20, 0.2, onset=20)
    forward, _, _ = theory.leaky_wake_presentation(*given, late, learning_rate=0.1)
    assert np.array_equal(forward[1], FORWARD[1]) and np.array_equal(forward[2], FORWARD[2])
    assert np.abs(forward[3] - FORWARD[3]).max() > 1e-3, "the top has its error in the last step"


def test_times_are_whole_steps():
    with pytest.raises(ParameterError, match=r"^Timing\.presentation_ms: must be a whole number of time steps of 2 ms"):
        theory.Timing.of_ms(10, 2, 31)

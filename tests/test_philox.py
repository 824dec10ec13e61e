"""Counter-based random numbers: the published bits, the promised moments, the same bits in C++."""

import ctypes
import subprocess

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cortex_model.state.philox import (
    CPP_PHILOX,
    DESCENDING,
    NOISE_DISTRIBUTIONS,
    STREAMS,
    noise,
    order_of_stimuli,
    philox,
    population_noise,
    standard_normal,
)

WORD = st.integers(0, 2**32 - 1)

#: philox4x32 with 10 rounds, from Random123's file of known answers: counter, key, words.
KNOWN_ANSWERS = [
    ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
]
#: Distribution -> (fourth moment, largest size; None: unbounded).
SHAPES = {"uniform": (9 / 5, np.sqrt(3)), "gaussian": (3.0, None), "rademacher": (1.0, 1.0)}


def words(text):
    return [int(word, 16) for word in text.split()]


@pytest.mark.parametrize(("counter", "key", "expected"), KNOWN_ANSWERS)
def test_known_answers_of_random123(counter, key, expected):
    assert [int(word) for word in philox(words(counter), words(key))] == words(expected)


def test_different_counters_give_different_words():
    """With one key Philox is a permutation of the counters."""
    counter = np.arange(1 << 17)
    drawn = np.stack(philox((counter, 5, 7, 0), (1, 0)))
    assert len(np.unique(drawn, axis=1).T) == len(counter)


@given(st.lists(WORD, min_size=4, max_size=4), st.lists(WORD, min_size=2, max_size=2), st.integers(0, 3))
def test_arrays_are_drawn_as_their_elements(counter, key, varied):
    others = [*counter]
    others[varied] = np.array([counter[varied], 0, 1])
    together = philox(others, key)
    assert [int(word[0]) for word in together] == [int(word) for word in philox(counter, key)]
    assert all(int(word.max()) < 2**32 for word in together)


@pytest.mark.parametrize("distribution", NOISE_DISTRIBUTIONS)
def test_noise_has_mean_zero_variance_one_and_its_fourth_moment(distribution):
    fourth, largest = SHAPES[distribution]
    numbers = noise(11, 3, 2, np.arange(400_000), distribution)
    for power, expected in ((1, 0.0), (2, 1.0), (3, 0.0), (4, fourth)):
        moment = numbers**power
        assert abs(moment.mean() - expected) <= 5 * moment.std() / np.sqrt(len(numbers)) + 1e-12, power
    if largest is not None:
        assert np.abs(numbers).max() <= largest


def test_noise_of_different_use_is_uncorrelated():
    """Another seed, presentation, population or half cycle: another stream."""
    n = 100_000
    uses = [(1, 1, 1), (2, 1, 1), (1, 2, 1), (1, 1, 2), (1, 1, 1 + DESCENDING)]
    streams = [population_noise(*use, n) for use in uses] + [standard_normal(1, "forward_weights", 1, (n,))]
    correlations = np.corrcoef(streams)[np.triu_indices(len(streams), 1)]
    assert np.abs(correlations).max() < 5 / np.sqrt(n)


def test_streams_are_distinct():
    assert len(set(STREAMS.values())) == len(STREAMS)
    drawn = [tuple(int(w) for w in philox((0, 0, 0, 0), (1, stream))) for stream in STREAMS.values()]
    assert len(set(drawn)) == len(STREAMS)


def test_descending_populations_never_meet_ascending_ones():
    assert population_noise(1, 0, 3, 4, descending=True).tolist() == noise(1, 0, 3 + DESCENDING, np.arange(4)).tolist()
    assert DESCENDING > 10_000, "more populations than any hierarchy has"


@given(WORD, st.integers(0, 1000), st.integers(1, 200))
def test_order_of_stimuli_is_a_permutation(seed, epoch, n):
    assert sorted(order_of_stimuli(seed, epoch, n)) == list(range(n))


def test_order_of_stimuli_depends_on_seed_and_epoch_alone():
    order = order_of_stimuli(1, 2, 50).tolist()
    assert order == order_of_stimuli(1, 2, 50).tolist()
    assert order != order_of_stimuli(1, 3, 50).tolist()
    assert order != order_of_stimuli(2, 2, 50).tolist()


def test_standard_normal_for_weights():
    numbers = standard_normal(4, "forward_weights", 1, (300, 400))
    assert numbers.shape == (300, 400)
    assert abs(numbers.mean()) < 5 / np.sqrt(numbers.size)
    assert abs(numbers.var() - 1) < 5 * np.sqrt(2 / numbers.size)
    assert not np.array_equal(numbers, standard_normal(4, "feedback_weights", 1, (300, 400)))


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    """The C++ text as a library: words and noise of one neuron."""
    folder = tmp_path_factory.mktemp("philox")
    functions = "".join(
        f"""extern "C" double {name}(uint32_t key, uint32_t presentation, uint32_t population, uint32_t neuron)
        {{ uint32_t first, second; philox_words(key, presentation, population, neuron, &first, &second);
           return {expression}; }}\n"""
        for name, (_, expression) in (NOISE_DISTRIBUTIONS | {"first_word": (None, "first")}).items()
    )
    source = folder / "philox.cpp"
    source.write_text(f"#include <stdint.h>\n#include <math.h>\n{CPP_PHILOX}\n{functions}")
    subprocess.run(["g++", "-O3", "-shared", "-fPIC", source, "-o", folder / "philox.so"], check=True)
    library = ctypes.CDLL(str(folder / "philox.so"))

    def call(name, *arguments):
        function = library[name]
        function.restype, function.argtypes = ctypes.c_double, [ctypes.c_uint32] * 4
        return function(*arguments)

    return call


DRAWS = [(0, 0, 0, 0), (1, 2, 3, 4), (2**31 - 1, 10**6, DESCENDING + 3, 783), (2**32 - 1, 2**31, 7, 2**20)]


@pytest.mark.compiler
@pytest.mark.parametrize("draw", DRAWS, ids=str)
def test_cpp_draws_the_same_words(compiled, draw):
    key, presentation, population, neuron = draw
    assert compiled("first_word", *draw) == float(philox((neuron, population, presentation, 0), (key, 0))[0])


@pytest.mark.compiler
@pytest.mark.parametrize("distribution", NOISE_DISTRIBUTIONS)
def test_cpp_noise_is_the_same(compiled, distribution):
    """Bit by bit where only integers and exact products are used; a few ulp through log and cos."""
    neurons = np.arange(500)
    expected = noise(9, 8, 7, neurons, distribution)
    got = np.array([compiled(distribution, 9, 8, 7, int(neuron)) for neuron in neurons])
    if distribution == "gaussian":
        np.testing.assert_allclose(got, expected, rtol=1e-13, atol=1e-15)
    else:
        assert np.array_equal(got, expected)

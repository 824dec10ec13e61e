"""Noise as a Brian2 function: what reaches a population is what the NumPy reference draws."""

import re

import numpy as np
import pytest

from cortex_model.network.noise import noise_function
from cortex_model.state.philox import CPP_PHILOX, DESCENDING, NOISE_DISTRIBUTIONS, population_noise


@pytest.mark.parametrize("distribution", NOISE_DISTRIBUTIONS)
@pytest.mark.parametrize("descending", [False, True])
def test_the_function_draws_the_noise_of_a_population(distribution, descending):
    drawn = noise_function(distribution)(7, 11, 1 + DESCENDING * descending, np.arange(5))
    assert np.array_equal(drawn, population_noise(7, 11, 1, 5, distribution, descending))


def test_a_function_of_another_name_draws_the_same_and_does_not_get_in_its_way():
    """Rules draw ``uniform`` numbers beside noise of another distribution, in one program."""
    one, other = noise_function("uniform"), noise_function("uniform", "uniform_noise")
    assert np.array_equal(one(7, 11, 1, np.arange(5)), other(7, 11, 1, np.arange(5)))
    for target in ("cpp", "cuda"):
        defined = [defined_by(function, target) for function in (one, other)]
        assert defined == [{"philox_words", "noise"}, {"uniform_noise_philox_words", "uniform_noise"}], target


def defined_by(function, target):
    """Names of the functions that are defined in generated code."""
    return set(
        re.findall(r"^(?:static |__host__ |__device__ |inline )+\w+ (\w+)\(", text_of(function, target), re.MULTILINE)
    )


def text_of(function, target):
    code = function.implementations._implementations[target].get_code(None)
    return "".join(map(str, code.values())) if isinstance(code, dict) else str(code)


@pytest.mark.parametrize("distribution", NOISE_DISTRIBUTIONS)
@pytest.mark.parametrize("target", ["cpp", "cuda", "cython", "numpy"])
def test_every_target_has_an_implementation(distribution, target):
    assert target in noise_function(distribution).implementations._implementations


@pytest.mark.parametrize("distribution", NOISE_DISTRIBUTIONS)
@pytest.mark.parametrize("target", ["cpp", "cuda"])
def test_compiled_targets_share_one_text(distribution, target):
    """That text is compiled and compared bit by bit in the tests of philox."""
    text = text_of(noise_function(distribution), target)
    assert CPP_PHILOX.strip().removeprefix("static inline") in text.replace("__host__ __device__ ", "")
    literal = re.sub(r"\((\d+)/\(double\)(\d+)\)", lambda parts: str(int(parts[1]) / int(parts[2])), text)
    assert NOISE_DISTRIBUTIONS[distribution][1] in literal

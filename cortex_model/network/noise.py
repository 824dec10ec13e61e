"""The noise of sleep as a Brian2 function: the same integer arithmetic on every device."""

import re

from brian2 import check_units, declare_types, implementation

from cortex_model.state.philox import CPP_PHILOX, NOISE_DISTRIBUTIONS, STREAMS, philox

ARGUMENTS = ("key", "presentation", "population", "neuron")


def _exact(expression):
    """Literals as quotients of integers: Brian2CUDA makes a float of every literal of a float32 program."""

    def quotient(literal):
        return "({}/(double){})".format(*float(literal[0]).as_integer_ratio())

    return re.sub(r"\d+\.\d+", quotient, expression)


def noise_function(distribution, name="noise"):
    """Brian2 function ``noise(seed, presentation, population, neuron)`` of unit variance and mean zero.

    Parameters
    ----------
    distribution : str
        A key of `cortex_model.state.philox.NOISE_DISTRIBUTIONS`.
    name : str
        What it is called in generated code, where there are several.

    Returns
    -------
    noise : brian2.Function
        With implementations for numpy, cython, C++ and CUDA.
    """
    transform, expression = NOISE_DISTRIBUTIONS[distribution]
    words = "philox_words" if name == "noise" else f"{name}_philox_words"
    cpp = f"""{CPP_PHILOX.replace("philox_words", words)}
static inline double {name}(const int key, const int presentation, const int population, const int neuron)
{{
    uint32_t first, second;
    {words}((uint32_t)key, (uint32_t)presentation, (uint32_t)population, (uint32_t)neuron, &first, &second);
    return {expression};
}}"""
    cuda = cpp.replace("static inline", "static __host__ __device__ inline").replace(expression, _exact(expression))
    verbatim = cpp.replace(f"double {name}(", f"double _philox_{name}(").replace("\n", "\n    ")
    cython = f'''
cdef extern from *:
    """
    #include <stdint.h>
    #include <math.h>
    {verbatim}
    """
    double _philox_{name}(int, int, int, int)
cdef double {name}(int key, int presentation, int population, int neuron):
    return _philox_{name}(key, presentation, population, neuron)
'''

    @implementation("cuda", cuda)
    @implementation("cpp", cpp)
    @implementation("cython", cython)
    @implementation("numpy", discard_units=True)
    @declare_types(result="float", **dict.fromkeys(ARGUMENTS, "integer"))
    @check_units(result=1, **dict.fromkeys(ARGUMENTS, 1))
    def noise(key, presentation, population, neuron):
        first, second, _, _ = philox((neuron, population, presentation, 0), (key, STREAMS["noise"]))
        return transform(first, second)

    return noise

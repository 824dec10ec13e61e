"""tanh as a Brian2 function that a C++ compiler does for many neurons at once."""

import numpy as np
from brian2 import Function

#: Without a branch, from exp(2|x|) - 1 = 2^n (exp(r) - 1) + 2^n - 1, where n ln 2 + r = 2|x|, and Taylor's series. A
#: neuron gets the same bits wherever it stands among others, as it would not from a library's vectors of tanh.
CPP_TANH = """
#include <cmath>
#include <cstdint>
#include <cstring>
template <class> struct TanhOf;
template <> struct TanhOf<float>
{
    typedef int32_t bits;
    enum { mantissa = 23, bias = 127, degree = 7, most = 10 };
};
template <> struct TanhOf<double>
{
    typedef int64_t bits;
    enum { mantissa = 52, bias = 1023, degree = 13, most = 20 };
};

template <class T> static inline T tanh_of(const T x)
{
    typedef TanhOf<T> its;
    const T high = T(0.693359375L), low = T(0.69314718055994530942L - 0.693359375L);  // ln 2
    const T twice = std::fabs(x) > its::most ? T(2*its::most) : 2*std::fabs(x);
    const T shift = T(1.5)*T((typename its::bits)1 << its::mantissa);  // no place is left for a fraction
    const T shifted = twice*T(1.44269504088896340736L) + shift, n = shifted - shift;
    const T r = (twice - n*high) - n*low;
    T series = 0;
    for (int k = its::degree; k > 0; k--)
        series = r*T(1.0L/k)*(1 + series);
    typename its::bits exponent;
    std::memcpy(&exponent, &shifted, sizeof(T));
    exponent = (exponent + its::bias) << its::mantissa;
    T power;
    std::memcpy(&power, &exponent, sizeof(T));
    const T grown = power*series + (power - 1);
    return std::copysign(grown/(grown + 2), x);
}
"""


def tanh_function() -> Function:
    """Brian2 function ``tanh(x)``: within 4 roundings of the last place in C++, the library's elsewhere.

    Returns
    -------
    tanh : brian2.Function
        With implementations for numpy, cython, C++ and CUDA.
    """
    tanh = Function(np.tanh, arg_units=[1], return_unit=1, arg_types=["float"], return_type="float")
    tanh.implementations.add_implementation("numpy", np.tanh)
    tanh.implementations.add_implementation("cpp", CPP_TANH, name="tanh_of")
    for target in ("cython", "cuda"):
        tanh.implementations.add_implementation(target, None, name="tanh")
    return tanh

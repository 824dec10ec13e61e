"""Counter-based random numbers: the same values on every device, in every chunk, after every resumption.

Philox-4x32-10 (Salmon, Moraes, Dror & Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3", SC11)
turns a counter of four 32-bit words and a key of two into four random words. Nothing is remembered between
draws, so a draw is a function of what it is for: ``seed, presentation, half cycle, population, neuron``.

The NumPy implementation here is the reference; `CPP_PHILOX` is the same arithmetic for the generated code.
"""

import math
import zlib

import numpy as np

MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
WEYL = (0x9E3779B9, 0xBB67AE85)
N_ROUNDS = 10

#: First key word's companion: what the numbers are for, so that no two uses share a stream.
STREAMS = {
    "noise": 0,
    "order_of_stimuli": 1,
    "forward_weights": 2,
    "feedback_weights": 3,
    "synthetic": 4,
    "feedback_noise": 5,
    "other_weights": 6,
}
#: Noise of the descending half cycle is drawn for "population + DESCENDING".
DESCENDING = 1 << 16

CPP_PHILOX = """
static inline void philox_words(const uint32_t key, const uint32_t presentation, const uint32_t population,
                                const uint32_t neuron, uint32_t* first, uint32_t* second)
{
    uint32_t c0 = neuron, c1 = population, c2 = presentation, c3 = 0, k0 = key, k1 = 0;
    for (int r = 0; r < 10; r++) {
        const uint64_t p0 = (uint64_t)c0*0xD2511F53u, p1 = (uint64_t)c2*0xCD9E8D57u;
        c0 = (uint32_t)(p1 >> 32)^c1^k0;  c1 = (uint32_t)p1;
        c2 = (uint32_t)(p0 >> 32)^c3^k1;  c3 = (uint32_t)p0;
        k0 += 0x9E3779B9u;  k1 += 0xBB67AE85u;
    }
    *first = c0;  *second = c1;
}
"""


def philox(counter, key):
    """Four arrays of random 32-bit words: Philox-4x32-10 of ``counter`` and ``key``.

    Parameters
    ----------
    counter : sequence of four integers or integer arrays
        The counter's words, lowest first; arrays broadcast against each other.
    key : sequence of two integers or integer arrays
        The key's words.

    Returns
    -------
    words : tuple of four ndarrays of uint64, each holding 32 random bits

    Notes
    -----
    Checked in the tests against the known-answer vectors published with Random123.
    """
    mask, half = np.uint64(0xFFFFFFFF), np.uint64(32)
    first, second = (np.uint64(m) for m in MULTIPLIERS)
    c0, c1, c2, c3, k0, k1 = (np.asarray(w).astype(np.int64).astype(np.uint64) & mask for w in (*counter, *key))
    for _ in range(N_ROUNDS):
        p0, p1 = c0 * first, c2 * second
        c0, c1, c2, c3 = (p1 >> half) ^ c1 ^ k0, p1 & mask, (p0 >> half) ^ c3 ^ k1, p0 & mask
        k0, k1 = (k0 + np.uint64(WEYL[0])) & mask, (k1 + np.uint64(WEYL[1])) & mask
    return c0, c1, c2, c3


def _uniform(first, second):
    return (2.0 * (first >> np.uint64(8)).astype(np.float64) + 1.0 - 16777216.0) * (1.7320508075688772 / 16777216.0)


def _gaussian(first, second):
    radius = np.sqrt(-2.0 * np.log((first + 0.5) * (1.0 / 4294967296.0)))
    return radius * np.cos(second * (6.283185307179586 / 4294967296.0))


def _rademacher(first, second):
    return 2.0 * (first >> np.uint64(31)).astype(np.float64) - 1.0


#: Numbers of a matrix that are drawn at once: what is in between takes ten times their memory.
PIECE = 2**18
#: Unit-variance, mean-zero noise from two random words: name -> (NumPy function, C++ expression).
NOISE_DISTRIBUTIONS = {
    "uniform": (_uniform, "(2.0*(first >> 8) + 1.0 - 16777216.0)*(1.7320508075688772/16777216.0)"),
    "gaussian": (
        _gaussian,
        "sqrt(-2.0*log((first + 0.5)*(1.0/4294967296.0)))*cos(second*(6.283185307179586/4294967296.0))",
    ),
    "rademacher": (_rademacher, "2.0*(first >> 31) - 1.0"),
}


def noise(seed, presentation, population, neuron, distribution="uniform"):
    """Mean-zero, unit-variance noise for one neuron in one half cycle of sleep.

    Parameters
    ----------
    seed, presentation, population, neuron : int or ndarray of int
        What the draw is for; ``population + DESCENDING`` in the descending half cycle.
    distribution : {"uniform", "gaussian", "rademacher"}
        ``uniform`` on +-sqrt(3) from 24 random bits (bit-identical on every device), ``gaussian`` by
        Box-Muller (a few ulp between mathematical libraries), or signs.

    Returns
    -------
    noise : ndarray of float64
    """
    first, second, _, _ = philox((neuron, population, presentation, 0), (seed, STREAMS["noise"]))
    return NOISE_DISTRIBUTIONS[distribution][0](first, second)


def population_noise(seed, presentation, population, n_neurons, distribution="uniform", descending=False):
    """The noise vector that one population receives in one half cycle; shape (n_neurons,)."""
    stream = population + (DESCENDING if descending else 0)
    return noise(seed, presentation, stream, np.arange(n_neurons), distribution)


def order_of_stimuli(seed, epoch, n_stimuli):
    """A permutation of the stimuli: the order of one epoch, a function of seed and epoch alone."""
    high, low, _, _ = philox((np.arange(n_stimuli), epoch, 0, 0), (seed, STREAMS["order_of_stimuli"]))
    return np.lexsort((np.arange(n_stimuli), low, high))


def index_of(projection: str, level: int) -> int:
    """Index by which draws for a projection at a level are told apart from those for others within a stream."""
    return level + zlib.crc32(projection.encode()) % 2**15 * 2**16


def standard_normal(seed, stream, index, shape, at=0):
    """Gaussian numbers for initial weights: a function of seed, stream, projection and synapse.

    Parameters
    ----------
    seed : int
    stream : str
        A key of `STREAMS`.
    index : int
        Which projection.
    shape : tuple of int
    at : int
        Which presentation, for what is drawn more than once.

    Returns
    -------
    numbers : ndarray, shape ``shape``
    """
    numbers = np.empty(math.prod(shape))
    for begin in range(0, len(numbers), PIECE):
        end = min(begin + PIECE, len(numbers))
        first, second, _, _ = philox((np.arange(begin, end), index, at, 0), (seed, STREAMS[stream]))
        numbers[begin:end] = _gaussian(first, second)
    return numbers.reshape(shape)

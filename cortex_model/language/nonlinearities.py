"""Nonlinearities as rows: one string for the rate, one for its slope."""

from typing import NamedTuple


class Nonlinearity(NamedTuple):
    """A rate function of a population and its slope.

    Attributes
    ----------
    rate : str
        Of ``drive``.
    slope : str
        Its derivative, of ``drive`` and, where that is cheaper, of ``rate`` itself.
    """

    rate: str
    slope: str


class Top(NamedTuple):
    """A rate function of the top population, paired with the loss whose gradient is ``rate - target``.

    Attributes
    ----------
    rate : str
        Of ``drive``; where there is an excitation, of ``excitation`` and ``pooled_excitation``.
    excitation : str
        Of ``drive``; a pool sums it over the population (divisive normalisation).
    """

    rate: str
    excitation: str = ""


#: sigma of a rule's strings. `theory.NONLINEARITIES` has the same names.
NONLINEARITIES = {
    "linear": Nonlinearity("drive", "1"),
    "threshold_linear": Nonlinearity("drive*int(drive > 0)", "int(drive > 0)"),
    "tanh": Nonlinearity("tanh(drive)", "1 - rate*rate"),
    "sigmoid": Nonlinearity("1/(1 + exp(-drive))", "rate*(1 - rate)"),
    "softplus": Nonlinearity("drive*int(drive > 0) + log(1 + exp(-abs(drive)))", "1/(1 + exp(-drive))"),
}

#: top_sigma of a rule's strings. `theory.TOP_RATES` has the same names.
TOPS = {
    "linear": Top("drive"),
    "sigmoid": Top("1/(1 + exp(-drive))"),
    "softmax": Top("excitation/pooled_excitation", "exp(clip(drive, -80, 80))"),
}

#: slope(...) of a rule's strings, in terms of the nonlinearity's slope: D_l.
SLOPE_RULES = {
    "derivative": "slope",
    "reciprocal": "int(slope > slope_cutoff)/(slope + int(slope <= 0))",
    "none": "1",
}

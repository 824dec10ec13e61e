"""Names that variables and numbers of a rule cannot have, and why."""

import keyword
import re

from cortex_model.language.statements import DRAWS, FUNCTIONS, OPEN

#: What Brian2 means by these names in every equation.
SPECIAL = {
    "e", "i", "j", "t", "dt", "t_in_timesteps", "N", "xi", "pi", "inf", "lambda", "refractory", "not_refractory",
    "refractory_until", "lastspike",
}  # fmt: skip
#: What every equation of this package can see besides.
GIVEN = {"stimulus", "target", "age", "weight", "presentation", "presented", "network", "slot", "noise_seed"}
#: Other functions of Brian2.
_OTHER_FUNCTIONS = {
    "arccos", "arcsin", "arctan", "cosh", "expm1", "exprel", "log10", "log1p", "poisson", "rand", "randn", "sinh",
    "tan", "timestep",
}  # fmt: skip
_UNIT = re.compile(
    r"(E|G|M|P|T|Y|Z|a|c|d|da|f|h|k|m|n|p|u|y|z|kilo)?"
    r"(amp|ampere|becquerel|candle|coulomb|farad|gram|gramme|gray|henry|hertz|joule|katal|kelvin|liter|litre|lumen|lux"
    r"|meter|metre|mol|molar|mole|newton|ohm|pascal|radian|second|siemens|sievert|steradian|tesla|volt|watt|weber)[23]?"
    r"|[cmu]m[23]?|[mnu]s|[mnup]A|mV|[mnu]M|[nup]F|[nu]S|[kM]?Hz"
)
_CPP = {
    "alignas", "alignof", "asm", "auto", "bool", "case", "catch", "char", "const", "constexpr", "decltype", "default",
    "delete", "do", "double", "enum", "explicit", "export", "extern", "float", "friend", "goto", "inline", "long",
    "mutable", "namespace", "new", "noexcept", "nullptr", "operator", "private", "protected", "public", "register",
    "short", "signed", "sizeof", "static", "struct", "switch", "template", "this", "throw", "typedef", "typeid",
    "typename", "union", "unsigned", "using", "virtual", "void", "volatile",
}  # fmt: skip


def refusal(name: str) -> str | None:
    """Why a variable, a number or a projection cannot be called that; None where it can."""
    reasons = {
        "it is no name": not name.isidentifier() or not name.isascii(),
        "it begins with an underscore": name.startswith("_"),
        "it is a word of Python or C++": keyword.iskeyword(name) or name in _CPP,
        "Brian2 means something else by it": name in SPECIAL or name.startswith("xi_"),
        "it is a function": name in {*FUNCTIONS, *DRAWS, *OPEN, *_OTHER_FUNCTIONS, "tanh_of"},
        "it is a unit": bool(_UNIT.fullmatch(name)),
        "it is what every equation can see": name in GIVEN or name.endswith("_gate"),
        "it ends as names of the two ends of a synapse do": name.endswith(("_pre", "_post", "_")),
        "it ends as names of what is on its way along an axon do": bool(re.search(r"_\d+$", name)),
    }
    return next((reason for reason, holds in reasons.items() if holds), None)

"""Numbers of learning rules as parameters."""

from functools import cache
from typing import Annotated, Any

from pydantic import Field

from cortex_model.language.options import with_feedback_gain, with_nonlinearities, with_perturbed_feedback
from cortex_model.language.rule import Number
from cortex_model.parameters.kinds import Count, PositiveCount
from cortex_model.parameters.model import parameter
from cortex_model.rules import shipped


def number_field(number: Number) -> tuple[Any, Any]:
    """A number of a rule as a field of parameters: its type, and its default with unit, range and meaning."""
    if number.whole:
        kind = PositiveCount if (number.at_least or 0) >= 1 or number.above is not None else Count
        limits = {}
    else:
        kind = float
        limits = {"ge": number.at_least, "gt": number.above, "le": number.at_most, "lt": number.below}
    limits = {word: limit for word, limit in limits.items() if limit is not None}
    if kind is float:
        kind = Annotated[float, Field(allow_inf_nan=False, **limits)]
    return kind, parameter(number.default, number.meaning, number.unit)


@cache
def numbers_of_rules() -> dict[str, Number]:
    """Every number of every shipped rule and of the options, by name; where rules differ, with the widest range."""
    rules = list(shipped().values())
    optional = with_nonlinearities(rules[0], slope_rule="reciprocal")
    rules += [with_feedback_gain(optional, "norm_matched"), with_perturbed_feedback(optional)]
    found: dict[str, Number] = {}
    for rule in rules:
        for name, number in rule.numbers.items():
            if not isinstance(number.default, str) and (name not in found or found[name].above is not None):
                found[name] = number
    return found

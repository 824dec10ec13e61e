"""Numbers of learning rules as parameters."""

from functools import cache
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from cortex_model.language.options import with_feedback_gain, with_nonlinearities, with_perturbed_feedback
from cortex_model.language.parts import Number
from cortex_model.language.rule import Choice
from cortex_model.parameters.kinds import Count, PositiveCount
from cortex_model.parameters.model import parameter
from cortex_model.rules import shipped


def number_field(number: Number) -> tuple[Any, Any]:
    """A number of a rule as a field of parameters: its type, and its default with unit, range and meaning."""
    if number.whole and (number.at_least, number.at_most) == (0, 1):
        return bool, parameter(bool(number.default), number.meaning, number.unit)
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


def choice_field(choice: Choice) -> tuple[Any, Any]:
    """A choice of a rule as a field of parameters."""
    words = tuple(choice.words)
    return Literal[words], parameter(words[0], choice.meaning)


def check_precision(values: dict[str, float], steps: dict[str, float], dtype: str) -> None:
    """Refuse numbers that a precision does not have.

    Parameters
    ----------
    values, steps : dict
        Numbers by name, and those of them by which weights change.
    dtype : str

    Raises
    ------
    ValueError
        For a number that would be infinite, and for a step that would be 0, and is not.
    """
    least, most = float(np.finfo(dtype).tiny), float(np.finfo(dtype).max)
    found = [(name, value, "infinite") for name, value in values.items() if abs(value) > most]
    found += [(name, value, "0") for name, value in steps.items() if 0 < abs(value) < least]
    for name, value, would in found:
        raise ValueError(
            f"Parameters.{name}: must be a number that {dtype} has, 0 or from {least:.2g} to {most:.2g} "
            f"in size (got {value:g}, which would be {would}); give another one, or another dtype."
        )


@cache
def choices_of_rules() -> dict[str, Choice]:
    """Every choice of every shipped rule, by name."""
    return {name: choice for rule in shipped().values() for name, choice in rule.choices.items()}


def readers(name: str) -> list[str]:
    """Shipped rules that have a number or a choice, by name; of a form alone, ``name with choice=word``."""
    found = []
    for rule in shipped().values():
        if name in {*rule.numbers, *rule.choices}:
            found.append(rule.name)
            continue
        for choice, its in rule.choices.items():
            words = [word for word, form in its.others.items() if name in form.numbers]
            found += [f"{rule.name} with {choice}={word}" for word in words]
        if rule.in_spikes and name in rule.in_spikes.numbers:
            found.append(f"{rule.name} with dynamics=spiking")
    return found


@cache
def numbers_of_rules() -> dict[str, Number]:
    """Every number of every shipped rule and of the options, by name; where rules differ, with the widest range."""
    rules = [form for rule in shipped().values() for form in rule.forms]
    remembering = next(rule for rule in rules if "apical_gain" in rule.remembers)
    optional = with_nonlinearities(remembering, slope_rule="reciprocal")
    rules += [rule.in_spikes for rule in shipped().values() if rule.in_spikes]
    rules += [with_feedback_gain(optional, "norm_matched"), with_perturbed_feedback(optional)]
    found: dict[str, Number] = {}
    for rule in rules:
        for name, number in rule.numbers.items():
            if not isinstance(number.default, str) and (name not in found or found[name].above is not None):
                found[name] = number
    return found

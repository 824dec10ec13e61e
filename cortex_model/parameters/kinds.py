"""Kinds of numbers that parameters hold, and the sentences for what is none of them."""

import operator
from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from cortex_model.errors import ParameterError, in_short

#: Brian2's integers have 32 bits, with a sign.
LARGEST = 2**31 - 1
#: More seeds than anybody runs, and few enough to be listed.
MOST_SEEDS = 100_000


def _countable(number: int) -> int:
    if number > LARGEST:
        raise ValueError(f"must be at most {LARGEST} (got {in_short(number)}); give a smaller number.")
    return number


def checked_number(where: str, number: Any, most: int, what: str = "") -> int:
    """A whole number from 1 to ``most``.

    Raises
    ------
    ParameterError
        If it is none.
    """
    try:
        given = 0 if isinstance(number, bool) else operator.index(number)
    except TypeError:
        given = 0
    if not 1 <= given <= most:
        got = " ".join([in_short(number), what]).strip()
        raise ParameterError(f"{where}: must be a whole number from 1 to {most} (got {got}); give another one.")
    return given


def checked_seed(seed: Any, where: str = "--seed") -> int:
    """A seed: a whole number that Brian2's integers can hold.

    Raises
    ------
    ParameterError
        If it is none.
    """
    try:
        given = -1 if isinstance(seed, bool) else operator.index(seed)
    except TypeError:
        given = -1
    if not 0 <= given <= LARGEST:
        got = in_short(seed)
        raise ParameterError(f"{where}: must be a whole number from 0 to {LARGEST} (got {got}); give another one.")
    return given


Count = Annotated[int, Field(ge=0), AfterValidator(_countable)]
PositiveCount = Annotated[int, Field(ge=1), AfterValidator(_countable)]
Rate = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Duration = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Delays = Annotated[tuple[Rate, ...], Field(min_length=1)]
#: More populations would take hours to build, as Brian2 makes objects of their own for each.
MOST_POPULATIONS = 100
LayerSizes = Annotated[tuple[PositiveCount, ...], Field(min_length=2, max_length=MOST_POPULATIONS)]


def texts_of(given: Any) -> Any:
    """A list of texts of several that are given, without empty ones; ``nothing`` alone is none."""
    if not isinstance(given, Iterable) or isinstance(given, str):
        return given
    texts = [text for text in map(str, given) if text.strip()]
    return [] if [text.strip() for text in texts] == ["nothing"] else texts

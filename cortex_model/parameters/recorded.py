"""What is recorded while a hierarchy learns, by name: weights, and rates of populations."""

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator

from cortex_model.errors import in_short
from cortex_model.language.places import Places
from cortex_model.language.rule import Rule
from cortex_model.parameters.kinds import texts_of

NAMED = re.compile(r"([A-Za-z]+)(?:_(\d+))?")


def _named(texts: tuple[str, ...]) -> tuple[str, ...]:
    for text in texts:
        if not NAMED.fullmatch(text):
            raise ValueError(f"must hold names such as W_1, V or rate_2 (got {in_short(text)}); correct it.")
    return tuple(dict.fromkeys(texts))


Recorded = Annotated[tuple[str, ...], BeforeValidator(texts_of), AfterValidator(_named)]


def read_recorded(texts: tuple[str, ...], rule: Rule, n_layers: int) -> list[str]:
    """Every single name that is meant: ``V`` is every V_l, ``rate`` that of every population.

    Raises
    ------
    ValueError
        For what the hierarchy does not have.
    """
    there = [f"{name}_{l}" for name, l in Places(rule, n_layers).synapses] + [f"rate_{l}" for l in range(n_layers + 1)]
    found = []
    for text in texts:
        meant = [name for name in there if text in (name, name.rpartition("_")[0])]
        if not meant:
            raise ValueError(
                f"Parameters.record: must name what the hierarchy has, {', '.join(there)} (got {text!r}); "
                "correct its name."
            )
        found += meant
    return list(dict.fromkeys(found))

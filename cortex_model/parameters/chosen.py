"""The learning rule of parameters, with all its options chosen."""

from dataclasses import replace
from functools import cache
from typing import Any

from cortex_model.errors import RuleError
from cortex_model.language.dynamics import in_time
from cortex_model.language.nonlinearities import NONLINEARITIES, SLOPE_RULES, TOPS
from cortex_model.language.options import configured, with_feedback_to_input, with_perturbed_feedback
from cortex_model.language.places import Places
from cortex_model.language.rule import Rule
from cortex_model.rules import rule_named, shipped


@cache
def feedback_of(learning_rule, choices, to_input, L):
    """(levels of V, whether it comes from the top population)."""
    rule = rule_named(learning_rule).form(dict(choices))
    if "V" not in rule.projections:
        return [], False
    places = Places(with_feedback_to_input(rule) if to_input else rule, L)
    return places.levels(places.projection("V").levels), places.projection("V").pre.strip() == "L"


def chosen_rule(learning_rule: str, dynamics: str, is_perturbed: bool, **options: Any) -> Rule:
    """A rule with its form (``choices``, pairs of parameter and word) and all options chosen."""
    in_force = rows_in_force(), rule_named(learning_rule).content_hash
    return _chosen(in_force, learning_rule, dynamics, is_perturbed, **options)


def rows_in_force() -> tuple:
    """The rows of nonlinearities as they are now: what is made of them is made anew where one is replaced."""
    return tuple(tuple(table.items()) for table in (NONLINEARITIES, TOPS, SLOPE_RULES))


@cache
def _chosen(_rows, learning_rule, dynamics, is_perturbed, choices=(), **options):
    rule = rule_named(learning_rule).form(dict(choices))
    if dynamics == "spiking":
        return spiking(rule, **options)
    rule = configured(replace(rule, in_spikes=None), **options)
    rule = with_perturbed_feedback(rule) if is_perturbed else rule
    return in_time(rule) if dynamics == "leaky" else rule


def spiking(rule: Rule, **options: Any) -> Rule:
    """The rule in spikes, with the options that mean something there.

    Raises
    ------
    RuleError
        If it declares nothing in spikes.
    """
    if rule.in_spikes is None:
        having = [name for name, each in shipped().items() if each.in_spikes]
        raise RuleError(
            f"dynamics: must be settled or leaky for {rule.name}, which does not say what its neurons do in spikes "
            f"(got spiking); choose another learning_rule, such as {', '.join(having)}, or declare "
            f"Rule.in_spikes, of the name {rule.name}_spiking."
        )
    kept = ("biases", "feedback_to_input", "relative_rates")
    return configured(rule.in_spikes, **{name: options[name] for name in kept if name in options})

"""Several rules over one hierarchy: one rule that holds the moments of all, so that they can share a program."""

from dataclasses import replace

from cortex_model.errors import RuleError
from cortex_model.language.rule import Rule


def joined(*rules: Rule) -> Rule:
    """One rule with the phases of all, each under ``rule/phase``; moments that are equal are there once.

    Each of the rules is a schedule over it. Where projections start is left to each: it is no matter of a program.

    Raises
    ------
    RuleError
        If the rules mean different things by a projection or a memory, or by how something settles.
    """
    first = rules[0]
    together = replace(first, name="+".join(rule.name for rule in rules), phases={})
    for rule in rules:
        for what in ("projections", "remembers"):
            own, others = dict(getattr(rule, what)), dict(getattr(together, what))
            for name in set(own) & set(others):
                if _without_start(own[name]) != _without_start(others[name]):
                    raise RuleError(
                        f"joined.{name}: must be the same in every rule (got {own[name]} in {rule.name} beside "
                        f"{others[name]}); run them apart."
                    )
            together = replace(together, **{what: others | own})
        if rule.dynamics != together.dynamics:
            raise RuleError(
                f"joined: all rules must be of the same dynamics (got {rule.dynamics.name} in {rule.name}, "
                f"{together.dynamics.name} before); run them apart."
            )
        phases = {f"{rule.name}/{phase}": moments for phase, moments in rule.phases.items()}
        together = replace(
            together,
            phases={**together.phases, **phases},
            numbers={**together.numbers, **rule.numbers},
            requires={},
            recorded=tuple(dict.fromkeys((*together.recorded, *rule.recorded))),
        )
    return together


def _without_start(declared):
    return replace(declared, start="") if hasattr(declared, "start") else declared

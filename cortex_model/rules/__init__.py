"""Learning rules, one file each: a module that defines ``RULE``. To add one, add a file."""

import importlib
import pkgutil
from functools import cache

from cortex_model.errors import RuleError
from cortex_model.language.rule import Rule


@cache
def shipped() -> dict[str, Rule]:
    """Every rule that comes with the package, by name."""
    modules = [importlib.import_module(f"{__name__}.{info.name}") for info in pkgutil.iter_modules(__path__)]
    rules = [module.RULE for module in modules if hasattr(module, "RULE")]
    return {rule.name: rule for rule in rules}


def rule_named(name: str) -> Rule:
    """The shipped rule of that name, or the one that a file declares (`cortex_model.rules.own`).

    Raises
    ------
    RuleError
        If there is none.
    """
    from cortex_model.rules import own

    rules = shipped()
    if own.is_own(name):
        return own.own_rule(name).rule
    if name not in rules:
        raise RuleError(f"learning_rule: must be one of {', '.join(rules)} (got {name!r}); choose one of them.")
    return rules[name]

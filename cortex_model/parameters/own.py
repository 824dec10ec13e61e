"""Parameters of a learning rule of one's own: the rule's numbers are parameters as those of shipped rules are."""

from functools import cache
from typing import Any

from pydantic import create_model

from cortex_model.parameters.model import with_default
from cortex_model.parameters.numbers import choice_field, number_field, numbers_of_rules
from cortex_model.rules import own


def model_for(model: type, learning_rule: Any) -> type:
    """The class of parameters for a learning rule: ``model`` itself, or for a file one with the file's numbers.

    Raises
    ------
    RuleError
        If the file cannot be a rule (`cortex_model.rules.own.named`).
    """
    base = model.extends or model
    if learning_rule is None:
        return model
    return extended(base, own.named(learning_rule)) if own.is_own(learning_rule) else base


@cache
def extended(base: type, learning_rule: str) -> type:
    """``base`` with the numbers of the rule that a file declares, and with its nonlinearity where it has one.

    A number that is that of a shipped rule keeps the default that ``base`` gives it.
    """
    declared, shipped = own.own_rule(learning_rule), numbers_of_rules()
    fields: dict[str, Any] = {"learning_rule": _with_default(base, "learning_rule", learning_rule)}
    if declared.nonlinearity:
        fields["nonlinearity"] = _with_default(base, "nonlinearity", declared.nonlinearity)
    forms = [*declared.rule.forms, *([declared.rule.in_spikes] if declared.rule.in_spikes else [])]
    for name, number in ((n, its) for form in forms for n, its in form.numbers.items()):
        is_new = name not in base.model_fields or number != shipped.get(name)
        if is_new and not isinstance(number.default, str):
            fields[name] = number_field(number)
    fields |= {name: choice_field(choice) for name, choice in declared.rule.choices.items()}
    model = create_model(base.__name__, __base__=base, __doc__=base.__doc__, **fields)
    model.extends = base.extends or base
    return model


def _with_default(base, name, default):
    return base.model_fields[name].annotation, with_default(base, name, default)

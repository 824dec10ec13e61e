"""Nonlinearities, chosen: in a rule's strings, ``sigma``, ``slope`` and ``top_sigma`` give way to rows of a table."""

import ast
from dataclasses import replace
from functools import cache

from cortex_model.errors import RuleError
from cortex_model.language.moments import Learn, Let, Pool, Settle
from cortex_model.language.nonlinearities import NONLINEARITIES, SLOPE_RULES, TOPS, Nonlinearity
from cortex_model.language.parts import Number
from cortex_model.language.rule import Rule
from cortex_model.language.statements import FUNCTIONS, expression, filled, names, rewritten, statements


def with_nonlinearities(
    rule: Rule, nonlinearity: str | Nonlinearity = "tanh", top: str = "softmax", slope_rule: str = "derivative"
) -> Rule:
    """The rule with its nonlinearities filled in: no ``sigma``, ``slope`` or ``top_sigma`` is left in its strings.

    Parameters
    ----------
    rule : Rule
    nonlinearity : str or Nonlinearity
        A row of `NONLINEARITIES`, or one's own.
    top : str
        A row of `TOPS`. Where it has an excitation, a `Pool` sums that over the population.
    slope_rule : str
        A row of `SLOPE_RULES`.

    Raises
    ------
    RuleError
        If there is no such row.
    """
    own = (
        nonlinearity if isinstance(nonlinearity, Nonlinearity) else row_of(NONLINEARITIES, nonlinearity, "nonlinearity")
    )
    chosen = own, row_of(TOPS, top, "top"), row_of(SLOPE_RULES, slope_rule, "slope_rule")

    def change(moment):
        return (*_excitation(moment, chosen[1]), with_strings(moment, lambda text: _chosen(text, chosen)))

    changed = rule.changed(change)
    if "slope_cutoff" in names(expression(chosen[2])):
        cutoff = Number(0.1, "slopes below it count as 0 where slope_rule is reciprocal", at_least=0)
        changed = replace(changed, numbers={**changed.numbers, "slope_cutoff": cutoff})
    return changed


@cache
def _chosen(text, chosen):
    """Statements, or an expression, with the chosen nonlinearities in the place of sigma, slope and top_sigma."""
    own, top, slope = chosen

    def called(node):
        if not isinstance(node, ast.Call):
            return node
        name, arguments = node.func.id, node.args
        if name == "sigma" or (name in NONLINEARITIES and name not in FUNCTIONS):
            return filled((own if name == "sigma" else NONLINEARITIES[name]).rate, drive=arguments[0])
        if name == "slope":
            rate = arguments[1] if len(arguments) > 1 else filled(own.rate, drive=arguments[0])
            return filled(slope, slope=filled(own.slope, drive=arguments[0], rate=rate))
        return filled(top.rate, drive=arguments[0]) if name == "top_sigma" else node

    return rewritten(text, called)


def row_of(table, name: str, what: str):
    """The row of a table, or a sentence."""
    if name not in table:
        raise RuleError(f"{what}: must be one of {', '.join(table)} (got {name!r}); choose one of them.")
    return table[name]


#: Where the strings of a moment are.
STRINGS = {Let: "code", Settle: "towards", Learn: "change", Pool: "of"}


def with_strings(moment, change):
    """A moment whose strings have been changed."""
    for kind, where in STRINGS.items():
        if isinstance(moment, kind):
            return replace(moment, **{where: change(getattr(moment, where))})
    return moment


def _excitation(moment, top):
    """What comes before a moment that calls a ``top_sigma`` which is divided by a pool."""
    trees = [s.value for s in statements(moment.code)] if isinstance(moment, Let) else []
    trees += [expression(moment.towards)] if isinstance(moment, Settle) else []
    calls = {
        ast.unparse(node.args[0])
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and node.func.id == "top_sigma"
    }
    if not top.excitation or not calls:
        return ()
    if len(calls) > 1 or (isinstance(moment, Let) and len(statements(moment.code)) > 1):
        raise RuleError(
            f"top_sigma: must be called once in a moment of its own where it sums over the population (got "
            f"{getattr(moment, 'code', '')!r}); split that Let."
        )
    excitation = ast.unparse(filled(top.excitation, drive=expression(calls.pop())))
    return (
        Let(moment.where, f"excitation = {excitation}", name="excitation"),
        Pool(moment.where, "excitation", "pooled_excitation", name="divisive_normalisation"),
    )

"""The strings of a declaration, taken apart: what they assign, what they read, and the same with parts exchanged."""

import ast
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from cortex_model.errors import RuleError

#: Functions that every device has.
FUNCTIONS = (
    "tanh", "exp", "log", "sqrt", "abs", "sign", "clip", "int", "floor", "ceil", "sin", "cos",
)  # fmt: skip
#: Draws of random numbers that belong to a presentation, a population and a neuron; their argument is the stream.
DRAWS = ("noise", "uniform")
#: What the host can do with matrices; ``perturbed(V, normal(V), deviation, n_levels)`` as in `cortex_model.weights`.
HOST_FUNCTIONS = ("pinv", "transpose", "norm", "std", "sign", "abs", "sqrt", "normal", "perturbed", "silenced",
                  "shuffled")  # fmt: skip
#: Functions that stand for a nonlinearity, until one is chosen.
OPEN = ("sigma", "slope", "top_sigma")

_OPERATORS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
_ALLOWED = (
    ast.BinOp, ast.UnaryOp, ast.Compare, ast.BoolOp, ast.Call, ast.Name, ast.Constant, ast.Load, ast.operator,
    ast.unaryop, ast.cmpop, ast.boolop,
)  # fmt: skip


class Statement(NamedTuple):
    """``variable = value``, or ``variable += value`` with the operator ``+``."""

    variable: str
    operator: str
    value: ast.expr

    def __str__(self):
        return f"{self.variable} {self.operator}= {ast.unparse(self.value)}"


@cache
def statements(code: str) -> tuple[Statement, ...]:
    """The statements of a string.

    Raises
    ------
    RuleError
        Where it does not consist of assignments that Brian2 can make.
    """
    found = []
    for node in _parsed(code, "exec").body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        is_plain = isinstance(node, ast.Assign) and len(node.targets) == 1
        if not isinstance(target, ast.Name) or not (
            is_plain or (isinstance(node, ast.AugAssign) and type(node.op) in _OPERATORS)
        ):
            raise RuleError(
                f"Rule: statements must be assignments such as x = y or x += y (got {ast.unparse(node)!r}); rewrite it."
            )
        operator = "" if isinstance(node, ast.Assign) else _OPERATORS[type(node.op)]
        found.append(Statement(target.id, operator, _checked(node.value)))
    return tuple(found)


@cache
def expression(text: str) -> ast.expr:
    """An expression of a string.

    Raises
    ------
    RuleError
        Where it is not one, or holds what Brian2 has no word for.
    """
    return _checked(_parsed(text.strip(), "eval").body)


def _parsed(code, mode):
    try:
        return ast.parse(code, mode=mode)
    except SyntaxError as error:
        raise RuleError(
            f"Rule: strings must be statements or expressions (got {code!r}, {error.msg}); mend it."
        ) from None


def _checked(tree):
    for node in ast.walk(tree):
        is_chained = isinstance(node, ast.Compare) and len(node.ops) > 1
        is_text = isinstance(node, ast.Constant) and not isinstance(node.value, int | float)
        is_odd_call = isinstance(node, ast.Call) and (node.keywords or not isinstance(node.func, ast.Name))
        if not isinstance(node, _ALLOWED) or is_chained or is_text or is_odd_call:
            raise RuleError(
                f"Rule: expressions must be of numbers, names, operators, comparisons and functions "
                f"(got {ast.unparse(node)!r} in {ast.unparse(tree)!r}); rewrite it, for example with int(x > 0)."
            )
    return tree


def names(tree: ast.expr) -> frozenset[str]:
    """Names that an expression reads; functions are not among them."""
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    return frozenset(node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in called)


def functions(tree: ast.expr) -> frozenset[str]:
    """Functions that an expression calls."""
    return frozenset(node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call))


@cache
def read_by(code: str) -> frozenset[str]:
    """Names that statements read from before them; what an earlier statement of the same string has assigned is not."""
    read, assigned = set(), set()
    for statement in statements(code):
        reads = names(statement.value) | ({statement.variable} if statement.operator else set())
        read |= reads - assigned
        assigned.add(statement.variable)
    return frozenset(read)


@cache
def written_by(code: str) -> tuple[str, ...]:
    """Names that statements assign, in their order."""
    return tuple(dict.fromkeys(statement.variable for statement in statements(code)))


class _Exchange(ast.NodeTransformer):
    def __init__(self, change):
        self.change = change

    def generic_visit(self, node):
        node = super().generic_visit(node)
        return self.change(node) if isinstance(node, ast.expr) else node


def exchanged(tree: ast.expr, change: Callable[[ast.expr], ast.expr]) -> ast.expr:
    """The expression with ``change`` applied to each of its parts, the innermost first; the given one is left alone."""
    return _Exchange(change).visit(ast.parse(ast.unparse(tree), mode="eval").body)


def rewritten(text: str, change: Callable[[ast.expr], ast.expr]) -> str:
    """Statements, or an expression, that have been `exchanged`; the same string where nothing changes."""
    parsed = _parsed(text.strip(), "exec").body
    if len(parsed) == 1 and isinstance(parsed[0], ast.Expr):
        before = [expression(text)]
        after = [exchanged(tree, change) for tree in before]
        said = after
    else:
        before = [statement.value for statement in statements(text)]
        after = [exchanged(tree, change) for tree in before]
        said = [s._replace(value=tree) for s, tree in zip(statements(text), after, strict=True)]
    if list(map(ast.dump, before)) == list(map(ast.dump, after)):
        return text
    return "\n".join(ast.unparse(each) if isinstance(each, ast.expr) else str(each) for each in said)


def filled(text: str, **parts: ast.expr) -> ast.expr:
    """The expression of a string with whole expressions in the place of some of its names."""

    def change(node):
        return parts[node.id] if isinstance(node, ast.Name) and node.id in parts else node

    return exchanged(expression(text), change)

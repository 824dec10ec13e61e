"""A declaration carried out in NumPy, moment by moment, one matrix a projection.

It knows no order, no slots, no gates and no Brian2: only the sequence that the declaration means.
"""

import ast
from collections.abc import Callable, Mapping
from functools import cache

import numpy as np

from cortex_model.errors import RuleError
from cortex_model.language import statements
from cortex_model.language.events import BOUNDARY, Event
from cortex_model.language.moments import Carry, Fire, Host, Learn, Pool
from cortex_model.language.placed import PlacedRule, awaited, of_ends
from cortex_model.state.host import done_by_host
from cortex_model.state.philox import DESCENDING, population_noise

LOGICAL = ("logical_and", "logical_or", "logical_not")
FUNCTIONS = {name: getattr(np, name) for name in (*statements.FUNCTIONS, *LOGICAL) if name != "int"}
FUNCTIONS["int"] = lambda x: np.asarray(x).astype(int)
Matrices = dict[tuple[str, int], np.ndarray]


class Interpreter:
    """A network that learns as its rule declares.

    Parameters
    ----------
    placed : PlacedRule
    weights : dict of ndarray
        (projection, level) -> matrix, shape (n_post, n_pre); the given arrays are not changed.
    values : dict of float
        The numbers of the rule (`Rule.values`).
    seed : int
        Of the noise.
    distribution : str
        Of the noise; a key of `cortex_model.state.philox.NOISE_DISTRIBUTIONS`.
    n_steps, onset : int
        See `Counts`; of a rule in time.
    batch_size : int
        Of presentations without a stimulus.

    Attributes
    ----------
    weights : dict of ndarray
    remembered : dict of float
        (population, variable) -> what outlives a presentation.
    state : dict of dict of ndarray
        Population -> variable -> values in the present presentation, shape (batch_size, n).
    fired : dict of ndarray of bool
        (population, event) -> which neurons had it last, shape (batch_size, n).
    """

    def __init__(self, placed: PlacedRule, weights: Mapping, values: Mapping[str, float], *, seed: int = 0,
                 distribution: str = "uniform", n_steps: int = 1, onset: int = 0, batch_size: int = 1):  # fmt: skip
        self._batch_size = batch_size
        self.placed, self.values, self.seed, self.distribution = placed, dict(values), seed, distribution
        self.counts = placed.counts(values, n_steps, onset)
        self.weights: Matrices = {key: np.array(matrix, float) for key, matrix in weights.items()}
        if missing := [key for key in placed.synapses if key not in self.weights]:
            sentence = f"must hold a matrix for each projection (got none for {missing}); add it."
            raise RuleError(f"Interpreter.weights: {sentence}")
        first = placed.rule.remembers
        self.remembered = {(l, n): float(first[n]) for l in range(placed.L + 1) for n in placed.remembered(l)}
        self.n_presented = dict.fromkeys(placed.rule.phases, 0)
        self._groups: dict[str, list] = {}

    def present(self, phase: str, stimulus=None, target=None, at: int = 0,
                each_step: Callable[[], None] | None = None) -> dict[int, dict[str, np.ndarray]]:  # fmt: skip
        """One presentation: of a stimulus or, where it is a matrix, of a batch whose mean the weights follow.

        Parameters
        ----------
        phase : str
        stimulus, target : ndarray, shape (n_0,) and (n_L,), or (batch_size, n_0) and (batch_size, n_L)
        at : int
            Number of the (first) presentation in the whole run, for which noise is drawn.
        each_step : callable, optional
            Called at the end of each time step.

        Returns
        -------
        state : dict of dict of ndarray, shape (batch_size, n)
            What every population holds at the end.
        """
        self.begin(phase, stimulus, target, at)
        has_begun, group = False, BOUNDARY
        if phase not in self._groups:
            self._groups[phase] = list(self.placed.groups(phase, self.counts))
        for group in self._groups[phase]:
            if group != BOUNDARY:
                for event in group:
                    self.carry_out(event)
            elif has_begun and each_step:
                each_step()
            has_begun = True
        if each_step and group != BOUNDARY:
            each_step()
        return self.state

    def begin(self, phase: str, stimulus=None, target=None, at: int = 0) -> None:
        """Begin a presentation: what the host does before it, what will be shown, and no memory of the one before."""
        shown = {"stimulus": stimulus, "target": target}
        self.given = {name: np.atleast_2d(np.asarray(rows, float)) for name, rows in shown.items() if rows is not None}
        n = self.batch_size = max((len(rows) for rows in self.given.values()), default=self._batch_size)
        self.at = at
        for host in self.placed.hosts(phase):
            if self.n_presented[phase] % -(-int(self.values[host.every]) // n) == 0:
                for level in self.placed.places.of(host):
                    self._do_as_host(host, level)
        self.age = self.n_presented[phase] * n
        self.n_presented[phase] += 1
        self.fired: dict[tuple[int, str], np.ndarray] = {}
        sizes = self.placed.layer_sizes
        self.state = {
            l: {name: np.full((n, size), np.nan) for name in self.placed.variables(l)}
            | {name: np.full((n, 1), np.nan) for name in self.placed.shared(l)}
            for l, size in enumerate(sizes)
        }

    # ------------------------------------------------------------------ one event
    def carry_out(self, event: Event) -> None:
        """Let one event happen."""
        moment, l = event
        if isinstance(moment, Learn):
            self._learn_on_events(event) if moment.on else self._learn(event)
        elif isinstance(moment, Fire):
            self._fire(moment, l)
        elif isinstance(moment, Carry) and moment.on:
            self._carry_on_events(event)
        elif isinstance(moment, Carry):
            pre, post = self.placed.ends(moment.projection, l)
            source = np.ones((self.batch_size, 1)) if pre is None else self.state[pre][self.placed.source(event)]
            self.state[post][moment.target] = source @ self.weights[moment.projection, l].T
        elif isinstance(moment, Pool):
            summed = np.zeros((self.batch_size, self.placed.layer_sizes[l])) + _value(moment.of, self._seen(l))
            to = self.placed.places.seen_by(moment.seen_by, l)
            self.state[to][moment.total] = summed.sum(axis=1, keepdims=True)
            if moment.code:
                self._execute(moment.code, to, 1)
        else:
            self._execute(self.placed.code(event), l, self.placed.layer_sizes[l])

    def _execute(self, code, level, n):
        own = self._seen(level)
        exec(_compiled(code, "exec"), own)
        for name in statements.written_by(code):
            self.state[level][name] = values = np.empty((self.batch_size, n))
            values[...] = own[name]

    def _fire(self, moment, level):
        """An event in the neurons for which the condition holds, and what that does to them."""
        before, shape = dict(self.state[level]), (self.batch_size, self.placed.layer_sizes[level])
        fired = np.broadcast_to(_value(moment.when, self._seen(level)), shape)
        self.fired[level, moment.event] = fired.copy()
        self._execute(moment.code, level, shape[1])
        for name in statements.written_by(moment.code):
            self.state[level][name] = np.where(fired, self.state[level][name], before[name])

    def _carry_on_events(self, event):
        """What neurons that have an event add to the target, one after the other; of a batch, all at once."""
        moment, l = event
        pre, post = self.placed.ends(moment.projection, l)
        weight, source = self.weights[moment.projection, l], self.state[pre][self.placed.source(event)]
        fired, state = self.fired[pre, moment.on], self.state[post]
        if self.batch_size > 1:
            state[moment.target] = state[moment.target] + np.where(fired, source, 0) @ weight.T
        for b, neuron in np.argwhere(fired) if self.batch_size == 1 else ():
            state[moment.target][b] += weight[:, neuron] * source[b, neuron]

    def _learn_on_events(self, event):
        """Synapses of neurons that have an event change, neuron by neuron; of a batch one after the other."""
        moment, l = event
        ((name, end),) = awaited(moment)
        weight = self.weights[moment.projection, l] = self.weights[moment.projection, l].copy()
        population = self.placed.ends(moment.projection, l)[end == "post"]
        for b, neuron in np.argwhere(self.fired[population, name]):
            its = np.s_[:, neuron : neuron + 1] if end == "pre" else np.s_[neuron : neuron + 1, :]
            seen = {name: value if value.size == 1 else value[:, its[1]] if name.endswith("_pre") else value[its[0], :]
                    for name, value in self._at_ends(event, b).items()}  # fmt: skip
            weight[its] += _value(moment.increment, {**FUNCTIONS, **self.values, **seen, "weight": weight[its]})

    def _seen(self, level):
        """What the code of a population sees."""
        remembered = {name: value for (at, name), value in self.remembered.items() if at == level}
        draws = {"noise": lambda stream: self._noise(level, stream, self.distribution),
                 "uniform": lambda stream: self._noise(level, stream, "uniform") / (2 * np.sqrt(3)) + 0.5}  # fmt: skip
        return {**FUNCTIONS, **draws, **self.values, "age": self.age, **self.given, **remembered, **self.state[level]}

    def _noise(self, level, stream, distribution):
        n, population = self.placed.layer_sizes[level], level + DESCENDING * int(stream)
        rows = [population_noise(self.seed, self.at + b, population, n, distribution) for b in range(self.batch_size)]
        return np.array(rows)

    def _learn(self, event):
        moment, l = event
        weight, n = self.weights[moment.projection, l], self.batch_size
        parts = _separated(moment.increment)
        if parts is not None and n > 1:
            of_post, of_pre = (self._factor(event, parts[end], end) for end in ("post", "pre"))
            change = of_post.T @ of_pre
        else:
            change = np.zeros_like(weight)
            for b in range(n if of_ends(moment) else 1):
                change += _value(
                    moment.increment, {**FUNCTIONS, **self.values, **self._at_ends(event, b), "weight": weight}
                )
        self.weights[moment.projection, l] = weight + change / (n if of_ends(moment) else 1)

    def _factor(self, event, text, end):
        """The factors of a change that read one end alone, for all stimuli of a batch: shape (batch_size, n)."""
        population = self.placed.ends(event.moment.projection, event.level)[end == "post"]
        size, seen = 1 if population is None else self.placed.layer_sizes[population], {}
        for name in (name for name, at in of_ends(event.moment) if at == end):
            if population is None:
                seen[f"{name}_{end}"] = np.ones((self.batch_size, 1))
            else:
                remembered = self.remembered.get((population, name))
                seen[f"{name}_{end}"] = self.state[population][name] if remembered is None else remembered
        factor = _value(text, {**FUNCTIONS, **self.values, **seen})
        return np.array(np.broadcast_to(factor, (self.batch_size, size)))

    def _at_ends(self, event, b):
        """Variables of both ends, for one stimulus of a batch, as they broadcast over a matrix."""
        pre, post = self.placed.ends(event.moment.projection, event.level)
        found = {}
        for name, end in of_ends(event.moment):
            if (population := pre if end == "pre" else post) is None:
                value = np.ones(1)
            elif (population, name) in self.remembered:
                value = np.array([self.remembered[population, name]])
            else:
                value = self.state[population][name][b]
            found[f"{name}_{end}"] = value[None, :] if end == "pre" else value[:, None]
        return found

    def _do_as_host(self, host: Host, level: int) -> None:
        of_level = {name: matrix for (name, l), matrix in self.weights.items() if l == level}
        for name, assigned in done_by_host(host, level, of_level, self.values, self.seed, self.at).items():
            if name in of_level:
                self.weights[name, level] = assigned
            else:
                self.remembered[self.placed.ends(host.projection, level)[1], name] = float(assigned)


class _Elementwise(ast.NodeTransformer):
    """``and``, ``or`` and ``not`` of arrays; and ``x += y`` as ``x = x + y``, which leaves the old array alone."""

    def visit_AugAssign(self, node):  # noqa: D102, N802
        node = self.generic_visit(node)
        before = ast.Name(node.target.id, ast.Load())
        return ast.Assign([node.target], ast.BinOp(before, node.op, node.value))

    def visit_BoolOp(self, node):  # noqa: D102, N802
        node = self.generic_visit(node)
        name = "logical_and" if isinstance(node.op, ast.And) else "logical_or"
        joined = node.values[0]
        for value in node.values[1:]:
            joined = ast.Call(ast.Name(name, ast.Load()), [joined, value], [])
        return joined

    def visit_UnaryOp(self, node):  # noqa: D102, N802
        node = self.generic_visit(node)
        if isinstance(node.op, ast.Not):
            return ast.Call(ast.Name("logical_not", ast.Load()), [node.operand], [])
        return node


@cache
def _compiled(code, mode):
    return compile(ast.fix_missing_locations(_Elementwise().visit(ast.parse(code.strip(), mode=mode))), "rule", mode)


def _value(text, seen):
    return eval(_compiled(text, "eval"), seen)


@cache
def _separated(increment):
    """A change that is a product of factors, each of which reads one end at most: ``{"post": ..., "pre": ...}``."""
    factors, pending = [], [ast.parse(increment.strip(), mode="eval").body]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
            pending += [node.left, node.right]
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            factors.append(ast.Constant(-1.0))
            pending.append(node.operand)
        else:
            factors.append(node)
    parts = {"post": ["1.0"], "pre": ["1.0"]}
    for factor in factors:
        read = statements.names(factor)
        ends = {end for end in parts if any(name.endswith(f"_{end}") for name in read)}
        if len(ends) > 1 or "weight" in read:
            return None
        parts[ends.pop() if ends else "post"].append(f"({ast.unparse(factor)})")
    return {end: "*".join(texts) for end, texts in parts.items()}

"""The interpreter of a hierarchy: made of parameters and weights, and its weights read back."""

from typing import Any

import numpy as np

from cortex_model.language.placed import PlacedRule
from cortex_model.language.rule import Rule
from cortex_model.reference.interpreter import Interpreter

#: Rows that are presented at once.
ROWS = 2000


def interpreter_of(parameters: Any, weights: Any, noise_seed: int = 0, rule: Rule | None = None) -> Interpreter:
    """The learning rule of parameters, to be carried out in NumPy from given weights on.

    Parameters
    ----------
    parameters : HierarchyParameters
    weights : Weights
        At the start; they are not changed.
    noise_seed : int
    rule : Rule, optional
        A rule with the same projections, to be carried out instead of that of the parameters.

    Returns
    -------
    interpreter : Interpreter
    """
    p, rule = parameters, parameters.rule if rule is None else rule
    in_time = rule.dynamics.name != "settled"
    placed, named = PlacedRule(rule, p.layer_sizes, p.delays if in_time else None), weights.named()
    arrays = {(name, l): named[f"{name}_{l}"] for name, l in placed.synapses}
    matrices = {key: array[:, None] if array.ndim == 1 else array for key, array in arrays.items()}
    known = {**rule.dynamics.numbers, **rule.numbers}
    interpreter = Interpreter(
        placed, matrices, {name: value for name, value in p.rule_values.items() if name in known},
        seed=noise_seed, distribution=p.noise_distribution, batch_size=p.batch_size,
        **({"n_steps": p.n_steps, "onset": p.onset_step} if in_time else {}),
    )  # fmt: skip
    rates = p.remembered_rates(placed.places)
    interpreter.remembered |= {key: rate for key, rate in rates.items() if key in interpreter.remembered}
    return interpreter


def presented(parameters: Any, weights: Any, phase: str, rows: np.ndarray, variable: str) -> dict[int, np.ndarray]:
    """A variable of every population that has it, after each row was presented in a phase.

    Parameters
    ----------
    parameters : HierarchyParameters
    weights : Weights
    phase : str
        ``evaluation``, ``perception`` or ``recall``.
    rows : ndarray, shape (n, n_0), or (n, n_L) in recall
    variable : str

    Returns
    -------
    values : dict of ndarray, shape (n, n_l)
        Population -> values.
    """
    interpreter, found = interpreter_of(parameters, weights), {}
    for first in range(0, len(rows), ROWS):
        part = rows[first : first + ROWS]
        shown = {"target": part} if phase == "recall" else {"stimulus": part}
        for l, variables in interpreter.present(phase, **shown).items():
            values = variables.get(variable)
            if values is not None and not np.isnan(values).all():
                found.setdefault(l, []).append(values)
    return {l: np.concatenate(parts) for l, parts in found.items()}


def learned_weights(interpreter: Interpreter, weights: Any) -> Any:
    """What an interpreter has learned, as `Weights`.

    Parameters
    ----------
    interpreter : Interpreter
    weights : Weights
        Those it began with: what its rule does not have is taken from them.
    """
    named = weights.named()
    learned = {f"{name}_{l}": matrix for (name, l), matrix in interpreter.weights.items()}
    return weights.replaced({name: matrix.reshape(named[name].shape).copy() for name, matrix in learned.items()})

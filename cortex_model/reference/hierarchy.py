"""The interpreter of a hierarchy: made of parameters and weights, and its weights read back."""

from typing import Any

from cortex_model.language.placed import PlacedRule
from cortex_model.language.rule import Rule
from cortex_model.reference.interpreter import Interpreter


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
    return Interpreter(
        placed, matrices, {name: value for name, value in p.rule_values.items() if name in known},
        seed=noise_seed, distribution=p.noise_distribution, batch_size=p.batch_size,
        **({"n_steps": p.n_steps, "onset": p.onset_step} if in_time else {}),
    )  # fmt: skip


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

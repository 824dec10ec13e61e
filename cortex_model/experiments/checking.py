"""A learning rule of one's own, looked at: does what runs, and what its oracle says, equal what is declared?"""

import itertools
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from cortex_model.devices.simulation import Simulation
from cortex_model.errors import ParameterError, RuleError, in_short
from cortex_model.language import PlacedRule
from cortex_model.language.describing import Line, presentation
from cortex_model.language.ordering import Ordering
from cortex_model.language.sizes import example_sizes
from cortex_model.parameters import SleepWakeParameters
from cortex_model.reference.hierarchy import interpreter_of, learned_weights
from cortex_model.rules import rule_named
from cortex_model.rules.own import is_own, own_rule
from cortex_model.schedule import PHASES, Stimuli, declared, schedule_of
from cortex_model.state.philox import DESCENDING, population_noise
from cortex_model.system.sources import path_and_hash
from cortex_model.weights import Weights, initial_weights

#: Largest max|difference| / max|weights| that passes for equal: roundings of float64.
TOLERANCE = 1e-12
SEED, N_PRESENTATIONS = 3, 6
LEARNING = ("wake", "sleep")
SOUND = "sound"


class Checked(NamedTuple):
    """What was looked at.

    Attributes
    ----------
    claim : str
    difference : float or None
        Largest difference, relative to the largest weight; None where there was nothing to compare.
    said : str
        Why there was nothing, or what else is to be known.
    """

    claim: str
    difference: float | None
    said: str = ""

    @property
    def verdict(self) -> str:
        """In a word, with the difference."""
        if self.difference is None:
            return "yes" if self.claim == SOUND else "not checked"
        return f"{'yes' if self.holds else 'NO'} (largest difference {self.difference:.1e})"

    @property
    def holds(self) -> bool:
        """Whether it holds, or was not looked at."""
        return self.difference is None or self.difference <= TOLERANCE


def parameters_for(learning_rule: str, dynamics: str = "settled", **overrides) -> SleepWakeParameters:
    """A small hierarchy in double precision that learns by the rule."""
    in_time = {}
    if dynamics == "leaky":
        in_time = {"dynamics": "leaky", "presentation_ms": 20.0, "feedback_onset_ms": 10.0}
        in_time |= {"forward_delay_ms": (2.0,), "feedback_delay_ms": (3.0,)}
    if dynamics == "spiking":
        in_time = {"dynamics": "spiking", "presentation_ms": 40.0, "feedback_onset_ms": 20.0}
    given = {
        "layer_sizes": example_sizes(rule_named(learning_rule)),
        "initial_weights": "orthogonal",
        "dtype": "float64",
    }
    return SleepWakeParameters(**given | in_time | overrides, learning_rule=learning_rule)


def check_rule(learning_rule: str, **overrides) -> Iterator[Checked]:
    """Look at a rule: each claim as soon as it is known whether it holds.

    Parameters
    ----------
    learning_rule : str
        A file, or the name of a shipped rule.
    **overrides
        Parameters other than those of `parameters_for`: numbers of the rule, ``layer_sizes``.

    Raises
    ------
    RuleError, ParameterError
        If the rule is not sound, or a number is none of its own.
    """
    p = parameters_for(learning_rule, **overrides)
    yield Checked(SOUND, None, "every name is known, everything read is written before, everything written is read")
    yield compared_with_brian2(p)
    try:
        in_time = parameters_for(learning_rule, "leaky", **overrides)
    except (RuleError, ParameterError) as error:
        yield Checked("in time, Brian2 equals the declaration", None, f"not with dynamics=leaky: {error}")
    else:
        yield compared_with_brian2(in_time)
    if rule_named(learning_rule).in_spikes:
        yield compared_with_brian2(parameters_for(learning_rule, "spiking", **overrides))
    else:
        without = f"not with dynamics=spiking: the rule has no Rule.in_spikes of the name {p.rule.name}_spiking"
        yield Checked("in spikes, Brian2 equals the declaration", None, without)
    yield compared_with_oracle(p)


def shown_to(p: SleepWakeParameters) -> tuple[np.ndarray, np.ndarray]:
    """Stimuli and targets."""
    rng, n = np.random.default_rng(1), p.layer_sizes
    return rng.normal(size=(N_PRESENTATIONS, n[0])), np.eye(n[-1])[np.arange(N_PRESENTATIONS) % n[-1]]


def compared_with_brian2(p: SleepWakeParameters) -> Checked:
    """What Brian2 makes of wake and sleep in turn, beside the interpreter of the declaration."""
    phases = [PHASES.index(phase) for phase in LEARNING if phase in declared(p).phases]
    order = np.tile(phases, N_PRESENTATIONS)
    rows = np.where(order == 0, np.arange(len(order)) // len(phases), -1)[:, None]
    shown, weights = shown_to(p), initial_weights(p, SEED)
    schedule = schedule_of(p, order, rows)
    found = Simulation(p, "runtime").run(schedule, Stimuli(wake=shown), weights, {"noise_seed": SEED}).weights
    interpreter = interpreter_of(p, weights, SEED)
    for phase, (row,), at in zip(order, rows, schedule.presentation.tolist(), strict=True):
        interpreter.present(PHASES[phase], *((shown[0][row], shown[1][row]) if phase == 0 else ()), at=at)
    where = {"settled": "", "leaky": "in time, ", "spiking": "in spikes, "}[p.dynamics]
    claim = f"{where}Brian2 equals the declaration"
    return Checked(claim, difference(found, learned_weights(interpreter, weights), weights), unchanged(found, weights))


def compared_with_oracle(p: SleepWakeParameters) -> Checked:
    """What the file's ``ORACLE`` says of single presentations, beside the interpreter of the declaration.

    ``ORACLE(phase, weights, numbers, stimulus, target, noise)`` returns the weights that change in one presentation, or
    None for a phase of which it says nothing. ``weights``, and what it returns, are dictionaries of ``W_1``, ``b_1``,
    ``V_2``...: matrices of shape (n_post, n_pre), biases as vectors. ``numbers`` are those of the rule;
    ``noise(population, stream)`` is what that population draws.
    """
    claim = "the oracle equals the declaration"
    if not is_own(p.learning_rule):
        return Checked(claim, None, "of a shipped rule its tests say so, by functions of cortex_model.theory")
    oracle = own_rule(p.learning_rule).oracle
    if oracle is None:
        return Checked(claim, None, "the file has no ORACLE: nothing independent says that this is the rule you mean")
    shown, start, largest, compared = shown_to(p), initial_weights(p, SEED), 0.0, []
    interpreter = interpreter_of(p, start, SEED)
    phases = [phase for phase in LEARNING if phase in p.rule.phases]
    for at, (n, phase) in enumerate(itertools.product(range(N_PRESENTATIONS), phases)):
        given = (shown[0][n], shown[1][n]) if phase == "wake" else (None, None)
        before = learned_weights(interpreter, start)
        changed = oracle(phase, before.astype(float).named(), dict(p.rule_values), *given, noise_for(p, at))
        interpreter.present(phase, *given, at=at)
        if changed is None:
            continue
        found = _returned(changed, before, p)
        largest = float(np.maximum(largest, difference(found, learned_weights(interpreter, start), start)))
        compared = [*compared, phase] if phase not in compared else compared
    if not compared:
        return Checked(claim, None, "ORACLE returned None for every phase")
    return Checked(claim, largest, f"of {' and '.join(compared)}")


def _returned(changed, before, p):
    """Weights after a presentation, as ``ORACLE`` returned them."""
    file = path_and_hash(p.learning_rule)[0]
    if not isinstance(changed, dict) or not set(changed) <= set(before.named()):
        raise RuleError(
            f"{file}: ORACLE must return a dictionary of {', '.join(before.named())}, or some of them (got "
            f"{in_short(changed)}); end it with `return weights`."
        )
    try:
        found = before.replaced({name: np.asarray(array, float) for name, array in changed.items()})
        found.check(p)
    except (ParameterError, ValueError, TypeError) as error:
        raise RuleError(f"{file}: ORACLE must return the weights of this hierarchy (got others: {error})") from None
    return found


def noise_for(p: SleepWakeParameters, at: int) -> Callable[..., np.ndarray]:
    """What a population draws in a presentation: ``noise(population, stream)``."""

    def noise(population, stream=0):
        size = p.layer_sizes[population]
        return population_noise(SEED, at, population + DESCENDING * stream, size, p.noise_distribution)

    return noise


def difference(found: Weights, expected: Weights, start: Weights) -> float:
    """max|difference| / max|weights at the start| over everything that learns; nan where something is not a number."""
    pairs = zip(found.named().values(), expected.named().values(), strict=True)
    largest = np.max([np.abs(array).max() for array in start.named().values()])
    return float(np.max([np.abs(a - b).max() for a, b in pairs]) / largest)


def unchanged(found: Weights, start: Weights) -> str:
    """Which weights have not changed: said, because a comparison of what does not learn says little."""
    same = [name for name, array in found.named().items() if np.array_equal(array, start.named()[name])]
    return f"{', '.join(same)} did not change" if same else "all weights changed"


def followed(p: SleepWakeParameters) -> dict[str, list[Line]]:
    """Phase that learns -> what happens in one of its presentations, line by line: moment, levels, slot."""
    ordering, counts = Ordering(PlacedRule(p.rule, p.layer_sizes)), declared(p).counts
    return {phase: presentation(ordering, phase, counts) for phase in LEARNING if phase in p.rule.phases}

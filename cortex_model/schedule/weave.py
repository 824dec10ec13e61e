"""Phases woven into one schedule: sleep, wake and evaluation; nothing but sleep; what is traced in time."""

from collections.abc import Callable

import numpy as np

from cortex_model.errors import ParameterError
from cortex_model.rules import rule_named
from cortex_model.schedule.declared import PHASES, declared
from cortex_model.schedule.filling import Filling, Order, check_length
from cortex_model.schedule.interventions import with_interventions
from cortex_model.schedule.presentations import PIECE, SLEEP, Schedule


def schedule_of(parameters, phase: np.ndarray, stimulus: np.ndarray, measured=()) -> Schedule:
    """A schedule of presentations in any order, with the slots and the host's interventions of the learning rule.

    Parameters
    ----------
    parameters : HierarchyParameters
    phase : ndarray of int, shape (n,)
        Places in `PHASES`.
    stimulus : ndarray of int, shape (n, batch_size)
        See `Schedule`.
    measured : sequence of int
        After how many presentations something is measured.

    Raises
    ------
    ParameterError
        For a phase that the learning rule does not have.
    """
    own, phase = declared(parameters), np.asarray(phase, np.int8)
    used = [PHASES[number] for number in np.unique(phase)]
    if lacking := [name for name in used if name not in own.phases]:
        raise ParameterError(
            f"Schedule.phase: must be phases of learning_rule {parameters.learning_rule}, which are "
            f"{', '.join(own.phases)} (got {lacking[0]}); choose another rule, or leave that phase out."
        )
    values, interventions = parameters.rule_values, {}
    for name in used:
        for host in own.hosts(name):
            places = np.flatnonzero(phase == PHASES.index(name))
            interventions[host] = places[:: _in_batches(int(values[host.every]), parameters)]
    slots = {name: own.slots(name) for name in used}
    made = Schedule(phase, np.asarray(stimulus, np.int32), slots, interventions, np.asarray(measured, np.int64))
    return with_interventions(made, parameters)


def wake_sleep_schedule(
    parameters,
    order_of_epoch: Callable[[int], np.ndarray],
    n_stimuli: int,
    n_wake: int,
    n_evaluated: int,
    evaluate_every: int,
    evaluate_early_every: int = 0,
) -> Schedule:
    """Sleep, wake and evaluation woven into one schedule.

    Parameters
    ----------
    parameters : SleepWakeParameters
        Rule, amounts and blocks of sleep.
    order_of_epoch : callable
        Epoch -> permutation of the ``n_stimuli`` training stimuli.
    n_stimuli, n_wake, n_evaluated : int
        Training stimuli, wake presentations in all, stimuli of one evaluation (0: no evaluations).
    evaluate_every : int
        Wake presentations between two evaluations; one more comes before learning, one at the end.
    evaluate_early_every : int
        Wake presentations between two more evaluations until the first of those; 0: there are none.

    Returns
    -------
    schedule : Schedule

    Notes
    -----
    With a ``batch_size`` B above 1, wake and sleep come in whole batches: numbers of presentations are rounded up to
    the next multiple of B, and the last batch is filled from the next epoch.

    Raises
    ------
    ParameterError
        If there would be nothing to present, a number is no count, or the rows of an epoch are too few.
    """
    p, size, sleeps = parameters, parameters.batch_size, "sleep" in declared(parameters).phases
    _check_counts("wake_sleep_schedule", n_stimuli=n_stimuli, n_wake=n_wake, n_evaluated=n_evaluated,
                  evaluate_every=evaluate_every, evaluate_early_every=evaluate_early_every)  # fmt: skip
    if n_wake and not n_stimuli:
        raise ParameterError(f"wake_sleep_schedule.n_stimuli: must be at least 1 where n_wake is {n_wake} (got 0).")
    if n_wake + p.sleep_before_presentations + n_evaluated == 0:
        raise ParameterError("Schedule: must hold at least one presentation (got none); raise epochs or sleep.")
    n_wake, n_before = _in_batches(n_wake, p), _in_batches(p.sleep_before_presentations, p) if sleeps else 0
    every, early = _in_batches(evaluate_every, p) or n_wake or 1, _in_batches(evaluate_early_every, p)
    looks = [range(every, n_wake, every), range(early, min(every, n_wake), early) if early else range(0)]
    n_evaluations, n_batches = 2 + sum(map(len, looks)), _in_batches(n_evaluated, p)
    ratio, block = p.sleep_per_wake * sleeps, _in_batches(p.sleep_block_presentations, p)
    parts = {
        f"lower {'laps' if hasattr(p, 'laps') else 'epochs'}": n_wake,
        "lower sleep_per_wake": n_wake * ratio,
        "lower sleep_before_presentations": n_before,
        "evaluate fewer stimuli, or less often": n_evaluations * n_batches,
    }
    check_length(parts, size)
    n_slept = int(_slept(n_wake, n_wake, ratio, block))
    filling = Filling(n_wake + n_slept + n_before + n_evaluations * n_batches, size)
    evaluated = np.arange(n_batches * size)
    evaluated = np.where(evaluated < n_evaluated, evaluated, -1).reshape(-1, size)
    order, marks = Order(order_of_epoch, n_stimuli), sorted({n_wake, *looks[0], *looks[1]})
    filling.look(evaluated)
    filling.sleep(n_before)
    for begin, end in zip([0, *marks], marks, strict=False):
        for first in range(begin, end, PIECE):
            last = min(first + PIECE, end)
            n_slept = np.diff(_slept(np.arange(first, last + 1), n_wake, ratio, block))
            filling.wake(order.next((last - first) * size).reshape(-1, size), n_slept)
        filling.look(evaluated)
    return schedule_of(p, filling.phase, filling.stimulus, filling.measured)


def _slept(n, n_wake, ratio, block):
    """Batches of sleep after ``n`` of ``n_wake`` batches of wake: ``ratio`` for each on average, in blocks."""
    in_blocks = np.where(n == n_wake, n, n // block * block)  # what is left over is slept at the end
    return np.floor(in_blocks * ratio + 1e-9).astype(np.int64)


def sleep_schedule(parameters, n_presentations: int, measure_every: int) -> Schedule:
    """Nothing but sleep, measured every ``measure_every`` presentations (and before the first); in whole batches.

    Raises
    ------
    ParameterError
        For a rule that does not sleep, and for numbers that are no counts.
    """
    p, size = parameters, parameters.batch_size
    _check_counts("sleep_schedule", n_presentations=n_presentations, measure_every=measure_every)
    if "sleep" not in declared(p).phases or measure_every == 0:
        is_rule = measure_every != 0
        what, got = ("learning_rule", p.learning_rule) if is_rule else ("measure_every", 0)
        must = "a rule that sleeps" if is_rule else "at least 1"
        hint = (is_rule and _forms_that_sleep(parameters.learning_rule)) or "give another one"
        raise ParameterError(f"sleep_schedule.{what}: must be {must} (got {got}); {hint}.")
    n, every = _in_batches(n_presentations, p), _in_batches(measure_every, p)
    check_length({"make fewer presentations": n}, size)
    measured = np.unique(np.append(np.arange(0, n, every), n))
    filling = Filling(n, size)
    return schedule_of(p, filling.phase, filling.stimulus, measured)


def _forms_that_sleep(learning_rule):
    """Which choice would let a rule sleep, as a hint; empty where none would."""
    choices = rule_named(learning_rule).choices.items()
    words = [f"{name}={word}" for name, its in choices for word, form in its.others.items() if "sleep" in form.phases]
    return f"set {' or '.join(words)}" if words else ""


def trace_schedule(parameters, n_stimuli: int, phase: int) -> Schedule:
    """Nothing but one phase: presentations of ``n_stimuli`` rows; in sleep, of noise."""
    size = parameters.batch_size
    rows = np.arange(_in_batches(n_stimuli, parameters) * size).reshape(-1, size)
    are_shown = (rows < n_stimuli) & (phase != SLEEP)
    return schedule_of(parameters, np.full(len(rows), phase), np.where(are_shown, rows, -1))


def _check_counts(where, **counts):
    for name, n in counts.items():
        if not isinstance(n, int | np.integer) or isinstance(n, bool) or n < 0:
            raise ParameterError(f"{where}.{name}: must be a whole number at least 0 (got {n!r}); round it.")


def _in_batches(n_presentations, p):
    """How many batches hold so many presentations."""
    return -(-n_presentations // p.batch_size)

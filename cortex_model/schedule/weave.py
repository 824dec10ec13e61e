"""Phases woven into one schedule: sleep, wake and evaluation; nothing but sleep; what is traced in time."""

from collections.abc import Callable

import numpy as np

from cortex_model.errors import ParameterError
from cortex_model.rules import rule_named
from cortex_model.schedule.declared import PHASES, declared
from cortex_model.schedule.interventions import with_interventions
from cortex_model.schedule.presentations import EVALUATION, SLEEP, WAKE, Schedule
from cortex_model.system.memory import must_fit


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
    n_before = p.sleep_before_presentations if sleeps else 0
    _must_fit(float(n_wake) + n_before + n_wake * p.sleep_per_wake * sleeps, p)
    order = _order(order_of_epoch, n_stimuli, _in_batches(n_wake, p), size)
    n_wake, every = len(order), _in_batches(evaluate_every, p) or _in_batches(n_wake * size, p) or 1
    early = _in_batches(evaluate_early_every, p)
    sleeps_after = _sleeps_after_each_wake(p, n_wake) if sleeps else np.zeros(n_wake, np.int64)
    evaluated = np.arange(_in_batches(n_evaluated, p) * size)
    evaluated = np.where(evaluated < n_evaluated, evaluated, -1).reshape(-1, size)
    phases, stimuli, measured = [], [], []

    def present(phase, rows):
        phases.append(np.broadcast_to(np.asarray(phase, np.int8), len(rows)))
        stimuli.append(rows)

    def evaluate():
        present(EVALUATION, evaluated)
        measured.append(sum(map(len, phases)))

    evaluate()
    present(SLEEP, np.full((_in_batches(n_before, p), size), -1))
    marks = {n_wake, *range(every, n_wake, every), *(range(early, min(every, n_wake), early) if early else ())}
    for first, last in zip([0, *sorted(marks)], sorted(marks), strict=False):
        after = sleeps_after[first:last]
        at = np.arange(last - first) + np.cumsum(after) - after
        phase, rows = (np.full((last - first + int(after.sum()), n), value) for n, value in ((1, SLEEP), (size, -1)))
        phase[at], rows[at] = WAKE, order[first:last]
        present(phase[:, 0], rows)
        evaluate()
    return schedule_of(p, np.concatenate(phases), np.concatenate(stimuli), measured)


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
    _must_fit(float(n_presentations), p)
    n, every = _in_batches(n_presentations, p), _in_batches(measure_every, p)
    measured = np.unique(np.append(np.arange(0, n, every), n))
    return schedule_of(p, np.full(n, SLEEP), np.full((n, size), -1), measured)


def _forms_that_sleep(learning_rule):
    """Which choice would let a rule sleep, as a hint; empty where none would."""
    choices = rule_named(learning_rule).choices.items()
    words = [f"{name}={word}" for name, its in choices for word, form in its.others.items() if "sleep" in form.phases]
    return f"set {' or '.join(words)}" if words else ""


def trace_schedule(parameters, n_stimuli: int, phase: int) -> Schedule:
    """Nothing but perception, or recall, of ``n_stimuli`` rows."""
    size = parameters.batch_size
    rows = np.arange(_in_batches(n_stimuli, parameters) * size).reshape(-1, size)
    return schedule_of(parameters, np.full(len(rows), phase), np.where(rows < n_stimuli, rows, -1))


def _check_counts(where, **counts):
    for name, n in counts.items():
        if not isinstance(n, int | np.integer) or isinstance(n, bool) or n < 0:
            raise ParameterError(f"{where}.{name}: must be a whole number at least 0 (got {n!r}); round it.")


def _order(order_of_epoch, n_stimuli, n_batches, size):
    """Rows of the stimuli that each batch shows; shape (n_batches, size)."""
    n_epochs = -(-n_batches * size // max(n_stimuli, 1))
    rows = [_rows_of(order_of_epoch, epoch, n_stimuli) for epoch in range(n_epochs)] or [np.zeros(0, int)]
    return np.concatenate(rows)[: n_batches * size].reshape(-1, size)


def _rows_of(order_of_epoch, epoch, n_stimuli):
    """What is shown in an epoch, in its order."""
    rows = np.asarray(order_of_epoch(epoch))
    if rows.dtype.kind in "iu" and rows.size and (rows.min() < 0 or rows.max() >= 2**31):
        raise ParameterError(
            "wake_sleep_schedule.order_of_epoch: must return rows of the stimuli, from 0 on (got rows from "
            f"{rows.min()} to {rows.max()} for epoch {epoch}); return a permutation of them."
        )
    if rows.dtype.kind not in "iu" or rows.ndim != 1 or len(rows) != n_stimuli:
        raise ParameterError(
            f"wake_sleep_schedule.order_of_epoch: must return n_stimuli ({n_stimuli}) whole numbers, rows of the "
            f"stimuli (got {rows.dtype} of shape {rows.shape} for epoch {epoch}); return a permutation of them."
        )
    return rows


def _must_fit(n_presentations, p):
    """Refuse a schedule that no memory holds: of each presentation a phase and its stimuli, as it is made."""
    n = n_presentations / p.batch_size
    must_fit(n * (5 + 12 * p.batch_size), "Schedule", f"{n:.3g} presentations are too many: lower epochs or sleep")


def _in_batches(n_presentations, p):
    """How many batches hold so many presentations."""
    return -(-n_presentations // p.batch_size)


def _sleeps_after_each_wake(p, n_wake):
    """Sleep batches after each wake batch: ``sleep_per_wake`` on average, in blocks."""
    n_wakes, block = np.arange(1, n_wake + 1), _in_batches(p.sleep_block_presentations, p)
    in_blocks = n_wakes // block * block
    in_blocks[-1:] = n_wake  # what is left over is slept at the end
    owed = np.floor(in_blocks * p.sleep_per_wake + 1e-9).astype(np.int64)
    return np.diff(np.concatenate([[0], owed]))

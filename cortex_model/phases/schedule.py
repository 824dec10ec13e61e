"""What is presented, when, and which gates are open: phases composed into one Schedule of arrays."""

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from cortex_model.errors import ParameterError
from cortex_model.memory import must_fit
from cortex_model.phases.kinds import ASCENDING, DESCENDING, EVALUATION, KINDS, PHASES, RETURNING, WAKE
from cortex_model.phases.leaky import TRACING, gates_in_time

SWEEP = {"stimulus_gate", "input_gate", "forward_gate", "response_gate"}
#: Gates that are open in a slot of wake, and in one of evaluation, whatever the rule.
WAKING = SWEEP | {"error_gate", "feedback_gate", "weight_update_gate"}
EVALUATING = SWEEP | {"record_gate"}

#: Slots of one sleep presentation: sleep rule -> kind of slot -> open gates. Slots with
#: "forward_update_gate" are left out where the forward weights do not sleep.
SLEEPING = {
    "recirculation": {
        ASCENDING: {"noise", "forward", "send_up_again", "feedback", "difference_below", "feedback_update"},
        DESCENDING: {"noise", "feedback"},
        RETURNING: {"send_back", "forward", "difference_above", "forward_update"},
    },
    "hinton_mcclelland": {
        ASCENDING: {"noise", "forward", "send_up_again", "feedback", "difference_below", "feedback_update"},
        RETURNING: {"send_back", "forward", "difference_above", "forward_update"},
    },
    "ben_israel": {
        DESCENDING: {"noise", "feedback"},
        RETURNING: {"send_back", "forward", "send_up_again", "feedback", "difference_below", "feedback_update"},
    },
}


@dataclass(frozen=True)
class LearningRule:
    """What a learning rule is: where feedback starts, and what opens when.

    Attributes
    ----------
    feedback_start : {"random", "transpose", "pseudoinverse"}
        V at the start.
    wake_gates : frozenset of str
        Gates that are open in wake besides those of every rule.
    sleeps : bool
        Whether feedback (and, with a rate above 0, forward) weights learn in sleep.
    reconstructs : bool
        Whether feedback synapses see, in sleep, how much of the noise comes back (V up), or only the noise itself.
    refreshes_pseudoinverse : bool
        Whether the host puts V = W^+ every ``pseudoinverse_every_presentations``.
    """

    feedback_start: str
    wake_gates: frozenset = frozenset()
    sleeps: bool = False
    reconstructs: bool = True
    refreshes_pseudoinverse: bool = False


#: Learning rule -> what it is. Every rule shares the hierarchy, `weight_update` and the program.
LEARNING_RULES = {
    "reciprocal": LearningRule("random", sleeps=True),
    "random_feedback": LearningRule("random"),
    "direct_feedback": LearningRule("random"),
    "backpropagation": LearningRule("transpose", frozenset({"transposed_update_gate"})),
    "exact_pseudoinverse": LearningRule("pseudoinverse", refreshes_pseudoinverse=True),
    "weight_mirror": LearningRule("random", sleeps=True, reconstructs=False),
    "kolen_pollack": LearningRule("random", frozenset({"transposed_update_gate", "weight_decay_gate"})),
}


def open_gates(parameters) -> dict[int, set[str]]:
    """Kind of slot -> the gates that are open in it, for these parameters."""
    p, rule = parameters, LEARNING_RULES[parameters.learning_rule]
    gates = {WAKE: WAKING | rule.wake_gates, EVALUATION: set(EVALUATING)}
    for kind, moments in sleep_slots(p).items():
        gates[kind] = {f"{moment}_gate" for moment in moments}
        if p.feedback_to_input and "feedback" in moments:
            gates[kind].add("reconstruction_gate")
        if p.sleep_normalisation and moments & {"feedback_update", "forward_update"}:
            gates[kind].add("sleep_power_gate")
    return gates


def sleep_slots(parameters) -> dict[int, set[str]]:
    """Kind of slot -> its moments, for one sleep presentation in order; empty where the rule does not sleep."""
    rule = LEARNING_RULES[parameters.learning_rule]
    if not rule.sleeps:
        return {}
    slots = SLEEPING[parameters.sleep_rule]
    forward_sleeps = rule.reconstructs and parameters.forward_sleep_learning_rate > 0
    if forward_sleeps or parameters.sleep_rule == "ben_israel":
        return slots
    return {kind: moments for kind, moments in slots.items() if kind == ASCENDING}


@dataclass(frozen=True)
class Schedule:
    """One row a slot: what kind it is, which presentation it belongs to, which stimulus it shows.

    Attributes
    ----------
    kind : ndarray of int8, shape (n_slots,)
        Index into `KINDS`.
    presentation : ndarray of int32, shape (n_slots,)
        Number of the (first) presentation in the whole run; all slots of one sleep presentation share it, and
        the noise is drawn for it.
    stimulus : ndarray of int32, shape (n_slots, batch_size)
        Rows of the training images (wake) or of the evaluated images (evaluation); -1 in sleep, and where the last
        batch of an evaluation is not full.
    gates : dict of int to set of str
        Kind of slot -> open gates.
    updates : ndarray of int64
        Slots before which the host refreshes what ``refreshes`` names.
    refreshes : {"", "pseudoinverse", "norm_matched", "perturbed"}
        What the updates are of.
    steps : dict of int to list of set of str
        In the leaky mode, kind of slot -> the gates that are open in each of its time steps; else empty.
    looks : ndarray of int64
        Slots at which something is measured from outside: after the last slot of each evaluation.
    """

    kind: np.ndarray
    presentation: np.ndarray
    stimulus: np.ndarray
    gates: dict[int, set[str]]
    updates: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    looks: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    refreshes: str = ""
    steps: dict[int, list[set[str]]] = field(default_factory=dict)

    @property
    def n_slots(self) -> int:
        """How many slots there are."""
        return len(self.kind)

    def gate(self, name: str) -> np.ndarray:
        """0/1 for each slot: whether gate ``name`` is open."""
        if not self.steps:
            table = np.array([name in self.gates.get(kind, ()) for kind in range(len(KINDS))])
            return table[self.kind]
        table = np.zeros((len(KINDS), max(map(len, self.steps.values()))), bool)
        for kind, steps in self.steps.items():
            table[kind, : len(steps)] = [name in gates for gates in steps]
        return table[self.kind, self.step]

    @cached_property
    def step(self) -> np.ndarray:
        """For each slot, how many slots of its kind came before it in its presentation: the time step."""
        changes = (np.diff(self.presentation, prepend=-1) != 0) | (np.diff(self.kind, prepend=-1) != 0)
        slots = np.arange(self.n_slots, dtype=np.int32)
        return slots - np.maximum.accumulate(np.where(changes, slots, 0))

    @cached_property
    def _begun(self) -> dict[str, np.ndarray]:
        """Phase -> presentations of it that have begun before each slot, and in all; shape (n_slots + 1,)."""
        n_shown = np.where(
            np.isin(self.kind, PHASES["sleep"]), self.stimulus.shape[1], (self.stimulus >= 0).sum(axis=1)
        )
        begins = (np.diff(self.presentation, prepend=-1) != 0) * n_shown
        return {
            phase: np.concatenate([[0], np.cumsum(begins * np.isin(self.kind, kinds))])
            for phase, kinds in PHASES.items()
        }

    def n_presentations(self, phase: str | None = None, slot: int | None = None) -> int:
        """How many presentations of a phase (None: of all) have begun before a slot (None: in all)."""
        at = self.n_slots if slot is None else slot
        return sum(int(begun[at]) for name, begun in self._begun.items() if phase in (None, name))

    def counted_from(self, first_presentation: int) -> "Schedule":
        """The same schedule, its presentations numbered from ``first_presentation`` on: other noise is drawn.

        Raises
        ------
        ParameterError
            If the numbers exceed 32 bits.
        """
        if first_presentation == 0:
            return self
        largest = first_presentation + int(self.presentation.max(initial=0))
        if largest >= 2**31:
            raise ParameterError(
                f"Schedule.presentation: must be below {2**31}, because noise is numbered in 32 bits (got {largest}); "
                "make fewer presentations in one run."
            )
        return replace(self, presentation=(self.presentation + first_presentation).astype(np.int32))

    @property
    def next_presentation(self) -> int:
        """Number of the presentation that would come after the last one."""
        return int(self.presentation[-1]) + self.stimulus.shape[1] if self.n_slots else 0

    def stops(self, capacity: int) -> np.ndarray:
        """Slots at which a run looks out of the simulation; chunks in between hold at most ``capacity`` slots.

        A chunk never begins within a presentation, because weights are all that goes from chunk to chunk.

        Raises
        ------
        ParameterError
            If a presentation does not fit into a chunk.
        """
        marks = np.unique(np.concatenate([[0, self.n_slots], self.updates, self.looks])).astype(np.int64)
        begins = np.flatnonzero(np.diff(self.presentation, prepend=-1))
        longest = np.diff(begins, append=self.n_slots).max(initial=0)
        if longest > capacity:
            raise ParameterError(
                f"Parameters.chunk_presentations: must be at least {longest}, the slots of one sleep presentation "
                f"(got {capacity}); raise it."
            )
        stops = [0]
        for mark in marks[1:]:
            while mark - stops[-1] > capacity:
                stops.append(int(begins[np.searchsorted(begins, stops[-1] + capacity, side="right") - 1]))
            stops.append(int(mark))
        return np.array(stops, np.int64)


def wake_sleep_schedule(
    parameters, order_of_epoch, n_stimuli, n_wake, n_evaluated, evaluate_every, evaluate_early_every=0
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
    p, slots, size = parameters, list(sleep_slots(parameters)), parameters.batch_size
    _check_counts("wake_sleep_schedule", n_stimuli=n_stimuli, n_wake=n_wake, n_evaluated=n_evaluated,
                  evaluate_every=evaluate_every, evaluate_early_every=evaluate_early_every)  # fmt: skip
    if n_wake and not n_stimuli:
        raise ParameterError(f"wake_sleep_schedule.n_stimuli: must be at least 1 where n_wake is {n_wake} (got 0).")
    if n_wake + p.sleep_before_presentations + n_evaluated == 0:
        raise ParameterError("Schedule: must hold at least one presentation (got none); raise epochs or sleep.")
    n_sleep = p.sleep_before_presentations + n_wake * p.sleep_per_wake
    _must_fit(float(n_wake) + len(slots) * n_sleep, p)
    n_epochs = -(-_in_batches(n_wake, p) * size // max(n_stimuli, 1))
    n_wake, evaluate_every = _in_batches(n_wake, p), _in_batches(evaluate_every, p)
    early = _in_batches(evaluate_early_every, p)
    sleeps_after = _sleeps_after_each_wake(p, n_wake) if slots else np.zeros(n_wake, np.int64)
    kinds, stimuli, looks, updates = [], [], [], []
    n_done = 0

    def present(kind, stimulus):
        nonlocal n_done
        kinds.append(np.asarray(kind, np.int8))
        stimuli.append(np.asarray(stimulus, np.int32).reshape(-1, size))
        n_done += len(kind)

    def sleep(n):
        present(np.tile(slots, n), np.full((n * len(slots), size), -1))

    def evaluate():
        rows = np.arange(_in_batches(n_evaluated, p) * size)
        present(np.full(len(rows) // size, EVALUATION), np.where(rows < n_evaluated, rows, -1))
        looks.append(n_done)

    order = np.concatenate(
        [_rows_of(order_of_epoch, epoch, n_stimuli) for epoch in range(n_epochs)] or [np.zeros(0, int)]
    )
    order = order[: n_wake * size].reshape(-1, size)
    evaluate()
    if slots:
        sleep(_in_batches(p.sleep_before_presentations, p))
    period, every = _update_period(p), evaluate_every or n_wake or 1
    evaluated = {n_wake, *range(every, n_wake, every), *(range(early, min(every, n_wake), early) if early else ())}
    marks = sorted({0} | evaluated | set(range(0, n_wake, period or n_wake + 1)))
    for first, last in zip(marks, marks[1:], strict=False):
        if period and first % period == 0:
            updates.append(n_done)
        n_sleeps = sleeps_after[first:last]
        at = np.arange(last - first) + len(slots) * np.concatenate([[0], np.cumsum(n_sleeps)[:-1]]).astype(np.int64)
        kind = np.resize(np.asarray(slots or [0], np.int8), last - first + len(slots) * int(n_sleeps.sum()))
        stimulus = np.full((len(kind), size), -1)
        is_wake = np.zeros(len(kind), bool)
        is_wake[at] = True
        kind[~is_wake] = np.resize(np.asarray(slots or [0], np.int8), int((~is_wake).sum()))
        kind[at], stimulus[at] = WAKE, order[first:last]
        present(kind, stimulus)
        if last in evaluated:
            evaluate()
    kind = np.concatenate(kinds)
    starts = ~np.isin(kind, PHASES["sleep"]) | (kind == (slots[0] if slots else -1))
    schedule = Schedule(
        kind,
        ((np.cumsum(starts) - 1) * size).astype(np.int32),
        np.concatenate(stimuli),
        open_gates(p),
        np.array(updates, np.int64),
        np.array(looks, np.int64),
        _refreshes(p),
    )
    return in_time(schedule, p)


def sleep_schedule(parameters, n_presentations, look_every) -> Schedule:
    """Nothing but sleep, looked at every ``look_every`` presentations (and before the first); in whole batches.

    Raises
    ------
    ParameterError
        For a rule that does not sleep, and for numbers that are no counts.
    """
    slots, size = list(sleep_slots(parameters)), parameters.batch_size
    _check_counts("sleep_schedule", n_presentations=n_presentations, look_every=look_every)
    if not slots or look_every == 0:
        what, got = ("learning_rule", parameters.learning_rule) if not slots else ("look_every", 0)
        must = "a rule that sleeps, reciprocal or weight_mirror" if not slots else "at least 1"
        raise ParameterError(f"sleep_schedule.{what}: must be {must} (got {got}); give another one.")
    n_slots = len(slots)
    _must_fit(float(n_presentations) * n_slots, parameters)
    n_presentations, look_every = _in_batches(n_presentations, parameters), _in_batches(look_every, parameters)
    looks = np.unique(np.append(np.arange(0, n_presentations, look_every), n_presentations)) * n_slots
    schedule = Schedule(
        np.tile(np.asarray(slots, np.int8), n_presentations),
        np.repeat(np.arange(n_presentations, dtype=np.int32) * size, n_slots),
        np.full((n_presentations * n_slots, size), -1, np.int32),
        open_gates(parameters),
        looks=looks,
    )
    return in_time(schedule, parameters)


def trace_schedule(parameters, n_stimuli, kind) -> Schedule:
    """Nothing but `PERCEPTION`, or `RECALL`, of ``n_stimuli`` rows, for the leaky mode."""
    size = parameters.batch_size
    rows = np.arange(_in_batches(n_stimuli, parameters) * size).reshape(-1, size)
    n = len(rows)
    schedule = Schedule(
        np.full(n, kind, np.int8),
        (np.arange(n) * size).astype(np.int32),
        np.where(rows < n_stimuli, rows, -1).astype(np.int32),
        {kind: TRACING[kind]},
    )
    return in_time(schedule, parameters)


def in_time(schedule: Schedule, parameters) -> Schedule:
    """A schedule whose slots are stretches of time, of ``n_steps`` slots each, in the leaky mode; else the same one."""
    if not parameters.is_leaky:
        return schedule
    n = parameters.n_steps
    steps = gates_in_time(schedule.gates, parameters)
    return Schedule(
        np.repeat(schedule.kind, n),
        np.repeat(schedule.presentation, n),
        np.repeat(schedule.stimulus, n, axis=0),
        {kind: set().union(*its) for kind, its in steps.items()},
        schedule.updates * n,
        schedule.looks * n,
        schedule.refreshes,
        steps,
    )


def _check_counts(where, **counts):
    for name, n in counts.items():
        if not isinstance(n, int | np.integer) or isinstance(n, bool) or n < 0:
            raise ParameterError(f"{where}.{name}: must be a whole number at least 0 (got {n!r}); round it.")


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
    """Refuse a schedule that no memory holds: of each slot a kind, a presentation and the stimuli, as it is made."""
    n_slots = n_presentations / p.batch_size * p.n_steps
    must_fit(n_slots * (5 + 12 * p.batch_size), "Schedule", f"{n_slots:.3g} slots are too many: lower epochs or sleep")


def _in_batches(n_presentations, p):
    """How many slots hold so many presentations."""
    return -(-n_presentations // p.batch_size)


def _sleeps_after_each_wake(p, n_wake):
    """Sleep batches after each wake batch: ``sleep_per_wake`` on average, in blocks."""
    n_wakes, block = np.arange(1, n_wake + 1), _in_batches(p.sleep_block_presentations, p)
    in_blocks = n_wakes // block * block
    in_blocks[-1:] = n_wake  # what is left over is slept at the end
    owed = np.floor(in_blocks * p.sleep_per_wake + 1e-9).astype(np.int64)
    return np.diff(np.concatenate([[0], owed]))


def _refreshes(p):
    if p.perturbs_feedback:
        return "perturbed"
    if LEARNING_RULES[p.learning_rule].refreshes_pseudoinverse:
        return "pseudoinverse"
    is_learned = LEARNING_RULES[p.learning_rule].sleeps
    return "norm_matched" if p.feedback_gain == "norm_matched" and is_learned else ""


def _update_period(p):
    periods = {"pseudoinverse": p.pseudoinverse_every_presentations, "norm_matched": p.gain_update_presentations}
    periods["perturbed"] = p.perturb_every_presentations
    return _in_batches(periods.get(_refreshes(p), 0), p)

"""What must hold of a schedule and of the stimuli that it shows, checked as a whole before a device starts."""

import difflib

import numpy as np

from cortex_model.equations import gates_of
from cortex_model.errors import ParameterError
from cortex_model.phases.kinds import KINDS, PHASES, SHOWN
from cortex_model.phases.schedule import Schedule
from cortex_model.phases.stimuli import Stimuli

#: What the host may refresh at the updates of a schedule (`cortex_model.weights.refreshed`).
REFRESHES = ("pseudoinverse", "norm_matched", "perturbed")
#: Brian2's integers are signed and have 32 bits.
LARGEST = 2**31 - 1


def check_schedule(schedule: Schedule, parameters) -> None:
    """Refuse a schedule that cannot be what was meant.

    Raises
    ------
    ParameterError
        Where columns are not equally long arrays of whole numbers, a kind of slot or a gate is unknown, presentations
        do not count up, stand for something else than one moment (leaky: one stretch of time) of each kind, or are cut
        by a look or an update.
    """
    _check_columns(schedule, parameters.batch_size)
    _check_gates(schedule, parameters)
    _check_presentations(schedule, parameters)
    _check_marks(schedule)


def check_shown(schedule: Schedule, stimuli: Stimuli) -> None:
    """Refuse a schedule that shows stimuli that are not there.

    Parameters
    ----------
    schedule : Schedule
        As `check_schedule` lets it pass.
    stimuli : Stimuli
        As `Stimuli.checked` returns them.

    Raises
    ------
    ParameterError
        For the first slot that shows such a row.
    """
    for part, kinds in SHOWN.items():
        given = getattr(stimuli, part)
        n_rows = 0 if given is None else len(given[0])
        slots = np.flatnonzero(np.isin(schedule.kind, kinds))
        if len(slots) and given is None:
            raise ParameterError(
                f"Stimuli.{part}: must be given where the schedule shows them (got none, and {len(slots)} such slots); "
                f"write Stimuli({part}=(stimuli, targets))."
            )
        lowest = -1 if part == "evaluation" else 0  # the last batch of an evaluation need not be full
        _check_rows(schedule, slots, lowest, n_rows, f"rows 0 to {n_rows - 1} of Stimuli.{part}")
    slots = np.flatnonzero(np.isin(schedule.kind, PHASES["sleep"]))
    _check_rows(schedule, slots, -1, 0, "no row, which is -1, in sleep")


def _check_rows(schedule, slots, lowest, n_rows, what):
    rows = schedule.stimulus[slots]
    if rows.size and (rows.min() < lowest or rows.max() >= n_rows):
        at, place = np.argwhere((rows < lowest) | (rows >= n_rows))[0]
        raise ParameterError(
            f"Schedule.stimulus: must show {what} (got row {rows[at, place]} in slot {slots[at]}); make the schedule "
            "for as many stimuli as there are (n_stimuli, n_evaluated)."
        )


def _check_columns(schedule, batch_size):
    n = np.size(schedule.kind)
    shapes = {"kind": (n,), "presentation": (n,), "stimulus": (n, batch_size), "updates": (-1,), "looks": (-1,)}
    for name, shape in shapes.items():
        column = getattr(schedule, name)
        if not isinstance(column, np.ndarray) or column.dtype.kind not in "iu":
            got = column.dtype if isinstance(column, np.ndarray) else type(column).__name__
            raise ParameterError(
                f"Schedule.{name}: must be a NumPy array of whole numbers (got {got}); convert it with "
                "numpy.asarray(..., int)."
            )
        if column.ndim != len(shape) or (shape[0] >= 0 and column.shape != shape):
            wanted = f"shape {shape}" if shape[0] >= 0 else "one dimension"
            raise ParameterError(
                f"Schedule.{name}: must have {wanted}: one row a slot, and of stimuli batch_size numbers in each "
                f"(got {column.shape}); make the schedule with the parameters of the run."
            )


def _check_gates(schedule, parameters):
    used, known = np.unique(schedule.kind), gates_of(parameters.dynamics)
    for kind in used:
        if not 0 <= kind < len(KINDS):
            names = ", ".join(f"{at} ({name})" for at, name in enumerate(KINDS))
            raise ParameterError(f"Schedule.kind: must be among {names} (got {kind}); correct it.")
        if kind not in schedule.gates:
            raise ParameterError(
                f"Schedule.gates: must say which gates are open in {KINDS[kind]} slots (got none); "
                "open_gates(parameters) has those of the learning rule."
            )
    opened = set().union(*schedule.gates.values(), *(gates for steps in schedule.steps.values() for gates in steps))
    if unknown := sorted(opened - set(known)):
        nearest = difflib.get_close_matches(unknown[0], known, n=1, cutoff=0)[0]
        raise ParameterError(
            f"Schedule.gates: must be gates of the {parameters.dynamics} mode (got {unknown[0]!r}); "
            f"did you mean {nearest!r}?"
        )
    n_steps = parameters.n_steps if parameters.is_leaky else 0
    for kind in used:
        if len(schedule.steps.get(kind, ())) != n_steps:
            raise ParameterError(
                f"Schedule.steps: must say the gates of {n_steps} time steps of {KINDS[kind]} slots where dynamics is "
                f"{parameters.dynamics} (got {len(schedule.steps.get(kind, ()))}); in_time(schedule, parameters) does."
            )


def _check_presentations(schedule, parameters):
    presentation, size, n_steps = schedule.presentation, parameters.batch_size, parameters.n_steps
    if not schedule.n_slots:
        return
    if presentation.min() < 0 or presentation.max() > LARGEST - size:
        got = presentation.min() if presentation.min() < 0 else presentation.max()
        raise ParameterError(f"Schedule.presentation: must be from 0 to {LARGEST - size} (got {got}); number it anew.")
    counted = np.diff(presentation.astype(np.int64))
    if (wrong := (counted != 0) & (counted < size)).any():
        slot = int(wrong.argmax())
        raise ParameterError(
            f"Schedule.presentation: must stay, or go up by at least batch_size ({size}), from slot to slot "
            f"(got {presentation[slot]} in slot {slot}, then {presentation[slot + 1]}); number it anew."
        )
    lengths = np.diff(np.flatnonzero(schedule.step == 0), append=schedule.n_slots)
    if (wrong := lengths != n_steps).any():
        slot = int(np.flatnonzero(schedule.step == 0)[wrong.argmax()])
        raise ParameterError(
            f"Schedule.presentation: must be the same for {n_steps} slot{'s' * (n_steps > 1)} of a kind that follow "
            f"each other (got {lengths[wrong.argmax()]} from slot {slot} on); number each presentation."
        )


def _check_marks(schedule):
    n = schedule.n_slots
    if schedule.refreshes not in ("", *REFRESHES) or (len(schedule.updates) and not schedule.refreshes):
        raise ParameterError(
            f"Schedule.refreshes: must be one of {', '.join(REFRESHES)} where there are updates "
            f"(got {schedule.refreshes!r} with {len(schedule.updates)} updates); say what they are of."
        )
    begins = np.flatnonzero(np.diff(schedule.presentation, prepend=-1))
    for name, places in (("updates", begins), ("looks", np.append(begins, n))):
        marks = getattr(schedule, name)
        if (wrong := ~np.isin(marks, places)).any():
            raise ParameterError(
                f"Schedule.{name}: must be slots of the schedule, 0 to {n}, at which a presentation begins or the last "
                f"has ended (got {marks[wrong.argmax()]}); give others."
            )

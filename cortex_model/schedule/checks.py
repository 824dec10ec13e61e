"""What must hold of a schedule and of the stimuli that it shows, checked as a whole before a device starts."""

import difflib

import numpy as np

from cortex_model.errors import ParameterError
from cortex_model.schedule.declared import PHASES, SHOWN, declared
from cortex_model.schedule.presentations import LARGEST, PIECE, SLEEP, Schedule
from cortex_model.schedule.stimuli import Stimuli


def check_schedule(schedule: Schedule, parameters) -> None:
    """Refuse a schedule that cannot be what was meant.

    Raises
    ------
    ParameterError
        Where columns are not equally long arrays of whole numbers, a phase or a gate is unknown, presentations exceed
        32 bits, or something is to be measured or done where there is no place for it.
    """
    _check_columns(schedule, parameters.batch_size)
    _check_phases(schedule)
    _check_gates(schedule, parameters)
    _check_places(schedule)


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
        For the first presentation that shows such a row.
    """
    for part in ("wake", "evaluation"):
        phases = [number for number, name in enumerate(PHASES) if SHOWN.get(name) == part]
        given = getattr(stimuli, part)
        n_rows = 0 if given is None else len(given[0])
        if given is None and (n := int(np.isin(schedule.phase, phases).sum())):
            raise ParameterError(
                f"Stimuli.{part}: must be given where the schedule shows them (got none, and {n} such "
                f"presentations); write Stimuli({part}=(stimuli, targets))."
            )
        lowest = -1 if part == "evaluation" else 0  # the last batch of an evaluation need not be full
        _check_rows(schedule, phases, lowest, n_rows, f"rows 0 to {n_rows - 1} of Stimuli.{part}")
    _check_rows(schedule, [SLEEP], -1, 0, "no row, which is -1, in sleep")


def _check_rows(schedule, phases, lowest, n_rows, what):
    for first in range(0, len(schedule), PIECE):
        places = first + np.flatnonzero(np.isin(schedule.phase[first : first + PIECE], phases))
        rows = schedule.stimulus[places]
        if rows.size and (rows.min() < lowest or rows.max() >= n_rows):
            at, stimulus = np.argwhere((rows < lowest) | (rows >= n_rows))[0]
            raise ParameterError(
                f"Schedule.stimulus: must show {what} (got row {rows[at, stimulus]} in presentation {places[at]}); "
                "make the schedule for as many stimuli as there are (n_stimuli, n_evaluated)."
            )


def _check_columns(schedule, batch_size):
    n = np.size(schedule.phase)
    columns = {"phase": (n,), "stimulus": (n, batch_size), "measured": (-1,)}
    given = {name: getattr(schedule, name) for name in columns}
    for host, places in schedule.interventions.items():
        given[f"interventions[{host.code!r}]"] = places
    for name, column in given.items():
        shape = columns.get(name, (-1,))
        if not isinstance(column, np.ndarray) or column.dtype.kind not in "iu":
            got = column.dtype if isinstance(column, np.ndarray) else type(column).__name__
            raise ParameterError(
                f"Schedule.{name}: must be a NumPy array of whole numbers (got {got}); convert it with "
                "numpy.asarray(..., int)."
            )
        if column.ndim != len(shape) or (shape[0] >= 0 and column.shape != shape):
            wanted = f"shape {shape}" if shape[0] >= 0 else "one dimension"
            raise ParameterError(
                f"Schedule.{name}: must have {wanted}: one row a presentation, and of stimuli batch_size numbers in "
                f"each (got {column.shape}); make the schedule with the parameters of the run."
            )


def _check_phases(schedule):
    for number in np.unique(schedule.phase):
        if not 0 <= number < len(PHASES):
            names = ", ".join(f"{at} ({name})" for at, name in enumerate(PHASES))
            raise ParameterError(f"Schedule.phase: must be among {names} (got {number}); correct it.")
        if not schedule.slots.get(PHASES[number]):
            raise ParameterError(
                f"Schedule.slots: must say which gates are open in {PHASES[number]} (got none); "
                "schedule_of(parameters, phase, stimulus) has those of the learning rule."
            )
    if schedule.first_presentation < 0 or schedule.next_presentation > LARGEST:
        got = min(schedule.first_presentation, 0) or schedule.next_presentation
        raise ParameterError(
            f"Schedule.first_presentation: must be at least 0 and let all presentations be numbered up to {LARGEST} "
            f"(got {got}); number it anew."
        )


def _check_gates(schedule, parameters):
    own = declared(parameters)
    opened = frozenset().union(*(slot for slots in schedule.slots.values() for slot in slots))
    if unknown := sorted(opened - set(own.gates)):
        nearest = difflib.get_close_matches(unknown[0], own.gates, n=1, cutoff=0)[0]
        raise ParameterError(
            f"Schedule.slots: must hold gates of the program of {parameters.learning_rule} (got {unknown[0]!r}); "
            f"did you mean {nearest!r}?"
        )


def _check_places(schedule):
    n = len(schedule)
    given = [("measured", schedule.measured, n)]
    given += [(f"interventions[{h.code!r}]", places, n - 1) for h, places in schedule.interventions.items()]
    for name, places, last in given:
        if (wrong := (places < 0) | (places > last)).any():
            raise ParameterError(
                f"Schedule.{name}: must be places in the schedule, 0 to {last} (got {places[wrong.argmax()]}); give "
                "others."
            )

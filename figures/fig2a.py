"""Fig. 2A: wake and sleep, as the schedule that the simulator is really handed.

The paper draws two phases side by side; here they are what they are made of: presentations, slots (time steps)
and what happens in each of them, as the learning rule declares it. No run is needed.
"""

from pathlib import Path

import matplotlib
import numpy as np

from cortex_model.experiments.reproduce import Figure, Row, figure_folder, write_figure
from cortex_model.experiments.statements import value_said
from cortex_model.language import Carry, Learn
from cortex_model.language.sequence import moments_of
from cortex_model.parameters import SleepWakeParameters
from cortex_model.runs.directory import RunDirectory
from cortex_model.schedule import PHASES, Schedule, declared, wake_sleep_schedule
from cortex_model.system.sources import load_module

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

style = load_module(figure_folder() / "style.py")

PARAMETERS = SleepWakeParameters(forward_sleep_learning_rate=1e-4, sleep_before_presentations=2)
N_WAKE, N_EVALUATED = 4, 3
#: What stands below it: no run is shown, and so no seed.
SAYS = (
    f"A schedule, not a run: {N_WAKE} wake presentations, each followed by {value_said(PARAMETERS.sleep_per_wake)} of "
    f"sleep, after {PARAMETERS.sleep_before_presentations} of sleep, with evaluations of {N_EVALUATED} stimuli"
)
COLOURS = {"wake": "#E69F00", "sleep": "#0072B2", "evaluation": "#777777"}


def requests(dataset: str, n_seeds: int) -> list:
    """No runs: a schedule is a function of parameters."""
    return []


def draw(directories: list[RunDirectory], out: Path) -> list[Row]:
    """Slots from left to right, what happens from top to bottom, a cell where it does."""
    schedule = wake_sleep_schedule(PARAMETERS, lambda epoch: np.arange(N_WAKE), N_WAKE, N_WAKE, N_EVALUATED, N_WAKE)
    presentation, _ = schedule.places_of_slots()
    phases = [PHASES[number] for number in schedule.phase[presentation]]
    happening = what_happens(schedule)
    with style.styled():
        figure, (strip, ax) = plt.subplots(2, 1, sharex=True, height_ratios=(1, 12), figsize=(13.33, 7.5))
        draw_phases(strip, presentation, phases)
        draw_happening(ax, phases, happening)
        columns = [
            {"slot": slot, "presentation": int(schedule.presentation[presentation[slot]]), "phase": phases[slot]}
            | {name: int(is_open[slot]) for name, is_open in happening.items()}
            for slot in range(schedule.n_slots)
        ]
        style.state(figure, SAYS)
        write_figure(figure, columns, "fig2a", out)
        plt.close(figure)
    beside = {"paper": "two phases: wake and sleep", "source": "Fig. 2A"}
    return [
        {"quantity": f"slots of a {phase} presentation", "simulated": len(schedule.slots[phase]), **beside}
        for phase in ("wake", "sleep")
    ]


def what_happens(schedule: Schedule) -> dict[str, np.ndarray]:
    """What is carried and learned, and all that has a name, in its order -> whether it happens in each slot.

    What neurons do besides, to bring that about, is left out.
    """
    own = declared(PARAMETERS)
    presentation, step = schedule.places_of_slots()
    at = [(PHASES[number], k) for number, k in zip(schedule.phase[presentation], step, strict=True)]
    slots = {phase: own.ordering.slots(f"{own.rule.name}/{phase}", own.counts) for phase in schedule.slots}
    opened = {phase: [{event.moment for event in slot} for slot in its] for phase, its in slots.items()}
    found: dict[str, np.ndarray] = {}
    for moment in (moment for phase in ("wake", "sleep") for moment in moments_of(own.rule.phases[phase])):
        is_named = getattr(moment, "name", "")
        if is_named or isinstance(moment, Carry | Learn):
            name = moment.name or f"{moment.projection} carries {moment.source}"
            happens = np.array([moment in opened[phase][k] for phase, k in at])
            found[name.replace("_", " ")] = found.get(name.replace("_", " "), False) | happens
    return found


def draw_phases(ax, presentation: np.ndarray, phases: list[str]) -> None:
    """One coloured block a presentation, the phase's name above."""
    edges = [0, *(np.flatnonzero(np.array(phases[1:]) != np.array(phases[:-1])) + 1), len(phases)]
    for first, last in zip(edges, edges[1:], strict=False):
        ax.axvspan(first, last, color=COLOURS[phases[first]])
        name = {"s": phases[first], "color": COLOURS[phases[first]], "weight": "bold"}
        name |= {"size": 15 if last - first > 1 else 11}
        ax.text((first + last) / 2, 1.15, ha="center", va="bottom", **name)
    for slot in np.flatnonzero(np.diff(presentation)) + 1:
        ax.axvline(slot, color="white", linewidth=2)
    ax.set(ylim=(0, 1))
    ax.set_title("Phases, presentations, and what happens in them", pad=34)
    ax.axis("off")


def draw_happening(ax, phases: list[str], happening: dict[str, np.ndarray]) -> None:
    """A cell where something happens, in the colour of its phase."""
    for row, is_open in enumerate(happening.values()):
        for slot, phase in enumerate(phases):
            colour = COLOURS[phase] if is_open[slot] else "#EEEEEE"
            ax.add_patch(plt.Rectangle((slot + 0.05, row + 0.08), 0.9, 0.84, color=colour, linewidth=0))
    ax.set_yticks(np.arange(len(happening)) + 0.5, list(happening))
    ax.set(xlim=(0, len(phases)), ylim=(len(happening), 0), xlabel="slot (time step)")
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)


FIGURE = Figure("fig2a", "Phases, presentations, and what happens in them", requests, draw)

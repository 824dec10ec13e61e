"""Fig. 2A: wake and sleep, as the schedule that the simulator is really handed.

The paper draws two phases side by side; here they are what they are made of: presentations, slots (time steps)
and the gates that are open in each. No run is needed.
"""

from pathlib import Path

import matplotlib
import numpy as np

from cortex_model.equations import GATES
from cortex_model.parameters import SleepWakeParameters
from cortex_model.reproduce import Figure, Row, write_figure
from cortex_model.results import RunDirectory
from cortex_model.schedule import PHASES, Schedule, wake_sleep_schedule

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

PARAMETERS = SleepWakeParameters(forward_sleep_learning_rate=1e-4, sleep_before_presentations=2)
N_WAKE, N_EVALUATED = 4, 3
COLOURS = {"wake": "#E69F00", "sleep": "#0072B2", "evaluation": "#777777"}


def requests(dataset: str, n_seeds: int) -> list:
    """No runs: a schedule is a function of parameters."""
    return []


def draw(directories: list[RunDirectory], out: Path) -> list[Row]:
    """Slots from left to right, gates from top to bottom, a cell where a gate is open."""
    schedule = wake_sleep_schedule(PARAMETERS, lambda epoch: np.arange(N_WAKE), N_WAKE, N_WAKE, N_EVALUATED, N_WAKE)
    phases = [phase_of(kind) for kind in schedule.kind]
    gates = [gate for gate in GATES if schedule.gate(gate).any()]
    with plt.style.context(Path(__file__).with_name("cortex.mplstyle")):
        figure, (strip, ax) = plt.subplots(2, 1, sharex=True, height_ratios=(1, 12), figsize=(13.33, 7.5))
        draw_phases(strip, schedule, phases)
        draw_gates(ax, schedule, phases, gates)
        columns = [
            {"slot": slot, "presentation": int(schedule.presentation[slot]), "phase": phases[slot]}
            | {"kind": KINDS[schedule.kind[slot]]}
            | {gate: int(schedule.gate(gate)[slot]) for gate in gates}
            for slot in range(schedule.n_slots)
        ]
        write_figure(figure, columns, "fig2a", out)
        plt.close(figure)
    beside = {"paper": "two phases: wake and sleep", "source": "Fig. 2A"}
    return [
        {"quantity": f"slots of a {phase} presentation", "simulated": slots_of(schedule, phase), **beside}
        for phase in ("wake", "sleep")
    ]


def phase_of(kind: int) -> str:
    """The phase to which a kind of slot belongs."""
    return next(phase for phase, kinds in PHASES.items() if kind in kinds)


def slots_of(schedule: Schedule, phase: str) -> int:
    """Slots of one presentation of a phase."""
    return int(np.isin(schedule.kind, PHASES[phase]).sum() / schedule.n_presentations(phase))


def draw_phases(ax, schedule: Schedule, phases: list[str]) -> None:
    """One coloured block a presentation, the phase's name above."""
    edges = [0, *(np.flatnonzero(np.array(phases[1:]) != np.array(phases[:-1])) + 1), len(phases)]
    for first, last in zip(edges, edges[1:], strict=False):
        ax.axvspan(first, last, color=COLOURS[phases[first]])
        name = {"s": phases[first], "color": COLOURS[phases[first]], "weight": "bold"}
        ax.text((first + last) / 2, 1.15, ha="center", va="bottom", **name)
    for slot in np.flatnonzero(np.diff(schedule.presentation)) + 1:
        ax.axvline(slot, color="white", linewidth=2)
    ax.set(ylim=(0, 1))
    ax.set_title("Phases, presentations, and the gates that are open in them", pad=34)
    ax.axis("off")


def draw_gates(ax, schedule: Schedule, phases: list[str], gates: list[str]) -> None:
    """A cell where a gate is open, in the colour of its phase."""
    for row, gate in enumerate(gates):
        for slot in range(schedule.n_slots):
            colour = COLOURS[phases[slot]] if schedule.gate(gate)[slot] else "#EEEEEE"
            ax.add_patch(plt.Rectangle((slot + 0.05, row + 0.08), 0.9, 0.84, color=colour, linewidth=0))
    names = [gate.removesuffix("_gate").replace("_", " ") for gate in gates]
    ax.set_yticks(np.arange(len(gates)) + 0.5, names)
    ax.set(xlim=(0, schedule.n_slots), ylim=(len(gates), 0), xlabel="slot (time step)")
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)


FIGURE = Figure("fig2a", "Phases, presentations, and the gates that are open in them", requests, draw)

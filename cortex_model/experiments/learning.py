"""What runs that learn a task have in common: sleep and wake woven together, evaluations, and what each measures."""

from collections.abc import Callable
from typing import Any

import numpy as np

from cortex_model.analysis.alignment import unstable_sleep
from cortex_model.analysis.cost import cost
from cortex_model.analysis.hierarchy import HIERARCHY_MEASURES, hierarchy_measures
from cortex_model.analysis.loss import mean_loss
from cortex_model.runs.run import Run
from cortex_model.schedule import Schedule, Stimuli, wake_sleep_schedule
from cortex_model.weights import initial_weights, redrawn

Pair = tuple[np.ndarray, np.ndarray]
#: Measure of every such run -> (unit, dimension).
MEASURES = {
    "training_loss": ("1", None),
    "wake_presentations": ("presentations", None),
    "sleep_presentations": ("presentations", None),
    **HIERARCHY_MEASURES,
}
#: Training stimuli over which the training loss is measured.
N_TRAINING_LOOKED_AT = 2000


def learn(
    run: Run,
    train: Pair,
    test: Pair,
    measured: Callable[[np.ndarray], dict[str, float]],
    described: dict[str, tuple[str, str | None]],
    n_looked_at: int = 200,
) -> tuple[Schedule, float]:
    """Sleep, wake and evaluate, as the parameters of a run say.

    Parameters
    ----------
    run : Run
        Of parameters with ``epochs`` and ``evaluate_every_presentations``.
    train, test : tuple of ndarray
        (stimuli, targets), a row each.
    measured : callable
        Rates of the top population for the test stimuli -> what the task measures of them.
    described : dict
        Measure -> (unit, dimension): those of the task, then `MEASURES`, in the order in which they are kept.
    n_looked_at : int
        Test stimuli over which reconstruction and updates are measured.

    Returns
    -------
    schedule : Schedule
    seconds : float
        Duration of the simulation loop alone.
    """
    p, n_train = run.parameters, len(train[0])
    schedule = wake_sleep_schedule(
        p,
        run.order_of_epoch(n_train),
        n_train,
        p.epochs * n_train,
        len(test[0]),
        p.evaluate_every_presentations or n_train,
        getattr(p, "evaluate_early_every_presentations", 0),
    )
    if p.evaluate_every_presentations and run.ended["wake"] % p.evaluate_every_presentations:
        run.warn(
            "evaluations lie at other presentations than in one longer run, and noise is numbered over them: the bits "
            "are not those of one longer run"
        )
    most = np.abs(train[0]).max(initial=0)
    if p.dynamics == "spiking" and most * p.time_step_ms > p.refractory_ms:
        run.warn(
            f"stimuli reach {most:.3g}, where a cell that fires once a time step says at most "
            f"{p.refractory_ms / p.time_step_ms:g}: what is beyond is not sent (another stimulus_scaling, or a shorter "
            "time step, changes that)"
        )
    start = initial_weights(p, run.seed)
    if drawn := redrawn(p):
        run.warn(f"{', '.join(drawn)}: drawn, because what the run starts from has another top population")
    shown, wanted = (part[:n_looked_at] for part in test)
    trained = tuple(part[:N_TRAINING_LOOKED_AT] for part in train)

    def measure(place: int, weights, rates: np.ndarray) -> dict[str, Any]:
        """One row: the hierarchy as it is at this place in the schedule."""
        for sentence in unstable_sleep(weights, p) if "sleep" in p.rule.phases else ():
            run.warn(sentence)
        return {
            **measured(rates),
            **({} if p.dynamics == "spiking" else {"training_loss": mean_loss(weights, *trained, p)}),
            "wake_presentations": schedule.n_presentations("wake", place),
            "sleep_presentations": schedule.n_presentations("sleep", place),
            **hierarchy_measures(weights, start, shown, wanted, p),
        }

    return schedule, run.simulate(schedule, Stimuli(train, test), start, measure, described)


def last_angles(rows: dict[str, np.ndarray]) -> dict[str, list[float]]:
    """Alignment, reconstruction and updates at the last evaluation, one number a projection or population."""
    names = (
        "alignment_angle_to_pseudoinverse_degrees",
        "alignment_angle_to_transpose_degrees",
        "alignment_angle_to_fixed_point_degrees",
        "reconstruction_error",
        "update_angle_to_backpropagation_degrees",
        "update_angle_to_gauss_newton_degrees",
    )
    return {name: [round(float(v), 4) for v in rows[name][-1]] for name in names if name in rows}


def cost_of(run: Run, schedule: Schedule) -> dict[str, dict[str, int]]:
    """What a run cost (`cortex_model.analysis.cost.cost`), by the spikes that it counted where neurons send them."""
    return cost(schedule, run.parameters, {name: values[-1] for name, (_, values, _) in run.measures.items()})


def spikes_per_presentation(rows: dict[str, np.ndarray], phase: str, n: int) -> dict[str, dict[str, float]]:
    """Where neurons send spikes: ``spikes_per_presentation`` of all populations, by the cells that send them.

    Parameters
    ----------
    rows : dict of ndarray
        Measures, with the spikes so far.
    phase : {"wake", "sleep"}
    n : int
        Presentations of that phase.

    Returns
    -------
    dict
        ``forward`` cells send up, those of the input too; ``feedback`` cells send down. Empty where there are none.
    """
    kinds = {"forward": f"spikes_in_{phase}", "feedback": f"feedback_spikes_in_{phase}"}
    if not {*kinds.values()} <= {*rows}:
        return {}
    return {"spikes_per_presentation": {kind: round(rows[name][-1].sum() / n, 2) for kind, name in kinds.items()}}

"""Feedback weights become the pseudoinverse in a sleep of spikes.

Question
    Do feedback synapses that see nothing but spikes, traces and an apical potential become W^+?

Procedure
    A hierarchy with random forward weights, held fixed, and independent random feedback weights sleeps: noise drives
    the forward cells of each population, their spikes reach the next one, its feedback cells send spikes back, and V
    changes at each of these (`cortex_model.rules.spikes`). All pairs sleep at once.

Measured, before the first presentation and every ``look_every_presentations``
    Angles of each V to W^+, to W^T, and to what the rule would settle at with its damping; |V|_F / |W^+|_F; condition
    numbers; spikes so far.

Expected
    Every V within 15 degrees of W^+ and 15 % of its norm. Spikes are noisy, and act as a small damping.
"""

import numpy as np

from cortex_model.analysis.alignment import alignment
from cortex_model.analysis.hierarchy import HIERARCHY_MEASURES
from cortex_model.errors import ParameterError
from cortex_model.experiments.learning import last_angles, spikes_per_presentation
from cortex_model.parameters import PositiveCount, SleepWakeParameters, parameter, with_defaults
from cortex_model.protocol import Protocol, Run
from cortex_model.schedule import Stimuli, sleep_schedule
from cortex_model.weights import Weights, initial_weights

#: Measure -> (unit, dimension).
MEASURES = {
    "presentations": ("presentations", None),
    **{name: its for name, its in HIERARCHY_MEASURES.items() if its[1] == "feedback_projection"},
    "relative_norm": ("1", "feedback_projection"),
}
#: Rates, amplitude and time constants were chosen with seeds 11 and 12, for 64-32-10.
DEFAULTS = {
    "dynamics": "spiking",
    "feedback_to_input": True,
    "synapse_ms": 8.0,
    "feedback_rate": 1.0,
    "sleep_amplitude": 0.6,
    "feedback_learning_rate": 0.03,
    "feedback_annealing_presentations": 4000.0,
}


class SpikingSleepParameters(with_defaults(SleepWakeParameters, DEFAULTS)):
    """Parameters of `spiking_sleep`."""

    n_presentations: PositiveCount = parameter(20000, "presentations of noise", "presentations")
    look_every_presentations: PositiveCount = parameter(1000, "presentations between two looks", "presentations")


def run(run: Run) -> dict:
    """Sleep, and see where feedback weights go; see the top of this file."""
    p: SpikingSleepParameters = run.parameters
    if p.dynamics != "spiking" or p.feedback_from_top:
        raise ParameterError(
            f"Parameters.dynamics: must be spiking here (got {p.dynamics}); use pseudoinverse_alignment for rates."
        )
    start = initial_weights(p, run.seed)
    schedule = sleep_schedule(p, p.n_presentations, p.look_every_presentations)
    run.simulate(
        schedule, Stimuli(), start,
        lambda place, weights, _: measured(schedule.n_presentations("sleep", place), weights, p), MEASURES,
    )  # fmt: skip
    rows = {name: values for name, (_, values, _) in run.measures.items()}
    return {
        "learning_rule": p.learning_rule,
        "layer_sizes": list(p.layer_sizes),
        "n_presentations": p.n_presentations,
        **last_angles(rows),
        "relative_norm": [round(float(value), 4) for value in rows["relative_norm"][-1]],
        **spikes_per_presentation(rows, "sleep", p.n_presentations),
        "weights_sha256": run.weights.sha256,
    }


def measured(n: int, weights: Weights, p: SpikingSleepParameters) -> dict:
    """One row of `MEASURES`."""
    norms = [
        np.linalg.norm(V) / np.linalg.norm(np.linalg.pinv(weights.forward[l].astype(float)))
        for l, V in sorted(weights.feedback.items())
    ]
    return {"presentations": n, **alignment(weights, p.sleep_damping, p.noise_gain), "relative_norm": np.array(norms)}


PROTOCOL = Protocol(
    name="spiking_sleep",
    question="Do feedback synapses that see only spikes and voltages become the pseudoinverse?",
    parameters=SpikingSleepParameters,
    run=run,
    tiny={"layer_sizes": (8, 5, 3), "n_presentations": 20, "look_every_presentations": 10},
)

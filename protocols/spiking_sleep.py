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
from cortex_model.errors import ParameterError
from cortex_model.experiments.learning import last_angles
from cortex_model.parameters import PositiveCount, SleepWakeParameters, parameter, with_default
from cortex_model.protocol import Protocol, Run
from cortex_model.schedule import Stimuli, sleep_schedule
from cortex_model.weights import Weights, initial_weights

#: Measure -> (unit, dimension).
MEASURES = {
    "presentations": ("presentations", None),
    "alignment_angle_to_pseudoinverse_degrees": ("degree", "feedback_projection"),
    "alignment_angle_to_transpose_degrees": ("degree", "feedback_projection"),
    "alignment_angle_to_fixed_point_degrees": ("degree", "feedback_projection"),
    "relative_distance_to_pseudoinverse": ("1", "feedback_projection"),
    "largest_penrose_residual": ("1", "feedback_projection"),
    "condition_number": ("1", "feedback_projection"),
    "relative_norm": ("1", "feedback_projection"),
}


class SpikingSleepParameters(SleepWakeParameters):
    """Parameters of `spiking_sleep`.

    Rates, amplitude and time constants were chosen with seeds 11 and 12, for 64-32-10.
    """

    dynamics: str = with_default(SleepWakeParameters, "dynamics", "spiking")
    feedback_to_input: bool = with_default(SleepWakeParameters, "feedback_to_input", True)
    synapse_ms: float = with_default(SleepWakeParameters, "synapse_ms", 8.0)
    feedback_rate: float = with_default(SleepWakeParameters, "feedback_rate", 1.0)
    sleep_amplitude: float = with_default(SleepWakeParameters, "sleep_amplitude", 0.6)
    feedback_learning_rate: float = with_default(SleepWakeParameters, "feedback_learning_rate", 0.03)
    feedback_annealing_presentations: float = with_default(
        SleepWakeParameters, "feedback_annealing_presentations", 4000.0
    )
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
    n = max(int(rows["presentations"][-1]), 1)
    kinds = {"forward": "spikes_in_sleep", "feedback": "feedback_spikes_in_sleep"}
    return {
        "learning_rule": p.learning_rule,
        "layer_sizes": list(p.layer_sizes),
        "n_presentations": n,
        **last_angles(rows),
        "relative_norm": [round(float(value), 4) for value in rows["relative_norm"][-1]],
        "spikes_per_presentation": {kind: round(rows[name][-1].sum() / n, 2) for kind, name in kinds.items()},
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

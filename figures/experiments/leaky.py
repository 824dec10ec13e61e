"""What is lost where a presentation is too short for rates, errors and recirculation to settle."""

from cortex_model.experiments.settings import setting
from cortex_model.experiments.tables import Arm, Experiment, Panel

LINES = ("backpropagation", "random feedback", "reciprocal, damping 10")
#: Durations of a presentation in time constants; the error comes halfway. Settled runs stand at the right end.
DURATIONS = (2, 3, 4, 6, 10, 16)
SETTLED_AT = 32
TIME_CONSTANT_MS = 10.0
SIZES, EPOCHS = {"digits": (64, 48, 32, 10), "mnist": (784, 128, 64, 10)}, {"digits": 3, "mnist": 1}


def arms(dataset: str) -> list[Arm]:
    """Each rule with each duration, and settled; learning rates as in the settled mode."""
    made = []
    for line in LINES:
        given = setting(dataset, line, layer_sizes=SIZES[dataset], epochs=EPOCHS[dataset])
        for duration in DURATIONS:
            in_time = {
                "dynamics": "leaky", "time_constant_ms": TIME_CONSTANT_MS, "time_step_ms": TIME_CONSTANT_MS / 2,
                "presentation_ms": duration * TIME_CONSTANT_MS, "feedback_onset_ms": duration * TIME_CONSTANT_MS / 2,
            }  # fmt: skip
            made.append(Arm(f"{line}, {duration} time constants", given | in_time, line, float(duration)))
        made.append(Arm(f"{line}, settled", given, f"{line} ", float(SETTLED_AT)))  # a line of its own, in its colour
    return made


EXPERIMENT = Experiment(
    name="leaky",
    title="Presentations that take time",
    arms={dataset: arms(dataset) for dataset in SIZES},
    panels=(
        Panel("test_error_percent", "Error after training", "test error (%)", "log"),
        Panel("update_difference_from_settled", "Updates", "relative difference from settled", "log"),
        Panel("alignment_angle_to_fixed_point_degrees", "V to its fixed point", "angle (degrees)", limits=(0, 95),
              lines=("reciprocal, damping 10", "reciprocal, damping 10 ")),
    ),
    x_label="duration of a presentation (time constants)",
    x_ticks={duration: f"{duration}" for duration in DURATIONS} | {SETTLED_AT: "settled"},
    averaged=("update_difference_from_settled", "alignment_angle_to_fixed_point_degrees"),
)  # fmt: skip

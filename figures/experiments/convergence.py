"""How near V has to be: error against the angle of a V that is disturbed, and sleeps between two disturbances."""

from cortex_model.experiments.settings import setting
from cortex_model.experiments.tables import Arm, Experiment, Panel, varied

DAMPED = "reciprocal, damping 10"
LEVELS, NOISES = (3, 5, 9, 17, 33), (0.03, 0.1, 0.3, 1.0, 3.0)


def arms(dataset: str) -> list[Arm]:
    """Noise on V, and V on levels, every 1000 presentations in wake."""
    rounded = varied("levels", LEVELS, lambda n: setting(dataset, DAMPED, feedback_levels=n), "rounded")
    return [
        Arm("undisturbed", setting(dataset, DAMPED), "undisturbed", 0.02),
        Arm(
            "a tenth of the sleep",
            setting(dataset, DAMPED, sleep_per_wake=0.1, sleep_before_presentations=0),
            "a tenth of the sleep",
            0.02,
        ),
        *varied("noise", NOISES, lambda n: setting(dataset, DAMPED, feedback_noise=n), "noise"),
        *(Arm(arm.name, arm.setting, arm.line, 1 / (arm.x - 1)) for arm in rounded),
    ]


EXPERIMENT = Experiment(
    name="convergence",
    title="How near V has to be",
    arms={dataset: arms(dataset) for dataset in ("digits", "mnist")},
    panels=(
        Panel("test_error_percent", "Error after training", "test error (%)", "log"),
        Panel("alignment_angle_to_fixed_point_degrees", "V to its fixed point", "angle (degrees)", limits=(0, 95)),
        Panel("test_error_percent", "Error against angle", "test error (%)", "log",
              against="alignment_angle_to_fixed_point_degrees", against_label="V to its fixed point (degrees)"),
    ),
    x_label="noise in deviations of W, or half a step between levels in max|V|",
    averaged=("alignment_angle_to_fixed_point_degrees", "update_angle_to_backpropagation_degrees"),
)  # fmt: skip

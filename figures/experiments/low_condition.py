"""Forward weights that start with a low condition number, as the paper asks: V can be near to W^+ and train well."""

from cortex_model.experiments.settings import EARLY, setting
from cortex_model.experiments.tables import Arm, Experiment, Panel

#: Row -> its learning rate, the better of 0.1 and 0.3 on validation images (`cortex_model.experiments.settings`) for
#: this start.
RATES = {
    "backpropagation": 0.1, "random feedback": 0.3, "reciprocal, bare": 0.3, "reciprocal, damping 10": 0.1,
    "reciprocal, damping 1": 0.3,
}  # fmt: skip


def arms(dataset: str) -> list[Arm]:
    """One arm a row."""
    given = {
        "initial_weights": "orthogonal", "evaluate_early_every_presentations": EARLY[dataset],
        "epochs": 8 if dataset == "mnist" else 3,
    }  # fmt: skip
    return [Arm(line, setting(dataset, line, learning_rate=rate, **given), line) for line, rate in RATES.items()]


EXPERIMENT = Experiment(
    name="low_condition",
    title="An orthogonal start",
    arms={dataset: arms(dataset) for dataset in ("digits", "mnist")},
    panels=(
        Panel("test_error_percent", "Test error", "test error (%)", "log"),
        Panel("alignment_angle_to_pseudoinverse_degrees", "V to W⁺", "angle (degrees)", limits=(0, 95)),
        Panel("alignment_angle_to_transpose_degrees", "V to Wᵀ", "angle (degrees)", limits=(0, 95)),
    ),
    levels={"digits": (20.0,), "mnist": (20.0, 10.0, 5.0, 3.0)},
    averaged=(
        "alignment_angle_to_pseudoinverse_degrees", "alignment_angle_to_transpose_degrees", "condition_number",
    ),
)  # fmt: skip

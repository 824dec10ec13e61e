"""Forward weights that start with a low condition number, as the paper asks: V can be near to W^+ and train well."""

from cortex_model.experiments import Arm, Experiment, Panel
from cortex_model.settings import EARLY, RULES, SHARED, SLEEP_FIRST

ROWS = RULES | {"reciprocal, damping 1": {"learning_rule": "reciprocal", "damping": 1.0, "learning_rate": 0.3}}
#: Learning rates chosen on validation images (`cortex_model.settings`), for an orthogonal start.
RATES = {"random feedback": 0.3, "reciprocal, bare": 0.3}


def arms(dataset: str) -> list[Arm]:
    """One arm a row."""
    given = SHARED[dataset] | {
        "initial_weights": "orthogonal", "evaluate_early_every_presentations": EARLY[dataset],
        "epochs": 8 if dataset == "mnist" else 3,
    }  # fmt: skip
    before = {"sleep_before_presentations": SLEEP_FIRST[dataset]}
    return [
        Arm(name, given | ({"learning_rate": RATES[name]} if name in RATES else {})
            | (before if row["learning_rule"] == "reciprocal" else {}) | row, name)
        for name, row in ROWS.items()
    ]  # fmt: skip


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

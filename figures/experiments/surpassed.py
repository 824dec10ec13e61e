"""Damping between pseudoinverse and transpose, and all seven rules: how near to backpropagation, and at what cost."""

from cortex_model.experiments import Arm, Experiment, Panel
from cortex_model.settings import SHARED, SLEEP_FIRST

NETS = {"digits": (64, 48, 48, 10), "mnist": (784, 256, 256, 256, 10)}
#: Row -> what makes it; learning rates chosen on validation images (`cortex_model.settings`).
ROWS = {
    "backpropagation": {"learning_rule": "backpropagation", "learning_rate": 0.2},
    "reciprocal, damping 30": {"damping": 30.0},
    "reciprocal, damping 10": {"damping": 10.0, "learning_rate": 0.2},
    "reciprocal, damping 1": {"damping": 1.0, "learning_rate": 0.2},
    "reciprocal, bare": {"damping": 0.0, "learning_rate": 0.2},
    "exact pseudoinverse": {
        "learning_rule": "exact_pseudoinverse", "learning_rate": 0.2, "pseudoinverse_every_presentations": 2000,
    },
    "weight mirror": {"learning_rule": "weight_mirror", "damping": 10.0},
    "Kolen-Pollack": {"learning_rule": "kolen_pollack", "weight_decay": 1e-4},
    "direct feedback": {"learning_rule": "direct_feedback"},
    "random feedback": {"learning_rule": "random_feedback", "learning_rate": 0.2},
}  # fmt: skip


def arms(dataset: str) -> list[Arm]:
    """One arm a row."""
    given = SHARED[dataset] | {"layer_sizes": NETS[dataset]}
    given |= {"epochs": 10, "evaluate_early_every_presentations": 4000} if dataset == "mnist" else {}
    before = {"sleep_before_presentations": SLEEP_FIRST[dataset]}
    return [
        Arm(name, given | (before if row.get("learning_rule", "weight_mirror") == "weight_mirror" else {}) | row, name)
        for name, row in ROWS.items()
    ]


EXPERIMENT = Experiment(
    name="surpassed",
    title="All learning rules, and damping from pseudoinverse to transpose",
    arms={dataset: arms(dataset) for dataset in NETS},
    panels=(
        Panel("test_error_percent", "Test error", "test error (%)", "log"),
        Panel("alignment_angle_to_transpose_degrees", "V to Wᵀ", "angle (degrees)", limits=(0, 95)),
        Panel("update_angle_to_backpropagation_degrees", "Update to backpropagation's", "angle (degrees)",
              limits=(0, 95)),
    ),
    levels={"digits": (20.0,), "mnist": (10.0, 5.0, 3.0)},
)  # fmt: skip

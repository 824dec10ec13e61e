"""What sleep does to the forward weights where they learn in it too."""

from cortex_model.experiments.settings import RULES, setting
from cortex_model.experiments.tables import Arm, Experiment, Panel, varied

RATES = (1e-5, 1e-4, 1e-3)
#: Where an eta_f of 0 is put on the logarithmic axis.
HELD = 1e-6


def arms(dataset: str) -> list[Arm]:
    """Bare and damped, with W held in sleep and with rates of its own."""
    rows = []
    for line in [name for name in RULES if name.startswith("reciprocal")]:
        rows.append(Arm(f"{line}, W held", setting(dataset, line), line, HELD))
        rows += varied("eta_f", RATES, lambda n, line=line: setting(dataset, line, forward_sleep_learning_rate=n), line)
    return rows


EXPERIMENT = Experiment(
    name="forward_sleep",
    title="Sleep and the forward weights",
    arms={dataset: arms(dataset) for dataset in ("digits", "mnist")},
    panels=(
        Panel("test_error_percent", "Error after training", "test error (%)"),
        Panel("condition_number", "Condition of W", "condition number", "log"),
        Panel("forward_drift", "Drift of W from its start", "|W - W₀| / |W₀|"),
    ),
    x_label="forward learning rate in sleep",
    x_ticks={HELD: "W held", 1e-5: "10⁻⁵", 1e-4: "10⁻⁴", 1e-3: "10⁻³"},
    averaged=(
        "condition_number", "forward_drift", "alignment_angle_to_pseudoinverse_degrees",
        "alignment_angle_to_transpose_degrees",
    ),
)  # fmt: skip

"""Damping between pseudoinverse and transpose, and all seven rules: how near to backpropagation, and at what cost."""

from cortex_model.experiments.settings import setting
from cortex_model.experiments.tables import Arm, Experiment, Panel

NETS = {"digits": (64, 48, 48, 10), "mnist": (784, 256, 256, 256, 10)}
#: Row -> its learning rate, and what is not as in `ALL_RULES`. Rates of backpropagation, dampings 30, 10 and 1 and
#: random feedback were chosen on validation images (`cortex_model.experiments.settings`); those of the other five are
#: untried.
ROWS = {
    "backpropagation": (0.2, {}),
    "reciprocal, damping 30": (0.1, {"damping": 30.0}),
    "reciprocal, damping 10": (0.2, {}),
    "reciprocal, damping 1": (0.2, {}),
    "reciprocal, bare": (0.2, {}),
    "exact pseudoinverse": (0.2, {"damping": 10.0}),  # which only its measures see
    "weight mirror": (0.1, {}),
    "Kolen-Pollack": (0.1, {}),
    "direct feedback": (0.1, {}),
    "random feedback": (0.2, {}),
}
#: A row that `ALL_RULES` does not have -> the one from which it is made.
BETWEEN = {"reciprocal, damping 30": "reciprocal, bare"}


def arms(dataset: str) -> list[Arm]:
    """One arm a row."""
    given = {"layer_sizes": NETS[dataset]}
    given |= {"epochs": 10, "evaluate_early_every_presentations": 4000} if dataset == "mnist" else {}
    return [
        Arm(line, setting(dataset, BETWEEN.get(line, line), learning_rate=rate, **given | own), line)
        for line, (rate, own) in ROWS.items()
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

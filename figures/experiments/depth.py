"""From one to eight hidden populations of the same width."""

from cortex_model.experiments.settings import EARLY, RULES, setting
from cortex_model.experiments.tables import Arm, Experiment, Panel, varied

DEPTHS = {"digits": (1, 2), "mnist": (1, 2, 4, 8)}


def arms(dataset: str) -> list[Arm]:
    """Every rule at every depth."""
    first, width = {"digits": (64, 16), "mnist": (784, 128)}[dataset]
    given = {"evaluate_early_every_presentations": 3 * EARLY[dataset], "epochs": 3}
    return [
        arm
        for line in RULES
        for arm in varied(
            "hidden populations", DEPTHS[dataset],
            lambda n, line=line: setting(dataset, line, layer_sizes=(first, *[width] * n, 10), **given), line,
        )
    ]  # fmt: skip


EXPERIMENT = Experiment(
    name="depth",
    title="Depth",
    arms={dataset: arms(dataset) for dataset in DEPTHS},
    panels=(
        Panel("test_error_percent", "Error after three epochs", "test error (%)", "log"),
        Panel("wake_to_10", "To 90 % correct", "wake presentations", "log"),
    ),
    levels={"digits": (10.0,), "mnist": (10.0, 5.0)},
    x_label="hidden populations",
    x_ticks={n: str(n) for n in (1, 2, 4, 8)},
)

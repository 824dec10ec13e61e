"""From 32 to 1024 neurons in each of two hidden populations."""

from cortex_model.experiments.settings import EARLY, RULES, setting
from cortex_model.experiments.tables import Arm, Experiment, Panel, varied

WIDTHS = {"digits": (8, 32), "mnist": (32, 128, 512, 1024)}


def arms(dataset: str) -> list[Arm]:
    """Every rule at every width; rates of sleep fall with the power of W, which grows with the width."""
    first = {"digits": 64, "mnist": 784}[dataset]
    given = {"evaluate_early_every_presentations": 3 * EARLY[dataset], "epochs": 3}

    def of(line, n):
        eta = {"sleep_learning_rate": 0.001 * min(1.0, 400 / n)} if line.startswith("reciprocal") else {}
        return setting(dataset, line, layer_sizes=(first, n, n, 10), **given, **eta)

    return [arm for line in RULES for arm in varied("width", WIDTHS[dataset], lambda n, line=line: of(line, n), line)]


EXPERIMENT = Experiment(
    name="width",
    title="Width",
    arms={dataset: arms(dataset) for dataset in WIDTHS},
    panels=(
        Panel("test_error_percent", "Error after three epochs", "test error (%)", "log"),
        Panel("wake_to_10", "To 90 % correct", "wake presentations", "log"),
    ),
    levels={"digits": (10.0,), "mnist": (10.0, 5.0)},
    x_label="neurons in each of two hidden populations",
    x_ticks={width: str(width) for width in WIDTHS["mnist"]},
)

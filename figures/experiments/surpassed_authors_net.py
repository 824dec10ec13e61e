"""All seven rules in the authors' networks, and the bare pseudoinverse with feedback as strong as W's."""

from cortex_model.experiments.settings import EARLY, RULE_RATES, setting
from cortex_model.experiments.tables import Arm, Experiment, Panel

EPOCHS = {"digits": 3, "mnist": 5, "cifar10": 3}


def arms(dataset: str) -> list[Arm]:
    """Every rule at a learning rate of its own."""
    given = {"epochs": EPOCHS[dataset], "evaluate_early_every_presentations": 2 * EARLY[dataset]}
    return [
        Arm(f"{line}, rate {rate:g}", setting(dataset, line, learning_rate=rate, **given), line)
        for line, rate in RULE_RATES[dataset].items()
    ]


EXPERIMENT = Experiment(
    name="surpassed_authors_net",
    title="All learning rules in the authors' network",
    arms={dataset: arms(dataset) for dataset in EPOCHS},
    panels=(
        Panel("test_error_percent", "Test error", "test error (%)", "log"),
        Panel("alignment_angle_to_pseudoinverse_degrees", "V to W⁺", "angle (degrees)", limits=(0, 95)),
        Panel("alignment_angle_to_transpose_degrees", "V to Wᵀ", "angle (degrees)", limits=(0, 95)),
    ),
    levels={"digits": (20.0,), "mnist": (10.0, 5.0, 3.0), "cifar10": (65.0, 60.0, 55.0)},
)

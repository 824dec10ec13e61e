"""The authors' linear network as they ran it, with feedback computed and learned.

Their setting (read off their code and plots): linear hidden populations, pixels from -1 to 1, W ~ N(0, 2/fan_in),
gradient descent with rate 0.001 in batches of 40. Fewer epochs than their forty.
"""

from cortex_model.experiments import Arm, Experiment, Panel
from cortex_model.settings import ALL_RULES, SHARED, SLEEP_FIRST

THEIRS = {
    "nonlinearity": "linear", "stimulus_scaling": "signed", "initial_weights": "he", "biases": True,
    "sleep_learning_rate": 0.0003,
}  # fmt: skip
ROWS = {name: ALL_RULES[name] for name in
        ("backpropagation", "random feedback", "reciprocal, bare", "exact pseudoinverse")}  # fmt: skip


def arms(dataset: str) -> list[Arm]:
    """One arm a row."""
    given = SHARED[dataset] | THEIRS | {"sleep_before_presentations": SLEEP_FIRST[dataset]}
    given |= (
        {"learning_rate": 0.001, "epochs": 12, "evaluate_every_presentations": 20_000} if dataset == "mnist" else {}
    )
    return [Arm(name, given | row, name) for name, row in ROWS.items()]


EXPERIMENT = Experiment(
    name="linear",
    title="The authors' linear network",
    arms={dataset: arms(dataset) for dataset in ("digits", "mnist")},
    panels=(
        Panel("test_error_percent", "Test error", "test error (%)", "log"),
        Panel("training_loss", "Training loss", "training loss (nat)", "log"),
        Panel("alignment_angle_to_pseudoinverse_degrees", "V to W⁺", "angle (degrees)", limits=(0, 95)),
    ),
    levels={"digits": (20.0,), "mnist": (20.0, 10.0)},
)

"""The authors' linear network as they ran it, with feedback computed and learned.

Their setting (read off their code and plots): linear hidden populations, pixels from -1 to 1, W ~ N(0, 2/fan_in),
gradient descent with rate 0.001 in batches of 40. Fewer epochs than their forty. How strong their random feedback was
is not known: here V has the deviation of W^T, a half and a quarter of it.

Sleep was chosen by the angles of V to W^+ in the first epoch, 10 000 images held back, seed 0: a sleep rate of 0.0003
leaves 62 degrees after 60 000 presentations and 25 after 300 000; 0.001 leaves 20 after 100 000 and 6 after 300 000.
"""

from cortex_model.experiments.settings import ALL_RULES, SHARED, SLEEP_FIRST
from cortex_model.experiments.tables import Arm, Experiment, Panel

THEIRS = {
    "nonlinearity": "linear", "stimulus_scaling": "signed", "initial_weights": "he", "biases": True,
    "sleep_learning_rate": 0.001,
}  # fmt: skip
ROWS = {name: ALL_RULES[name] for name in
        ("backpropagation", "random feedback", "reciprocal, bare", "exact pseudoinverse")}  # fmt: skip
ROWS |= {
    f"random feedback, {strength}": ALL_RULES["random feedback"] | {"initial_feedback_scale": scale}
    for strength, scale in (("half as strong", 0.5), ("a quarter as strong", 0.25))
}


def arms(dataset: str) -> list[Arm]:
    """One arm a row."""
    given = SHARED[dataset] | THEIRS | {"sleep_before_presentations": 5 * SLEEP_FIRST[dataset]}
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

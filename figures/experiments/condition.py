"""How near sleep brings a pair to each other's inverse, over the condition number that it starts with.

Steps are divided by the presynaptic power (``sleep_normalisation``), so that one rate suits every matrix.
"""

from cortex_model.experiments.tables import NO_DATASET, Arm, Experiment, Panel, varied

CONDITIONS = (1.0, 10.0, 100.0, 1e3, 1e4)
GIVEN = {
    "layer_sizes": (20, 20), "sleep_normalisation": True, "sleep_learning_rate": 0.5, "n_presentations": 20_000,
    "look_every_presentations": 500,
}  # fmt: skip
LINES = {
    "W held": {"forward_sleep_learning_rate": 0.0},
    "V and W learn": {"forward_sleep_learning_rate": 0.5},
    "W held, 200,000 presentations": {"forward_sleep_learning_rate": 0.0, "n_presentations": 200_000},
}


def arms() -> list[Arm]:
    """Every line at every condition number."""
    return [
        arm
        for line, own in LINES.items()
        for arm in varied("condition", CONDITIONS, lambda c, own=own: GIVEN | own | {"starting_condition": c}, line)
    ]


EXPERIMENT = Experiment(
    name="condition",
    title="Sleep over the initial condition number",
    protocol="pseudoinverse_alignment",
    measure="distance_feedback",
    arms={NO_DATASET: arms()},
    panels=(
        Panel("distance_feedback", "V to W⁺ after sleep", "|V - W⁺| / |W⁺|", "log"),
        Panel("forward_drift", "Drift of W from its start", "|W - W₀| / |W₀|"),
    ),
    x_label="condition number of W and V at the start",
    over="presentations",
    averaged=("distance_forward", "forward_drift"),
)

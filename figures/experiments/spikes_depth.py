"""Two hidden layers in spikes: can an error of spikes come down through feedback that sleep has learned?"""

from cortex_model.experiments.settings import RULES_IN_SPIKES as RULES
from cortex_model.experiments.tables import Arm, Experiment, Panel

SHARED = {"dynamics": "spiking", "layer_sizes": (64, 48, 32, 10), "epochs": 15}
RECIPROCAL = SHARED | RULES["reciprocal, bare"]
OTHERS = {
    "reciprocal, orthogonal start": {"initial_weights": "orthogonal"},
    "reciprocal, sleeps first": {"sleep_before_presentations": 2000},
    "reciprocal, damping 0.3": {"feedback_damping": 0.3},
    "reciprocal, damping 1": {"feedback_damping": 1.0},
}

EXPERIMENT = Experiment(
    name="spikes_depth",
    title="Two hidden layers in spikes",
    arms={
        "digits": [
            *(Arm(line, SHARED | rule) for line, rule in RULES.items()),
            *(Arm(line, RECIPROCAL | given) for line, given in OTHERS.items()),
        ]
    },
    panels=(
        Panel("test_error_percent", "At equal presentations", "test error (%)", "log"),
        Panel("test_error_percent", "At equal spikes", "test error (%)", "log", over="spikes_sent"),
        Panel("alignment_angle_to_pseudoinverse_degrees", "V to W⁺", "angle (degrees)", limits=(0, 95)),
    ),
)

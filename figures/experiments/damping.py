"""From the pseudoinverse to the transpose: error and angles over damping, beside backpropagation."""

from cortex_model.experiments.settings import setting
from cortex_model.experiments.tables import Arm, Experiment, Panel, varied

DAMPINGS = (0.01, 0.1, 1.0, 3.0, 10.0, 30.0, 100.0)
#: Where a damping of 0 is put on the logarithmic axis.
NONE = 0.001
LEARNED = "reciprocal feedback"


def arms(dataset: str) -> list[Arm]:
    """Learned feedback at every damping, with the gain that belongs to it; backpropagation at both ends of the axis."""

    def learned(damping):
        return setting(dataset, "reciprocal, bare", damping=damping)

    backpropagation = setting(dataset, "backpropagation")
    return [
        Arm("bare", learned(0.0), LEARNED, NONE),
        *varied("damping", DAMPINGS, learned, LEARNED),
        Arm("backpropagation", backpropagation, "backpropagation", NONE),
        Arm("backpropagation, again", backpropagation, "backpropagation", DAMPINGS[-1]),
    ]


EXPERIMENT = Experiment(
    name="damping",
    title="From the pseudoinverse to the transpose",
    arms={dataset: arms(dataset) for dataset in ("digits", "mnist")},
    panels=(
        Panel("test_error_percent", "Error after training", "test error (%)", "log"),
        Panel("alignment_angle_to_pseudoinverse_degrees", "V to W⁺", "angle (degrees)", limits=(0, 95)),
        Panel("alignment_angle_to_transpose_degrees", "V to Wᵀ", "angle (degrees)", limits=(0, 95)),
    ),
    x_label="damping",
    x_ticks={NONE: "none"} | {damping: f"{damping:g}" for damping in (0.01, 0.1, 1.0, 10.0, 100.0)},
)

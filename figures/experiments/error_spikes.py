"""How few spikes of the error suffice."""

from cortex_model.experiments.settings import RULES_IN_SPIKES as RULES
from cortex_model.experiments.tables import Arm, Experiment, Panel

#: Rates of feedback spikes for an error of 1, at the top and in the hidden population, in units of the defaults.
FACTORS = (0.03, 0.1, 0.3, 1.0, 3.0)
TOP, HIDDEN = 0.2, 3.0


def arms() -> list[Arm]:
    """Each rule with each rate."""
    made = []
    for line, rule in RULES.items():
        for factor in FACTORS:
            rates = {"top_error_rate": TOP * factor, "hidden_error_rate": HIDDEN * factor}
            made.append(Arm(f"{line}, rates x {factor:g}", {"dynamics": "spiking", "epochs": 15} | rule | rates, line,
                            factor))  # fmt: skip
    return made


EXPERIMENT = Experiment(
    name="error_spikes",
    title="How few error spikes suffice",
    arms={"digits": arms()},
    panels=(
        Panel("test_error_percent", "Error after training", "test error (%)", "log"),
        Panel("feedback_spikes_in_wake", "Feedback spikes in wake", "mean of populations", "log"),
    ),
    x_label="rate of feedback spikes, in units of the default",
    x_ticks={factor: f"{factor:g}" for factor in FACTORS},
    averaged=("feedback_spikes_in_wake", "alignment_angle_to_pseudoinverse_degrees"),
)

"""How much sleep is enough, and whether it may come in blocks, or only before wake."""

from cortex_model.experiments.settings import setting
from cortex_model.experiments.tables import Arm, Experiment, Panel, varied

DAMPED = "reciprocal, damping 10"
AMOUNTS = (0.001, 0.01, 0.1, 1.0, 10.0)
MATCHED_AMOUNTS = (0.01, 0.1, 1.0)
#: Where no sleep in wake is put on the logarithmic axis.
NONE = 0.0005
BLOCKS = {"digits": (1, 500), "mnist": (1, 1000, 10_000, 60_000)}
FIRST, IN_BLOCKS = "interleaved, after sleep", "in blocks of 0.1 per wake presentation"


def arms(dataset: str) -> list[Arm]:
    """Amounts from a random V and after sleep, blocks, sleep before wake alone, and none at all."""
    return [
        *varied("sleep per wake", AMOUNTS[:-1], lambda n: setting(dataset, DAMPED, sleep_per_wake=n), FIRST),
        *varied(
            "sleep per wake", AMOUNTS,
            lambda n: setting(dataset, DAMPED, sleep_per_wake=n, sleep_before_presentations=0),
            "interleaved, from random V",
        ),
        *varied(
            "sleep per wake", MATCHED_AMOUNTS,
            lambda n: setting(dataset, DAMPED, sleep_per_wake=n, damping=1.0, feedback_gain="norm_matched"),
            "damping 1, matched gain, after sleep",
        ),
        Arm("sleep before wake alone", setting(dataset, DAMPED, sleep_per_wake=0.0), "sleep before wake alone", NONE),
        Arm("no sleep", setting(dataset, DAMPED, sleep_per_wake=0.0, sleep_before_presentations=0), "no sleep ", NONE),
        *(
            Arm(f"{IN_BLOCKS}, every {n}",
                setting(dataset, DAMPED, sleep_per_wake=0.1, sleep_block_presentations=n, sleep_before_presentations=0))
            for n in BLOCKS[dataset]
        ),
    ]  # fmt: skip


EXPERIMENT = Experiment(
    name="sleep_budget",
    title="How much sleep is enough",
    arms={dataset: arms(dataset) for dataset in BLOCKS},
    panels=(
        Panel("test_error_percent", "Error after training", "test error (%)"),
        Panel("alignment_angle_to_fixed_point_degrees", "V to its fixed point", "angle (degrees)", limits=(0, 95)),
        Panel("sleep_presentations", "Cost", "sleep presentations", "log"),
    ),
    x_label="sleep presentations per wake presentation",
    x_ticks={NONE: "0"} | {amount: f"{amount:g}" for amount in (0.01, 0.1, 1.0, 10.0)},
    averaged=("alignment_angle_to_fixed_point_degrees", "alignment_angle_to_transpose_degrees"),
)

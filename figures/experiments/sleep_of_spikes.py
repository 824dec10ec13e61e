"""How near feedback comes to the pseudoinverse in a sleep of spikes, and on what that depends."""

from cortex_model.experiments.tables import Arm, Experiment, Panel

#: Line -> parameter, and its value in the protocol.
SWEPT = {
    "amplitude of the noise": ("sleep_amplitude", 0.6),
    "synaptic time constant": ("synapse_ms", 8.0),
    "time constant of traces": ("trace_ms", 20.0),
    "rate of feedback spikes": ("feedback_rate", 1.0),
    "time step": ("time_step_ms", 1.0),
}
FACTORS = (0.5, 0.7, 1.0, 1.4, 2.0)
SHARED = {"n_presentations": 10_000, "look_every_presentations": 2000, "feedback_annealing_presentations": 2500.0}


def arms() -> list[Arm]:
    """One parameter after the other by itself; then what cannot be halved, for the table."""
    made = []
    for line, (name, value) in SWEPT.items():
        factors = (0.5, 1.0, 2.0) if name == "time_step_ms" else FACTORS
        made += [Arm(f"{line} x {factor:g}", SHARED | {name: value * factor}, line, factor) for factor in factors]
    made.append(Arm("no term half way", SHARED | {"midpoint": 0.0}))
    made += [Arm(f"damping {d:g}", SHARED | {"feedback_damping": d}) for d in (0.1, 1.0)]
    return made


EXPERIMENT = Experiment(
    name="sleep_of_spikes",
    title="A sleep of spikes",
    arms={"noise": arms()},
    panels=(
        Panel("alignment_angle_to_pseudoinverse_degrees", "V to W⁺", "angle (degrees)"),
        Panel("relative_norm", "Norm of V", "|V| / |W⁺|"),
    ),
    protocol="spiking_sleep",
    measure="alignment_angle_to_pseudoinverse_degrees",
    x_label="value, in units of that of the protocol",
    x_ticks={factor: f"{factor:g}" for factor in FACTORS},
    over="presentations",
    averaged=("relative_norm", "alignment_angle_to_transpose_degrees"),
)

"""A hippocampal circuit learns sequences by predicting what entorhinal cortex sends next, and replays them.

Question
    Can CA3 and CA1 learn a sequence from local prediction errors alone, and replay it in a closed loop from its first
    state? And where does that fail: with how many patterns, how much noise, which overlap?

Procedure
    Entorhinal cortex (EC, population 0) sends sequences, lap after lap: places on a ring (``sequences=ring``: one lap
    of place fields, closed), random patterns (``patterns``: open), or states from a file. Each wake presentation is
    one step: EC shows a state, CA3 (population 1) and CA1 (population 2) predict the next one, EC shows that, and the
    recurrent synapses of CA3 and those from CA3 to CA1 learn from the difference
    (`cortex_model.rules.predictive_recirculation`). Synapses from EC to CA3 are random, of the deviation
    ``input_scale``/sqrt(n_EC), and never learn; those that learn start with ``plastic_scale``/sqrt(n_CA3).

    In replay EC shows the first state of a sequence once; then CA3 goes on by itself, its prediction being its next
    state, ``replay_steps`` times (of an open sequence at most to its end), and CA1 says what EC would have sent. With
    ``replay_through_cortex=1`` the loop is closed through CA1 and EC instead. At the end the simulator itself replays,
    step by step, on the device of the run (`cortex_model.traces.replay`); at each look NumPy does so with the weights
    of that moment, through either loop (`theory.hippocampus.replayed`), which gives the same to rounding.

    ``input_noise`` adds Gaussian noise to every rate of EC in wake, drawn anew in each lap; evaluation and replay are
    without. With ``overlap`` all sequences go through the same states in their middle.

    With ``with_backpropagation=true`` a recurrent network of as many neurons learns the same laps by exact
    backpropagation through time (`theory.hippocampus`), in NumPy, one step a lap on the sum of all errors, without
    noise; before its replay it sees the first ``N_CUE`` states, and what it predicts is then its input.

Measured, before learning and every ``look_every_laps``
    Mean squared error of the prediction of one step, and of the guess that nothing changes (persistence); correlation
    of what is replayed with what would have come (mean and minimum over steps), and the part of the steps in which
    the most similar of all states is the right one; of the latter also where the loop is closed through CA1 and EC
    (``cortical_``). All of it is measured without noise. ``replay.nc`` holds what is replayed at the end, beside the
    states.

Expected
    The loss of the ring falls below a tenth of that of persistence, and CA3's own loop replays every place, or all but
    one. A low loss of one step does not imply replay. Through CA1 and EC the same synapses lose the ring within some
    ten steps, where one bump of activity becomes several; backpropagation through time, whose network has no other
    loop, loses it later. Of random patterns the loop through CA1 and EC holds more than CA3's own, presumably because
    their rates lie where tanh is flat, so that each round takes errors away. A state of CA3 holds nothing of the past:
    sequences that share a state cannot be told apart after it.

Where the numbers come from
    Learning rate, deviations at the start, place fields, laps and sizes are those of a sketch that was made to look for
    a form of the paper's rule that works; they are not the paper's, and were found on the ring. The step of
    backpropagation was chosen on the ring, of 0.0005, 0.001, 0.002, 0.005 and 0.01 for seeds 0 to 2, by the loss; from
    0.005 on it may diverge.
"""

from collections.abc import Iterable
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from cortex_model.analysis.cost import cost
from cortex_model.analysis.replay import REPLAY_MEASURES, prediction_losses, replay_measures
from cortex_model.datasets.sequences import KINDS, Sequences, drawn, known, load_sequences
from cortex_model.errors import ParameterError
from cortex_model.parameters import LayerSizes, LearningRule, PositiveCount, Rate, SleepWakeParameters, parameter
from cortex_model.protocol import Protocol, Run
from cortex_model.schedule import Stimuli, wake_sleep_schedule
from cortex_model.system.arrays import write_arrays
from cortex_model.system.memory import must_fit
from cortex_model.system.sources import without_folder
from cortex_model.theory import hippocampus
from cortex_model.traces import replay
from cortex_model.weights import Weights, initial_weights

#: Measure -> (unit, dimension).
MEASURES = {
    "prediction_loss": ("1", None),
    "persistence_loss": ("1", None),
    **REPLAY_MEASURES,
    "cortical_replay_correlation": ("1", None),
    "cortical_replay_decoded_percent": ("percent", None),
    "laps": ("laps", None),
    "wake_presentations": ("presentations", None),
}
#: States that the network of backpropagation through time sees before it replays.
N_CUE = 5
#: The file that this protocol adds to its run directory.
REPLAY = "replay.nc"
#: Streams of random numbers beside that of the states.
OF_NOISE, OF_BACKPROPAGATION = 1, 2
#: Parameters that decide nothing here: there is no sleep, no feedback that carries an error, and no bias.
UNUSED = (
    "top", "biases", "slope_rule", "feedback_to_input", "feedback_gain", "initial_feedback_scale", "sleep_per_wake",
    "sleep_before_presentations", "sleep_block_presentations", "sleep_normalisation", "noise_distribution",
)  # fmt: skip


class SequenceParameters(SleepWakeParameters):
    """Parameters of `hippocampal_replay`."""

    task: ClassVar[str] = "sequences"

    layer_sizes: LayerSizes = parameter((50, 100, 50), "neurons of EC, CA3 and CA1", "neurons")
    learning_rule: LearningRule = parameter(
        "predictive_recirculation", "how recurrent synapses of CA3, and those from CA3 to CA1, change",
        choices=("predictive_recirculation",), or_else="a Python file that declares a rule",
    )  # fmt: skip
    learning_rate: Rate = parameter(0.02, "eta: step of both")
    dynamics: Literal["settled"] = parameter("settled", "a step of a sequence is a presentation in which all settles")
    sequences: Annotated[str, BeforeValidator(str), AfterValidator(known)] = parameter(
        "ring", "what EC sends: places on a ring, or random patterns", choices=KINDS, or_else="a file of your own"
    )
    n_sequences: PositiveCount = parameter(1, "sequences, one after another in each lap", "sequences")
    sequence_length: Annotated[PositiveCount, Field(ge=2)] = parameter(50, "states of each sequence", "states")
    field_width: Annotated[float, Field(gt=0, allow_inf_nan=False)] = parameter(
        0.06, "deviation of a place field, in laps"
    )
    overlap: Annotated[float, Field(ge=0, le=1)] = parameter(
        0.0, "part of each sequence, in its middle, whose states all sequences share"
    )
    input_noise: Rate = parameter(0.0, "deviation of the noise in every rate of EC in wake")
    laps: PositiveCount = parameter(200, "times that every sequence is gone through", "laps")
    look_every_laps: PositiveCount = parameter(10, "laps between two looks", "laps")
    input_scale: Rate = parameter(1.5, "deviation of synapses from EC to CA3, times the root of EC's neurons")
    plastic_scale: Rate = parameter(
        0.1, "deviation at the start of synapses that learn, times the root of CA3's neurons"
    )
    with_backpropagation: bool = parameter(
        False, "whether a network that learns by backpropagation through time is put beside it"
    )
    backpropagation_rate: Rate = parameter(0.002, "step of backpropagation through time, once a lap")

    @model_validator(mode="after")
    def _overlapping(self) -> "SequenceParameters":
        if self.overlap and (self.n_sequences == 1 or self.sequences not in KINDS):
            raise ValueError(
                f"Parameters.overlap: must be 0 where there is one sequence, or a file (got {self.overlap:g}); raise "
                "n_sequences, or leave it out."
            )
        return self

    def data(self, seed: int) -> Sequences:
        """The sequences, without noise.

        Raises
        ------
        ParameterError
            Where EC has another number of neurons than a file.
        """
        n = self.layer_sizes[0]
        if self.sequences in KINDS:
            must_fit(8.0 * self.n_sequences * self.sequence_length * n, "Parameters.sequence_length", "lower it")
            of_kind = self.n_sequences, self.sequence_length, n, seed, self.field_width, self.overlap
            return drawn(self.sequences, *of_kind)
        found = load_sequences(self.sequences)
        if found.states.shape[2] != n:
            raise ParameterError(
                f"Parameters.layer_sizes: must begin and end with the {found.states.shape[2]} neurons of "
                f"{without_folder(self.sequences)} (got {','.join(map(str, self.layer_sizes))}); change them."
            )
        return found

    def decisive(self) -> dict[str, Any]:
        """See `Parameters`; a file is named without its folder, and has its own number of states."""
        of_file = () if self.sequences in KINDS else ("n_sequences", "sequence_length", "field_width", "overlap")
        of_all = {name: value for name, value in super().decisive().items() if name not in of_file}
        return of_all | {"sequences": without_folder(self.sequences)}

    def check_asked(self, names: Iterable[str]) -> None:
        """See `Parameters`; nothing sleeps here, and nothing carries an error down."""
        for name in (name for name in UNUSED if name in names):
            raise ParameterError(
                f"Parameters.{name}: must be left out in hippocampal_replay (got {getattr(self, name)}), where nothing "
                "reads it; leave it out."
            )
        super().check_asked(names)


def run(run: Run) -> dict:
    """Go through the sequences lap by lap, look, and replay; see the top of this file."""
    p: SequenceParameters = run.parameters
    sequences = p.data(run.seed)
    present, following = sequences.pairs
    n_pairs, length = len(present), sequences.states.shape[1]
    n_steps = p.replay_steps if sequences.is_closed else min(p.replay_steps, length - 1)
    shown = laps_of(p, sequences, run.seed, run.ended["wake"] // n_pairs) if p.input_noise else (present, following)
    rows_of_lap = (lambda lap: lap * n_pairs + np.arange(n_pairs)) if p.input_noise else lambda lap: np.arange(n_pairs)
    schedule = wake_sleep_schedule(p, rows_of_lap, n_pairs, p.laps * n_pairs, n_pairs, p.look_every_laps * n_pairs)

    def measure(place: int, weights: Weights, rates: np.ndarray) -> dict[str, float]:
        """One row: prediction, and replay, with the weights of this place in the schedule."""
        n_wake = schedule.n_presentations("wake", place)
        losses = prediction_losses(rates, present, following)
        return (
            losses | looked(p, weights, sequences, n_steps) | {"laps": n_wake / n_pairs, "wake_presentations": n_wake}
        )

    shows = Stimuli(shown, (present, following))
    seconds = run.simulate(schedule, shows, starting_weights(p, run.seed), measure, MEASURES)
    run.report(0, 0, "replay")
    of_steps = p.with_overrides({"replay_steps": n_steps, "batch_size": 1})
    traced = replay(of_steps, run.weights, sequences.states[:, 0], device=run.device, codegen_target=p.codegen_target)
    replayed, follows = traced["rate_2"].values.astype(float), sequences.following(n_steps)
    beside = backpropagation_beside(run, sequences, follows) if p.with_backpropagation else {}
    keep(run, sequences, replayed, beside)
    at_last = [name for name in MEASURES if name.endswith("_loss") or name.startswith("cortical_")]
    return {
        "learning_rule": p.learning_rule,
        "sequences": without_folder(p.sequences),
        "layer_sizes": list(p.layer_sizes),
        "n_sequences": len(sequences.states),
        "sequence_length": length,
        "laps": p.laps,
        "replay_steps": n_steps,
        **{name: float(run.measures[name][1][-1]) for name in at_last},
        **replay_measures(replayed, sequences.states, follows),
        **{name: value for name, value in beside.items() if isinstance(value, float)},
        **cost(schedule, p),
        "microseconds_per_presentation": round(1e6 * seconds / schedule.n_presentations(), 2),
        "weights_sha256": run.weights.sha256,
    }


def looked(p: SequenceParameters, weights: Weights, sequences: Sequences, n_steps: int) -> dict[str, float]:
    """What is measured of replay through both loops, in NumPy."""
    circuit, follows, found = circuit_of(weights), sequences.following(n_steps), {}
    for prefix, g in (("", p.replay_through_cortex), ("cortical_", 1.0)):
        replayed = [hippocampus.replayed(circuit, states[0], n_steps, g) for states in sequences.states]
        its = replay_measures(np.array(replayed), sequences.states, follows)
        found |= {prefix + name: value for name, value in its.items() if prefix + name in MEASURES}
    return found


def circuit_of(weights: Weights) -> hippocampus.Circuit:
    """The synapses of the circuit, by their letters."""
    matrices = weights.forward[1], weights.others["R"][1], weights.forward[2], weights.others["E"][1]
    return hippocampus.Circuit(*(np.asarray(matrix, float) for matrix in matrices))


def starting_weights(p: SequenceParameters, seed: int) -> Weights:
    """Gaussian weights, of the deviations that the parameters say; those of ``start_from`` as they are."""
    weights = initial_weights(p, seed)
    if p.start_from:
        return weights
    scales = {"W_1": p.input_scale, "R_1": p.plastic_scale, "W_2": p.plastic_scale}
    named = weights.named()
    return weights.replaced({name: scale * named[name].astype(float) for name, scale in scales.items()}).astype(p.dtype)


def laps_of(p: SequenceParameters, sequences: Sequences, seed: int, first: int) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of all laps, each with noise of its own: a function of seed and lap."""
    must_fit(16.0 * p.laps * sequences.states.size, "Parameters.laps", "lower it, or sequence_length")
    laps = range(first, first + p.laps)
    noisy = [sequences.with_noise(p.input_noise, np.random.default_rng([seed, OF_NOISE, lap])).pairs for lap in laps]
    return tuple(np.concatenate(rows) for rows in zip(*noisy, strict=True))


def backpropagation_beside(run: Run, sequences: Sequences, follows: np.ndarray) -> dict[str, Any]:
    """Backpropagation through time on the same laps: its loss at each look, and what it replays at the end."""
    p, (n, m, _) = run.parameters, run.parameters.layer_sizes
    states = sequences.states[0]
    lap = np.concatenate([states, states[:1]]) if sequences.is_closed else states
    network = hippocampus.recurrent_at_start(n, m, np.random.default_rng([run.seed, OF_BACKPROPAGATION]))
    looks = {round(laps) for laps in run.measures["laps"][1].tolist()}
    learned = list(hippocampus.learned_through_time(network, lap, p.laps, p.backpropagation_rate))
    losses = [loss for done, (_, loss) in enumerate(learned) if done in looks]
    network = learned[-1][0]
    n_steps = len(follows) - N_CUE + 1
    run.measures["backpropagation_loss"] = (["look"], np.array(losses), "1")
    if n_steps < 1:
        return {"backpropagation_loss": losses[-1]}
    replayed = hippocampus.replayed_through_time(network, states[:N_CUE], n_steps)
    its = replay_measures(replayed[None], states[None], follows[N_CUE - 1 :])
    named = {f"backpropagation_{name}": value for name, value in its.items()}
    return {"backpropagation_loss": losses[-1], **named, "replayed": replayed}


def keep(run: Run, sequences: Sequences, replayed: np.ndarray, beside: dict[str, Any]) -> None:
    """Keep the states, and what was replayed of them through either loop, in ``replay.nc``."""
    dims = ["sequence", "step", "neuron"]
    circuit, n_steps = circuit_of(run.weights), replayed.shape[1]
    cortical = [hippocampus.replayed(circuit, states[0], n_steps, 1.0) for states in sequences.states]
    arrays = {
        "states": (["sequence", "state", "neuron"], sequences.states, "1"),
        "replayed": (dims, replayed, "1"),
        "replayed_through_cortex": (dims, np.array(cortical), "1"),
        "follows": (["step"], sequences.following(n_steps), "1"),
    }
    if "replayed" in beside:
        arrays["replayed_by_backpropagation"] = (["step_after_cue", "neuron"], beside["replayed"], "1")
    write_arrays(run.directory.path / REPLAY, arrays, {"description": "states of EC, and what is replayed of them"})


PROTOCOL = Protocol(
    name="hippocampal_replay",
    question="Can CA3 and CA1 learn a sequence from local prediction errors, and replay it in a closed loop?",
    parameters=SequenceParameters,
    run=run,
    tiny={"layer_sizes": (12, 40, 12), "sequence_length": 12, "laps": 60, "look_every_laps": 20, "field_width": 0.1,
          "replay_steps": 20, "chunk_presentations": 200},
)  # fmt: skip

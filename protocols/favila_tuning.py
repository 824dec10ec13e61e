"""How widely activity is tuned in perception and in recall, by the damping of feedback (Favila et al. 2022).

Question
    In human visual cortex tuning to visual angle widens from early to late areas in perception, and is broad in all
    of them in recall (S. E. Favila, B. A. Kuhl and J. Winawer, Nature Communications 13, 2022,
    doi:10.1038/s41467-022-33161-8). Which feedback does that ask for: a pseudoinverse, which would undo the widening,
    a transpose, which repeats it, or what lies between?

Procedure
    The authors' model (their Fig. 7): populations over visual angle, linear; each projection spreads activity by a
    Gaussian of sigma 15 degrees; a boxcar of 15 degrees is the stimulus, eight projections lie above it. Perception
    is the forward sweep. In recall the top population is given the activity that perception left there, and activity
    descends. The authors sent it down through the same kernel, the transpose. Here the feedback weights are learned:
    W is held, V starts from random numbers, and in sleep noise ascends and returns in all eight pairs at once
    (`feedback_update`), which draws V to g W^T (W W^T + damping I)^-1; with ``learning_rule=weight_mirror`` to the
    transpose. The gain g scales all activity and changes no width.

    ``averaged=true`` iterates in NumPy what `feedback_update` does on average, without any device and its noise.

    Stimuli are shown at the angle of every neuron in turn, and responses are turned to their stimulus and averaged
    before their width is measured, as angles of targets were in the published analysis.

Measured, before the first presentation and every ``look_every_presentations``
    Full width at half maximum of the response of each population in perception and in recall, and in recall through
    the feedback that theory predicts; the responses themselves; |V - V*|_F / |V*|_F, where V* is that prediction, for
    each feedback projection; how much noise at the top grows on its way down, relative to the recalled activity.

Expected
    A pair of singular values s of W and s/(s^2 + d) of V: with damping d well below the s^2 of broad activity, which
    is 1 here, what was blurred is sharpened again; above it, it is blurred once more. Without damping the
    gain 1/s of fine detail has no bound: with this spread the condition of W is beyond double precision, the inverse
    is ill-posed, and no sleep learns it. Online, V stays at a distance of `theory.feedback_noise_floor`.
"""

from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from cortex_model import theory
from cortex_model.analysis.tuning import aligned_mean, tuning_width
from cortex_model.errors import ParameterError
from cortex_model.parameters import Count, LayerSizes, Nonlinearity, PositiveCount, Rate, SleepWakeParameters, parameter
from cortex_model.protocol import Protocol, Run
from cortex_model.schedule import Stimuli, sleep_schedule
from cortex_model.weights import Weights, initial_weights

#: Measure -> (unit, dimension).
MEASURES = {
    "presentations": ("presentations", None),
    "perceived_width_degrees": ("degree", "population"),
    "recalled_width_degrees": ("degree", "population"),
    "predicted_width_degrees": ("degree", "population"),
    "distance_to_prediction": ("1", "feedback_projection"),
    "noise_growth": ("1", "population"),
    "predicted_noise_growth": ("1", "population"),
    "perceived_response": ("1", "population_angle"),
    "recalled_response": ("1", "population_angle"),
}
#: Measures that hold a response at every angle for every population.
RESPONSES = ("perceived_response", "recalled_response")


class TuningParameters(SleepWakeParameters):
    """Parameters of `favila_tuning`."""

    task: ClassVar[str] = "targets"

    layer_sizes: LayerSizes = parameter((72,) * 9, "neurons in each population, evenly spaced in angle", "neurons")
    nonlinearity: Nonlinearity = parameter("linear", "rate of the hidden populations")
    top: Literal["linear"] = parameter("linear", "rate of the top population")
    biases: bool = parameter(False, "whether populations above the input have a bias")
    feedback_to_input: bool = parameter(True, "whether V_1 exists")
    dtype: Literal["float32", "float64"] = parameter("float64", "precision of every number of the model")
    damping: Rate = parameter(1.0, "decay in sleep: 0 pseudoinverse ... large: transpose")
    sleep_learning_rate: Rate = parameter(3.5e-5, "eta: step of feedback_update")
    stimulus_degrees: Annotated[float, Field(gt=0, lt=180)] = parameter(15.0, "width of the boxcar", "degrees")
    spread_degrees: Annotated[float, Field(gt=0, le=60)] = parameter(
        15.0, "sigma of the Gaussian by which each projection spreads activity", "degrees"
    )
    averaged: bool = parameter(False, "whether the rule's average is iterated instead of single noise vectors")
    n_presentations: PositiveCount = parameter(200_000, "noise vectors, or steps of the average", "presentations")
    look_every_presentations: Count = parameter(0, "presentations between two looks; 0: a fifth", "presentations")


def run(run: Run) -> dict:
    """Sleep, perceive, recall; see the top of this file."""
    p: TuningParameters = run.parameters
    n = checked_size(p)
    kernel = spreading(n, p.spread_degrees)
    perceived = perception(kernel, stimuli(n, p.stimulus_degrees), p.n_layers)
    start = initial_weights(p, run.seed, {f"W_{level}": kernel for level in range(1, p.n_layers + 1)})
    predicted = prediction(p, kernel)
    of_prediction = recall(dict.fromkeys(start.feedback, predicted), perceived[p.n_layers])
    growths = noise_growth(dict.fromkeys(start.feedback, predicted), perceived[p.n_layers])

    def measure(presentations: int, weights: Weights) -> dict:
        """One row: the hierarchy after so many presentations of noise."""
        feedback = {level: v.astype(float) for level, v in weights.feedback.items()}
        recalled = recall(feedback, perceived[p.n_layers])
        return {
            "presentations": presentations,
            "perceived_width_degrees": widths(perceived),
            "recalled_width_degrees": widths(recalled),
            "predicted_width_degrees": widths(of_prediction),
            "distance_to_prediction": [theory.relative_distance(v, predicted) for v in feedback.values()],
            "noise_growth": noise_growth(feedback, perceived[p.n_layers]),
            "predicted_noise_growth": growths,
            "perceived_response": responses(perceived),
            "recalled_response": responses(recalled),
        }

    every = p.look_every_presentations or max(p.n_presentations // 5, 1)
    schedule = sleep_schedule(p, p.n_presentations, every)
    if p.averaged:
        rows = []
        for place in schedule.measured:
            presentations = schedule.n_presentations("sleep", place)
            run.weights = averaged_sleep(p, kernel, start, predicted, presentations)
            rows.append(measure(presentations, run.weights))
            run.report(presentations, p.n_presentations, "averaged")
        for name, (unit, dimension) in MEASURES.items():
            dims = ["look", dimension] if dimension else ["look"]
            run.measures[name] = (dims, np.array([row[name] for row in rows]), unit)
    else:
        run.simulate(
            schedule,
            Stimuli(),
            start,
            lambda place, weights, _: measure(schedule.n_presentations("sleep", place), weights),
            MEASURES,
        )
    for name in RESPONSES:
        _, values, unit = run.measures[name]
        run.measures[name] = (["look", "population", "angle"], values.reshape(len(values), -1, n), unit)
    return summary_of(run, kernel, predicted)


def summary_of(run: Run, kernel: np.ndarray, predicted: np.ndarray) -> dict:
    """What the run ends with, beside what was predicted."""
    p: TuningParameters = run.parameters
    last = {name: np.round(run.measures[name][1][-1], 6).tolist() for name in MEASURES if name not in RESPONSES}
    floor = theory.feedback_noise_floor(kernel, p.sleep_learning_rate, p.damping, p.noise_gain, reconstructs(p))
    return {
        "learning_rule": p.learning_rule,
        "damping": p.damping,
        "averaged": p.averaged,
        **last,
        "predicted_floor": 0.0 if p.averaged else floor / float(np.linalg.norm(predicted)),
        "condition_number": theory.condition_number(kernel),
        "weights_sha256": run.weights.sha256,
    }


# ---------------------------------------------------------------------- the hierarchy over visual angle
def checked_size(p: TuningParameters) -> int:
    """Neurons of each population.

    Raises
    ------
    ParameterError
        If populations differ in size, or the rule's feedback is not learned in sleep.
    """
    if len(set(p.layer_sizes)) > 1:
        raise ParameterError(
            "Parameters.layer_sizes: must be equal, one neuron for each angle "
            f"(got {','.join(map(str, p.layer_sizes))}); set layer_sizes={','.join(['72'] * len(p.layer_sizes))}."
        )
    is_known = p.learning_rule in ("reciprocal", "weight_mirror")
    if not is_known or p.forward_sleep_learning_rate > 0 or p.sleep_normalisation:
        raise ParameterError(
            "Parameters: must describe feedback that feedback_update learns while W is held (got learning_rule "
            f"{p.learning_rule}, forward_sleep_learning_rate "
            f"{p.forward_sleep_learning_rate:g}, sleep_normalisation {p.sleep_normalisation}); "
            "leave these at their defaults, or set learning_rule=weight_mirror."
        )
    return p.layer_sizes[0]


def distances(n: int) -> np.ndarray:
    """Degrees from each angle to each other one, the shorter way around; shape (n, n)."""
    steps = np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
    return np.minimum(steps, n - steps) * 360 / n


def spreading(n: int, spread_degrees: float) -> np.ndarray:
    """W: activity spreads around the circle by a Gaussian; its sum is kept."""
    kernel = np.exp(-(distances(n) ** 2) / (2 * spread_degrees**2))
    return kernel / kernel.sum(axis=0)


def stimuli(n: int, width_degrees: float) -> np.ndarray:
    """A boxcar at the angle of each neuron, one stimulus a column."""
    return (distances(n) <= width_degrees / 2).astype(float)


def perception(kernel: np.ndarray, stimuli: np.ndarray, n_layers: int) -> dict[int, np.ndarray]:
    """Rates of every population, stimuli as columns."""
    linear = {"nonlinearity": "linear", "top": "linear"}
    return theory.hierarchy_response(dict.fromkeys(range(1, n_layers + 1), kernel), None, stimuli, **linear)[1]


def recall(feedback: dict[int, np.ndarray], top: np.ndarray) -> dict[int, np.ndarray]:
    """Rates of every population while activity descends from the top one, each scaled to a largest mean of 1."""
    rates = {max(feedback): top}
    for level in sorted(feedback, reverse=True):
        below = theory.recall(feedback[level], rates[level], "linear")
        rates[level - 1] = below / np.abs(aligned_mean(below)).max()
    return dict(sorted(rates.items()))


def noise_growth(feedback: dict[int, np.ndarray], top: np.ndarray) -> list[float]:
    """How much larger noise is, relative to recalled activity, at each population than at the top.

    With M the product of the feedback weights from the top down, and h the state of the top: white noise there becomes
    |M|_F / sqrt(n) on average, activity |M h| / |h|; this is the ratio of the two, h taken over all stimuli.
    """
    n, growths, chain = len(top), [1.0], np.eye(len(top))
    for level in sorted(feedback, reverse=True):
        chain = feedback[level] @ chain
        chain = chain / np.linalg.norm(chain)
        growths.append(float(np.linalg.norm(top) / np.linalg.norm(chain @ top) / np.sqrt(n)))
    return growths[::-1]


def prediction(p: TuningParameters, kernel: np.ndarray) -> np.ndarray:
    """Where V rests on average: g W^T (W W^T + damping I)^-1; of the weight mirror, g W^T / damping."""
    if reconstructs(p):
        return theory.feedback_fixed_point(kernel, p.damping, p.noise_gain)
    return p.noise_gain * kernel.T / p.damping


def reconstructs(p: TuningParameters) -> bool:
    """Whether feedback sees, in sleep, how much of the noise comes back; a weight mirror sees the noise alone."""
    return p.learning_rule != "weight_mirror"


def averaged_sleep(p, kernel, start: Weights, predicted: np.ndarray, presentations: int) -> Weights:
    """Weights after so many steps of the rule's average: V = V* + (V_0 - V*) (I - eta (W W^T + damping I))^n."""
    drift = reconstructs(p) * kernel @ kernel.T + p.damping * np.eye(len(kernel))
    left = np.linalg.matrix_power(np.eye(len(kernel)) - p.sleep_learning_rate * drift, presentations)
    feedback = {level: predicted + (v - predicted) @ left for level, v in start.feedback.items()}
    return Weights(start.forward, start.biases, feedback)


def responses(rates: dict[int, np.ndarray]) -> np.ndarray:
    """Mean response of every population around its stimulus, one after another."""
    return np.concatenate([aligned_mean(rate) for rate in rates.values()])


def widths(rates: dict[int, np.ndarray]) -> list[float]:
    """Full width at half maximum of the mean response of every population, in degrees."""
    return [tuning_width(aligned_mean(rate)) for rate in rates.values()]


PROTOCOL = Protocol(
    name="favila_tuning",
    question="Which feedback makes recall as broad as in visual cortex: pseudoinverse, transpose, or between?",
    parameters=TuningParameters,
    run=run,
    tiny={"layer_sizes": (24, 24, 24), "n_presentations": 2000, "sleep_learning_rate": 0.0035},
)

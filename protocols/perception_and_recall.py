"""What a hierarchy that learned in wake and sleep perceives, and what it recalls from its top state alone, in time.

Question
    In perception low-level features can be read from cortex before categories, in recall after them: information flows
    backwards (J. Linde-Domingo, M. S. Treder, C. Kerrén and M. Wimber, Nature Communications 10:179, 2019,
    doi:10.1038/s41467-018-08080-2). Does information climb the populations in perception and descend them in recall,
    where all that descends goes through feedback projections that were learned in sleep? And what does feedback
    reconstruct of an image?

Procedure
    The hierarchy learns by wake and sleep as in `wake_sleep_classification`, with feedback down to the input
    (settled: one step a presentation). With ``targets=class`` the top population has one neuron a class; with
    ``targets=class_and_features`` two more for each low-level feature of the image (`low_level_features`: ink, slant,
    width), which say whether it lies above or below the median of its class.

    Then nothing learns any more, and ``n_shown`` test images that it has not seen are presented in the leaky mode. In
    perception the image is held at the input, and activity climbs. In recall the top population is held at the rate at
    which it ended in perception, everything else begins at rest, and activity descends: h_{l-1} -> sigma(V_l h_l).
    In the control the entries of every V_l are shuffled first.

    Rates are read with noise, as recordings are: Gaussian, independent over stimuli, neurons and times, with a
    deviation of ``measurement_noise`` times that of the population's settled rates in perception. Decoders are fitted
    to the end of perception and applied, cross-validated over images, at every time of perception and recall
    (`analysis.decoding.predictions`): what counts as recalled is activity in the code of perception. Category is the
    class, low-level information the mean over the features of above or below the class median; the latter's labels are
    shuffled within classes. Information is there from the first time at which the accuracy exceeds what is exceeded
    anywhere in time with p < 0.05 when labels are shuffled (`analysis.decoding.threshold`); so it need not persist.

Measured, before learning and at each evaluation
    Error in the class; for each feedback projection, the relative error and the explained variance with which
    V_l a_l / g reconstructs the rates below (g: the gain of the sleep rule), and those of the image in the settled
    recall from each population.
    At the end, in ``decoding.nc``: accuracies, thresholds and latencies; in ``images.nc``: images recalled from each
    population, with feedback as before sleep (random) and after it.

Expected
    Latencies rise with the level in perception and fall in recall; with shuffled V nothing is recalled.
"""

from typing import Literal

import numpy as np
from pydantic import field_validator

from cortex_model.analysis.alignment import unstable_sleep
from cortex_model.analysis.decoding import INFORMATION, decoded_in_time, order_of_latencies
from cortex_model.analysis.image_features import above_class_median, low_level_features
from cortex_model.analysis.recall import reconstruction_measures, settled_recall, shuffled_feedback
from cortex_model.datasets.layer_sizes import check_layer_sizes
from cortex_model.errors import ParameterError
from cortex_model.parameters import Duration, LayerSizes, PositiveCount, Rate, parameter, with_default
from cortex_model.parameters.data import DataParameters
from cortex_model.protocol import Protocol, Run
from cortex_model.schedule import Stimuli, one_hot, wake_sleep_schedule
from cortex_model.system.arrays import write_arrays
from cortex_model.theory import hierarchy_response
from cortex_model.traces import check_traces, perception, recall
from cortex_model.weights import Weights, initial_weights

#: Measure -> (unit, dimension).
MEASURES = {
    "test_error_percent": ("percent", None),
    "wake_presentations": ("presentations", None),
    "sleep_presentations": ("presentations", None),
    "reconstruction_error": ("1", "feedback_projection"),
    "reconstruction_explained_variance": ("1", "feedback_projection"),
    "recall_error": ("1", "feedback_projection"),
    "recall_explained_variance": ("1", "feedback_projection"),
}
CONDITIONS = ("perception", "recall", "recall_with_shuffled_feedback")
#: Files that this protocol adds to its run directory.
DECODING, IMAGES = "decoding.nc", "images.nc"
#: Images that are kept as recalled, the first of each class.
N_IMAGES = 10


class RecallParameters(DataParameters):
    """Parameters of `perception_and_recall`."""

    layer_sizes: LayerSizes = with_default(DataParameters, "layer_sizes", (64, 48, 32, 16))
    feedback_to_input: Literal[True] = parameter(True, "V_1 exists: recall reaches the input")
    top: Literal["softmax", "sigmoid"] = parameter("sigmoid", "rate of the top population")
    learning_rate: Rate = with_default(DataParameters, "learning_rate", 0.05)
    damping: Rate = with_default(DataParameters, "damping", 10.0)
    sleep_learning_rate: Rate = with_default(DataParameters, "sleep_learning_rate", 0.002)
    sleep_before_presentations: int = with_default(DataParameters, "sleep_before_presentations", 2000)
    batch_size: PositiveCount = with_default(DataParameters, "batch_size", 10)
    time_step_ms: Duration = with_default(DataParameters, "time_step_ms", 1.0)
    presentation_ms: Duration = with_default(DataParameters, "presentation_ms", 60.0)
    forward_delay_ms: tuple[Rate, ...] = with_default(DataParameters, "forward_delay_ms", (2.0,))
    feedback_delay_ms: tuple[Rate, ...] = with_default(DataParameters, "feedback_delay_ms", (2.0,))

    targets: Literal["class", "class_and_features"] = parameter(
        "class_and_features", "what the top learns to say: the class, or also two neurons for each low-level feature"
    )
    epochs: PositiveCount = parameter(10, "times that every training image is presented in wake", "epochs")
    n_shown: PositiveCount = parameter(300, "images perceived and recalled in time", "images")
    measurement_noise: Rate = parameter(
        1.0, "deviation of the noise in rates that are decoded, relative to that of settled rates in perception"
    )

    @field_validator("dynamics")
    @classmethod
    def _of_rates(cls, dynamics: str) -> str:
        if dynamics == "spiking":
            raise ValueError(
                "must be settled or leaky in perception_and_recall (got spiking), because what feedback reconstructs "
                "is measured of rates; trace a run in spikes with cortex_model.traces.perception and recall."
            )
        return dynamics


def run(run: Run) -> dict:
    """Sleep and wake, perceive, recall, decode; see the top of this file."""
    p: RecallParameters = run.parameters
    data = p.data()
    if data.train.images.ndim != 3 or not data.n_classes:
        raise ParameterError(
            f"Parameters.dataset: must be grey images with classes (got {p.dataset_name}), whose features are decoded; "
            "choose another one."
        )
    train, test = data.stimuli(p.stimulus_scaling, p.dtype)
    wanted = [targets(images, data.n_classes, p.targets) for images in (data.train, data.test)]
    n_pixels, n_targets = data.train.n_pixels, wanted[0].shape[1]
    must = (
        f"must begin with {n_pixels} pixels and end with {n_targets} targets for dataset {p.dataset_name} and targets "
    )
    check_layer_sizes(p.layer_sizes, n_pixels, n_targets, f"{must}{p.targets}")
    n_train = len(train)
    check_traces(p, p.n_shown, round(p.presentation_ms / p.time_step_ms))
    schedule = wake_sleep_schedule(p, run.order_of_epoch(n_train), n_train, p.epochs * n_train, len(test), n_train)
    start = initial_weights(p, run.seed)
    shown, labels = test[: p.n_shown], data.test.labels[: p.n_shown]

    def measure(place, weights, rates):
        """One row: the hierarchy as it is at this place in the schedule."""
        for sentence in unstable_sleep(weights, p) if "sleep" in p.rule.phases else ():
            run.warn(sentence)
        answers = rates[:, : data.n_classes].argmax(axis=1)
        return {
            "test_error_percent": 100.0 * np.mean(answers != data.test.labels),
            "wake_presentations": schedule.n_presentations("wake", place),
            "sleep_presentations": schedule.n_presentations("sleep", place),
            **reconstruction_measures(weights, shown, p.nonlinearity, p.top, p.noise_gain),
        }

    run.simulate(schedule, Stimuli((train, wanted[0]), (test, wanted[1])), start, measure, MEASURES)
    keep_images(run, start, shown, labels)
    features = low_level_features(data.test.images[: p.n_shown])
    return summary(run, decoded(run, shown, labels, features))


def targets(images, n_classes: int, what: str) -> np.ndarray:
    """What the top population is to say: one neuron a class; with features, two more for each of them."""
    classes = one_hot(images.labels, n_classes)
    if what == "class":
        return classes
    above = [above_class_median(values, images.labels) for values in low_level_features(images.images).values()]
    return np.concatenate([classes, *(one_hot(its.astype(int), 2) for its in above)], axis=1)


def decoded(run: Run, shown: np.ndarray, labels: np.ndarray, features: dict[str, np.ndarray]) -> dict:
    """Perceive and recall in time, decode, and keep it all in ``decoding.nc``; what `decoded_in_time` returns."""
    p = run.parameters.with_overrides({"dynamics": "leaky", "feedback_onset_ms": 0.0, "batch_size": 20})
    run.report(0, 0, "perception and recall")
    perceived = perception(p, run.weights, shown, device=run.device)
    states = perceived[f"rate_{p.n_layers}"].values[:, -1]
    traces = {"perception": perceived, "recall": recall(p, run.weights, states, device=run.device)}
    control = shuffled_feedback(run.weights, run.seed)
    traces["recall_with_shuffled_feedback"] = recall(p, control, states, device=run.device)
    times = 1000 * perceived["time"].values
    rates = {
        name: {level: its[f"rate_{level}"].values for level in range(p.n_layers + 1)} for name, its in traces.items()
    }
    results = decoded_in_time(
        rates,
        labels,
        {name: above_class_median(values, labels) for name, values in features.items()},
        times,
        fitted_to="perception",
        noise=p.measurement_noise,
        seed=run.seed,
    )
    dims = ["condition", "information", "population"]
    write_arrays(
        run.directory.path / DECODING,
        {
            "accuracy": ([*dims, "time"], results["accuracy"], "1"),
            "threshold": (dims, results["threshold"], "1"),
            "latency_ms": (dims, results["latency"], "ms"),
            "time_ms": (["time"], times, "ms"),
        },
        {"conditions": ", ".join(CONDITIONS), "information": ", ".join(INFORMATION)},
    )
    return results


def keep_images(run: Run, start: Weights, shown: np.ndarray, labels: np.ndarray) -> None:
    """Keep in ``images.nc`` the first image of each class, and what is recalled of it from each population.

    ``before`` is recalled through the random feedback with which the run began, ``after`` through the learned one;
    the forward weights, and so the rates that are held, are those of the end. Of the former, errors are kept too.
    """
    p, levels = run.parameters, range(1, run.parameters.n_layers + 1)
    before = Weights(run.weights.forward, run.weights.biases, start.feedback)
    first = [int(np.flatnonzero(labels == label)[0]) for label in np.unique(labels)[:N_IMAGES]]
    stimuli = shown[first].astype(float).T
    rates = hierarchy_response(before.forward, before.biases, stimuli, p.nonlinearity, p.top)[1]
    arrays = {"stimulus": (["image", "pixel"], stimuli.T, "1")}
    for when, weights in (("before", before), ("after", run.weights)):
        images = [settled_recall(weights.feedback, rates[l], l, p.nonlinearity)[0].T for l in levels]
        arrays[when] = (["population", "image", "pixel"], np.array(images), "1")
    for name, values in reconstruction_measures(before, shown, p.nonlinearity, p.top).items():
        arrays[f"{name}_before"] = (["feedback_projection"], np.array(values), "1")
    write_arrays(run.directory.path / IMAGES, arrays, {"description": "images recalled from populations 1 ... L"})


def summary(run: Run, results: dict[str, np.ndarray]) -> dict:
    """The numbers that matter; latencies in ms, None where information never appears."""
    p, rows = run.parameters, {name: values for name, (_, values, _) in run.measures.items()}
    latencies = {}
    for row, condition in enumerate(CONDITIONS):
        free = slice(1, None) if condition == "perception" else slice(0, -1)
        for column, information in enumerate(INFORMATION):
            its = results["latency"][row, column]
            key = f"{condition}_{information}"
            latencies[f"latency_{key}_ms"] = [None if np.isnan(value) else value for value in its.tolist()]
            latencies[f"order_{key}"] = _or_none(order_of_latencies(its[free]))
    return {
        "learning_rule": p.learning_rule,
        "dataset": p.dataset_name,
        "layer_sizes": list(p.layer_sizes),
        "damping": p.damping,
        "final_test_error_percent": round(float(rows["test_error_percent"][-1]), 4),
        **{name: np.round(rows[name][-1], 4).tolist() for name in MEASURES if MEASURES[name][1]},
        **latencies,
        "weights_sha256": run.weights.sha256,
    }


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else value


PROTOCOL = Protocol(
    name="perception_and_recall",
    question="Does information climb a hierarchy in perception and descend it in recall, through learned feedback?",
    parameters=RecallParameters,
    run=run,
    tiny={
        "layer_sizes": (64, 16, 16),
        "epochs": 12,
        "batch_size": 100,
        "learning_rate": 0.4,
        "sleep_learning_rate": 0.004,
        "presentation_ms": 40.0,
        "feedback_onset_ms": 20.0,
        "n_shown": 200,
    },
)

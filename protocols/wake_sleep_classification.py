"""Wake and sleep on a classification task (the paper's Fig. 2B).

Question
    Does feedback that was learned in sleep carry the output error well enough to train a hierarchy, and in
    fewer presentations than random feedback?

Procedure
    Forward and feedback weights start from independent random numbers. Stimuli are presented one at a time, in a
    new order each epoch; after each, the output error travels down the feedback projections and every forward
    synapse changes by what it can see (`weight_update`). Between wake presentations the hierarchy sleeps
    (``sleep_per_wake``): noise takes the place of the rates and feedback synapses learn by `feedback_update`.

Measured, before learning and at each evaluation
    Loss on the first 2000 training images. Error and loss on all test images (with ``validation_images`` above 0:
    on training images held back, so
    that a setting can be chosen without seeing the test set); angles of each V to W^+, W^T and the fixed point
    of its sleep rule; Penrose residuals, condition numbers, drift of W, the error with which feedback reconstructs
    rates; angles of each hidden population's update to those of backpropagation and of (damped) Gauss-Newton.
"""

from typing import Literal

import numpy as np

from cortex_model import datasets, theory
from cortex_model.analysis.alignment import unstable_sleep
from cortex_model.analysis.cost import cost
from cortex_model.analysis.hierarchy import HIERARCHY_MEASURES, hierarchy_measures
from cortex_model.analysis.loss import mean_loss
from cortex_model.datasets.layer_sizes import check_layer_sizes
from cortex_model.parameters import Count, PositiveCount, Rate, SleepWakeParameters, parameter, with_default
from cortex_model.protocol import Protocol, Run
from cortex_model.schedule import Stimuli, one_hot, wake_sleep_schedule
from cortex_model.state.philox import order_of_stimuli
from cortex_model.weights import initial_weights

#: Measure -> (unit, dimension).
MEASURES = {
    "test_error_percent": ("percent", None),
    "test_loss": ("nat", None),
    "training_loss": ("nat", None),
    "wake_presentations": ("presentations", None),
    "sleep_presentations": ("presentations", None),
    **HIERARCHY_MEASURES,
}
#: Evaluated stimuli over which reconstruction and updates are measured, and training stimuli for the training loss.
N_LOOKED_AT, N_TRAINING_LOOKED_AT = 200, 2000


class ClassificationParameters(SleepWakeParameters):
    """Parameters of `wake_sleep_classification`.

    Scaling, rates, damping and the amount of sleep were chosen on the last 10 000 training images of MNIST
    (784-256-256-10, two epochs, tanh and threshold-linear); ``damping=0`` is the bare pseudoinverse of the paper.
    """

    learning_rate: Rate = with_default(SleepWakeParameters, "learning_rate", 0.003)
    damping: Rate = with_default(SleepWakeParameters, "damping", 10.0)
    sleep_learning_rate: Rate = with_default(SleepWakeParameters, "sleep_learning_rate", 5e-5)
    sleep_per_wake: Rate = with_default(SleepWakeParameters, "sleep_per_wake", 1.0)

    dataset: Literal[tuple(datasets.DATASETS)] = parameter("digits", "images and their classes")
    stimulus_scaling: Literal["unit", "signed", "standardised"] = parameter(
        "standardised", "pixels as rates: 0 to 1, -1 to 1, or mean 0 and deviation 1 over the training set"
    )
    epochs: PositiveCount = parameter(20, "times that every training image is presented in wake", "epochs")
    evaluate_every_presentations: Count = parameter(
        0, "wake presentations between two evaluations; 0: once an epoch", "presentations"
    )
    evaluate_early_every_presentations: Count = parameter(
        0, "wake presentations between two more evaluations until the first of the above; 0: none", "presentations"
    )
    validation_images: Count = parameter(
        0, "training images held back and evaluated instead of the test images", "images"
    )


def run(run: Run) -> dict:
    """Sleep, wake, evaluate; see the top of this file."""
    p: ClassificationParameters = run.parameters
    data = datasets.load(p.dataset, validation=p.validation_images)
    n_pixels, n_classes = data.train.n_pixels, data.n_classes
    must = f"must begin with {n_pixels} pixels and end with {n_classes} classes for dataset {p.dataset}"
    check_layer_sizes(p.layer_sizes, n_pixels, n_classes, must)
    train, test = data.stimuli(p.stimulus_scaling, p.dtype)
    targets = one_hot(data.train.labels, data.n_classes), one_hot(data.test.labels, data.n_classes)
    n_train, n_test = len(train), len(test)
    schedule = wake_sleep_schedule(
        p,
        lambda epoch: order_of_stimuli(run.seed, epoch, n_train),
        n_train,
        p.epochs * n_train,
        n_test,
        p.evaluate_every_presentations or n_train,
        p.evaluate_early_every_presentations,
    )
    start = initial_weights(p, run.seed)
    shown, wanted = test[:N_LOOKED_AT], targets[1][:N_LOOKED_AT]

    def measure(place, weights, rates):
        """One row: the hierarchy as it is at this place in the schedule."""
        target = targets[1]
        for sentence in unstable_sleep(weights, p) if "sleep" in p.rule.phases else ():
            run.warn(sentence)
        return {
            "test_error_percent": 100.0 * np.mean(rates.argmax(axis=1) != data.test.labels),
            "test_loss": theory.output_loss(rates.T.astype(float), target.T, p.top) / n_test,
            "training_loss": mean_loss(weights, train[:N_TRAINING_LOOKED_AT], targets[0][:N_TRAINING_LOOKED_AT], p),
            "wake_presentations": schedule.n_presentations("wake", place),
            "sleep_presentations": schedule.n_presentations("sleep", place),
            **hierarchy_measures(weights, start, shown, wanted, p),
        }

    seconds = run.simulate(schedule, Stimuli((train, targets[0]), (test, targets[1])), start, measure, MEASURES)
    return summary(run, schedule, seconds)


def summary(run: Run, schedule, seconds: float) -> dict:
    """The numbers that matter: error at each evaluation, alignment and reconstruction at the last."""
    p, rows = run.parameters, {name: values for name, (_, values, _) in run.measures.items()}
    errors = [round(float(error), 4) for error in rows["test_error_percent"]]
    last = {
        name: [round(float(v), 4) for v in rows[name][-1]]
        for name in (
            "alignment_angle_to_pseudoinverse_degrees",
            "alignment_angle_to_transpose_degrees",
            "alignment_angle_to_fixed_point_degrees",
            "reconstruction_error",
            "update_angle_to_backpropagation_degrees",
            "update_angle_to_gauss_newton_degrees",
        )
        if name in rows
    }
    return {
        "learning_rule": p.learning_rule,
        "dataset": p.dataset,
        "layer_sizes": list(p.layer_sizes),
        "epochs": p.epochs,
        "test_error_percent": errors,
        "final_test_error_percent": errors[-1],
        "evaluated_at_presentations": [int(n) for n in rows["wake_presentations"]],
        **last,
        **cost(schedule, p),
        "microseconds_per_presentation": round(1e6 * seconds / schedule.n_presentations(), 2),
        "weights_sha256": run.weights.sha256,
    }


PROTOCOL = Protocol(
    name="wake_sleep_classification",
    question="Does feedback learned in sleep train a hierarchy, in fewer presentations than random feedback?",
    parameters=ClassificationParameters,
    run=run,
    tiny={"layer_sizes": (64, 6, 10), "epochs": 1, "batch_size": 20, "chunk_presentations": 50},
)

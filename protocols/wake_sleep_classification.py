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

import numpy as np

from cortex_model import theory
from cortex_model.datasets.layer_sizes import check_layer_sizes
from cortex_model.errors import ParameterError
from cortex_model.experiments import learning
from cortex_model.parameters import Count, PositiveCount, Rate, parameter, with_default
from cortex_model.parameters.data import DataParameters
from cortex_model.protocol import Protocol, Run

#: Measure -> (unit, dimension).
MEASURES = {
    "test_error_percent": ("percent", None),
    **learning.MEASURES,
    **dict.fromkeys(("test_loss", "training_loss"), ("nat", None)),
}


class ClassificationParameters(DataParameters):
    """Parameters of `wake_sleep_classification`.

    Scaling, rates, damping and the amount of sleep were chosen on the last 10 000 training images of MNIST
    (784-256-256-10, two epochs, tanh and threshold-linear); ``damping=0`` is the bare pseudoinverse of the paper.
    """

    learning_rate: Rate = with_default(DataParameters, "learning_rate", 0.003)
    damping: Rate = with_default(DataParameters, "damping", 10.0)
    sleep_learning_rate: Rate = with_default(DataParameters, "sleep_learning_rate", 5e-5)
    sleep_per_wake: Rate = with_default(DataParameters, "sleep_per_wake", 1.0)

    epochs: PositiveCount = parameter(20, "times that every training image is presented in wake", "epochs")
    evaluate_every_presentations: Count = parameter(
        0, "wake presentations between two evaluations; 0: once an epoch", "presentations"
    )
    evaluate_early_every_presentations: Count = parameter(
        0, "wake presentations between two more evaluations until the first of the above; 0: none", "presentations"
    )


def run(run: Run) -> dict:
    """Sleep, wake, evaluate; see the top of this file."""
    p: ClassificationParameters = run.parameters
    data = p.data()
    if not data.n_classes:
        raise ParameterError(
            f"Parameters.dataset: must have classes (got {p.dataset_name} with target rates); use the protocol "
            "wake_sleep_regression."
        )
    for note in data.notes:
        run.warn(note)
    n_pixels, n_classes = data.train.n_pixels, data.n_classes
    must = f"must begin with {n_pixels} pixels and end with {n_classes} classes for dataset {p.dataset_name}"
    check_layer_sizes(p.layer_sizes, n_pixels, n_classes, must)
    train, test = data.stimuli(p.stimulus_scaling, p.dtype)
    labels, targets = data.test.labels, data.targets()

    def measured(rates):
        return {
            "test_error_percent": 100.0 * np.mean(rates.argmax(axis=1) != labels),
            "test_loss": theory.output_loss(rates.T.astype(float), targets[1].T, p.output) / len(test),
        }

    schedule, seconds = learning.learn(run, (train, targets[0]), (test, targets[1]), measured, MEASURES)
    return summary(run, schedule, seconds)


def summary(run: Run, schedule, seconds: float) -> dict:
    """The numbers that matter: error at each evaluation, alignment and reconstruction at the last."""
    p, rows = run.parameters, {name: values for name, (_, values, _) in run.measures.items()}
    errors = [round(float(error), 4) for error in rows["test_error_percent"]]
    return {
        "learning_rule": p.learning_rule,
        "dataset": p.dataset_name,
        "layer_sizes": list(p.layer_sizes),
        "epochs": p.epochs,
        "test_error_percent": errors,
        "final_test_error_percent": errors[-1],
        "evaluated_at_presentations": [int(n) for n in rows["wake_presentations"]],
        **learning.last_angles(rows),
        **learning.spikes_per_presentation(rows, "wake", schedule.n_presentations("wake")),
        **learning.cost_of(run, schedule),
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

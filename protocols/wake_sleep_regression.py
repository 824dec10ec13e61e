"""Wake and sleep on target rates of your own, instead of classes.

Question
    How well does a hierarchy whose feedback was learned in sleep predict several continuous quantities at once?

Procedure
    That of `wake_sleep_classification`, with a linear top population and the target rates of the dataset. The dataset
    is your own: an array ``targets`` beside ``stimuli``, or columns whose names begin with ``target``. Of a dataset
    with classes they are 1 for a stimulus's own class and 0 for the others.

Measured, before learning and at each evaluation
    Squared error of the rates on the test stimuli, also in percent of the targets' own variance around the mean target
    of training: 0 is perfect, 100 is what the mean would reach. What `cortex_model.analysis.hierarchy` lists.
"""

from typing import Literal

import numpy as np

from cortex_model.datasets.layer_sizes import check_layer_sizes
from cortex_model.experiments import learning
from cortex_model.language.nonlinearities import TOPS
from cortex_model.parameters import Count, PositiveCount, Rate, parameter, with_default
from cortex_model.parameters.data import DataParameters
from cortex_model.protocol import Protocol, Run

#: Measure -> (unit, dimension).
MEASURES = {"test_loss": ("1", None), "unexplained_percent": ("percent", None), **learning.MEASURES}


class RegressionParameters(DataParameters):
    """Parameters of `wake_sleep_regression`."""

    learning_rate: Rate = with_default(DataParameters, "learning_rate", 0.003)
    damping: Rate = with_default(DataParameters, "damping", 10.0)
    sleep_learning_rate: Rate = with_default(DataParameters, "sleep_learning_rate", 5e-5)
    top: Literal[tuple(TOPS)] = with_default(DataParameters, "top", "linear")
    epochs: PositiveCount = parameter(20, "times that every training stimulus is presented in wake", "epochs")
    evaluate_every_presentations: Count = parameter(
        0, "wake presentations between two evaluations; 0: once an epoch", "presentations"
    )


def run(run: Run) -> dict:
    """Sleep, wake, evaluate; see the top of this file."""
    p: RegressionParameters = run.parameters
    data = p.data()
    for note in data.notes:
        run.warn(note)
    (train, test), targets = data.stimuli(p.stimulus_scaling, p.dtype), data.targets()
    n_elements, n_targets = data.train.n_pixels, targets[0].shape[1]
    must = f"must begin with {n_elements} elements and end with {n_targets} targets for dataset {p.dataset_name}"
    check_layer_sizes(p.layer_sizes, n_elements, n_targets, must)
    variance = float(np.square(targets[1] - targets[0].mean(axis=0)).sum(axis=1).mean())

    def measured(rates):
        squared = float(np.square(rates.astype(float) - targets[1]).sum(axis=1).mean())
        return {"test_loss": squared / 2, "unexplained_percent": 100 * squared / variance}

    schedule, seconds = learning.learn(run, (train, targets[0]), (test, targets[1]), measured, MEASURES)
    rows = {name: values for name, (_, values, _) in run.measures.items()}
    return {
        "learning_rule": p.learning_rule,
        "dataset": p.dataset_name,
        "targets": "classes" if data.n_classes else "rates",
        "layer_sizes": list(p.layer_sizes),
        "epochs": p.epochs,
        "unexplained_percent": np.round(rows["unexplained_percent"], 4).tolist(),
        "final_unexplained_percent": round(float(rows["unexplained_percent"][-1]), 4),
        **learning.last_angles(rows),
        **learning.spikes_per_presentation(rows, "wake", schedule.n_presentations("wake")),
        **learning.cost_of(run, schedule),
        "microseconds_per_presentation": round(1e6 * seconds / schedule.n_presentations(), 2),
        "weights_sha256": run.weights.sha256,
    }


PROTOCOL = Protocol(
    name="wake_sleep_regression",
    question="How well does a hierarchy with learned feedback predict continuous quantities of your own data?",
    parameters=RegressionParameters,
    run=run,
    tiny={"layer_sizes": (64, 6, 10), "epochs": 1, "batch_size": 20, "chunk_presentations": 50},
)

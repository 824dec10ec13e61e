"""Wake and sleep on an autoencoding task: every image is its own target.

Question
    Is there a task on which feedback by learned pseudoinverses trains in fewer presentations than backpropagation,
    as a Newton-like rule might?

Procedure
    That of `wake_sleep_classification`, with a linear top population as large as the input and the image itself as
    its target. A narrow population in the middle makes the task ill-conditioned for gradient descent (G. E. Hinton
    and R. R. Salakhutdinov, Science 313, 2006; J. Martens, ICML 2010).

Measured, before learning and at each evaluation
    Squared error per image on the first 2000 training images and on evaluated images, the latter also in percent of
    the images' own variance; what `cortex_model.analysis.hierarchy` lists.
"""

from typing import Literal

import numpy as np

from cortex_model import datasets
from cortex_model.analysis.alignment import unstable_sleep
from cortex_model.analysis.cost import cost
from cortex_model.analysis.hierarchy import HIERARCHY_MEASURES, hierarchy_measures
from cortex_model.analysis.loss import mean_loss
from cortex_model.datasets.layer_sizes import check_layer_sizes
from cortex_model.parameters import Count, LayerSizes, PositiveCount, SleepWakeParameters, parameter, with_default
from cortex_model.protocol import Protocol, Run
from cortex_model.schedule import Stimuli, wake_sleep_schedule
from cortex_model.state.philox import order_of_stimuli
from cortex_model.weights import initial_weights

#: Measure -> (unit, dimension).
MEASURES = {
    "training_loss": ("1", None),
    "test_loss": ("1", None),
    "unexplained_percent": ("percent", None),
    "wake_presentations": ("presentations", None),
    "sleep_presentations": ("presentations", None),
    **HIERARCHY_MEASURES,
}
#: Images whose updates (Gauss-Newton costs a Jacobian as tall as the image for each), training loss and evaluation are
#: looked at.
N_LOOKED_AT, N_TRAINING_LOOKED_AT, N_EVALUATED = 40, 2000, 2000


class AutoencodingParameters(SleepWakeParameters):
    """Parameters of `wake_sleep_autoencoding`."""

    layer_sizes: LayerSizes = with_default(SleepWakeParameters, "layer_sizes", (64, 48, 12, 48, 64))
    top: Literal["linear"] = parameter("linear", "rate of the top population")
    dataset: Literal[tuple(datasets.DATASETS)] = parameter("digits", "images to be reproduced")
    stimulus_scaling: Literal["unit", "signed", "standardised"] = parameter(
        "unit", "pixels as rates: 0 to 1, -1 to 1, or mean 0 and deviation 1 over the training set"
    )
    epochs: PositiveCount = parameter(10, "times that every training image is presented in wake", "epochs")
    evaluate_every_presentations: Count = parameter(
        0, "wake presentations between two evaluations; 0: once an epoch", "presentations"
    )
    validation_images: Count = parameter(
        0, "training images held back and evaluated instead of the test images", "images"
    )


def run(run: Run) -> dict:
    """Sleep, wake, evaluate; see the top of this file."""
    p: AutoencodingParameters = run.parameters
    data = datasets.load(p.dataset, validation=p.validation_images)
    n_pixels = data.train.n_pixels
    must = f"must begin and end with the {n_pixels} pixels of dataset {p.dataset}"
    check_layer_sizes(p.layer_sizes, n_pixels, n_pixels, must)
    train, test = data.stimuli(p.stimulus_scaling, p.dtype)
    test = test[:N_EVALUATED]
    n_train, variance = len(train), float(np.square(test - train.mean(axis=0)).sum(axis=1).mean())
    schedule = wake_sleep_schedule(
        p,
        lambda epoch: order_of_stimuli(run.seed, epoch, n_train),
        n_train,
        p.epochs * n_train,
        len(test),
        p.evaluate_every_presentations or n_train,
    )
    start = initial_weights(p, run.seed)
    shown, trained = test[:N_LOOKED_AT], train[:N_TRAINING_LOOKED_AT]

    def measure(place, weights, rates):
        """One row: the hierarchy as it is at this place in the schedule."""
        for sentence in unstable_sleep(weights, p) if "sleep" in p.rule.phases else ():
            run.warn(sentence)
        squared = float(np.square(rates.astype(float) - test).sum(axis=1).mean())
        return {
            "training_loss": mean_loss(weights, trained, trained, p),
            "test_loss": squared / 2,
            "unexplained_percent": 100 * squared / variance,
            "wake_presentations": schedule.n_presentations("wake", place),
            "sleep_presentations": schedule.n_presentations("sleep", place),
            **hierarchy_measures(weights, start, shown, shown, p),
        }

    seconds = run.simulate(schedule, Stimuli((train, train), (test, test)), start, measure, MEASURES)
    last = {name: values[-1].tolist() for name, (_, values, _) in run.measures.items()}
    return {
        "learning_rule": p.learning_rule,
        "dataset": p.dataset,
        "layer_sizes": list(p.layer_sizes),
        "unexplained_percent": run.measures["unexplained_percent"][1].tolist(),
        "final": last,
        **cost(schedule, p),
        "microseconds_per_presentation": round(1e6 * seconds / schedule.n_presentations(), 2),
        "weights_sha256": run.weights.sha256,
    }


PROTOCOL = Protocol(
    name="wake_sleep_autoencoding",
    question="Is there a task on which learned reciprocal feedback needs fewer presentations than backpropagation?",
    parameters=AutoencodingParameters,
    run=run,
    tiny={"layer_sizes": (64, 6, 64), "epochs": 1, "batch_size": 20, "chunk_presentations": 50},
)

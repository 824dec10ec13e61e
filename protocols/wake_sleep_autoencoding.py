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

from cortex_model.datasets import SCALINGS
from cortex_model.datasets.layer_sizes import check_layer_sizes
from cortex_model.experiments import learning
from cortex_model.parameters import Count, LayerSizes, PositiveCount, parameter, with_default
from cortex_model.parameters.data import DataParameters
from cortex_model.protocol import Protocol, Run

#: Measure -> (unit, dimension).
MEASURES = {"test_loss": ("1", None), "unexplained_percent": ("percent", None), **learning.MEASURES}
#: Images whose updates (Gauss-Newton costs a Jacobian as tall as the image for each) and evaluation are looked at.
N_LOOKED_AT, N_EVALUATED = 40, 2000


class AutoencodingParameters(DataParameters):
    """Parameters of `wake_sleep_autoencoding`."""

    layer_sizes: LayerSizes = with_default(DataParameters, "layer_sizes", (64, 48, 12, 48, 64))
    top: Literal["linear"] = parameter("linear", "rate of the top population")
    stimulus_scaling: Literal[tuple(SCALINGS)] = with_default(DataParameters, "stimulus_scaling", "unit")
    epochs: PositiveCount = parameter(10, "times that every training image is presented in wake", "epochs")
    evaluate_every_presentations: Count = parameter(
        0, "wake presentations between two evaluations; 0: once an epoch", "presentations"
    )


def run(run: Run) -> dict:
    """Sleep, wake, evaluate; see the top of this file."""
    p: AutoencodingParameters = run.parameters
    data = p.data()
    for note in data.notes:
        run.warn(note)
    n_pixels = data.train.n_pixels
    must = f"must begin and end with the {n_pixels} pixels of dataset {p.dataset_name}"
    check_layer_sizes(p.layer_sizes, n_pixels, n_pixels, must)
    train, test = data.stimuli(p.stimulus_scaling, p.dtype)
    test = test[:N_EVALUATED]
    variance = float(np.square(test - train.mean(axis=0)).sum(axis=1).mean())

    def measured(rates):
        squared = float(np.square(rates.astype(float) - test).sum(axis=1).mean())
        return {"test_loss": squared / 2, "unexplained_percent": 100 * squared / variance}

    schedule, seconds = learning.learn(run, (train, train), (test, test), measured, MEASURES, N_LOOKED_AT)
    last = {name: values[-1].tolist() for name, (_, values, _) in run.measures.items()}
    return {
        "learning_rule": p.learning_rule,
        "dataset": p.dataset_name,
        "layer_sizes": list(p.layer_sizes),
        "unexplained_percent": run.measures["unexplained_percent"][1].tolist(),
        "final": last,
        **learning.cost_of(run, schedule),
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

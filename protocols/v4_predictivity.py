"""Hierarchies trained by the rules, layer by layer against units of macaque V4.

Question
    Do the populations of a hierarchy that learned by the reciprocal rule predict V4 better than those of one that
    learned by backpropagation, or by random feedback, or than those of one that did not learn at all?

Recording
    Cowley et al. (2023), session 210325 (``recording``): spike counts of 50 units of area V4 of an awake macaque in
    100 ms, 640 photographs and textures of 112 x 112 pixels, each shown 6 to 10 times. As published, every repeat.

Procedure
    A hierarchy of 3072-1000-500-100-10 neurons learns to classify CIFAR-10 as in `wake_sleep_classification`, whose run
    with the same parameters, seed and device is made in the same folder if it is not there. Then nothing learns any
    more. The images are resized to 32 x 32 pixels by averaging areas and scaled with the mean and deviation of the
    training images. From the rates of each population, and from what feedback reconstructs of it (r_{l-1} = V_l a_l),
    a linear map to each unit is fitted on four fifths of the images and predicts the other fifth (`predictivity`):
    ridge regression, its penalty chosen within the images that are fitted, or partial least squares (``metric``).

Measured
    The median over units of Pearson's r between predicted and mean response, averaged over the five parts and divided
    by the square root of the unit's split-half reliability (Spearman-Brown, 100 random halves); for each population
    and reconstruction, for the same hierarchy with the weights it began with, for pixels and Gabor energies, and with
    the images shuffled. Intervals: units are resampled ``n_resamples`` times, the same resamples in every run.

Expected
    Nothing is known of these rules. V4 units are predicted better by trained convolutional networks than by models of
    V1 (Yamins et al. 2014; Cowley et al. 2023); a fully connected hierarchy on 32 x 32 pixels may not reach the latter.
"""

from typing import Literal

from cortex_model import datasets
from cortex_model.analysis.comparison import compare, prefix_of
from cortex_model.experiments.comparing import starting_weights
from cortex_model.experiments.settings import SHARED
from cortex_model.parameters import Count, PositiveCount, parameter, with_defaults
from cortex_model.protocol import Protocol, Run, load_protocol
from cortex_model.runs.running import beside

TRAINING = "wake_sleep_classification"
TRAINED = with_defaults(load_protocol(TRAINING).parameters, SHARED["cifar10"] | {"epochs": 3, "learning_rate": 0.1})


class V4PredictivityParameters(TRAINED):
    """Parameters of `v4_predictivity`: of the training (`cortex_model.experiments.settings`), and of the comparison."""

    recording: str = parameter("v4", "v4, v4:SESSION, or a recording.toml of responses of one's own")
    metric: Literal["ridge", "pls"] = parameter("ridge", "regression from a population to each unit")
    n_resamples: PositiveCount = parameter(1000, "resamples of units", "resamples")
    comparison_seed: Count = parameter(0, "seed of parts, halves and resamples; the same in runs to be compared")


def run(run: Run) -> dict:
    """Train, show the images, predict each unit; see the top of this file."""
    p: V4PredictivityParameters = run.parameters
    recording = datasets.load_recording(p.recording)
    trained = beside(run, TRAINING)
    run.weights, start = trained.weights(), starting_weights(trained, p)
    comparison = compare(run.weights, start, p, recording, p.metric, p.n_resamples, p.comparison_seed, run.report)
    prefix = prefix_of(recording)
    run.measures |= comparison.as_arrays(prefix)
    return {
        "learning_rule": p.learning_rule,
        "dataset": p.dataset_name,
        "final_test_error_percent": trained.summary()["final_test_error_percent"],
        **comparison.in_short(prefix),
        "weights_sha256": run.weights.sha256,
    }


PROTOCOL = Protocol(
    name="v4_predictivity",
    question="Does a hierarchy that learned by the reciprocal rule predict units of macaque V4 better than others?",
    parameters=V4PredictivityParameters,
    run=run,
    tiny={
        "recording": "synthetic_responses",
        "dataset": "digits",
        "layer_sizes": (64, 6, 10),
        "epochs": 1,
        "batch_size": 20,
        "sleep_before_presentations": 0,
        "chunk_presentations": 50,
        "n_resamples": 5,
    },
)

"""Hierarchies trained by the rules, layer by layer against human and monkey inferior temporal cortex (IT).

Question
    Is a hierarchy that learned by the reciprocal rule closer to IT than one that learned by backpropagation, or by
    random feedback, or than one that did not learn at all?

Recordings
    Kriegeskorte et al. (2008): 92 coloured photographs of objects on grey. Human IT: four people, 316 voxels, two fMRI
    sessions each, which are averaged; one representational dissimilarity matrix (RDM, 1 - r) a person. Monkey IT: 674
    neurons of two animals; one RDM. As published, with the published model RDMs (``datasets.published_recordings``).

Procedure
    A hierarchy of 3072-1000-500-100-10 neurons learns to classify CIFAR-10 as in `wake_sleep_classification`, whose run
    with the same parameters, seed and device is made in the same folder if it is not there. Then nothing learns any
    more. The 92 images are resized to 32 x 32 pixels by averaging areas and scaled with the mean and deviation of the
    training images. The rates of each population, and what feedback reconstructs of it (r_{l-1} = V_l a_l), give an
    RDM, 1 - r over neurons. It is compared with the RDM of each subject.

Measured
    The mean over subjects of Spearman's rho (or ``metric``) of the two RDMs, for each population and reconstruction;
    for the same hierarchy with the weights it began with; for pixels, Gabor energies and the published RDMs. Noise
    ceiling: each person against the mean of the others, and of all. Intervals: stimuli and people are resampled
    ``n_resamples`` times, the same resamples in every run (``comparison_seed``): differences of rules are paired.

Expected
    Nothing is known of these rules. Convolutional networks trained on a thousand classes come near the ceiling
    (Khaligh-Razavi & Kriegeskorte 2014); a small fully connected one on ten classes of 32 x 32 pixels should stay far
    below it, and differences between rules may be smaller than the data can show.
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


class CorticalRSAParameters(TRAINED):
    """Parameters of `cortical_rsa`: of the training (`cortex_model.experiments.settings`), and of the comparison."""

    recordings: tuple[str, ...] = parameter(
        ("human_it", "monkey_it"), "published recordings of RDMs by name, or recording.toml files of one's own"
    )
    metric: Literal["spearman", "kendall_tau_a", "corrected_cosine"] = parameter(
        "spearman", "how RDMs are compared, by rsatoolbox"
    )
    n_resamples: PositiveCount = parameter(500, "resamples of stimuli and subjects", "resamples")
    comparison_seed: Count = parameter(0, "seed of the resamples; the same in runs that are to be compared")


def run(run: Run) -> dict:
    """Train, show the images, compare; see the top of this file."""
    p: CorticalRSAParameters = run.parameters
    recordings = [datasets.load_recording(name) for name in p.recordings]
    trained = beside(run, TRAINING)
    run.weights, start = trained.weights(), starting_weights(trained, p)
    summary = {
        "learning_rule": p.learning_rule,
        "dataset": p.dataset_name,
        "final_test_error_percent": trained.summary()["final_test_error_percent"],
    }
    for recording in recordings:
        comparison = compare(run.weights, start, p, recording, p.metric, p.n_resamples, p.comparison_seed, run.report)
        prefix = prefix_of(recording)
        run.measures |= comparison.as_arrays(prefix)
        summary |= comparison.in_short(prefix)
    return summary | {"weights_sha256": run.weights.sha256}


PROTOCOL = Protocol(
    name="cortical_rsa",
    question="Is a hierarchy that learned by the reciprocal rule closer to inferior temporal cortex than others?",
    parameters=CorticalRSAParameters,
    run=run,
    tiny={
        "recordings": ("synthetic_rdms",),
        "dataset": "digits",
        "layer_sizes": (64, 6, 10),
        "epochs": 1,
        "batch_size": 20,
        "sleep_before_presentations": 0,
        "chunk_presentations": 50,
        "n_resamples": 5,
    },
)

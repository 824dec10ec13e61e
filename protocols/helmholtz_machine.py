"""A Helmholtz machine learns to produce images by wake and sleep (Hinton, Dayan, Frey & Neal 1995).

Question
    Can feedback that learns in wake, and perception that learns in dreams, come to produce images like those seen,
    with neither an error that travels nor a target?

Procedure
    Images are made of bits: a pixel is on above ``pixel_threshold``. Forward and feedback weights start from small
    independent random numbers, the prior c_0 of each pixel from how often it is on. A batch of images is shown, each
    unit draws its state from what is below, and feedback learns to expect what was found; then as many dreams are
    drawn from the top down, and forward weights learn to recognise what was dreamed.

Measured on test images, before learning and at each evaluation
    The variational free energy, and the negative log likelihood by importance sampling, in nats an image, from the same
    ``likelihood_samples`` states an image, drawn by recognition (`cortex_model.theory.helmholtz_machine`); beside them
    the likelihood where each pixel is on by itself, as often as in training. With ``validation_images`` above 0 all of
    it is on training images held back. At the end, in ``dreams.nc``: dreams, images of independent pixels and test
    images, each with the bits by which it differs from the nearest training image.

Expected
    The free energy begins above that of independent pixels, crosses it within some epochs, and goes on to fall. It is
    above the negative log likelihood by the divergence of what is recognised from what produced the image. Dreams are
    nearer to training images than independent pixels are, and farther than test images.
"""

from collections.abc import Iterable
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import AfterValidator, Field

from cortex_model.analysis.cost import cost
from cortex_model.datasets import SCALINGS
from cortex_model.datasets.layer_sizes import check_layer_sizes
from cortex_model.errors import ParameterError
from cortex_model.parameters import (
    Count,
    LayerSizes,
    LearningRule,
    Number,
    PositiveCount,
    Rate,
    parameter,
    with_default,
)
from cortex_model.parameters.data import DataParameters
from cortex_model.protocol import Protocol, Run
from cortex_model.schedule import Stimuli, wake_sleep_schedule
from cortex_model.system.arrays import write_arrays
from cortex_model.theory import helmholtz_machine as theory
from cortex_model.weights import Weights, initial_weights

#: Measure -> (unit, dimension).
MEASURES = {
    **dict.fromkeys(("free_energy_nats", "negative_log_likelihood_nats", "independent_pixels_nats"), ("nat", None)),
    "training_free_energy_nats": ("nat", None),
    **dict.fromkeys(("wake_presentations", "sleep_presentations"), ("presentations", None)),
}
#: Images that are evaluated, at most, and samples an image for the free energy of training images.
N_EVALUATED, N_TRAINING_SAMPLES = 1000, 10
#: Evaluations after the start where parameters do not say when.
N_EVALUATIONS = 20
DREAMS = "dreams.nc"
#: Options of hierarchies that this one does not have.
WITHOUT_EFFECT = (
    "feedback_gain", "noise_distribution", "presynaptic_normalisation", "sleep_normalisation", "slope_rule",
)  # fmt: skip
#: What measurements draw, by what it is for; never what the simulation draws.
OF_BOUNDS, OF_DREAMS = 1, 2


def _with_biases(biases: bool) -> bool:
    if not biases:
        raise ValueError("must be true with this protocol, since dreams begin with a prior (got false); leave it out.")
    return biases


class HelmholtzParameters(DataParameters):
    """Parameters of `helmholtz_machine`.

    What was tried, on 300 training images of the digits held back, 200 epochs, by the free energy there in nats, seed 0
    (then 1 and 2); of independent pixels it is 25.45 on those images:

    - as here: 20.24 (20.43, 20.61);
    - learning rates 0.03, 0.05, 0.2, 0.3: 20.60, 20.38, 20.46 (20.41, 20.63), 20.74;
    - batches of 1 at a rate of 0.01, and of 40 at 0.3: 20.50, 20.40;
    - half, and twice, as many dreams as stimuli: 20.47, 20.25;
    - deviations at the start of 0.01 and 0.3: 20.21, 19.98 (20.21, 20.33);
    - 64-32, 64-64-32 and 64-32-16-8: 20.92, 21.08, 20.05 (20.25, 20.50);
    - 400 epochs: 20.00.

    A larger deviation, a fourth population and more epochs are better by 0.1 to 0.3 nats; the defaults are not the best
    of these. They were set before, by a sketch that was judged by test images.
    """

    task: ClassVar[str] = "stimuli"

    layer_sizes: LayerSizes = with_default(DataParameters, "layer_sizes", (64, 32, 16))
    learning_rule: LearningRule = with_default(DataParameters, "learning_rule", "wake_sleep")
    nonlinearity: Literal["sigmoid"] = parameter("sigmoid", "chance of the hidden units")
    top: Literal["sigmoid"] = parameter("sigmoid", "chance of the top units")
    biases: Annotated[bool, AfterValidator(_with_biases)] = parameter(True, "units have a bias and a prior")
    batch_size: PositiveCount = with_default(DataParameters, "batch_size", 10)
    learning_rate: Rate = parameter(0.1, "lambda: step of what learns, in wake and in sleep")
    stimulus_scaling: Literal[tuple(SCALINGS)] = with_default(DataParameters, "stimulus_scaling", "unit")
    pixel_threshold: Number = parameter(0.5, "scaled value above which a pixel is on")
    initial_deviation: Annotated[float, Field(gt=0, allow_inf_nan=False)] = parameter(
        0.1, "deviation of W at the start, and of V in units of initial_feedback_scale"
    )
    epochs: PositiveCount = parameter(200, "times that every training image is presented in wake", "epochs")
    evaluate_every_presentations: Count = parameter(
        0, f"wake presentations between two evaluations; 0: {N_EVALUATIONS} in all", "presentations"
    )
    evaluate_early_every_presentations: Count = parameter(
        0, "wake presentations between two more evaluations until the first of the above; 0: none", "presentations"
    )
    likelihood_samples: PositiveCount = parameter(200, "states drawn for each evaluated image", "samples")
    n_dreams: PositiveCount = parameter(500, "dreams, and images of independent pixels, that are kept", "images")

    def check_asked(self, names: Iterable[str]) -> None:
        """See `Parameters`; options of errors, of steps and of noise decide nothing here."""
        names = list(names)
        for name in [name for name in WITHOUT_EFFECT if name in names]:
            got = getattr(self, name)
            raise ParameterError(
                f"Parameters.{name}: must be left out with this protocol (got {got}), because units that draw their "
                "states have no use for it; leave it out."
            )
        super().check_asked(names)


def bits_of(data, p: HelmholtzParameters) -> tuple[np.ndarray, np.ndarray]:
    """Training and test images of bits.

    Raises
    ------
    ParameterError
        If every pixel is on, or off.
    """
    train, test = ((part > p.pixel_threshold).astype(p.dtype) for part in data.stimuli(p.stimulus_scaling, p.dtype))
    if train.all() or not train.any():
        raise ParameterError(
            f"Parameters.pixel_threshold: must lie within the scaled pixels, so that some are on and some off (got "
            f"{p.pixel_threshold:g}, and all are {'on' if train.any() else 'off'}); change it, or stimulus_scaling."
        )
    return train, test


def run(run: Run) -> dict:
    """Wake, sleep, evaluate, dream; see the top of this file."""
    p: HelmholtzParameters = run.parameters
    data = p.data()
    for note in data.notes:
        run.warn(note)
    n_pixels = data.train.n_pixels
    must = f"must begin with the {n_pixels} pixels of dataset {p.dataset_name}"
    check_layer_sizes(p.layer_sizes, n_pixels, p.layer_sizes[-1], must)
    train, test = bits_of(data, p)
    test, n_train = test[:N_EVALUATED], len(train)
    schedule = wake_sleep_schedule(
        p,
        run.order_of_epoch(n_train),
        n_train,
        p.epochs * n_train,
        0,
        p.evaluate_every_presentations or -(-p.epochs * n_train // N_EVALUATIONS),
        p.evaluate_early_every_presentations,
    )
    alone = theory.independent_units(train, test)

    def measure(place: int, weights: Weights, _) -> dict[str, float]:
        """One row, from the same draws at every look."""
        machine, rng = machine_of(weights), np.random.default_rng([run.seed, OF_BOUNDS])
        bounds = theory.sampled_bounds(machine, test, p.likelihood_samples, rng)
        trained = theory.sampled_bounds(machine, train[:N_EVALUATED], N_TRAINING_SAMPLES, rng)
        return {
            "free_energy_nats": bounds[0],
            "negative_log_likelihood_nats": bounds[1],
            "independent_pixels_nats": alone,
            "training_free_energy_nats": trained[0],
            "wake_presentations": schedule.n_presentations("wake", place),
            "sleep_presentations": schedule.n_presentations("sleep", place),
        }

    shown = Stimuli(*((images, np.zeros((len(images), p.layer_sizes[-1]), p.dtype)) for images in (train, test)))
    seconds = run.simulate(schedule, shown, starting_weights(p, run.seed, train), measure, MEASURES)
    bits = keep_dreams(run, train, test)
    last = {name: round(float(values[-1]), 4) for name, (_, values, unit) in run.measures.items() if unit == "nat"}
    return {
        "learning_rule": p.learning_rule,
        "dataset": p.dataset_name,
        "layer_sizes": list(p.layer_sizes),
        "epochs": p.epochs,
        **last,
        **{f"{name}_to_training_bits": round(float(its.mean()), 4) for name, its in bits.items()},
        "evaluated_at_presentations": [int(n) for n in run.measures["wake_presentations"][1]],
        **cost(schedule, p),
        "microseconds_per_presentation": round(1e6 * seconds / schedule.n_presentations(), 2),
        "weights_sha256": run.weights.sha256,
    }


def starting_weights(p: HelmholtzParameters, seed: int, train: np.ndarray) -> Weights:
    """Drawn W and V, made as small as ``initial_deviation`` says, and c_0 by the pixels; or what a run starts from."""
    drawn = initial_weights(p, seed)
    if p.start_from:
        return drawn
    given = {}
    for level, matrix in drawn.forward.items():
        factor = p.initial_deviation / matrix.std() if matrix.std() > 0 else 1.0
        given |= {f"W_{level}": matrix * factor, f"V_{level}": drawn.feedback[level] * factor}
    return initial_weights(p, seed, given | {"c_0": theory.prior_of(train)})


def machine_of(weights: Weights) -> theory.HelmholtzMachine:
    """The weights of a run as theory has them, in double precision."""
    w = weights.astype(float)
    return theory.HelmholtzMachine(w.forward, w.biases, w.feedback, w.others["c"])


def keep_dreams(run: Run, train: np.ndarray, test: np.ndarray) -> dict[str, np.ndarray]:
    """Keep dreams, images of independent pixels and test images in ``dreams.nc``; return their bits to training."""
    p, rng = run.parameters, np.random.default_rng([run.seed, OF_DREAMS])
    often = theory.chance(theory.prior_of(train))
    images = {
        "dreams": theory.dream(machine_of(run.weights), p.n_dreams, rng)[0],
        "independent_pixels": rng.random((p.n_dreams, len(often))) < often,
        "test_images": test[: p.n_dreams],
    }
    bits = {name: theory.nearest_bits(its, train) for name, its in images.items()}
    arrays = {name: ([f"image_of_{name}", "pixel"], its.astype(np.int8), "1") for name, its in images.items()}
    arrays |= {f"{name}_to_training_bits": ([f"image_of_{name}"], its, "bit") for name, its in bits.items()}
    write_arrays(run.directory.path / DREAMS, arrays, {"description": "dreams, and images beside them"})
    return bits


PROTOCOL = Protocol(
    name="helmholtz_machine",
    question="Can feedback learned in wake, and perception learned in dreams, come to produce images like those seen?",
    parameters=HelmholtzParameters,
    run=run,
    tiny={
        "layer_sizes": (64, 6, 5),
        "epochs": 1,
        "evaluate_every_presentations": 500,
        "likelihood_samples": 5,
        "n_dreams": 20,
        "chunk_presentations": 50,
    },
)

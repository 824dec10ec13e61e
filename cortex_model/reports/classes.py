"""Which classes are taken for which, and which stimuli fail: the final weights shown the test set again."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from cortex_model.datasets import own_data
from cortex_model.datasets.files import available
from cortex_model.errors import CortexModelError, DatasetError, ParameterError
from cortex_model.reference.hierarchy import presented
from cortex_model.reports.reading import ReadRun
from cortex_model.reports.settings import Chapter, Setting
from cortex_model.rules import own
from cortex_model.runs.protocol import load_protocol

#: The measure of runs that learn classes.
ERROR = "test_error_percent"
#: Test stimuli that are shown again, settled and in time, and those that failed that are drawn.
MOST_STIMULI, MOST_IN_TIME, MOST_EXAMPLES = 20_000, 1000, 18
#: Neurons of the first population whose weights are drawn as images.
MOST_FIELDS = 24
#: Percent by which an error may differ from the one that the run measured before that is said.
TOLERATED = 0.25


@dataclass
class Failure:
    """A test stimulus that was answered wrongly.

    Attributes
    ----------
    index : int
        In the test set.
    image : ndarray or None
        Where stimuli are images.
    right, answered : str
        Names of classes; of several seeds the answer that most of them gave.
    n_wrong : int
        Seeds that answered wrongly.
    """

    index: int
    image: np.ndarray | None
    right: str
    answered: str
    n_wrong: int


@dataclass
class ClassPicture:
    """What a setting took for what.

    Attributes
    ----------
    setting : Setting
    counts : ndarray, shape (n_classes, n_classes)
        Stimuli by right class and answered class, over all seeds.
    names : list of str
        Of classes.
    n_seeds, n_stimuli : int
    errors : list of float
        Percent, seed by seed, as found here.
    failures : list of Failure
    limits : tuple of float
        Smallest and largest value of a pixel.
    fields : ndarray, shape (n, height, width), or None
        Rows of W_1 of the first seed as images, where stimuli are grey images.
    first_seed : int
    notes : list of str
    """

    setting: Setting
    counts: np.ndarray
    names: list[str]
    n_seeds: int
    n_stimuli: int
    errors: list[float]
    failures: list[Failure]
    limits: tuple[float, float]
    fields: np.ndarray | None = None
    first_seed: int = 0
    notes: list[str] = field(default_factory=list)


def class_pictures(chapter: Chapter, report: Any = lambda text: None) -> tuple[list[ClassPicture], list[str]]:
    """Confusions and failures of each setting, and sentences for those that are left out.

    Returns
    -------
    pictures : list of ClassPicture
    sentences : list of str
    """
    pictures, sentences, loaded = [], [], {}
    for setting in chapter.drawn:
        runs = [run for run in setting.finished if ERROR in run.measures and run.weights is not None]
        if not runs:
            continue
        report(f"asking {setting.letter}")
        try:
            pictures.append(_picture(setting, runs, loaded))
        except (CortexModelError, OSError, MemoryError) as error:
            said = str(error) or type(error).__name__
            folder = Path(str(runs[0].description["parameters"].get("dataset", ""))).parent
            sentences.append(f"Left out for setting {setting.letter}: {said.replace(f'{folder}/', '')}")
    return pictures, sentences


def parameters_without_code(run: ReadRun) -> Any:
    """The parameters of a run, if no code but this package's is needed to make them.

    Raises
    ------
    ParameterError
        If they need a user's own protocol or learning rule, or do not hold together.
    """
    given = run.description["parameters"]
    if not run.is_shipped:
        raise ParameterError(
            "protocol: how it makes its stimuli stands in the user's own file, which is not run to read its results."
        )
    if own.is_own(given.get("learning_rule")):
        raise ParameterError(
            "learning_rule: how it answers stands in the user's own file, which is not run to read its results."
        )
    return load_protocol(run.description["protocol"]).parameters().with_overrides(given | {"start_from": ""})


def _dataset(p):
    """The dataset of a run, if it is on this machine: nothing is downloaded to read a page."""
    if own_data.is_own(p.dataset) and "#" not in p.dataset:
        raise DatasetError(f"dataset {p.dataset}: must be named by its content (got no hash); run it anew.")
    if {row.name: row.state for row in available()}.get(p.dataset) == "missing":
        raise DatasetError(
            f"dataset {p.dataset}: its files are not on this machine; `cortex-model datasets fetch {p.dataset}` "
            "fetches them."
        )
    return p.data()


def _picture(setting, runs, loaded):
    top = []
    for run in runs:
        p = parameters_without_code(run)
        key = (p.dataset, p.validation_images, p.test_fraction, p.split_seed)
        data = loaded[key] if key in loaded else loaded.setdefault(key, _dataset(p))
        if not data.n_classes or p.layer_sizes[-1] != data.n_classes:
            raise DatasetError(f"dataset {p.dataset_name}: must have a class for each neuron at the top (got others).")
        stimuli = data.stimuli(p.stimulus_scaling, p.dtype)[1][: MOST_IN_TIME if p.takes_time else MOST_STIMULI]
        top.append(presented(p, run.weights, "evaluation", stimuli, "rate")[p.n_layers])
    test, rates = data.test, np.array(top)
    labels, answers = test.labels[: rates.shape[1]], rates.argmax(axis=2)
    counts = np.zeros((data.n_classes, data.n_classes), int)
    for each in answers:
        np.add.at(counts, (labels, each), 1)
    names = [str(name) for name in data.class_names] or [str(n) for n in range(data.n_classes)]
    errors = (100 * np.mean(answers != labels, axis=1)).tolist()
    picture = ClassPicture(
        setting, counts, names, len(runs), len(labels), errors, _failures(rates, answers, labels, test.images, names),
        (float(test.min_value), float(test.max_value)),
    )  # fmt: skip
    if test.images.dtype == np.uint8 and test.images.ndim == 3:
        picture.first_seed = runs[0].seed
        picture.fields = runs[0].weights.forward[1][:MOST_FIELDS].reshape(-1, *test.images.shape[1:])
    picture.notes = _notes(picture, runs, test.n_stimuli)
    return picture


def _failures(rates, answers, labels, images, names):
    """Those that most seeds answer wrongly and, among them, those that are answered most decidedly."""
    n_wrong = (answers != labels).sum(axis=0)
    mean = rates.mean(axis=0)
    margin = mean.max(axis=1) - mean[np.arange(len(labels)), labels]
    order = [at for at in np.lexsort((-margin, -n_wrong)) if n_wrong[at]][:MOST_EXAMPLES]
    found = []
    for at in order:
        wrong = answers[:, at][answers[:, at] != labels[at]]
        image = images[at] if images.dtype == np.uint8 and images.ndim in (3, 4) else None
        found.append(Failure(int(at), image, names[labels[at]], names[np.bincount(wrong).argmax()], int(n_wrong[at])))
    return found


def _notes(picture, runs, n_stimuli):
    if n_stimuli > picture.n_stimuli:
        return [f"Only the first {picture.n_stimuli:,} of {n_stimuli:,} test stimuli were shown again."]
    said = [float(run.measures[ERROR][0][-1]) for run in runs]
    return [
        f"Seed {run.seed}: {there:.4g} % are wrong here, {then:.4g} % were when the run measured it."
        for run, there, then in zip(runs, picture.errors, said, strict=True) if abs(there - then) > TOLERATED
    ]  # fmt: skip

"""Parameters of runs that learn from a dataset: which one, how its values become rates, and what is held back."""

from collections.abc import Iterable
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from cortex_model.datasets import DATASETS, SCALINGS, Dataset, load, own_data
from cortex_model.errors import DatasetError, ParameterError
from cortex_model.parameters.kinds import Count
from cortex_model.parameters.model import parameter
from cortex_model.parameters.sleep_wake import SleepWakeParameters
from cortex_model.system.sources import without_folder

#: Parameters that only data of one's own without a stated split read.
OF_SPLIT = ("test_fraction", "split_seed")


def _known(name: str) -> str:
    """The name of a dataset, or the full one of data of one's own."""
    if own_data.is_own(name):
        try:
            return own_data.named(name)
        except DatasetError as error:
            raise ValueError(str(error).removeprefix("dataset").lstrip(": ")) from None
    if name not in DATASETS:
        raise PydanticCustomError("choice", "no such dataset")
    return name


DatasetName = Annotated[str, BeforeValidator(str), AfterValidator(_known)]


class DataParameters(SleepWakeParameters):
    """A hierarchy that sleeps and wakes, and the data that it wakes to."""

    task: ClassVar[str] = "targets"

    dataset: DatasetName = parameter(
        "digits", "stimuli, and their classes or target rates", choices=tuple(DATASETS),
        or_else="a file or a folder of your own",
    )  # fmt: skip
    stimulus_scaling: Literal[tuple(SCALINGS)] = parameter(
        "standardised",
        "values as rates: 0 to 1, -1 to 1, mean 0 and deviation 1 over all of the training set, or of each element, "
        "or as they are",
    )
    validation_images: Count = parameter(
        0, "training images held back and evaluated instead of the test images", "images"
    )
    test_fraction: Annotated[float, Field(gt=0, lt=1)] = parameter(
        0.2, "of data of your own that say nothing of a test set: the part that is it"
    )
    split_seed: Count = parameter(0, "by which that part is drawn")

    def data(self) -> Dataset:
        """The dataset, split."""
        split = {name: getattr(self, name) for name in OF_SPLIT}
        return load(self.dataset, validation=self.validation_images, **split)

    @property
    def dataset_name(self) -> str:
        """The dataset without its folder, for summaries and sentences."""
        return without_folder(self.dataset)

    def decisive(self) -> dict[str, Any]:
        """See `Parameters`; a split is drawn for data of one's own alone, which are named by their content."""
        left_out = () if own_data.is_own(self.dataset) else OF_SPLIT
        of_all = {name: value for name, value in super().decisive().items() if name not in left_out}
        return of_all | {"dataset": self.dataset_name}

    def check_asked(self, names: Iterable[str]) -> None:
        """See `Parameters`; of published data the test set is published."""
        for name in [name for name in OF_SPLIT if name in names]:
            if not own_data.is_own(self.dataset):
                raise ParameterError(
                    f"Parameters.{name}: must be left out where dataset is {self.dataset} (got {getattr(self, name)}), "
                    "whose test set is given; leave it out."
                )
        super().check_asked(names)

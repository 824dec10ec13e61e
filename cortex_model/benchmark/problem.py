"""What every implementation is given: the same network, rule and stimuli, as NumPy files in a folder."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cortex_model.datasets import available, load
from cortex_model.schedule import one_hot

#: Where stimuli come from.
DATA = ("random", "mnist")
#: Most stimuli that a problem holds, and most numbers in them; they are shown again and again.
MOST_STIMULI, MOST_NUMBERS = 2048, 2**22


@dataclass(frozen=True)
class Problem:
    """A network that learns online by random feedback, and what it is shown.

    Attributes
    ----------
    layer_sizes : tuple of int
        Neurons in each population, input first.
    data : {"random", "mnist"}
        Standard normal numbers, or images of digits scaled to [0, 1], of whose pixels four fifths are 0.
    dtype : {"float32", "float64"}
    n_stimuli : int, optional
        Presentation t shows stimulus t modulo ``n_stimuli``.
    """

    layer_sizes: tuple[int, ...]
    data: str = "random"
    dtype: str = "float32"
    n_stimuli: int = 0

    def __post_init__(self):
        if not self.n_stimuli:
            fitting = 2 ** int(np.log2(max(MOST_NUMBERS // self.layer_sizes[0], 1)))
            object.__setattr__(self, "n_stimuli", min(MOST_STIMULI, fitting))

    @property
    def name(self) -> str:
        """``784-256-10``."""
        return "-".join(map(str, self.layer_sizes))

    @property
    def learning_rate(self) -> float:
        """So small that the response to a stimulus of unit variance changes by a fraction."""
        return 0.5 / self.layer_sizes[0]

    @property
    def n_synapses(self) -> int:
        """Synapses of the forward and of the feedback projections (V_2 ... V_L)."""
        forward, feedback = self.synapses()
        return forward + feedback

    def synapses(self) -> tuple[int, int]:
        """How many forward synapses there are, which are read and changed, and how many feedback ones, only read."""
        pairs = [lower * upper for lower, upper in zip(self.layer_sizes, self.layer_sizes[1:], strict=False)]
        return sum(pairs), sum(pairs[1:])

    def write(self, folder: Path) -> None:
        """Write ``problem.json``, ``stimuli.npy``, ``targets.npy``, ``W_l.npy``, ``b_l.npy`` and ``V_l.npy``."""
        rng, sizes = np.random.default_rng(0), self.layer_sizes
        described = {name: getattr(self, name) for name in ("layer_sizes", "dtype", "n_stimuli", "learning_rate")}
        (folder / "problem.json").write_text(json.dumps(described))
        arrays = dict(zip(("stimuli", "targets"), self._shown(rng), strict=True))
        for level in range(1, len(sizes)):
            shape = (sizes[level], sizes[level - 1])
            deviation = np.sqrt(sizes[level - 1]).astype(self.dtype)
            arrays[f"W_{level}"] = rng.standard_normal(shape, self.dtype) / deviation
            arrays[f"b_{level}"] = np.zeros(sizes[level], self.dtype)
            if level > 1:
                arrays[f"V_{level}"] = rng.standard_normal(shape[::-1], self.dtype) / deviation
        for name, array in arrays.items():
            np.save(folder / f"{name}.npy", array)

    def _shown(self, rng):
        """Stimuli and targets, shapes (n_stimuli, n_0) and (n_stimuli, n_L)."""
        n, n_top = self.n_stimuli, self.layer_sizes[-1]
        if self.data == "mnist":
            dataset = load("mnist")
            chosen = dataset.train.subset(np.arange(n))
            return dataset.stimuli("unit", self.dtype)[0][:n], one_hot(chosen.labels, n_top).astype(self.dtype)
        labels = rng.integers(0, n_top, n)
        return rng.standard_normal((n, self.layer_sizes[0]), self.dtype), one_hot(labels, n_top).astype(self.dtype)


def problems_of(sizes: list[tuple[int, ...]], dtype: str = "float32") -> list[Problem]:
    """Random stimuli for each of the sizes, and MNIST where it fits and its files are on this machine."""
    has_mnist = "found" in [row.state for row in available() if row.name == "mnist"]
    fitting = [its for its in sizes if (its[0], its[-1]) == (784, 10) and has_mnist]
    return [Problem(its, "random", dtype) for its in sizes] + [Problem(its, "mnist", dtype) for its in fitting]

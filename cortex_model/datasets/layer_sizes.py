"""Layer sizes that fit images and targets, and which ones are proposed where they do not."""

import math

from cortex_model.datasets.registry import DATASETS
from cortex_model.errors import ParameterError, in_short


def check_layer_sizes(layer_sizes: tuple[int, ...], n_input: int, n_top: int, must: str) -> None:
    """Refuse layer sizes whose ends do not fit.

    Parameters
    ----------
    layer_sizes : tuple of int
        Input first.
    n_input, n_top : int
        Neurons that the input and the top population must have.
    must : str
        What must hold, in words.

    Raises
    ------
    ParameterError
        Where they do not fit; the sentence proposes sizes that do.
    """
    if (layer_sizes[0], layer_sizes[-1]) != (n_input, n_top):
        got = in_short(",".join(map(str, layer_sizes)))[1:-1]
        fitting = ",".join(map(str, fitting_sizes(layer_sizes, n_input, n_top)))
        raise ParameterError(f"Parameters.layer_sizes: {must} (got {got}); set layer_sizes={fitting}.")


def fitting_sizes(layer_sizes: tuple[int, ...], n_input: int, n_top: int) -> tuple[int, ...]:
    """The sizes that were most likely meant: with ends that fit, and every hidden population that was named.

    Where one end fits, the other is taken for a wrong one if it can be no hidden population, and for a hidden one that
    the end was forgotten beside otherwise.
    """
    first, *between, last = layer_sizes
    if (first, last) == (n_top, n_input):  # the top was named first
        return layer_sizes[::-1]
    ends = {(math.prod(source.image_shape), source.n_classes) for source in DATASETS.values()}
    if (first, last) in ends and between and first != n_input:  # those of another dataset, such as the default ones
        return n_input, *between, n_top
    others = {n for n, _ in ends}
    is_input = first == n_input or first in others or (last == n_top and bool(between))
    is_top = last == n_top or (last in others and n_top == n_input)
    hidden = [*([] if is_input else [first]), *between, *([] if is_top else [last])]
    return n_input, *hidden, n_top

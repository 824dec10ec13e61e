"""Standalone devices: index arrays that are never stored, because i and j follow from a synapse's number.

Synapse k joins i = k / N_post to j = k % N_post (each within its network). Dense loops count i and j. All other
code that Brian2 generates for these Synapses - string initialisation, monitors - reads the index arrays; it gets
the quotient and the remainder instead.
"""

import numpy as np
from brian2 import get_device

from cortex_model.devices.dense.conditions import DenseGenerator, n_columns, n_rows, parts


def compute_indices(synapses):
    """Let the index variables of all-to-all Synapses be computed, in generated code as in Python."""
    rows, columns, (networks, batch) = n_rows(synapses), n_columns(synapses), parts(synapses)
    n_synapses = networks * rows * columns
    pre, post = (synapses.variables[name] for name in ("_synaptic_pre", "_synaptic_post"))
    first_pre, first_post = (getattr(end, "start", 0) for end in (synapses.source, synapses.target))
    pre.size = post.size = n_synapses
    network, row, column = f"_idx / {rows * columns}", f"_idx / {columns} % {rows}", f"_idx % {columns}"
    pre.computed = f"(int32_t)({network} * {batch * rows} + {row}) + {first_pre}"
    post.computed = f"(int32_t)({network} * {batch * columns} + {column}) + {first_post}"
    pre.get_value, post.get_value = (lambda: ends_of(synapses)[0]), (lambda: ends_of(synapses)[1])
    get_device().array_cache[synapses.variables["N"]] = np.array([n_synapses], np.int32)


def ends_of(synapses):
    """Presynaptic and postsynaptic neuron of each synapse, network by network; of a batch, at the first one."""
    rows, columns, (networks, batch) = n_rows(synapses), n_columns(synapses), parts(synapses)
    network, row, column = np.indices((networks, rows, columns), np.int32).reshape(3, -1)
    pre, post = network * batch * rows + row, network * batch * columns + column
    return pre + getattr(synapses.source, "start", 0), post + getattr(synapses.target, "start", 0)


class ComputedIndices:
    """Mixed into a C++ generator: an index that is computed is not read."""

    def translate_to_read_arrays(self, read, write, indices):
        """Brian2's lines, those of computed indices replaced."""
        computed = {name for name in read | indices if hasattr(self.variables[name], "computed")}
        lines = [f"const int32_t {name} = {self.variables[name].computed};" for name in sorted(computed)]
        return lines + super().translate_to_read_arrays(read - computed, write, indices - computed)


def teach(stock, *more):
    """Let ``stock``, a device's own class of code objects, compute indices too, and what ``more`` mixins add.

    Notes
    -----
    Brian2 chooses the class for string expressions and monitors itself, whatever the Synapses' ``codeobj_class``.
    Models without dense Synapses get the same code as before.
    """
    if not issubclass(stock.generator_class, ComputedIndices):
        own = stock.generator_class
        stock.generator_class = type(own.__name__, (*more, ComputedIndices, own), {})
    return stock


class StandaloneGenerator(DenseGenerator):
    """Mixed into a standalone device's generator: no index arrays from ``connect()`` on."""

    def _check_connect(self, code):
        super()._check_connect(code)
        compute_indices(self.owner)

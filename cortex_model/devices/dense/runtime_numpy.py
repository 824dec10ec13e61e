"""Dense code objects of the runtime device, in NumPy: matrices instead of gathered vectors."""

from brian2.codegen.runtime.numpy_rt.numpy_rt import NumpyCodeObject

from cortex_model.devices.dense.batches import Batches
from cortex_model.devices.dense.conditions import LOOPS, DenseGenerator

#: Where dense code has a synaptic variable's values, and how they go back into Brian2's flat array.
AS_MATRIX = "{0} = {0}.reshape(_n_networks, _n_rows, _n_columns)"
AS_SYNAPSES = "{0} = _numpy.broadcast_to({0}, (_n_networks, _n_rows, _n_columns)).ravel()"


class DenseNumpyGenerator(DenseGenerator, Batches, NumpyCodeObject.generator_class):
    """NumPy on matrices, one a network; a neuron's variable is a column (presynaptic) or a row (postsynaptic).

    Notes
    -----
    Functions that draw one value a synapse (``rand()``) return flat arrays: code that calls one stays Brian2's.
    """

    @property
    def counts_ends(self):
        """Whether this code sees matrices."""
        return not self.auto_vectorise

    def _synaptic(self, names):
        """Those that are reshaped."""
        is_matrix = self.template_name in LOOPS and self.counts_ends
        return [name for name in sorted(names) if is_matrix and self.variable_indices[name] == "_idx"]

    def read_arrays(self, read, write, indices, variables, variable_indices):
        """Brian2's lines, then one that reshapes each synaptic variable."""
        lines = super().read_arrays(read, write, indices, variables, variable_indices)
        return lines + [AS_MATRIX.format(name) for name in self._synaptic(read)]

    def write_arrays(self, statements, read, write, variables, variable_indices):
        """Brian2's lines, after one that flattens each synaptic variable."""
        lines = super().write_arrays(statements, read, write, variables, variable_indices)
        return [AS_SYNAPSES.format(name) for name in self._synaptic(write)] + lines


class DenseCodeObject(NumpyCodeObject):
    """Code objects of all-to-all Synapses: Brian2's, with the templates of ``templates_numpy`` before its own."""

    templater = NumpyCodeObject.templater.derive(__package__, templates_dir="templates_numpy")
    generator_class = DenseNumpyGenerator

"""Dense code objects of cuda_standalone."""

from brian2 import prefs
from brian2cuda.codeobject import CUDAStandaloneCodeObject

from cortex_model.devices.dense.batches import Batches
from cortex_model.devices.dense.computed_indices import StandaloneGenerator, teach
from cortex_model.devices.dense.conditions import ENDS, PATHWAY
from cortex_model.errors import DeviceError

teach(CUDAStandaloneCodeObject)


class DenseCUDAGenerator(StandaloneGenerator, Batches, CUDAStandaloneCodeObject.generator_class):
    """CUDA without index arrays.

    Notes
    -----
    Templates of pathways find in ``read`` and ``written`` which arrays synapses touch at either end.
    """

    def translate(self, code, dtype):
        """Brian2's translation, after a check that Brian2CUDA will not take a class of its own for pathways."""
        if self.template_name in PATHWAY and prefs.devices.cuda_standalone.use_atomics:
            raise DeviceError(
                f"dense.{self.owner.name}: must have prefs.devices.cuda_standalone.use_atomics = False where there is "
                "code for spikes (got True); set it before the run."
            )
        return super().translate(code, dtype)

    def translate_statement_sequence(self, scalar_statements, vector_statements):
        """Brian2's code, and the arrays."""
        scalar_code, vector_code, keywords = super().translate_statement_sequence(scalar_statements, vector_statements)
        touched = self.array_read_write(vector_statements.get(None, ()))
        keywords["read"], keywords["written"] = (
            {end: self._arrays(names, end) for end in ENDS} for names in touched[:2]
        )
        return scalar_code, vector_code, keywords

    def _arrays(self, names, end):
        return {self.get_array_name(self.variables[name]) for name in names if self.variable_indices[name] == end}


class DenseCodeObject(CUDAStandaloneCodeObject):
    """Code objects of all-to-all Synapses: Brian2CUDA's, with the templates of ``templates_cuda`` before its own.

    Notes
    -----
    A neuron's terms are added up in 32 parts, those then in pairs: the same bits on every run, whatever the number of
    networks and the size of the batch, where stock Brian2CUDA adds atomically, in any order. Events are done in the
    order of neurons: what several add to one neuron is added by one thread, as on cpp_standalone.
    """

    templater = CUDAStandaloneCodeObject.templater.derive(__package__, templates_dir="templates_cuda")
    generator_class = DenseCUDAGenerator

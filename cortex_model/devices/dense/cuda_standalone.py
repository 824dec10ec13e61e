"""Dense code objects of cuda_standalone."""

from brian2cuda.codeobject import CUDAStandaloneCodeObject

from cortex_model.devices.dense.batches import Batches
from cortex_model.devices.dense.computed_indices import StandaloneGenerator, teach

teach(CUDAStandaloneCodeObject)


class DenseCUDAGenerator(StandaloneGenerator, Batches, CUDAStandaloneCodeObject.generator_class):
    """CUDA without index arrays."""


class DenseCodeObject(CUDAStandaloneCodeObject):
    """Code objects of all-to-all Synapses: Brian2CUDA's, with the templates of ``templates_cuda`` before its own.

    Notes
    -----
    A neuron's terms are added up in 32 parts, those then in pairs: the same bits on every run, whatever the number of
    networks and the size of the batch, where stock Brian2CUDA adds atomically, in any order.
    """

    templater = CUDAStandaloneCodeObject.templater.derive(__package__, templates_dir="templates_cuda")
    generator_class = DenseCUDAGenerator

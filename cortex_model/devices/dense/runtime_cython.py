"""Dense code objects of the runtime device, compiled by Cython."""

from brian2.codegen.runtime.cython_rt.cython_rt import CythonCodeObject

from cortex_model.devices.dense.batches import Batches
from cortex_model.devices.dense.conditions import DenseGenerator
from cortex_model.devices.dense.silent_rows import SilentRows


class DenseCythonGenerator(DenseGenerator, SilentRows, Batches, CythonCodeObject.generator_class):
    """Cython without a look at the index arrays."""

    either = " or "


class DenseCodeObject(CythonCodeObject):
    """Code objects of all-to-all Synapses: Brian2's, with the templates of ``templates_cython`` before its own."""

    templater = CythonCodeObject.templater.derive(__package__, templates_dir="templates_cython")
    generator_class = DenseCythonGenerator

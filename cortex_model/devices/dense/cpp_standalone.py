"""Dense code objects of cpp_standalone."""

from brian2.devices.cpp_standalone.codeobject import CPPStandaloneCodeObject

from cortex_model.devices.dense.batches import Batches
from cortex_model.devices.dense.computed_indices import StandaloneGenerator, teach
from cortex_model.devices.dense.deferred import Deferring
from cortex_model.devices.dense.row_reads import RowReads
from cortex_model.devices.dense.silent_rows import SilentRows

teach(CPPStandaloneCodeObject, Deferring)


class DenseCPPGenerator(StandaloneGenerator, RowReads, SilentRows, Batches, CPPStandaloneCodeObject.generator_class):
    """C++ without index arrays, that passes over rows that change nothing."""


class DenseCodeObject(CPPStandaloneCodeObject):
    """Code objects of all-to-all Synapses: Brian2's, with the templates of ``templates_cpp`` before its own."""

    templater = CPPStandaloneCodeObject.templater.derive(__package__, templates_dir="templates_cpp")
    generator_class = DenseCPPGenerator

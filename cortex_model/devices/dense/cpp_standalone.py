"""Dense code objects of cpp_standalone."""

from brian2.devices.cpp_standalone.codeobject import CPPStandaloneCodeObject

from cortex_model.devices.dense.computed_indices import compute_indices, teach
from cortex_model.devices.dense.conditions import DenseGenerator
from cortex_model.devices.dense.silent_rows import SilentRows

teach(CPPStandaloneCodeObject)


class DenseStandaloneGenerator(DenseGenerator, SilentRows, CPPStandaloneCodeObject.generator_class):
    """C++ whose dense Synapses have no index arrays from their ``connect()`` on."""

    def _check_connect(self, code):
        super()._check_connect(code)
        compute_indices(self.owner)


class DenseCodeObject(CPPStandaloneCodeObject):
    """Code objects of all-to-all Synapses: Brian2's, with the templates of ``templates_cpp`` before its own."""

    templater = CPPStandaloneCodeObject.templater.derive(__package__, templates_dir="templates_cpp")
    generator_class = DenseStandaloneGenerator

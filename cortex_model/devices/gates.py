"""Code objects that return at once while their gate is closed.

The convention: an object that `Clockwork.gate` was called for has the attribute ``gate``;
its code object then reads that variable first. A closed sum keeps its old value.
"""

from functools import cache, partial

from brian2 import Synapses, defaultclock, get_device
from brian2.codegen.runtime.numpy_rt.numpy_rt import NumpyCodeObject
from brian2.devices.cpp_standalone.codeobject import CPPStandaloneCodeObject

#: Where Brian2CUDA's host functions begin to do something.
HOST_BEGINS = "%HOST_CONSTANTS%"


def _gate(variables):
    """The one variable of a code object that is a gate; None where it has none (what a pathway does beforehand)."""
    return next((variable for name, variable in sorted(variables.items()) if name.endswith("_gate")), None)


@cache
def gated_on_standalone(code_object_class):
    """A class like ``code_object_class`` whose compiled function returns at once while its gate is closed."""

    class GatedGenerator(code_object_class.generator_class):
        def determine_keywords(self):
            keywords = super().determine_keywords()
            if gate := _gate(self.variables):
                keywords["pointers_lines"].append(f"if (!{self.get_array_name(gate)}[0]) return;")
            return keywords

    return type("Gated" + code_object_class.__name__, (code_object_class,), {"generator_class": GatedGenerator})


@cache
def gated_on_cuda(code_object_class):
    """A class like ``code_object_class`` that launches no kernel while its gate is closed.

    Notes
    -----
    ``now`` is on the GPU. The host asks its own copy of the schedule, for the row of the present time step.
    """

    class Gated(code_object_class):
        def __init__(self, owner, code, variables, *args, **kwds):
            gate, name = _gate(variables), partial(get_device().get_array_name, access_data=False)
            if gate:
                now = gate.owner.variables
                slot = f"{name(defaultclock.variables['timestep'])}[0] - {name(now['first_slot'])}[0]"
                is_open = f"{name(now['scheduled_' + gate.name])}[{slot}]"
                code.cu_file = code.cu_file.replace(HOST_BEGINS, f"if (!{is_open}) return;\n    {HOST_BEGINS}")
            super().__init__(owner, code, variables, *args, **kwds)

    return type("Gated" + code_object_class.__name__, (Gated,), {})


@cache
def gated_on_runtime(code_object_class):
    """A class like ``code_object_class`` whose call does nothing while its gate is closed."""

    class Gated(code_object_class):
        def __init__(self, *args, **kwds):
            super().__init__(*args, **kwds)
            gate = _gate(self.variables)
            self._gate = gate.get_value() if gate else (True,)

        def __call__(self, **kwds):
            return super().__call__(**kwds) if self._gate[0] else None

    return Gated


def stock_class(device, codegen_target):
    """Brian2's own class of code objects on a device."""
    if device == "cpp_standalone":
        return CPPStandaloneCodeObject
    if device == "cuda_standalone":
        from brian2cuda.codeobject import CUDAStandaloneCodeObject

        return CUDAStandaloneCodeObject
    if codegen_target == "cython":
        from brian2.codegen.runtime.cython_rt.cython_rt import CythonCodeObject

        return CythonCodeObject
    return NumpyCodeObject


def obey_gates(network, device, codegen_target):
    """Give every gated object of a network the code objects that obey its gate (dense ones stay dense)."""
    gated = {"runtime": gated_on_runtime, "cuda_standalone": gated_on_cuda}.get(device, gated_on_standalone)
    for obj in network.sorted_objects:
        if hasattr(obj, "gate") and not isinstance(obj, Synapses):
            of_synapses = obj.group.codeobj_class if isinstance(obj.group, Synapses) else None
            obj.codeobj_class = gated(of_synapses or stock_class(device, codegen_target))

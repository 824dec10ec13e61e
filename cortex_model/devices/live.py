"""The runtime device: chunks one after the other, and in each slot the code objects whose gates are open."""

import time
from collections.abc import Callable
from functools import partial
from itertools import groupby
from types import CodeType

import numpy as np
from brian2 import NetworkOperation, ms

from cortex_model.devices.gates import obey_gates
from cortex_model.devices.names import Names
from cortex_model.devices.session import back_to_runtime, run_with

#: Longer than any schedule: the host stops the network after the last chunk.
FOR_EVER = 1e12 * ms


class LiveArrays:
    """The arrays of a hierarchy on the runtime device, by name (``"W_1.weight"``)."""

    def __init__(self, hierarchy):
        self._objects = {obj.name: obj for obj in hierarchy.network.sorted_objects}

    def variable(self, name: str):
        """Brian2's own variable."""
        owner, attribute = name.split(".")
        return self._objects[owner].variables[attribute]

    def __getitem__(self, name: str) -> np.ndarray:
        return self.variable(name).get_value()

    def set(self, arrays: dict[str, np.ndarray]) -> None:
        """Write into them; tables take the size of what they are given."""
        for name, array in arrays.items():
            if self.variable(name).dynamic and np.size(array) != len(self[name]):
                self.variable(name).resize(np.size(array))
            self[name][:] = np.reshape(array, -1)


def run_live(hierarchy, n_chunks: int, chunk: Callable, finish: Callable, read: list[str], names: Names) -> None:
    """Run chunks on the runtime device.

    Parameters
    ----------
    hierarchy : Hierarchy
    n_chunks : int
    chunk : callable
        Index -> arrays to hand over before the chunk.
    finish : callable
        (index, arrays read, seconds of the loop) after the chunk.
    read : list of str
        Names of the arrays to read.
    names : Names

    Notes
    -----
    Brian2 makes every code object anew whenever a network runs, and then asks each of them in each slot. Here a code
    object is made when its gate is first opened, and once for a hierarchy (each time where that holds objects of a
    user's own, whose names may have changed); closed ones are passed over together. Brian2's own loop stays for a
    network that holds a ``network_operation``, or several clocks.
    """
    back_to_runtime(hierarchy.parameters.dtype, hierarchy.codegen_target)
    arrays, network = LiveArrays(hierarchy), hierarchy.network
    obey_gates(network, "runtime", hierarchy.codegen_target)
    n_clocks = len({obj.clock for obj in network.sorted_objects})
    if hierarchy.network_operations or n_clocks > 1:
        _run_by_brian(hierarchy, arrays, n_chunks, chunk, finish, read, names)
        return
    if hierarchy.foreign:
        hierarchy.made.clear()
    for index in range(n_chunks):
        handed = chunk(index)
        arrays.set(handed)
        _make(hierarchy, {gate for gate in hierarchy.declared.gates if handed[f"schedule.{gate}"].any()}, names)
        calls = hierarchy.calls if hierarchy.foreign else _directly(hierarchy.calls)
        started = time.perf_counter()
        _run_slots(network, calls, int(arrays["now.first_slot"][0]), int(arrays["now.n_slots"][0]))
        finish(index, {name: np.array(arrays[name]) for name in read}, time.perf_counter() - started)


def _make(hierarchy, opened, names):
    """Make the code objects behind gates that are opened for the first time."""
    if opened <= hierarchy.made:
        return
    gated = [obj for obj in hierarchy.network.sorted_objects if hasattr(obj, "gate")]
    for obj in gated:
        obj.active = obj.gate in opened - hierarchy.made
    run_with(hierarchy, 0 * ms, names)
    hierarchy.made |= opened
    for obj in gated:
        obj.active = obj.gate in hierarchy.made
    hierarchy.calls = _calls(hierarchy.network)


def _calls(network):
    """What is called in each slot, in its order: (array that holds a gate or None, code objects behind it)."""
    calls = []
    active = [obj for obj in network.sorted_objects if obj.active and obj.code_objects]
    for gate, objects in groupby(active, lambda obj: getattr(obj, "gate", None)):
        code_objects = [code_object for obj in objects for code_object in obj.code_objects]
        held = next((each.variables[gate] for each in code_objects if gate in each.variables), None)
        calls.append((held and held.get_value(), code_objects))
    return calls


def _directly(calls):
    """The same calls, of NumPy code without what Brian2 does around it: arrays change size between chunks alone."""
    found = []
    for gate, code_objects in calls:
        direct: list[Callable] = []
        for each in code_objects:
            code = each.compiled_code["run"]
            if isinstance(code, CodeType):
                each.update_namespace()
                direct.append(partial(exec, code, each.namespace))
            elif code is not None:  # compiled by Cython
                direct.append(each)
        found.append((gate, direct))
    return found


def _run_slots(network, calls, first_slot, n_slots):
    """Run ``n_slots`` time steps, from step ``first_slot`` on."""
    clock = network.sorted_objects[0].clock
    clock.set_interval(first_slot * clock.dt, (first_slot + n_slots) * clock.dt)
    for _ in range(n_slots):
        for gate, code_objects in calls:
            if gate is None or gate[0]:
                for code_object in code_objects:
                    code_object()
        clock.advance()
    network.t_ = float(clock.variables["t"].get_value()[0])


def _run_by_brian(hierarchy, arrays, n_chunks, chunk, finish, read, names):
    """One ``Network.run`` for all chunks; hands change between two steps."""
    network, index, started = hierarchy.network, -1, 0.0

    def hand_over():
        nonlocal index, started
        index += 1
        arrays.set(chunk(index))
        started = time.perf_counter()

    def look():
        if arrays["now.slot"][0] < arrays["now.n_slots"][0]:
            return
        finish(index, {name: np.array(arrays[name]) for name in read}, time.perf_counter() - started)
        if index + 1 < n_chunks:
            hand_over()
        else:
            network.stop()

    for obj in network.sorted_objects:
        obj.active = obj.active or hasattr(obj, "gate")
    hierarchy.made.clear()
    looking = NetworkOperation(look, when="end", order=2, name="look_between_chunks*")
    hand_over()
    network.add(looking)
    try:
        run_with(hierarchy, FOR_EVER, names)
    finally:
        network.remove(looking)

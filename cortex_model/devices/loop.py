"""The loop over slots of a compiled program: code objects in a row that share a gate are passed over together.

Brian2's own loop asks before each call whose turn it is, and each closed code object is still a call. A program holds
the events of several rules, most of them closed in any one slot; in a small network that took a third of the time.
"""

import re
from itertools import groupby

from brian2 import Network, get_device

#: How Brian2 says that a code object belongs to a network: its clock, its function.
ADDED = re.compile(r"\.add\(&(\w+), (\w+)\);")


def loop_over_slots(network: Network, first_slot: str, n_slots: str, step: str, device: str) -> str:
    """C++ that runs a network for ``n_slots`` time steps, from step ``first_slot`` on.

    Parameters
    ----------
    network : Network
        Run once already (for no time at all), which is when the device hears of its code objects.
    first_slot, n_slots, step : str
        C++ of the two numbers and of the length of a time step, in seconds.
    device : {"cpp_standalone", "cuda_standalone"}

    Notes
    -----
    Brian2's loop stays on the GPU, where the gates are, and for a network whose objects have several clocks (a user's
    monitor with a ``dt`` of its own).
    """
    begin = f"{network.name}.t = {first_slot}*{step};"
    called = _code_objects(network)
    clocks = {clock for clock, _ in called}
    if device == "cuda_standalone" or len(clocks) > 1:
        return f"{begin}\n{network.name}.run({n_slots}*{step}, NULL, 10.0);"
    (clock,), gates, lines = clocks, _gates(network), []
    for gate, together in groupby(called, lambda code_object: gates.get(code_object[1])):
        calls = " ".join(f"{function}();" for _, function in together)
        lines.append(f"if ({gate}[0]) {{ {calls} }}" if gate else calls)
    body = "\n".join(lines)
    return f"""
{begin}
const auto began = std::chrono::steady_clock::now();
{clock}.set_interval({network.name}.t, {network.name}.t + {n_slots}*{step});
for (; {clock}.running(); {clock}.tick())
{{
{body}
}}
Network::_last_run_time = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();"""


def _code_objects(network):
    """(clock, function) of each code object, in the order in which they are called."""
    queue = get_device().main_queue
    lines = next(arguments[1] for what, arguments in queue if what == "run_network" and arguments[0] is network)
    return [found.groups() for found in map(ADDED.search, lines) if found]


def _gates(network):
    """Function of a gated code object -> C++ array that holds its gate."""
    device = get_device()
    return {
        f"_run_{code_object.name}": device.get_array_name(code_object.variables[obj.gate])
        for obj in network.sorted_objects
        if hasattr(obj, "gate")
        for code_object in obj._code_objects
        if obj.gate in code_object.variables
    }

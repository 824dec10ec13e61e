"""What needs Brian2 on a device: building a hierarchy, generating its sources, running it live."""

import hashlib
import re
import shutil
from pathlib import Path

import numpy as np
from brian2 import (
    BrianLogger,
    EventMonitor,
    PopulationRateMonitor,
    StateMonitor,
    defaultclock,
    get_device,
    ms,
    prefs,
)
from brian2.core.base import BrianObjectException
from brian2.devices.device import all_devices, reset_device, set_device

from cortex_model.devices import cuda
from cortex_model.devices.compilation import COMPILER_FLAGS, without_bodies
from cortex_model.devices.dense import dense
from cortex_model.devices.dense.deferred import defer, is_deferred
from cortex_model.devices.dense.deferred import header as changes
from cortex_model.devices.gates import obey_gates
from cortex_model.devices.loop import loop_over_slots
from cortex_model.devices.names import Names, explained, offered
from cortex_model.devices.program import cython_cache, program_key
from cortex_model.devices.quickly import quickly
from cortex_model.devices.runtime_compiler import compile_as_here
from cortex_model.network import Hierarchy
from cortex_model.system.cache import scratch

#: One slot lasts one time step; only the leaky mode (``time_step_ms``) gives it a meaning.
SLOT = 1 * ms
MONITORS = (StateMonitor, EventMonitor, PopulationRateMonitor)
#: What a program includes, to be told what to do; the class therein; what it is told of an array.
CONVERSATIONS = {
    "cpp_standalone": ("conversation.h", "Conversation", "{0}"),
    "cuda_standalone": ("conversation_cuda.h", "ConversationOnGPU", "{0}, dev{0}"),
}


def new_hierarchy(parameters, device, codegen_target="numpy", ensemble_size=1):
    """A hierarchy whose objects are registered with ``device``, in the parameters' precision."""
    # An "answer" is written through the row of its slot; Brian2 warns that order might matter.
    BrianLogger.suppress_hierarchy("brian2.codegen.generators.base")
    if device == "cuda_standalone":
        import brian2cuda  # noqa: F401 (registers the device and its preferences)
    set_preferences(parameters.dtype, codegen_target if device == "runtime" else None)
    if device == "runtime":
        reset_device("runtime")
    else:
        if device == "cuda_standalone":
            cuda.set_preferences()
        if get_device() is not all_devices[device]:
            set_device(device, build_on_run=False)
        get_device().reinit()
        get_device().activate(build_on_run=False)
    defaultclock.dt = parameters.time_step_ms * ms if parameters.takes_time else SLOT
    connect = {"connect": connect_densely} if parameters.dense else {}
    with quickly():
        hierarchy = Hierarchy(parameters, ensemble_size=ensemble_size, **connect)
    hierarchy.device, hierarchy.codegen_target = device, codegen_target
    return hierarchy


def back_to_runtime(dtype: str, codegen_target: str) -> None:
    """Let code objects be made for the runtime device, where others of another kind were made meanwhile."""
    if get_device() is not all_devices["runtime"]:
        reset_device("runtime")
    set_preferences(dtype, codegen_target)


def set_preferences(dtype: str, codegen_target: str | None) -> None:
    """Put every preference of Brian2 that decides bits or speed to what we say, whatever preference files say."""
    for section, (registered, _) in prefs.pref_register.items():
        if section.split(".")[0] != "logging":
            for name, preference in registered.items():
                prefs[f"{section}.{name}"] = preference.default
    prefs.core.default_float_dtype = np.dtype(dtype).type
    prefs.core.stop_on_keyboard_interrupt = False  # an interruption must not look like an end
    prefs.codegen.cpp.extra_compile_args_gcc = COMPILER_FLAGS
    compile_as_here()
    if codegen_target is not None:
        prefs.codegen.target = codegen_target
    if codegen_target == "cython":
        # Brian2 names what it keeps there by the code alone, and not by the flags it was compiled with
        prefs.codegen.runtime.cython.cache_dir = str(cython_cache())


def connect_densely(synapses, networks, batch):
    """Connect a Synapses all to all within each network, with dense loops."""
    dense(synapses, networks, batch).connect()
    if get_device() is all_devices["cpp_standalone"]:
        defer(synapses)


def generate(hierarchy, folder: Path, names: Names | None = None) -> dict[str, dict]:
    """Write a standalone program's sources into ``folder``.

    Parameters
    ----------
    hierarchy : Hierarchy
    folder : Path
    names : Names, optional
        What equations of a user's own may hold besides what they are given; so in the functions below.

    Returns
    -------
    arrays : dict
        Array name -> dtype, size (None: what it is set to) and role ("model", "foreign", "monitor").

    Notes
    -----
    The program stays and does what it is told (``conversation.h``). The number of slots is data: instead of a
    compiled-in duration, a run takes ``now.n_slots`` steps from step ``now.first_slot`` on, so that ``t`` goes on
    from chunk to chunk.
    """
    device, network = get_device(), hierarchy.network
    obey_gates(network, hierarchy.device, hierarchy.codegen_target)
    run_with(hierarchy, 0 * ms, names)  # registers the objects
    now = {name: device.get_array_name(hierarchy.clockwork.now.variables[name]) for name in ("first_slot", "n_slots")}
    step = repr(float(defaultclock.dt))
    clock_time = device.get_array_name(defaultclock.variables["t"])
    header, conversation, array = CONVERSATIONS[hierarchy.device]
    variables = _reachable(hierarchy, device)
    bindings = "\n".join(_binding(name, variable, array) for name, (variable, _) in variables.items())
    waiting = [obj for obj in network.sorted_objects if is_deferred(obj)]
    run = loop_over_slots(network, f"{now['first_slot']}[0]", f"{now['n_slots']}[0]", step, hierarchy.device)
    device.insert_code(
        "main",
        f"""
        {conversation} host;
        {bindings}
        for (;;)
        {{
            host.wait();
            {clock_time}[0] = {now["first_slot"]}[0]*{step};
            {run}
            {"".join(f"_do_deferred_{synapses.name}();" for synapses in waiting)}
            host.has_run(Network::_last_run_time);
        }}""",
    )
    device.build(directory=str(folder), compile=False, run=False)
    if hierarchy.device == "cuda_standalone":
        cuda.check_generated(device)
    for name in {"conversation.h", header}:
        shutil.copy(Path(__file__).with_name(name), folder)
    main, objects = next(folder.glob("main.c*")), folder / "objects.h"
    main.write_text(f'#include "{header}"\n' + main.read_text())
    objects.write_text("#pragma once\n#include <algorithm>\n" + "".join(map(changes, waiting)) + objects.read_text())
    allocating = next(folder.glob("objects.c*"))
    allocating.write_text(without_bodies(allocating.read_text()))
    return {
        name: {
            "dtype": np.dtype(variable.dtype).str,
            "size": None if variable.dynamic else int(np.prod(variable.size)),
            "role": role,
        }
        for name, (variable, role) in variables.items()
    }


def _binding(name, variable, array):
    """C++ that lets the host reach an array."""
    size = "" if variable.dynamic else f", {int(np.prod(variable.size))}"
    return f'host.bind("{name}", {array.format(get_device().get_array_name(variable, access_data=False))}{size});'


def _reachable(hierarchy, device):
    """Name -> (variable, role) of every array that the host may set or get.

    Notes
    -----
    On a GPU that is not the list of neurons that have an event, of which Brian2CUDA has several.
    """
    variables, is_on_gpu = {}, hierarchy.device == "cuda_standalone"
    for obj in hierarchy.network.sorted_objects:
        is_monitor = isinstance(obj, MONITORS)
        role = "monitor" if is_monitor else "foreign" if obj in hierarchy.foreign else "model"
        for name, variable in getattr(obj, "variables", {}).items():
            is_own = getattr(variable, "owner", None) is not None and variable.owner.name == obj.name
            if not is_own or variable not in device.arrays or (variable.read_only and not is_monitor):
                continue
            if is_on_gpu and name.endswith("space"):  # as Brian2CUDA itself tells them from other variables
                continue
            variables[f"{obj.name}.{name}"] = variable, role
    return variables


def run_with(hierarchy, duration, names):
    """Run the network with names from outside.

    Raises
    ------
    ParameterError
        If an equation holds a name that nobody knows.
    """
    try:
        with quickly():
            hierarchy.network.run(duration, namespace=offered(hierarchy, Names({}) if names is None else names))
    except BrianObjectException as error:
        found = explained(error)
        raise found from found.__cause__


def generate_extended(hierarchy, names):
    """Sources of a hierarchy that was extended: ``(key, place)``.

    Returns
    -------
    key : str
        Name of the program: a hash of all its generated sources.
    place : callable
        Folder -> arrays: puts the sources where they are to be compiled.
    """
    with scratch() as folder:
        arrays, digest = generate(hierarchy, folder / "sources", names), hashlib.sha256()
        paths = sorted((folder / "sources").rglob("*"))
        found = [
            (path.relative_to(folder / "sources"), path.read_bytes() if path.is_file() else None) for path in paths
        ]
    numbered = re.compile(rb"codeobject(_\d+)?")  # Brian2 counts code objects over the whole process
    for content in sorted(numbered.sub(b"codeobject", path.name.encode() + c) for path, c in found if c is not None):
        digest.update(content)

    def place(target):
        target.mkdir()
        for path, content in found:
            (target / path).mkdir() if content is None else (target / path).write_bytes(content)
        return arrays

    return program_key(digest.hexdigest(), device=hierarchy.device), place

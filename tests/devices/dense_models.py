"""Brian2 models that have nothing to do with ours, two of rates and two of spikes, dense or stock; also a program.

``python dense_models.py DEVICE DTYPE dense|stock DIRECTORY RESULT.npz``, DEVICE being numpy, cython, cpp_standalone, or
cuda_standalone (without monitors).
"""

import sys
from pathlib import Path

import numpy as np
from brian2 import (
    BrianLogger,
    Network,
    NeuronGroup,
    SpikeMonitor,
    StateMonitor,
    Synapses,
    defaultclock,
    ms,
    prefs,
    set_device,
)
from brian2.devices.device import get_device, reset_device

from cortex_model.devices import cuda
from cortex_model.devices.compilation import compile_program
from cortex_model.devices.dense import dense
from cortex_model.devices.program import cython_cache

N_RING, N_LATER = 150, 21


def ring(join):
    """Recurrent on a single group: a bump of rates, with synapses that tire (a differential equation each)."""
    group = NeuronGroup(N_RING, "du/dt = (lateral + input - u)/(10*ms) : 1\nrate : 1\nlateral : 1\ninput : 1")
    group.input = "exp(-((i - 70)/10.0)**2)"
    group.run_regularly("rate = clip(u, 0, 2)", when="start")
    synapses = join(Synapses(
        group, group,
        """weight : 1
           dtired/dt = (rate_pre - tired)/(50*ms) : 1 (clock-driven)
           lateral_post = weight*(1 - 0.1*tired)*rate_pre/N_incoming : 1 (summed)""",
        method="euler",
    ))  # fmt: skip
    synapses.connect()
    synapses.weight = "6*cos(2*pi*(i - j)/N_pre)"
    monitor = StateMonitor(synapses, "tired", record=[0, 70 * N_RING + 3, N_RING**2 - 1])
    return [group, synapses, monitor], lambda: {
        "rate": group.rate[:], "weight": synapses.weight[:], "tired": synapses.tired[:], "trace": monitor.tired,
    }  # fmt: skip


def coupling(join):
    """Two groups, one of them part of a larger group, coupled both ways, with Hebbian synapses that forget."""
    early = NeuronGroup(N_RING, "rate : 1\nfeedback : 1")
    whole = NeuronGroup(30, "rate : 1\ndrive : 1")
    later = whole[5 : 5 + N_LATER]
    early.rate = "clip(sin(0.3*i), 0, 1)"
    synapses = join(Synapses(
        early, later,
        """weight : 1
           scale : 1 (shared)
           drive_post = weight*rate_pre : 1 (summed)
           feedback_pre = scale*weight*rate_post + 0.01 : 1 (summed)""",
    ))  # fmt: skip
    synapses.connect()
    synapses.scale = 0.5
    synapses.weight = "0.02*cos(i + 2*j) + 0.01*rate_pre*i/N_pre"
    synapses.weight["i == j"] = "0.1*j"
    if join is dense or get_device().__class__.__name__ == "RuntimeDevice":  # stock cannot, on standalone
        synapses.weight[3, 2] = 0.25
        synapses.weight[4, :] = "0.01*j"
    else:
        synapses.weight["i == 3 and j == 2"] = 0.25
        synapses.weight["i == 4"] = "0.01*j"
    whole.run_regularly("rate = tanh(drive)", when="groups", order=1)
    early.run_regularly("rate = clip(0.9*rate + 0.1*feedback, 0, 1)", when="groups", order=2)
    synapses.run_regularly("weight += 0.01*rate_pre*rate_post\nweight = clip(weight, -1, 1)", when="end")
    synapses.run_regularly("weight -= 0.001*rate_post*rate_pre", when="end", order=1)
    monitor = StateMonitor(synapses, ["weight", "j"], record=[0, 65, 1000])
    return [early, whole, synapses, monitor], lambda: {
        "weight": synapses.weight[:], "drive": whole.drive[:], "feedback": early.feedback[:],
        "i": synapses.i[:], "j": synapses.j[:], "one": synapses.weight[3, 2], "row": synapses.weight[4, :],
        "trace": monitor.weight, "trace_j": monitor.j, "n_outgoing": synapses.N_outgoing_pre,
    }  # fmt: skip


def balanced(join):
    """Excitatory and inhibitory neurons with synaptic currents, all to all; excitation takes three time steps."""
    group = NeuronGroup(
        60,
        """dv/dt = (current - v)/(10*ms) : 1 (unless refractory)
           dcurrent/dt = -current/(5*ms) : 1
           drive : 1""",
        threshold="v > 1", reset="v = 0", refractory=2*ms, method="euler",
    )  # fmt: skip
    group.v, group.drive = "sin(1.0*i)", "0.5 + 0.02*i"
    group.run_regularly("current += drive", dt=5 * ms)
    excitatory = join(Synapses(group[:48], group, "weight : 1", on_pre="current_post += weight", delay=3 * ms))
    excitatory.connect()
    excitatory.weight = "0.02*(1 + cos(i + 3*j))"
    inhibitory = join(Synapses(group[48:], group, "weight : 1", on_pre="current_post -= weight"))
    inhibitory.connect()
    inhibitory.weight = "0.05 + 0.01*sin(i*j)"
    monitor = SpikeMonitor(group)
    return [group, excitatory, inhibitory, monitor], lambda: {"i": monitor.i, "v": group.v[:]}


def plastic(join):
    """STDP: traces that decay from event to event, weights that change at events of either end, custom events."""
    early = NeuronGroup(20, "phase : 1\nspeed : 1", events={"sent": "sin(speed*t/ms + phase) > 0.95"})
    early.speed, early.phase = "0.1 + 0.01*i", "i"
    later = NeuronGroup(15, "dv/dt = -v/(20*ms) : 1", threshold="v > 1", reset="v = 0", method="euler")
    synapses = join(Synapses(
        early, later,
        """weight : 1
           da/dt = -a/(20*ms) : 1 (event-driven)
           db/dt = -b/(20*ms) : 1 (event-driven)""",
        on_pre="v_post += weight\na += 0.01\nweight = clip(weight - b, 0, 1)",
        on_post="b += 0.01\nweight = clip(weight + a, 0, 1)",
        on_event={"pre": "sent"},
    ))  # fmt: skip
    synapses.connect()
    synapses.weight = "0.1 + 0.05*cos(i + j)"
    monitor = SpikeMonitor(later)
    return [early, later, synapses, monitor], lambda: {
        "i": monitor.i, "weight": synapses.weight[:], "a": synapses.a[:], "b": synapses.b[:],
    }  # fmt: skip


OF_SPIKES = {"balanced": balanced, "plastic": plastic}
MODELS = {"ring": ring, "coupling": coupling, **OF_SPIKES}


def dense_in_cython(synapses):
    """Only what is dense: cython compiles every code object by itself, two seconds each."""
    prefs.codegen.target = "cython"
    prefs.codegen.runtime.cython.cache_dir = f"{cython_cache()}-O0"
    try:
        return dense(synapses)
    finally:
        prefs.codegen.target = "numpy"


def simulate(device, dtype, kind, directory):
    """What all models hold after 40 ms, by name; on cpp_standalone also the bytes of stored index arrays."""
    if device == "cuda_standalone":
        return on_gpu(dtype, directory)
    BrianLogger.suppress_hierarchy("brian2")
    prefs.core.default_float_dtype = np.dtype(dtype).type
    prefs.codegen.cpp.extra_compile_args_gcc = ["-w", "-O0" if device == "cython" else "-O1"]
    if device == "cpp_standalone":
        set_device(device, build_on_run=False)
    else:
        reset_device("runtime")
        prefs.codegen.target = "numpy"
    defaultclock.dt = 1 * ms
    join = dense if kind == "dense" else lambda synapses: synapses
    if device == "cython":
        join = dense_in_cython
    joins = dict.fromkeys(MODELS, join)
    if device == "cython":
        joins["balanced"] = lambda synapses: synapses  # each code object takes seconds; it has none of its own kind
    objects, results = zip(*(model(joins[name]) for name, model in MODELS.items()), strict=True)
    Network(*objects).run(40 * ms)
    if device == "cpp_standalone":
        get_device().build(directory, compile=False, run=False)
        compile_program(Path(directory))
        get_device().run(directory, with_output=False)
    values = {f"{model}.{name}": np.array(value)
              for model, read in zip(MODELS, results, strict=True)
              for name, value in read().items()}  # fmt: skip
    if device == "cpp_standalone":
        files = list(Path(get_device().results_dir).iterdir())
        indices = [path for path in files if "__synaptic_" in path.name or "delay" in path.name]
        values["index_bytes"] = sum(path.stat().st_size for path in indices)
    return values


def on_gpu(dtype, directory):
    """What dense models of spikes hold after 40 ms, but what their monitors saw."""
    import brian2cuda  # noqa: F401 (registers the device and its preferences)

    prefs.core.default_float_dtype = np.dtype(dtype).type
    cuda.set_preferences()
    set_device("cuda_standalone", build_on_run=False)
    defaultclock.dt = 1 * ms
    objects, results = zip(*(model(dense) for model in OF_SPIKES.values()), strict=True)
    Network(*(obj for model in objects for obj in model if not isinstance(obj, SpikeMonitor))).run(40 * ms)
    get_device().build(directory, compile=False, run=False)
    cuda.compile_program(Path(directory))
    get_device().run(directory, with_output=False)
    return {f"{model}.{name}": np.array(value)
            for model, read in zip(OF_SPIKES, results, strict=True)
            for name, value in read().items() if name != "i"}  # fmt: skip


if __name__ == "__main__":
    np.savez(sys.argv[5], **simulate(*sys.argv[1:5]))

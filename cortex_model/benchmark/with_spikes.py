"""Neurons that spike, synapses that learn: ``python -m cortex_model.benchmark.with_spikes FOLDER JOB``."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from brian2 import BrianLogger, Network, NeuronGroup, SpikeMonitor, Synapses, defaultclock, get_device, ms, set_device

from cortex_model.devices.compilation import compile_program
from cortex_model.devices.dense import dense
from cortex_model.devices.session import set_preferences

#: Leaky neurons with synaptic currents and traces of their spikes; a threshold that goes up and down lets each fire.
NEURONS = """
du/dt = (current - u)/(10*ms) : 1
dcurrent/dt = -current/(5*ms) : 1
dtrace/dt = -trace/(20*ms) : 1
phase : 1
"""
THRESHOLD, RESET = "u + 0.3*sin(0.3*t/ms + phase) > 0.29", "u = 0\ntrace += 0.1"
#: Spike-timing-dependent plasticity: weights change at spikes of either end.
ON_PRE, ON_POST = "current_post += 0.01*weight\nweight -= 0.001*trace_post", "weight += 0.001*trace_pre"


def network(sizes: list[int], join: Callable[[Synapses], Synapses]) -> tuple[list, list, list]:
    """Groups, all-to-all Synapses between each and the next, and monitors of spikes; on whatever device is set.

    Parameters
    ----------
    sizes : list of int
    join : callable
        `cortex_model.devices.dense.dense`, or what returns the Synapses as they are.
    """
    options = {"threshold": THRESHOLD, "reset": RESET, "refractory": 5 * ms, "method": "euler"}
    groups, projections = [NeuronGroup(n, NEURONS, **options) for n in sizes], []
    for group in groups:
        group.phase = "i"
    for early, later in zip(groups, groups[1:], strict=False):
        synapses = join(Synapses(early, later, "weight : 1", on_pre=ON_PRE, on_post=ON_POST))
        synapses.connect()
        synapses.weight = "0.5*cos(i + j)"
        projections.append(synapses)
    return groups, projections, [SpikeMonitor(group, record=False) for group in groups]


def main(folder: Path, job: dict) -> None:
    """Leave the program of the job in the folder, run it once, and print how many spikes there were."""
    BrianLogger.suppress_hierarchy("brian2")
    set_preferences(job["dtype"], None)
    set_device("cpp_standalone", build_on_run=False)
    defaultclock.dt = 1 * ms
    parts = network(job["sizes"], dense if job["dense"] else lambda synapses: synapses)
    Network(*parts).run(job["milliseconds"] * ms)
    get_device().build(str(folder), compile=False, run=False)
    compile_program(folder)
    get_device().run(str(folder), with_output=False)
    print(json.dumps({"spikes": int(np.sum([monitor.num_spikes for monitor in parts[2]]))}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(sys.argv[2]))

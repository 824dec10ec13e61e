"""cuda_standalone: the sources can be generated on a machine without a GPU and without NVIDIA's compiler."""

import importlib.util
import json
import re
import subprocess
import sys

import pytest

from cortex_model.devices import cuda
from cortex_model.state.philox import CPP_PHILOX

pytestmark = pytest.mark.skipif(not importlib.util.find_spec("brian2cuda"), reason="needs brian2cuda (not found)")

#: In a process of its own, because brian2cuda changes preferences of Brian2 when it is imported.
GENERATE = """
import json, sys
from pathlib import Path
from cortex_model.devices.session import generate
from cortex_model.devices.simulation import Simulation
from cortex_model.parameters import HierarchyParameters
hierarchy = Simulation(HierarchyParameters(layer_sizes=(7, 5, 4)), "cuda_standalone").hierarchy
print(json.dumps(generate(hierarchy, Path(sys.argv[1]))))
"""
#: The same of spikes; then what becomes of them where Brian2CUDA would make code objects of its own.
GENERATE_SPIKES = """
import sys
from pathlib import Path
from brian2 import Network, NeuronGroup, Synapses, get_device, ms, prefs
from cortex_model.devices.dense import dense
from cortex_model.devices.session import generate
from cortex_model.devices.simulation import Simulation
from cortex_model.parameters import HierarchyParameters
p = HierarchyParameters(layer_sizes=(7, 5, 4), dynamics="spiking", learning_rule="backpropagation")
generate(Simulation(p, "cuda_standalone").hierarchy, Path(sys.argv[1]))
get_device().reinit()
get_device().activate(build_on_run=False)
prefs.devices.cuda_standalone.use_atomics = True
group = NeuronGroup(2, "v : 1", threshold="v > 1")
synapses = dense(Synapses(group, group, "weight : 1", on_pre="v_post += weight"))
synapses.connect()
Network(group, synapses).run(0*ms)
"""


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cuda") / "sources"
    run = subprocess.run([sys.executable, "-c", GENERATE, folder], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return folder, json.loads(run.stdout.splitlines()[-1])


def test_every_equation_has_its_kernel(generated):
    folder, _ = generated
    names = {path.name.split("_codeobject")[0] for path in (folder / "code_objects").glob("*.cu")}
    assert {"population_1_layer_response", "population_1_activation_reciprocal", "W_1_weight_update",
            "V_2_feedback_update", "W_1_summed_variable_basal_input_post"} <= names  # fmt: skip
    assert "__global__" in (folder / "code_objects" / "W_1_weight_update_codeobject.cu").read_text()
    assert (folder / "main.cu").exists() and (folder / "makefile").exists()


def test_kernels_draw_the_same_noise(generated):
    """The text is that of the C++ programs, which is compared with the reference bit by bit."""
    text = (generated[0] / "code_objects" / "population_1_noise_codeobject.cu").read_text()
    expected = CPP_PHILOX.replace("static inline", "static __host__ __device__ inline")
    squeezed = ["".join(words.split()) for words in (expected, text)]
    assert squeezed[0] in squeezed[1]


def test_the_manifest_is_that_of_a_program(generated):
    manifest = generated[1]
    assert manifest["W_1.weight"] == {"dtype": "<f4", "size": None, "role": "model"}
    assert {"now.n_slots", "schedule.sleep_gate", "stimuli.rate", "readout.rate"} <= set(manifest)


def test_the_number_of_slots_is_data(generated):
    text = (generated[0] / "main.cu").read_text()
    assert "network.run(_array_now_n_slots[0]*" in text
    assert "network.t = _array_now_first_slot[0]*" in text


def code_of(generated, name):
    text = (generated[0] / "code_objects" / f"{name}_codeobject.cu").read_text()
    start = text.index(f"void _run_{name}_codeobject()")
    return text[text.index("__global__") : start] if "__global__" in text else "", text[start:]


SUM, UPDATE = "W_1_summed_variable_basal_input_post", "W_1_weight_update"


def test_the_host_launches_no_kernel_whose_gate_is_closed(generated):
    """It asks its own copy of the schedule, before anything else."""
    row = "_array_defaultclock_timestep[0] - _array_now_first_slot[0]"
    for name in ("population_1_layer_response", UPDATE, "V_2_summed_variable_error_drive_post"):
        _, host = code_of(generated, name)
        first = re.search(r"HOST_CONSTANTS /+\s*(.*)", host)[1]
        assert re.fullmatch(rf"if \(!\w*_array_schedule_gate_\d+_gate\[{re.escape(row)}\]\) return;", first), name
        assert "cudaMemset" not in host, "a closed sum keeps its old value, and an open one writes all of it"


def test_dense_kernels_read_no_index_arrays_and_add_nothing_atomically(generated):
    for name in (SUM, UPDATE):
        kernel, _ = code_of(generated, name)
        assert "_synaptic_pre[" not in kernel and "_synaptic_post[" not in kernel and "atomic" not in kernel, name
        assert "const int _presynaptic_idx = " in kernel and "const int _postsynaptic_idx = " in kernel, name
    _, host = code_of(generated, "W_1_synapses_create_generator")
    assert "_synaptic_pre" not in host and "W_1_weight.resize(_n_synapses)" in host


def test_spikes_walk_rows_in_the_order_of_neurons(tmp_path):
    folder = tmp_path / "sources"
    run = subprocess.run([sys.executable, "-c", GENERATE_SPIKES, folder], capture_output=True, text=True)
    assert "must have prefs.devices.cuda_standalone.use_atomics = False where there is code for spikes" in run.stderr
    forward, weights, transposed = (
        code_of((folder, None), name)
        for name in ("W_1_forward_spikes", "W_1_hidden_weight_update", "V_2_top_transposed_update")
    )
    for kernel, host in (forward, weights, transposed):
        assert "atomic" not in kernel and "_synaptic_pre[" not in kernel and "_sorted[_rank] = _event" in kernel
        is_closed = host.index("_gate[_array_defaultclock_timestep[0]")
        assert is_closed < host.index("_sort_"), "a closed gate launches nothing"
    assert "blockIdx.y)\n            continue;" in forward[0], "one thread adds up what reaches a neuron"
    assert "_nth += gridDim.y" in weights[0] and "_nth += gridDim.y" in transposed[0]
    assert not list((folder / "code_objects").glob("before_run_*push_spikes*")), "there are no queues"


def test_sums_are_formed_in_the_precision_of_their_target(generated):
    kernel, _ = code_of(generated, SUM)
    assert "float _sums[" in kernel and "float _parts[" in kernel and "double" not in kernel


def test_noise_is_computed_in_double_precision_in_a_float32_program(generated):
    """Brian2CUDA writes an f behind every literal."""
    text = (generated[0] / "code_objects" / "population_1_noise_codeobject.cu").read_text()
    line = next(line for line in text[text.index("double noise(") :].splitlines() if "return" in line)
    assert not re.search(r"\d\.|\df", line) and "3900231685776981/(double)2251799813685248" in line
    assert 3900231685776981 / 2251799813685248 == 1.7320508075688772


def test_no_mathematics_is_approximate(generated):
    assert "fast" not in " ".join(cuda.FLAGS)
    assert "fast" not in (generated[0] / "makefile").read_text()

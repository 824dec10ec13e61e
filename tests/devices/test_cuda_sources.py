"""cuda_standalone: the sources can be generated on a machine without a GPU and without NVIDIA's compiler."""

import importlib.util
import json
import subprocess
import sys

import pytest

from cortex_model.philox import CPP_PHILOX

pytestmark = pytest.mark.skipif(not importlib.util.find_spec("brian2cuda"), reason="needs brian2cuda (not found)")

#: In a process of its own, because brian2cuda changes preferences of Brian2 when it is imported.
GENERATE = """
import json, sys
from pathlib import Path
import brian2cuda
from brian2 import prefs
backend = prefs.devices.cuda_standalone.cuda_backend
backend.detect_gpus, backend.gpu_id, backend.compute_capability = False, 0, 9.0
from cortex_model.devices.session import generate
from cortex_model.devices.simulation import Simulation
from cortex_model.parameters import HierarchyParameters
hierarchy = Simulation(HierarchyParameters(layer_sizes=(7, 5, 4)), "cuda_standalone").hierarchy
print(json.dumps(generate(hierarchy, Path(sys.argv[1]))))
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
    assert {"population_1_layer_response", "population_1_activation_reciprocal", "forward_1_weight_update",
            "feedback_2_feedback_update", "forward_1_summed_variable_basal_input_post"} <= names  # fmt: skip
    assert "__global__" in (folder / "code_objects" / "forward_1_weight_update_codeobject.cu").read_text()
    assert (folder / "main.cu").exists() and (folder / "makefile").exists()


def test_kernels_draw_the_same_noise(generated):
    """The text is that of the C++ programs, which is compared with the reference bit by bit."""
    text = (generated[0] / "code_objects" / "population_1_noise_codeobject.cu").read_text()
    expected = CPP_PHILOX.replace("static inline", "static __host__ __device__ inline")
    squeezed = ["".join(words.split()) for words in (expected, text)]
    assert squeezed[0] in squeezed[1]


def test_the_manifest_is_that_of_a_program(generated):
    manifest = generated[1]
    assert manifest["forward_1.weight"] == {"dtype": "<f4", "size": None, "role": "model"}
    assert {"now.n_slots", "schedule.noise_gate", "stimuli.rate", "readout.rate"} <= set(manifest)


def test_the_number_of_slots_is_data(generated):
    text = (generated[0] / "main.cu").read_text()
    assert "network.run(_array_now_n_slots[0]*" in text
    assert "network.t = _array_now_first_slot[0]*" in text


def test_every_gated_kernel_returns_while_its_gate_is_closed(generated):
    for name, gate in (
        ("population_1_layer_response", "response_gate"),
        ("forward_1_weight_update", "weight_update_gate"),
        ("feedback_2_summed_variable_apical_drive_post", "feedback_gate"),
    ):
        text = (generated[0] / "code_objects" / f"{name}_codeobject.cu").read_text()
        assert f"_array_now_{gate}[0]) return;" in text, name

"""`cortex-model devices` names each known reason why a GPU cannot be used, with what to do about it."""

import importlib.util
import re
import shutil

import pytest

from cortex_model.devices import cuda
from cortex_model.devices.availability import check_device, device_states
from cortex_model.errors import DeviceError

COMPILER = """#!/bin/sh
case "$1" in --version) echo "release 99.0, V99.0.0" ;; --list-gpu-arch) echo "compute_80 compute_90" ;; esac
"""
DRIVER = """#!/bin/sh
case "$1" in --query-gpu=*) echo "{gpu}" ;; *) echo "Driver Version: 1.0  CUDA Version: {cuda}" ;; esac
"""


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine that has what is named, and nothing else: ``machine("nvcc", gpu="H100, 9.0", cuda="12.4")``."""

    def make(*programs, gpu=None, cuda="99.0"):
        scripts = dict.fromkeys(programs, COMPILER) | {"nvidia-smi": DRIVER.format(gpu=gpu, cuda=cuda) if gpu else ""}
        for name, script in scripts.items():
            (tmp_path / name).write_text(script)
            (tmp_path / name).chmod(0o755 if script else 0o644)
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.setattr("cortex_model.devices.cuda.find_spec", lambda name: name in programs or None)

    return make


ALL = "brian2cuda", "nvcc", "g++"


@pytest.mark.parametrize(
    ("programs", "driver", "sentence"),
    [
        (("nvcc", "g++"), {"gpu": "H100, 9.0"}, r"no brian2cuda \(pip install 'cortex-model\[cuda\]'\)"),
        (("brian2cuda", "g++"), {"gpu": "H100, 9.0"}, r"no nvcc \(install NVIDIA's CUDA toolkit and put its bin"),
        (("brian2cuda", "nvcc"), {"gpu": "H100, 9.0"}, r"no g\+\+ \(.*apt install g\+\+\)"),
        (ALL, {}, r"no GPU \(nvidia-smi must list one; install NVIDIA's driver"),
        (ALL, {"gpu": "H100, 9.0", "cuda": "12.4"}, r"a driver for CUDA 99\.0 \(.*12\.4: update it, or .* CUDA 12 "),
        (ALL, {"gpu": "V100, 7.0"}, r"nvcc for compute capability 7\.0 \(not 99\.0: install another toolkit\)"),
    ],
    ids=["brian2cuda", "nvcc", "g++", "GPU", "driver", "architecture"],
)
def test_what_is_missing_is_named_alone_with_what_to_do(machine, programs, driver, sentence):
    machine(*programs, **driver)
    state = device_states()[-1]
    assert state.device == "cuda_standalone" and not state.can_run
    assert re.match(sentence, state.missing), state.missing
    assert not re.search(r"; (no|a driver for|nvcc for) ", state.missing), "nothing else is missing"
    with pytest.raises(DeviceError, match=sentence):
        check_device("cuda_standalone")


def test_where_nothing_is_missing_it_can_run(machine):
    machine(*ALL, gpu="NVIDIA H100 80GB HBM3, 9.0")
    state = device_states()[-1]
    assert state.can_run and state.missing == ""
    assert state.found == "brian2cuda, nvcc 99.0, g++, NVIDIA H100 80GB HBM3"
    check_device("cuda_standalone")


def test_programs_are_compiled_for_the_card_that_is_there(machine):
    machine(*ALL, gpu="NVIDIA A100, 8.0")
    assert cuda.compiler()[-1] == "-arch=sm_80"
    assert cuda.card() == cuda.Card("NVIDIA A100", 8.0, 99.0)


def test_without_a_card_programs_are_compiled_for_the_default(machine):
    machine(*ALL)
    assert cuda.card() is None
    assert cuda.compiler()[-1] == f"-arch=sm_{round(10 * cuda.DEFAULT_CAPABILITY)}"


def test_without_nvcc_there_is_no_program(machine):
    machine("brian2cuda", "g++", gpu="NVIDIA A100, 8.0")
    with pytest.raises(DeviceError, match=r"must find NVIDIA's compiler nvcc .*`cortex-model devices`"):
        cuda.compiler()


def test_this_machine_is_described_as_it_is():
    found, missing = cuda.found_and_missing()
    assert ("brian2cuda" in found) == (importlib.util.find_spec("brian2cuda") is not None)
    assert ("g++" in found) == (shutil.which("g++") is not None)
    assert any(text.startswith("no nvcc") for text in missing) == (not cuda.toolkit())

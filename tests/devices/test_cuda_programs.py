"""Programs for a GPU give what theory predicts, and the same bits however they are cut: on a GPU, where there is one.

Everywhere else the same sources run on ``emulated_gpu``: a compiler on PATH, in NVIDIA's place, whose programs run
kernels thread by thread on the processor, with memory of the GPU apart from that of the host.
"""

import importlib.util
import os
from pathlib import Path

import numpy as np
import pytest

from cortex_model.devices import cuda
from cortex_model.devices.simulation import Simulation
from cortex_model.errors import DeviceError

pytestmark = pytest.mark.skipif(not importlib.util.find_spec("brian2cuda"), reason="needs brian2cuda (not found)")
DEVICE = "cuda_standalone"


@pytest.fixture(
    params=[
        pytest.param("emulated", marks=[pytest.mark.compiler, pytest.mark.slow]),
        pytest.param("real", marks=[pytest.mark.gpu, pytest.mark.nvcc]),
    ]
)
def gpu(request, monkeypatch):
    """A GPU and its compiler."""
    if request.param == "emulated":
        monkeypatch.setenv("PATH", str(Path(__file__).parent / "emulated_gpu"), prepend=os.pathsep)
    assert (cuda.card().name == "emulated GPU") == (request.param == "emulated")
    return request.param


def test_programs_give_what_theory_predicts(gpu, scenario, check_simulator_equals_theory, program):
    given = scenario(n_wake=30, evaluate_every=12, **program)
    check_simulator_equals_theory(given, DEVICE, 1e-12)


def test_float32_programs_give_what_theory_predicts(gpu, scenario, check_simulator_equals_theory):
    check_simulator_equals_theory(scenario(n_wake=30, evaluate_every=12, dtype="float32"), DEVICE, 5e-6)


def test_populations_of_many_blocks_give_what_theory_predicts(gpu, scenario, check_simulator_equals_theory):
    """More rows and columns than the 32 and 16 of a block, and not multiples of them."""
    given = scenario(n_wake=4, layer_sizes=(70, 45, 33, 4), evaluate_every=2, feedback_to_input=True)
    check_simulator_equals_theory(given, DEVICE, 1e-12)


def test_chunks_and_resumption_change_no_bit(gpu, scenario, programs):
    many = scenario(n_wake=30, evaluate_every=12, **programs["softplus"])
    stops, simulation = [], Simulation(many.parameters, DEVICE)
    end = simulation.run(*many[1:], at_stop=lambda stop: stops.append((stop.last, stop.weights, stop.gains)))
    again = simulation.run(*many[1:])
    assert again.weights.sha256 == end.weights.sha256
    for last, weights, gains in stops[1:-1:2]:
        resumed = Simulation(many.parameters, DEVICE).run(
            many.schedule, many.stimuli, weights, many.numbers, first_slot=last, gains=gains
        )
        assert resumed.weights.sha256 == end.weights.sha256
        assert np.array_equal(resumed.rates, end.rates)


@pytest.mark.nvcc
@pytest.mark.slow
def test_nvcc_accepts_the_sources(scenario):
    """All of them, for the card that is there or for the default one."""
    simulation = Simulation(scenario().parameters, DEVICE)
    simulation.build()
    assert (simulation._program.directory / "main").stat().st_mode & 0o100


@pytest.mark.parametrize(
    ("add", "sentence"),
    [
        (lambda h: h.record(1, "rate"), r"recorded_1_rate\w*: must not have monitors"),
        (
            lambda h: h.populations[1].run_regularly("bias = randn()", name="jitter"),
            "population_1: must not draw Brian2's random numbers",
        ),
    ],
    ids=["monitor", "randn"],
)
def test_what_starts_anew_with_each_chunk_is_refused(gpu, scenario, add, sentence):
    one = scenario()
    simulation = Simulation(one.parameters, DEVICE)
    add(simulation.hierarchy)
    with pytest.raises(DeviceError, match=rf"^cuda_standalone\.{sentence}, .* or another device"):
        simulation.run(*one[1:])


@pytest.mark.compiler
def test_sources_that_nvcc_refuses_are_named(scenario, tmp_path, monkeypatch):
    (tmp_path / "nvcc").write_text(
        '#!/bin/sh\n[ "$1" = --version ] && echo "release 99.0" || { echo bad >&2; exit 1; }\n'
    )
    (tmp_path / "nvcc").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with pytest.raises(DeviceError, match=r"^cuda_standalone: nvcc must accept .* \(got: bad\)"):
        Simulation(scenario().parameters, DEVICE).build()

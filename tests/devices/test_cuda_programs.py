"""Programs for a GPU give what theory predicts, and the same bits however they are cut: on a GPU, where there is one.

Everywhere else the same sources run on ``emulated_gpu``: a compiler on PATH, in NVIDIA's place, whose programs run
kernels thread by thread on the processor, with memory of the GPU apart from that of the host.
"""

import dataclasses
import importlib.util
import os
from pathlib import Path

import numpy as np
import pytest
from brian2 import NeuronGroup

from cortex_model.devices import cuda
from cortex_model.devices.simulation import Member, Simulation
from cortex_model.errors import DeviceError
from cortex_model.schedule import ASCENDING
from cortex_model.philox import population_noise

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


@pytest.mark.parametrize("name", ["linear", "threshold_linear", "softplus"])
def test_programs_give_what_theory_predicts(gpu, scenario, check_simulator_equals_theory, programs, name):
    """Between them every sleep step, pool and normalisation, and all kinds of noise."""
    given = scenario(n_wake=30, evaluate_every=12, **programs[name])
    check_simulator_equals_theory(given, DEVICE, 1e-12)


def test_float32_programs_give_what_theory_predicts(gpu, scenario, check_simulator_equals_theory):
    check_simulator_equals_theory(scenario(n_wake=30, evaluate_every=12, dtype="float32"), DEVICE, 5e-6)


def test_populations_of_many_blocks_give_what_theory_predicts(gpu, scenario, check_simulator_equals_theory):
    """More rows and columns than the 32 and 16 of a block, and not multiples of them."""
    given = scenario(n_wake=4, layer_sizes=(70, 45, 33, 4), evaluate_every=2, feedback_to_input=True)
    check_simulator_equals_theory(given, DEVICE, 1e-12)


def test_the_order_of_threads_changes_no_bit(gpu, scenario, simulate, monkeypatch):
    """On a GPU it varies by itself."""
    many = scenario(n_wake=6, batch_size=3, layer_sizes=(21, 37, 18, 4), damping=0.4, evaluate_every=9)
    weights, _ = simulate(many, DEVICE)
    monkeypatch.setenv("EMULATED_GPU_BACKWARDS", "1")
    assert simulate(many, DEVICE)[0].sha256 == weights.sha256


def test_chunks_and_resumption_change_no_bit(gpu, scenario, programs):
    many = scenario(n_wake=30, evaluate_every=12, **programs["softplus"])
    stops, simulation = [], Simulation(many.parameters, DEVICE)
    end = simulation.run(*many[1:], at_stop=lambda stop: stops.append((stop.last, stop.weights, stop.gains)))
    again = simulation.run(*many[1:], first_presentation=0)
    assert again.weights.sha256 == end.weights.sha256
    for last, weights, gains in stops[1:-1:2]:
        resumed = Simulation(many.parameters, DEVICE).run(
            many.schedule, many.stimuli, weights, many.numbers, first_slot=last, gains=gains
        )
        assert resumed.weights.sha256 == end.weights.sha256
        assert np.array_equal(resumed.rates, end.rates)


@pytest.mark.parametrize("size", [3, 19], ids="batches of {}".format)
def test_batches_give_what_runtime_gives(gpu, scenario, simulate, difference, size):
    """Fewer presentations than a kernel sums at once, and more that are not a multiple of them."""
    many = scenario(n_wake=2 * size, batch_size=size, layer_sizes=(21, 37, 18, 4), damping=0.4, evaluate_every=9)
    (weights, rates), (expected, expected_rates) = simulate(many, DEVICE), simulate(many, "runtime")
    assert difference(expected, many.weights) > 1e-4
    assert difference(weights, expected) <= 1e-12
    assert np.abs(rates - expected_rates).max() <= 1e-12


def test_each_network_of_an_ensemble_has_the_bits_that_it_has_alone(gpu, scenario, simulate):
    scenarios = [scenario(n_wake=24, batch_size=4, seed=seed, damping=0.2 * seed) for seed in range(3)]
    simulation = Simulation(scenarios[0].parameters, DEVICE, ensemble_size=3)
    members = [Member(each.schedule, each.weights, each.numbers) for each in scenarios]
    outcomes = simulation.run_ensemble(members, scenarios[0].stimuli)
    alone = Simulation(scenarios[0].parameters, DEVICE)
    for each, outcome in zip(scenarios, outcomes, strict=True):
        assert outcome.weights.sha256 == simulate(each, simulation=alone)[0].sha256
    assert len({outcome.weights.sha256 for outcome in outcomes}) == 3


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_noise_is_that_of_every_device_to_the_bit(gpu, scenario, dtype):
    one = scenario(n_wake=1, dtype=dtype)
    n_slots = 1 + int(np.flatnonzero(one.schedule.kind == ASCENDING)[0])
    columns = {name: getattr(one.schedule, name)[:n_slots] for name in ("kind", "presentation", "stimulus")}
    schedule = dataclasses.replace(one.schedule, **columns, looks=np.array([n_slots]))
    simulation = Simulation(one.parameters, DEVICE)
    simulation.run(schedule, one.stimuli, one.weights, one.numbers)
    presentation = int(schedule.presentation[-1])
    for level in (1, 2, 3):
        (rates,) = simulation._program.get([f"population_{level}.rate"]).values()
        noise = population_noise(one.numbers["noise_seed"], presentation, level, len(rates))
        assert np.array_equal(rates, noise.astype(dtype)) and np.ptp(rates) > 0


@pytest.mark.nvcc
@pytest.mark.slow
def test_nvcc_accepts_the_sources(scenario):
    """All of them, with networks and batches, for the card that is there or for the default one."""
    simulation = Simulation(scenario(batch_size=19, dtype="float32").parameters, DEVICE, ensemble_size=2)
    simulation.build()
    assert (simulation._program.directory / "main").stat().st_mode & 0o100


@pytest.mark.parametrize(
    ("add", "sentence"),
    [
        (lambda h: h.record(1, "rate"), r"recorded_1_rate\w*: must not have monitors"),
        (
            lambda h: h.add(NeuronGroup(1, "dv/dt = -v/(5*ms) + xi/ms**0.5 : 1", method="euler", name="restless")),
            "restless: must not draw Brian2's random numbers",
        ),
    ],
    ids=["monitor", "randn"],
)
def test_what_starts_anew_with_each_chunk_is_refused(gpu, scenario, add, sentence):
    one = scenario()
    simulation = Simulation(one.parameters, DEVICE)
    add(simulation.hierarchy)
    with pytest.raises(DeviceError, match=rf"^cuda_standalone\.{sentence}.*, since .*; use another device"):
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

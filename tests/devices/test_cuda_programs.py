"""Programs for a GPU give what theory predicts, and the same bits however they are cut: on a GPU, where there is one.

Everywhere else the same sources run on ``emulated_gpu``: a compiler on PATH, in NVIDIA's place, whose programs run
kernels thread by thread on the processor, with memory of the GPU apart from that of the host.
"""

import dataclasses
import importlib.util
import os
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from brian2 import NeuronGroup

from cortex_model.devices import cuda
from cortex_model.devices.simulation import NetworkRun, Simulation
from cortex_model.errors import DeviceError
from cortex_model.schedule import SLEEP
from cortex_model.state.philox import population_noise

pytestmark = pytest.mark.skipif(not importlib.util.find_spec("brian2cuda"), reason="needs brian2cuda (not found)")
DEVICE = "cuda_standalone"
MODELS = Path(__file__).parent / "dense_models.py"


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


@pytest.mark.parametrize("name", ["linear", "threshold_linear"])
def test_every_rule_gives_what_is_declared(gpu, scenario, check_equals_interpreter, programs, name):
    """Between them every sleep step, pool and normalisation, and all kinds of noise; one program each."""
    simulation = Simulation(scenario(**programs[name]).parameters, DEVICE)
    for rule in ("reciprocal", "hinton_mcclelland", "ben_israel", "kolen_pollack"):
        options = {"damping": 0.3, "learning_rule": rule}
        options |= {"forward_sleep_learning_rate": 0.005} if rule in ("reciprocal", "hinton_mcclelland") else {}
        given = scenario(n_wake=12, evaluate_every=5, **programs[name] | options)
        check_equals_interpreter(given, tolerance=1e-12, simulation=simulation)


def test_populations_of_many_blocks_in_float32(gpu, scenario, check_equals_interpreter, alone):
    """More rows and columns than the 32 and 16 of a block, and not multiples of them."""
    alone("reciprocal")
    given = scenario(
        n_wake=4, layer_sizes=(70, 45, 33, 4), evaluate_every=2, feedback_to_input=True, dtype="float32",
        chunk_presentations=5,
    )  # fmt: skip
    check_equals_interpreter(given, DEVICE, 5e-6)


def test_the_order_of_threads_changes_no_bit(gpu, scenario, simulate, monkeypatch, alone):
    """On a GPU it varies by itself."""
    alone("reciprocal")
    many = scenario(n_wake=19, batch_size=19, layer_sizes=(21, 37, 18, 4), damping=0.4)
    weights, _ = simulate(many, DEVICE)
    monkeypatch.setenv("EMULATED_GPU_BACKWARDS", "1")
    assert simulate(many, DEVICE)[0].sha256 == weights.sha256


def test_chunks_and_resumption_change_no_bit(gpu, scenario, programs):
    gains = {"damping": 0.5, "feedback_gain": "norm_matched", "gain_update_presentations": 11}
    many = scenario(n_wake=20, evaluate_every=8, chunk_presentations=13, **programs["threshold_linear"] | gains)
    states, simulation = [], Simulation(many.parameters, DEVICE)
    end = simulation.run(*many[1:], callback=lambda s: states.append((s.last, s.weights, s.remembered)))
    again = simulation.run(*many[1:], first_presentation=0)
    assert again.weights.sha256 == end.weights.sha256
    for last, weights, remembered in states[1:-1:2]:
        resumed = simulation.run(many.schedule, many.stimuli, weights, many.numbers, n_done=last, remembered=remembered)
        assert resumed.weights.sha256 == end.weights.sha256
        assert np.array_equal(resumed.rates, end.rates)


def test_batches_give_what_is_declared(gpu, scenario, check_equals_interpreter, alone):
    """More presentations than a kernel sums at once, and not a multiple of them."""
    alone("reciprocal")
    many = scenario(n_wake=38, batch_size=19, layer_sizes=(21, 37, 18, 4), damping=0.4)
    check_equals_interpreter(many, DEVICE, 1e-12)


def test_each_network_of_an_ensemble_has_the_bits_that_it_has_alone(gpu, scenario, simulate, alone):
    alone("reciprocal")
    options = {"n_wake": 19, "batch_size": 19, "layer_sizes": (21, 37, 18, 4)}
    scenarios = [scenario(seed=seed, damping=0.2 * seed, **options) for seed in range(2)]
    simulation = Simulation(scenarios[0].parameters, DEVICE, ensemble_size=2)
    runs = [NetworkRun(each.schedule, each.weights, each.numbers) for each in scenarios]
    outcomes = simulation.run_ensemble(runs, scenarios[0].stimuli)
    alone = Simulation(scenarios[0].parameters, DEVICE)
    for each, outcome in zip(scenarios, outcomes, strict=True):
        assert outcome.weights.sha256 == simulate(each, simulation=alone)[0].sha256
    assert len({outcome.weights.sha256 for outcome in outcomes}) == 2


def test_noise_is_that_of_every_device_to_the_bit(gpu, scenario, alone):
    """In the single precision of a program that is compiled for another test."""
    alone("reciprocal")
    dtype = "float32"
    one = scenario(n_wake=1, dtype=dtype, layer_sizes=(70, 45, 33, 4), feedback_to_input=True)
    n = 1 + int(np.flatnonzero(one.schedule.phase == SLEEP)[0])
    columns = {name: getattr(one.schedule, name)[:n] for name in ("phase", "stimulus")}
    schedule = dataclasses.replace(one.schedule, **columns, measured=np.array([n]))
    simulation = Simulation(one.parameters, DEVICE)
    simulation.run(schedule, one.stimuli, one.weights, one.numbers)
    presentation = int(schedule.presentation[-1])
    for level in (0, 1, 2):
        (rates,) = simulation._program.get([f"population_{level}.rate"]).values()
        noise = population_noise(one.numbers["noise_seed"], presentation, level, len(rates))
        assert np.array_equal(rates, noise.astype(dtype)) and np.ptp(rates) > 0


SPIKING = {"dynamics": "spiking", "layer_sizes": (7, 5, 4, 6), "firing_threshold": 0.2, "top_error_rate": 0.17,
           "presentation_ms": 30.0, "feedback_onset_ms": 10.0, "sleep_ms": 20.0, "sleep_onset_ms": 5.0,
           "sleep_amplitude": 2.0}  # fmt: skip


def test_spikes_do_what_they_do_on_every_device(gpu, scenario, simulate, difference, monkeypatch, alone):
    """Whichever thread finds a spike first, each neuron adds up what reaches it in the order of neurons."""
    alone("reciprocal")
    given = scenario(n_wake=9, evaluate_every=4, **SPIKING)
    expected, expected_rates = simulate(given)
    simulation = Simulation(given.parameters, DEVICE)
    weights, rates = simulate(given, simulation=simulation)
    assert difference(expected, given.weights) > 1e-4 and np.ptp(expected_rates) > 0
    assert difference(weights, expected) <= 1e-12
    assert np.abs(rates - expected_rates).max() <= 1e-12
    monkeypatch.setenv("EMULATED_GPU_BACKWARDS", "1")
    assert simulate(given, DEVICE)[0].sha256 == weights.sha256


def test_spikes_of_models_that_are_not_ours_do_what_stock_brian_does(gpu, tmp_path):
    """Delays, groups within groups, refractory neurons, events of either end; in a process, for Brian2CUDA's sake."""
    command = [sys.executable, MODELS, DEVICE, "float64", "dense", tmp_path / "program", tmp_path / "result.npz"]
    subprocess.run([str(part) for part in command], check=True, capture_output=True)
    stock = runpy.run_path(str(MODELS))["simulate"]("numpy", "float64", "stock", None)
    found = dict(np.load(tmp_path / "result.npz"))
    assert set(found) == {"balanced.v", "plastic.weight", "plastic.a", "plastic.b"}
    for name, got in found.items():
        assert np.ptp(got) > 0
        np.testing.assert_allclose(got, stock[name], rtol=0, atol=1e-12 * np.abs(stock[name]).max(), err_msg=name)


@pytest.mark.nvcc
@pytest.mark.slow
@pytest.mark.parametrize("what", [{"batch_size": 19}, {"dynamics": "spiking"}], ids=["batches", "spikes"])
def test_nvcc_accepts_the_sources(scenario, alone, monkeypatch, what):
    """With several networks, for the card that is there or for the default one; the host's code as it stands."""
    alone("reciprocal")
    monkeypatch.setattr(cuda, "FLAGS", ["-O0" if flag == "-O3" else flag for flag in cuda.FLAGS])
    given = scenario(dtype="float32", layer_sizes=(5, 4, 3), **what)
    simulation = Simulation(given.parameters, DEVICE, ensemble_size=2)
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
def test_what_starts_anew_with_each_chunk_is_refused(gpu, scenario, add, sentence, alone):
    alone("reciprocal")
    one = scenario()
    simulation = Simulation(one.parameters, DEVICE)
    add(simulation.hierarchy)
    with pytest.raises(DeviceError, match=rf"^cuda_standalone\.{sentence}.*, since .*; use another device"):
        simulation.run(*one[1:])


@pytest.mark.compiler
def test_sources_that_nvcc_refuses_are_named(scenario, tmp_path, monkeypatch, alone):
    alone("reciprocal")
    (tmp_path / "nvcc").write_text(
        '#!/bin/sh\n[ "$1" = --version ] && echo "release 99.0" || { echo bad >&2; exit 1; }\n'
    )
    (tmp_path / "nvcc").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with pytest.raises(DeviceError, match=r"^cuda_standalone: the compiler must accept .* \(got: bad\)"):
        Simulation(scenario().parameters, DEVICE).build()

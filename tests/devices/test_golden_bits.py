"""Weights of small float32 runs in compiled C++, kept as SHA-256: a change of structure must leave every bit.

The bits depend on compiler, flags and processor, so they are kept by machine. On a machine that has none, run this file
once before a change with ``CORTEX_MODEL_KEEP_BITS=1``, and after it without.
"""

import json
import os
from pathlib import Path

import pytest
from threadpoolctl import threadpool_limits

from cortex_model.devices.compilation import COMPILER_FLAGS, compiler_version
from cortex_model.devices.program import _processor
from cortex_model.devices.simulation import Simulation
from cortex_model.parameters import content_hash

KEPT = Path(__file__).with_name("golden_bits.json")
SETTLED = {"dtype": "float32", "damping": 0.5, "forward_sleep_learning_rate": 0.005, "sleep_before_presentations": 5}
LEAKY = {"dtype": "float32", "dynamics": "leaky", "presentation_ms": 20.0, "feedback_onset_ms": 10.0, "damping": 0.5,
         "forward_delay_ms": (2.0,), "feedback_delay_ms": (3.0,)}  # fmt: skip
#: Runs that share a program stand together.
CASES = {
    **{rule: SETTLED | {"learning_rule": rule} for rule in (
        "reciprocal", "random_feedback", "backpropagation", "exact_pseudoinverse", "weight_mirror", "kolen_pollack")},
    "norm_matched gain": SETTLED | {"feedback_gain": "norm_matched", "gain_update_presentations": 7},
    "direct_feedback": SETTLED | {"learning_rule": "direct_feedback"},
    "hinton_mcclelland": SETTLED | {"learning_rule": "hinton_mcclelland", "feedback_gain": "none", "damping": 0.0},
    "leaky reciprocal": LEAKY | {"forward_sleep_learning_rate": 0.005},
    "leaky random_feedback": LEAKY | {"learning_rule": "random_feedback"},
    "leaky backpropagation": LEAKY | {"learning_rule": "backpropagation"},
    "batches": SETTLED | {"batch_size": 3, "presynaptic_normalisation": True, "sleep_normalisation": True,
                          "feedback_to_input": True},
    "wake_sleep": {"learning_rule": "wake_sleep", "dtype": "float32", "learning_rate": 0.1, "batch_size": 3},
}  # fmt: skip


@pytest.fixture(scope="module")
def machine():
    return content_hash(compiler_version(), COMPILER_FLAGS, _processor())


@pytest.mark.compiler
@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_the_bits_are_those_that_were_kept(case, scenario, machine):
    kept = json.loads(KEPT.read_text())
    one = scenario(n_wake=60, **CASES[case])
    with threadpool_limits(1):
        found = Simulation(one.parameters, "cpp_standalone").run(*one[1:]).weights.sha256
    if os.environ.get("CORTEX_MODEL_KEEP_BITS"):
        kept.setdefault(machine, {})[case] = found
        KEPT.write_text(json.dumps(kept, indent=1) + "\n")
    if machine not in kept:
        pytest.skip("golden bits: kept for other machines only (see the top of this file)")
    assert found == kept[machine][case]


def test_every_case_is_kept():
    for machine, bits in json.loads(KEPT.read_text()).items():
        assert set(bits) == set(CASES), machine
        assert len(set(bits.values())) == len(bits), "two cases that do not differ"

"""Every protocol runs with its tiny parameters, and leaves behind what it promises."""

import numpy as np

from cortex_model.protocol import load_protocol
from cortex_model.results import RunDirectory


def test_run_leaves_a_finished_directory(tiny_summary, protocol_name):
    summary = tiny_summary(protocol_name)
    directory = RunDirectory.opened(summary["run_dir"])
    assert directory.state == "finished"
    assert directory.summary() == summary
    assert directory.weights().sha256 == summary["weights_sha256"]
    assert summary["warnings"] == []


def test_measures_are_finite_and_have_units(tiny_summary, protocol_name):
    measures = RunDirectory(tiny_summary(protocol_name)["run_dir"]).measures()
    n_looks = measures.sizes["look"]
    assert n_looks > 1
    for name, array in measures.items():
        assert array.dims[0] == "look" and np.isfinite(array).all(), name
        assert array.attrs["units"], name


def test_protocol_is_a_page_with_question_and_procedure(protocol_name):
    protocol = load_protocol(protocol_name)
    page = protocol.run.__globals__["__doc__"]
    assert protocol.name == protocol_name and protocol.question.endswith("?")
    assert all(f"\n{heading}" in page for heading in ("Question", "Procedure", "Measured"))

"""Every protocol runs with its tiny parameters, and leaves behind what it promises."""

import numpy as np

from cortex_model.protocol import load_protocol, protocol_folder, protocol_names
from cortex_model.results import RunDirectory
from cortex_model.running import start


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


def test_readme_lists_every_protocol_with_its_question():
    readme = (protocol_folder() / "README.md").read_text()
    for name in protocol_names():
        assert f"`cortex-model run {name}`" in readme
        assert load_protocol(name).question in readme


def test_protocol_of_the_readme_runs(tmp_path):
    readme = (protocol_folder() / "README.md").read_text()
    file = tmp_path / "narrowing.py"
    file.write_text(readme.split("```python\n")[1].split("```")[0])
    parameters = load_protocol(str(file)).parameters().with_overrides({"n_presentations": 300})
    summary = start(str(file), parameters, 0, "runtime", tmp_path)
    assert RunDirectory(summary["run_dir"]).measures()["condition_number"].sizes["look"] == 4
    assert summary["condition_number"] > 1

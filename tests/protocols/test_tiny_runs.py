"""Every protocol runs with its tiny parameters, and leaves behind what it promises."""

import numpy as np
import pytest

from cortex_model.errors import ParameterError
from cortex_model.protocol import load_protocol, protocol_folder, protocol_names
from cortex_model.runs.directory import RunDirectory
from cortex_model.runs.running import start


def test_run_leaves_a_finished_directory(tiny_summary, protocol_name):
    summary = tiny_summary(protocol_name)
    directory = RunDirectory.opened(summary["run_dir"])
    assert directory.state == "finished"
    assert directory.summary() == summary
    assert directory.weights().sha256 == summary["weights_sha256"]
    assert summary["warnings"] == []


def test_measures_are_finite_and_have_units(tiny_summary, protocol_name):
    measures = RunDirectory(tiny_summary(protocol_name)["run_dir"]).measures()
    is_comparison = any(name.endswith("_row_name") for name in measures)
    assert is_comparison or measures.sizes["look"] > 1
    for name, array in measures.items():
        assert is_comparison or array.dims[0] == "look", name
        assert array.dtype.kind in "OUS" or np.isfinite(array).all(), name
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
    blocks = (protocol_folder() / "README.md").read_text().split("```python\n")[1:]
    (example,) = (block for block in blocks if 'Protocol("narrowing"' in block)
    file = tmp_path / "narrowing.py"
    file.write_text(example.split("```")[0])
    parameters = load_protocol(str(file)).parameters().with_overrides({"n_presentations": 300})
    summary = start(str(file), parameters, 0, "runtime", tmp_path)
    assert RunDirectory(summary["run_dir"]).measures()["condition_number"].sizes["look"] == 4
    assert summary["condition_number"] > 1


@pytest.mark.parametrize(
    ("protocol", "sizes"), [("wake_sleep_classification", (64, 6, 5, 10)), ("wake_sleep_autoencoding", (64, 6, 5, 64))]
)
def test_weights_of_feedback_from_the_top_are_stored(protocol, sizes, tmp_path):
    loaded = load_protocol(protocol)
    given = {"learning_rule": "direct_feedback", "layer_sizes": sizes}
    parameters = loaded.parameters().with_overrides(loaded.tiny | given)
    summary = start(protocol, parameters, 0, "runtime", tmp_path)
    weights, n_top = RunDirectory(summary["run_dir"]).weights(), parameters.layer_sizes[-1]
    assert weights.sha256 == summary["weights_sha256"]
    assert {level: v.shape for level, v in weights.feedback.items()} == {
        level: (parameters.layer_sizes[level - 1], n_top) for level in parameters.feedback_layers
    }


def test_an_autoencoder_learns_to_reproduce_its_images(tmp_path):
    loaded = load_protocol("wake_sleep_autoencoding")
    given = {"learning_rule": "backpropagation", "learning_rate": 0.04, "layer_sizes": (64, 16, 64), "epochs": 3}
    summary = start(loaded.name, loaded.parameters().with_overrides(loaded.tiny | given), 0, "runtime", tmp_path)
    unexplained = summary["unexplained_percent"]
    assert len(unexplained) == 4 and unexplained[0] > 100 > 60 > unexplained[-1]
    measures = RunDirectory(summary["run_dir"]).measures()
    assert (np.diff(measures["training_loss"].values) < 0).all()


def test_an_autoencoder_must_end_as_large_as_it_begins(tmp_path):
    loaded = load_protocol("wake_sleep_autoencoding")
    parameters = loaded.parameters().with_overrides({"layer_sizes": "64,8,10"})
    with pytest.raises(ParameterError, match=r"must begin and end with the 64 pixels .* set layer_sizes=64,8,10,64"):
        start(loaded.name, parameters, 0, "runtime", tmp_path)

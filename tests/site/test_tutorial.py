"""The tutorial runs, its numbers are those that its sentences promise, and its kept outputs are of today's kind."""

import json
import re

import pytest

from cortex_model.site import tutorial

#: Appended to the notebook: what its sentences say, as numbers.
LOOK = """
import json
print(json.dumps({
    "angles": angles.mean(0).tolist(),
    "lesions": dict(zip((lesion.__name__ for lesion in lesions), correct[:, :, -1].mean(1).tolist())),
    "checked": [checked.holds and checked.difference is not None for checked in check_rule(str(rule_file))][1:],
    "oja": [float(run.measures()["alignment_angle_to_transpose_degrees"][-1, 0]) for run in runs.values()],
    "errors": [float(run.measures()["test_error_percent"][-1]) for run in runs.values()],
    "floors": distance.isel(look=-1).mean("seed").values.tolist(),
    "ceiling": list(comparison.noise_ceiling),
    "scores": {row.name: row.score for row in comparison.rows},
    "made": sorted(path.name for path in Path(".").iterdir()),
}))
"""


def text_of(output):
    """What an output says."""
    return output.get("text") or output.data.get("text/plain", "")


def outputs(cell):
    """Kinds of outputs of a cell, and the words in them."""
    for output in cell.get("outputs", []):
        yield output.output_type, sorted(output.get("data", {})), re.findall("[A-Za-z]{2,}", text_of(output))


def test_what_is_kept_is_small_and_names_no_machine():
    notebook, text = tutorial.read(tutorial.path()), tutorial.path().read_text()
    assert len(text) < 400_000
    assert tutorial.stripped(tutorial.read(tutorial.path())) == notebook
    pictures = [
        output for cell in notebook.cells for output in cell.get("outputs", []) if "image/png" in output.get("data", {})
    ]
    assert len(pictures) == 5 == text.count("caption(") - 1, "each figure says what it shows"
    kept = (cell.source + "".join(map(text_of, cell.get("outputs", []))) for cell in notebook.cells)
    shown = "".join(kept)
    assert not re.search(r"(?<![\w.])/(?:home|root|tmp|usr|var|work)/|site-packages", shown)
    assert not any(output.output_type == "error" for cell in notebook.cells for output in cell.get("outputs", []))


def test_pages_that_the_tutorial_links_to_exist():
    text = "".join(cell.source for cell in tutorial.read(tutorial.path()).cells if cell.cell_type == "markdown")
    links = re.findall(r"\]\((?!http)([^)#]+)", text)
    assert len(links) >= 4
    for link in links:
        assert (tutorial.path().parent / link).resolve().exists(), link


def test_lines_of_progress_warnings_and_times_are_not_kept():
    from nbformat.v4 import new_code_cell, new_notebook, new_output

    line = new_output("display_data", {"text/plain": "sleep: 5 of 5"}, metadata={"a": 1})
    table = new_output("execute_result", {"text/plain": "7", "text/html": "<b>7</b>"}, execution_count=9)
    warning = new_output("stream", name="stderr", text="/a/path: UserWarning")
    streams = [new_output("stream", name="stdout", text=text) for text in ("a\n", "b\n")]
    cell = new_code_cell(
        "x", execution_count=9, outputs=[line, *streams, warning, table], metadata={"execution": {"at": "noon"}}
    )
    about = {"language_info": {"name": "python", "version": "3.1"}}
    (cell,) = tutorial.stripped(new_notebook(cells=[cell], metadata=about)).cells
    stream, result = cell.outputs
    assert (stream.text, result.data, result.execution_count, cell.metadata) == ("a\nb\n", {"text/plain": "7"}, 1, {})


@pytest.mark.slow
def test_the_tutorial_runs_and_shows_what_it_says(tmp_path):
    from nbformat.v4 import new_code_cell

    kept = tutorial.read(tutorial.path())
    notebook = tutorial.read(tutorial.path())
    notebook.cells.append(new_code_cell(LOOK))
    *cells, last = tutorial.executed(notebook, tmp_path).cells
    for cell, before in zip(cells, kept.cells, strict=True):
        assert list(outputs(cell)) == list(outputs(before)), cell.source
    found = json.loads(last.outputs[0].text)
    first, end = found["angles"][0], found["angles"][-1]
    assert min(first) > 75 and max(end) < 15
    lesions = found["lesions"]
    assert lesions["intact"] > 0.95 and lesions["half_silent_then_sleep"] > 0.95
    assert lesions["all_silent"] < lesions["half_silent"] - 0.1 < lesions["intact"] - 0.1
    assert found["checked"] == [True, True, False, True], "it does not say what it is in spikes"
    assert max(found["errors"]) < 25 and found["oja"][1] < found["oja"][0] - 5
    assert found["floors"] == pytest.approx([0.01, 0.1, 0.3], rel=0.1)
    low, high = found["ceiling"]
    assert 0 < found["scores"]["untrained, population 2"] < found["scores"]["population 2"] < high and low < high
    assert not found["made"], "nothing is left in the folder in which one happens to be"

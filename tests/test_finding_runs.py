"""Runs are found again: what differs is in the list, one is shown in full, two beside each other."""

import json

import pytest

from cortex_model import run
from cortex_model.devices.availability import default_device
from cortex_model.runs.listing import differing, listed, selected

PROTOCOL = "wake_sleep_classification"
#: The program of tiny runs is compiled once for all tests.
DEVICE = default_device()


@pytest.fixture(scope="module")
def folder(tiny, tmp_path_factory):
    """Four finished runs of two rules and two rates, and one that was not started."""
    path = tmp_path_factory.mktemp("runs")
    for rule, rate, seed in (("reciprocal", 0.1, 0), ("reciprocal", 0.01, 0), ("random_feedback", 0.1, 1)):
        run(PROTOCOL, device=DEVICE, seed=seed, out=str(path), **tiny, learning_rule=rule, learning_rate=rate)
    return path


def test_the_list_says_what_differs(folder, command_line):
    rows, damaged = listed(folder)
    assert not damaged and len(rows) == 3
    assert set(differing(rows)) == {"learning_rule", "learning_rate"}
    status, out, _ = command_line("runs", folder)
    assert status == 0 and "test error" in out
    head, *lines = out.splitlines()
    assert head.split() == ["run", "state", "started", "seed", "learning_rule", "learning_rate", "result"]
    assert f"alike in all 3: protocol wake_sleep_classification, device {DEVICE}" in lines[-1]
    assert sum("random_feedback" in line for line in lines) == 1


def test_runs_are_selected_and_sorted(folder, command_line):
    rows, _ = listed(folder)
    assert [row.value("learning_rate") for row in selected(rows, {"learning_rule": "reciprocal"}, "learning_rate")] == [
        0.01, 0.1,
    ]  # fmt: skip
    by_error = selected(rows, {"seed": "0", "state": "finished"}, "final_test_error_percent")
    errors = [row.summary["final_test_error_percent"] for row in by_error]
    assert len(errors) == 2 and errors == sorted(errors)
    status, out, _ = command_line("runs", folder, "--where", "learning_rate=0.10", "--sort", "seed", "--json")
    found = json.loads(out)
    assert status == 0 and [row["seed"] for row in found] == ["0", "1"]
    assert found[0]["parameters"]["learning_rate"] == 0.1 and "final_test_error_percent" in found[0]["summary"]
    status, _, error = command_line("runs", folder, "--where", "learning_rat=0.1")
    assert status == 2 and error.startswith("--where: must name what a run has") and "learning_rate" in error


def test_one_run_is_shown_in_full(folder, command_line):
    rows, _ = listed(folder)
    chosen = next(row for row in rows if row.value("learning_rule") == "random_feedback")
    status, out, _ = command_line("show", chosen.directory.path, "--json")
    said = json.loads(out)
    assert status == 0 and said["question"].startswith("Does feedback learned in sleep train")
    assert {"learning_rule=random_feedback", "learning_rate=0.1", "epochs=1"} <= set(said["chosen"])
    assert not any(text.startswith("damping") for text in said["chosen"]), "what is by default is left out"
    assert said["go_on"] == f"cortex-model resume {chosen.directory.path} --set epochs=5"
    assert chosen.directory.parameters["learning_rule"] == "random_feedback"
    html = chosen.directory._repr_html_()
    assert html.startswith("<table>") and "<td>Does feedback learned" in html and "learning_rate=0.1" in html


def test_two_runs_are_laid_beside_each_other(folder, command_line):
    rows = selected(listed(folder)[0], {"learning_rule": "reciprocal"}, "learning_rate")
    one, other = (row.directory.path for row in rows)
    status, out, _ = command_line("diff", one, other, "--json")
    found = json.loads(out)
    assert status == 0 and found["learning_rate"] == ["0.01", "0.1"] and "weights_sha256" in found
    assert not {"learning_rule", "sources_sha256", "seed", "layer_sizes"} & found.keys()
    assert "They do not differ." in command_line("diff", one, one)[1]


def test_showing_a_run_executes_nothing_of_it(folder, tmp_path, tiny, command_line):
    """A protocol of one's own: its question is in its file, which is not run."""
    file = tmp_path / "own.py"
    file.write_text(
        "from cortex_model.protocol import Protocol, load_protocol\nimport pathlib\n"
        f"pathlib.Path({str(tmp_path / 'was_run')!r}).touch()\n"
        "its = load_protocol('wake_sleep_classification')\n"
        "PROTOCOL = Protocol('own', 'Mine?', its.parameters, its.run)\n"
    )
    path = run(file, device=DEVICE, out=str(tmp_path), **tiny).path
    (tmp_path / "was_run").unlink()
    for command in (["show", path], ["runs", tmp_path], ["diff", path, path]):
        assert command_line(*command)[0] == 0
    assert not (tmp_path / "was_run").exists()


def test_a_run_that_was_refused_is_not_said_to_be_one_to_go_on_with(folder, command_line, tmp_path):
    given = ["--set", f"start_from={next(folder.iterdir())}", "--set", "layer_sizes=64,7,10"]
    words = [*given, "--device", "runtime", "--out", str(tmp_path)]
    status, _, error = command_line("run", PROTOCOL, *words)
    assert status == 2 and "W_1 must have shape (7, 64)" in error
    (refused,) = tmp_path.iterdir()
    _, out, _ = command_line("show", refused)
    assert "refused" in out and "not possible" in out and "resume" not in out

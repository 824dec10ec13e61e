"""The stock figure shows every measure of runs of any protocol, and says what it leaves out."""

import json
import shutil
import warnings

import numpy as np
import pytest

from cortex_model.analysis.learning_curves import mean_and_interval
from cortex_model.errors import CortexModelWarning, ParameterError, RunError
from cortex_model.experiments import reproduce
from cortex_model.experiments.reproduce import figure_folder, load_figure
from cortex_model.reports import stock
from cortex_model.reports.reading import read_runs
from cortex_model.reports.settings import chapters_of
from cortex_model.reports.stock import stock_panels
from cortex_model.runs.directory import RunDirectory
from cortex_model.system.arrays import read_arrays, write_netcdf
from cortex_model.system.sources import load_module

OF_TASK = "curves_wake_sleep_classification"


@pytest.fixture
def caught(monkeypatch):
    """Each figure that is written, by name."""
    found, write = {}, reproduce.write_figure

    def kept(drawn, table, name, out):
        found[name] = drawn
        write(drawn, table, name, out)

    monkeypatch.setattr(reproduce, "write_figure", kept)
    return found


@pytest.mark.filterwarnings("ignore::cortex_model.errors.CortexModelWarning")
def test_curves_show_the_mean_and_interval_of_each_setting(runs_for, tmp_path, rows_of, caught):
    runs = runs_for("fig2b")
    printed = load_figure("curves").draw(runs, tmp_path)
    for ending in ("png", "pdf"):
        assert (tmp_path / f"{OF_TASK}.{ending}").stat().st_size > 5000
    shown = rows_of(tmp_path / f"{OF_TASK}.csv")
    for rule in ("backpropagation", "reciprocal", "random_feedback"):
        its = [run for run in runs if run.description()["parameters"]["learning_rule"] == rule]
        values = [run.measures()["test_error_percent"].values for run in its]
        line = [r for r in shown if (r["measure"], r["setting"]) == ("Test error (%)", f"learning_rule {rule}")]
        means = [row for row in line if row["seed"] == "mean"]
        for key, expected in zip(("value", "low", "high"), mean_and_interval(values), strict=True):
            np.testing.assert_allclose([float(row[key]) for row in means], expected)
        assert {row["seed"] for row in line} == {"0", "1", "mean"}
        assert any(row["setting"] == f"learning_rule {rule}" and row["measure"] == "test error (%)" for row in printed)
    style = load_module(figure_folder() / "style.py")
    figure = caught[OF_TASK]
    assert style.letters_of(figure) == list("ABCDEFGHI")
    said = " ".join(style.statement_in(figure).split())
    assert (
        said.startswith("digits, 64-") and "2 seeds, thin lines: single seeds, thick: their mean, bands: 95 %" in said
    )
    first = {line.get_color() for line in figure.axes[0].lines}
    assert first == {style.COLOURS[r] for r in ("backpropagation", "reciprocal, damping 10", "random feedback")}


def test_errors_come_first_then_angles_and_what_is_left_out_is_said(runs_for, monkeypatch):
    (chapter,) = chapters_of(read_runs(runs_for("fig2b"))[0])
    panels, left_out = stock_panels(chapter)
    titles = [panel.title for panel in panels]
    assert titles[0] == "Test error (%)" and titles[3] == "V to W⁺ (degrees)"
    assert any(sentence.startswith("Not drawn, 9 panels are the most: ") for sentence in left_out)
    assert any("(projections, populations or neurons): D, E, F" in sentence for sentence in left_out)
    names = {name for run in chapter.runs for name in run.measures} - set(stock.TIMES)
    monkeypatch.setattr(stock, "MOST", 26)
    panels, left_out = stock_panels(chapter)
    n_constant = sum(sentence.count(";") + 1 for sentence in left_out if "the same at every look" in sentence)
    assert len(panels) + n_constant == len(names), "every measure is a panel, or said to be none"


def test_any_protocol_has_curves(runs_for, tmp_path):
    """Without a word about each; what is left out is said only where there is something."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CortexModelWarning)
        load_figure("curves").draw([*runs_for("fig1a"), *runs_for("fig1b")], tmp_path)
    written = {path.name for path in tmp_path.glob("*.png")}
    assert written == {"curves_pseudoinverse_alignment.png", "curves_recirculation_dynamics.png"}


def test_what_is_not_finished_or_has_no_mean_is_said(runs_for, tmp_path, resealed):
    runs = [run for run in runs_for("fig2b") if run.description()["parameters"]["learning_rule"] == "reciprocal"]
    begun = RunDirectory.created(tmp_path / "begun", runs[0].description() | {"seed": 7})
    other = RunDirectory(shutil.copytree(runs[0].path, tmp_path / "other"))
    (other.path / "parameters.json").write_text(json.dumps(runs[0].description() | {"seed": 8}))
    measures = read_arrays(other.path / "measures.nc")
    measures["wake_presentations"].values[-1] += 1
    write_netcdf(other.path / "measures.nc", measures)
    resealed(other.path)
    with pytest.warns(CortexModelWarning) as told:
        load_figure("curves").draw([*runs, begun, other], tmp_path / "out")
    said = [str(each.message) for each in told]
    assert "Left out, not finished: 1 run." in said
    assert "No mean, seeds were looked at after different presentations: all runs." in said
    assert any(sentence.startswith("begun: has not finished") for sentence in said)


def test_nothing_to_draw_is_said(runs_for, tmp_path):
    with pytest.raises(RunError, match=r"^curves: must be given finished runs \(got none\)"):
        load_figure("curves").draw([], tmp_path)
    begun = RunDirectory.created(tmp_path / "begun", runs_for("fig1b")[0].description())
    with pytest.warns(CortexModelWarning), pytest.raises(RunError, match="finished runs with measures"):
        load_figure("curves").draw([begun], tmp_path)
    with pytest.raises(ParameterError, match="draw runs of your own with `cortex-model figure curves RUN_DIRS`"):
        load_figure("curves").requests("digits", 1)

"""Figures of learning rules: predictive coding in time, and all rules side by side, from tiny runs."""

import numpy as np
import pytest

from cortex_model.errors import ParameterError
from cortex_model.experiments.reproduce import figure_folder, load_figure, rule_figure_names
from cortex_model.runs.directory import RunDirectory
from cortex_model.runs.running import start
from cortex_model.system.sources import load_module

#: All that is compiled here is one program: forms of a rule share it.
TINY = {"layer_sizes": (64, 6, 10), "epochs": 1, "batch_size": 40, "chunk_presentations": 50, "learning_rate": 0.2,
        "feedback_to_input": True}  # fmt: skip
ROWS = ("predictive coding, V follows W", "predictive coding, sleep, bare")


def made(requests, folder):
    """The runs that are asked for."""
    device = "cpp_standalone"
    return [RunDirectory(start(r.protocol, r.parameters(), r.seed, device, folder)["run_dir"]) for r in requests]


def test_figures_of_rules_are_found():
    assert rule_figure_names() == ["predictive_coding", "all_rules"]
    for name in rule_figure_names():
        assert load_figure(name).name == name
        with pytest.raises(ParameterError, match=r"must be one of .* \(got 'cifar10'\); choose one"):
            load_figure(name).requests("cifar10", 1)
    asked = load_figure("predictive_coding").requests("mnist", 1)
    assert len({request.parameters().content_hash for request in asked}) == len(asked) == 3


@pytest.mark.compiler
@pytest.mark.slow
def test_error_units_in_time_are_those_of_the_runs(tmp_path, rows_of, monkeypatch):
    figure = load_module(figure_folder() / "predictive_coding.py")
    monkeypatch.setitem(figure.SETTINGS, "digits", TINY)
    monkeypatch.setitem(figure.SLEEP_FIRST, "digits", 40)
    runs = made(figure.requests("digits", 2), tmp_path)
    printed = figure.draw(runs, tmp_path)
    assert (tmp_path / "predictive_coding_digits.png").read_bytes().startswith(b"\x89PNG")
    shown = rows_of(tmp_path / "predictive_coding_digits.csv")
    name = "test error (%), V learns in sleep, damping 0"
    last = np.mean([run.measures()["test_error_percent"].values[-1] for run in runs[4:]])
    assert [float(row["value"]) for row in shown if (row["quantity"], row["line"]) == (name, "mean")][
        -1
    ] == pytest.approx(last, rel=1e-4)
    assert next(row for row in printed if row["quantity"] == name)["simulated"].startswith(f"{last:.2f}")
    at_top = [row for row in shown if row["quantity"] == "rms error, V follows W, top" and row["line"] == "seed 0"]
    before, after = ([float(row["value"]) for row in at_top if (float(row["x"]) < 0) == is_before] for is_before in
                     (True, False))  # fmt: skip
    assert max(before) == 0 < min(after), "no error before there is a target"


@pytest.mark.compiler
@pytest.mark.slow
def test_all_rules_are_measured_alike(tmp_path, rows_of, monkeypatch):
    figure = load_module(figure_folder() / "all_rules.py")
    monkeypatch.setattr(figure, "RULES", {name: figure.RULES[name] for name in ROWS})
    monkeypatch.setattr(figure, "DIGITS", {"dataset": "digits", "evaluate_every_presentations": 400} | TINY)
    monkeypatch.setitem(figure.LEVELS, "digits", 80.0)
    runs = made(figure.requests("digits", 2), tmp_path)
    figure.draw(runs, tmp_path)
    first, second = rows_of(tmp_path / "all_rules_digits.csv")
    assert (first["rule"], second["rule"]) == ROWS and first["seeds"] == "2"
    errors = [run.measures()["test_error_percent"].values[-1] for run in runs[:2]]
    assert float(first["error"]) == pytest.approx(np.mean(errors), rel=1e-5)
    assert float(first["to_backpropagation"]) < 20 < float(second["to_backpropagation"])
    done, paid = (runs[0].summary()[name]["wake"] for name in ("presentations", "operations"))
    assert float(first["operations"]) == pytest.approx(paid / done * float(first["presentations"]), rel=1e-4)
    assert float(second["presentations"]) > figure.SLEEP_FIRST["digits"], "sleep counts"


def test_rates_stand_for_every_row():
    figure = load_module(figure_folder() / "all_rules.py")
    assert set(figure.RATES) == set(figure.RULES)
    asked = {request.overrides["learning_rate"] for request in figure.requests("mnist", 1)}
    assert asked == {rate for rates in figure.RATES.values() for rate in rates}
    assert len(figure.requests("mnist", 1)) == 2 * len(figure.RULES)

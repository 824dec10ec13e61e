"""Every figure says what it is: letters on its panels, and a line with dataset, network, rates and number of seeds."""

import re
from dataclasses import replace

import numpy as np
import pytest

from cortex_model.errors import RunError
from cortex_model.experiments import reproduce
from cortex_model.experiments.reproduce import drawn_again, figure_folder, load_figure
from cortex_model.experiments.settings import ALL_RULES
from cortex_model.experiments.statements import BANDS, statement, value_said
from cortex_model.experiments.tables import read_rows, write_rows
from cortex_model.system.sources import load_module

#: Figure -> letters of its panels, and what its line must hold for the tiny runs.
SAID = {
    "fig1a": ("ABC", "8-8 and 12-6, .*sleep learning rate.*, 2 seeds, thin lines: single seeds"),
    "fig1b": ("ABC", "2 seeds, thin lines: single seeds, .*A and B: .* seed 0"),
    "fig2a": ("", "A schedule, not a run: 4 wake presentations"),
    "fig2b": ("ABCD", "digits, 64-.*-10, batch 20, learning rate .*, 2 seeds, bands: 95 % .*Angles: .*not of backprop"),
    "favila_tuning": ("ABCD", "2 seeds, bars: 95 % interval"),
}
EXPERIMENTS = sorted(p for p in (figure_folder() / "experiments").glob("*.csv") if not p.stem.endswith("_table"))
OF_PROTOCOLS = [figure_folder() / f"{name}.csv" for name in ("cortical_rsa", "v4_predictivity")]


@pytest.fixture
def caught(monkeypatch):
    """Letters and line of each figure that is written."""
    found, write = {}, reproduce.write_figure
    style = load_module(figure_folder() / "style.py")

    def kept(drawn, table, name, out):
        found[name] = "".join(style.letters_of(drawn)), " ".join(style.statement_in(drawn).split())
        write(drawn, table, name, out)

    monkeypatch.setattr(reproduce, "write_figure", kept)
    return found


@pytest.mark.parametrize("name", SAID)
def test_panels_are_lettered_and_the_line_says_what_runs_they_are(name, caught, runs_for, tmp_path):
    load_figure(name).draw(runs_for(name), tmp_path)
    letters, wanted = SAID[name]
    got, said = caught[name]
    assert "".join(sorted(got)) == letters
    assert re.search(wanted, said), said


def test_a_figure_without_letters_or_line_would_be_seen(caught, runs_for, tmp_path, monkeypatch):
    """Broken on purpose."""
    load = reproduce.load_module

    def without(path, *more):
        module = load(path, *more)
        if path.stem == "fig1b":
            module.style.letter = module.style.state = lambda *_: None
        return module

    monkeypatch.setattr(reproduce, "load_module", without)
    load_figure("fig1b").draw(runs_for("fig1b"), tmp_path)
    assert caught["fig1b"] == ("", "")


# ---------------------------------------------------------------------- drawn again from what is kept
@pytest.mark.parametrize("file", [*EXPERIMENTS, *OF_PROTOCOLS], ids=lambda path: path.stem)
def test_a_csv_that_is_drawn_again_is_the_same(file, caught, tmp_path, monkeypatch):
    """And each point of an experiment is in a panel that shows its measure."""
    is_experiment = file in EXPERIMENTS
    figure = load_figure(file.stem.rsplit("_", 1)[0] if is_experiment else file.stem)
    monkeypatch.setattr("matplotlib.figure.Figure.savefig", lambda _, file, **__: file.touch())
    drawn_again(figure, file, tmp_path)
    assert (tmp_path / file.name).read_bytes() == file.read_bytes()
    letters, said = caught[file.stem]
    assert letters == "ABCDEF"[: len(letters)] and len(letters) > 1
    of_spikes = r"((digits|mnist), )?\d+-.*, in spikes, learning rate"
    assert re.match(rf"(mnist|cifar10), \d+-.*, batch 40, learning rate|20-20, sleep learning rate|{of_spikes}", said)
    if is_experiment:
        table = read_rows(file.with_name(f"{file.stem}_table.csv"))
        assert (tmp_path / f"{file.stem}_table.csv").read_bytes() == (
            file.with_name(f"{file.stem}_table.csv")
        ).read_bytes()
        seeds = {row["seeds"] for row in table}
        assert all(re.search(rf"\b{n} (to \d+ )?seeds?\b", said) for n in seeds), said
        experiment = load_module(figure_folder() / "experiments" / f"{figure.name}.py").EXPERIMENT
        drawing = load_module(figure_folder() / "drawing.py")
        by_panel = drawing.plotted.by_panels(experiment, file.stem.rsplit("_", 1)[1], read_rows(file))
        for panel, points in zip(experiment.panels, by_panel, strict=True):
            assert points and {point["measure"] for point in points} == {panel.measure}


def test_what_is_left_out_is_said(caught, tmp_path, monkeypatch):
    monkeypatch.setattr("matplotlib.figure.Figure.savefig", lambda _, file, **__: file.touch())
    kept = figure_folder() / "experiments"
    drawn_again(load_figure("newton_like"), kept / "newton_like_mnist.csv", tmp_path)
    assert (
        "Not in C, the level is not reached: random feedback, rate 0.003; rate 0.01; reciprocal, bare,"
        in (caught["newton_like_mnist"][1])
    )
    drawn_again(load_figure("sleep_budget"), kept / "sleep_budget_mnist.csv", tmp_path)
    said = caught["sleep_budget_mnist"][1]
    assert "Not in C, 0 on a logarithmic axis: no sleep." in said
    assert "Not drawn, but in the table: in blocks of 0.1 per wake presentation, every 1; every 1000;" in said
    rows = [row for row in read_rows(kept / "surpassed_mnist_table.csv") if row["arm"] != "weight mirror"]
    points = [row for row in read_rows(kept / "surpassed_mnist.csv") if row["arm"] != "weight mirror"]
    write_rows(rows, tmp_path / "surpassed_mnist_table.csv")
    write_rows(points, tmp_path / "surpassed_mnist.csv")
    drawn_again(load_figure("surpassed"), tmp_path / "surpassed_mnist.csv", tmp_path)
    said = caught["surpassed_mnist"][1]
    assert "Left out, no runs: weight mirror." in said and "Not in B, not measured there: direct feedback." in said


@pytest.mark.parametrize(("name", "file", "runs", "got"), [
    ("fig2b", "surpassed_mnist.csv", (), "fig2b, which is drawn from runs alone"),
    ("surpassed", "surpassed_mnist.csv", ["run"], "runs too"),
    ("surpassed", "depth_mnist.csv", (), "must be surpassed_digits.csv or surpassed_mnist.csv"),
    ("surpassed", "surpassed_mnist_table.csv", (), "must be surpassed_digits.csv or surpassed_mnist.csv"),
    ("cortical_rsa", "nothing.csv", (), "must be a CSV that cortical_rsa wrote"),
    ("v4_predictivity", "surpassed_mnist.csv", (), "must be a CSV that v4_predictivity wrote"),
])  # fmt: skip
def test_another_csv_is_refused(name, file, runs, got, tmp_path):
    with pytest.raises(RunError, match="^--from-csv: .*" + got):
        drawn_again(load_figure(name), figure_folder() / "experiments" / file, tmp_path, runs)


def test_points_of_another_experiment_are_refused(tmp_path):
    kept = figure_folder() / "experiments"
    (tmp_path / "surpassed_mnist.csv").write_bytes((kept / "depth_mnist.csv").read_bytes())
    (tmp_path / "surpassed_mnist_table.csv").write_bytes((kept / "surpassed_mnist_table.csv").read_bytes())
    with pytest.raises(RunError, match="must hold points of surpassed"):
        drawn_again(load_figure("surpassed"), tmp_path / "surpassed_mnist.csv", tmp_path)


def test_points_come_back_to_the_panels_that_they_were_of():
    """Also where neighbouring panels show one measure of other lines."""
    drawing = load_module(figure_folder() / "drawing.py")
    experiment = load_module(figure_folder() / "experiments" / "published.py").EXPERIMENT
    arms = [(arm, None) for arm in experiment.of("digits")]
    by_panel = [
        [
            drawing.plotted.point(panel, arm, at, 1.0, np.nan, np.nan)
            for arm, _ in drawing.plotted.shown_in(panel, arms)
            for at in (0, 5)
        ]
        for panel in experiment.panels
    ]
    table = [point for points in by_panel for point in points]
    assert drawing.plotted.by_panels(experiment, "digits", table) == by_panel
    twice = replace(experiment, panels=(experiment.panels[0], experiment.panels[0]))
    assert drawing.plotted.by_panels(twice, "digits", by_panel[0] * 2) == [by_panel[0]] * 2


# ---------------------------------------------------------------------- the line
def test_the_line_holds_what_is_shared_and_the_range_of_what_is_not():
    given = {"dataset": "digits", "layer_sizes": [64, 32, 10], "batch_size": 1, "learning_rate": 0.003, "epochs": 1}
    assert statement([given], [5]) == f"digits, 64-32-10, batch 1, learning rate 0.003, 1 epoch, 5 seeds, {BANDS}"
    others = [given | {"learning_rate": rate, "epochs": 2} for rate in (0.1, 0.03)]
    assert ", learning rates 0.03 and 0.1, 2 epochs, 3 to 5 seeds, " in statement(others, [3, 5, 3])
    more = [given | {"learning_rate": rate} for rate in (0.5, 0.1, 0.2, 0.3)]
    assert ", learning rates 0.1 to 0.5, " in statement(more, [2])
    assert statement([given], [1]).endswith(", 1 epoch, 1 seed"), "one seed has no bands"
    sleep = {"layer_sizes": [20, 20], "sleep_learning_rate": 0.01, "n_presentations": 4500}
    assert statement([sleep], [2], "") == "20-20, sleep learning rate 0.01, 4,500 noise vectors, 2 seeds"


def test_values_are_said_in_short():
    assert value_said((784, 128, 128, 128, 128, 10)) == "784-4×128-10"
    assert value_said("/somewhere/my_images#0123456789ab") == "my_images"
    assert value_said(0.1 + 0.2) == "0.3"


def test_every_rule_has_one_colour_in_all_figures():
    style = load_module(figure_folder() / "style.py")
    assert set(ALL_RULES) <= set(style.COLOURS)
    own = {line: colour for line, colour in style.COLOURS.items() if line != "reciprocal feedback"}
    assert len(set(own.values())) == len(own)
    for name in ("drawing", "cortical", "cortical_rsa", "v4_predictivity", "fig2b", "curves"):
        source = (figure_folder() / f"{name}.py").read_text()
        assert not set(own.values()) & set(re.findall(r"#[0-9A-F]{6}", source)) - {"#E69F00"}, name
    coloured = style.colours_of(["backpropagation ", "something", "else"])
    assert coloured["backpropagation "] == style.COLOURS["backpropagation"]
    assert len(set(coloured.values())) == 3

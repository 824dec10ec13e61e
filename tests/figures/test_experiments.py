"""Every experiment asks for runs that can be made, and its figure and table hold what they measured."""

from dataclasses import replace

import numpy as np
import pytest

from cortex_model.analysis.learning_curves import learning_curve, mean_and_interval
from cortex_model.devices.availability import default_device
from cortex_model.errors import ParameterError, RunError
from cortex_model.experiments.reproduce import RunRequest, experiment_names, figure_folder, load_figure
from cortex_model.experiments.tables import NO_DATASET, minutes, presentations_needed, read_rows
from cortex_model.protocol import load_protocol
from cortex_model.runs.directory import RunDirectory
from cortex_model.runs.running import start
from cortex_model.system.arrays import write_arrays
from cortex_model.system.sources import load_module

SEEDS = (0, 1)
#: The tiny network, so that nothing more is compiled.
SHORT = load_protocol("wake_sleep_classification").tiny | {"perturb_every_presentations": 20}


def experiment_of(name):
    return load_module(figure_folder() / "experiments" / f"{name}.py").EXPERIMENT


def drawing():
    return load_module(figure_folder() / "drawing.py")


@pytest.mark.parametrize("name", experiment_names())
def test_arms_are_runs_that_can_be_made_and_have_names_of_their_own(name):
    experiment = experiment_of(name)
    assert experiment.name == name == load_figure(name).name
    for dataset, arms in experiment.arms.items():
        assert len({arm.name for arm in arms}) == len(arms)
        requests = load_figure(name).requests(dataset, 2)
        assert len({request.name("runtime") for request in requests}) == len(requests), "no run is asked for twice"
        assert {getattr(request.parameters(), "dataset", NO_DATASET) for request in requests} == {dataset}
        if experiment.x_label:
            assert sum(arm.x is not None for arm in arms) > 2


def test_a_dataset_that_an_experiment_does_not_have_is_refused():
    with pytest.raises(ParameterError, match=r"^depth\.dataset: must be one of digits, mnist \(got 'cifar10'\)"):
        load_figure("depth").requests("cifar10", 1)


def test_an_experiment_of_sleep_alone_takes_any_dataset():
    of_digits, of_mnist = (load_figure("condition").requests(dataset, 1) for dataset in ("digits", "mnist"))
    assert of_digits == of_mnist and len(of_digits) > 2


def test_an_unknown_name_is_answered_by_the_nearest():
    with pytest.raises(ParameterError, match="did you mean sleep_budget"):
        load_figure("sleep_budgets")


def test_a_figure_without_runs_says_how_to_make_them(tmp_path):
    with pytest.raises(RunError, match=r"^depth: must be given finished runs of .* \(got none\); .*reproduce depth"):
        load_figure("depth").draw([], tmp_path)


@pytest.fixture(scope="module")
def few(made_once):
    """Two arms each of an experiment with curves and of one with a swept parameter, shorter, with two seeds."""
    made = {}
    for name, chosen in (("published", ("reciprocal, bare, matched gain, rate 0.1", "backpropagation, own rate 0.1")),
                         ("convergence", ("noise, noise 0.03", "noise, noise 3"))):  # fmt: skip
        experiment = experiment_of(name)
        arms = [replace(arm, setting=arm.setting | SHORT) for arm in experiment.of("digits")]
        experiment = replace(experiment, arms={"digits": [arm for arm in arms if arm.name in chosen]})
        requests = {request.name(default_device()): request for request in experiment.requests("digits", len(SEEDS))}
        with made_once(f"experiment_{name}") as folder:
            runs = [
                RunDirectory(start(its.protocol, its.parameters(), its.seed, default_device(), folder)["run_dir"])
                for its in requests.values()
            ]
            out = folder / "drawn"
            printed = drawing().draw(experiment, runs * 2, out)  # a run that is given twice counts once
        made[name] = experiment, runs, printed, out
    return made


@pytest.mark.parametrize("name", ["published", "convergence"])
def test_figure_and_table_hold_what_the_runs_measured(name, few):
    experiment, runs, printed, out = few[name]
    for ending, begin in (("pdf", b"%PDF"), ("png", b"\x89PNG")):
        assert (out / f"{name}_digits.{ending}").read_bytes().startswith(begin)
    rows = read_rows(out / f"{name}_digits_table.csv")
    assert [row["arm"] for row in rows] == [arm.name for arm in experiment.of("digits")] == [
        row["quantity"] for row in printed
    ]  # fmt: skip
    for arm, row in zip(experiment.of("digits"), rows, strict=True):
        names = {RunRequest(experiment.protocol, arm.setting, seed).name(default_device()) for seed in SEEDS}
        own = [run for run in runs if run.path.name in names]
        errors = [run.measures()["test_error_percent"].values[-1] for run in own]
        assert int(row["seeds"]) == len(own) == len(SEEDS)
        expected = mean_and_interval(errors, least=0)
        np.testing.assert_allclose(
            [float(row[key]) for key in ("error", "low", "high")], expected, rtol=1e-5, atol=1e-4
        )
        assert float(row["bootstrap_low"]) == pytest.approx(min(errors), abs=1e-4)
        assert float(row["minutes_a_run"]) == pytest.approx(np.mean([minutes(run) for run in own]), abs=0.01)
    points = read_rows(out / f"{name}_digits.csv")
    assert {point["measure"] for point in points} <= {panel.measure for panel in experiment.panels}
    shown = [p for p in points if p["measure"] == "test_error_percent" and p["arm"] == rows[-1]["arm"]]
    assert float(shown[-1]["mean"]) == pytest.approx(float(rows[-1]["error"]), abs=1e-3)


def test_error_is_shown_against_the_angle_that_was_measured(few):
    experiment, runs, _, out = few["convergence"]
    (panel,) = [panel for panel in experiment.panels if panel.against]
    points = {float(point["x"]) for point in read_rows(out / "convergence_digits.csv")}
    for noise in (0.03, 3.0):
        own = [run for run in runs if run.description()["parameters"]["feedback_noise"] == noise]
        angle = np.mean([run.measures()[panel.against].values[-1].mean() for run in own])
        assert min(abs(x - angle) for x in points) < 1e-3


def test_a_disturbed_v_is_farther_from_its_fixed_point(few):
    runs = few["convergence"][1]
    angles = {}
    for run in runs:
        noise = run.description()["parameters"]["feedback_noise"]
        angles[noise] = run.measures()["alignment_angle_to_fixed_point_degrees"].values[-1].mean()
    assert angles[3.0] > angles[0.03] + 10


# ---------------------------------------------------------------------- presentations to a level
def evaluated(parent, seed, errors, slept, **parameters):
    """A run directory with four evaluations, 100 wake presentations apart."""
    made = RunDirectory.created(
        parent / f"seed{seed}",
        {"protocol": "p", "protocol_file": "p", "device": "d", "parameters": parameters, "seed": seed},
    )
    columns = {"error": errors, "wake": [0, 100, 200, 300], "sleep_presentations": slept}
    write_arrays(made.path / "measures.nc", {key: (["look"], np.array(v), "1") for key, v in columns.items()}, {})
    made.conclude({}, {})
    return made


def needed_by(runs, *levels):
    return presentations_needed(runs, levels, learning_curve(runs, "error", "wake"), "wake")


def test_a_total_counts_the_sleep_before_the_first_stimulus(tmp_path):
    """Evaluation 0 comes before that sleep, so a level within the first gap was given a part of it only."""
    runs = [
        evaluated(tmp_path, seed, [90.0, 10.0 + seed, 5.0, 1.0], [0, 1100, 1200, 1300], sleep_before_presentations=1000)
        for seed in SEEDS
    ]
    row = needed_by(runs, 50, 8, 0.5)
    for level in (50, 8):
        assert row[f"total_to_{level}"] == pytest.approx(1000 + 2 * row[f"wake_to_{level}"], abs=2)
    assert row["wake_to_50"] < row["first_evaluation"] == 100 < row["wake_to_8"]
    assert row["first_evaluation_total"] == 100 + 1100
    assert (row["wake_to_0.5"], row["total_to_0.5"], row["reach_0.5"]) == ("", "", 0)


def test_a_rule_that_does_not_sleep_has_no_sleep_before_it(tmp_path):
    run = evaluated(tmp_path, 0, [90.0, 10.0, 5.0, 1.0], [0, 0, 0, 0], sleep_before_presentations=1000)
    row = needed_by([run], 50, 8)
    assert row["total_to_50"] == row["wake_to_50"] == 50
    assert row["total_to_8"] == row["wake_to_8"] == 140
    assert row["first_evaluation_total"] == 100


def test_the_interval_of_a_count_is_cut_at_zero(tmp_path):
    runs = [evaluated(tmp_path, seed, errors, [0] * 4) for seed, errors in enumerate(([90, 1, 1, 1], [90, 90, 90, 1]))]
    row = needed_by(runs, 50)
    assert row["wake_to_50_low"] == 0
    assert row["wake_to_50_high"] > 2 * row["wake_to_50"], "the upper end is where it was"

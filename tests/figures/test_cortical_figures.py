"""The figures of rules against cortex, and of one comparison, show what the runs measured."""

import shutil

import numpy as np
import pytest

from cortex_model.devices.availability import default_device
from cortex_model.errors import RunError
from cortex_model.experiments import by_rule as rule_runs
from cortex_model.experiments.by_rule import contrasts, layers, requests_by_rule, runs_by_rule
from cortex_model.experiments.reproduce import load_figure, protocol_figure_names
from cortex_model.experiments.settings import RULES
from cortex_model.protocol import load_protocol
from cortex_model.runs.directory import RunDirectory
from cortex_model.runs.running import start

FIGURES = ("cortical_rsa", "v4_predictivity")
#: Rules and seeds that are really made, small; all rules share one compiled program.
LINES, SEEDS = ("backpropagation", "reciprocal, damping 10"), (0, 1)


@pytest.fixture(scope="module")
def runs(made_once):
    """Figure -> finished tiny runs of two rules with two seeds each, on made-up recordings."""
    made = {}
    with made_once("cortical") as folder:
        for name in FIGURES:
            protocol = load_protocol(name)
            settings = [protocol.tiny | RULES[line] | {"learning_rate": 0.02, "n_resamples": 8} for line in LINES]
            made[name] = [
                RunDirectory(
                    start(name, protocol.parameters().with_overrides(given), seed, default_device(), folder)["run_dir"]
                )
                for given in settings
                for seed in SEEDS
            ]
    trainings = list(folder.glob("wake_sleep_classification-*"))
    assert len(trainings) == len(LINES) * len(SEEDS), "both protocols share their training"
    return made


def test_protocols_with_a_figure_of_their_own():
    assert set(FIGURES) <= set(protocol_figure_names())


@pytest.mark.parametrize("name", FIGURES)
def test_requests_are_all_rules_on_cifar10(name):
    requests = load_figure(name).requests("digits", 2)
    assert len({request.name("cpp_standalone") for request in requests}) == len(requests) == 2 * len(RULES)
    assert all(request.parameters().layer_sizes == (3072, 1000, 500, 100, 10) for request in requests)
    training = load_protocol("wake_sleep_classification").parameters
    for request in requests:
        own = {key: value for key, value in request.parameters().model_dump().items() if key in training.model_fields}
        assert training().with_overrides(request.overrides).model_dump() == own, "the training is the plain protocol's"


@pytest.mark.parametrize("name", FIGURES)
def test_figure_shows_what_the_runs_measured(name, runs, tmp_path, rows_of):
    printed = load_figure(name).draw(runs[name], tmp_path)
    for ending, begin in (("pdf", b"%PDF"), ("png", b"\x89PNG")):
        assert (tmp_path / f"{name}.{ending}").read_bytes().startswith(begin)
    points = rows_of(tmp_path / f"{name}.csv")
    prefix = points[0]["recording"]
    for line, its in runs_by_rule(runs[name]).items():
        for level in (1, 2):
            shown = [p for p in points if p["line"] == line and p["row"] == f"population {level}"]
            scores = []
            for run in its:
                measures = run.measures()
                at = list(measures[f"{prefix}_row_name"].values).index(f"population {level}")
                scores.append(float(measures[f"{prefix}_score"].values[at]))
            assert len(shown) == 1 and float(shown[0]["mean"]) == pytest.approx(np.mean(scores), abs=1e-5)
    differences = {row["quantity"] for row in printed if " less " in row["quantity"]}
    assert len(differences) == 3, "each rule less untrained, and one pair of rules"
    assert all("differs" in text or "no difference" in text for text in differences)


def test_a_contrast_is_the_mean_difference_over_populations_and_seeds(runs):
    by_rule = runs_by_rule(runs["cortical_rsa"])
    found, by_layer = contrasts(by_rule, "synthetic_rdms"), layers(by_rule, "synthetic_rdms")
    one, other = LINES[1], LINES[0]
    expected = np.mean([a.mean - b.mean for a, b in zip(by_layer[one], by_layer[other], strict=True)])
    assert found[one, other].mean == pytest.approx(expected)
    untrained = np.mean([a.mean - b.mean for a, b in zip(by_layer[one], by_layer["untrained"], strict=True)])
    assert found[one, "untrained"].mean == pytest.approx(untrained)
    assert found[one, other].low <= found[one, other].mean <= found[one, other].high


def test_untrained_hierarchies_are_the_same_for_all_rules(runs):
    starts = {}
    for run in runs["v4_predictivity"]:
        measures, seed = run.measures(), run.description()["seed"]
        is_untrained = measures["synthetic_responses_row_kind"].values == "untrained"
        scores = measures["synthetic_responses_score"].values[is_untrained]
        np.testing.assert_array_equal(starts.setdefault(seed, scores), scores)
    assert not np.array_equal(starts[0], starts[1])


def test_runs_that_cannot_be_told_apart_are_refused(runs, tmp_path):
    protocol = load_protocol("cortical_rsa")
    given = protocol.tiny | RULES[LINES[0]] | {"learning_rate": 0.02, "n_resamples": 4}
    other = start("cortical_rsa", protocol.parameters().with_overrides(given), 0, default_device(), tmp_path)
    with pytest.raises(RunError, match=r"must be the only run of its rule with seed 0 .*; leave one out"):
        runs_by_rule([*runs["cortical_rsa"], RunDirectory(other["run_dir"])])
    with pytest.raises(RunError, match=r"must be given finished runs of cortical_rsa \(got none\)"):
        load_figure("cortical_rsa").draw([], tmp_path)


def test_every_rule_has_its_own_validated_learning_rate():
    for request in requests_by_rule("cortical_rsa", 1):
        line = rule_runs.line_of(request.parameters().model_dump())
        assert request.overrides["learning_rate"] == rule_runs.OWN_RATES["cifar10"][line]


def test_a_training_is_found_after_its_folder_was_moved(runs, tmp_path):
    """And not repeated: its files stay as they are."""
    first = runs["cortical_rsa"][0]
    training = next(
        path
        for path in first.path.parent.glob("wake_sleep_classification-*")
        if RunDirectory(path).weights().sha256 == first.summary()["weights_sha256"]
    )
    moved = shutil.copytree(training, tmp_path / "moved" / training.name)
    before = (moved / "weights.nc").stat().st_mtime_ns
    given = first.description()["parameters"] | {"n_resamples": 3}
    parameters = load_protocol("cortical_rsa").parameters().with_overrides(given)
    summary = start("cortical_rsa", parameters, first.description()["seed"], default_device(), tmp_path / "moved")
    assert summary["weights_sha256"] == first.summary()["weights_sha256"]
    assert (moved / "weights.nc").stat().st_mtime_ns == before
    assert len(list((tmp_path / "moved").iterdir())) == 2

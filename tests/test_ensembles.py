"""Runs in one program leave what they would leave alone: weights, measures, summaries, checkpoints."""

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from cortex_model.cli import app
from cortex_model.devices.availability import default_device
from cortex_model.errors import DivergenceError, ParameterError
from cortex_model.protocol import load_protocol
from cortex_model.runs.directory import RunDirectory, find_runs
from cortex_model.runs.running import resume, start
from cortex_model.runs.together import start_together

PROTOCOL = "wake_sleep_classification"
TINY = load_protocol(PROTOCOL).tiny | {"learning_rate": 0.05}
#: What differs: seeds, a number, rules with and without sleep. Pairs, so that they share a program with a sweep's.
PAIRS = [
    [({}, 0), ({"learning_rule": "random_feedback"}, 0)],
    [({"damping": 1.0, "learning_rate": 0.1}, 1), ({"learning_rule": "backpropagation"}, 5)],
]


def parameters(**overrides):
    return load_protocol(PROTOCOL).parameters(**TINY | overrides)


def settings(pair):
    return [(parameters(**overrides), seed) for overrides, seed in PAIRS[pair]]


@pytest.mark.slow
@pytest.mark.compiler
def test_each_run_leaves_what_it_leaves_alone(tmp_path):
    """Weights to the bit, measures, and a summary that differs in nothing but place and time."""
    for pair in (0, 1):
        together = start_together(PROTOCOL, settings(pair), "cpp_standalone", tmp_path / "together")
        assert len(find_runs(tmp_path / "together")) == 2 * (pair + 1)
        for (own, seed), outcome in zip(settings(pair), together, strict=True):
            alone = start(PROTOCOL, own, seed, "cpp_standalone", tmp_path / "alone")
            different = {"run_dir", "microseconds_per_presentation"}
            assert {n: v for n, v in outcome.items() if n not in different} == {
                n: v for n, v in alone.items() if n not in different
            }
            one, other = (
                RunDirectory.opened(tmp_path / where / Path(alone["run_dir"]).name) for where in ("together", "alone")
            )
            assert one.weights().sha256 == other.weights().sha256 == outcome["weights_sha256"]
            assert one.measures().equals(other.measures())


class Stopped(BaseException):
    pass


@pytest.mark.slow
def test_an_interruption_leaves_runs_that_go_on_together_or_alone(tmp_path):
    """To the results of one that nothing befell."""
    expected = [start(PROTOCOL, own, seed, "runtime", tmp_path / "whole") for own, seed in settings(0)]

    def interrupt(done, total, text):
        if done > 1000:
            raise Stopped

    with pytest.raises(Stopped):
        start_together(PROTOCOL, settings(0), "runtime", tmp_path / "cut", interrupt)
    cut = {run.description()["parameters"]["learning_rule"]: run for run in find_runs(tmp_path / "cut")}
    assert {run.state for run in cut.values()} == {"interrupted"}
    alone = resume(cut["random_feedback"].path)
    assert alone["test_error_percent"] == expected[1]["test_error_percent"]
    both = start_together(PROTOCOL, settings(0), "runtime", tmp_path / "cut")
    assert both[1] == alone
    assert both[0]["test_error_percent"] == expected[0]["test_error_percent"]
    for got, whole in zip(both, expected, strict=True):
        weights, wanted = (RunDirectory.opened(Path(its["run_dir"])).weights().named() for its in (got, whole))
        for name, array in wanted.items():
            np.testing.assert_allclose(weights[name], array, atol=1e-5 * np.abs(array).max())


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_run_that_diverges_leaves_its_sentence_and_the_others_their_results(tmp_path):
    wild = parameters(learning_rate=1e30), 3
    outcomes = start_together(PROTOCOL, [settings(0)[0], wild], default_device(), tmp_path)
    assert isinstance(outcomes[1], DivergenceError)
    errors = outcomes[0]["test_error_percent"]
    assert errors[-1] < errors[0] - 5


def test_programs_of_their_own_are_refused(tmp_path):
    outcomes = start_together(PROTOCOL, [settings(0)[0], (parameters(nonlinearity="sigmoid"), 0)], "runtime", tmp_path)
    for outcome in outcomes:
        assert isinstance(outcome, ParameterError)
        assert str(outcome).startswith("--vary: must vary what is handed to a program")


def test_the_command_line_runs_seeds_and_variations(typed, tmp_path):
    command = ["run", PROTOCOL, "--device", "runtime", "--out", str(tmp_path), "--seed", "4"]
    command += ["--ensemble-size", "2", "--vary", "learning_rule=random_feedback,reciprocal", "--json"]
    command += typed(TINY | {"damping": 1.0})  # which the first rule does not read
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    runs = [run.summary() for run in find_runs(tmp_path)]
    assert sorted((run["learning_rule"], run["seed"]) for run in runs) == [
        ("random_feedback", 4), ("random_feedback", 5), ("reciprocal", 4), ("reciprocal", 5),
    ]  # fmt: skip

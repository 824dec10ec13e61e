"""Runs in one program leave what they would leave alone: weights, measures, summaries, checkpoints."""

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from cortex_model.cli import app
from cortex_model.ensembles import start_together
from cortex_model.errors import DivergenceError, ParameterError
from cortex_model.protocol import load_protocol
from cortex_model.results import RunDirectory, find_runs
from cortex_model.running import resume, start

PROTOCOL = "wake_sleep_classification"
TINY = {"layer_sizes": (64, 7, 6, 10), "epochs": 1, "evaluate_every_presentations": 700, "dtype": "float64"}
#: What differs: seeds, a number, rules with and without sleep.
SETTINGS = [
    ({}, 0),
    ({"damping": 1.0, "learning_rate": 0.01}, 1),
    ({"learning_rule": "random_feedback"}, 0),
    ({"learning_rule": "backpropagation"}, 5),
]


def parameters(**overrides):
    return load_protocol(PROTOCOL).parameters(**TINY | overrides)


def settings():
    return [(parameters(**overrides), seed) for overrides, seed in SETTINGS]


def test_each_run_leaves_what_it_leaves_alone(tmp_path):
    together = start_together(PROTOCOL, settings(), "runtime", tmp_path / "together")
    assert len(find_runs(tmp_path / "together")) == len(SETTINGS)
    for (own, seed), outcome in zip(settings(), together, strict=True):
        alone = start(PROTOCOL, own, seed, "runtime", tmp_path / "alone")
        different = {"run_dir", "microseconds_per_presentation", "weights_sha256"}
        assert {n: v for n, v in outcome.items() if n not in different} == {
            n: v for n, v in alone.items() if n not in different
        }
        pairs = [RunDirectory.opened(tmp_path / where / Path(alone["run_dir"]).name) for where in ("together", "alone")]
        got, expected = (pair.weights().named() for pair in pairs)
        for name, array in expected.items():
            np.testing.assert_allclose(got[name], array, atol=1e-12 * np.abs(array).max() + 1e-13)
        asleep, expected = (pair.measures()["sleep_presentations"].values for pair in pairs)
        assert asleep.tolist() == expected.tolist()


@pytest.mark.compiler
def test_on_a_compiled_program_the_bits_are_the_same(tmp_path):
    together = start_together(PROTOCOL, settings(), "cpp_standalone", tmp_path / "together")
    for (own, seed), outcome in zip(settings(), together, strict=True):
        alone = start(PROTOCOL, own, seed, "cpp_standalone", tmp_path / "alone")
        assert outcome["weights_sha256"] == alone["weights_sha256"]


class Stopped(BaseException):
    pass


def test_an_interruption_leaves_runs_that_go_on_together_or_alone(tmp_path):
    expected = start_together(PROTOCOL, settings()[:2], "runtime", tmp_path / "whole")

    def interrupt(done, total, text):
        if done > 1000:
            raise Stopped

    with pytest.raises(Stopped):
        start_together(PROTOCOL, settings()[:2], "runtime", tmp_path / "cut", interrupt)
    cut = {run.description()["seed"]: run for run in find_runs(tmp_path / "cut")}
    assert {run.state for run in cut.values()} == {"interrupted"}
    alone = resume(cut[1].path)
    assert alone["test_error_percent"] == expected[1]["test_error_percent"]
    both = start_together(PROTOCOL, settings()[:2], "runtime", tmp_path / "cut")
    assert both[1] == alone
    assert both[0]["test_error_percent"] == expected[0]["test_error_percent"]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_run_that_diverges_leaves_its_sentence_and_the_others_their_results(tmp_path):
    wild = parameters(learning_rate=1e30), 3
    outcomes = start_together(PROTOCOL, [settings()[0], wild], "runtime", tmp_path)
    assert isinstance(outcomes[1], DivergenceError)
    errors = outcomes[0]["test_error_percent"]
    assert errors[-1] < errors[0] - 5


def test_programs_of_their_own_are_refused(tmp_path):
    outcomes = start_together(PROTOCOL, [settings()[0], (parameters(nonlinearity="sigmoid"), 0)], "runtime", tmp_path)
    for outcome in outcomes:
        assert isinstance(outcome, ParameterError)
        assert str(outcome).startswith("--vary: must vary what is handed to a program")


def test_the_command_line_runs_seeds_and_variations(tmp_path):
    command = ["run", PROTOCOL, "--device", "runtime", "--out", str(tmp_path), "--seed", "4", "--ensemble-size", "2"]
    command += ["--vary", "learning_rule=reciprocal,random_feedback", "--json"]
    for name, value in (("layer_sizes", "64,6,5,10"), ("epochs", 1)):
        command += ["--set", f"{name}={value}"]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    runs = [run.summary() for run in find_runs(tmp_path)]
    assert sorted((run["learning_rule"], run["seed"]) for run in runs) == [
        ("random_feedback", 4), ("random_feedback", 5), ("reciprocal", 4), ("reciprocal", 5),
    ]  # fmt: skip

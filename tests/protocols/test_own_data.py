"""A protocol of a user's own with data of their own: what does not fit is said before anything is compiled."""

import pytest
from typer.testing import CliRunner

from cortex_model.cli import app
from cortex_model.devices.simulation import Simulation
from cortex_model.errors import ParameterError

OWN = """
import numpy as np
from cortex_model.parameters import SleepWakeParameters, parameter
from cortex_model.schedule import Stimuli, one_hot, wake_sleep_schedule
from cortex_model.protocol import Protocol
from cortex_model.weights import initial_weights


class Own(SleepWakeParameters):
    layer_sizes: tuple[int, ...] = parameter((5, 4, 3), "neurons", "neurons")
    wrong: str = parameter("nothing", "what is wrong")


def run(run):
    p, rng = run.parameters, np.random.default_rng(0)
    x, labels = rng.normal(size=(30, 5)), np.arange(30) % 3
    if p.wrong == "NaN":
        x[7, 3] = np.nan
    targets = one_hot(labels + (p.wrong == "labels from 1"), 3)
    n = {"fewer stimuli": 15, "more shown than there are": 15}.get(p.wrong, 20)
    m = 15 if p.wrong == "more shown than there are" else 20
    train, test = (x[:n], targets[:m]), (x[20:], targets[20:])
    evaluated = None if p.wrong == "nothing to evaluate" else test
    schedule = wake_sleep_schedule(p, lambda epoch: np.arange(20), 20, 40, 10, 20)
    measured = lambda place, weights, rates: {"error": np.mean(rates.argmax(1) != labels[20:])}
    start = initial_weights(p, run.seed)
    run.simulate(schedule, Stimuli(train, evaluated), start, measured, {"error": ("1", None)})
    return {"errors": run.measures["error"][1].tolist()}


PROTOCOL = Protocol("own", "Does it fit?", Own, run)
"""

WRONG = {
    "NaN": "Stimuli.wake: stimulus 7 must hold finite numbers (got NaN at element 3); check its source.",
    "labels from 1": "one_hot.labels: must be whole numbers from 0 to 2 (got 3 for stimulus 2); subtract 1, because",
    "fewer stimuli": "Stimuli.wake: stimuli and targets must be equally many, row by row (got 15 stimuli",
    "more shown than there are": "Schedule.stimulus: must show rows 0 to 14 of Stimuli.wake (got row 15 in ",
    "nothing to evaluate": "Stimuli.evaluation: must be given where the schedule shows them",
}


@pytest.mark.parametrize("wrong", WRONG)
def test_data_that_do_not_fit_are_refused_before_anything_is_compiled(wrong, tmp_path, monkeypatch):
    (tmp_path / "own.py").write_text(OWN)
    monkeypatch.setattr(Simulation, "build", lambda simulation: pytest.fail("compiled"))
    where = ["--device", "cpp_standalone", "--out", str(tmp_path)]
    command = ["run", str(tmp_path / "own.py"), *where, "--set", f"wrong={wrong}"]
    error = CliRunner().invoke(app, command).exception
    assert isinstance(error, ParameterError) and str(error).startswith(WRONG[wrong])


def test_data_that_fit_are_run(tmp_path):
    (tmp_path / "own.py").write_text(OWN)
    done = CliRunner().invoke(app, ["run", str(tmp_path / "own.py"), "--device", "runtime", "--out", str(tmp_path)])
    assert done.exit_code == 0 and "errors" in done.stdout

"""Rasters show every spike of a wake and a sleep presentation of a run in spikes, and nothing else."""

import numpy as np
import pytest
from typer.testing import CliRunner

from cortex_model import traces
from cortex_model.cli import app
from cortex_model.errors import ParameterError, RunError
from cortex_model.experiments import reproduce
from cortex_model.experiments.reproduce import figure_folder, load_figure
from cortex_model.protocol import load_protocol
from cortex_model.runs.directory import RunDirectory
from cortex_model.runs.protocol import parameters_of
from cortex_model.runs.running import start
from cortex_model.system.sources import load_module

PROTOCOL = "wake_sleep_classification"
#: 30 neurons in the input, of which not all are drawn; a run that has learned nothing, so that errors are large.
SPIKING = {
    "dynamics": "spiking", "layer_sizes": (30, 8, 3), "feedback_to_input": True, "presentation_ms": 30.0,
    "feedback_onset_ms": 10.0, "sleep_ms": 20.0, "sleep_onset_ms": 10.0, "epochs": 1, "sleep_amplitude": 1.5,
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def few_objects(only_rules):
    """Of one rule: others would add nothing."""
    with only_rules("reciprocal"):
        yield


@pytest.fixture(scope="module")
def run(tmp_path_factory, few_objects):
    """A finished run in spikes, of eight stimuli."""
    folder, rng = tmp_path_factory.mktemp("runs"), np.random.default_rng(0)
    stimuli, labels = rng.normal(size=(12, 30)), np.arange(12) % 3
    np.savez(folder / "twelve.npz", stimuli=stimuli, labels=labels, split=["train"] * 8 + ["test"] * 4)
    parameters = load_protocol(PROTOCOL).parameters().with_overrides(SPIKING | {"dataset": folder / "twelve.npz"})
    return RunDirectory(start(PROTOCOL, parameters, 3, "runtime", folder)["run_dir"])


def test_rasters_show_every_spike_of_wake_and_sleep(run, tmp_path, rows_of, monkeypatch):
    figures, write = [], reproduce.write_figure
    monkeypatch.setattr(reproduce, "write_figure", lambda drawn, *more: (figures.append(drawn), write(drawn, *more)))
    printed = load_figure("rasters").draw([run], tmp_path)
    assert all((tmp_path / f"rasters.{ending}").stat().st_size > 5000 for ending in ("png", "pdf"))
    drawn, p = rows_of(tmp_path / "rasters.csv"), parameters_of(run)
    data = p.data()
    shown = data.stimuli(p.stimulus_scaling, p.dtype)[1], data.targets()[1]
    wake = traces.spikes(p, run.weights(), "wake", *shown, seed=3, device="runtime")
    n_feedback = [sum(np.abs(wake[f"feedback_spikes_{l}"].values[row]).sum() for l in (1, 2)) for row in range(4)]
    best = int(np.argmax(n_feedback))
    sleep = traces.spikes(p, run.weights(), "sleep", seed=3, device="runtime")
    n_seen = 0
    for phase, its in (("wake", wake.isel(stimulus=best)), ("sleep", sleep.isel(stimulus=0))):
        for name, values in its.data_vars.items():
            cells = "feedback" if name.startswith("feedback") else "forward"
            rows = [r for r in drawn if (r["phase"], r["population"], r["cells"]) == (phase, name[-1], cells)]
            kept = [*range(30)] if name[-1] != "0" else np.linspace(0, 29, 24).round().astype(int).tolist()
            spikes = [(step, neuron) for step, neuron in np.argwhere(values.values) if neuron in kept]
            expected = {
                (step + 1.0, neuron, "ON" if values.values[step, neuron] > 0 else "OFF") for step, neuron in spikes
            }
            assert {(float(r["time_ms"]), int(r["neuron"]), r["sign"]) for r in rows} == expected
            n_seen += len(rows)
    assert n_seen == len(drawn) and {r["cells"] for r in drawn if r["phase"] == "wake"} == {"forward", "feedback"}
    (figure,) = figures
    assert "30-8-3, reciprocal, seed 3" in figure.get_suptitle() and "twelve.npz" in figure.get_suptitle()
    texts = {text.get_text() for ax in figure.axes for text in ax.texts}
    assert texts == {"onset of feedback", "V begins to learn"}
    said = " ".join(load_module(figure_folder() / "style.py").statement_in(figure).split())
    assert f"test stimulus {best}, of the first 4 the one with most feedback spikes" in said
    assert "24 of 30 in population 0" in said and "learning rate 0.05 at the top" in said and "batch" not in said
    forward = next(row for row in printed if (row["phase"], row["population"], row["cells"]) == ("sleep", 1, "forward"))
    assert float(forward["ON"]) == (sleep["spikes_1"] == 1).sum()
    assert float(forward["rate (Hz)"]) == pytest.approx(float(np.abs(sleep["spikes_1"]).sum()) / 8 / 0.020, abs=0.06)


def test_what_cannot_be_drawn_is_said(run, tmp_path):
    given = run.description()
    other = given | {"parameters": given["parameters"] | {"dynamics": "settled"}}
    settled = RunDirectory.created(tmp_path / "settled", other)
    with pytest.raises(RunError, match=r"^rasters: must be given .* with dynamics=spiking \(got .*dynamics settled\)"):
        load_figure("rasters").draw([run, settled], tmp_path)
    begun = RunDirectory.created(tmp_path / "begun", given | {"seed": 4})
    with pytest.raises(RunError, match=r"\(got begun: one that is .*\); make one with `cortex-model run"):
        load_figure("rasters").draw([begun], tmp_path)
    with pytest.raises(ParameterError, match="draw runs of your own with `cortex-model figure rasters RUN_DIRS`"):
        load_figure("rasters").requests("digits", 1)
    assert "rasters" in CliRunner().invoke(app, ["figure", "--help"]).output

"""Figures of replay: the rasters, losses and correlations that the runs measured, and what each panel sweeps."""

import numpy as np
import pytest

from cortex_model.analysis.learning_curves import mean_and_interval
from cortex_model.analysis.replay import replay_correlations
from cortex_model.experiments.reproduce import figure_folder, load_figure
from cortex_model.protocol import load_protocol
from cortex_model.runs.directory import RunDirectory
from cortex_model.runs.running import start
from cortex_model.system.arrays import read_arrays
from cortex_model.system.sources import load_module

NAME = "hippocampal_replay"
SMALL = {"layer_sizes": (12, 20, 12), "laps": 2, "look_every_laps": 1, "replay_steps": 20}
RING = {"sequence_length": 12, "laps": 8, "look_every_laps": 4, "with_backpropagation": True}
PATTERNS = {"sequences": "patterns"}
SWEPT = [
    PATTERNS | {"sequence_length": 25}, PATTERNS, PATTERNS | {"input_noise": 0.1},
    {}, {"input_noise": 0.05}, PATTERNS | {"n_sequences": 2, "sequence_length": 25, "overlap": 0.12},
]  # fmt: skip


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Tiny runs of the ring, and of what is swept; two seeds of each."""
    folder, loaded = tmp_path_factory.mktemp("replay"), load_protocol(NAME)
    made = [
        start(NAME, loaded.parameters().with_overrides(SMALL | its), seed, "runtime", folder)
        for its in [RING, *SWEPT]
        for seed in (0, 1)
    ]
    return [RunDirectory.opened(summary["run_dir"]) for summary in made]


@pytest.fixture(scope="module")
def drawn(runs, tmp_path_factory):
    out = tmp_path_factory.mktemp("drawn")
    return load_figure(NAME).draw(runs, out), out


def test_both_figures_are_drawn(drawn):
    rows, out = drawn
    for name in (NAME, "hippocampal_capacity"):
        for ending, first in (("pdf", b"%PDF"), ("png", b"\x89PNG")):
            assert (out / f"{name}.{ending}").read_bytes().startswith(first)
    assert rows and all(set(row) == {"quantity", "simulated", "paper", "source"} for row in rows)


def test_rasters_losses_and_correlations_are_those_of_the_runs(runs, drawn, rows_of):
    shown, first = rows_of(drawn[1] / f"{NAME}.csv"), runs[0]
    kept, measures = read_arrays(first.path / "replay.nc"), first.measures()
    raster = [float(row["value"]) for row in shown if (row["panel"], row["curve"]) == ("B", "within CA3")]
    assert len(raster) == kept["replayed"].size
    order = np.argsort(kept["states"].values[0].argmax(axis=0), kind="stable")
    np.testing.assert_allclose(np.reshape(raster, (20, 12)), kept["replayed"].values[0][:, order], rtol=6e-3)
    for measure in ("prediction_loss", "backpropagation_loss"):
        its = [float(row["value"]) for row in shown if (row["curve"], row["seed"]) == (measure, "0")]
        np.testing.assert_allclose(its, measures[measure], rtol=1e-5)
    line = [float(row["value"]) for row in shown
            if (row["panel"], row["curve"], row["seed"]) == ("F", "within CA3", "0")]  # fmt: skip
    expected = replay_correlations(kept["replayed"].values[0], kept["states"].values[0])
    np.testing.assert_allclose(line, expected[np.arange(20), kept["follows"].values], rtol=1e-5)


def test_each_panel_sweeps_what_it_says(runs, drawn, rows_of):
    shown = rows_of(drawn[1] / "hippocampal_capacity.csv")
    xs = {panel: sorted({float(row["x"]) for row in shown if row["panel"] == panel}) for panel in
          dict.fromkeys(row["panel"] for row in shown)}  # fmt: skip
    assert xs == {"number": [25, 50], "ring": [0, 0.05], "noise": [0, 0.1], "overlap": [3]}
    noisy = [
        run.summary()["replay_correlation"] for run in runs if run.description()["parameters"]["input_noise"] == 0.1
    ]
    (point,) = [row for row in shown if (row["panel"], row["x"], row["line"]) == ("noise", "0.1", "within CA3")]
    assert point["seeds"] == "2"
    np.testing.assert_allclose(
        [float(point[key]) for key in ("mean", "low", "high")], mean_and_interval(np.array(noisy)), rtol=1e-5
    )


def test_requests_are_asked_for_once_and_every_panel_has_its_own():
    requests = load_figure(NAME).requests("digits", 2)
    assert len({request.name("runtime") for request in requests}) == len(requests)
    capacity = load_module(figure_folder() / "hippocampal_capacity.py")
    for _, _, common, name, values in capacity.PANELS.values():
        given = [request.parameters().model_dump() for request in requests if request.seed == 0][1:]
        its = [each[name] for each in given if capacity.belongs(each, common, name, values)]
        assert sorted(its) == sorted(values)

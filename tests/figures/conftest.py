"""Tiny runs for every figure, made once."""

import csv
import json
import shutil

import pytest

from cortex_model.devices.availability import default_device
from cortex_model.experiments.reproduce import load_figure
from cortex_model.protocol import load_protocol
from cortex_model.runs.directory import RunDirectory
from cortex_model.runs.running import start
from cortex_model.system.arrays import read_arrays, write_netcdf

#: Figure -> (protocol, overrides of its tiny parameters, one dict a curve).
TINY = {
    "fig1a": (
        "pseudoinverse_alignment",
        [
            {"averaged": True},
            {"averaged": True, "damping": 0.1, "n_presentations": 1500},
            {"averaged": True, "layer_sizes": (12, 6)},
            {"averaged": False},
        ],
    ),
    "fig1b": ("recirculation_dynamics", [{}]),
    "fig2b": (
        "wake_sleep_classification",
        [
            {"learning_rule": rule, "evaluate_every_presentations": 700}
            for rule in ("backpropagation", "reciprocal", "random_feedback")
        ],
    ),
    "favila_tuning": (
        "favila_tuning",
        [
            {"averaged": averaged, "damping": damping, "sleep_learning_rate": 0.0035 / damping}
            for averaged, damping in ((False, 1.0), (True, 1.0), (True, 10.0))
        ],
    ),
    "helmholtz_machine": ("helmholtz_machine", [{}]),
}
SEEDS = (0, 1)
#: Whose figure is drawn from one tiny run and imitations of it.
SLOW = "perception_and_recall"


def imitated(run, folder, seed, changes, resealed):
    """A run directory like another one, of another seed and other parameters, with other measured numbers."""
    path = folder / f"imitated-{seed}-{len(changes)}"
    if path.exists():
        return RunDirectory(path)
    shutil.copytree(run.path, path)
    description = run.description()
    description |= {"seed": seed, "parameters": description["parameters"] | changes}
    (path / "parameters.json").write_text(json.dumps(description))
    for file, names in (("decoding.nc", ["accuracy"]), ("measures.nc", ["reconstruction_error", "recall_error"])):
        arrays = read_arrays(path / file)
        for name in names:
            arrays[name].values[:] = arrays[name].values * (0.9 - 0.1 * len(changes))
        write_netcdf(path / file, arrays)
    return resealed(path)


@pytest.fixture(scope="session")
def runs_for(made_once, tiny_summary, resealed):
    """Figure -> finished run directories, two seeds of each setting."""
    made = {}

    def runs(figure):
        if figure in TINY and figure not in made:
            protocol, settings = TINY[figure]
            loaded = load_protocol(protocol)
            with made_once(f"figure_{figure}") as folder:
                made[figure] = [
                    RunDirectory(start(protocol, parameters, seed, default_device(), folder)["run_dir"])
                    for parameters in (loaded.parameters().with_overrides(loaded.tiny | more) for more in settings)
                    for seed in SEEDS
                ]
        elif figure == SLOW and figure not in made:
            run = RunDirectory(tiny_summary(SLOW)["run_dir"])
            others = [(1, {}), (0, {"damping": 1.0}), (1, {"damping": 1.0})]
            with made_once(f"figure_{figure}") as folder:
                made[figure] = [run, *(imitated(run, folder, *other, resealed) for other in others)]
        return made.get(figure, [])

    return runs


@pytest.fixture(scope="session")
def drawn(runs_for, tmp_path_factory):
    """Figure -> (what it prints, the folder of its files), drawn once."""
    made = {}

    def draw(figure):
        if figure not in made:
            out = tmp_path_factory.mktemp("drawn") / "new"
            made[figure] = load_figure(figure).draw(runs_for(figure), out), out
        return made[figure]

    return draw


@pytest.fixture
def rows_of():
    """Path -> rows of a CSV as dicts of text."""

    def rows(path):
        with open(path, newline="") as file:
            return list(csv.DictReader(file))

    return rows

"""``cortex-model compare``: table, figure and JSON, with a recording in each documented format, and what it refuses."""

import csv
import json
import shutil
import sys

import numpy as np
import pytest
import xarray
from PIL import Image
from scipy.io import savemat

from cortex_model import datasets
from cortex_model.cli import main
from cortex_model.devices.availability import default_device
from cortex_model.protocol import load_protocol
from cortex_model.runs.directory import RunDirectory
from cortex_model.runs.running import start
from cortex_model.weights import Weights

RDMS, RESPONSES = (datasets.load_recording(f"synthetic_{kind}") for kind in ("rdms", "responses"))


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory):
    protocol = load_protocol("wake_sleep_classification")
    p = protocol.parameters().with_overrides(protocol.tiny)
    return start(protocol.name, p, 0, default_device(), tmp_path_factory.mktemp("runs"))["run_dir"]


@pytest.fixture
def compare(run_dir, tmp_path, monkeypatch, capsys):
    """Arguments -> (exit status, output, error); the last JSON line is parsed."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments, run=run_dir):
        given = ["compare", str(run), "--resamples", "4", "--out", "out", *map(str, arguments)]
        monkeypatch.setattr(sys, "argv", ["cortex-model", *given])
        with pytest.raises(SystemExit) as stopped:
            main()
        return stopped.value.code or 0, *capsys.readouterr()

    return call


@pytest.fixture
def images(tmp_path):
    (tmp_path / "images").mkdir()
    for name, image in zip(RDMS.stimulus_names, RDMS.images, strict=True):
        Image.fromarray(image).save(tmp_path / "images" / f"{name}.png")
    return tmp_path


def rdms_as_npz(folder):
    np.savez(folder / "data.npz", rdms=RDMS.rdms, stimuli=np.array(RDMS.stimulus_names))


def rdms_as_mat(folder):
    names = np.array(RDMS.stimulus_names, object)
    savemat(folder / "data.mat", {"rdms": np.moveaxis(RDMS.rdms, 0, 2), "stimuli": names})


def rdm_as_csv(folder):
    with open(folder / "data.csv", "w", newline="") as file:
        rows = zip(RDMS.stimulus_names, RDMS.rdms[0].tolist(), strict=True)
        csv.writer(file).writerows([["", *RDMS.stimulus_names], *([name, *row] for name, row in rows)])


def rdms_as_netcdf(folder):
    array = xarray.DataArray(RDMS.rdms, dims=("subject", "stimulus", "other"))
    array = array.assign_coords(stimulus=list(RDMS.stimulus_names))
    array.to_dataset(name="rdms").to_netcdf(folder / "data.nc", engine="h5netcdf")


FORMATS = {".npz": rdms_as_npz, ".mat": rdms_as_mat, ".csv": rdm_as_csv, ".nc": rdms_as_netcdf}


@pytest.mark.slow
def test_a_recording_of_ones_own_in_each_format(compare, images):
    """The same numbers from each; a table holds one subject, so that there is no noise ceiling."""
    found = {}
    for kind, write in FORMATS.items():
        write(images)
        description = f'name = "mine"\nkind = "rdm"\ndata = "data{kind}"\nstimuli = "images"\n'
        (images / "recording.toml").write_text(description)
        status, output, error = compare("--with", "recording.toml", "--json")
        assert status == 0, error
        result = json.loads(output.strip().split("\n")[-1])
        assert (result["recording"], result["metric"]) == ("mine", "spearman")
        names = [row["name"] for row in result["rows"]]
        wanted = {"population 1", "reconstruction of population 1", "Gabor energies", "untrained, population 1"}
        assert wanted <= set(names)
        low, high = result["noise_ceiling"]
        assert (low is None and high is None) if kind == ".csv" else low < high
        for ending in ("png", "pdf", "csv"):
            drawn = images / "out" / f"mine_spearman.{ending}"
            assert drawn.stat().st_size > 500
            drawn.unlink()
        assert "noise ceiling" in output and "resized to 8 x 8 in grey" in output
        found[kind] = result["rows"]
    assert found[".npz"] == found[".mat"] == found[".nc"] != found[".csv"]


@pytest.mark.slow
def test_responses_with_repeats_and_several_metrics(compare, images):
    np.savez(images / "units.npz", responses=RESPONSES.responses, stimuli=np.array(RESPONSES.stimulus_names))
    given = (
        "--with",
        "units.npz",
        "--stimuli",
        "images",
        "--metric",
        "ridge",
        "--metric",
        "pls",
        "--metric",
        "spearman",
    )
    status, output, error = compare(*given, "--json")
    assert status == 0, error
    results = [json.loads(line) for line in output.strip().split("\n")[-3:]]
    assert [result["metric"] for result in results] == ["ridge", "pls", "spearman"]
    assert all("uncorrected" in row for row in results[0]["rows"])
    with open(images / "out" / "units_ridge.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    shown = {row["row"]: float(row["score"]) for row in rows}
    assert shown == pytest.approx({row["name"]: row["score"] for row in results[0]["rows"]}, abs=1e-5)
    assert len([name for name in rows[0] if name.startswith("unit ")]) == 12


def test_names_are_printed_as_they_are(compare, images):
    """What looks like markup of the terminal or of figures is none."""
    np.savez(images / "data.npz", rdms=RDMS.rdms, subjects=np.array(["$a", "[/b]", "{c"]))
    (images / "images" / f"{RDMS.stimulus_names[0]}.png").rename(images / "images" / "[bold] 1.png")
    described = "\nkind = 'rdm'\ndata = 'data.npz'\nstimuli = 'images'\n"
    (images / "mine.toml").write_text(r'name = "../my [/b] $\\frac$\u001b[31m"' + described)
    status, output, error = compare("--with", "mine.toml")
    assert status == 0, error
    assert sorted(path.name for path in (images / "out").iterdir())[0] == "my_b_frac_x1b_31m_spearman.csv"
    assert r"../my [/b] $\frac$\x1b[31m, spearman" in output and "([bold] 1 to row 1, stimulus 40 to row 40)" in output


#: What is wrong -> (arguments, what the sentence says).
REFUSED = {
    "no such recording": (("--with", "human_et"), "--with: must be one of human_it"),
    "predictivity of RDMs": (("--with", "synthetic_rdms", "--metric", "ridge"), "which needs responses"),
    "an unknown metric": (("--with", "synthetic_rdms", "--metric", "rho"), "--metric: must be one of spearman"),
    "a file that is not there": (("--with", "recording.toml"), "must be a recording's name or a file"),
}


@pytest.mark.parametrize(("arguments", "sentence"), REFUSED.values(), ids=list(REFUSED))
def test_what_is_refused(arguments, sentence, compare):
    status, _, error = compare(*arguments)
    assert status == 2 and sentence in error and "Traceback" not in error


@pytest.mark.slow
def test_runs_that_cannot_be_compared(compare, run_dir, tmp_path):
    assert compare("--with", "synthetic_rdms", run=tmp_path / "none")[0] == 2
    description = RunDirectory(run_dir).description()
    unfinished = RunDirectory.created(tmp_path / "unfinished", description)
    status, _, error = compare("--with", "synthetic_rdms", run=unfinished.path)
    assert status == 2 and "must be a finished run (got one that is not started)" in error
    other = load_protocol("recirculation_dynamics")
    summary = start(other.name, other.parameters().with_overrides(other.tiny), 0, default_device(), tmp_path)
    status, _, error = compare("--with", "synthetic_rdms", run=summary["run_dir"])
    assert status == 2 and "must be a run that learned from images" in error


def test_published_recordings_are_compared(compare, recorded):
    recorded("human_it")
    status, output, error = compare("--with", "human_it", "--json")
    assert status == 0, error
    result = json.loads(output.strip().split("\n")[-1])
    assert result["noise_ceiling"] == pytest.approx([0.377, 0.672], abs=0.005)
    assert {"animacy", "HMAX", "monkey IT"} <= {row["name"] for row in result["rows"]}


def untrained(output):
    """Scores of the hierarchy before learning, from the JSON line."""
    rows = json.loads(output.strip().split("\n")[-1])["rows"]
    return {row["name"]: row["score"] for row in rows if row["name"].startswith("untrained")}


def test_untrained_is_the_hierarchy_with_which_the_run_began(compare, run_dir, resealed, tmp_path):
    """Not what the seed would draw, where the run began elsewhere."""
    copy = tmp_path / "copy"
    shutil.copytree(run_dir, copy)
    assert RunDirectory(copy).start() is None
    drawn = untrained(compare("--with", "synthetic_rdms", "--json")[1])
    W = RunDirectory(copy).weights()
    RunDirectory(copy).write_start(Weights({l: -(w**3) for l, w in W.forward.items()}, W.biases, W.feedback))
    resealed(copy)
    given = untrained(compare("--with", "synthetic_rdms", "--json", run=copy)[1])
    assert drawn
    assert given.keys() == drawn.keys()
    assert all(given[name] != drawn[name] for name in drawn)

"""Every option of every command, given what it is not for: exit status 0 or 2, one sentence, nothing half-written."""

import contextlib
import io
import json
import os
import shutil

import numpy as np
import pytest
import typer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cortex_model.cli import app, main
from cortex_model.parameters import LARGEST
from cortex_model.protocol import load_protocol
from cortex_model.runs.directory import RunDirectory
from cortex_model.weights import initial_weights

PROTOCOL = "pseudoinverse_alignment"
PARAMETERS = load_protocol(PROTOCOL).parameters
#: A run that takes milliseconds, in case that something is right by accident.
TINY = ["--set", "averaged=true", "--set", "n_presentations=3", "--device", "runtime"]
RECORDED = ["--with", "rdms.npz", "--stimuli", "images.npz", "--kind", "rdm"]

EMPTY = ["", " ", "\t"]
TEXTS = [
    *EMPTY,
    "nan",
    "inf",
    "-inf",
    "None",
    "ü",
    "\U0001f9e0 brain",
    "a b",
    "%s{0}",
    "-",
    "x" * 3000,
    "\udcff",
    "[red]x",
]
NO_NUMBERS = ["", "nan", "inf", "-inf", "1e5", "0x10", "many", "1,2", "-1", str(-(10**30)), "1.5"]
NO_COUNTS = [*NO_NUMBERS, "0", str(LARGEST + 1), "1" + "0" * 30, "9" * 5000]
PATHS = ["nothing", "nothing/below", "file", "file/below", "folder", "", "x" * 300, "damaged", "\udcff", "/dev/null"]
PROTOCOLS = [*TEXTS, *PATHS, "broken.py", "empty.py", "folder.py", "pseudoinverse", "../file", "file.txt"]

names = st.sampled_from([*PARAMETERS.model_fields, "lr", "momentum", "qqqq", *TEXTS[:6]])
values = st.sampled_from(
    [*TEXTS, *NO_NUMBERS, str(LARGEST + 1), "1" + "0" * 400, "64,0", "1,", "spiking", "relu", "{}"]
)
pairs = st.one_of(
    st.tuples(names, values).map("=".join), st.sampled_from(TEXTS), st.text(max_size=8).filter(lambda t: "\0" not in t)
)


def one_of(*lists):
    return st.sampled_from([text for texts in lists for text in texts])


#: Command -> (what stands before the option, option or position -> what it is given).
COMMANDS = {
    "run": (
        ["run", PROTOCOL, *TINY],
        {
            "PROTOCOL": one_of(PROTOCOLS), "--set": pairs, "--device": one_of(TEXTS, ["gpu", "jax"]),
            "--seed": one_of(NO_NUMBERS, [str(LARGEST + 1)]), "--out": one_of(PATHS[2:4], EMPTY[:1]),
            "--ensemble-size": one_of(NO_COUNTS), "--vary": pairs, "--json": one_of(["x"]), "--again": one_of(["x"]),
        },
    ),
    "sweep": (
        ["sweep", PROTOCOL, "--grid", "damping=0,0.1"],
        {
            "PROTOCOL": one_of(PROTOCOLS), "--grid": one_of(TEXTS, ["damping=", "damping=1,1", "qq=1", "dtype=x"]),
            "--set": one_of(["", "x", "damping=1", "qqqq=1", "learning_rate=nan", "layer_sizes=ü"]),
            "--seeds": one_of(NO_COUNTS), "--scheduler": one_of(["nowhere://", ""]), "--workers": one_of(NO_COUNTS),
            "--device": one_of(TEXTS), "--out": one_of(PATHS[2:4], EMPTY[:1]), "--ensemble-size": one_of(NO_COUNTS),
            "--again": one_of(["x"]),
        },
    ),
    "resume": (
        ["resume", "damaged"],
        {
            "RUN_DIR": one_of(PATHS), "--set": pairs, "--json": one_of(["x"]), "--again": one_of(["x"]),
            "--run-code": one_of(["x"]),
        },
    ),
    "runs": (
        ["runs"],
        {
            "FOLDER": one_of(PATHS), "--where": one_of(["", "x", "qqqq=1"]), "--sort": one_of(["qqqq", "ü"]),
            "--json": one_of(["x"]),
        },
    ),
    "show": (["show", "damaged"], {"RUN_DIR": one_of(PATHS), "--json": one_of(["x"])}),
    "diff": (
        ["diff", "damaged", "damaged"],
        {"ONE": one_of(PATHS), "OTHER": one_of(PATHS), "--json": one_of(["x"])},
    ),
    "report": (
        ["report", "trained", "--out", "page.html"],
        {"RUN_DIRS": one_of(PATHS), "--out": one_of(PATHS, TEXTS, ["file/page.html", "folder.html", "%.html"])},
    ),
    "protocols": (["protocols"], {}),
    "parameters": (["parameters"], {"PROTOCOL": one_of(PROTOCOLS)}),
    "figure": (
        ["figure", "fig1a", "folder"],
        {
            "FIGURE": one_of(TEXTS, PATHS, PROTOCOLS), "RUN_DIRS": one_of(PATHS), "--from-csv": one_of(TEXTS, PATHS),
            "--out": one_of(PATHS[2:4], EMPTY[:1]),
        },
    ),
    "reproduce": (
        ["reproduce", "fig2b", "--device", "magic"],
        {
            "FIGURE": one_of(TEXTS, PATHS), "--dataset": one_of(TEXTS), "--seeds": one_of(NO_COUNTS),
            "--device": one_of(TEXTS), "--out": one_of(PATHS[2:4], EMPTY[:1]), "--again": one_of(["x"]),
        },
    ),
    "compare": (
        ["compare", "trained", *RECORDED, "--metric", "nothing"],
        {
            "RUN_DIR": one_of(PATHS), "--with": one_of(TEXTS, PATHS), "--metric": one_of(TEXTS),
            "--stimuli": one_of(PATHS), "--kind": one_of(TEXTS), "--variable": one_of(TEXTS),
            "--resamples": one_of(NO_COUNTS), "--seed": one_of(NO_NUMBERS),
            "--run-code": one_of(["x"]), "--out": one_of(PATHS[2:4], EMPTY[:1]), "--json": one_of(["x"]),
        },
    ),
    "check": (["check", "no_rule"], {"LEARNING_RULE": one_of(TEXTS, PATHS, PROTOCOLS), "--set": pairs}),
    "datasets list": (["datasets", "list"], {}),
    "datasets show": (["datasets", "show", "damaged"], {"NAME": one_of(TEXTS, PATHS), "--json": one_of(["x"])}),
    "datasets fetch": (["datasets", "fetch"], {"NAME": one_of(TEXTS, PATHS)}),
    "datasets verify": (["datasets", "verify"], {"NAME": one_of(TEXTS, PATHS)}),
    "devices": (["devices"], {}),
    "docs": (["docs"], {"--out": one_of(PATHS[2:4], EMPTY[:1])}),
    "benchmark": (
        ["benchmark", "--dtype", "half"],
        {
            "--sizes": one_of(TEXTS, ["784", "1,0"]), "--widths": one_of(TEXTS), "--ensembles": one_of(TEXTS),
            "--devices": one_of(TEXTS), "--dtype": one_of(TEXTS), "--repetitions": one_of(NO_COUNTS),
            "--seconds": one_of(["0", "-1", "nan", "", "x", "inf"]), "--pytorch-python": one_of(PATHS),
            "--out": one_of(PATHS[2:4], EMPTY[:1]), "--json": one_of(["x"]),
        },
    ),
}  # fmt: skip
#: What a damaged JSON file may hold.
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=3,
)
CASES = [(command, option) for command, (_, options) in COMMANDS.items() for option in options]
PER_OPTION = 4


def trained(path):
    """A finished run, without a simulation."""
    protocol = load_protocol("wake_sleep_classification")
    p = protocol.parameters(**protocol.tiny)
    description = {
        "protocol": protocol.name, "protocol_file": protocol.name, "device": "runtime", "seed": 0,
        "parameters": p.model_dump(mode="json"),
    }  # fmt: skip
    directory = RunDirectory.created(path, description)
    directory.finish(initial_weights(p, 0), {"error": (["look"], np.zeros(2), "1")})
    directory.conclude({"seed": 0}, {})
    return directory


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A working folder with a file, an empty folder, a damaged run, and protocols that are none."""
    path = tmp_path_factory.mktemp("fuzz")
    (path / "file").write_text("not a folder\n")
    (path / "broken.py").write_text("def (:\n")
    (path / "empty.py").write_text("")
    for name in ("folder", "folder.py", "folder.html", "damaged"):
        (path / name).mkdir()
    (path / "damaged" / "parameters.json").write_text('{"protocol": ')
    trained(path / "trained")
    numbers = np.random.default_rng(0)
    rdm = numbers.random((6, 6))
    np.savez(path / "rdms.npz", rdms=(rdm + rdm.T) * (1 - np.eye(6)))
    np.savez(path / "images.npz", images=numbers.integers(0, 256, (6, 8, 8), np.uint8))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(path)
        patch.setenv("CORTEX_MODEL_CACHE", str(path / "cache"))
        patch.setenv("CORTEX_MODEL_DATA", str(path / "folder"))
        yield path


def called(arguments):
    """Exit status, output and error of a command line."""
    output, error = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(error), pytest.raises(SystemExit) as stopped:
        main(arguments)
    return stopped.value.code or 0, output.getvalue(), error.getvalue()


def contents(folder):
    return {os.path.join(at, name) for at, folders, files in os.walk(folder) for name in (*folders, *files)}


@pytest.mark.parametrize(("command", "option"), CASES, ids=lambda text: text.replace(" ", "_"))
@settings(
    derandomize=True, max_examples=PER_OPTION, deadline=None, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(data=st.data())
def test_what_an_option_is_not_for(command, option, folder, data):
    base, options = COMMANDS[command]
    value = data.draw(options[option])
    arguments = [*base, option, value]
    if option.isupper():  # a position
        n_words = len(command.split())
        arguments = [*base[:n_words], *base[n_words + 1 :], "--", value]
        if option == "RUN_DIRS":
            arguments = [*base, "--", value]
    before = contents(folder)
    refused = is_refused(arguments)
    made = contents(folder) - before
    assert not [path for path in made if path.endswith(".part") or (refused and path.endswith("summary.json"))]


def is_refused(arguments):
    """Whether a command line ends with one sentence and not well; any other end is wrong."""
    status, _, error = called(arguments)
    assert status in (0, 2), error
    assert "Traceback" not in error
    if status == 2:
        assert error.startswith("Usage: ") or len(error.splitlines()) == 1, error
        assert 10 < len(error) < 4000
    return status == 2


@settings(derandomize=True, max_examples=15, deadline=None, database=None)
@given(data=st.data())
def test_a_description_that_is_not_one(folder, data):
    """``parameters.json`` of a run with something else in one place, or altogether."""
    file = folder / "strange" / "parameters.json"
    given = json.loads((folder / "trained" / "parameters.json").read_text())
    inner = data.draw(st.sampled_from([given, given["parameters"]]))
    inner[data.draw(st.sampled_from([*inner, "another"]))] = data.draw(anything)
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(data.draw(st.sampled_from([given, given, given, inner, [given], None]))))
    (folder / "strange" / "summary.json").write_text(json.dumps(data.draw(st.sampled_from([{}, {}, [], 5]))))
    is_refused(["resume", str(file.parent)])
    is_refused(["runs", str(file.parent)])
    is_refused(["show", str(file.parent)])
    is_refused(["diff", str(file.parent), str(folder / "trained")])
    is_refused(["report", str(file.parent), "--out", str(folder / "page.html")])
    assert is_refused(["compare", str(file.parent), *RECORDED, "--metric", "nothing"])


@settings(derandomize=True, max_examples=15, deadline=None, database=None)
@given(data=st.data())
def test_results_that_are_damaged(folder, data):
    """``weights.nc`` of a run, cut, or with another beginning: HDF5 may never return from other damage."""
    content = (folder / "trained" / "weights.nc").read_bytes()
    at = data.draw(st.integers(0, len(content) - 1))
    content = data.draw(st.sampled_from([content[:at], bytes(8) + content[8:], b"", b"CDF\x01", content[:at] * 2]))
    shutil.copytree(folder / "trained", folder / "cut", dirs_exist_ok=True)
    (folder / "cut" / "weights.nc").write_bytes(content)
    assert is_refused(["compare", str(folder / "cut"), *RECORDED, "--metric", "nothing"])
    assert not is_refused(["report", str(folder / "cut"), "--out", str(folder / "page.html")])


def test_every_option_of_every_command_is_tried():
    def options_of(command, name):
        for child, its in getattr(command, "commands", {}).items():
            yield from options_of(its, f"{name} {child}".strip())
        for parameter in () if hasattr(command, "commands") else command.params:
            known = max(parameter.opts, key=len)
            yield name, known if known.startswith("--") else known.upper()

    there = {case for case in options_of(typer.main.get_command(app), "") if case[1] != "--help"}
    tried = {(command, {"FIGURE": "NAME", "NAME": "NAME"}.get(option, option)) for command, option in CASES}
    assert there == tried
    assert len(CASES) * PER_OPTION >= 200

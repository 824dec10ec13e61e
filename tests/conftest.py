"""What every test shares: tools that are missing are skipped by name, compiled programs are kept between runs."""

import importlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from filelock import FileLock

#: Read before any test isolates itself from the user's folders.
NAMED = os.environ.get("CORTEX_MODEL_DATA")
REAL_DATA = Path(NAMED) if NAMED else Path(__file__).resolve().parents[2] / "shared" / "data"


def _is_answering(*command):
    return shutil.which(command[0]) is not None and subprocess.run(command, capture_output=True).returncode == 0


#: Marker -> (what must be there, how to find out).
NEEDED = {
    "compiler": ("g++ and make", lambda: bool(shutil.which("g++") and shutil.which("make"))),
    "nvcc": (
        "nvcc and brian2cuda",
        lambda: bool(shutil.which("nvcc") and importlib.util.find_spec("brian2cuda")),
    ),
    "gpu": ("an NVIDIA GPU", lambda: _is_answering("nvidia-smi", "--list-gpus")),
}


def pytest_configure(config):
    """A thread a process, since tests run side by side; bytecode here, where Python is told to keep none elsewhere."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    if sys.dont_write_bytecode:
        folder = str(config.cache.mkdir("bytecode"))
        sys.dont_write_bytecode, sys.pycache_prefix = False, folder
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = folder


def pytest_collection_modifyitems(items):
    for marker, (what, is_there) in NEEDED.items():
        marked = [item for item in items if item.get_closest_marker(marker)]
        if marked and not is_there():
            for item in marked:
                item.add_marker(pytest.mark.skip(reason=f"{marker}: needs {what} (not found)"))


@pytest.fixture(scope="session", autouse=True)
def kept_programs(request):
    """Programs are compiled once and kept, named by their content; never in the user's cache folder."""
    with pytest.MonkeyPatch.context() as patch:
        folder = request.config.cache.mkdir("cortex-model")
        folder.chmod(0o700)
        patch.setenv("CORTEX_MODEL_CACHE", str(folder))
        yield


@pytest.fixture
def recorded(monkeypatch):
    """Name -> published recording, from CORTEX_MODEL_DATA; never downloaded; what is missing is skipped by name."""
    from cortex_model.datasets import load_recording
    from cortex_model.datasets.files import read_files, verify

    folder, sources = REAL_DATA, {"v4": "cowley_v4"}

    def load(name):
        source = sources.get(name, "kriegeskorte_92")
        if folder.is_dir():
            monkeypatch.setenv("CORTEX_MODEL_DATA", str(folder))
        states = verify(source)
        if any(row.state == "missing" for row in states):
            pytest.skip(f"{name}: needs the files of {source} below CORTEX_MODEL_DATA (not in {folder})")
        assert read_files(source) and all(row.state == "verified" for row in states)
        return load_recording(name)

    return load


@pytest.fixture(scope="session")
def tiny():
    """Parameters of the one small network that learns the digits: all that is compiled for runs shares its program."""
    from cortex_model.protocol import load_protocol

    return dict(load_protocol("wake_sleep_classification").tiny)


@pytest.fixture(scope="session")
def typed():
    """Parameters -> the words that set them on the command line."""

    def words(parameters):
        texts = {n: ",".join(map(str, v)) if isinstance(v, tuple) else v for n, v in parameters.items()}
        return [word for name, text in texts.items() for word in ("--set", f"{name}={text}")]

    return words


@pytest.fixture(scope="session")
def only_rules():
    """Names of rules -> a context in which programs hold no others: fewer Brian2 objects are made, in less time."""
    from cortex_model.rules import shipped

    declarations = importlib.import_module("cortex_model.schedule.declared")  # which has a function of the same name

    @contextmanager
    def only(*names):
        rules = {name: rule for name, rule in shipped().items() if name in names}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(declarations, "shipped", lambda: rules)
            declarations._declared.cache_clear()
            yield
        declarations._declared.cache_clear()

    return only


@pytest.fixture
def alone(only_rules):
    """Names of rules -> only these are in the programs of a test from now on."""
    with ExitStack() as entered:
        yield lambda *names: entered.enter_context(only_rules(*names))


@pytest.fixture(scope="session")
def made_once(tmp_path_factory):
    """Name -> a folder that all workers share, one after the other: what the first one makes, the next one finds."""
    base = tmp_path_factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    @contextmanager
    def shared(name):
        with FileLock(base / f"{name}.lock"):
            (base / name).mkdir(exist_ok=True)
            yield base / name

    return shared


@pytest.fixture(scope="session")
def resealed():
    """Run directory -> the same, whose files say of themselves, and of each other, what they hold now."""
    from cortex_model.runs import identity
    from cortex_model.runs.directory import RunDirectory
    from cortex_model.system.storage import SHA256, write_json

    def seal(path):
        for name in ("parameters.json", "summary.json", "provenance.json"):
            if (path / name).exists():
                content = json.loads((path / name).read_text())
                content.pop(SHA256, None)
                if name == "parameters.json" and isinstance(content, dict):
                    content["name"] = path.resolve().name
                if name == "provenance.json" and (path / "summary.json").exists():
                    summary = {n: v for n, v in json.loads((path / "summary.json").read_text()).items() if n != SHA256}
                    content["files"] = identity.hashes(path, summary)
                write_json(path / name, content)
        return RunDirectory(path)

    return seal


#: Protocols whose tiny program no other test needs: it is not worth a compilation.
ON_RUNTIME = (
    "helmholtz_machine", "hippocampal_replay", "perception_and_recall", "wake_sleep_autoencoding",
    "wake_sleep_regression",
)  # fmt: skip


@pytest.fixture(scope="session")
def tiny_summary(made_once, typed, only_rules):
    """Protocol -> the JSON that `run --json` prints for its tiny parameters; made when first asked for."""
    from typer.testing import CliRunner

    from cortex_model.cli import app
    from cortex_model.protocol import load_protocol

    made = {}

    def summary(protocol):
        if protocol not in made:
            with made_once(f"tiny_{protocol}") as folder:
                arguments = ["run", protocol, *typed(load_protocol(protocol).tiny), "--out", str(folder), "--json"]
                if protocol in ON_RUNTIME:
                    with only_rules("reciprocal"):
                        done = CliRunner().invoke(app, [*arguments, "--device", "runtime"])
                else:
                    done = CliRunner().invoke(app, arguments)
            assert done.exit_code == 0, done.exception
            made[protocol] = json.loads(done.stdout.strip().split("\n")[-1])
        return made[protocol]

    return summary


@pytest.fixture
def command_line(capsys):
    """Arguments -> (exit status, output, error) of the command line, run in this process."""
    from cortex_model.cli import main

    def call(*arguments):
        with pytest.raises(SystemExit) as stopped:
            main([str(argument) for argument in arguments])
        return stopped.value.code or 0, *capsys.readouterr()

    return call

"""What every test shares: tools that are missing are skipped by name, compiled programs are kept between runs."""

import importlib.util
import os
import shutil
import subprocess
from pathlib import Path

import pytest

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
        patch.setenv("CORTEX_MODEL_CACHE", str(request.config.cache.mkdir("cortex-model")))
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

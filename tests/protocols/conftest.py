"""Each protocol with its tiny parameters, run once through the command line, for all tests of its summary."""

import json
import subprocess
import sys

import pytest

from cortex_model.protocol import load_protocol, protocol_names
from cortex_model.running import start


@pytest.fixture(scope="session")
def tiny_summary(tmp_path_factory):
    """Protocol -> the JSON that `run --json` prints; runs are made when first asked for."""
    folder, made = tmp_path_factory.mktemp("tiny"), {}

    def summary(protocol):
        if protocol not in made:
            overrides = load_protocol(protocol).tiny.items()
            texts = ((name, ",".join(map(str, v)) if isinstance(v, tuple) else v) for name, v in overrides)
            sets = [part for name, value in texts for part in ("--set", f"{name}={value}")]
            command = [sys.executable, "-m", "cortex_model", "run", protocol, *sets, "--out", str(folder), "--json"]
            done = subprocess.run(command, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
            made[protocol] = json.loads(done.stdout.strip().split("\n")[-1])
        return made[protocol]

    return summary


@pytest.fixture(params=protocol_names())
def protocol_name(request):
    return request.param


@pytest.fixture
def made(tmp_path):
    """(protocol, seed, device, overrides) -> summary of a run below a folder of its own."""

    def make(protocol, seed=0, device="cpp_standalone", **overrides):
        parameters = load_protocol(protocol).parameters().with_overrides(overrides)
        return start(protocol, parameters, seed, device, tmp_path)

    return make

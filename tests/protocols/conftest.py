"""Each protocol with its tiny parameters, run once through the command line, for all tests of its summary."""

import json

import pytest
from typer.testing import CliRunner

from cortex_model.cli import app
from cortex_model.protocol import load_protocol, protocol_names
from cortex_model.runs.running import start

#: Protocols whose tiny program no other test needs: it is not worth a compilation.
ON_RUNTIME = ("perception_and_recall", "wake_sleep_autoencoding")


@pytest.fixture(scope="session")
def tiny_summary(tmp_path_factory, typed):
    """Protocol -> the JSON that `run --json` prints; runs are made when first asked for."""
    folder, made = tmp_path_factory.mktemp("tiny"), {}

    def summary(protocol):
        if protocol not in made:
            arguments = ["run", protocol, *typed(load_protocol(protocol).tiny), "--out", str(folder), "--json"]
            arguments += ["--device", "runtime"] if protocol in ON_RUNTIME else []
            done = CliRunner().invoke(app, arguments)
            assert done.exit_code == 0, done.exception
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

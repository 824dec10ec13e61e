"""What the tests of protocols share: every name, and runs below a folder of a test's own."""

import pytest

from cortex_model.protocol import load_protocol, protocol_names
from cortex_model.runs.running import start


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

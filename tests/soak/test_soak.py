"""A few of each kind of damage; `soak.py` does hundreds."""

import subprocess
import sys
from pathlib import Path

import pytest

SOAK = Path(__file__).with_name("soak.py")


@pytest.mark.compiler
@pytest.mark.slow
def test_a_few_of_each_kind():
    """In a process of its own, which makes children that are killed."""
    asked = ["--kills", "2", "--failures", "4", "--flips", "4", "--races", "1", "--seed", "7"]
    device = ["--device", "cpp_standalone"]
    done = subprocess.run([sys.executable, str(SOAK), *asked, *device], capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert '"findings": 0' in done.stdout and '"races": 1' in done.stdout

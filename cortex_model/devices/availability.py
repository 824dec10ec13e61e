"""What this machine can run, what is missing, and how to get it."""

import shutil
from typing import NamedTuple

from cortex_model.devices import cuda
from cortex_model.devices.compilation import compiler_command, compiler_version
from cortex_model.errors import DeviceError, in_short
from cortex_model.parameters.offered import advice


class DeviceState(NamedTuple):
    """One row of ``cortex-model devices``."""

    device: str
    can_run: bool
    found: str
    missing: str


def device_states() -> list[DeviceState]:
    """Each device: whether runs can use it here, what was found, what is missing and how to get it."""
    numpy = DeviceState("runtime", True, "NumPy; cython with --set codegen_target=cython", "")
    return [numpy, _cpp(), _cuda()]


def default_device() -> str:
    """``cpp_standalone`` where it can run, else ``runtime``."""
    return "cpp_standalone" if _cpp().can_run else "runtime"


def chosen_device(device: str | None) -> str:
    """The device that was asked for, if it can run here; the default one where none was.

    Raises
    ------
    DeviceError
        If it is unknown, or something is missing.
    """
    if device is None:
        return default_device()
    check_device(device)
    return device


def check_device(device: str) -> None:
    """Refuse a device that cannot run here.

    Raises
    ------
    DeviceError
        If it is unknown, or something is missing.
    """
    states = {state.device: state for state in device_states()}
    if not isinstance(device, str) or device not in states:
        hint = advice(device, states, "--device") or "see `cortex-model devices`."
        raise DeviceError(f"--device: must be one of {', '.join(states)} (got {in_short(device)}); {hint}")
    state = states[device]
    if not state.can_run:
        raise DeviceError(f"--device: {device} must be able to run here (got: {state.missing}); use another device.")


def _cpp():
    try:
        missing = [name for name in (compiler_command()[0], "make") if shutil.which(name) is None]
    except DeviceError as error:
        return DeviceState("cpp_standalone", False, "", str(error))
    if missing:
        return DeviceState("cpp_standalone", False, "", f"no {' and no '.join(missing)} (Debian: apt install g++ make)")
    try:
        return DeviceState("cpp_standalone", True, compiler_version(), "")
    except DeviceError as error:
        return DeviceState("cpp_standalone", False, "", str(error))


def _cuda():
    found, missing = cuda.found_and_missing()
    return DeviceState("cuda_standalone", not missing, ", ".join(found), "; ".join(missing))

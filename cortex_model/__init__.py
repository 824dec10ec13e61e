"""Cortical hierarchies that learn through their reciprocal feedback connections, on Brian2."""

from typing import Any

__version__ = "0.1.0"


def run(protocol: str, *, seed: int = 0, device: str | None = None, out: str = "runs", **overrides: Any):
    """Run a protocol, or go on with it, or return the finished run.

    Parameters
    ----------
    protocol : str
        Name of a protocol, or a file that defines one.
    seed : int
        Of weights, noise and order of stimuli.
    device : str, optional
        ``"cpp_standalone"`` or ``"runtime"``; unless given, the fastest that can run here.
    out : str
        Folder below which the run directory is made.
    **overrides
        Parameters of the protocol, by name.

    Returns
    -------
    directory : cortex_model.results.RunDirectory
        With ``summary()``, ``measures()`` (an xarray.Dataset) and ``weights()``.

    Raises
    ------
    CortexModelError
        With one sentence: where, what must hold, what was got, what to do.
    """
    from pathlib import Path

    from cortex_model.devices.availability import check_device, default_device
    from cortex_model.protocol import load_protocol
    from cortex_model.results import RunDirectory
    from cortex_model.running import start

    device = device or default_device()
    check_device(device)
    parameters = load_protocol(protocol).parameters().with_overrides(overrides)
    return RunDirectory(Path(start(protocol, parameters, seed, device, Path(out))["run_dir"]))

"""How far a run is, as its directory says."""

from pathlib import Path

from cortex_model.runs.locking import is_held
from cortex_model.state.kept import PROVENANCE, SUMMARY
from cortex_model.system.storage import files_in, read_regular

LOG, CHECKPOINTS = "run.log", "checkpoint_*.npz"
#: What ends a run whose parameters or data do not fit: it cannot be gone on with.
REFUSALS = ("ParameterError", "DatasetError", "RuleError")
#: Lines of the log between which a program is compiled.
COMPILING, PROGRAM_READY = "compiling a program", "program ready after"


def state_of(path: Path) -> str:
    """``finished``, ``running``, ``not started``, ``refused``, ``interrupted [while compiling]``."""
    if (path / SUMMARY).exists():
        return "finished"
    if is_held(path):
        return "running"
    if not (path / PROVENANCE).exists():
        return "not started"
    log = path / LOG
    lines = read_regular(log).decode(errors="replace").split("\n") if log.exists() else []
    last = next((line for line in reversed(lines) if line), "")
    if any(f"stopped: {kind}" in last for kind in REFUSALS) and not files_in(path, CHECKPOINTS):
        return "refused"
    builds = [line for line in lines if COMPILING in line or PROGRAM_READY in line]
    return "interrupted while compiling" if builds and COMPILING in builds[-1] else "interrupted"

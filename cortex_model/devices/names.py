"""Names that equations of a user's own objects take from outside, found as Brian2 finds them: where a run begins."""

import re
import sys
from collections import ChainMap
from pathlib import Path
from typing import Any

import numpy as np
from brian2 import Group
from brian2.core.base import BrianObjectException
from brian2.core.namespace import DEFAULT_FUNCTIONS

from cortex_model.errors import CortexModelError, DeviceError, ParameterError
from cortex_model.system.cache import cache_path
from cortex_model.system.failures import NOT_EXECUTABLE

PACKAGE = __name__.split(".")[0]
UNRESOLVED = re.compile(r'The identifier "(\w+)" could not be resolved')


class Names(dict):
    """Names and values, and, in ``used``, those that were asked for."""

    def __init__(self, values: dict[str, Any]):
        super().__init__(values)
        self.used: dict[str, Any] = {}

    def __getitem__(self, name):
        self.used[name] = super().__getitem__(name)
        return self.used[name]


def names_of_caller() -> Names:
    """Globals and locals of the nearest function, or script, outside this package."""
    frame = sys._getframe()
    while frame.f_back and frame.f_globals.get("__name__", "").split(".")[0] == PACKAGE:
        frame = frame.f_back
    return Names(frame.f_globals | frame.f_locals)


def offered(hierarchy, names: Names) -> Names:
    """The names for all of a network; objects of the user's own are given the others too.

    Notes
    -----
    What the hierarchy's own equations know is not offered to all, so that a caller's ``rate`` or ``exp`` does not
    make Brian2 warn of each equation that has one.
    """
    known = set(DEFAULT_FUNCTIONS)
    for obj in hierarchy.network.objects:
        if obj.name not in {own.name for own in hierarchy.foreign}:
            known |= {*getattr(obj, "variables", ()), *(getattr(obj, "namespace", None) or ())}
    for obj in hierarchy.foreign:
        if isinstance(obj, Group):
            given = obj.namespace.maps[0] if isinstance(obj.namespace, ChainMap) else obj.namespace or {}
            obj.namespace = ChainMap(given, names)
    shared = Names({name: value for name, value in names.items() if name not in known})
    shared.used = names.used
    return shared


def explained(error: BrianObjectException) -> Exception:
    """A sentence for a name that is nowhere; what the compiler or the disk said; else the error itself."""
    cause = error
    while cause is not None:
        if isinstance(cause, ImportError):
            return _damaged(cause)
        if isinstance(cause, CortexModelError | OSError):
            return cause
        if isinstance(cause, KeyError) and (found := UNRESOLVED.search(str(cause))):
            owner, name = error._brian_objname.split("_stateupdater")[0], found[1]
            return ParameterError(
                f"{owner}.{name}: must be a name that the object knows, or that is known where the simulation is run "
                f"(got none); give the object it belongs to namespace={{{name!r}: ...}}."
            )
        cause = cause.__cause__
    return error


def _damaged(error):
    """A sentence for what Cython compiled and a kill cut short, which is removed; else the error itself."""
    path = Path(error.path or "")
    if NOT_EXECUTABLE in str(error) or not path.is_relative_to(cache_path()):
        return error
    path.unlink(missing_ok=True)
    return DeviceError(
        f"{path}: must be whole (got: {error}); it was removed: run or resume again, and it is made anew."
    )


def check_unchanged(hierarchy, built_with: dict[str, Any], names: Names) -> None:
    """Refuse values that differ from those that were compiled into a program.

    Raises
    ------
    DeviceError
        For the first one that does.
    """
    own = set().union(*(getattr(obj, "variables", ()) for obj in hierarchy.foreign))
    for name, value in built_with.items():
        if name in own or name not in names or callable(value):
            continue
        if not np.array_equal(value, names[name]):
            raise DeviceError(
                f"Simulation.{name}: must be what it was when the program was compiled, {value} (got {names[name]}); "
                "make a new Simulation."
            )

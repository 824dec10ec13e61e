"""The exceptions a user may catch.

Every message is one clear sentence: where, what must hold, what was got, what to do.
"""


class CortexModelError(Exception):
    """Any mistake or failure that cortex-model explains in a sentence."""


class ParameterError(CortexModelError, ValueError):
    """A parameter, an override or a matrix that does not fit."""


class RuleError(ParameterError):
    """A learning rule whose declaration does not hold together, or a number that it does not have."""


class ConditionError(CortexModelError, ValueError):
    """A condition of a theorem that does not hold for the given matrices."""


class DatasetError(CortexModelError):
    """A dataset that is missing, cannot be fetched, or is not what its checksum says."""


class DeviceError(CortexModelError):
    """A device that is not there, or something that it cannot run."""


class RunError(CortexModelError):
    """A run directory that is missing, incomplete, or belongs to another run."""


class DivergenceError(CortexModelError):
    """Weights that are no longer finite numbers."""


class CortexModelWarning(UserWarning):
    """Something that stops nothing, but that decides what a result is worth."""

"""Every number of a run: frozen, checked when it is given, with its unit, its range and a hash of all of them."""

from cortex_model.parameters.hierarchy import HierarchyParameters, LearningRule, Nonlinearity
from cortex_model.parameters.kinds import (
    LARGEST,
    MOST_SEEDS,
    Count,
    Delays,
    Duration,
    LayerSizes,
    Number,
    PositiveCount,
    Rate,
    checked_number,
    checked_seed,
)
from cortex_model.parameters.model import Parameters, content_hash, parameter, with_default, with_defaults
from cortex_model.parameters.sleep_wake import SleepWakeParameters

__all__ = [
    "LARGEST",
    "MOST_SEEDS",
    "Count",
    "Delays",
    "Duration",
    "HierarchyParameters",
    "LayerSizes",
    "LearningRule",
    "Nonlinearity",
    "Number",
    "Parameters",
    "PositiveCount",
    "Rate",
    "SleepWakeParameters",
    "checked_number",
    "checked_seed",
    "content_hash",
    "parameter",
    "with_default",
    "with_defaults",
]

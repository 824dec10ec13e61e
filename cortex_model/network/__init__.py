"""Brian2 objects of the hierarchy: no device, no run."""

from cortex_model.network.hierarchy import Hierarchy

__all__ = ["Hierarchy"]

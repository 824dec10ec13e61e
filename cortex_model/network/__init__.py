"""Brian2 objects of the hierarchy: no device, no run."""

from cortex_model.system.brian import load_without_files

load_without_files()

from cortex_model.network.hierarchy import Hierarchy  # noqa: E402 (Brian2 is loaded by it)

__all__ = ["Hierarchy"]

"""The only code that knows the device."""

from cortex_model.system.brian import load_without_files

load_without_files()

"""The only code that knows the device."""

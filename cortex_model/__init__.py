"""Cortical hierarchies that learn through their reciprocal feedback connections, on Brian2."""

__version__ = "0.1.0"

"""Hierarchies that are built to be looked at, and never run."""

from brian2 import BrianLogger

BrianLogger.suppress_name("unused_brian_object")

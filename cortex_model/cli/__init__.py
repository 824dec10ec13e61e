"""The command line ``cortex-model``: parsing and printing only."""

from cortex_model.cli import figures, finding, machine, pages, rules, runs
from cortex_model.cli.app import Interruption, app, main

__all__ = ["Interruption", "app", "figures", "finding", "machine", "main", "pages", "rules", "runs"]

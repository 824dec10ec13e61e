"""Figures and experiments: the runs that they need, their settings, their tables; a rule, or a run, looked at."""

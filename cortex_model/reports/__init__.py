"""Runs as one page that can be sent: what was asked, chosen, measured and spent, in figures and in numbers."""

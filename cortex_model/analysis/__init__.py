"""Numbers from weights, rates and run directories; no plots."""

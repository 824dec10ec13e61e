"""Sweeps: a grid of parameters and seeds, handed out by dask to processes, gathered into one dataset."""

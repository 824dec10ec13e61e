"""Sweeps: a grid of parameters and seeds, one process a run, handed out by dask, gathered into one dataset."""

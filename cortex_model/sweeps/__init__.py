"""Sweeps: a grid of parameters and seeds, one after another in processes, handed out by dask, gathered into one dataset."""

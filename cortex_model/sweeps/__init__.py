"""Sweeps: a grid of parameters and seeds, handed out here, or elsewhere by dask, gathered into one dataset."""

"""A model of complex cells in V1: energies of Gabor filters on the image, pooled over places.

    E_{k,f}(x) = | (image * g_{k,f})(x) |,    g_{k,f} a complex Gabor filter

where k is one of eight orientations and f one of four spatial frequencies, one octave apart; * is convolution, done in
the frequency domain, where a complex Gabor filter is a Gaussian around its frequency (Adelson & Bergen 1985, J. Opt.
Soc. Am. A 2:284). With an envelope of 0.4 wavelengths a filter is about 1.5 octaves wide at half its height.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cortex_model.analysis.shown_images import resized

SIDE = 64
WAVELENGTHS = (4, 8, 16, 32)
N_ORIENTATIONS = 8
#: Places on each side over which energies are averaged.
N_PLACES = 8
#: Deviation of a filter's Gaussian envelope in wavelengths.
ENVELOPE = 0.4


def gabor_energies(images: Sequence[np.ndarray]) -> np.ndarray:
    """Energies of Gabor filters on grey images of 64 x 64 pixels, averaged in 8 x 8 places.

    Parameters
    ----------
    images : sequence of ndarray of uint8, each of shape (height, width) or (height, width, 3)

    Returns
    -------
    energies : ndarray, shape (n, 4 * 8 * 64)
        Wavelength, orientation, place; in grey levels of 0 ... 1.
    """
    grey = resized(images, SIDE, SIDE, is_coloured=False) / 255
    spectra = np.fft.fft2(grey - grey.mean(axis=(1, 2), keepdims=True))
    return np.concatenate([pooled(np.abs(np.fft.ifft2(spectra * each))) for each in filters()], axis=1)


def filters() -> list[np.ndarray]:
    """Transfer functions of the filters, each of shape (SIDE, SIDE), highest frequency first."""
    down, across = np.meshgrid(np.fft.fftfreq(SIDE), np.fft.fftfreq(SIDE), indexing="ij")
    made = []
    for wavelength in WAVELENGTHS:
        for k in range(N_ORIENTATIONS):
            angle = np.pi * k / N_ORIENTATIONS
            distance = (across - np.cos(angle) / wavelength) ** 2 + (down - np.sin(angle) / wavelength) ** 2
            made.append(np.exp(-2 * (np.pi * ENVELOPE * wavelength) ** 2 * distance))
    return made


def pooled(energies: np.ndarray) -> np.ndarray:
    """Averages over places, shape (n, N_PLACES ** 2)."""
    size = SIDE // N_PLACES
    return energies.reshape(-1, N_PLACES, size, N_PLACES, size).mean(axis=(2, 4)).reshape(len(energies), -1)

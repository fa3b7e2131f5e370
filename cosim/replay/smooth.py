"""The Savitzky-Golay filter (Savitzky & Golay 1964, Anal Chem 36:1627)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]


def savitzky_golay(values: F64, window: int, order: int) -> F64:
    """Each sample (n, channels) replaced by the least-squares polynomial of its window at its place.

    The first and last half windows are taken from the polynomials of the first and last whole window. `window` is odd,
    greater than `order`, and at most n.
    """
    half = window // 2
    powers = np.arange(-half, half + 1)[:, None] ** np.arange(order + 1)
    # row i: weights of the window's samples for the value of the fitted polynomial at sample i of the window
    weights = powers @ np.linalg.pinv(powers.astype(np.float64))
    found = np.empty_like(values)
    windows = np.lib.stride_tricks.sliding_window_view(values, window, axis=0)
    found[half : len(values) - half] = windows @ weights[half]
    found[:half] = weights[:half] @ values[:window]
    found[len(values) - half :] = weights[half + 1 :] @ values[-window:]
    return found

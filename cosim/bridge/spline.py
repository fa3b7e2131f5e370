"""Closed curves through samples: periodic cubic splines.

The equations are solved by elimination written out here, not by a library's, so that the coefficients have the same
bits on every machine.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]


def periodic_spline(samples: F64) -> F64:
    """Coefficients of the cubic spline with period 1 through samples (n, channels) at 0, 1/n, ... (n - 1)/n, n >= 3.

    Shape (n, 4, channels): at ``u = (k + t)/n`` with 0 <= t < 1 a channel is
    ``c[k, 0] + t (c[k, 1] + t (c[k, 2] + t c[k, 3]))``; curve, slope and curvature are continuous everywhere.
    """
    n = len(samples)
    if n < 3:
        raise ValueError("a periodic spline needs three samples or more")
    ahead, behind = np.roll(samples, -1, axis=0), np.roll(samples, 1, axis=0)
    # second derivatives m in units of the knots' distance: m[k-1] + 4 m[k] + m[k+1] = 6 (y[k-1] - 2 y[k] + y[k+1])
    m = _cyclic(6.0 * (behind - 2.0 * samples + ahead))
    m_ahead = np.roll(m, -1, axis=0)
    linear = ahead - samples - (2.0 * m + m_ahead) / 6.0
    return np.stack([samples, linear, m / 2.0, (m_ahead - m) / 6.0], axis=1)


def _cyclic(right: F64) -> F64:
    """Solve x[k-1] + 4 x[k] + x[k+1] = right[k] around a ring, for every column of right (n, columns)."""
    n = len(right)
    # Sherman and Morrison: the ring is a chain (whose ends have other diagonals) plus a matrix of rank one
    diagonal = np.full(n, 4.0)
    gamma = -4.0
    diagonal[0] -= gamma
    diagonal[-1] -= 1.0 / gamma
    corner = np.zeros((n, 1))
    corner[0, 0], corner[-1, 0] = gamma, 1.0
    x, z = _chain(diagonal, right), _chain(diagonal, corner)
    factor = (x[0] + x[-1] / gamma) / (1.0 + z[0] + z[-1] / gamma)
    found: F64 = x - factor * z
    return found


def _chain(diagonal: F64, right: F64) -> F64:
    """Solve the tridiagonal system with ones beside the diagonal (Thomas)."""
    n = len(diagonal)
    x, pivot = right.astype(np.float64).copy(), diagonal.copy()
    for k in range(1, n):
        factor = 1.0 / pivot[k - 1]
        pivot[k] -= factor
        x[k] -= factor * x[k - 1]
    x[-1] /= pivot[-1]
    for k in range(n - 2, -1, -1):
        x[k] = (x[k] - x[k + 1]) / pivot[k]
    return x

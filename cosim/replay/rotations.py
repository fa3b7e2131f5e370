"""Three successive rotations about the coordinate axes: their product, and its angles in another order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]

_AXES = "xyz"


def about(axis: str, angle: F64) -> F64:
    """Rotation matrices about a coordinate axis: angles (n,) in rad to (n, 3, 3)."""
    i = _AXES.index(axis)
    j, k = (i + 1) % 3, (i + 2) % 3
    found = np.zeros((len(angle), 3, 3))
    found[:, i, i] = 1.0
    found[:, j, j] = found[:, k, k] = np.cos(angle)
    found[:, k, j] = np.sin(angle)
    found[:, j, k] = -found[:, k, j]
    return found


def compose(order: str, angles: F64) -> F64:
    """R_1(angle 1) R_2(angle 2) R_3(angle 3): angles (n, 3) to (n, 3, 3)."""
    first, second, third = (about(axis, angles[:, i]) for i, axis in enumerate(order))
    return np.asarray(first @ second @ third)


def decompose(order: str, rotation: F64) -> F64:
    """The angles (n, 3) of a rotation (n, 3, 3) about three different axes in an order; the second lies within
    [-pi/2, pi/2].

    With s = +1 for cyclic orders (xyz, yzx, zxy) and -1 for the others, R = R_i(a) R_j(b) R_k(c) has R_ik = s sin b,
    R_jk = -s sin a cos b, R_kk = cos a cos b, R_ij = -s cos b sin c, R_ii = cos b cos c.
    """
    i, j, k = (_AXES.index(axis) for axis in order)
    s = 1.0 if (j - i) % 3 == 1 else -1.0
    first = np.arctan2(-s * rotation[:, j, k], rotation[:, k, k])
    second = np.arcsin(np.clip(s * rotation[:, i, k], -1.0, 1.0))
    third = np.arctan2(-s * rotation[:, i, j], rotation[:, i, i])
    return np.stack([first, second, third], axis=1)


def reorder(angles: F64, axes: str, to: str) -> F64:
    """Angles (n, 3) about `axes`, rotated in that order, as angles about the same axes rotated in the order `to`.

    Columns stay with their axes; the result is continuous in time (unwrapped).
    """
    found = np.unwrap(decompose(to, compose(axes, angles)), axis=0)
    return np.asarray(found[:, [to.index(axis) for axis in axes]])

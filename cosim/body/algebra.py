"""Small vector algebra on tables of rows in two or three numpy calls: the hot loop pays per call, not per number."""

from __future__ import annotations

import numpy as np

from cosim.body.ports import Array


def _turn_table() -> Array:
    """(16, 9): rotation matrix (row-major) of a unit quaternion (x, y, z, w) from its products with itself."""
    table = np.zeros((4, 4, 3, 3))
    x, y, z, w = range(4)
    for i, (own, other) in enumerate(((x, (y, z)), (y, (x, z)), (z, (x, y)))):
        table[w, w, i, i] = table[own, own, i, i] = 1
        for k in other:
            table[k, k, i, i] = -1
    for (i, j), (a, b, k) in {(0, 1): (x, y, z), (1, 2): (y, z, x), (2, 0): (z, x, y)}.items():
        table[a, b, i, j] = table[a, b, j, i] = 2
        table[k, w, i, j], table[k, w, j, i] = -2, 2
    return table.reshape(16, 9)


def _cross_table() -> Array:
    """(9, 3): the cross product from the products of two vectors' components."""
    table = np.zeros((3, 3, 3))
    for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        table[i, j, k], table[j, i, k] = 1, -1
    return table.reshape(9, 3)


_TURN = _turn_table()
_CROSS = _cross_table()


def rotations(quaternions: Array) -> Array:
    """Rotation matrices (k, 3, 3) of unit quaternions (k, 4) in the order x, y, z, w."""
    products = (quaternions[:, :, None] * quaternions[:, None, :]).reshape(-1, 16)
    return (products @ _TURN).reshape(-1, 3, 3)


def cross(a: Array, b: Array) -> Array:
    """a x b of rows, (k, 3)."""
    result: Array = (a[:, :, None] * b[:, None, :]).reshape(-1, 9) @ _CROSS
    return result


def skew(r: Array) -> Array:
    """(k, 3, 3): ``row @ skew(r)`` is row x r, for each of the rows r (k, 3)."""
    result: Array = np.einsum("ijl,kj->kil", _CROSS.reshape(3, 3, 3), r)
    return result

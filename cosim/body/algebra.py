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


Pose = tuple[tuple[float, ...], tuple[float, ...]]


def turned(q: tuple[float, ...], r: tuple[float, ...]) -> tuple[float, float, float]:
    """Vector r turned by the unit quaternion q (x, y, z, w)."""
    x, y, z, w = q
    a, b, c = r
    ta, tb, tc = 2 * (y * c - z * b), 2 * (z * a - x * c), 2 * (x * b - y * a)
    return (a + w * ta + y * tc - z * tb, b + w * tb + z * ta - x * tc, c + w * tc + x * tb - y * ta)


def compose(outer: Pose, inner: Pose) -> Pose:
    """The pose `inner`, given in the frame `outer`, in the frame that outer is given in.

    In plain Python because pybullet's multiplyTransforms and invertTransform compute in single precision.
    """
    at, (x, y, z, w) = outer
    r, (a, b, c, d) = inner
    dx, dy, dz = turned(outer[1], r)
    return (at[0] + dx, at[1] + dy, at[2] + dz), (
        w * a + x * d + y * c - z * b,
        w * b - x * c + y * d + z * a,
        w * c + x * b - y * a + z * d,
        w * d - x * a - y * b - z * c,
    )


def inverse(pose: Pose) -> Pose:
    """The pose that undoes `pose`."""
    (x, y, z, w), r = pose[1], pose[0]
    back = (-x, -y, -z, w)
    a, b, c = turned(back, r)
    return (-a, -b, -c), back


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

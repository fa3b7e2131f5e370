"""Mass, centre of mass and inertia of a link from its shapes (rigid-body textbook formulae)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from cosim.body.ports import Array
from cosim.spec.body import Box, Capsule, Cylinder, LinkSpec, ShapeSpec, Sphere


@dataclass(frozen=True)
class MassProperties:
    """mass (kg), com (3,) in the link's frame (m), inertia (3, 3) about com along the link's axes (kg m^2)."""

    mass: float
    com: Array
    inertia: Array


def rotation(rpy: tuple[float, float, float]) -> Array:
    """Rotation matrix (3, 3) of roll, pitch, yaw: about the fixed axes x, y, z in this order, as in URDF."""
    (cr, cp, cy), (sr, sp, sy) = np.cos(rpy), np.sin(rpy)
    return np.array([
        [cy * cp, cy * sp * sr - sy * cr, cy * sp * cr + sy * sr],
        [sy * cp, sy * sp * sr + cy * cr, sy * sp * cr - cy * sr],
        [-sp, cp * sr, cp * cr],
    ])  # fmt: skip


def rpy_of(turn: Array) -> Array:
    """Roll, pitch, yaw (3,) of a rotation matrix (3, 3)."""
    pitch = np.arcsin(np.clip(-turn[2, 0], -1, 1))
    if abs(turn[2, 0]) > 1 - 1e-12:  # gimbal lock: roll and yaw turn about one axis, put all into roll
        return np.array([np.arctan2(-turn[1, 2], turn[1, 1]), pitch, 0.0])
    return np.array([np.arctan2(turn[2, 1], turn[2, 2]), pitch, np.arctan2(turn[1, 0], turn[0, 0])])


# the rotation that takes the shape's own axis, z, to the one asked for
ALONG = {
    "z": np.eye(3),
    "x": np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 0.0]]),
    "y": np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]]),
}


def unit_inertia(shape: ShapeSpec) -> Array:
    """Inertia (3, 3) per kg of a solid of even density about its centre, along the axes of its pose."""
    match shape.solid:
        case Box(size=(x, y, z)):
            return np.diag([y * y + z * z, x * x + z * z, x * x + y * y]) / 12
        case Sphere(radius=r):
            return np.diag([0.4 * r * r] * 3)
        case Cylinder(length=h, radius=r, along=along):
            across = (3 * r * r + h * h) / 12
            return _turn(across, r * r / 2, along)
        case Capsule(length=h, radius=r, along=along):
            tube, ball = math.pi * r * r * h, 4 / 3 * math.pi * r**3
            total = tube + ball
            # the half spheres' centres of mass lie 3/8 r beyond the ends of the tube
            across = tube * (3 * r * r + h * h) / 12 + ball * (0.4 * r * r + h * h / 4 + 3 / 8 * h * r)
            return _turn(across / total, (tube * r * r / 2 + ball * 0.4 * r * r) / total, along)
        case _:
            raise ValueError("a mesh has no inertia of its own")  # refused by the document's validation


def _turn(across: float, own: float, along: str) -> Array:
    turn = ALONG[along]
    result: Array = turn @ np.diag([across, across, own]) @ turn.T
    return result


def of_link(link: LinkSpec) -> MassProperties:
    """The link and its parts as one rigid body (parallel-axis theorem)."""
    masses: list[float] = []
    centres: list[Array] = []
    inertias: list[Array] = []
    if link.mass:
        masses.append(link.mass)
        centres.append(np.array(link.at if link.com is None else link.com))
        if link.inertia is not None:
            inertias.append(np.diag(link.inertia) + _off_diagonal(*link.products))
        else:
            assert link.shape is not None  # the document's validation wants inertia otherwise
            inertias.append(_posed(link.mass, link.shape, link.rpy))
    for part in link.parts:
        if part.mass:
            masses.append(part.mass)
            centres.append(np.array(part.at))
            inertias.append(_posed(part.mass, part.shape, part.rpy))
    if not masses:
        return MassProperties(0.0, np.zeros(3), np.zeros((3, 3)))
    mass = math.fsum(masses)
    com = sum((m * c for m, c in zip(masses, centres, strict=True)), np.zeros(3)) / mass
    inertia = np.zeros((3, 3))
    for m, c, own in zip(masses, centres, inertias, strict=True):
        r = c - com
        inertia += own + m * (r @ r * np.eye(3) - np.outer(r, r))
    return MassProperties(mass, com, inertia)


def _off_diagonal(xy: float, xz: float, yz: float) -> Array:
    return np.array([[0.0, xy, xz], [xy, 0.0, yz], [xz, yz, 0.0]])


def _posed(mass: float, shape: ShapeSpec, rpy: tuple[float, float, float]) -> Array:
    turn = rotation(rpy)
    result: Array = mass * turn @ unit_inertia(shape) @ turn.T
    return result

"""Drag and buoyancy of all links at once (formulae: ``DragSpec`` and ``BuoyancySpec``)."""

from __future__ import annotations

import numpy as np
import pybullet as p

from cosim.body.engine import Engine
from cosim.body.ports import Array
from cosim.spec.body import BodySpec, DragSpec, WaterSpec

# Columns of the link table (see body.py)
COM, FRAME, TURN, VELOCITY, SPIN = slice(0, 3), slice(14, 17), slice(17, 21), slice(21, 24), slice(24, 27)


def _turn_table() -> Array:
    """(16, 9): rotation matrix (row-major) of a unit quaternion (x, y, z, w) from its products with itself."""
    table = np.zeros((4, 4, 3, 3))
    x, y, z, w = range(4)
    for i, (own, other) in enumerate(((x, (y, z)), (y, (x, z)), (z, (x, y)))):
        table[w, w, i, i] += 1
        table[own, own, i, i] += 1
        for k in other:
            table[k, k, i, i] -= 1
    for (i, j), (a, b, k) in {(0, 1): (x, y, z), (1, 2): (y, z, x), (2, 0): (z, x, y)}.items():
        table[a, b, i, j] = table[a, b, j, i] = 2
        table[k, w, i, j], table[k, w, j, i] = -2, 2
    return table.reshape(16, 9)


_TABLE = _turn_table()


def rotations(quaternions: Array) -> Array:
    """Rotation matrices (k, 3, 3) of unit quaternions (k, 4) in the order x, y, z, w."""
    products = (quaternions[:, :, None] * quaternions[:, None, :]).reshape(-1, 16)
    return (products @ _TABLE).reshape(-1, 3, 3)


class Fluid:
    """Forces of water on the links of a body.

    `drag` (k, 3) N in world axes and `lift` (k,) N upward are the forces of the last step on the k links that feel
    water; `work` is what they have done, J.
    """

    def __init__(self, spec: BodySpec, water: WaterSpec, gravity: float, engine: Engine) -> None:
        buoyancy, none = spec.fluid.buoyancy, DragSpec()
        rows = [i for i, name in enumerate(engine.links)
                if name in spec.fluid.drag or (buoyancy is not None and engine.mass[i] > 0)]  # fmt: skip
        drags = [spec.fluid.drag.get(engine.links[i], none) for i in rows]
        self._engine, self._water = engine, water
        self._all = len(rows) == len(engine.links)
        self._rows = np.array(rows, dtype=np.intp)
        self._index = [i - 1 for i in rows]
        self._quadratic = np.array([d.quadratic for d in drags]).reshape(-1, 3)
        self._linear = np.array([d.linear for d in drags]).reshape(-1, 3)
        self._has_linear = bool(self._linear.any())
        self._current = np.array(water.current)
        self._offset = np.array([
            np.zeros(3) if d.at is None else np.array(d.at) - engine.com[i] for i, d in zip(rows, drags, strict=True)
        ]).reshape(-1, 3)  # fmt: skip
        self._apart = [k for k in range(len(rows)) if self._offset[k].any()]
        self._lift_full = np.zeros(len(rows))
        self._height = 1.0
        if buoyancy is not None:
            self._lift_full = water.density / buoyancy.density * gravity * engine.mass[self._rows]
            self._height = buoyancy.height
        k = len(rows)
        self._com, self._velocity = np.zeros((k, 3)), np.zeros((k, 3))
        self._point, self._point_velocity = np.zeros((k, 3)), np.zeros((k, 3))
        self._turn = np.zeros((k, 3, 3))
        self.drag, self.lift, self.work = np.zeros((k, 3)), np.zeros(k), 0.0

    def read(self, table: Array) -> None:
        """Take positions and velocities from the link table (links, 27)."""
        own = table if self._all else table[self._rows]
        self._com = own[:, COM].copy()
        self._velocity = own[:, VELOCITY].copy()
        self._turn = rotations(own[:, TURN])
        if self._apart:
            arm = (self._turn @ self._offset[:, :, None])[:, :, 0]
            spin = own[:, SPIN]
            moved = np.empty_like(arm)
            for i, (j, l) in enumerate(((1, 2), (2, 0), (0, 1))):
                np.subtract(spin[:, j] * arm[:, l], spin[:, l] * arm[:, j], out=moved[:, i])
            self._point = self._com + arm
            self._point_velocity = self._velocity + moved
        else:
            self._point, self._point_velocity = self._com, self._velocity

    def apply(self) -> None:
        """Compute the forces at the state read last and give them to the engine for the coming step."""
        relative = self._point_velocity - self._current
        local = (relative[:, None, :] @ self._turn)[:, 0, :]
        push = np.abs(local)
        push *= self._quadratic
        if self._has_linear:
            push += self._linear
        push *= local
        depth = self._water.surface - self._com[:, 2]
        force = (self._turn @ push[:, :, None])[:, :, 0]
        force *= -(depth > 0.0)[:, None].astype(np.float64)
        self.drag = force
        self.lift = self._lift_full * np.clip(depth / self._height, 0.0, 1.0)
        total = force.copy()
        total[:, 2] += self.lift
        engine = self._engine
        body, client, world = engine.body, engine.client, p.WORLD_FRAME
        points, forces = self._point.tolist(), total.tolist()
        for k in self._apart:  # drag acts beside the centre of mass, buoyancy at it: two forces
            forces[k][2] -= float(self.lift[k])
            p.applyExternalForce(
                body, self._index[k], [0.0, 0.0, float(self.lift[k])], self._com[k].tolist(), world, physicsClientId=client
            )
        for link, force_, point in zip(self._index, forces, points, strict=True):
            p.applyExternalForce(body, link, force_, point, world, physicsClientId=client)

    def account(self, table: Array, dt: float) -> None:
        """After the step: read the new state and add the work done over it (mean velocity of the step)."""
        before, before_z = self._point_velocity, self._velocity[:, 2]
        self.read(table)
        self.work += 0.5 * dt * (
            float(np.vdot(self.drag, before + self._point_velocity))
            + float(self.lift @ (before_z + self._velocity[:, 2]))
        )  # fmt: skip

"""Drag and buoyancy of all links at once (formulae: ``DragSpec`` and ``BuoyancySpec``)."""

from __future__ import annotations

import numpy as np
import pybullet as p

from cosim.body.algebra import rotations, skew
from cosim.body.engine import Engine
from cosim.body.ports import Array
from cosim.spec.body import BodySpec, DragSpec, WaterSpec

# Columns of the link table (see simulated.py)
COM, FRAME, TURN, VELOCITY, SPIN = slice(0, 3), slice(14, 17), slice(17, 21), slice(21, 24), slice(24, 27)
_TWIST = slice(21, 27)


class Fluid:
    """Forces of water on the links of a body.

    `wrench` (k, 2, 3) is the force (N, world axes, at the centre of mass) and torque (N m) of the last step on the k
    links that feel water, `work` what they have done, J.
    """

    def __init__(self, spec: BodySpec, water: WaterSpec, gravity: float, engine: Engine) -> None:
        buoyancy, none = spec.fluid.buoyancy, DragSpec()
        rows = [i for i, name in enumerate(engine.links)
                if name in spec.fluid.drag or (buoyancy is not None and engine.mass[i] > 0)]  # fmt: skip
        drags = [spec.fluid.drag.get(engine.links[i], none) for i in rows]
        k = len(rows)
        self._engine, self._surface = engine, water.surface
        self._all = k == len(engine.links)
        self._rows = np.array(rows, dtype=np.intp)
        self._quadratic = -np.array([d.quadratic for d in drags]).reshape(k, 1, 3)
        self._linear = -np.array([d.linear for d in drags]).reshape(k, 1, 3)
        self._has_linear = bool(self._linear.any())
        self._current = np.array([water.current, (0.0, 0.0, 0.0)])
        self._flows = bool(self._current.any())
        arm = np.array([np.zeros(3) if d.at is None else np.array(d.at) - engine.com[i]
                        for i, d in zip(rows, drags, strict=True)]).reshape(k, 3)  # fmt: skip
        # (v, spin) of the centre of mass, in link axes, to v at the point of drag; transposed: force to (force, torque)
        self._to_point = np.concatenate([np.broadcast_to(np.eye(3), (k, 3, 3)), skew(arm)], axis=1)
        self._from_point = np.ascontiguousarray(self._to_point.transpose(0, 2, 1))
        self._beside = bool(arm.any())
        lift = [0.0] * k
        self._height = 1.0
        if buoyancy is not None:
            lift = (water.density / buoyancy.density * gravity * engine.mass[self._rows]).tolist()
            self._height = buoyancy.height
        self._links = [(i - 1, full, bool(arm[j].any())) for j, (i, full) in enumerate(zip(rows, lift, strict=True))]
        self._com: list[list[float]] = []
        self._twist, self._turn = np.zeros((k, 2, 3)), np.zeros((k, 3, 3))
        self.wrench, self.work = np.zeros((k, 2, 3)), 0.0

    def read(self, table: Array) -> None:
        """Take positions and velocities from the link table (links, 27)."""
        own = table if self._all else table[self._rows]
        self._com = own[:, COM].tolist()
        self._twist = own[:, _TWIST].copy().reshape(-1, 2, 3)
        self._turn = rotations(own[:, TURN])

    def apply(self) -> None:
        """Compute the forces at the state read last and give them to the engine for the coming step."""
        local = (self._twist - self._current if self._flows else self._twist) @ self._turn
        at_point = local.reshape(-1, 1, 6) @ self._to_point if self._beside else local[:, :1]
        force = np.abs(at_point)
        force *= self._quadratic
        if self._has_linear:
            force += self._linear
        force *= at_point
        if self._beside:
            wrench = (force @ self._from_point).reshape(-1, 2, 3) @ self._turn.transpose(0, 2, 1)
            self.wrench = wrench
        else:
            wrench = self.wrench
            np.matmul(force, self._turn.transpose(0, 2, 1), out=wrench[:, :1])
        engine, surface, height = self._engine, self._surface, self._height
        body, client, world = engine.body, engine.client, p.WORLD_FRAME
        # nine links are quicker in Python than in more numpy calls, and Bullet has no array call for forces
        for k, ((link, full, beside), com, (push, twist)) in enumerate(
            zip(self._links, self._com, wrench.tolist(), strict=True)
        ):
            depth = surface - com[2]
            if depth <= 0.0:
                wrench[k] = 0.0
                continue
            if full:
                lift = full * depth / height if depth < height else full
                push[2] += lift
                wrench[k, 0, 2] += lift
            p.applyExternalForce(body, link, push, com, world, physicsClientId=client)
            if beside:
                p.applyExternalTorque(body, link, twist, world, physicsClientId=client)

    def account(self, table: Array, dt: float) -> None:
        """After the step: read the new state and add the work done over it (mean velocity of the step)."""
        before = self._twist
        self.read(table)
        before += self._twist
        self.work += 0.5 * dt * float(np.vdot(self.wrench, before))

"""A body whose joints are driven implicitly (``drive.py``): muscles, springs, dampers, position control."""

from __future__ import annotations

from itertools import chain

import numpy as np
import pybullet as p

from cosim.body.drive import JointDrive
from cosim.body.engine import set_initial
from cosim.body.feet import Pull
from cosim.body.ports import Array
from cosim.body.simulated import SimulatedBody


class ImplicitBody(SimulatedBody):
    """See the module."""

    drive: JointDrive
    #: speeds before a sub-step, and the joint accelerations without our torques, one step late (n,)
    _old: Array
    _a_free: Array

    def _make_drive(self) -> JointDrive:
        n = len(self.engine.joints)
        self._old, self._a_free = np.zeros(n), np.zeros(n)
        return JointDrive(self.spec, self.engine, self.dt)

    def _has_position(self, name: str) -> bool:
        joint = self.spec.joints.get(name)
        return joint is not None and joint.position is not None

    @property
    def kept(self) -> dict[str, Array]:
        """The lagged accelerations too."""
        return {"acceleration": self._a_free, **super().kept}

    def _take_commands(self) -> None:
        if "activation" in self.commands:
            self.drive.activation[:] = self.commands["activation"]
        super()._take_commands()

    def _hold(self) -> Array:
        """Targets before the first command."""
        holds = [bool((s := self.spec.joints[self.joints[i]].position) and s.hold) for i in self._positioned]
        return np.where(holds, self.q[self._positioned], np.nan)

    def _advance(self, tick: int, pushed: bool, pulls: list[Pull]) -> None:
        """The sub-steps of a tick."""
        self.drive.command()
        collects = self._collects
        for _ in range(self.substeps):
            if pulls:
                self.feet.apply(pulls)
            self._substep(tick, pushed)
            if collects:
                self.contacts.collect()

    def _substep(self, tick: int, pushed: bool) -> None:
        engine, drive, fluid = self.engine, self.drive, self.fluid
        client, body = engine.client, engine.body
        if engine.dofs:
            rows = p.calculateMassMatrix(body, self.q.tolist(), physicsClientId=client)
            size = len(rows)
            mass = np.fromiter(chain.from_iterable(rows), np.float64, size * size).reshape(size, size)
            try:
                torque = drive.solve(self.q, self.v, self._a_free, mass)
            except np.linalg.LinAlgError:
                self._explode(tick)
            p.setJointMotorControlArray(
                body, engine.dofs, p.TORQUE_CONTROL, forces=torque.tolist(), physicsClientId=client
            )
        if fluid is not None:
            fluid.apply()
        if pushed:
            self._push()
        p.stepSimulation(physicsClientId=client)
        old = self._old
        old[:] = self.v
        self._read_joints()
        if engine.dofs:
            a_free = self._a_free
            np.subtract(self.v, old, out=a_free)
            a_free /= self.dt
            a_free -= drive.driven
            old += self.v
            old *= 0.5 * self.dt
            self._work += drive.parts @ old
        if fluid is not None:
            self._read_links()
            fluid.account(self.table, self.dt)

    def _probe(self) -> None:
        """The acceleration without joint torques, by one step that is undone."""
        engine = self.engine
        before = self.v.copy()
        if self.fluid is not None:
            self.fluid.apply()
        p.stepSimulation(physicsClientId=engine.client)
        self._read_joints()
        self._a_free[:] = (self.v - before) / self.dt
        set_initial(self.spec, engine)
        self._read_joints()
        self._read_links()


__all__ = ["ImplicitBody"]

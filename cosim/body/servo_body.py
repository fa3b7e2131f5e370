"""A body whose joints are driven by servos: a step loop that costs little more than the engine's own step.

A biological second at 0.1 ms has ten thousand steps, so what is done in each of them decides. Here that is three calls
of the engine (torques in, step, joint states out), one torque a joint, and the contacts where they are wanted, all of a
tick in one call of compiled code where there is some; everything else, links and root, sensors, work, is done once a
tick. Nothing is probed and nothing lags: the torque is explicit.
"""

from __future__ import annotations

import pybullet as p

from cosim.body.drive import KINDS
from cosim.body.feet import Pull
from cosim.body.native import NativeTick
from cosim.body.ports import Array, Port
from cosim.body.servo import ServoDrive, check_step
from cosim.body.simulated import SimulatedBody
from cosim.errors import CosimError, Problem, UserError
from cosim.spec.body import BodySpec, WorldSpec

_ACTUATOR, _EXTERNAL = KINDS.index("actuator"), KINDS.index("external")


class ServoBody(SimulatedBody):
    """See the module. `drive` holds the history of the last tick."""

    drive: ServoDrive

    def __init__(self, spec: BodySpec, world: WorldSpec, dt: float, substeps: int) -> None:
        check_step(spec, dt)
        if world.water is not None:
            raise UserError(Problem("", 0, 0, "world.water", "a body with servos feels no water"))
        self._native: NativeTick | None = None
        super().__init__(spec, world, dt, substeps)
        self._native = _native(self)

    def _make_drive(self) -> ServoDrive:
        return ServoDrive(self.spec, self.engine, self.dt, self.substeps)

    def _has_position(self, name: str) -> bool:
        joint = self.spec.joints.get(name)
        return joint is not None and joint.servo is not None

    def _make_actuators(self) -> dict[str, Port]:
        found = super()._make_actuators()
        position = found["position"]
        rate = Port("position_rate", "rad/s", position.labels)
        offset = Port("position_offset", "rad", position.labels)
        return {**found, "position": position, "position_rate": rate, "position_offset": offset}

    def _take_commands(self) -> None:
        super()._take_commands()
        self.drive.target[self._positioned] += self.commands["position_offset"]
        self.drive.rate[self._positioned] = self.commands["position_rate"]

    def _hold(self) -> Array:
        return self.q[self._positioned]

    def _probe(self) -> None:
        """The torque is explicit: there is no acceleration to be known beforehand."""

    def _advance(self, tick: int, pushed: bool, pulls: list[Pull]) -> None:
        drive = self.drive
        drive.command()
        # where a link is pushed changes from sub-step to sub-step
        if self._native is not None and not pushed:
            drive.angles[:], drive.speeds[0] = self.q, self.v
            self._native.run(drive, drive.angles[1], pulls, self._collects)
            if self._collects:
                self.contacts.summed(self._native.touches)
        else:
            self._steps(pushed, pulls)
            drive.gather()
        drive.finish()
        self.q[:], self.v[:] = drive.angles[1], drive.speeds[-1]
        self._work[_ACTUATOR] += drive.work_driven
        self._work[_EXTERNAL] += drive.work_external

    def _fill_links(self) -> None:
        if self._native is not None:
            self._native.links(self.table)
        else:
            super()._fill_links()

    def _steps(self, pushed: bool, pulls: list[Pull]) -> None:
        """The sub-steps in Python."""
        engine, drive = self.engine, self.drive
        client, body, dofs = engine.client, engine.body, engine.dofs
        give, advance, read = p.setJointMotorControlArray, p.stepSimulation, p.getJointStates
        torques, taken, mode, collects = drive.step, drive.taken, p.TORQUE_CONTROL, self._collects
        drive.begin(list(zip(self.q.tolist(), self.v.tolist(), strict=True)))
        for s in range(self.substeps):
            give(body, dofs, mode, forces=torques(s), physicsClientId=client)
            if pulls:
                self.feet.apply(pulls)
            if pushed:
                self._push()
            advance(physicsClientId=client)
            taken(read(body, dofs, physicsClientId=client))
            if collects:
                self.contacts.collect()


def _native(body: ServoBody) -> NativeTick | None:
    try:
        return NativeTick(body.engine, body.drive, body.contacts.force)
    except CosimError:
        return None


__all__ = ["ServoBody"]

"""Bodies: PyBullet behind a small protocol of ports and arrays, and a fake without an engine."""

from __future__ import annotations

from cosim.body.fake import FakeBody
from cosim.body.implicit_body import ImplicitBody
from cosim.body.ports import BodyLike, Port
from cosim.body.servo_body import ServoBody
from cosim.body.simulated import SimulatedBody as Body
from cosim.errors import Problem, UserError
from cosim.spec.body import BodySpec, WorldSpec


def build(spec: BodySpec, world: WorldSpec, dt: float, substeps: int) -> Body:
    """The body in its initial state; a tick is `substeps` physics steps of `dt` seconds.

    Raises UserError for a URDF, SDF or mesh that the engine does not take, and
    for servos that are too stiff for the step.
    """
    if spec.has_servo:
        return ServoBody(spec, world, dt, substeps)
    if world.tether == "vertical":
        raise UserError(Problem("", 0, 0, "world.tether", "a vertical tether is for bodies with servos"))
    return ImplicitBody(spec, world, dt, substeps)


__all__ = ["Body", "BodyLike", "FakeBody", "Port", "ServoBody", "build"]

"""What a walking body has beside links and joints: servos, feet, a way to fall, and how contacts are solved."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from cosim.spec.body_types import Direction, PositiveMass, Pull
from cosim.spec.common import Spec
from cosim.spec.units import Angle, AngularDamping, Fraction, Length, PositiveLength, Stiffness


class ServoSpec(Spec):
    """An explicit spring-damper at a hinge, evaluated in every physics step:

    torque = clip(kp (target - angle) + kd (target speed - speed), -max_torque, max_torque), target and target speed
    from the ports `position` and `position_rate`, max_torque the joint's. Explicit, so that what acts on the joint is
    known exactly (inverse dynamics can be checked against it); stable only where kd dt and kp dt^2 are small against
    the joint's armature, and refused elsewhere (``cosim.body.servo.check_step``).
    """

    kp: Stiffness
    kd: AngularDamping = 0.0


class FootSpec(Spec):
    """A foot: `link` and everything that hangs on it.

    `adhesion` is the force at activation 1 with which the foot, where it touches, is pulled against the ground at one
    of its contact points.
    """

    link: str
    adhesion: Pull = 0.0


class FallSpec(Spec):
    """The body has fallen when the root's axis `up` is more than `tilt` from the vertical, or the root's origin lower
    than `height` above z = 0."""

    tilt: Annotated[Angle, Field(gt=0)] = 1.0471975511965976
    height: Length | None = None
    up: Direction = (0.0, 0.0, 1.0)


class SolverSpec(Spec):
    """How Bullet solves contacts, and in which units: it has absolute tolerances, sized for metres and kilograms.

    `length` and `mass` are the engine's units (servo bodies only): 1 mm and 1 g for a millimetre's body. `iterations`
    a step; `contact_erp` and `friction_erp` are the parts of a penetration and of a slip that are put right in a step;
    `margin` is the distance from which on contacts are looked for, and `slop` the penetration that is left alone
    (defaults: 2 % and 1e-5 of the body's length).
    """

    length: PositiveLength = 1.0
    mass: PositiveMass = 1.0
    iterations: Annotated[int, Field(ge=1)] = 100
    contact_erp: Fraction | None = None
    friction_erp: Fraction | None = None
    margin: PositiveLength | None = None
    slop: Annotated[Length, Field(ge=0)] | None = None


__all__ = ["FallSpec", "FootSpec", "ServoSpec", "SolverSpec"]

"""Joint torques by inverse dynamics, as a check on those that were applied."""

from __future__ import annotations

import numpy as np
import pybullet as p

from cosim.body.algebra import rotations
from cosim.body.contacts import force_of
from cosim.body.fluid import FRAME
from cosim.body.ports import Array
from cosim.body.servo_body import ServoBody

_PRINCIPAL = slice(3, 7)


def required_torques(body: ServoBody, before: Array) -> Array:
    """(n,) torques, N m, that the last step of a body with one sub-step a tick needed, adhesion left out:

    ID(q0, v0, (v1 - v0)/dt) - sum J^T f over the contacts, q0 and v0 where the step began. The root must be held
    (``tether: fixed``), contacts must be collected (the sensor `contact_force` requested), and `before` is a copy of
    `body.table` (links requested too) from before the step.

    PyBullet's calculateJacobian wants the point relative to the link frame's origin, but along the principal axes of
    the link's inertia: with the link frame's own axes torques are off by a thousandth where there are products.
    """
    engine, (began, ended) = body.engine, body.drive.speeds
    units, zeros = engine.units, [0.0] * len(engine.joints)
    q, acceleration = body.drive.angles[0].tolist(), ((ended - began) / body.dt).tolist()
    found = p.calculateInverseDynamics(engine.body, q, began.tolist(), acceleration, physicsClientId=engine.client)
    torques = np.array(found)
    for touch in (c for step in body.contacts.touches for c in step):
        row = touch[3] - engine.first
        turn = rotations(before[row : row + 1, _PRINCIPAL])[0]
        local = turn.T @ (np.array(touch[5]) - before[row, FRAME] / units.length)
        jacobian, _ = p.calculateJacobian(
            engine.body, touch[3], local.tolist(), q, zeros, zeros, physicsClientId=engine.client
        )  # fmt: skip
        torques -= np.array(jacobian).T @ np.array(force_of(touch))
    return torques * units.torque


__all__ = ["required_torques"]

"""The sensors of a body: for each port one function that refreshes its array from the body's state."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pybullet as p

from cosim.body.algebra import cross, rotations
from cosim.body.drive import JointDrive
from cosim.body.engine import Engine
from cosim.body.fall import Fall
from cosim.body.fluid import COM, FRAME, SPIN, TURN, VELOCITY
from cosim.body.ports import Array, Indices, Port
from cosim.body.servo import ServoDrive

if TYPE_CHECKING:
    from cosim.body.simulated import SimulatedBody

Refresh = Callable[[Array], None]
Add = Callable[[str, str, tuple[str, ...], int, Refresh], None]
#: axes of the ball's hinges (``ground.BALL_AXES``)
BALL_LABELS = ("minus_y", "x", "minus_z")
# Sensors that need the link table.
_LINKED = {
    "link_position", "link_orientation", "link_velocity", "link_angular_velocity", "site_position",
    "com_position", "com_velocity",
}  # fmt: skip


_TOUCHED = {"contact_force", "foot_force"}


def needs_contacts(names: set[str]) -> bool:
    """Whether any of these sensors reads what touches."""
    return bool(names & _TOUCHED)


def needs_links(names: set[str]) -> bool:
    """Whether any of these sensors reads the link table."""
    return bool(names & _LINKED)


def make_sensors(body: SimulatedBody) -> dict[str, tuple[Port, Refresh]]:
    """Ports and refresh functions by sensor name. Sensors of things that the body does not have are left out."""
    spec, engine, drive, table = body.spec, body.engine, body.drive, body.table
    hinges = np.flatnonzero(engine.slider == 0)
    sliders = np.flatnonzero(engine.slider)
    q, v, total = body.q, body.v, drive.total
    found: dict[str, tuple[Port, Refresh]] = {}

    def add(name: str, unit: str, labels: tuple[str, ...], width: int, refresh: Refresh) -> None:
        if labels:
            found[name] = Port(name, unit, labels, width), refresh

    for kind, rows, units in (("joint", hinges, ("rad", "rad/s", "N*m")), ("slider", sliders, ("m", "m/s", "N"))):
        labels = tuple(engine.joints[i] for i in rows)
        names = ("angle", "velocity", "torque") if kind == "joint" else ("position", "velocity", "force")
        for name, unit, source in zip(names, units, (q, v, total), strict=True):
            add(f"{kind}_{name}", unit, labels, 1, _taken(source, rows))
    for name, unit, columns in (("link_position", "m", FRAME), ("link_orientation", "1", TURN),
                                ("link_angular_velocity", "rad/s", SPIN)):  # fmt: skip
        add(name, unit, engine.links, columns.stop - columns.start, _copied(table[:, columns]))
    add("link_velocity", "m/s", engine.links, 3, _frame_velocity(table))
    weight = (engine.mass / engine.mass.sum())[None, :]
    add("com_position", "m", ("body",), 3, _averaged(weight, table[:, COM]))
    add("com_velocity", "m/s", ("body",), 3, _averaged(weight, table[:, VELOCITY]))
    rows = np.array([engine.links.index(s.link) for s in spec.sites.values()], dtype=np.intp)
    add("site_position", "m", tuple(spec.sites), 3,
        _sites(table, rows, np.array([s.at for s in spec.sites.values()]).reshape(-1, 3)))  # fmt: skip
    if body.touchable:
        force, feet = body.contacts.force, body.feet
        add("contact_force", "N", engine.links, 3, _copied(force))
        add("foot_force", "N", feet.names, 3, lambda out: feet.force(force, out))
        if feet.full.any():
            add("adhesion_force", "N", feet.names, 3, _copied(feet.pull))
    if isinstance(drive, ServoDrive):
        add("joint_power", "W", tuple(engine.joints[i] for i in hinges), 1, _taken(drive.power, hinges))
        add("position_error", "rad", body.actuators["position"].labels, 1, _errors(body))
    if body.fall is not None:
        _falling(body.fall, add)
    if engine.ground is not None and engine.ground.ball is not None:
        _ball(engine, add)
    if isinstance(drive, JointDrive) and spec.muscles:
        _muscles(body, drive, add)
    return found


def _falling(fall: Fall, add: Add) -> None:
    def fallen(out: Array) -> None:
        out[0] = fall.fallen

    def tilt(out: Array) -> None:
        out[0] = fall.tilt

    add("fallen", "1", ("body",), 1, fallen)
    add("tilt", "rad", ("body",), 1, tilt)


def _ball(engine: Engine, add: Add) -> None:
    """Angles and speeds of the ball's three hinges."""
    for name, unit, column in (("ball_angle", "rad", 0), ("ball_velocity", "rad/s", 1)):

        def refresh(out: Array, column: int = column) -> None:
            assert engine.ground is not None
            states = p.getJointStates(engine.ground.ball, range(3), physicsClientId=engine.client)
            out[:] = [state[column] for state in states]

        add(name, unit, BALL_LABELS, 1, refresh)


def _muscles(body: SimulatedBody, drive: JointDrive, add: Add) -> None:
    muscles = list(body.spec.muscles.values())
    labels, joint, sign = tuple(body.spec.muscles), drive.muscle_joint, drive.muscle_sign
    has_arm = muscles[0].moment_arm is not None
    arm = np.array([m.moment_arm or 1.0 for m in muscles])
    offset = np.array([m.rest_length or 0.0 for m in muscles])
    unit = "m" if has_arm else "rad"
    per_angle = -sign * arm

    def length(out: Array) -> None:
        np.subtract(body.q[joint], drive.muscle_rest, out=out)
        out *= per_angle
        out += offset

    def velocity(out: Array) -> None:
        np.multiply(body.v[joint], per_angle, out=out)

    def force(out: Array) -> None:
        np.subtract(drive.muscle_rest, body.q[joint], out=out)
        out *= sign * drive.beta
        out += drive.alpha
        out *= drive.activation
        out /= arm

    add("muscle_length", unit, labels, 1, length)
    add("muscle_velocity", f"{unit}/s", labels, 1, velocity)
    add("muscle_force", "N" if has_arm else "N*m", labels, 1, force)


def _errors(body: SimulatedBody) -> Refresh:
    """How far each servo's joint is behind the target of the tick's end, without the offset (a reflex's, say)."""
    rows = [body.joints.index(name) for name in body.actuators["position"].labels]
    tick = body.dt * body.substeps

    def refresh(out: Array) -> None:
        np.multiply(body.commands["position_rate"], tick, out=out)
        out += body.commands["position"]
        out -= body.q[rows]

    return refresh


def _taken(source: Array, rows: Indices) -> Refresh:
    if len(rows) == len(source):
        return _copied(source)

    def refresh(out: Array) -> None:
        np.take(source, rows, out=out)

    return refresh


def _copied(source: Array) -> Refresh:
    def refresh(out: Array) -> None:
        out[...] = source

    return refresh


def _averaged(weight: Array, source: Array) -> Refresh:
    def refresh(out: Array) -> None:
        np.matmul(weight, source, out=out)

    return refresh


def _frame_velocity(table: Array) -> Refresh:
    """Velocity of the link frame's origin: that of the centre of mass plus spin x (origin - centre of mass)."""

    def refresh(out: Array) -> None:
        np.add(cross(table[:, SPIN], table[:, FRAME] - table[:, COM]), table[:, VELOCITY], out=out)

    return refresh


def _sites(table: Array, rows: Indices, at: Array) -> Refresh:
    def refresh(out: Array) -> None:
        out[...] = table[rows, FRAME] + (rotations(table[rows, TURN]) @ at[:, :, None])[:, :, 0]

    return refresh

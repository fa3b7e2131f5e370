"""The sensors of a body: for each port one function that refreshes its array from the body's state."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pybullet as p

from cosim.body.algebra import cross, rotations
from cosim.body.fluid import COM, FRAME, SPIN, TURN, VELOCITY
from cosim.body.ports import Array, Indices, Port

if TYPE_CHECKING:
    from cosim.body.simulated import SimulatedBody

Refresh = Callable[[Array], None]
# Sensors that need the link table.
_LINKED = {
    "link_position", "link_orientation", "link_velocity", "link_angular_velocity", "site_position",
    "com_position", "com_velocity",
}  # fmt: skip


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
    if engine.ground is not None or spec.self_collision:
        add("contact_force", "N", engine.links, 3, _contact(body))
    _muscles(body, add)
    return found


def _muscles(body: SimulatedBody, add: Callable[[str, str, tuple[str, ...], int, Refresh], None]) -> None:
    drive, muscles = body.drive, list(body.spec.muscles.values())
    labels, joint, sign = tuple(body.spec.muscles), drive.muscle_joint, drive.muscle_sign
    has_arm = bool(muscles) and muscles[0].moment_arm is not None
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


def _contact(body: SimulatedBody) -> Refresh:
    """Sum of normal and friction forces on each link in the last sub-step."""

    def refresh(out: Array) -> None:
        out[...] = 0.0
        engine = body.engine
        for c in p.getContactPoints(bodyA=engine.body, physicsClientId=engine.client):
            force = c[9] * np.array(c[7]) + c[10] * np.array(c[11]) + c[12] * np.array(c[13])
            out[c[3] + 1] += force
            if c[2] == engine.body:
                out[c[4] + 1] -= force

    return refresh

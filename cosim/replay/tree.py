"""The body as a tree of rigid links, and its inverse dynamics by the recursive Newton-Euler method.

This is a check on the engine and shares nothing with it but the constants of the body: link frames, axes, masses and
inertias are read from PyBullet once, everything else is computed here, for many moments at once. Featherstone, Rigid
Body Dynamics Algorithms (2008), section 5.3, written out in world axes; the root's motion is given, so the same
recursion holds for a body that is free, on a rail or fixed, and the force left over at the root tells whether the
momentum is accounted for.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pybullet as p
from numpy.typing import NDArray

from cosim.body.algebra import rotations

F64 = NDArray[np.float64]


@dataclass(frozen=True)
class Joint:
    """Leads from the link `parent` to the next; rows are those of the links, row 0 is the root.

    All in principal frames (at a centre of mass, along the principal axes): `at` places the joint in the parent's,
    `turn` is the child's in the parent's at angle 0, `axis` is in the child's. `dof` is the place among the degrees of
    freedom, -1 of a fixed joint.
    """

    parent: int
    dof: int
    slides: bool
    at: F64
    turn: F64
    axis: F64


@dataclass(frozen=True)
class Tree:
    """Links in an order in which parents come first; `com` (links, 3) leads from the joint to the centre of mass, in
    principal axes. In the engine's units."""

    mass: F64
    inertia: F64
    com: F64
    joints: tuple[Joint, ...]
    dofs: int


@dataclass(frozen=True)
class Motion:
    """n moments of a tree: root (centre of mass: position, quaternion, velocity, spin, and the accelerations of both),
    q, v and a (n, dofs) of the joints."""

    at: F64
    turn: F64
    velocity: F64
    spin: F64
    acceleration: F64
    spin_acceleration: F64
    q: F64
    v: F64
    a: F64


@dataclass(frozen=True)
class Placed:
    """Where the links are, (links, n, ...): centre of mass, its velocity and acceleration, rotation of the principal
    axes, spin and its rate; place and world axis of the joint that leads to it."""

    com: F64
    velocity: F64
    acceleration: F64
    rotation: F64
    spin: F64
    spin_rate: F64
    origin: F64
    axis: F64


@dataclass(frozen=True)
class Loads:
    """Contact forces: `moment` (n's index), link row, point and force (world axes), one row a contact."""

    moment: NDArray[np.intp]
    link: NDArray[np.intp]
    point: F64
    force: F64


def read_tree(client: int, body: int, first: int, masses: F64 | None = None) -> Tree:
    """The tree of a loaded body whose root is Bullet's link `first` (-1, or 0 on a rail).

    What PyBullet calls the parent frame of a joint has its position in the parent's principal frame, but its
    orientation turns the parent's principal frame into the child's; and the axis is in the child's principal frame.

    `masses` (links,): in place of the engine's, which has none for a root that is fixed.
    """
    count = p.getNumJoints(body, physicsClientId=client)
    infos = [p.getJointInfo(body, i, physicsClientId=client) for i in range(first + 1, count)]
    dynamics = [p.getDynamicsInfo(body, i, physicsClientId=client) for i in range(first, count)]
    joints, dof = [], 0
    for info in infos:
        moves = info[2] != p.JOINT_FIXED
        axis = np.array(info[13]) / np.linalg.norm(info[13]) if moves else np.zeros(3)
        place, turn = np.array(info[14]), _matrix(info[15]).T
        joints.append(Joint(info[16] - first, dof if moves else -1, info[2] == p.JOINT_PRISMATIC, place, turn, axis))
        dof += moves
    return Tree(
        mass=np.array([d[0] for d in dynamics]) if masses is None else masses,
        inertia=np.array([d[2] for d in dynamics]), com=np.array([_matrix(d[4]).T @ d[3] for d in dynamics]),
        joints=tuple(joints), dofs=dof,
    )  # fmt: skip


def _matrix(quaternion: tuple[float, ...]) -> F64:
    return np.asarray(rotations(np.array(quaternion)[None])[0])


def _about(axis: F64, angle: F64) -> F64:
    """Rotations (n, 3, 3) about a fixed unit axis (Rodrigues)."""
    x, y, z = axis
    k = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    s, c = np.sin(angle)[:, None, None], np.cos(angle)[:, None, None]
    return np.asarray(np.eye(3) + s * k + (1 - c) * (k @ k))


def place(tree: Tree, motion: Motion) -> Placed:
    """Forward kinematics with velocities and accelerations, from the root outwards."""
    links, n = len(tree.mass), len(motion.q)
    com, velocity, acceleration, spin, rate, origin, axis = np.zeros((7, links, n, 3))
    rotation = np.zeros((links, n, 3, 3))
    com[0], velocity[0], acceleration[0] = motion.at, motion.velocity, motion.acceleration
    spin[0], rate[0], rotation[0] = motion.spin, motion.spin_acceleration, rotations(motion.turn)
    origin[0] = com[0]
    for row, joint in enumerate(tree.joints, 1):
        up = joint.parent
        arm = rotation[up] @ joint.at
        w, dw = spin[up], rate[up]
        origin[row] = com[up] + arm
        v_o = velocity[up] + np.cross(w, arm)
        a_o = acceleration[up] + np.cross(dw, arm) + np.cross(w, np.cross(w, arm))
        spin[row], rate[row] = w, dw
        frame = rotation[up] @ joint.turn
        # the axis is the same before and after the turn about it
        axis[row] = frame @ joint.axis
        if joint.dof >= 0:
            q, v, a = (x[:, joint.dof] for x in (motion.q, motion.v, motion.a))
            along, speed, push = (axis[row] * x[:, None] for x in (q, v, a))
            if joint.slides:
                origin[row] += along
                v_o = v_o + np.cross(w, along) + speed
                a_o = a_o + np.cross(dw, along) + np.cross(w, np.cross(w, along)) + 2 * np.cross(w, speed) + push
            else:
                frame = frame @ _about(joint.axis, q)
                spin[row] = w + speed
                rate[row] = dw + push + np.cross(w, speed)
        arm = frame @ tree.com[row]
        com[row] = origin[row] + arm
        velocity[row] = v_o + np.cross(spin[row], arm)
        acceleration[row] = a_o + np.cross(rate[row], arm) + np.cross(spin[row], np.cross(spin[row], arm))
        rotation[row] = frame
    return Placed(com, velocity, acceleration, rotation, spin, rate, origin, axis)


def inverse_dynamics(tree: Tree, placed: Placed, gravity: float, loads: Loads) -> tuple[F64, F64]:
    """Joint torques (n, dofs) that make this motion under gravity (along -z) and contact loads; and what force and
    moment about its centre of mass (n, 6) the root would need from outside."""
    links, n = placed.com.shape[:2]
    turned = np.swapaxes(placed.rotation, -1, -2)
    moment_of = tree.inertia[:, None, :]

    def with_inertia(x: F64) -> F64:
        local = (turned @ x[..., None])[..., 0] * moment_of
        return np.asarray((placed.rotation @ local[..., None])[..., 0])

    force = tree.mass[:, None, None] * (placed.acceleration + np.array([0.0, 0.0, gravity]))
    moment = with_inertia(placed.spin_rate) + np.cross(placed.spin, with_inertia(placed.spin))
    at = (loads.link, loads.moment)
    np.subtract.at(force, at, loads.force)
    np.subtract.at(moment, at, np.cross(loads.point - placed.com[at], loads.force))
    torque = np.zeros((n, tree.dofs))
    for row in range(links - 1, 0, -1):
        joint = tree.joints[row - 1]
        # force and moment about the joint, which the parent gives
        about = moment[row] + np.cross(placed.com[row] - placed.origin[row], force[row])
        if joint.dof >= 0:
            torque[:, joint.dof] = (placed.axis[row] * (force[row] if joint.slides else about)).sum(axis=1)
        up = joint.parent
        moment[up] += about + np.cross(placed.origin[row] - placed.com[up], force[row])
        force[up] += force[row]
    return torque, np.concatenate([force[0], moment[0]], axis=1)


def momentum(tree: Tree, placed: Placed) -> F64:
    """Linear momentum (n, 3)."""
    return np.asarray(np.tensordot(tree.mass, placed.velocity, axes=(0, 0)))

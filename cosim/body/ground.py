"""The ground in the engine: static shapes, or a ball on three hinges.

Bullet multiplies friction and restitution of the two surfaces; the body's own are 1, so the ground's count.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pybullet as p

from cosim.body.inertia import rotation
from cosim.body.ports import Array
from cosim.body.units import Units
from cosim.errors import Problem, UserError
from cosim.spec.body_world import BallSpec, GroundSpec, HeightfieldSpec, PlaneSpec, SlopeSpec, StepsSpec, SurfaceSpec

#: axes of the hinges of the ball, from the world to the ball
BALL_AXES = ((0.0, -1.0, 0.0), (1.0, 0.0, 0.0), (0.0, 0.0, -1.0))
_STEPS_BEYOND = 10


@dataclass(frozen=True)
class Ground:
    """Bodies of the engine that are ground, the surface they have, and the ball among them, if it is one."""

    bodies: tuple[int, ...]
    surface: SurfaceSpec
    ball: int | None

    def set_friction(self, friction: float, client: int) -> None:
        """Another friction, everywhere, from the next step on."""
        for body in self.bodies:
            for link in range(-1, p.getNumJoints(body, physicsClientId=client)):
                p.changeDynamics(body, link, lateralFriction=friction, physicsClientId=client)


def make_ground(spec: GroundSpec, units: Units, client: int) -> Ground | None:
    """The ground of a world; None where there is none. Raises UserError."""
    surface = spec.surface
    ball: int | None = None
    match surface:
        case None:
            return None
        case PlaneSpec(height=height):
            bodies = [_plane((0.0, 0.0, 1.0), height, units, client)]
        case SlopeSpec(height=height, pitch=pitch, roll=roll):
            normal = rotation((roll, -pitch, 0.0)) @ np.array([0.0, 0.0, 1.0])
            bodies = [_plane(normal.tolist(), height, units, client)]
        case StepsSpec():
            bodies = _steps(surface, units, client)
        case HeightfieldSpec():
            bodies = [_heightfield(surface, units, client)]
        case BallSpec():
            ball = _ball(surface, units, client)
            bodies = [ball]
        case _:
            raise TypeError(type(surface))
    ground = Ground(tuple(bodies), surface, ball)
    _give_surface(ground, units, client)
    return ground


def _give_surface(ground: Ground, units: Units, client: int) -> None:
    surface = ground.surface
    ground.set_friction(surface.friction, client)
    spring: dict[str, float] = {}
    if surface.stiffness is not None and surface.damping is not None:
        # N/m and N s/m: the length cancels with that of the force
        spring = {"contactStiffness": surface.stiffness / units.mass, "contactDamping": surface.damping / units.mass}
    for body in ground.bodies:
        for link in range(-1, p.getNumJoints(body, physicsClientId=client)):
            p.changeDynamics(body, link, restitution=surface.restitution, **spring, physicsClientId=client)


def _plane(normal: Any, height: float, units: Units, client: int) -> int:
    shape = p.createCollisionShape(p.GEOM_PLANE, planeNormal=normal, physicsClientId=client)
    body: int = p.createMultiBody(0, shape, basePosition=[0, 0, height / units.length], physicsClientId=client)
    return body


def _steps(spec: StepsSpec, units: Units, client: int) -> list[int]:
    bodies = [_plane((0.0, 0.0, 1.0), spec.height, units, client)]
    # rising steps stand on the plane; falling ones are what is left of the level ground before and above it
    deepest = min(0.0, spec.rise * spec.count)
    if deepest < 0:
        p.resetBasePositionAndOrientation(
            bodies[0], [0, 0, (spec.height + deepest) / units.length], [0, 0, 0, 1], physicsClientId=client
        )
    first = 1 if spec.rise > 0 else 0
    for k in range(first, spec.count + 1):
        begin = spec.start + (k - 1) * spec.run
        length = spec.run * (_STEPS_BEYOND if k == spec.count else 1)
        if k == 0:  # the level ground before falling steps
            length = spec.run * _STEPS_BEYOND
            begin = spec.start - length
        tall = spec.rise * k - deepest
        if tall <= 0:
            continue
        half = [x / 2 / units.length for x in (length, spec.width, tall)]
        shape = p.createCollisionShape(p.GEOM_BOX, halfExtents=half, physicsClientId=client)
        middle = ((begin + length / 2) / units.length, 0.0, (spec.height + deepest + tall / 2) / units.length)
        bodies.append(p.createMultiBody(0, shape, basePosition=middle, physicsClientId=client))
    return bodies


def heights(spec: HeightfieldSpec) -> Array:
    """The heights (rows along y, columns along x), m. Raises UserError for a file that holds none."""
    if spec.file is None:
        n = spec.points
        drawn = np.random.default_rng(spec.seed).standard_normal((n, n))
        reach = int(np.ceil(4 * spec.smooth))
        kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / spec.smooth) ** 2)
        for axis in (0, 1):
            padded = np.pad(drawn, [(reach, reach) if a == axis else (0, 0) for a in (0, 1)], mode="wrap")
            drawn = np.apply_along_axis(np.convolve, axis, padded, kernel, mode="valid")
        drawn -= drawn.mean()
        return np.asarray(spec.height + drawn * ((spec.roughness or 0.0) / drawn.std()))
    path = spec.path
    key = "world.ground.heightfield.file"
    try:
        table = np.loadtxt(path, delimiter=",", ndmin=2)
    except (OSError, ValueError) as error:
        raise UserError(Problem("", 0, 0, key, f"cannot read heights from {path}: {error}")) from None
    if min(table.shape) < 2 or not np.isfinite(table).all():
        raise UserError(Problem("", 0, 0, key, f"{path}: expected at least 2 by 2 finite numbers, got {table.shape}"))
    return np.asarray(spec.height + spec.unit * table)


def _heightfield(spec: HeightfieldSpec, units: Units, client: int) -> int:
    table = heights(spec) / units.length
    cell = spec.cell / units.length
    shape = p.createCollisionShape(
        p.GEOM_HEIGHTFIELD, meshScale=[cell, cell, 1.0], heightfieldData=table.ravel().tolist(),
        numHeightfieldRows=table.shape[1], numHeightfieldColumns=table.shape[0], physicsClientId=client,
    )  # fmt: skip
    # Bullet centres the heights between lowest and highest
    middle = float(table.min() + table.max()) / 2
    body: int = p.createMultiBody(0, shape, basePosition=[0, 0, middle], physicsClientId=client)
    return body


def _ball(spec: BallSpec, units: Units, client: int) -> int:
    radius, mass = spec.radius / units.length, spec.mass / units.mass
    sphere = p.createCollisionShape(p.GEOM_SPHERE, radius=radius, physicsClientId=client)
    n = len(BALL_AXES)
    ball: int = p.createMultiBody(
        0.0, -1, basePosition=[x / units.length for x in spec.center],
        linkMasses=[0.0, 0.0, mass], linkCollisionShapeIndices=[-1, -1, sphere], linkVisualShapeIndices=[-1] * n,
        linkPositions=[[0.0] * 3] * n, linkOrientations=[[0.0, 0.0, 0.0, 1.0]] * n,
        linkInertialFramePositions=[[0.0] * 3] * n, linkInertialFrameOrientations=[[0.0, 0.0, 0.0, 1.0]] * n,
        linkParentIndices=[0, 1, 2], linkJointTypes=[p.JOINT_REVOLUTE] * n, linkJointAxis=BALL_AXES,
        physicsClientId=client,
    )  # fmt: skip
    for link in range(-1, n):
        p.changeDynamics(ball, link, linearDamping=0.0, angularDamping=0.0, physicsClientId=client)
        p.changeDynamics(ball, link, jointDamping=0.0, physicsClientId=client)
        p.changeDynamics(ball, link, activationState=p.ACTIVATION_STATE_DISABLE_SLEEPING, physicsClientId=client)
    p.changeDynamics(
        ball, n - 1, localInertiaDiagonal=[0.4 * mass * radius * radius] * 3, physicsClientId=client
    )  # a solid ball
    p.setJointMotorControlArray(ball, range(n), p.VELOCITY_CONTROL, forces=[0.0] * n, physicsClientId=client)
    return ball


__all__ = ["BALL_AXES", "Ground", "heights", "make_ground"]

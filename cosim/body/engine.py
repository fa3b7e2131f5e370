"""One body in one PyBullet world of its own: connecting, loading, and the settings that make it exact and repeatable.

What Bullet does otherwise, and is set right here:

- results depend on sleeping, on the order of overlapping pairs and on what the client did before: a fresh client per
  body, no sleeping, ``deterministicOverlappingPairs``;
- linear and angular damping of .04 per second, and motors that brake every joint: all 0;
- joint damping in the engine is explicit (unstable at small inertia): 0 here, ours is implicit (``drive.py``);
- joint and base speeds are clamped at 100 rad/s (m/s), which hides a blow-up: the clamp is lifted (``MAX_SPEED``) and
  ``body.py`` reports instead. ``jointDamping`` and ``maxJointVelocity`` in one changeDynamics call lose the first;
- the solver stops when its residual (in N s) is below 1e-7, which the impulses of a gram are at once: threshold 0;
  contact slop and margins are metres, sized for robots: scaled to the body;
- getLinkStates without ``computeForwardKinematics`` gives link poses of one step ago (the root's are current), and so
  forces that pump energy in; multiplyTransforms and invertTransform compute in single precision (``algebra.py``), and
  joint origins are read from a URDF in single precision, 1e-8 of their size;
- warnings are printed on standard output by C code: caught (``quiet``);
- ``calculateMassMatrix`` crashes on a numpy array, and takes flags as its third argument: lists, and keywords.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pybullet as p

from cosim.body.algebra import Pose, compose, inverse
from cosim.body.ground import Ground, make_ground
from cosim.body.inertia import of_link
from cosim.body.ports import Array
from cosim.body.units import Units
from cosim.body.urdf import to_urdf
from cosim.errors import Problem, UserError
from cosim.spec.body import BodySpec, WorldSpec
from cosim.spec.body_check import model_path

MAX_SPEED = 1e5
#: collision groups of the links of a body that does not touch itself: see _settle_dynamics
_OWN_GROUP, _OTHERS = 64, ~64
_PREFIX = re.compile(r"b3(?:Error|Warning|Printf)\[[^\]]*\]:\s*")


@dataclass
class Engine:
    """Handles and constants (SI) of a loaded body; row i of the links is Bullet's link i + `first`.

    Row 0 is the root: Bullet's link -1, or 0 where it hangs on a vertical rail. `dofs` are hinges and sliders.
    """

    client: int
    body: int
    ground: Ground | None
    units: Units
    first: int
    fixed: bool
    links: tuple[str, ...]
    joints: tuple[str, ...]
    dofs: list[int]
    slider: Array
    file_damping: Array
    file_friction: Array
    mass: Array
    inertia: Array
    com: Array
    root_from_com: Pose
    com_from_root: Pose

    def close(self) -> None:
        """Disconnect; a second call does nothing."""
        if self.client >= 0:
            p.disconnect(physicsClientId=self.client)
            self.client = -1


@contextmanager
def quiet() -> Iterator[list[str]]:
    """Keep what C code prints on standard output off it; the list holds the text afterwards."""
    said: list[str] = []
    sys.stdout.flush()
    keep = os.dup(1)
    with tempfile.TemporaryFile() as sink:
        os.dup2(sink.fileno(), 1)
        try:
            yield said
        finally:
            os.dup2(keep, 1)
            os.close(keep)
            sink.seek(0)
            said.append(_PREFIX.sub("; ", sink.read().decode(errors="replace")).strip("; \n").replace("\n", " "))


def load(spec: BodySpec, world: WorldSpec, dt: float) -> Engine:
    """A fresh world with the body in its initial state. Raises UserError for a file that Bullet does not take."""
    client = p.connect(p.DIRECT)
    try:
        units = Units(spec.solver.length, spec.solver.mass)
        _set_solver(spec, units, dt, client)
        p.setGravity(0.0, 0.0, -world.gravity / units.length, physicsClientId=client)
        ground = make_ground(world.ground, units, client)
        body = _load_links(spec, world, units, client) if spec.links else _load_file(spec, world, client)
        engine = _describe(spec, world, client, body, ground, units)
        _settle_dynamics(spec, engine)
        set_initial(spec, engine)
    except BaseException:
        p.disconnect(physicsClientId=client)
        raise
    return engine


def _set_solver(spec: BodySpec, units: Units, dt: float, client: int) -> None:
    solver, length = spec.solver, (spec.length or 1.0) / units.length
    given = {"contactERP": solver.contact_erp, "frictionERP": solver.friction_erp}
    margin = 0.02 * length if solver.margin is None else solver.margin / units.length
    slop = 1e-5 * length if solver.slop is None else solver.slop / units.length
    p.setPhysicsEngineParameter(
        fixedTimeStep=dt, numSubSteps=0, deterministicOverlappingPairs=1, solverResidualThreshold=0.0,
        numSolverIterations=solver.iterations, contactSlop=slop, contactBreakingThreshold=margin,
        restitutionVelocityThreshold=1e-3 / units.length, physicsClientId=client,
        **{key: value for key, value in given.items() if value is not None},
    )  # fmt: skip


def _flags(spec: BodySpec) -> int:
    flags = p.URDF_USE_INERTIA_FROM_FILE | p.URDF_USE_IMPLICIT_CYLINDER | p.URDF_IGNORE_VISUAL_SHAPES
    if spec.self_collision:
        flags |= p.URDF_USE_SELF_COLLISION | p.URDF_USE_SELF_COLLISION_EXCLUDE_PARENT
    return int(flags)


def _load_links(spec: BodySpec, world: WorldSpec, units: Units, client: int) -> int:
    fixed = world.tether != "none" or any(link.fixed for link in spec.links.values())
    with tempfile.TemporaryDirectory(prefix="cosim-") as folder:
        path = Path(folder) / "body.urdf"
        path.write_text(to_urdf(spec, units, rail=world.tether == "vertical"))
        return _load_urdf(path, "links", fixed, _flags(spec) | p.URDF_MAINTAIN_LINK_ORDER, client)


def _load_urdf(path: Path, key: str, fixed: bool, flags: int, client: int) -> int:
    try:
        with quiet() as said:
            body: int = p.loadURDF(str(path), useFixedBase=fixed, flags=flags, physicsClientId=client)
    except p.error as error:
        detail = f": {said[0]}" if said and said[0] else ""
        raise UserError(Problem("", 0, 0, key, f"{error}{detail}")) from None
    if "Bad inertia" in said[0]:  # Bullet goes on with an inertia of zero
        raise UserError(Problem("", 0, 0, key, f"Bullet says: {said[0]}"))
    return body


def _load_file(spec: BodySpec, world: WorldSpec, client: int) -> int:
    path = model_path(spec)
    if spec.urdf is not None:
        return _load_urdf(path, "urdf", spec.fixed or world.tether == "fixed", _flags(spec), client)
    before = p.getNumBodies(physicsClientId=client)
    try:
        with quiet() as said:
            bodies = p.loadSDF(str(path), physicsClientId=client)
    except p.error as error:
        raise UserError(Problem("", 0, 0, "sdf", f"{error}: {said[0]}")) from None
    names = [p.getBodyInfo(b, physicsClientId=client)[1].decode() for b in bodies]
    if spec.model is None and len(bodies) == 1:
        return int(bodies[0])
    if spec.model not in names:
        wanted = "" if spec.model is None else f" '{spec.model}' is not one of them;"
        text = f"{path.name} holds {len(bodies)} models:{wanted} choose one of {', '.join(names) or 'none'}"
        raise UserError(Problem("", 0, 0, "model", text))
    keep = bodies[names.index(spec.model)]
    for other in range(before, p.getNumBodies(physicsClientId=client)):
        if other != keep:
            p.removeBody(other, physicsClientId=client)
    return int(keep)


def _describe(
    spec: BodySpec, world: WorldSpec, client: int, body: int, ground: Ground | None, units: Units
) -> Engine:  # fmt: skip
    info = [
        p.getJointInfo(body, i, physicsClientId=client) for i in range(p.getNumJoints(body, physicsClientId=client))
    ]
    root = p.getBodyInfo(body, physicsClientId=client)[0].decode()
    for joint in info:
        if joint[2] in (p.JOINT_SPHERICAL, p.JOINT_PLANAR):
            name = joint[1].decode()
            raise UserError(Problem("", 0, 0, f"joints.{name}", "spherical and planar joints are not supported"))
    rail = spec.links and world.tether == "vertical"
    first = 0 if rail else -1
    links = (root, *(j[12].decode() for j in info))[first + 1 :]
    dofs = [j[0] for j in info[first + 1 :] if j[2] != p.JOINT_FIXED]
    dynamics = [p.getDynamicsInfo(body, i, physicsClientId=client) for i in range(first, len(info))]
    local = tuple(x * units.length for x in dynamics[0][3]), dynamics[0][4]
    mass, inertia = (np.array([d[i] for d in dynamics]) for i in (0, 2))
    fixed = bool(mass[0] == 0.0)
    if spec.links and world.tether == "fixed":  # Bullet's root has none then, but it weighs what it weighs
        mass[0] = of_link(spec.links[root]).mass / units.mass
    return Engine(
        client=client, body=body, ground=ground, units=units, first=first, fixed=fixed, links=links,
        joints=tuple(info[i][1].decode() for i in dofs), dofs=dofs,
        slider=np.array([info[i][2] == p.JOINT_PRISMATIC for i in dofs], dtype=np.float64),
        file_damping=np.array([info[i][6] for i in dofs], dtype=np.float64),
        file_friction=np.array([info[i][7] for i in dofs], dtype=np.float64),
        mass=mass * units.mass, inertia=inertia * units.inertia,
        com=np.array([d[3] for d in dynamics]) * units.length, com_from_root=local, root_from_com=inverse(local),
    )  # fmt: skip


def _sdf_inertias(path: Path, model: str | None) -> dict[str, Array]:
    """Principal moments (3,) by link: loadSDF has no URDF_USE_INERTIA_FROM_FILE and takes them from the shapes.

    Products of inertia are left out, because Bullet cannot be given another inertial frame after loading.
    """
    root = ElementTree.parse(path).getroot()
    models = [m for m in root.iter("model") if model is None or m.get("name") == model]
    found: dict[str, Array] = {}
    for link in (link for m in models for link in m.iter("link")):
        inertia = link.find("inertial/inertia")
        if inertia is not None:
            moments = [float(inertia.findtext(key, "0")) for key in ("ixx", "iyy", "izz")]
            found[link.get("name", "")] = np.array(moments)
    return found


def _settle_dynamics(spec: BodySpec, engine: Engine) -> None:
    """Damping off, clamps lifted, masses as the document wants them, default motors replaced by dry friction."""
    c, b = engine.client, engine.body
    if spec.sdf is not None:
        given = _sdf_inertias(model_path(spec), spec.model)
        engine.inertia = np.array(
            [given.get(name, own) for name, own in zip(engine.links, engine.inertia, strict=True)]
        )
    for row, name in enumerate(engine.links):
        link = row + engine.first
        if spec.sdf is not None:
            p.changeDynamics(b, link, localInertiaDiagonal=engine.inertia[row].tolist(), physicsClientId=c)
        if name in spec.masses:
            old, mass = engine.mass[row], spec.masses[name]
            scale = mass / old if old else 0.0
            # a change of mass makes Bullet take the inertia from the collision shape: give it, scaled, after it
            p.changeDynamics(b, link, mass=mass, physicsClientId=c)
            engine.mass[row], engine.inertia[row] = mass, engine.inertia[row] * scale
            p.changeDynamics(b, link, localInertiaDiagonal=engine.inertia[row].tolist(), physicsClientId=c)
        p.changeDynamics(b, link, linearDamping=0.0, angularDamping=0.0, physicsClientId=c)
        p.changeDynamics(b, link, lateralFriction=1.0, restitution=1.0, physicsClientId=c)
        p.changeDynamics(b, link, jointDamping=0.0, physicsClientId=c)
        p.changeDynamics(b, link, maxJointVelocity=MAX_SPEED, physicsClientId=c)
        p.changeDynamics(b, link, activationState=p.ACTIVATION_STATE_DISABLE_SLEEPING, physicsClientId=c)
        if spec.has_servo and not spec.self_collision:
            # without groups Bullet keeps a list of all pairs of neighbours that overlap, which takes half of a step
            p.setCollisionFilterGroupMask(b, link, _OWN_GROUP, _OTHERS, physicsClientId=c)
    engine.mass.setflags(write=False)
    if engine.first == 0:
        _free_rail(engine)
    if engine.dofs:
        friction = engine.file_friction.tolist()
        for i, name in enumerate(engine.joints):
            if name in spec.joints and "friction" in spec.joints[name].model_fields_set:
                friction[i] = spec.joints[name].friction
        p.setJointMotorControlArray(b, engine.dofs, p.VELOCITY_CONTROL, forces=friction, physicsClientId=c)


def _free_rail(engine: Engine) -> None:
    """The slider between the world and the root: no motor, no damping, no bound on its speed."""
    c, b, rail = engine.client, engine.body, engine.first
    p.setJointMotorControl2(b, rail, p.VELOCITY_CONTROL, force=0.0, physicsClientId=c)
    p.changeDynamics(b, -1, linearDamping=0.0, angularDamping=0.0, physicsClientId=c)
    p.changeDynamics(b, -1, activationState=p.ACTIVATION_STATE_DISABLE_SLEEPING, physicsClientId=c)


def set_initial(spec: BodySpec, engine: Engine) -> None:
    """Pose and speed of the root and the joints. Bullet's base pose is that of the centre of mass, not of the link."""
    initial, c, length = spec.initial, engine.client, engine.units.length
    pose: Pose = (initial.at, p.getQuaternionFromEuler(initial.rpy))
    if engine.first == 0:  # the pose is in the rail
        p.resetJointState(engine.body, engine.first, 0.0, initial.velocity[2] / length, physicsClientId=c)
    else:
        at, turn = compose(pose, engine.com_from_root)
        p.resetBasePositionAndOrientation(engine.body, [x / length for x in at], turn, physicsClientId=c)
    if engine.first < 0 and not engine.fixed:
        velocity = [x / length for x in initial.velocity]
        p.resetBaseVelocity(engine.body, velocity, initial.angular_velocity, physicsClientId=c)
    for index, name in zip(engine.dofs, engine.joints, strict=True):
        value = initial.joints.get(name, initial.sliders.get(name, 0.0))
        p.resetJointState(engine.body, index, value, 0.0, physicsClientId=c)

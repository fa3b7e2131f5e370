"""The body in PyBullet: what a tick consists of, and what can be asked of it."""

from __future__ import annotations

import weakref
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any, NoReturn

import numpy as np
import pybullet as p
from numpy.typing import NDArray

from cosim.body import snapshot
from cosim.body.algebra import compose, rotations
from cosim.body.contacts import Contacts
from cosim.body.drive import KINDS, JointDrive
from cosim.body.engine import Engine, load
from cosim.body.fall import Fall
from cosim.body.feet import Feet, Pull
from cosim.body.fluid import COM, FRAME, SPIN, VELOCITY, Fluid
from cosim.body.friction import Friction
from cosim.body.geometry import describe
from cosim.body.ports import Array, Port
from cosim.body.sensors import Refresh, make_sensors, needs_contacts, needs_links
from cosim.body.servo import ServoDrive
from cosim.errors import Problem, SimulationError, UserError
from cosim.spec.body import BodySpec, WorldSpec
from cosim.spec.units import suggest

# A link this fast (m/s) has exploded, whatever its size.
_ABSURD_SPEED = 1e3


def _table_scale(length: float) -> Array | None:
    """(27,): what brings a row of the link table from the engine's units to SI; None where it is in SI."""
    if length == 1.0:
        return None
    scale = np.ones(27)
    scale[COM] = scale[7:10] = scale[FRAME] = scale[VELOCITY] = length
    return scale


class SimulatedBody(ABC):
    """A body stepped by PyBullet (protocol: ``BodyLike``), whatever drives its joints.

    `dt` is the physics step, a tick is `substeps` of them. Internal state after each sub-step: `q`, `v` (n,) of the
    hinges and sliders in the order of `joints`, and `table` (links, 27), rows in the order of `links`, columns as
    Bullet's link state: centre of mass 0-2, its frame 3-6, local frame 7-13, link frame 14-16 and 17-20 (x, y, z, w),
    velocity of the centre of mass 21-23, spin 24-26. After each step `state`, (13 + 2 n,), is the root's position (3),
    orientation (4), velocity (3) and spin (3), then q and v, which are parts of it.
    """

    def __init__(self, spec: BodySpec, world: WorldSpec, dt: float, substeps: int) -> None:
        self.spec, self.world, self.dt, self.substeps = spec, world, dt, substeps
        self.engine: Engine = load(spec, world, dt)
        self._finalizer = weakref.finalize(self, Engine.close, self.engine)
        engine = self.engine
        n = len(engine.joints)
        self.joints, self.links = engine.joints, engine.links
        self.total_mass = float(engine.mass.sum())
        self.state = np.zeros(13 + 2 * n)
        self._root, self.q, self.v = self.state[:13], self.state[13 : 13 + n], self.state[13 + n :]
        self._root_velocity = (0.0, 0.0, 0.0)
        self.table = np.zeros((len(engine.links), 27))
        self._scale = _table_scale(engine.units.length)
        self.drive = self._make_drive()
        self._check_kinds()
        self._work = np.zeros(len(KINDS))
        self.external = {"joint_torque": self.drive.external, "link_force": np.zeros((len(engine.links), 3))}
        self.contacts = Contacts(engine, np.zeros((len(engine.links), 3)))
        self.feet = Feet(spec, engine)
        self.fall = Fall(spec.fall) if spec.fall is not None else None
        self._friction = Friction(engine.ground, dt * substeps)
        self.actuators = self._make_actuators()
        self.commands = {name: port.buffer() for name, port in self.actuators.items()}
        made = make_sensors(self)
        self.sensors: dict[str, Port] = {name: port for name, (port, _) in made.items()}
        self.readings: dict[str, Array] = {name: port.buffer() for name, port in self.sensors.items()}
        self._refresh = {name: refresh for name, (_, refresh) in made.items()}
        self._active: list[tuple[Refresh, Array]] = []
        self._hinges = np.flatnonzero(engine.slider == 0)
        self._sliders = np.flatnonzero(engine.slider)
        self._positioned = np.array(
            [i for i, name in enumerate(self.joints) if self._has_position(name)], dtype=np.intp
        )
        self._wants_links = self._wants_contacts = True
        self.fluid = self._make_fluid()
        self.request(self.sensors)
        self._begin()

    # -- what drives the joints --------------------------------------------------------------------------------------

    @abstractmethod
    def _make_drive(self) -> JointDrive | ServoDrive:
        """Torques on the joints."""

    @abstractmethod
    def _has_position(self, name: str) -> bool:
        """Whether a joint takes position commands."""

    @abstractmethod
    def _hold(self) -> Array:
        """Targets of those joints before the first command; NaN is free."""

    @abstractmethod
    def _advance(self, tick: int, pushed: bool, pulls: list[Pull]) -> None:
        """The sub-steps of a tick: links may be pushed (``external``), feet be pulled; contacts are collected."""

    @abstractmethod
    def _probe(self) -> None:
        """What has to be known before the first step."""

    # -- construction ------------------------------------------------------------------------------------------------

    def _check_kinds(self) -> None:
        """A joint from a file must be of the kind that the document gives units for."""
        problems = []
        for name, joint in self.spec.joints.items():
            if name not in self.joints:
                continue
            real = "slider" if self.engine.slider[self.joints.index(name)] else "hinge"
            if joint.kind != real:
                problems.append(
                    Problem("", 0, 0, f"joints.{name}.kind", f"'{name}' is a {real} in the file: kind: {real}")
                )
        missing = [m for m in self.spec.muscles.values() if m.joint not in self.joints]
        problems += [Problem("", 0, 0, "muscles", f"'{m.joint}' is no hinge") for m in missing]
        if problems:
            raise UserError(problems)

    def _make_actuators(self) -> dict[str, Port]:
        hinges = tuple(n for n, s in zip(self.joints, self.engine.slider, strict=True) if not s)
        sliders = tuple(n for n in self.joints if n not in hinges)
        ports = [
            Port("activation", "1", tuple(self.spec.muscles)),
            Port("torque", "N*m", hinges),
            Port("force", "N", sliders),
            Port("position", "rad", tuple(n for n in self.joints if self._has_position(n))),
            Port("adhesion", "1", self.feet.names if self.feet.full.any() else ()),
        ]  # fmt: skip
        return {port.name: port for port in ports if port.labels}

    def _make_fluid(self) -> Fluid | None:
        water, fluid = self.world.water, self.spec.fluid
        if water is None or not (fluid.drag or fluid.buoyancy):
            return None
        return Fluid(self.spec, water, self.world.gravity, self.engine)

    def request(self, names: Iterable[str]) -> None:
        """Compute only these sensors from now on. Raises UserError for one that the body does not have."""
        wanted = set(names)
        unknown = sorted(wanted - set(self.sensors))
        if unknown:
            text = "; ".join(f"no sensor '{n}'{suggest(n, self.sensors)}" for n in unknown)
            raise UserError(f"body {self.spec.name}: {text}")
        self._wants_links = needs_links(wanted)
        self._wants_contacts = needs_contacts(wanted)
        self._active = [(self._refresh[name], self.readings[name]) for name in self.sensors if name in wanted]

    # -- the loop ----------------------------------------------------------------------------------------------------

    def step(self, tick: int) -> None:
        """Advance `substeps` physics steps under the commands, then refresh the requested readings.

        Raises SimulationError, naming tick, variable and joint or link, when the state is not finite or absurd.
        """
        self._take_commands()
        self._friction.begin(tick, self.engine)
        self.contacts.begin()
        pulls = self.feet.pulls()
        self._advance(tick, bool(self.external["link_force"].any()), pulls)
        if self._collects:
            self.contacts.finish(self.substeps)
        if self.feet.names:
            self.feet.look(self.contacts)
        if self.fluid is None:
            if self._wants_links:
                self._read_links()
            else:
                self._read_root()
        self._check(tick)
        if self.fall is not None:
            self._watch(self.fall, tick)
        for refresh, out in self._active:
            refresh(out)

    @property
    def _collects(self) -> bool:
        """Whether somebody wants to know what touches."""
        return self.touchable and (self._wants_contacts or self.feet.sticks)

    @property
    def touchable(self) -> bool:
        """Whether anything can touch the body."""
        return self.engine.ground is not None or self.spec.self_collision

    def _watch(self, fall: Fall, tick: int) -> None:
        at, turn = self._root[:3].tolist(), self._root[3:7].tolist()
        frame, frame_turn = compose((at, turn), self.engine.root_from_com)
        fall.look(frame_turn, frame[2], tick)

    def _take_commands(self) -> None:
        drive, commands = self.drive, self.commands
        if "torque" in commands:
            drive.torque[self._hinges] = commands["torque"]
        if "force" in commands:
            drive.torque[self._sliders] = commands["force"]
        if "position" in commands:
            drive.target[self._positioned] = commands["position"]
        if "adhesion" in commands:
            self.feet.adhesion[:] = commands["adhesion"]

    def _read_joints(self) -> None:
        engine = self.engine
        if engine.dofs:
            states = p.getJointStates(engine.body, engine.dofs, physicsClientId=engine.client)
            self.q[:] = [s[0] for s in states]
            self.v[:] = [s[1] for s in states]

    def _read_links(self) -> None:
        """Refresh `table`. Bullet's link call leaves out the root, whose pose is that of its centre of mass."""
        engine, table = self.engine, self.table
        if len(table) > 1:
            self._fill_links()
            if self._scale is not None:
                table[1:] *= self._scale
        at, turn, velocity, spin = self._read_root()
        frame, frame_turn = compose((at, turn), engine.root_from_com)
        root = table[0]
        root[0:7] = (*at, *turn)
        root[14:27] = (*frame, *frame_turn, *velocity, *spin)

    def _fill_links(self) -> None:
        """Rows 1 on of the table, engine's units."""
        engine, others = self.engine, len(self.table) - 1
        rows = range(engine.first + 1, engine.first + 1 + others)
        # computeForwardKinematics: without it the poses are those of a step ago
        states = p.getLinkStates(
            engine.body, rows, computeLinkVelocity=1, computeForwardKinematics=1, physicsClientId=engine.client
        )
        flat = chain.from_iterable(chain.from_iterable(states))
        self.table[1:] = np.fromiter(flat, np.float64, 27 * others).reshape(others, 27)

    def _read_root(self) -> tuple[tuple[float, ...], ...]:
        """Position, orientation, velocity and spin of the root's centre of mass; they also go into `_root`."""
        body, client = self.engine.body, self.engine.client
        if self.engine.first == 0:  # on a rail
            state = p.getLinkState(body, 0, computeLinkVelocity=1, computeForwardKinematics=1, physicsClientId=client)
            at, turn, velocity, spin = state[0], state[1], state[6], state[7]
        else:
            at, turn = p.getBasePositionAndOrientation(body, physicsClientId=client)
            velocity, spin = p.getBaseVelocity(body, physicsClientId=client)
        if self._scale is not None:
            length = self.engine.units.length
            at, velocity = tuple(x * length for x in at), tuple(x * length for x in velocity)
        self._root[:] = (*at, *turn, *velocity, *spin)
        self._root_velocity = velocity
        return at, turn, velocity, spin

    def _push(self) -> None:
        engine, force, units = self.engine, self.external["link_force"], self.engine.units
        if self.fluid is None:
            self._read_links()
        for row in np.flatnonzero(force.any(axis=1)):
            push, at = (force[row] / units.force).tolist(), (self.table[row, COM] / units.length).tolist()
            p.applyExternalForce(
                engine.body, int(row) + engine.first, push, at, p.WORLD_FRAME, physicsClientId=engine.client
            )  # fmt: skip

    def _check(self, tick: int) -> None:
        """Written so that NaN fails the comparisons."""
        x, y, z = self._root_velocity
        slow = -_ABSURD_SPEED < x + y + z < _ABSURD_SPEED
        if self.joints:
            slow = slow and float(np.vdot(self.v, self.v)) * self.dt * self.dt < 1.0
        if not slow:
            self._explode(tick)

    def _explode(self, tick: int) -> NoReturn:
        """Find what is wrong and say where."""
        self._read_links()
        for variable, unit, values, limit in (
            ("joint_angle", "rad", self.q, np.inf), ("joint_velocity", "rad/s", self.v, 1.0 / self.dt),
        ):  # fmt: skip
            bad = np.flatnonzero(~(np.abs(values) < limit))
            if len(bad):
                k = bad[np.argmax(np.nan_to_num(np.abs(values[bad]), nan=np.inf, posinf=np.inf))]
                raise SimulationError(
                    f"tick {tick}: {variable} of joint '{self.joints[k]}' is {values[k]:g} {unit}: the body exploded "
                    f"(a speed above {1 / self.dt:g} rad/s turns it by a radian in one step of {self.dt:g} s); "
                    "a smaller body_dt or softer gains may help"
                )
        speed = np.abs(self.table[:, VELOCITY]).max(axis=1)
        k = int(np.argmax(np.nan_to_num(speed, nan=np.inf)))
        raise SimulationError(
            f"tick {tick}: link_velocity of link '{self.links[k]}' is {speed[k]:g} m/s: the body exploded; "
            "a smaller body_dt or weaker drag may help"
        )

    # -- beginning and end -------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        """Initial commands and readings."""
        self._work[:] = 0.0
        for array in (*self.commands.values(), *self.external.values()):
            array[...] = 0.0
        self._read_joints()
        if "position" in self.commands:
            self.commands["position"][:] = self._hold()
        self._take_commands()
        self.drive.reset()
        self.feet.reset()
        self.contacts.force[...] = 0.0
        if self.fall is not None:
            self.fall.reset()
        self._friction.reset()
        self._read_links()
        if self.fluid is not None:
            self.fluid.read(self.table)
        if self.joints:
            self._probe()
        if self.fluid is not None:
            self.fluid.read(self.table)
            self.fluid.work = 0.0
        for refresh, out in ((self._refresh[name], self.readings[name]) for name in self.sensors):
            refresh(out)

    def reset(self) -> None:
        """Back to the initial state in a fresh engine (so that a second run gives the same bits as the first)."""
        self._reload()
        self._begin()

    def _reload(self) -> None:
        self.engine.close()
        fresh = load(self.spec, self.world, self.dt)
        # the engine object stays: sensors and fluid keep references to it
        self.engine.client, self.engine.body, self.engine.ground = fresh.client, fresh.body, fresh.ground
        self._friction.reset()

    @property
    def restores_exactly(self) -> bool:
        """Whether nothing can touch the body (see ``snapshot.py``)."""
        return not self.touchable

    @property
    def kept(self) -> dict[str, Array]:
        """Beside the ports' arrays: what the next tick depends on, and what is counted."""
        kept: dict[str, Array] = {"work": self._work}
        if self.feet.names:
            kept["touch"] = self.feet.touch
        if self.fall is not None:
            kept["fall"] = self.fall.latch
        return kept

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """See ``cosim.body.snapshot``."""
        return snapshot.take(self)

    def restore(self, saved: Mapping[str, NDArray[Any]]) -> None:
        """Go on from a snapshot in a fresh engine. Raises UserError if it is of another body."""
        self._reload()
        snapshot.give(self, saved)

    def settle(self) -> None:
        """After a restore: what follows from the engine's state and the commands."""
        self._take_commands()
        self.drive.command()
        self._read_joints()
        self._read_links()

    def close(self) -> None:
        """Disconnect from the engine."""
        self.engine.close()

    # -- questions ---------------------------------------------------------------------------------------------------

    @property
    def work(self) -> dict[str, float]:
        """Work (J) done on the body since the beginning, by origin: muscle, passive, actuator, external, fluid.

        Exact for constant forces over a step (mean of the speeds before and after). `external` counts joint torques.
        """
        done = dict(zip(KINDS, self._work.tolist(), strict=True))
        return {**done, "fluid": self.fluid.work if self.fluid is not None else 0.0}

    def energy(self) -> dict[str, float]:
        """Kinetic, gravitational (zero at z = 0) and elastic energy of the passive springs, J."""
        self._read_links()
        t, engine = self.table, self.engine
        turn = rotations(t[:, 3:7])
        spin = (t[:, None, SPIN] @ turn)[:, 0]
        kinetic = 0.5 * float(engine.mass @ (t[:, VELOCITY] ** 2).sum(axis=1) + (engine.inertia * spin**2).sum())
        potential = self.world.gravity * float(engine.mass @ t[:, 2])
        return {"kinetic": kinetic, "potential": potential, "elastic": self.drive.elastic_energy(self.q)}

    def momentum(self) -> Array:
        """(6,): linear momentum (kg m/s), angular momentum about the world's origin (kg m^2/s)."""
        self._read_links()
        t, engine = self.table, self.engine
        turn = rotations(t[:, 3:7])
        linear = engine.mass[:, None] * t[:, VELOCITY]
        spin = (turn @ (engine.inertia * (t[:, None, SPIN] @ turn)[:, 0])[:, :, None])[:, :, 0]
        return np.concatenate([linear.sum(axis=0), (np.cross(t[:, COM], linear) + spin).sum(axis=0)])

    def geometry(self) -> dict[str, Any]:
        """See ``cosim.body.geometry.describe``."""
        return describe(self.spec, self.engine)


__all__ = ["SimulatedBody"]

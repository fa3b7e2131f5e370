"""The independent check of a replay: are its torques and forces those that the motion needs?

The replay is made once more with every physics step a tick of its own, and each step's motion, torques and contacts are
kept. Then the inverse dynamics of ``cosim.replay.tree`` say which torques the motion needs, given the contact forces:
they must be the servos'. For a body that is not held, the change of momentum must be the sum of the contact forces
and the weight, and the force left over at the root must vanish.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cosim.api import Experiment
from cosim.body.servo_body import ServoBody
from cosim.errors import UserError
from cosim.replay.tree import Loads, Motion, Tree, inverse_dynamics, momentum, place, read_tree

F64 = NDArray[np.float64]
#: steps worked on at once, which bounds memory
_BLOCK = 2000


@dataclass(frozen=True)
class Steps:
    """n physics steps in the engine's units: `states` (n + 1, 13 + 2 dofs) as ``body.state`` but with lengths in the
    engine's units, `torques` (n, dofs), contact `loads` by step."""

    dt: float
    states: F64
    torques: F64
    loads: Loads
    tree: Tree
    gravity: float
    tether: str
    force_unit: float
    torque_unit: float


@dataclass(frozen=True)
class Audit:
    """What the check found. Forces in N, torques in N m, NaN where the body is held and nothing can be said.

    torque_error: RMS difference between servo torques and inverse dynamics minus contacts over the torques' RMS;
    worst_joint and worst_error: the joint with the largest share; momentum_error: RMS over steps and directions of
    dp/dt minus (sum of forces minus weight); root_error: RMS of the force that the root would need from outside.
    """

    steps: int
    torque_rms: float
    torque_error: float
    worst_joint: str
    worst_error: float
    momentum_error: float
    root_error: float

    def as_dict(self) -> dict[str, Any]:
        """For manifests and pages."""
        return asdict(self)


def take_steps(experiment: Experiment, duration: float | None = None) -> tuple[Steps, tuple[str, ...]]:
    """Run the experiment with ticks of one physics step and keep every step; the names of its joints too.

    Raises UserError for a body that is not driven by servos, whose torques are not known step by step.
    """
    spec = experiment.spec
    dt = spec.body_dt or spec.tick
    fine = experiment.set({"tick": f"{dt!r} s", "body_dt": f"{dt!r} s", "dt": f"{dt!r} s"})
    with fine.open() as running:
        body = running.lockstep.body
        if not isinstance(body, ServoBody):
            raise UserError(f"{spec.name}: inverse dynamics need a body whose joints have servos")
        body.request({"contact_force"} & set(body.sensors))
        engine, n = body.engine, running.ticks if duration is None else round(duration / dt)
        tree = read_tree(engine.client, engine.body, engine.first, engine.mass / engine.units.mass)
        states, torques = np.zeros((n + 1, len(body.state))), np.zeros((n, tree.dofs))
        states[0] = body.state
        which: list[tuple[int, int]] = []
        rows: list[tuple[float, ...]] = []
        for k in range(n):
            running.step()
            states[k + 1] = body.state
            torques[k] = body.drive.torques[0]
            for c in body.contacts.touches[0] if body.contacts.touches else ():
                which.append((k, c[3] - engine.first))
                rows.append((*c[5], c[9], *c[7], c[10], *c[11], c[12], *c[13]))
        joints, world, units = body.joints, body.world, engine.units
    states[:, 0:3] /= units.length
    states[:, 7:10] /= units.length
    table = np.array(rows).reshape(-1, 15)
    index = np.array(which, dtype=np.intp).reshape(-1, 2)
    force = sum(table[:, i : i + 1] * table[:, i + 1 : i + 4] for i in (3, 7, 11))
    loads = Loads(index[:, 0], index[:, 1], table[:, :3], np.asarray(force))
    return Steps(
        body.dt, states, torques, loads, tree, world.gravity / units.length, world.tether, units.force, units.torque
    ), joints  # fmt: skip


def audit(steps: Steps, joints: tuple[str, ...]) -> Audit:
    """Compare every step's torques with inverse dynamics, and its change of momentum with the forces."""
    n = len(steps.torques)
    error, root, change = np.zeros_like(steps.torques), np.zeros((n, 3)), np.zeros((n, 3))
    carried = np.full((1, 3), np.nan)
    for begin in range(0, n, _BLOCK):
        part = slice(begin, min(begin + _BLOCK, n))
        chosen = (steps.loads.moment >= part.start) & (steps.loads.moment < part.stop)
        loads = Loads(
            steps.loads.moment[chosen] - begin, steps.loads.link[chosen], steps.loads.point[chosen],
            steps.loads.force[chosen],
        )  # fmt: skip
        before = place(steps.tree, _motion(steps, part, 0))
        needed, left = inverse_dynamics(steps.tree, before, steps.gravity, loads)
        error[part] = needed - steps.torques[part]
        root[part] = left[:, :3]
        outside = np.zeros((part.stop - begin, 3))
        np.add.at(outside, loads.moment, loads.force)
        outside[:, 2] -= steps.tree.mass.sum() * steps.gravity
        # a step's velocities belong to the positions for which they were solved, those at its beginning
        found = momentum(steps.tree, place(steps.tree, _motion(steps, part, 1)))
        change[part] = np.diff(found, axis=0, prepend=carried) / steps.dt - outside
        carried = found[-1:]
    seen = {"none": [0, 1, 2], "vertical": [2]}.get(steps.tether, [])
    rms = float(np.sqrt(np.mean(steps.torques**2)))
    by_joint = np.sqrt(np.mean(error**2, axis=0))
    worst = int(np.argmax(by_joint))
    free = bool(seen)
    return Audit(
        steps=n,
        torque_rms=rms * steps.torque_unit,
        torque_error=float(np.sqrt(np.mean(error**2))) / rms if rms else float("nan"),
        worst_joint=joints[worst],
        worst_error=float(by_joint[worst]) / rms if rms else float("nan"),
        momentum_error=_rms(change[1:, seen]) * steps.force_unit if free else float("nan"),
        root_error=_rms(root[:, seen]) * steps.force_unit if free else float("nan"),
    )


def _rms(values: F64) -> float:
    return float(np.sqrt(np.mean(values**2)))


def _motion(steps: Steps, part: slice, shift: int) -> Motion:
    """Positions and accelerations of the steps of a part, with the velocities before (shift 0) or after them (1)."""
    n = steps.torques.shape[1]
    now, then = steps.states[part], steps.states[part.start + 1 : part.stop + 1]
    rate = (then - now) / steps.dt
    speed = then if shift else now
    return Motion(
        at=now[:, 0:3], turn=now[:, 3:7], velocity=speed[:, 7:10], spin=speed[:, 10:13],
        acceleration=rate[:, 7:10], spin_acceleration=rate[:, 10:13],
        q=now[:, 13 : 13 + n], v=speed[:, 13 + n :], a=rate[:, 13 + n :],
    )  # fmt: skip

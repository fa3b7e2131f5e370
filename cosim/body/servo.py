"""Explicit torques of servos (``ServoSpec``) on the joints, one evaluation a physics step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from cosim.body.engine import Engine
from cosim.body.ports import Array
from cosim.errors import Problem, UserError
from cosim.spec.body import BodySpec, JointSpec

#: joint states as PyBullet gives them
States = Sequence[tuple[Any, ...]]

#: bounds of kd dt / armature and kp dt^2 / armature; semi-implicit Euler of a free joint is unstable beyond 2 and 4,
#: and contacts and neighbours take their share (measured on the fly: docs/bodies.md)
MAX_DAMPING, MAX_STIFFNESS = 0.6, 0.2


def check_step(spec: BodySpec, dt: float) -> None:
    """Refuse a physics step that is too large for a servo. Raises UserError that names the largest that will do."""
    worst: tuple[float, str, str] | None = None
    for name, joint in spec.joints.items():
        servo, inertia = joint.servo, joint.armature
        if servo is None:
            continue
        # what a caller takes from a tick by division may be larger by a rounding
        bounds = ((MAX_DAMPING * inertia / servo.kd if servo.kd else np.inf, "kd"),
                  ((MAX_STIFFNESS * inertia / servo.kp) ** 0.5 if servo.kp else np.inf, "kp"))  # fmt: skip
        for largest, gain in bounds:
            if dt > largest * (1 + 1e-9) and (worst is None or largest < worst[0]):
                worst = (largest, name, gain)
    if worst is not None:
        largest, name, gain = worst
        text = (
            f"a physics step of {dt:g} s is too large for its {gain} with this armature: body_dt at most {largest:.3g} "
            f"s, a smaller {gain} or a larger armature"
        )
        raise UserError(Problem("", 0, 0, f"joints.{name}.servo.{gain}", text))


class ServoDrive:
    """Torques on n joints over the S sub-steps of a tick.

    Inputs (SI): `target`, `rate`, `torque`, `external` (n,). `command` takes them over; `step` gives the torques of a
    sub-step from the joint states as the engine tells them; `gather` and `finish` the rest. History of the tick,
    engine's units: `torques` (S, n), `speeds` (S + 1, n), and `angles` (2, n) before and after it. Results, SI:
    `total` and `power` (n,), means over the tick.

    A sub-step is plain Python on lists: at n = 42 that takes half of the time of the same in numpy. Compiled code
    (``native.py``) does the same operations in the same order.
    """

    def __init__(self, spec: BodySpec, engine: Engine, dt: float, substeps: int) -> None:
        n = len(engine.joints)
        own = [spec.joints.get(name) or JointSpec() for name in engine.joints]
        self._dt, self._unit = dt, engine.units.torque
        most = np.array([np.inf if j.max_torque is None else j.max_torque for j in own]) / self._unit
        #: engine's units: kp and kd (2, n), least and most torque (2, n)
        self.gains = np.array([[j.servo.kp, j.servo.kd] if j.servo else [0.0, 0.0] for j in own]).T / self._unit
        self.bounds = np.array([-most, most])
        self._constants = list(zip(*self.gains.tolist(), *self.bounds.tolist(), strict=True))
        self._times = np.arange(substeps)[:, None] * dt
        self.target, self.rate, self.torque, self.external = np.zeros((4, n))
        #: of the tick, engine's units: what the torques are at angle and speed 0, and what is added to them
        self.offsets: list[list[float]] = []
        self.added: list[float] = []
        self._given: list[list[float]] = []
        self._seen: list[States] = []
        self.angles, self.speeds, self.torques = np.zeros((2, n)), np.zeros((substeps + 1, n)), np.zeros((substeps, n))
        self.total, self.power = np.zeros(n), np.zeros(n)
        #: J of the last tick
        self.work_driven, self.work_external = 0.0, 0.0

    def reset(self) -> None:
        """As before the first step."""
        self.total[:] = 0.0
        self.power[:] = 0.0

    def command(self) -> None:
        """Take over the inputs; once a tick, before its sub-steps."""
        kp, kd = self.gains
        offsets = self._times * (kp * self.rate)
        offsets += kp * self.target + kd * self.rate + self.torque / self._unit
        self.offsets = offsets.tolist()
        self.added = (self.external / self._unit).tolist() if self.external.any() else []

    def begin(self, states: States) -> None:
        """A tick begins in these joint states (angle and speed first)."""
        self._given, self._seen = [], [states]

    def step(self, s: int) -> list[float]:
        """Torques (n,) of sub-step `s`, engine's units."""
        torques = [
            least if (t := o - kp * state[0] - kd * state[1]) < least else most if t > most else t
            for o, state, (kp, kd, least, most) in zip(self.offsets[s], self._seen[s], self._constants, strict=True)
        ]
        if self.added:
            torques = [t + more for t, more in zip(torques, self.added, strict=True)]
        self._given.append(torques)
        return torques

    def taken(self, states: States) -> None:
        """The joint states after a sub-step."""
        self._seen.append(states)

    def gather(self) -> None:
        """The history of the tick as arrays."""
        self.torques[...] = self._given
        self.speeds[...] = [[state[1] for state in states] for states in self._seen]
        self.angles[...] = [[state[0] for state in self._seen[i]] for i in (0, -1)]

    def finish(self) -> None:
        """Means and work of the tick from its history."""
        speed = self.speeds[:-1] + self.speeds[1:]
        speed *= 0.5
        length = self._dt * len(self.torques)
        self.work_external = float(speed.mean(axis=0) @ self.external) * length if self.added else 0.0
        np.mean(self.torques, axis=0, out=self.total)
        self.total *= self._unit
        speed *= self.torques
        np.mean(speed, axis=0, out=self.power)
        self.power *= self._unit
        self.work_driven = float(self.power.sum()) * length - self.work_external

    def elastic_energy(self, q: Array) -> float:
        """There are no passive springs."""
        return 0.0


__all__ = ["MAX_DAMPING", "MAX_STIFFNESS", "ServoDrive", "check_step"]

"""Explicit torques of servos (``ServoSpec``) on the joints, one evaluation a physics step."""

from __future__ import annotations

import numpy as np

from cosim.body.engine import Engine
from cosim.body.ports import Array
from cosim.errors import Problem, UserError
from cosim.spec.body import BodySpec, JointSpec

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
    sub-step from angles and speeds; `finish` the means. History of the tick, engine's units: `states` (S + 1, 2, n) of
    angles and speeds, `torques` (S, n). Results, SI: `total` and `power` (n,), means over the tick.
    """

    def __init__(self, spec: BodySpec, engine: Engine, dt: float, substeps: int) -> None:
        n = len(engine.joints)
        own = [spec.joints.get(name) or JointSpec() for name in engine.joints]
        self._dt, self._unit = dt, engine.units.torque
        self.kp = np.array([j.servo.kp if j.servo else 0.0 for j in own])
        self.kd = np.array([j.servo.kd if j.servo else 0.0 for j in own])
        self._gains = np.array([self.kp, self.kd]) / self._unit
        self._most = np.array([np.inf if j.max_torque is None else j.max_torque for j in own]) / self._unit
        self._least = -self._most
        self._times = np.arange(substeps)[:, None] * dt
        self.target, self.rate, self.torque, self.external = np.zeros((4, n))
        self._offset, self._added = np.zeros((substeps, n)), np.zeros(n)
        self._pushed = False
        self.states, self.torques = np.zeros((substeps + 1, 2, n)), np.zeros((substeps, n))
        self._products = np.zeros((2, n))
        self.total, self.power = np.zeros(n), np.zeros(n)
        #: J of the last tick
        self.work_driven, self.work_external = 0.0, 0.0

    def reset(self) -> None:
        """As before the first step."""
        self.total[:] = 0.0
        self.power[:] = 0.0

    def command(self) -> None:
        """Take over the inputs; once a tick, before its sub-steps."""
        kp, kd = self._gains
        np.multiply(self._times, kp * self.rate, out=self._offset)
        self._offset += kp * self.target + kd * self.rate + self.torque / self._unit
        self._pushed = bool(self.external.any())
        if self._pushed:
            np.divide(self.external, self._unit, out=self._added)

    def step(self, s: int) -> list[float]:
        """Torques (n,) of sub-step `s`, engine's units, from ``states[s]``."""
        torque, products = self.torques[s], self._products
        np.multiply(self.states[s], self._gains, out=products)
        np.subtract(self._offset[s], products[0], out=torque)
        torque -= products[1]
        np.minimum(torque, self._most, out=torque)
        np.maximum(torque, self._least, out=torque)
        if self._pushed:
            torque += self._added
        found: list[float] = torque.tolist()
        return found

    def finish(self) -> None:
        """Means and work of the tick."""
        speed = self.states[:-1, 1] + self.states[1:, 1]
        speed *= 0.5
        np.mean(self.torques, axis=0, out=self.total)
        self.total *= self._unit
        power = self.torques * speed
        np.mean(power, axis=0, out=self.power)
        self.power *= self._unit
        done = float(power.sum()) * self._unit * self._dt
        self.work_external = float(speed.sum(axis=0) @ self.external) * self._dt if self._pushed else 0.0
        self.work_driven = done - self.work_external

    def elastic_energy(self, q: Array) -> float:
        """There are no passive springs."""
        return 0.0


__all__ = ["MAX_DAMPING", "MAX_STIFFNESS", "ServoDrive", "check_step"]

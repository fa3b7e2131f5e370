"""Torques on the joints, implicit in the step.

Muscles and springs of small animals are far too stiff for an explicit step: at 1e-8 kg m^2 a damping of 1e-5 N m s/rad
decays in a thousandth of a second. With the torque linear in angle and speed,
``T = T0 - K q - D dq/dt``, a step of ``dt`` that evaluates it at its end needs the joint acceleration ``a``:

    T = T0 - K (q + dt v) - D v - G a,        G = dt D + dt^2 K
    a = A T + a_free                          A = joint block of the inverse mass matrix (floating root included)
    (1 + A G) a = A (T0 - K (q + dt v) - D v) + a_free

``a_free``, the joint acceleration that everything else causes (gravity, water, Coriolis, contact, limits), is what
the step before showed: measured acceleration less that explained by its torques. So a joint at rest under a load has
no error, and elsewhere the error is one step's change of the load. Rows of the work arrays, each linear and separately
accounted: MUSCLE, PASSIVE (spring and damper), ACTUATOR (torque and position commands), EXTERNAL (perturbations).
"""

from __future__ import annotations

import numpy as np

from cosim.body.engine import Engine
from cosim.body.ports import Array
from cosim.spec.body import BodySpec, JointSpec

MUSCLE, PASSIVE, ACTUATOR, EXTERNAL = range(4)
KINDS = ("muscle", "passive", "actuator", "external")


class JointDrive:
    """Torque on each of n joints from m muscles, passive springs and dampers, commands and perturbations.

    Arrays (SI; sliders in m and N): `activation` (m,), `torque` (n,), `target` (n,; NaN is free), `external` (n,) are
    inputs; `parts` (4, n) and `total` (n,) are the torques of the last step.
    """

    def __init__(self, spec: BodySpec, engine: Engine, dt: float) -> None:
        n = len(engine.joints)
        self.dt = dt
        index = {name: i for i, name in enumerate(engine.joints)}
        own = [spec.joints.get(name) or JointSpec() for name in engine.joints]
        muscles = list(spec.muscles.values())
        self.muscle_joint = np.array([index[m.joint] for m in muscles], dtype=np.intp)
        self.muscle_sign = np.array([1.0 if m.pulls == "positive" else -1.0 for m in muscles])
        self.alpha = np.array([m.alpha for m in muscles])
        self.beta = np.array([m.beta for m in muscles])
        self.muscle_rest = np.array([m.rest for m in muscles])
        # rows 0..n-1: constant torque per activation, rows n..2n-1: stiffness per activation
        self._from_activation = np.zeros((2 * n, len(muscles)))
        for k, j in enumerate(self.muscle_joint):
            self._from_activation[j, k] = self.muscle_sign[k] * self.alpha[k] + self.beta[k] * self.muscle_rest[k]
            self._from_activation[n + j, k] = self.beta[k]
        self.kp = np.array([j.position.kp if j.position else 0.0 for j in own])
        self.kd = np.array([j.position.kd if j.position else 0.0 for j in own])
        self.max_torque = np.array([np.inf if j.max_torque is None else j.max_torque for j in own])
        self._bounded = bool(np.isfinite(self.max_torque).any())
        self.spring = np.array([j.stiffness for j in own])
        self.rest = np.array([j.rest for j in own])
        damping = [j.damping if "damping" in j.model_fields_set else given
                   for j, given in zip(own, engine.file_damping.tolist(), strict=True)]  # fmt: skip
        # offset, stiffness and damping of the four kinds
        self._ok = np.zeros((4, 2, n))
        self._d = np.zeros((4, n))
        self._ok[PASSIVE, 0] = self.spring * self.rest
        self._ok[PASSIVE, 1] = self.spring
        self._d[PASSIVE] = damping
        self._muscle_row = self._ok[MUSCLE].reshape(-1)
        self._offset, self._stiffness = self._ok[:, 0], self._ok[:, 1]
        self._g = np.zeros((4, n))
        self._g_sum = np.zeros(n)
        self._eye = np.eye(n)
        self.activation = np.zeros(len(muscles))
        self.torque = np.zeros(n)
        self.target = np.full(n, np.nan)
        self.external = np.zeros(n)
        self.parts = np.zeros((4, n))
        self.total = np.zeros(n)
        self._has_position = bool(self.kp.any() or self.kd.any())

    def command(self) -> None:
        """Take over the inputs; once a tick, before its sub-steps."""
        np.dot(self._from_activation, self.activation, out=self._muscle_row)
        self._offset[ACTUATOR] = self.torque
        if self._has_position:
            on = np.isfinite(self.target)
            self._stiffness[ACTUATOR] = on * self.kp
            self._d[ACTUATOR] = on * self.kd
            self._offset[ACTUATOR] += self.kp * np.where(on, self.target, 0.0)
        self._offset[EXTERNAL] = self.external
        dt = self.dt
        # a negative stiffness (negative activation) stays explicit: implicit, it would be unstable
        np.maximum(self._stiffness, 0.0, out=self._g)
        self._g *= dt * dt
        self._g += dt * self._d
        self._g.sum(axis=0, out=self._g_sum)

    def solve(self, q: Array, v: Array, mobility: Array, a_free: Array) -> Array:
        """Torques (n,) for the step that begins at angles `q`, speeds `v`, with `mobility` A (n, n); fills `parts`."""
        parts = self.parts
        np.multiply(self._stiffness, q + self.dt * v, out=parts)
        np.subtract(self._offset, parts, out=parts)
        parts -= self._d * v
        right = mobility @ parts.sum(axis=0)
        right += a_free
        a = np.linalg.solve(self._eye + mobility * self._g_sum, right)
        parts -= self._g * a
        if self._bounded:
            self._bound()
        parts.sum(axis=0, out=self.total)
        return self.total

    def _bound(self) -> None:
        """Scale muscle and actuator torque together so that their sum keeps to the joint's max_torque."""
        driven = np.abs(self.parts[MUSCLE] + self.parts[ACTUATOR])
        scale = self.max_torque / np.maximum(driven, self.max_torque)
        scale[~np.isfinite(scale)] = 1.0
        self.parts[MUSCLE] *= scale
        self.parts[ACTUATOR] *= scale

    def elastic_energy(self, q: Array) -> float:
        """Energy (J) in the passive springs."""
        return float(0.5 * self.spring @ (q - self.rest) ** 2)

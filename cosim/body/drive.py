"""Torques on the joints, implicit in the step.

Muscles and springs of small animals are far too stiff for an explicit step: at 1e-8 kg m^2 a damping of 1e-5 N m s/rad
decays in a thousandth of a second. The torque is linear in angle and speed, ``T = O - K q - D v``, and is evaluated
where the step of `dt` ends (Bullet steps speed first, then angle with the new speed):

    T = O - K (q + dt v) - D v - G a,      G = dt D + dt^2 K,      a the joint acceleration of this step

The acceleration is ``a = a_free + b``: `a_free` from everything but T (gravity, water, Coriolis, contact, limits), and
`b` from T alone. With the mass matrix M of joints and floating root, b solves one linear system:

    (M + [0, G]) [b_root, b] = [0, O - K (q + dt v) - D v - G a_free]

`a_free` is what the step before showed: the measured acceleration less the `b` that was predicted. So a joint at rest
under a load has no error, and elsewhere the error is one step's change of the load. The torque has four parts, each
linear and separately accounted: MUSCLE, PASSIVE (spring and damper), ACTUATOR (torque and position commands) and
EXTERNAL (perturbations).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cosim.body.engine import Engine
from cosim.body.ports import Array
from cosim.spec.body import BodySpec, JointSpec

MUSCLE, PASSIVE, ACTUATOR, EXTERNAL = range(4)
KINDS = ("muscle", "passive", "actuator", "external")


class JointDrive:
    """Torque on each of n joints from m muscles, passive springs and dampers, commands and perturbations.

    Arrays (SI; sliders in m and N): `activation` (m,), `torque` (n,), `target` (n,; NaN is free), `external` (n,) are
    inputs; `parts` (4, n), `total` (n,) and `driven` (n,; the acceleration b) are those of the last step.
    """

    def __init__(self, spec: BodySpec, engine: Engine, dt: float) -> None:
        n = len(engine.joints)
        self._n, self._dt = n, dt
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
        self._has_position = bool(self.kp.any() or self.kd.any())
        self._commanded = False
        self._max_torque = np.array([np.inf if j.max_torque is None else j.max_torque for j in own])
        self._bounded = bool(np.isfinite(self._max_torque).any())
        self._spring = np.array([j.stiffness for j in own])
        self._rest = np.array([j.rest for j in own])
        damping = [j.damping if "damping" in j.model_fields_set else given
                   for j, given in zip(own, engine.file_damping.tolist(), strict=True)]  # fmt: skip
        # O, K and D of the four parts and their sums
        self._terms = np.zeros((4, 3, n))
        self._offset, self._stiffness, self._damping = (self._terms[:, i] for i in range(3))
        self._offset[PASSIVE], self._stiffness[PASSIVE] = self._spring * self._rest, self._spring
        self._damping[PASSIVE] = damping
        self._muscle_terms = self._terms[MUSCLE, :2].reshape(-1)
        self._sums = np.zeros((3, n))
        self._step_weights = np.array([0.0, dt * dt, dt])
        self._g = np.zeros(n)
        self.activation = np.zeros(len(muscles))
        self.torque, self.external = np.zeros(n), np.zeros(n)
        self.target = np.full(n, np.nan)
        self.parts, self.total = np.zeros((4, n)), np.zeros(n)
        self.driven: NDArray[np.floating[Any]] = np.zeros(n)
        self._right = np.zeros(0)

    def reset(self) -> None:
        """As before the first step."""
        self.parts[:] = 0.0
        self.total[:] = 0.0

    def command(self) -> None:
        """Take over the inputs; once a tick, before its sub-steps."""
        np.dot(self._from_activation, self.activation, out=self._muscle_terms)
        self._offset[ACTUATOR] = self.torque
        if self._has_position:
            self._command_position()
        self._offset[EXTERNAL] = self.external
        np.add.reduce(self._terms, axis=0, out=self._sums)
        np.dot(self._step_weights, self._sums, out=self._g)

    def _command_position(self) -> None:
        """Position control of the joints whose target is a number."""
        commanded = any(target == target for target in self.target.tolist())
        if not (commanded or self._commanded):
            return
        self._commanded = commanded
        on = np.isfinite(self.target)
        self._stiffness[ACTUATOR] = on * self.kp
        self._damping[ACTUATOR] = on * self.kd
        self._offset[ACTUATOR] += self.kp * np.where(on, self.target, 0.0)

    def solve(self, q: Array, v: Array, a_free: Array, mass: Array) -> Array:
        """Torques (n,) for the step that begins at angles `q`, speeds `v`; `mass` (r + n, r + n) is overwritten.

        Raises LinAlgError for a singular mass matrix.
        """
        dt, (offset, stiffness, damping) = self._dt, self._sums
        size = len(mass)
        if len(self._right) != size:
            self._right = np.zeros(size)
        first = size - self._n
        bare = mass.copy() if self._bounded else mass
        mass.reshape(-1)[first * (size + 1) :: size + 1] += self._g
        right = self._right[first:]
        np.multiply(stiffness, q + dt * v, out=right)
        np.subtract(offset, right, out=right)
        right -= damping * v
        right -= self._g * a_free
        self.driven = np.linalg.solve(mass, self._right)[first:]
        v_end = v + dt * (a_free + self.driven)
        parts = np.multiply(self._stiffness, q + dt * v_end, out=self.parts)
        np.subtract(self._offset, parts, out=parts)
        parts -= self._damping * v_end
        if self._bounded:
            self._bound(bare, first)
        np.add.reduce(parts, axis=0, out=self.total)
        return self.total

    def _bound(self, mass: Array, first: int) -> None:
        """Scale muscle and actuator torque together so that their sum keeps to the joint's max_torque."""
        driven = np.abs(self.parts[MUSCLE] + self.parts[ACTUATOR])
        over = driven > self._max_torque
        if over.any():
            scale = np.where(over, self._max_torque / np.where(over, driven, 1.0), 1.0)
            self.parts[MUSCLE] *= scale
            self.parts[ACTUATOR] *= scale
            self._right[first:] = self.parts.sum(axis=0)
            self.driven = np.linalg.solve(mass, self._right)[first:]

    def elastic_energy(self, q: Array) -> float:
        """Energy (J) in the passive springs."""
        return float(0.5 * self._spring @ (q - self._rest) ** 2)

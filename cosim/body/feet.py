"""Feet: the links that belong to each, the force on it, and its adhesion to the ground."""

from __future__ import annotations

import numpy as np
import pybullet as p

from cosim.body.contacts import Contacts
from cosim.body.engine import Engine
from cosim.body.ports import Array
from cosim.spec.body import BodySpec

Pull = tuple[int, list[float], list[float]]


class Feet:
    """The feet of a body, in the document's order.

    Adhesion is a force along the ground's normal into the ground, at the contact point of the foot that carried most in
    the last sub-step in which the foot touched. It acts during the tick after one in which the foot touched while some
    foot was asked to stick: where nobody asks, nobody looks. `adhesion` (feet,) is the command of the tick, `pull`
    (feet, 3) the force of the last tick, N, world axes.
    """

    def __init__(self, spec: BodySpec, engine: Engine) -> None:
        self._engine = engine
        self.names = tuple(spec.feet)
        self.full = np.array([foot.adhesion for foot in spec.feet.values()])
        self.adhesion, self.pull = np.zeros(len(self.names)), np.zeros((len(self.names), 3))
        #: per foot: whether it touched, the point (3), the normal (3) of the contact that is pulled at
        self.touch = np.zeros((len(self.names), 7))
        self._foot_of = self._members(spec)
        self.of_link = np.zeros((len(self.names), len(engine.links)))
        for row, foot in enumerate(self._foot_of):
            if foot is not None:
                self.of_link[foot, row] = 1.0

    def _members(self, spec: BodySpec) -> list[int | None]:
        """The foot of each link."""
        parents = {joint.child: joint.parent for joint in spec.joints.values()}
        foot_of = {foot.link: index for index, foot in enumerate(spec.feet.values())}
        found: list[int | None] = []
        for name in self._engine.links:
            at: str | None = name
            while at is not None and at not in foot_of:
                at = parents.get(at)
            found.append(None if at is None else foot_of[at])
        return found

    @property
    def sticks(self) -> bool:
        """Whether a foot is asked to."""
        return bool(self.adhesion.any())

    def reset(self) -> None:
        """Nothing touches."""
        self.touch[...] = 0.0
        self.pull[...] = 0.0

    def pulls(self) -> list[Pull]:
        """Link, force and point of the pulls of a tick, in the engine's units; `pull` is refreshed."""
        found: list[Pull] = []
        self.pull[...] = 0.0
        if not self.sticks:
            return found
        units = self._engine.units
        for foot, command in enumerate(self.adhesion.tolist()):
            row = self.touch[foot]
            if command > 0.0 and row[0]:
                self.pull[foot] = (-min(command, 1.0) * self.full[foot]) * row[4:7]
                link = int(row[0]) - 1 + self._engine.first
                found.append((link, (self.pull[foot] / units.force).tolist(), row[1:4].tolist()))
        return found

    def apply(self, pulls: list[Pull]) -> None:
        """Give the pulls to the engine for the coming step."""
        body, client = self._engine.body, self._engine.client
        for link, force, point in pulls:
            p.applyExternalForce(body, link, force, point, p.WORLD_FRAME, physicsClientId=client)

    def look(self, contacts: Contacts) -> None:
        """After a tick: where each foot touches, if one is asked to stick."""
        self.touch[...] = 0.0
        if not self.sticks:
            return
        first, ground = self._engine.first, self._engine.body
        for step in reversed(contacts.touches):
            heaviest: dict[int, float] = {}
            for c in step:
                row = c[3] - first
                foot = self._foot_of[row]
                if foot is None or c[2] == ground or self.touch[foot, 0] and foot not in heaviest:
                    continue
                if c[9] > heaviest.get(foot, 0.0):
                    heaviest[foot] = c[9]
                    self.touch[foot] = (row + 1, *c[5], *c[7])
            if self.touch[:, 0].all():
                break

    def force(self, contact_force: Array, out: Array) -> None:
        """The contact force on each foot (feet, 3) from those on the links (links, 3), N; without its adhesion."""
        np.matmul(self.of_link, contact_force, out=out)


__all__ = ["Feet"]

"""Contact forces on the links, averaged over the sub-steps of a tick."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pybullet as p

from cosim.body.engine import Engine
from cosim.body.ports import Array

Touch = tuple[Any, ...]


def force_of(touch: Touch) -> tuple[float, float, float]:
    """The force on the link of a contact point (engine's units, world axes): normal and both friction directions."""
    f, g, h = touch[9], touch[10], touch[12]
    n, t, u = touch[7], touch[11], touch[13]
    return (
        f * n[0] + g * t[0] + h * u[0],
        f * n[1] + g * t[1] + h * u[1],
        f * n[2] + g * t[2] + h * u[2],
    )  # fmt: skip


class Contacts:
    """What touches a body: `collect` after every sub-step, `finish` after the last of a tick.

    `force` (links, 3) is then the mean of the sum of normal and friction forces on each link, N, world axes; `touches`
    are the contact points that carry load in each sub-step, as PyBullet gives them.
    """

    def __init__(self, engine: Engine, force: Array) -> None:
        self._engine, self.force = engine, force
        self._touches: list[list[Touch]] = []
        self._summed: Callable[[], list[list[Touch]]] | None = None

    @property
    def touches(self) -> list[list[Touch]]:
        """By sub-step of the last tick; none where nobody collected them."""
        return self._touches if self._summed is None else self._summed()

    def collect(self) -> None:
        """Take the contacts of the step that was just made. Those without normal force are no contacts."""
        engine = self._engine
        points = p.getContactPoints(bodyA=engine.body, physicsClientId=engine.client)
        self._touches.append([c for c in points if c[9] > 0.0])

    def begin(self) -> None:
        """A tick begins."""
        self._touches, self._summed = [], None

    def summed(self, touches: Callable[[], list[list[Touch]]]) -> None:
        """`force` holds the sums over the tick already (engine's units), and `touches` gives the points if asked."""
        self._summed = touches

    def finish(self, substeps: int) -> None:
        """The means over the sub-steps of a tick."""
        if self._summed is None:
            self._sum()
        self.force *= self._engine.units.force / substeps

    def _sum(self) -> None:
        engine = self._engine
        sums = [[0.0, 0.0, 0.0] for _ in engine.links]
        first, body = engine.first, engine.body
        for touch in (touch for step in self._touches for touch in step):
            x, y, z = force_of(touch)
            row = sums[touch[3] - first]
            row[0] += x
            row[1] += y
            row[2] += z
            if touch[2] == body:
                row = sums[touch[4] - first]
                row[0] -= x
                row[1] -= y
                row[2] -= z
        self.force[...] = sums


__all__ = ["Contacts", "Touch", "force_of"]

"""Friction of the ground that changes with time."""

from __future__ import annotations

from cosim.body.engine import Engine
from cosim.body.ground import Ground


class Friction:
    """Gives the engine the friction of each tick, where that changes; of several slips at a time the last counts."""

    def __init__(self, ground: Ground | None, tick: float) -> None:
        self._tick = tick
        self._surface = ground.surface if ground is not None and ground.surface.slip else None
        self._now: float | None = None

    def reset(self) -> None:
        """The engine is fresh."""
        self._now = None

    def begin(self, tick: int, engine: Engine) -> None:
        """Before the sub-steps of a tick."""
        if self._surface is None or engine.ground is None:
            return
        wanted, t = self._surface.friction, (tick + 0.5) * self._tick
        for slip in self._surface.slip:
            if slip.at < t and (slip.length is None or t < slip.at + slip.length):
                wanted = slip.friction
        if wanted != self._now:
            engine.ground.set_friction(wanted, engine.client)
            self._now = wanted


__all__ = ["Friction"]

"""Whether a body has fallen, and when."""

from __future__ import annotations

import math

import numpy as np

from cosim.body.algebra import turned
from cosim.spec.body_extras import FallSpec


class Fall:
    """Watches the root. `tilt` is the angle (rad) of its axis `up` from the vertical; once `fallen`, it stays so.

    `latch` (1,) holds the tick at whose end it had fallen first, -1 before.
    """

    def __init__(self, spec: FallSpec) -> None:
        self._limit, self._height, self._up = spec.tilt, spec.height, spec.up
        self.tilt, self.latch = 0.0, np.array([-1.0])

    @property
    def fallen(self) -> bool:
        """Whether it ever was beyond the limits."""
        return bool(self.latch[0] >= 0)

    def reset(self) -> None:
        """As at the beginning."""
        self.tilt, self.latch[0] = 0.0, -1.0

    def look(self, turn: tuple[float, ...], height: float, tick: int) -> None:
        """After a tick: the root link's orientation (x, y, z, w) and the height of its origin, m."""
        self.tilt = math.acos(min(max(turned(turn, self._up)[2], -1.0), 1.0))
        low = self._height is not None and height < self._height
        if not self.fallen and (low or self.tilt > self._limit):
            self.latch[0] = tick


__all__ = ["Fall"]
